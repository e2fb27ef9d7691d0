//! What a program is bound with besides its params: time and chance.

use floe_lang::text::{CivilTime, date_format, dynamic_prompt};

use super::functions::Moment;

/// How many steps evaluation may take unless something else is said. Some hundred thousand calls need a few million.
const STEPS: u64 = 10_000_000;

/// Which alternative `dynamic("{a|b}")` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pick {
    /// One at random.
    #[default]
    Random,
    /// The first.
    First,
}

/// The moment at which a program is bound. The compiler asks no clock and no dice: the same binding gives the same program.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Which alternative `dynamic("{a|b}")` takes.
    pub pick: Pick,
    /// The time that `now(…)` writes.
    pub now: CivilTime,
    /// Where random numbers begin.
    pub chance: u64,
    /// How many steps evaluation may take.
    pub steps: u64,
}

impl Binding {
    /// A binding at a time, with the usual limits.
    pub fn at(now: CivilTime, chance: u64) -> Binding {
        Binding { pick: Pick::default(), now, chance, steps: STEPS }
    }
}

/// Random numbers, the same for the same beginning: SplitMix64, see Steele, Lea, Flood: *Fast splittable pseudorandom number
/// generators* (2014).
pub(super) struct Chance {
    state: u64,
    pick: Pick,
    now: CivilTime,
}

impl Chance {
    pub(super) fn new(binding: &Binding) -> Chance {
        Chance { state: binding.chance, pick: binding.pick, now: binding.now }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number from `lo` to `hi`, both included.
    pub(super) fn between(&mut self, lo: i128, hi: i128) -> i128 {
        let count = (hi - lo).max(0) + 1;
        lo + i128::from(self.next()) % count
    }
}

impl Moment for Chance {
    fn pick(&mut self, text: &str) -> String {
        match self.pick {
            Pick::First => dynamic_prompt::first(text),
            Pick::Random => dynamic_prompt::pick(text, |count| {
                let last = count.saturating_sub(1) as i128;
                usize::try_from(self.between(0, last)).unwrap_or(0)
            }),
        }
    }

    fn time(&self, format: &str) -> String {
        date_format::format(format, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(beginning: u64) -> Chance {
        let now = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
        Chance::new(&Binding::at(now, beginning))
    }

    #[test]
    fn draws_stay_in_their_range_and_repeat() {
        let draws = |beginning| {
            (0..100)
                .map(|_| beginning)
                .scan(chance(beginning), |chance, _| Some(chance.between(-2, 3)))
                .collect::<Vec<_>>()
        };
        let drawn = draws(7);
        assert!((-2..=3).all(|value| drawn.contains(&value)), "{drawn:?}");
        assert!(drawn.iter().all(|value| (-2..=3).contains(value)));
        assert_eq!(drawn, draws(7));
        assert_ne!(drawn, draws(8));
    }

    #[test]
    fn the_whole_range_of_ints_can_be_drawn_from() {
        let (lo, hi) = (i128::from(i64::MIN), i128::from(u64::MAX));
        let drawn = chance(1).between(lo, hi);
        assert!((lo..=hi).contains(&drawn));
    }
}
