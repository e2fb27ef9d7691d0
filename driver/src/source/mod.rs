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
    let mut text = Vec::new();
    // A pipe has no length; it is cut at the limit as well.
    file.take(LIMIT + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LIMIT {
        return Err(DriverError::TooLarge { path: shown(), bytes: text.len() as u64, limit: LIMIT });
    }
    String::from_utf8(text).map_err(|_| DriverError::NotText { path: shown() })
}
