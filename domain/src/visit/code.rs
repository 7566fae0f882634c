use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{id::VisitId, time::Instant};

/// How long one code holds, in minutes.
pub const CODE_STEP_MINUTES: i64 = 30;

/// Says for what the key is used, so that a code is never a value of another use of the same secret.
const PURPOSE: &[u8] = b"yijia visit code 1";

/// How many codes there are.
const CODES: u64 = 1_000_000;

/// The text was not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a visit code has six digits")]
pub struct ParseCodeError;

/// The six digits that the family or the resident shows to the carer. They are a short-lived secret: debug
/// texts hide them.
#[derive(Clone, Copy)]
pub struct VisitCode(u32);

impl FromStr for VisitCode {
    type Err = ParseCodeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| shape).map(Self).ok_or(ParseCodeError)
    }
}
impl fmt::Display for VisitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}
impl fmt::Debug for VisitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitCode(******)")
    }
}

/// The code of a visit at a moment: HMAC-SHA-256 under the home's secret over the visit's id and the number of
/// the half-hour since 1970.
#[must_use]
pub fn code_at(secret: &[u8; 32], visit: VisitId, at: Instant) -> VisitCode {
    code_of_step(secret, visit, step(at))
}

/// Whether a code is that of the visit at the moment of the event, or of the half-hour before or after it.
/// Takes the same time whatever the code.
#[must_use]
pub fn verify(secret: &[u8; 32], visit: VisitId, at: Instant, code: VisitCode) -> bool {
    let step = step(at);
    // No early end and no branch on the codes: how long a refusal takes tells nothing.
    let matches = [step.saturating_sub(1), step, step.saturating_add(1)]
        .into_iter()
        .map(|near| is_zero(code_of_step(secret, visit, near).0 ^ code.0))
        .fold(0, |found, same| found | same);
    matches == 1
}

fn step(at: Instant) -> i64 {
    at.timestamp().div_euclid(CODE_STEP_MINUTES * 60)
}

/// 1 for zero and 0 for everything else, without a branch.
const fn is_zero(difference: u32) -> u32 {
    1 ^ ((difference | difference.wrapping_neg()) >> 31)
}

fn code_of_step(secret: &[u8; 32], visit: VisitId, step: i64) -> VisitCode {
    // HMAC fills a key that is shorter than the block with zeros; doing so here needs no fallible constructor.
    let mut block = [0; 64];
    block.iter_mut().zip(secret).for_each(|(place, byte)| *place = *byte);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(PURPOSE);
    mac.update(visit.uuid().as_bytes());
    mac.update(&step.to_be_bytes());
    let tag = mac.finalize().into_bytes();
    // Eight bytes make the bias of the remainder negligible (below one in ten million millions).
    let number = tag.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    VisitCode(u32::try_from(number % CODES).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::time::parse_instant;

    const SECRET: [u8; 32] = [7; 32];

    fn visit(number: u8) -> VisitId {
        VisitId::from_parts(1_700_000_000_000, [number; 10])
    }

    fn at(text: &str) -> Instant {
        parse_instant(text).unwrap()
    }

    #[test]
    fn the_code_is_the_published_construction() {
        let moment = at("2026-11-23T09:10:00+08:00");
        let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
        mac.update(b"yijia visit code 1");
        mac.update(visit(1).uuid().as_bytes());
        mac.update(&(moment.timestamp() / 1_800).to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let number = u64::from_be_bytes(tag[..8].try_into().unwrap()) % 1_000_000;
        assert_eq!(code_at(&SECRET, visit(1), moment).to_string(), format!("{number:06}"));
    }

    #[test]
    fn a_code_holds_in_its_half_hour_and_the_ones_beside_it() {
        let code = code_at(&SECRET, visit(1), at("2026-11-23T09:10:00"));
        for right in ["2026-11-23T08:30:00", "2026-11-23T09:00:00", "2026-11-23T09:29:59", "2026-11-23T09:59:59"] {
            assert!(verify(&SECRET, visit(1), at(right), code), "{right}");
        }
        for wrong in ["2026-11-23T08:29:59", "2026-11-23T10:00:00", "2026-11-22T09:10:00"] {
            assert!(!verify(&SECRET, visit(1), at(wrong), code), "{wrong}");
        }
    }

    #[test]
    fn a_code_belongs_to_one_visit_and_one_home() {
        let moment = at("2026-11-23T09:10:00");
        let code = code_at(&SECRET, visit(1), moment);
        assert!(!verify(&SECRET, visit(2), moment, code));
        assert!(!verify(&[8; 32], visit(1), moment, code));
    }

    #[test]
    fn only_six_digits_are_a_code() {
        assert_eq!("000042".parse::<VisitCode>().unwrap().to_string(), "000042");
        for wrong in ["", "42", "0000042", "+00042", " 00042", "００００４２", "00004x"] {
            assert_eq!(wrong.parse::<VisitCode>().unwrap_err(), ParseCodeError, "{wrong:?}");
        }
        assert_eq!(format!("{:?}", "123456".parse::<VisitCode>().unwrap()), "VisitCode(******)");
    }

    proptest! {
        #[test]
        fn zero_is_found_without_a_branch(difference: u32) {
            prop_assert_eq!(is_zero(difference) == 1, difference == 0);
            prop_assert_eq!(is_zero(0), 1);
        }

        #[test]
        fn a_shown_code_is_accepted_for_half_an_hour(seconds in 0i64..4_000_000_000, later in 0i64..=1_800, secret: [u8; 32]) {
            let shown = Instant::from_timestamp(seconds, 0).unwrap();
            let code = code_at(&secret, visit(1), shown);
            prop_assert_eq!(code.to_string().parse::<VisitCode>().unwrap().0, code.0);
            prop_assert!(verify(&secret, visit(1), shown + TimeDelta::seconds(later), code));
            prop_assert!(verify(&secret, visit(1), shown - TimeDelta::seconds(later), code));
        }
    }
}
