//! numpy's `SeedSequence` with a pool of 24 words, from which the Brownian tree takes its seeds.
//!
//! Source: R. Kern, NEP 19 and numpy's documentation of `SeedSequence`, after M. O'Neill's `seed_seq_fe` (2015).

/// Words of the pool.
const POOL: usize = 24;
const MULTIPLY_A: u32 = 0x931e_8875;
const INITIAL_A: u32 = 0x43b0_d7e5;
const MULTIPLY_B: u32 = 0x58f3_8ded;
const INITIAL_B: u32 = 0x8b51_f9dd;
const MIX_LEFT: u32 = 0xca01_f9dd;
const MIX_RIGHT: u32 = 0x4973_f715;

/// The entropy of one seed, mixed into the pool; children differ by their keys.
#[derive(Clone)]
pub(super) struct SeedSequence {
    pool: [u32; POOL],
    constant: u32,
}

impl SeedSequence {
    /// All 64 bits of `seed` count.
    pub(super) fn new(seed: u64) -> SeedSequence {
        let mut sequence = SeedSequence { pool: [0; POOL], constant: INITIAL_A };
        let words = [seed as u32, (seed >> 32) as u32];
        for i in 0..POOL {
            sequence.pool[i] = sequence.hash(words.get(i).copied().unwrap_or(0));
        }
        for from in 0..POOL {
            for to in (0..POOL).filter(|&to| to != from) {
                let hashed = sequence.hash(sequence.pool[from]);
                sequence.pool[to] = mix(sequence.pool[to], hashed);
            }
        }
        sequence
    }

    /// The first word of the state of the child with these keys; without keys, of the sequence itself.
    pub(super) fn first_word(&self, keys: &[u64]) -> u32 {
        let mut child = self.clone();
        for &key in keys {
            child.absorb(key as u32);
            if key > u64::from(u32::MAX) {
                child.absorb((key >> 32) as u32);
            }
        }
        let word = (child.pool[0] ^ INITIAL_B).wrapping_mul(INITIAL_B.wrapping_mul(MULTIPLY_B));
        word ^ (word >> 16)
    }

    fn absorb(&mut self, word: u32) {
        for to in 0..POOL {
            let hashed = self.hash(word);
            self.pool[to] = mix(self.pool[to], hashed);
        }
    }

    fn hash(&mut self, value: u32) -> u32 {
        let value = value ^ self.constant;
        self.constant = self.constant.wrapping_mul(MULTIPLY_A);
        let value = value.wrapping_mul(self.constant);
        value ^ (value >> 16)
    }
}

fn mix(left: u32, right: u32) -> u32 {
    let mixed = MIX_LEFT.wrapping_mul(left).wrapping_sub(MIX_RIGHT.wrapping_mul(right));
    mixed ^ (mixed >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First words of numpy's `SeedSequence(seed, pool_size=24, spawn_key=keys)`.
    #[test]
    fn reference_words() {
        for (seed, keys, word) in [
            (0, &[][..], 4_025_752_534),
            (0, &[0, 0][..], 245_430_115),
            (0, &[5, 3][..], 2_230_703_150),
            (42, &[][..], 387_750_627),
            (1 << 32, &[][..], 434_701_594),
            (u64::MAX, &[5, 3][..], 206_752_380),
        ] {
            assert_eq!(SeedSequence::new(seed).first_word(keys), word, "seed {seed}, keys {keys:?}");
        }
    }
}
