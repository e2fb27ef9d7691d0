//! Workflows inside pictures, as people share them: text chunks of PNG, EXIF of WebP and JPEG.
//!
//! Nothing of the pixels is read. Every length is checked against the bytes that are there, what unpacks is limited,
//! and the work is linear in the size of the file.

mod error;
mod exif;
mod jpeg;
mod png;
#[cfg(test)]
mod tests;
mod webp;

pub use error::{CODES, PictureError};

/// Names that workflows go by inside pictures. The first two are ours, the others are ComfyUI's.
pub mod keys {
    /// The text of a `.flow` file.
    pub const FLOW: &str = "flow";
    /// What the params of that file were bound to, one `name = value` per line.
    pub const FLOW_PARAMS: &str = "flow_params";
    /// A workflow as the editor stores it.
    pub const WORKFLOW: &str = "workflow";
    /// A workflow as the server was asked to run it.
    pub const PROMPT: &str = "prompt";
}

/// So many names of other texts are worth telling.
const NAMES_SHOWN: usize = 8;

/// How a picture is stored, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// PNG, animated or not.
    Png,
    /// WebP, animated or not.
    Webp,
    /// JPEG.
    Jpeg,
    /// Something else, by the name that people know it by: no workflow is looked for in it.
    Other(&'static str),
}

impl PictureKind {
    /// What the first bytes of a file say; `None` for what is no picture, film or sound that is known here.
    pub fn of(bytes: &[u8]) -> Option<PictureKind> {
        if bytes.starts_with(png::SIGNATURE) {
            return Some(PictureKind::Png);
        }
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            return Some(PictureKind::Jpeg);
        }
        if bytes.starts_with(b"RIFF") {
            return Some(match bytes.get(8..12) {
                Some(b"WEBP") => PictureKind::Webp,
                _ => PictureKind::Other("RIFF"),
            });
        }
        if bytes.get(4..8) == Some(b"ftyp") {
            return Some(PictureKind::Other(match bytes.get(8..12) {
                Some(b"avif" | b"avis") => "AVIF",
                Some(b"heic" | b"heix" | b"mif1" | b"msf1") => "HEIF",
                _ => "MP4",
            }));
        }
        let others: [(&[u8], &str); 11] = [
            (b"GIF8", "GIF"),
            (b"BM", "BMP"),
            (b"II*\0", "TIFF"),
            (b"MM\0*", "TIFF"),
            (b"\0\0\0\x0cJXL ", "JPEG XL"),
            (b"\xff\x0a", "JPEG XL"),
            (b"\x1a\x45\xdf\xa3", "WebM"),
            (b"fLaC", "FLAC"),
            (b"ID3", "MP3"),
            (b"OggS", "Ogg"),
            (b"glTF", "glTF"),
        ];
        // `BM` may begin a text; a BMP goes on with four bytes of size and four of zero.
        let found = others.into_iter().find(|(magic, _)| bytes.starts_with(magic))?;
        let real = found.1 != "BMP" || bytes.get(6..10) == Some(&[0; 4]);
        real.then_some(PictureKind::Other(found.1))
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            PictureKind::Png => "PNG",
            PictureKind::Webp => "WebP",
            PictureKind::Jpeg => "JPEG",
            PictureKind::Other(name) => name,
        }
    }
}

/// A text that a picture carries, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureText {
    /// Its name in lower case, such as `workflow`; empty for JSON without one.
    pub key: String,
    /// The text.
    pub text: String,
}

/// The workflow of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Embedded {
    /// The text of a `.flow` file, and the values of its params where they are there too.
    Flow {
        /// The program.
        text: String,
        /// Lines `name = value`.
        params: Option<String>,
    },
    /// JSON of ComfyUI's editor or server.
    Json {
        /// The name that it goes by: `workflow`, `prompt`, or nothing.
        key: &'static str,
        /// The JSON.
        text: String,
    },
}

/// Reads the workflow of a picture: the `.flow` source if there is one, else the editor's workflow, else the
/// server's prompt. Texts that unpack to more than `limit` bytes are refused.
///
/// # Errors
/// For kinds of files that are not read, for pictures without a workflow, and for those that are damaged before their
/// workflow. Damage behind it does not matter.
pub fn read(bytes: &[u8], limit: usize) -> Result<Embedded, PictureError> {
    let kind = PictureKind::of(bytes).unwrap_or(PictureKind::Other("unknown"));
    let mut found = Found { texts: Vec::new(), left: limit };
    let end = match kind {
        PictureKind::Png => png::read(bytes, &mut found),
        PictureKind::Webp => webp::read(bytes, &mut found),
        PictureKind::Jpeg => jpeg::read(bytes, &mut found),
        PictureKind::Other(name) => return Err(PictureError::UnsupportedPicture { kind: name }),
    };
    match (choose(found.texts), end) {
        (Ok(embedded), _) => Ok(embedded),
        (Err(_), Err(Stop::TooLarge { key })) => Err(PictureError::TextTooLarge { key, limit }),
        (Err(_), Err(Stop::Broken { at, problem })) => {
            Err(PictureError::BrokenPicture { kind: kind.name(), at, problem })
        }
        (Err(keys), Ok(())) => Err(PictureError::NoWorkflow { kind: kind.name(), keys }),
    }
}

/// The best text, or the names of all where none will do.
fn choose(mut texts: Vec<PictureText>) -> Result<Embedded, Vec<String>> {
    // Tools that save a picture again append theirs: the last of a name is the current one.
    let mut take = |key: &str| {
        let at = texts.iter().rposition(|text| text.key == key && !is_empty(&text.text))?;
        Some(texts.swap_remove(at).text)
    };
    let params = take(keys::FLOW_PARAMS);
    if let Some(text) = take(keys::FLOW) {
        return Ok(Embedded::Flow { text, params });
    }
    for key in [keys::WORKFLOW, keys::PROMPT, ""] {
        if let Some(text) = take(key) {
            return Ok(Embedded::Json { key, text });
        }
    }
    let mut names: Vec<String> =
        texts.into_iter().map(|text| text.key).filter(|key| !key.is_empty()).collect();
    names.sort();
    names.dedup();
    names.truncate(NAMES_SHOWN);
    Err(names)
}

/// Whether a text says nothing: some tools store what they do not know as `null` or `{}`.
fn is_empty(text: &str) -> bool {
    matches!(text.trim(), "" | "null" | "{}" | "undefined")
}

/// Why the search ended before the end of the file.
#[derive(Debug)]
enum Stop {
    /// A text unpacks to too much.
    TooLarge { key: String },
    /// The file is not what its kind demands.
    Broken { at: usize, problem: &'static str },
}

/// The texts found so far, and how many bytes more are allowed.
#[derive(Debug)]
struct Found {
    texts: Vec<PictureText>,
    left: usize,
}

impl Found {
    /// How many bytes further texts may have in all.
    fn left(&self) -> usize {
        self.left
    }

    /// Keeps a text, if the limit allows it.
    fn add(&mut self, key: &str, text: String) -> Result<(), Stop> {
        match self.left.checked_sub(text.len()) {
            Some(left) => self.left = left,
            None => return Err(Stop::TooLarge { key: key.to_owned() }),
        }
        self.texts.push(PictureText { key: key.to_owned(), text });
        Ok(())
    }
}

/// The name that ComfyUI or Floe gives to something, if `name` is one in any case: some tools write `Workflow`.
fn known_key(name: &[u8]) -> Option<&'static str> {
    let known = [keys::FLOW, keys::FLOW_PARAMS, keys::WORKFLOW, keys::PROMPT];
    known.into_iter().find(|key| name.eq_ignore_ascii_case(key.as_bytes()))
}

/// A text in UTF-8 where it is one, else in Latin-1, which any bytes are.
fn utf8_or_latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => latin1(bytes),
    }
}

/// A text in Latin-1.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// `bytes[at..at + len]`, if it is there.
fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// The four bytes at a place.
fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    slice(bytes, at, 4)?.try_into().ok()
}

/// The two bytes at a place.
fn two(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    slice(bytes, at, 2)?.try_into().ok()
}
