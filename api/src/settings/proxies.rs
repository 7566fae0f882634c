//! Proxies before the service whose word on the address of a client counts.

use std::{fmt, net::IpAddr, str::FromStr};

use super::Unusable;

/// Addresses and networks of trusted proxies; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// An address with the number of its leading bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl TrustedProxies {
    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let cure = "write addresses or networks such as 127.0.0.1, 10.0.0.0/8, or none";
        text.parse().map_err(|()| Unusable::new("not a list of addresses and networks", cure))
    }

    /// Whether an address belongs to a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn contains(self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => own.to_bits() & mask_v4(self.bits) == other.to_bits() & mask_v4(self.bits),
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() & mask_v6(self.bits) == other.to_bits() & mask_v6(self.bits),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn mask_v4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0)
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0)
}

impl FromStr for Network {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_cause| ())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_cause| ()))?;
        // A network of no bits would be everybody.
        if (1..=most).contains(&bits) { Ok(Self { address, bits }) } else { Err(()) }
    }
}

impl FromStr for TrustedProxies {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "none" {
            return Ok(Self::default());
        }
        text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let parts: Vec<_> = self.0.iter().map(|network| format!("{}/{}", network.address, network.bits)).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_of_its_leading_bits() {
        let trusted: TrustedProxies = "127.0.0.1, 10.0.0.0/8, fd00::/8".parse().unwrap();
        for (address, wanted) in
            [("127.0.0.1", true), ("127.0.0.2", false), ("10.255.1.1", true), ("11.0.0.1", false), ("fd12::1", true), ("fe80::1", false)]
        {
            assert_eq!(trusted.contains(address.parse().unwrap()), wanted, "{address}");
        }
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
        for wrong in ["", "localhost", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.0/8,", "10.0.0.0/-1"] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }
}
