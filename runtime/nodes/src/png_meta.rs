//! Texts in PNG files: the workflow and program a picture was made with.

use png::text_metadata::{ITXtChunk, TEXtChunk};
use thiserror::Error;

/// A PNG whose texts cannot be read.
#[derive(Debug, Error)]
pub enum PngTextError {
    /// No PNG, a broken one, or one with texts of more than 64 MiB.
    #[error("the PNG cannot be read: {0}")]
    Decode(#[from] png::DecodingError),
    /// A compressed text is broken.
    #[error("text `{keyword}` of the PNG cannot be unpacked")]
    Text {
        /// Keyword of the text.
        keyword: String,
    },
}

/// A text to store in a PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PngText {
    /// 1 to 79 characters of Latin-1, such as `prompt`, `workflow`, `flow`.
    pub keyword: String,
    /// Any text.
    pub text: String,
}

impl PngText {
    /// A text under a keyword.
    pub fn new(keyword: impl Into<String>, text: impl Into<String>) -> PngText {
        PngText { keyword: keyword.into(), text: text.into() }
    }
}

/// Adds texts before the pixels: `tEXt` where Latin-1 suffices, else uncompressed `iTXt`, as Pillow does.
pub(crate) fn add_texts(info: &mut png::Info<'_>, texts: &[PngText]) {
    for PngText { keyword, text } in texts {
        if text.chars().all(|c| u32::from(c) < 256) {
            info.uncompressed_latin1_text.push(TEXtChunk::new(keyword.as_str(), text.as_str()));
        } else {
            info.utf8_text.push(ITXtChunk::new(keyword.as_str(), text.as_str()));
        }
    }
}

/// All texts that stand before the pixels of a PNG: `tEXt`, then `zTXt`, then `iTXt`. Pixels are not read.
///
/// # Errors
/// [`PngTextError`] for files that are no PNG or broken, and for broken or oversized compressed texts.
pub fn read_texts(bytes: &[u8]) -> Result<Vec<PngText>, PngTextError> {
    let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info()?;
    let info = reader.info();
    let mut texts: Vec<PngText> =
        info.uncompressed_latin1_text.iter().map(|chunk| PngText::new(&chunk.keyword, &chunk.text)).collect();
    let broken = |keyword: &str| PngTextError::Text { keyword: keyword.to_string() };
    for chunk in &info.compressed_latin1_text {
        let text = chunk.get_text().map_err(|_| broken(&chunk.keyword))?;
        texts.push(PngText::new(&chunk.keyword, text));
    }
    for chunk in &info.utf8_text {
        let text = chunk.get_text().map_err(|_| broken(&chunk.keyword))?;
        texts.push(PngText::new(&chunk.keyword, text));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use floe_testing::shared;

    #[test]
    fn texts_of_a_picture_saved_by_comfyui() {
        let bytes = std::fs::read(shared("parity/examples/comfy_png_with_metadata.png")).expect("readable");
        let texts = read_texts(&bytes).expect("reads");
        let prompt = texts.iter().find(|text| text.keyword == "prompt").expect("a prompt");
        assert!(serde_json::from_str::<serde_json::Value>(&prompt.text).expect("JSON").is_object());
        for cut in [0, 5, 20, 60] {
            assert!(read_texts(&bytes[..cut]).is_err());
        }
    }
}
