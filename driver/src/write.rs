//! Files that are written as a whole: whoever reads them sees the old text or the new one.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::DriverError;

/// Replaces the text of a file that exists. Its permissions stay, and where the path is a link, so does the link.
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

/// Writes a file that does not exist yet.
///
/// # Errors
/// If it exists, or its folder cannot be written to.
pub fn create(path: &Path, text: &str) -> Result<(), DriverError> {
    let mut aside = aside(path, None).map_err(|error| unwritable(path, &error))?;
    fill(&mut aside, text).map_err(|error| unwritable(path, &error))?;
    match aside.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(DriverError::Exists { path: path.display().to_string() })
        }
        Err(failed) => Err(unwritable(path, &failed.error)),
    }
}

/// A file beside a place; it is gone when it is dropped. Without permissions, it has those of new files.
fn aside(place: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".floe-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(file)
}

fn fill(file: &mut NamedTempFile, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()
}

/// Writes a file beside its place and renames it.
fn write_aside(place: &Path, text: &str, permissions: Permissions) -> io::Result<()> {
    let mut aside = aside(place, Some(permissions))?;
    fill(&mut aside, text)?;
    aside.persist(place).map(drop).map_err(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_file_that_exists_is_not_created_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.flow");
        create(&file, "old").unwrap();
        assert!(matches!(create(&file, "new"), Err(DriverError::Exists { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert!(matches!(
            create(&folder.path().join("none/a.flow"), "new"),
            Err(DriverError::Unwritable { .. })
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
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
