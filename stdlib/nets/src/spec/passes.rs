//! Names of sets of passes.

use std::fmt;

use crate::ir::Program;
use crate::passes;

/// Which passes a program goes through before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassSet {
    /// `fuse`: bias, residual and activation join the operation before them.
    pub fuse: bool,
    /// `in-place`: results overwrite what is read for the last time.
    pub in_place: bool,
    /// `offsets`: the slab's bytes are reused; otherwise every value has bytes of its own.
    pub offsets: bool,
}

impl PassSet {
    /// All passes.
    pub const DEFAULT: PassSet = PassSet { fuse: true, in_place: true, offsets: true };

    /// No pass: what every other set must equal bit for bit.
    pub const NAIVE: PassSet = PassSet { fuse: false, in_place: false, offsets: false };

    /// Names of the passes, in the order in which they run.
    pub const NAMES: [&'static str; 3] = ["fuse", "in-place", "offsets"];

    /// The set of the passes whose [`NAMES`](Self::NAMES) satisfy `wanted`.
    pub fn select(wanted: impl Fn(&str) -> bool) -> PassSet {
        let [fuse, in_place, offsets] = Self::NAMES.map(wanted);
        PassSet { fuse, in_place, offsets }
    }

    /// Runs the passes, then gives every value its place; each is verified.
    pub fn run(self, program: &mut Program) {
        if self.fuse {
            passes::run(passes::fuse, program);
        }
        if self.in_place {
            passes::run(passes::in_place, program);
        }
        passes::run(if self.offsets { passes::offsets } else { passes::spread }, program);
    }

    /// Reads the text form that `Display` writes.
    pub fn parse(text: &str) -> Option<PassSet> {
        let names: Vec<&str> = if text == "none" { Vec::new() } else { text.split(',').collect() };
        let known = names.iter().all(|name| Self::NAMES.contains(name));
        known.then(|| Self::select(|name| names.contains(&name)))
    }
}

impl fmt::Display for PassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = [self.fuse, self.in_place, self.offsets];
        let names: Vec<&str> =
            Self::NAMES.into_iter().zip(on).filter_map(|(name, on)| on.then_some(name)).collect();
        f.write_str(if names.is_empty() { "none".to_owned() } else { names.join(",") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::PassSet;

    #[test]
    fn the_text_form_reads_back() {
        for set in [PassSet::DEFAULT, PassSet::NAIVE, PassSet { in_place: false, ..PassSet::DEFAULT }] {
            assert_eq!(PassSet::parse(&set.to_string()), Some(set));
        }
        assert_eq!(PassSet::parse("fuse,nothing"), None);
    }
}
