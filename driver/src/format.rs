//! Programs in the one style, and files that are replaced as a whole.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use floe_lang::SourceFile;

use crate::compile::{Failure, syntax};
use crate::error::DriverError;
use crate::source::read_from;

/// The text of a program in the one style.
///
/// # Errors
/// All syntax errors: a program that is not understood is left alone.
pub fn format(source: &SourceFile) -> Result<String, Failure> {
    let parsed = floe_lang::parse(source);
    if parsed.errors.is_empty() {
        Ok(floe_lang::format(&parsed.ast))
    } else {
        Err(syntax(source, parsed.errors))
    }
}

/// Reads a program from standard input.
///
/// # Errors
/// If it cannot be read, is larger than 64 MiB or no text.
pub fn read_stdin() -> Result<SourceFile, DriverError> {
    let name = "<stdin>";
    Ok(SourceFile::new(name, read_from(io::stdin().lock(), name)?))
}

/// Replaces the text of a file that exists: whoever reads it sees the old text or the new one. Its permissions stay,
/// and where the path is a link, so does the link.
///
/// # Errors
/// If the file is read-only or its folder cannot be written to.
pub fn replace(path: &Path, text: &str) -> Result<(), DriverError> {
    let place = fs::canonicalize(path).map_err(|error| unwritable(path, &error))?;
    let permissions = fs::metadata(&place).map_err(|error| unwritable(path, &error))?.permissions();
    if permissions.readonly() {
        return Err(unwritable(path, &io::Error::from(io::ErrorKind::PermissionDenied)));
    }
    write_aside(&place, text, permissions).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> DriverError {
    DriverError::Unwritable { path: path.display().to_string(), reason: error.to_string() }
}

/// Writes a file beside its place and renames it; the name is gone when it fails.
fn write_aside(place: &Path, text: &str, permissions: Permissions) -> io::Result<()> {
    let folder = place.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut aside = tempfile::Builder::new().prefix(".floe-").suffix(".tmp").tempfile_in(folder)?;
    aside.write_all(text.as_bytes())?;
    aside.as_file().set_permissions(permissions)?;
    aside.as_file().sync_all()?;
    aside.persist(place).map(drop).map_err(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_errors_is_left_alone() {
        let failure = format(&SourceFile::new("a.flow", "let x = (1\n")).unwrap_err();
        assert_eq!((failure.errors, failure.machine), (1, false));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_behind_its_link_and_keeps_its_permissions() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.flow"), folder.path().join("link.flow"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    #[test]
    fn a_read_only_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.flow");
        fs::write(&file, "old").unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        assert!(matches!(replace(&file, "new"), Err(DriverError::Unwritable { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    }
}
