//! The size of a picture from its header, so that plans know it before a pixel is decoded.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageReader};

use crate::FormatError;

/// Most pixels of width, and of height, that are decoded.
pub const PICTURE_SIDE: u32 = 16384;

/// Most bytes of decoded pixels, in the file's own precision.
pub const PICTURE_BYTES: u64 = 1 << 30;

/// Size of a picture as it is shown: after its EXIF orientation is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Whether it has an alpha channel (ComfyUI's mask is then as large as the picture, else 64x64). A colour that a
    /// PNG without such a channel declares transparent does not count.
    pub alpha: bool,
}

/// Reads the size of a PNG, JPEG or WebP file.
///
/// # Errors
/// If the bytes are no such picture, or one that is too large to be decoded.
pub fn picture_size(bytes: &[u8]) -> Result<PictureSize, FormatError> {
    let bad = |error: image::ImageError| FormatError::BadPicture { reason: error.to_string() };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| FormatError::BadPicture { reason: error.to_string() })?;
    let mut decoder = reader.into_decoder().map_err(bad)?;
    let (width, height) = decoder.dimensions();
    if width > PICTURE_SIDE || height > PICTURE_SIDE || decoder.total_bytes() > PICTURE_BYTES {
        return Err(FormatError::LargePicture { width: width as usize, height: height as usize });
    }
    // The colour type is the tenth byte of a PNG's header: 0 grey, 2 RGB.
    let keyed = bytes.starts_with(b"\x89PNG") && matches!(bytes.get(25), Some(0 | 2));
    let alpha = decoder.color_type().has_alpha() && !keyed;
    // A damaged EXIF block is ignored, as every viewer does.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (width, height) = if turned { (height, width) } else { (width, height) };
    Ok(PictureSize { width: width as usize, height: height as usize, alpha })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG header alone, of 30,000 x 30,000 pixels: refused before a byte of pixels is looked at.
    #[test]
    fn absurdly_large_pictures_are_refused_by_their_header() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0]);
        png.extend([0xe9, 0x45, 0x6f, 0xed]);
        png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        let error = picture_size(&png).unwrap_err();
        assert_eq!(error, FormatError::LargePicture { width: 30_000, height: 30_000 });
    }

    #[test]
    fn text_is_no_picture() {
        assert!(matches!(picture_size(b"hello").unwrap_err(), FormatError::BadPicture { .. }));
    }
}
