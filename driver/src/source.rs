//! Programs and plans as files.

use std::fs;
use std::io::Read;
use std::path::Path;

use floe_lang::SourceFile;
use floe_plan::Plan;

use crate::error::DriverError;

/// Sources larger than this are refused.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Whether a path names a plan rather than a program.
pub fn is_plan(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ron")
}

/// Reads a program.
///
/// # Errors
/// If the file cannot be read, is larger than 64 MiB or no text.
pub fn read_source(path: &Path) -> Result<SourceFile, DriverError> {
    let name = path.display().to_string();
    Ok(SourceFile::new(name, read_text(path)?))
}

/// Reads a plan.
///
/// # Errors
/// If the file cannot be read or holds no plan; the plan may still be broken.
pub fn read_plan(path: &Path) -> Result<Plan, DriverError> {
    Plan::from_ron(&read_text(path)?)
        .map_err(|error| DriverError::BadPlan { path: path.display().to_string(), reason: error.to_string() })
}

fn read_text(path: &Path) -> Result<String, DriverError> {
    let shown = || path.display().to_string();
    let unreadable =
        |error: std::io::Error| DriverError::Unreadable { path: shown(), reason: error.to_string() };
    let file = fs::File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    if bytes > LIMIT {
        return Err(DriverError::TooLarge { path: shown(), bytes, limit: LIMIT });
    }
    read_from(file, &shown())
}

/// Reads a text to its end, under the limit: a pipe has no length to ask for.
pub(crate) fn read_from(from: impl Read, name: &str) -> Result<String, DriverError> {
    let path = || name.to_owned();
    let mut text = Vec::new();
    from.take(LIMIT + 1)
        .read_to_end(&mut text)
        .map_err(|error| DriverError::Unreadable { path: path(), reason: error.to_string() })?;
    if text.len() as u64 > LIMIT {
        return Err(DriverError::TooLarge { path: path(), bytes: text.len() as u64, limit: LIMIT });
    }
    String::from_utf8(text).map_err(|_| DriverError::NotText { path: path() })
}
