//! What must hold for any bytes at all. The targets call this with what a fuzzer makes up, a test of the workspace with
//! the seeds and some changes of them.

use floe_lang::comfy::picture;
use floe_lang::{SourceFile, parse};

/// Unpacked texts of pictures may be this large: small, so that it is reached.
const PICTURE_LIMIT: usize = 1 << 16;

/// Any text parses; what parses without an error is formatted to a text that means the same and stays as it is.
pub fn parser(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = parse(&SourceFile::new("fuzz.flow", text));
    for error in &parsed.errors {
        assert!(!error.to_string().is_empty());
    }
}

/// Any bytes are a picture with a workflow within the limit, or an error with words.
pub fn picture(bytes: &[u8]) {
    match picture::read(bytes, PICTURE_LIMIT) {
        Ok(picture::Embedded::Flow { text, .. } | picture::Embedded::Json { text, .. }) => {
            assert!(!text.is_empty() && text.len() <= PICTURE_LIMIT);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
