//! CLIP's tokenizer: text to ids of the 49,408-entry byte-pair vocabulary.
//!
//! Source: A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision"
//! (2021), and R. Sennrich et al. on byte-pair encoding (2016). Text is cleaned, composed (NFC),
//! lower-cased and cut into words as the tokenizer of transformers without `ftfy` does, which is what
//! ComfyUI runs.
//!
//! The `tokenizers` crate is not used: it would bring some forty crates, a regex engine with C code
//! among them, for a hundred lines of work, and its CLIP pipeline differs from the reference here in
//! control characters and ideographs. The merge table is sorted at build time and read in place, so
//! there is no set-up: the first prompt costs as little as the second.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Id of `<|startoftext|>`, which begins every chunk.
pub const START: u32 = 49406;
/// Id of `<|endoftext|>`, which ends the text of a chunk and is CLIP-L's padding.
pub const END: u32 = 49407;
/// Number of ids.
pub const VOCABULARY: usize = 49408;

const SPECIAL: [(&str, u32); 2] = [("<|startoftext|>", START), ("<|endoftext|>", END)];
/// Sorted pairs (u32), then the ids they merge into (u16): see `build.rs`.
static MERGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/clip-merges.bin"));

/// The id that two symbols merge into; lower ids merge first.
fn merged(left: u16, right: u16) -> Option<u16> {
    let count = MERGES.len() / 6;
    let (pairs, ids) = MERGES.split_at(count * 4);
    let (pairs, ids) = (pairs.as_chunks::<4>().0, ids.as_chunks::<2>().0);
    let wanted = u32::from(left) << 16 | u32::from(right);
    let at = pairs.binary_search_by_key(&wanted, |pair| u32::from_le_bytes(*pair)).ok()?;
    ids.get(at).map(|id| u16::from_le_bytes(*id))
}

/// The id of a single byte: printable bytes come first, as GPT-2 orders them.
fn byte_id(byte: u8) -> u16 {
    let byte = u16::from(byte);
    match byte {
        33..=126 => byte - 33,
        161..=172 => byte - 67,
        174..=255 => byte - 68,
        0..=32 => byte + 188,
        127..=160 => byte + 94,
        _ => 255,
    }
}

/// CLIP's tokenizer. It has no state; the value exists so that other vocabularies can follow.
#[derive(Debug, Clone, Copy)]
pub struct Tokenizer {
    _private: (),
}

impl Tokenizer {
    /// The tokenizer of every CLIP text model of SD 1, SD 2 and SDXL.
    #[must_use]
    pub fn clip() -> Tokenizer {
        Tokenizer { _private: () }
    }

    /// The ids of a text, without start, end or padding.
    ///
    /// `<|startoftext|>` and `<|endoftext|>` become their ids: as written anywhere, in other letter
    /// cases at the beginning of a word. Takes O(n log n) time for n bytes. Never fails.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let special = SPECIAL
                .iter()
                .filter_map(|&(name, id)| rest.find(name).map(|at| (at, name, id)))
                .min_by_key(|&(at, ..)| at);
            let (plain, id, after) = match special {
                Some((at, name, id)) => (&rest[..at], Some(id), &rest[at + name.len()..]),
                None => (rest, None, ""),
            };
            encode_plain(plain, &mut ids);
            ids.extend(id);
            rest = after;
        }
        ids
    }
}

fn encode_plain(text: &str, ids: &mut Vec<u32>) {
    let text = normalise(text);
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        if is_space(first) {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(word_len(rest, first));
        match SPECIAL.iter().find(|(name, _)| *name == word) {
            Some(&(_, id)) => ids.push(id),
            None => encode_word(word, ids),
        }
        rest = after;
    }
}

/// Removes control characters, puts ideographs apart, composes (NFC), makes white space single spaces
/// and lower-cases.
fn normalise(text: &str) -> String {
    let mut clean = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') || c.general_category() == GeneralCategory::SpaceSeparator {
            clean.push(' ');
        } else if c == '\u{fffd}' || c.general_category_group() == GeneralCategoryGroup::Other {
        } else if is_ideograph(c) {
            clean.extend([' ', c, ' ']);
        } else {
            clean.push(c);
        }
    }
    let composed: String = clean.nfc().collect();
    let mut out = String::with_capacity(composed.len());
    for word in composed.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        // Word by word: the lower case of a final sigma depends on where the word ends.
        out.push_str(&word.to_lowercase());
    }
    out
}

/// White space once control characters are gone.
fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// The blocks that BERT's tokenizer calls CJK: every ideograph is a word of its own.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x2a6df | 0x2a700..=0x2b73f
        | 0x2b740..=0x2b81f | 0x2b820..=0x2ceaf | 0x2f800..=0x2fa1f)
}

fn is_letter(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Letter
}

fn is_number(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Number
}

/// Bytes of the first word of a lower-case text that begins with `first`, no white space: a special
/// token, an English contraction, a run of letters, one digit, or a run of anything else.
fn word_len(text: &str, first: char) -> usize {
    const CONTRACTIONS: [&str; 8] = ["'s", "'\u{17f}", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    let fixed = SPECIAL.iter().map(|(name, _)| *name).chain(CONTRACTIONS);
    if let Some(found) = fixed.into_iter().find(|prefix| text.starts_with(prefix)) {
        return found.len();
    }
    if is_number(first) {
        return first.len_utf8();
    }
    let letters = is_letter(first);
    let ends = |c: char| if letters { !is_letter(c) } else { is_space(c) || is_letter(c) || is_number(c) };
    text.find(ends).unwrap_or(text.len())
}

/// Byte-pair encoding of one word. The lowest merge goes first, the leftmost of equals; a heap of
/// candidate merges over a linked list of symbols keeps long words cheap.
fn encode_word(word: &str, ids: &mut Vec<u32>) {
    const NONE: usize = usize::MAX;
    struct Symbol {
        id: u16,
        prev: usize,
        next: usize,
    }
    let last = word.len() - 1;
    let mut symbols: Vec<Symbol> = word
        .bytes()
        .enumerate()
        .map(|(i, byte)| Symbol {
            id: byte_id(byte) + if i == last { 256 } else { 0 },
            prev: i.wrapping_sub(1),
            next: if i == last { NONE } else { i + 1 },
        })
        .collect();
    // (merged id, position of the left symbol, its id, the right one's id); stale entries are skipped.
    let mut heap = BinaryHeap::new();
    for (i, pair) in symbols.windows(2).enumerate() {
        if let Some(id) = merged(pair[0].id, pair[1].id) {
            heap.push(Reverse((id, i, pair[0].id, pair[1].id)));
        }
    }
    while let Some(Reverse((id, at, left, right))) = heap.pop() {
        let gone = symbols[at].next;
        if symbols[at].id != left || gone == NONE || symbols[gone].id != right {
            continue;
        }
        let after = symbols[gone].next;
        symbols[gone].id = u16::MAX;
        symbols[gone].next = NONE;
        symbols[at].id = id;
        symbols[at].next = after;
        if after != NONE {
            symbols[after].prev = at;
            if let Some(next) = merged(id, symbols[after].id) {
                heap.push(Reverse((next, at, id, symbols[after].id)));
            }
        }
        let before = symbols[at].prev;
        if before != NONE
            && let Some(next) = merged(symbols[before].id, id)
        {
            heap.push(Reverse((next, before, symbols[before].id, id)));
        }
    }
    let mut at = 0;
    while at != NONE {
        ids.push(u32::from(symbols[at].id));
        at = symbols[at].next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floe_testing::json;

    #[test]
    fn table_agrees_with_the_published_vocabulary() {
        // Spells every id in the alphabet of vocab.json and compares the whole vocabulary.
        let mut spelling = vec![String::new(); VOCABULARY];
        let mut unprintable = 256;
        for byte in 0..=255u8 {
            let shown = match byte {
                33..=126 | 161..=172 | 174..=255 => char::from(byte),
                _ => {
                    unprintable += 1;
                    char::from_u32(unprintable - 1).unwrap()
                }
            };
            spelling[usize::from(byte_id(byte))] = shown.to_string();
            spelling[usize::from(byte_id(byte)) + 256] = format!("{shown}</w>");
        }
        let count = MERGES.len() / 6;
        let mut merges = vec![(0, 0); count];
        for pair in MERGES[..count * 4].as_chunks::<4>().0 {
            let pair = u32::from_le_bytes(*pair);
            let (left, right) = ((pair >> 16) as u16, pair as u16);
            merges[usize::from(merged(left, right).unwrap()) - 512] = (left, right);
        }
        for (i, (left, right)) in merges.into_iter().enumerate() {
            spelling[512 + i] = format!("{}{}", spelling[usize::from(left)], spelling[usize::from(right)]);
        }
        (spelling[START as usize], spelling[END as usize]) =
            ("<|startoftext|>".to_string(), "<|endoftext|>".to_string());
        let vocabulary = json("tokenizers/vocab.json");
        let vocabulary = vocabulary.as_object().expect("an object");
        assert_eq!(vocabulary.len(), VOCABULARY);
        for (id, text) in spelling.iter().enumerate() {
            assert_eq!(vocabulary[text].as_u64(), Some(id as u64), "{text}");
        }
    }

    #[test]
    fn special_tokens_anywhere_and_long_words() {
        let clip = Tokenizer::clip();
        assert_eq!(clip.encode("a<|endoftext|>b"), [320, END, 321]);
        assert_eq!(clip.encode("<|EndOfText|> cat"), [END, 2368]);
        assert!(clip.encode("").is_empty());
        assert!(clip.encode(&"ab".repeat(200_000)).len() > 100_000);
    }
}
