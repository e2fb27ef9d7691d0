//! ComfyUI's prompts: weights in parentheses, `embedding:` names, chunks of 77 tokens.
//!
//! The syntax: `(text)` multiplies the weight by 1.1, `(text:1.3)` sets it, `\(` and `\)` are plain
//! parentheses, `embedding:name` at a word's beginning inserts a textual inversion. The behaviour is
//! ComfyUI's, pinned by the reference component `tokenizer_dev`.

use std::borrow::Cow;

use thiserror::Error;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::tokenizer::{END, START, Tokenizer};

/// Tokens in a chunk, start and end included: the context of CLIP.
pub const CHUNK: usize = 77;
/// Groups of at least this many tokens may be cut at the end of a chunk.
const LARGE_GROUP: usize = 8;
/// What parentheses without a number multiply the weight by.
const EMPHASIS: f64 = 1.1;
/// Parentheses within parentheses; ComfyUI gives up near 1000.
const MAX_DEPTH: usize = 500;
const EMBEDDING: &str = "embedding:";

/// A prompt that cannot be encoded.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PromptError {
    /// `embedding:` stands alone.
    #[error("`embedding:` is not followed by the name of an embedding")]
    EmbeddingWithoutName,
    /// Parentheses are nested too deeply.
    #[error("parentheses are nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// One position of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptToken {
    /// A token of the vocabulary.
    Id(u32),
    /// One row of a textual inversion.
    Embedding {
        /// Name of the file as written, comma removed.
        name: String,
        /// Row of the file's tensor, from 0.
        row: usize,
    },
}

/// 77 tokens and their weights, for prompts without textual inversions.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Token ids: start, text, end, padding.
    pub ids: [u32; CHUNK],
    /// Weights; 1 for start, end and padding.
    pub weights: [f32; CHUNK],
}

/// 77 tokens and their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptChunk {
    /// Start, text, end, padding; always 77 of them.
    pub tokens: Vec<PromptToken>,
    /// Weights; 1 for start, end and padding.
    pub weights: [f32; CHUNK],
}

/// Whether any weight differs from 1: only then does ComfyUI encode the empty prompt as well.
#[must_use]
pub fn has_weights(chunks: &[Chunk]) -> bool {
    chunks.iter().any(|chunk| chunk.weights.iter().any(|&weight| weight != 1.0))
}

/// The names after `embedding:` in a prompt, in order of appearance, repeats included.
///
/// # Errors
/// [`PromptError`] as for [`Tokenizer::encode_prompt`].
pub fn embedding_names(text: &str) -> Result<Vec<String>, PromptError> {
    let mut names = Vec::new();
    Tokenizer::clip().encode_prompt_with(text, END, &mut |name| {
        names.push(name.to_string());
        None
    })?;
    Ok(names)
}

impl Tokenizer {
    /// Encodes a prompt into chunks of 77 tokens; `pad` fills the last one up (49407 for CLIP-L, 0 for
    /// the text models of SD 2 and SDXL's second). Embedding names are ignored, as ComfyUI ignores
    /// names without a file. At least one chunk is returned.
    ///
    /// # Errors
    /// [`PromptError`] for `embedding:` without a name and for hundreds of nested parentheses.
    pub fn encode_prompt(&self, text: &str, pad: u32) -> Result<Vec<Chunk>, PromptError> {
        let chunks = self.encode_prompt_with(text, pad, &mut |_| None)?;
        let id = |token: &PromptToken| if let PromptToken::Id(id) = token { *id } else { pad };
        let plain = |chunk: PromptChunk| {
            let mut ids = [pad; CHUNK];
            ids.iter_mut().zip(&chunk.tokens).for_each(|(slot, token)| *slot = id(token));
            Chunk { ids, weights: chunk.weights }
        };
        Ok(chunks.into_iter().map(plain).collect())
    }

    /// As [`Tokenizer::encode_prompt`], with textual inversions: `rows` answers how many tokens the
    /// embedding of a name has, `None` when there is no such file (the name is then ignored). A name
    /// that ends in commas is asked for again without them; the commas then count as text.
    ///
    /// # Errors
    /// [`PromptError`] for `embedding:` without a name and for hundreds of nested parentheses.
    pub fn encode_prompt_with(
        &self,
        text: &str,
        pad: u32,
        rows: &mut dyn FnMut(&str) -> Option<usize>,
    ) -> Result<Vec<PromptChunk>, PromptError> {
        let mut segments = Vec::new();
        weigh(text, 1.0, 0, &mut segments)?;
        let mut chunks = Chunks { done: Vec::new(), tokens: vec![], weights: [1.0; CHUNK], pad };
        chunks.begin();
        for (segment, weight) in segments {
            let segment = segment.replace("\\(", "(").replace("\\)", ")");
            for part in embedding_parts(&segment) {
                let words = match part.strip_prefix(EMBEDDING) {
                    None => Cow::Borrowed(part),
                    Some(after) => {
                        let (name, rest) = split_name(after)?;
                        let (name, count, commas) = look_up(name, rows);
                        let token = |row| PromptToken::Embedding { name: name.to_string(), row };
                        chunks.add((0..count).map(token).collect(), weight);
                        Cow::Owned(format!("{commas} {rest}"))
                    }
                };
                let ids = self.encode(&words);
                chunks.add(ids.into_iter().map(PromptToken::Id).collect(), weight);
            }
        }
        Ok(chunks.finish())
    }
}

/// Cuts a text at parentheses into (segment, weight); escapes stay in.
///
/// At one level a text is cut into groups, from a `(` to the `)` that closes it, and what is between. What
/// begins with `(` and ends with `)` is a group, even where an inner parenthesis is left open; after a
/// `)` too many, a `(` only makes up for it.
fn weigh<'a>(
    text: &'a str,
    weight: f64,
    depth: usize,
    out: &mut Vec<(&'a str, f32)>,
) -> Result<(), PromptError> {
    if depth > MAX_DEPTH {
        return Err(PromptError::TooDeep);
    }
    for piece in top_level(text) {
        let inner = piece.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        // A `)` after a backslash is text, not the end of a group.
        let Some(inner) = inner.filter(|inner| !inner.ends_with('\\')) else {
            out.push((piece, weight as f32));
            continue;
        };
        let (inner, weight) = match inner.rfind(':') {
            Some(at) if at > 0 => match parse_number(&inner[at + 1..]) {
                Some(number) => (&inner[..at], number),
                None => (inner, weight * EMPHASIS),
            },
            _ => (inner, weight * EMPHASIS),
        };
        weigh(inner, weight, depth + 1, out)?;
    }
    Ok(())
}

/// The groups of one level and the texts between them, in order, none empty.
fn top_level(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    let mut open = 0i64;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' if !escaped => {
                if open == 0 {
                    pieces.push(&text[begin..at]);
                    begin = at;
                }
                open += 1;
            }
            b')' if !escaped => {
                open -= 1;
                if open == 0 {
                    pieces.push(&text[begin..=at]);
                    begin = at + 1;
                }
            }
            _ => {}
        }
        escaped = byte == b'\\';
    }
    pieces.push(&text[begin..]);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A number as Python's `float` reads it: white space around it, `_` between digits, digits of any
/// script, `inf` and `nan`.
fn parse_number(text: &str) -> Option<f64> {
    let space = |c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}');
    let ascii: String = text.trim_matches(space).chars().map(ascii_digit).collect();
    let bytes = ascii.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_') {
        if !digit(at.checked_sub(1)) || !digit(Some(at + 1)) {
            return None;
        }
    }
    ascii.replace('_', "").parse().ok()
}

/// Decimal digits of any script as ASCII. They come in runs of ten, from zero on, by Unicode's rule.
fn ascii_digit(c: char) -> char {
    let decimal = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    if c.is_ascii() || !decimal(c) {
        return c;
    }
    let mut before = (0..u32::from(c)).rev().map_while(char::from_u32).take_while(|&c| decimal(c));
    let value = (before.by_ref().count() % 10) as u32;
    char::from_digit(value, 10).unwrap_or(c)
}

/// Cuts a segment before every `embedding:` that follows a space or a newline, which is dropped.
fn embedding_parts(segment: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in segment.match_indices(EMBEDDING) {
        if at > begin && matches!(segment.as_bytes()[at - 1], b' ' | b'\n') {
            parts.push(&segment[begin..at - 1]);
            begin = at;
        }
    }
    parts.push(&segment[begin..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// The name after `embedding:` and the text after it.
fn split_name(after: &str) -> Result<(&str, &str), PromptError> {
    let after = after.trim_start();
    if after.is_empty() {
        return Err(PromptError::EmbeddingWithoutName);
    }
    Ok(after.split_once(char::is_whitespace).unwrap_or((after, "")))
}

/// Asks for a name, then for the name without the commas at its end. Returns the name, its number of
/// tokens (0 when there is no such file) and the commas, which are text.
fn look_up<'a>(name: &'a str, rows: &mut dyn FnMut(&str) -> Option<usize>) -> (&'a str, usize, &'a str) {
    if let Some(count) = rows(name) {
        return (name, count, "");
    }
    let (bare, commas) = name.split_at(name.trim_end_matches(',').len());
    let count = if commas.is_empty() { None } else { rows(bare) };
    (bare, count.unwrap_or(0), commas)
}

/// Chunks under construction: the current one always begins with the start token.
struct Chunks {
    done: Vec<PromptChunk>,
    tokens: Vec<PromptToken>,
    weights: [f32; CHUNK],
    pad: u32,
}

impl Chunks {
    fn begin(&mut self) {
        self.tokens = Vec::with_capacity(CHUNK);
        self.tokens.push(PromptToken::Id(START));
        self.weights = [1.0; CHUNK];
    }

    /// Adds the tokens of one group: the text of a segment, or one embedding.
    fn add(&mut self, group: Vec<PromptToken>, weight: f32) {
        let large = group.len() >= LARGE_GROUP;
        let mut left = group.len();
        let mut group = group.into_iter();
        while left > 0 {
            let room = CHUNK - 1 - self.tokens.len();
            let now = if left <= room {
                left
            } else if large {
                room
            } else {
                0
            };
            let begin = self.tokens.len();
            self.tokens.extend(group.by_ref().take(now));
            self.weights[begin..begin + now].fill(weight);
            left -= now;
            if left > 0 {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.tokens.push(PromptToken::Id(END));
        self.tokens.resize(CHUNK, PromptToken::Id(self.pad));
        let tokens = std::mem::take(&mut self.tokens);
        self.done.push(PromptChunk { tokens, weights: self.weights });
        self.begin();
    }

    fn finish(mut self) -> Vec<PromptChunk> {
        self.end();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use floe_testing::json;

    /// Tokens of the embeddings of the reference models.
    fn reference_rows(name: &str) -> Option<usize> {
        match name.strip_suffix(".safetensors").unwrap_or(name) {
            "tiny-emb" => Some(3),
            "tiny-long" => Some(9),
            _ => None,
        }
    }

    fn check_chunk(text: &str, got: &PromptChunk, want: &Value) {
        let ids = want["ids"].as_array().expect("ids");
        assert_eq!(want["n"], CHUNK, "{text}");
        // The reference cuts the run of padding at the end to one.
        for (at, token) in got.tokens.iter().enumerate() {
            match (token, &ids[at.min(ids.len() - 1)]) {
                (PromptToken::Id(id), want) => {
                    assert_eq!(Some(u64::from(*id)), want.as_u64(), "{text:?} at {at}")
                }
                (PromptToken::Embedding { .. }, want) => assert_eq!(want[0], "e", "{text:?} at {at}"),
            }
        }
        let mut weights = [1.0f32; CHUNK];
        for pair in want["w"].as_array().expect("weights") {
            let number = match &pair[1] {
                Value::String(text) => text.parse().expect("a number"),
                number => number.as_f64().expect("a number"),
            };
            weights[pair[0].as_u64().expect("an index") as usize] = number as f32;
        }
        assert_eq!(got.weights.map(f32::to_bits), weights.map(f32::to_bits), "{text:?}");
    }

    #[test]
    fn tokenizer_component() {
        let reference = json("parity/dev/components/tokenizer_dev/expected.json");
        let clip = Tokenizer::clip();
        let (mut plain, mut with_embeddings, mut errors) = (0, 0, 0);
        for entry in reference.as_array().expect("an array") {
            let text = entry["text"].as_str().expect("a text");
            if entry.get("error").is_some() {
                assert_eq!(clip.encode_prompt(text, END), Err(PromptError::EmbeddingWithoutName), "{text:?}");
                errors += 1;
                continue;
            }
            for (kind, pad) in [("l", END), ("g", 0)] {
                let Some(want) = entry[kind].as_array() else { continue };
                let got = clip.encode_prompt_with(text, pad, &mut reference_rows).expect("encodes");
                assert_eq!(got.len(), want.len(), "chunks of {text:?}");
                got.iter().zip(want).for_each(|(got, want)| check_chunk(text, got, want));
                *if text.contains(EMBEDDING) { &mut with_embeddings } else { &mut plain } += 1;
            }
        }
        println!("{plain} plain, {with_embeddings} with embeddings, {errors} errors");
        assert_eq!((plain, with_embeddings, errors), (210, 26, 1));
    }

    #[test]
    fn clip_component() {
        let reference = json("parity/dev/components/clip_sd15-tiny_clip_l/expected.json");
        let mut weighted = 0;
        for prompt in reference.as_object().expect("an object").values() {
            let text = prompt["text"].as_str().expect("a text");
            let got = Tokenizer::clip().encode_prompt(text, END).expect("encodes");
            assert_eq!(got.len(), prompt["chunks"].as_array().expect("chunks").len());
            for (i, chunk) in got.iter().enumerate() {
                for at in 0..CHUNK {
                    assert_eq!(prompt["chunks"][i][at].as_u64(), Some(u64::from(chunk.ids[at])), "{text}");
                    let weight = prompt["weights"][i][at].as_f64().expect("a weight") as f32;
                    assert_eq!(weight, chunk.weights[at], "{text}");
                }
            }
            weighted += usize::from(has_weights(&got));
        }
        println!("{weighted} prompts have weights");
    }

    #[test]
    fn odd_parentheses_keep_their_meaning() {
        let weights = |text| {
            let chunk = Tokenizer::clip().encode_prompt(text, END).expect("encodes")[0].clone();
            chunk.weights[1..chunk.ids.iter().skip(1).position(|&id| id == END).expect("an end") + 1].to_vec()
        };
        // A `)` too many swallows the next group.
        assert_eq!(weights("a) (b)"), [1.0; 5]);
        assert_eq!(weights("(a (b)"), [1.1; 3]);
        assert_eq!(weights("(a:nan)")[0].to_bits(), f32::NAN.to_bits());
        assert_eq!(weights("(a:\u{661}\u{1d7d9}_2)"), [112.0]);
        assert_eq!(weights("(a:1__0)").len(), 5);
        let deep = "(".repeat(2000) + "a" + &")".repeat(2000);
        assert_eq!(Tokenizer::clip().encode_prompt(&deep, END), Err(PromptError::TooDeep));
        assert_eq!(
            embedding_names("embedding:x, y embedding:z"),
            Ok(vec!["x,".into(), "x".into(), "z".into()])
        );
    }
}
