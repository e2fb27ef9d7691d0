//! Texts in EXIF: a TIFF directory whose strings are `workflow:{…}`, `prompt:{…}`, or JSON alone.
//!
//! Savers put them under whatever tag is at hand (`Make`, `Model`, `ImageDescription`, `UserComment`), so all
//! strings are looked at and the words before the colon decide.

use super::{Found, Stop, four, known_key, slice, two, utf8_or_latin1};

/// What stands before the directory in JPEG, and in WebP by some writers.
pub(super) const PREFIX: &[u8] = b"Exif\0\0";

/// Bytes of an entry of a directory.
const ENTRY: usize = 12;

/// The tag that points to the directory with `UserComment`.
const EXIF_DIRECTORY: u16 = 0x8769;

/// Tags of a picture's own strings.
const USER_COMMENT: u16 = 0x9286;

/// Types of entries: text, four-byte number, bytes of any meaning.
const ASCII: u16 = 2;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

/// Collects the texts of EXIF data that begins at `start` of the file.
pub(super) fn read(data: &[u8], start: usize, found: &mut Found) -> Result<(), Stop> {
    let tiff = Tiff::new(data, start)?;
    let mut budget = data.len();
    let first = tiff.four(4).map(|at| at as usize);
    let nested = tiff.directory(first, &mut budget, found)?;
    if nested.is_some() {
        tiff.directory(nested, &mut budget, found)?;
    }
    Ok(())
}

/// TIFF data with its order of bytes.
struct Tiff<'a> {
    data: &'a [u8],
    big_endian: bool,
    /// Where it begins in the file.
    start: usize,
}

impl<'a> Tiff<'a> {
    fn new(data: &'a [u8], start: usize) -> Result<Tiff<'a>, Stop> {
        let (data, start) = match data.strip_prefix(PREFIX) {
            Some(rest) => (rest, start + PREFIX.len()),
            None => (data, start),
        };
        let big_endian = match data.get(..4) {
            Some(b"MM\0*") => true,
            Some(b"II*\0") => false,
            _ => return Err(Stop::Broken { at: start, problem: "its EXIF has no header" }),
        };
        Ok(Tiff { data, big_endian, start })
    }

    fn two(&self, at: usize) -> Option<u16> {
        let bytes = two(self.data, at)?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn four(&self, at: usize) -> Option<u32> {
        let bytes = four(self.data, at)?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Keeps the texts of the directory at a place; gives the place of the directory below it.
    ///
    /// Entries may name the same bytes again and again. Honest files do not, so all their strings together have no
    /// more bytes than the file: that is the `budget`.
    fn directory(
        &self,
        at: Option<usize>,
        budget: &mut usize,
        found: &mut Found,
    ) -> Result<Option<usize>, Stop> {
        let outside = || self.broken(at.unwrap_or(4), "a directory of its EXIF is not in the file");
        let at = at.ok_or_else(outside)?;
        let entries = self.two(at).ok_or_else(outside)?;
        let mut below = None;
        for index in 0..usize::from(entries) {
            let entry = at + 2 + index * ENTRY;
            let (tag, kind) =
                (self.two(entry).ok_or_else(outside)?, self.two(entry + 2).ok_or_else(outside)?);
            match (tag, kind) {
                (EXIF_DIRECTORY, LONG) => below = self.four(entry + 8).map(|at| at as usize),
                (_, ASCII | UNDEFINED) => self.entry(entry, tag, budget, found)?,
                _ => {}
            }
        }
        Ok(below)
    }

    /// Keeps the text of an entry, if it is one of ours.
    fn entry(&self, entry: usize, tag: u16, budget: &mut usize, found: &mut Found) -> Result<(), Stop> {
        let outside = || self.broken(entry, "a string of its EXIF is not in the file");
        let count = self.four(entry + 4).ok_or_else(outside)? as usize;
        // Up to four bytes stand in the entry itself.
        let at = match count {
            0..=4 => entry + 8,
            _ => self.four(entry + 8).ok_or_else(outside)? as usize,
        };
        let bytes = slice(self.data, at, count).ok_or_else(outside)?;
        *budget = budget
            .checked_sub(count)
            .ok_or_else(|| self.broken(entry, "strings of its EXIF lie over each other"))?;
        match self.text(tag, bytes) {
            Some((key, text)) => found.add(key, text),
            None => Ok(()),
        }
    }

    /// The name and the rest of a string that begins with a known name and a colon; JSON goes without a name.
    fn text(&self, tag: u16, bytes: &[u8]) -> Option<(&'static str, String)> {
        let text = match tag {
            USER_COMMENT => self.comment(bytes),
            _ => utf8_or_latin1(bytes),
        };
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if text.starts_with('{') {
            return Some(("", text.to_owned()));
        }
        let (name, rest) = text.split_once(':')?;
        Some((known_key(name.trim().as_bytes())?, rest.trim_start().to_owned()))
    }

    /// A user's comment says in its first eight bytes how it is written.
    fn comment(&self, bytes: &[u8]) -> String {
        match bytes.split_at_checked(8) {
            Some((b"UNICODE\0", text)) => self.utf16(text),
            Some((b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0", text)) => utf8_or_latin1(text),
            _ => utf8_or_latin1(bytes),
        }
    }

    /// UTF-16 in the order that a mark at its beginning says, else the one in which most characters are Latin: some
    /// writers ignore the order of the file.
    fn utf16(&self, bytes: &[u8]) -> String {
        let (pairs, _) = bytes.as_chunks::<2>();
        let zeros = |place: usize| pairs.iter().filter(|pair| pair[place] == 0).count();
        let big_endian = match pairs.first() {
            Some([0xfe, 0xff]) => true,
            Some([0xff, 0xfe]) => false,
            _ => match zeros(0).cmp(&zeros(1)) {
                std::cmp::Ordering::Greater => true,
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => self.big_endian,
            },
        };
        let units = pairs.iter().map(|&pair| match big_endian {
            true => u16::from_be_bytes(pair),
            false => u16::from_le_bytes(pair),
        });
        let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        text.skip_while(|&c| c == '\u{feff}').collect()
    }

    fn broken(&self, at: usize, problem: &'static str) -> Stop {
        Stop::Broken { at: self.start.saturating_add(at.min(self.data.len())), problem }
    }
}
