//! The EXIF of WebP files, animated or not.

use super::{Found, Stop, exif, four, slice};

/// `RIFF`, the size of the file, `WEBP`.
const HEADER: usize = 12;

/// Collects the texts of a WebP. The size in its header is not looked at: some writers leave a wrong one.
pub(super) fn read(bytes: &[u8], found: &mut Found) -> Result<(), Stop> {
    let mut at = HEADER;
    while at < bytes.len() {
        let (kind, data) =
            chunk(bytes, at).ok_or(Stop::Broken { at, problem: "it ends in the middle of a chunk" })?;
        if kind == *b"EXIF" {
            exif::read(data, at + 8, found)?;
        }
        // Chunks begin at even places.
        at += 8 + data.len().next_multiple_of(2);
    }
    Ok(())
}

/// Kind and data of the chunk at a place.
fn chunk(bytes: &[u8], at: usize) -> Option<([u8; 4], &[u8])> {
    let kind = four(bytes, at)?;
    let len = u32::from_le_bytes(four(bytes, at + 4)?) as usize;
    Some((kind, slice(bytes, at + 8, len)?))
}
