//! Files as memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

/// A whole file, mapped read-only.
///
/// Model files are replaced, never rewritten in place: who truncates one under a running program ends it (SIGBUS),
/// as with every mapped file.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
}

impl MappedFile {
    /// Maps a file.
    ///
    /// # Errors
    /// If it cannot be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Arc<MappedFile>> {
        let file = File::open(path)?;
        // SAFETY: the map is private and read-only. That nobody writes into the file meanwhile is the rule above.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Arc::new(MappedFile { map }))
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}
