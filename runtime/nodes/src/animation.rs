//! Pictures that follow one another in one file: animated PNG and WebP.

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::image_io::{SaveError, picture_info, to_byte};
use crate::png_meta::{PngText, add_texts};

/// Longest side of a picture in a WebP file.
const WEBP_SIDE: usize = 16383;

/// Longest time of a picture in a WebP file, in milliseconds: 24 bits.
const WEBP_TIME: u32 = (1 << 24) - 1;

/// The pictures of an animation: bytes one after the other.
struct Frames {
    bytes: Vec<u8>,
    /// Bytes of one.
    len: usize,
}

fn frames(pixels: &[f32], [width, height, channels]: [usize; 3]) -> Result<Frames, SaveError> {
    let bad = || SaveError::Size { width, height, len: pixels.len() };
    let len = width.checked_mul(height).and_then(|len| len.checked_mul(channels)).ok_or_else(bad)?;
    if len == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(len) {
        return Err(bad());
    }
    Ok(Frames { bytes: pixels.iter().map(|&value| to_byte(value)).collect(), len })
}

/// Encodes pictures of `[width, height, channels]`, each shown for some milliseconds, again and again. `level` is the
/// effort of compression, 0 to 9.
///
/// # Errors
/// [`SaveError::Size`] and [`SaveError::Encode`].
pub fn encode_animated_png(
    pixels: &[f32],
    size: [usize; 3],
    milliseconds: u32,
    level: u8,
    texts: &[PngText],
) -> Result<Vec<u8>, SaveError> {
    let Frames { bytes, len } = frames(pixels, size)?;
    let mut info = picture_info(size, pixels.len())?;
    add_texts(&mut info, texts);
    let mut out = Vec::new();
    let mut encoder = png::Encoder::with_info(&mut out, info)?;
    let count = u32::try_from(bytes.len() / len).unwrap_or(u32::MAX);
    if count > 1 {
        encoder.set_animated(count, 0)?;
        // Numerator and denominator have 16 bits.
        let (numerator, denominator) = match u16::try_from(milliseconds) {
            Ok(time) => (time, 1000),
            Err(_) => (u16::try_from(milliseconds / 1000).unwrap_or(u16::MAX), 1),
        };
        encoder.set_frame_delay(numerator, denominator)?;
    }
    encoder.set_deflate_compression(match level {
        0 => png::DeflateCompression::NoCompression,
        level => png::DeflateCompression::Level(level.min(9)),
    });
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    for frame in bytes.chunks_exact(len) {
        writer.write_image_data(frame)?;
    }
    writer.finish()?;
    Ok(out)
}

/// Encodes pictures of `[width, height, channels]` without loss, each shown for some milliseconds, again and again.
///
/// # Errors
/// [`SaveError::Size`] beyond 16383 pixels a side, and [`SaveError::Webp`].
pub fn encode_animated_webp(
    pixels: &[f32],
    size @ [width, height, channels]: [usize; 3],
    milliseconds: u32,
) -> Result<Vec<u8>, SaveError> {
    let Frames { bytes, len } = frames(pixels, size)?;
    if width.max(height) > WEBP_SIDE {
        return Err(SaveError::Size { width, height, len: pixels.len() });
    }
    let color = match channels {
        1 => ExtendedColorType::L8,
        3 => ExtendedColorType::Rgb8,
        4 => ExtendedColorType::Rgba8,
        _ => return Err(SaveError::Size { width, height, len: pixels.len() }),
    };
    let sides = [width, height].map(|side| little(side as u32 - 1));
    let mut body = b"WEBP".to_vec();
    // Flags: an animation, with alpha where there are four channels.
    let flags = if channels == 4 { 0x12 } else { 0x02 };
    chunk(&mut body, b"VP8X", &[&[flags, 0, 0, 0], sides.as_flattened()].concat());
    // No background; as many rounds as one likes.
    chunk(&mut body, b"ANIM", &[0; 6]);
    for frame in bytes.chunks_exact(len) {
        let mut still = Vec::new();
        let encoder = WebPEncoder::new_lossless(&mut still);
        encoder.write_image(frame, width as u32, height as u32, color).map_err(SaveError::Webp)?;
        // Place, size, time; nothing is blended, nothing is cleared.
        let mut data = [[0; 3], [0; 3], sides[0], sides[1], little(milliseconds.min(WEBP_TIME))].concat();
        data.push(0x02);
        chunk(&mut data, b"VP8L", lossless(&still).unwrap_or_default());
        chunk(&mut body, b"ANMF", &data);
    }
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(body.len()).map_err(|_| SaveError::Size { width, height, len })?.to_le_bytes());
    file.append(&mut body);
    Ok(file)
}

/// The lower three bytes of a number, the lowest first.
fn little(number: u32) -> [u8; 3] {
    let [a, b, c, _] = number.to_le_bytes();
    [a, b, c]
}

/// A name, a length, the data, and a zero if that is odd.
fn chunk(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    out.extend(name);
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.extend((data.len() % 2 == 1).then_some(0));
}

/// The pixels of a still picture: the data of its chunk `VP8L`.
fn lossless(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let len = u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
        if rest.starts_with(b"VP8L") {
            return rest.get(8..8 + len);
        }
        rest = rest.get(8 + len.next_multiple_of(2)..)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::AnimationDecoder;

    use super::*;

    /// Three pictures of 3x2 pixels, each of one level.
    fn three(channels: usize) -> Vec<f32> {
        [0.0, 0.5, 1.0].iter().flat_map(|&level| vec![level; 6 * channels]).collect()
    }

    #[test]
    fn an_animated_png_has_its_frames_and_times() {
        let file = encode_animated_png(&three(3), [3, 2, 3], 166, 4, &[]).expect("encodes");
        let decoder = image::codecs::png::PngDecoder::new(Cursor::new(&file)).expect("a PNG");
        let frames = decoder.apng().expect("animated").into_frames().collect_frames().expect("frames");
        let levels: Vec<u8> = frames.iter().map(|frame| frame.buffer().get_pixel(2, 1).0[0]).collect();
        assert_eq!(levels, [0, 127, 255]);
        assert_eq!(frames[0].delay().numer_denom_ms().0 / frames[0].delay().numer_denom_ms().1, 166);
    }

    #[test]
    fn an_animated_webp_has_its_frames_and_times() {
        for channels in [3, 4] {
            let file = encode_animated_webp(&three(channels), [3, 2, channels], 166).expect("encodes");
            let decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(&file)).expect("a WebP");
            let frames = decoder.into_frames().collect_frames().expect("frames");
            let levels: Vec<u8> = frames.iter().map(|frame| frame.buffer().get_pixel(2, 1).0[1]).collect();
            assert_eq!(levels, [0, 127, 255]);
            let (numerator, denominator) = frames[2].delay().numer_denom_ms();
            assert_eq!(numerator / denominator, 166);
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_errors() {
        assert!(encode_animated_png(&[0.0; 7], [1, 2, 3], 10, 4, &[]).is_err());
        assert!(encode_animated_webp(&[], [1, 2, 3], 10).is_err());
        assert!(encode_animated_webp(&[0.0; 3 * 16384], [16384, 1, 3], 10).is_err());
    }
}
