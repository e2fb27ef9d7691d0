//! Files as memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use crate::EngineError;

/// A whole file, mapped read-only.
///
/// Model files are replaced, never rewritten in place. Who shortens one under a running program gets an error where
/// weights are read ([`MappedFile::whole`]); only what is cut off in the moment of reading itself ends the program
/// (SIGBUS), as with every mapped file.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
    file: File,
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
        Ok(Arc::new(MappedFile { map, file }))
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// The file's bytes, after a look whether they are all still there.
    ///
    /// # Errors
    /// If the file has become shorter since it was opened.
    pub fn whole(&self) -> Result<&[u8], EngineError> {
        let mapped = self.map.len() as u64;
        // Who cannot be asked is taken at its word: reading then tells.
        let found = self.file.metadata().map_or(mapped, |metadata| metadata.len());
        if found < mapped { Err(EngineError::Shrunk { mapped, found }) } else { Ok(&self.map) }
    }
}
