//! The EXIF of JPEG files.

use super::{Found, Stop, exif, slice, two};

/// The marker of the segment that holds EXIF.
const APP1: u8 = 0xe1;

/// Collects the texts of a JPEG: those of the segments before its pixels.
pub(super) fn read(bytes: &[u8], found: &mut Found) -> Result<(), Stop> {
    // Behind the marker of the beginning.
    let mut at = 2;
    loop {
        let broken = |problem| Stop::Broken { at, problem };
        let ends = || broken("it ends before its pixels");
        match (bytes.get(at).ok_or_else(ends)?, bytes.get(at + 1).ok_or_else(ends)?) {
            // Bytes that fill up stand before a marker.
            (0xff, 0xff) => at += 1,
            // The pixels, or the end.
            (0xff, 0xda | 0xd9) => return Ok(()),
            // Markers without data.
            (0xff, 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, marker) => {
                let len = usize::from(u16::from_be_bytes(two(bytes, at + 2).ok_or_else(ends)?));
                // The length counts itself.
                let data_len = len.checked_sub(2).ok_or_else(|| broken("a segment has no length"))?;
                let data = slice(bytes, at + 4, data_len).ok_or_else(ends)?;
                if *marker == APP1 && data.starts_with(exif::PREFIX) {
                    exif::read(data, at + 4, found)?;
                }
                at += 2 + len;
            }
            _ => return Err(broken("a marker is missing")),
        }
    }
}
