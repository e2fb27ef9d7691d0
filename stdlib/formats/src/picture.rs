//! The size of a picture from its header, so that plans know it before a pixel is decoded.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageReader};

use crate::FormatError;

/// Size of a picture as it is shown: after its EXIF orientation is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Whether it has an alpha channel (ComfyUI's mask is then as large as the picture, else 64x64).
    pub alpha: bool,
}

/// Reads the size of a PNG, JPEG or WebP file.
///
/// # Errors
/// If the bytes are no such picture.
pub fn picture_size(bytes: &[u8]) -> Result<PictureSize, FormatError> {
    let bad = |error: image::ImageError| FormatError::BadPicture { reason: error.to_string() };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| FormatError::BadPicture { reason: error.to_string() })?;
    let mut decoder = reader.into_decoder().map_err(bad)?;
    let (width, height) = decoder.dimensions();
    let alpha = decoder.color_type().has_alpha();
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
