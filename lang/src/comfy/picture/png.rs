//! Texts of PNG files: `tEXt`, `zTXt`, `iTXt`, and the `comf` of ComfyUI's animations.

use std::io::Read;

use flate2::Crc;
use flate2::read::ZlibDecoder;

use super::{Found, Stop, four, keys, known_key, latin1, slice, utf8_or_latin1};

/// How each PNG begins.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What frames the data of a chunk: length, kind, checksum.
const FRAME: usize = 12;

/// Names of texts are at most this long.
const LONGEST_NAME: usize = 79;

/// Collects the texts of a PNG, before and behind its pixels.
pub(super) fn read(bytes: &[u8], found: &mut Found) -> Result<(), Stop> {
    let mut at = SIGNATURE.len();
    loop {
        let chunk = Chunk::at(bytes, at)?;
        match &chunk.kind {
            b"IEND" => return Ok(()),
            b"tEXt" | b"zTXt" | b"iTXt" | b"comf" => text(&chunk, found)?,
            _ => {}
        }
        at += FRAME + chunk.data.len();
    }
}

/// A chunk whose bytes are all there.
struct Chunk<'a> {
    /// Where its data begins.
    at: usize,
    kind: [u8; 4],
    data: &'a [u8],
    checksum: u32,
}

impl<'a> Chunk<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Result<Chunk<'a>, Stop> {
        let ends = Stop::Broken { at, problem: "it ends in the middle of a chunk" };
        let parts = || {
            let len = u32::from_be_bytes(four(bytes, at)?) as usize;
            let kind = four(bytes, at + 4)?;
            let data = slice(bytes, at + 8, len)?;
            let checksum = u32::from_be_bytes(four(bytes, at + 8 + len)?);
            Some(Chunk { at: at + 8, kind, data, checksum })
        };
        parts().ok_or(ends)
    }

    /// Only texts are checked: wrong bits in pixels do not matter here, in a workflow they change its meaning.
    fn verify(&self) -> Result<(), Stop> {
        let mut crc = Crc::new();
        crc.update(&self.kind);
        crc.update(self.data);
        match crc.sum() == self.checksum {
            true => Ok(()),
            false => Err(self.broken("the checksum of a text is wrong")),
        }
    }

    fn broken(&self, problem: &'static str) -> Stop {
        Stop::Broken { at: self.at, problem }
    }
}

/// Keeps the text of a chunk. Of texts that are no workflow only the name is kept.
fn text(chunk: &Chunk<'_>, found: &mut Found) -> Result<(), Stop> {
    let Some((name, rest)) = split_at_zero(chunk.data).filter(|(name, _)| name.len() <= LONGEST_NAME) else {
        return Err(chunk.broken("a text has no name"));
    };
    let Some(key) = known_key(name) else {
        return found.add(&shown(name), String::new());
    };
    chunk.verify()?;
    let text = match &chunk.kind {
        b"zTXt" => plain(key, &unpack(chunk, key, compressed(chunk, rest)?, found)?),
        b"iTXt" => international(chunk, key, rest, found)?,
        _ => plain(key, rest),
    };
    found.add(key, text)
}

/// A name as messages may show it.
fn shown(name: &[u8]) -> String {
    latin1(name).to_lowercase().replace(char::is_control, "?")
}

/// The standard says Latin-1, which Floe writes; others write UTF-8.
fn plain(key: &str, bytes: &[u8]) -> String {
    match key {
        keys::FLOW | keys::FLOW_PARAMS => latin1(bytes),
        _ => utf8_or_latin1(bytes),
    }
}

/// What follows the name in `zTXt`: a method, of which there is one, and the data.
fn compressed<'a>(chunk: &Chunk<'_>, rest: &'a [u8]) -> Result<&'a [u8], Stop> {
    match rest.split_first() {
        Some((0, data)) => Ok(data),
        _ => Err(chunk.broken("a text is packed in an unknown way")),
    }
}

/// What follows the name in `iTXt`: whether it is packed, the method, a language, a translated name, the text.
fn international(chunk: &Chunk<'_>, key: &str, rest: &[u8], found: &Found) -> Result<String, Stop> {
    let fields = || {
        let (&packed, rest) = rest.split_first()?;
        let (&method, rest) = rest.split_first()?;
        let (_, rest) = split_at_zero(rest)?;
        let (_, text) = split_at_zero(rest)?;
        Some((packed, method, text))
    };
    match fields() {
        Some((0, _, text)) => Ok(utf8_or_latin1(text)),
        Some((1, 0, text)) => Ok(utf8_or_latin1(&unpack(chunk, key, text, found)?)),
        Some(_) => Err(chunk.broken("a text is packed in an unknown way")),
        None => Err(chunk.broken("a text lacks its fields")),
    }
}

/// Unpacks up to the limit: what follows is never produced.
fn unpack(chunk: &Chunk<'_>, key: &str, data: &[u8], found: &Found) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    let most = found.left() as u64;
    match ZlibDecoder::new(data).take(most.saturating_add(1)).read_to_end(&mut text) {
        Err(_) => Err(chunk.broken("a packed text cannot be unpacked")),
        Ok(len) if len as u64 > most => Err(Stop::TooLarge { key: key.to_owned() }),
        Ok(_) => Ok(text),
    }
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}
