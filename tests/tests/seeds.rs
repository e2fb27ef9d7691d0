//! The fuzz targets in short: each seed of `fuzz/seeds`, and a bounded number of changed ones, the same in every run.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a crate of its own where it is fuzzed")]
mod properties;

use std::fs;
use std::path::{Path, PathBuf};

/// Changed seeds per target.
const CHANGED: usize = 3000;

/// What is put into seeds, as bytes that mean something somewhere.
const WORDS: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\"",
    b"\"\"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"//",
    b"/*",
    b"\\",
    b"\n",
    b"null",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"NaN",
    b"@id(\"1\")",
    b"{a|b}",
    b"%date:yy%",
    "\u{2028}é".as_bytes(),
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let listed = fs::read_dir(&folder).expect("seeds can be listed");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("seeds can be listed").path()).collect();
    paths.sort();
    assert!(paths.len() > 3, "{} has seeds", folder.display());
    paths.iter().map(|path| fs::read(path).expect("a seed is readable")).collect()
}

/// Numbers that look random and are the same in every run: xorshift64*, G. Marsaglia and S. Vigna.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

/// One change: a bit, a word, a piece less, a piece twice, a piece of another seed.
fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = (at + numbers.below(40)).min(bytes.len());
    match numbers.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
        1 => drop(bytes.splice(at..at, WORDS[numbers.below(WORDS.len())].iter().copied())),
        2 => drop(bytes.splice(at..end, WORDS[numbers.below(WORDS.len())].iter().copied())),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            let to = numbers.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        _ => {
            let other = &others[numbers.below(others.len())];
            let from = numbers.below(other.len() + 1);
            let until = (from + numbers.below(80)).min(other.len());
            bytes.splice(at..at, other[from..until].iter().copied());
        }
    }
}

fn replay(target: &str, property: fn(&[u8])) {
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| property(seed));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..CHANGED {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=numbers.below(4) {
            change(&mut bytes, &seeds, &mut numbers);
        }
        property(&bytes);
    }
}

#[test]
fn any_text_parses_and_formats() {
    replay("parser", properties::parser);
}

#[test]
fn any_bytes_are_a_picture_or_none() {
    replay("picture", properties::picture);
}

#[test]
fn any_bytes_are_a_model_file_or_none() {
    replay("header", properties::header);
}

#[test]
fn any_json_for_the_server_is_a_program_or_an_error() {
    replay("import_api", properties::import);
}

#[test]
fn any_json_of_the_editor_is_a_program_or_an_error() {
    replay("import_ui", properties::import);
}
