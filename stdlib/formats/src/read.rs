//! The header of a model file, whatever its container.

use std::io::{self, Read, Seek, SeekFrom};

use thiserror::Error;

use crate::zip::read_at;
use crate::{FormatError, Header, TensorInfo, header_len, pickle};

/// Why a header cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system does not give the bytes.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes are not what they should be.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl Header {
    /// Reads the header of a model file: safetensors, or a pickle of tensors in either of torch's forms. Its weights are
    /// not read.
    ///
    /// # Errors
    /// If the file cannot be read, is no such file, is truncated, or breaks a limit; see [`FormatError`].
    pub fn read(source: &mut (impl Read + Seek)) -> Result<Header, ReadError> {
        let file_bytes = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut first = Vec::new();
        (&mut *source).take(16).read_to_end(&mut first)?;
        if first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06") {
            return pickle::read_archive(source, file_bytes);
        }
        if pickle::is_legacy(&first) {
            return pickle::read_legacy(source, file_bytes);
        }
        if let Some(what) = other(&first) {
            return Err(FormatError::NotTensors { what: what.to_owned() }.into());
        }
        let len = header_len(&first)?;
        source.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        source.take(len).read_to_end(&mut bytes)?;
        Ok(Header::parse(&bytes, file_bytes)?)
    }
}

/// Most bytes of a tensor that is read by itself.
const SMALL: u64 = 16 << 20;

impl TensorInfo {
    /// Reads the values of a small tensor from its file, row-major.
    ///
    /// # Errors
    /// If the file cannot be read or ends before the tensor does, or the tensor has more than 16 MiB or holds no
    /// floating-point numbers.
    pub fn read(&self, source: &mut (impl Read + Seek)) -> Result<Vec<f32>, ReadError> {
        let misfit = |reason: &str| FormatError::BadHeader { reason: reason.to_owned() };
        if self.bytes > SMALL {
            return Err(misfit("the tensor is not small").into());
        }
        let file_bytes = source.seek(SeekFrom::End(0))?;
        let bytes = read_at(source, self.start, self.bytes, file_bytes)?;
        Ok(self.values(&bytes).ok_or_else(|| misfit("the tensor holds no numbers of its shape"))?)
    }
}

/// What a file is that begins so, if it is something that people take for a model, or get instead of one.
fn other(first: &[u8]) -> Option<&'static str> {
    let starts = |with: &[&[u8]]| with.iter().any(|with| first.starts_with(with));
    if starts(&[b"GGUF"]) {
        Some("a GGUF file")
    } else if starts(&[b"<!", b"<html", b"<HTML", b"<?xml"]) {
        Some("a web page (a download that needed a login?)")
    } else if starts(&[b"version https:/"]) {
        Some("a Git LFS pointer, not the file that it points to")
    } else if starts(&[b"\x89PNG", b"\xff\xd8\xff", b"RIFF"]) {
        Some("a picture")
    } else if starts(&[b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b"]) {
        Some("a packed archive")
    } else if first.first() == Some(&0x80) && matches!(first.get(1), Some(2..=5)) {
        Some("a pickle that torch did not write")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let what = |bytes: &[u8]| Header::read(&mut Cursor::new(bytes)).unwrap_err().to_string();
        assert_eq!(what(b"GGUF\x03\0\0\0"), "this is a GGUF file, not a file of tensors that Floe can read");
        assert!(what(b"<!doctype html>").contains("web page"));
        assert!(what(b"version https://git-lfs.github.com/spec/v1").contains("Git LFS pointer"));
        assert!(what(b"\x80\x04\x95\0\0\0\0\0\0\0\0").contains("a pickle that torch did not write"));
        assert!(what(b"").contains("ends after 0 bytes"));
        assert!(what(b"\x10\0\0\0\0\0\0\0{").contains("its header needs 24"));
    }

    #[test]
    fn safetensors_are_read_without_their_weights() {
        let json = br#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#;
        let file = [&(json.len() as u64).to_le_bytes(), json.as_slice(), &[0; 4]].concat();
        assert_eq!(
            Header::read(&mut Cursor::new(&file)).unwrap(),
            Header::parse(&file, file.len() as u64).unwrap()
        );
    }
}
