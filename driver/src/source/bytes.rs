//! The bytes of a file or of standard input, up to a limit.

use std::fs;
use std::io::{Read, stdin};
use std::path::Path;

use super::STDIN;
use crate::error::DriverError;

/// Sources larger than this are refused unless the caller allows more.
pub const DEFAULT_LIMIT: u64 = 64 * 1024 * 1024;

/// What messages call a file.
pub(crate) fn name(path: &Path) -> String {
    match path.to_str() {
        Some(STDIN) => "<stdin>".to_owned(),
        _ => path.display().to_string(),
    }
}

/// Reads a file, or standard input for `-`.
pub(super) fn read_given(path: &Path, limit: u64) -> Result<Vec<u8>, DriverError> {
    match path == Path::new(STDIN) {
        true => take(stdin().lock(), path, limit),
        false => read(path, limit),
    }
}

/// Reads a file.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, DriverError> {
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let bytes = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    if bytes > limit {
        return Err(DriverError::TooLarge { path: name(path), bytes, limit });
    }
    take(file, path, limit)
}

/// A pipe has no length: it is cut at the limit.
fn take(reader: impl Read, path: &Path, limit: u64) -> Result<Vec<u8>, DriverError> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    match bytes.len() as u64 {
        len if len > limit => Err(DriverError::TooLarge { path: name(path), bytes: len, limit }),
        _ => Ok(bytes),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> DriverError {
    DriverError::Unreadable { path: name(path), reason: error.to_string() }
}
