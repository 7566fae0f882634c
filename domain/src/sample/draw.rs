/// Numbers that follow from a seed: `SplitMix64` (Steele, Lea and Flood, 2014), whose few lines give the same numbers
/// in every version of this program. Nothing secret may rest on them.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// A sequence of its own for a purpose and a number under it.
    #[must_use]
    pub fn branch(seed: u64, purpose: &str, number: u64) -> Self {
        // FNV-1a keeps purposes apart; the first draws mix the rest.
        let named = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut draw = Self(seed ^ named);
        let mixed = draw.next_u64();
        Self(mixed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from zero up to, and not including, the limit; zero for a limit of zero.
    pub fn below(&mut self, limit: u32) -> u32 {
        let wide = u128::from(self.next_u64()) * u128::from(limit);
        u32::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number between two limits, both included; the first when they are turned round.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = u32::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
        from + i64::from(self.below(span))
    }

    /// True in so many of a thousand draws.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1_000) < permille
    }

    /// One of several, the first where the others are none.
    pub fn one_of<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        let all = u32::try_from(others.len()).unwrap_or(0).saturating_add(1);
        match self.below(all) {
            0 => first,
            place => usize::try_from(place).ok().and_then(|place| others.get(place - 1)).copied().unwrap_or(first),
        }
    }

    /// One of a list, none of an empty one.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let place = self.below(u32::try_from(list.len()).unwrap_or(u32::MAX));
        list.get(usize::try_from(place).unwrap_or(0))
    }

    /// One character of a text.
    pub fn sign(&mut self, text: &str) -> char {
        let count = u32::try_from(text.chars().count()).unwrap_or(0);
        let place = usize::try_from(self.below(count)).unwrap_or(0);
        text.chars().nth(place).unwrap_or(' ')
    }

    /// A value by weights; the last one when all weights are zero.
    pub fn weighted<T: Copy>(&mut self, last: T, choices: &[(u32, T)], last_weight: u32) -> T {
        let all = choices.iter().map(|(weight, _)| *weight).sum::<u32>().saturating_add(last_weight);
        let mut drawn = self.below(all);
        for (weight, value) in choices {
            if drawn < *weight {
                return *value;
            }
            drawn -= weight;
        }
        last
    }

    /// Ten bytes, as ids want them.
    pub fn ten_bytes(&mut self) -> [u8; 10] {
        let (mut out, words) = ([0; 10], [self.next_u64().to_be_bytes(), self.next_u64().to_be_bytes()]);
        for (to, from) in out.iter_mut().zip(words.as_flattened()) {
            *to = *from;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The reference implementation, seeded with 1234567.
        let mut draw = Draw(1_234_567);
        assert_eq!(
            [draw.next_u64(), draw.next_u64(), draw.next_u64()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn draws_stay_within_their_limits_and_reach_them() {
        let mut draw = Draw::branch(7, "limits", 0);
        let seen: std::collections::BTreeSet<_> = (0..500).map(|_| draw.between(-2, 3)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2, 3]);
        assert_eq!((draw.below(0), draw.pick::<u8>(&[]), draw.weighted(9, &[(0, 1)], 0)), (0, None, 9));
        let drawn: std::collections::BTreeSet<_> = (0..200).map(|_| draw.one_of(1, &[2, 3])).collect();
        assert_eq!(drawn.len(), 3);
    }

    #[test]
    fn another_seed_purpose_or_number_is_another_sequence() {
        let first = |seed, purpose, number| Draw::branch(seed, purpose, number).next_u64();
        let all = [first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert_eq!(first(1, "a", 0), first(1, "a", 0));
    }
}
