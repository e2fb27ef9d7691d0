//! Folders as in ComfyUI: `models/{checkpoints,loras,…}`, `input`, `output`. Answers what the compiler asks of the
//! world, and finds the files that a run opens. No name leads out of its folder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use floe_formats::{Contents, Header, PictureSize, ReadError, picture_size};
use floe_runtime::Models;
use floe_stdlib::{FileError, ModelFile, World};

use crate::source::read_text;

/// Folders deeper than this are not searched for names to suggest.
const DEPTH: usize = 8;

/// Endings of the names of model files.
const ENDINGS: [&str; 6] = [".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin"];

/// Former names of folders, which installations still have.
const FORMER: [(&str, &str); 2] = [("unet", "diffusion_models"), ("clip", "text_encoders")];

/// Pictures of more bytes than this are refused unread.
const PICTURE_LIMIT: u64 = 1 << 30;

/// Where models, pictures and results lie.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Folders of models; the first that has a file wins.
    pub models: Vec<PathBuf>,
    /// Folders of pictures to read; the first that has a file wins.
    pub input: Vec<PathBuf>,
    /// Where results go.
    pub output: PathBuf,
    /// The folder of the program, below which the files lie that it uses.
    pub program: Option<PathBuf>,
    /// Whether models and pictures are not looked at: what depends on them is not known then.
    pub unseen: bool,
    /// The size of pictures that are not looked at, where one is assumed.
    pub assumed: Option<PictureSize>,
    /// Headers read so far.
    headers: RefCell<BTreeMap<(String, String), Arc<ModelFile>>>,
    /// Sizes of pictures read so far: the compiler asks before and after its passes, and must hear the same.
    sizes: RefCell<BTreeMap<String, PictureSize>>,
}

impl Folders {
    /// Folders to read models and pictures from, and one for results.
    pub fn new(models: Vec<PathBuf>, input: Vec<PathBuf>, output: PathBuf) -> Folders {
        let (headers, sizes) = (RefCell::default(), RefCell::default());
        Folders { models, input, output, program: None, unseen: false, assumed: None, headers, sizes }
    }

    /// The usual folders of a program: `models` and `input` in the current folder and beside the program, `output` in
    /// the current folder.
    pub fn of(program: &Path) -> Folders {
        let beside = program.parent().unwrap_or(Path::new("")).to_path_buf();
        let both = |name: &str| {
            let mut folders = vec![PathBuf::from(name), beside.join(name)];
            folders.dedup();
            folders
        };
        let folders = Folders::new(both("models"), both("input"), "output".into());
        Folders { program: Some(beside), ..folders }
    }

    fn find(&self, roots: &[PathBuf], folder: &str, name: &str) -> Result<PathBuf, FileError> {
        let relative = Path::new(name);
        if name.is_empty() || !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(FileError::Outside { folder: folder.to_owned(), name: name.to_owned() });
        }
        let found = roots.iter().map(|root| root.join(relative)).find(|path| path.is_file());
        found.ok_or_else(|| {
            let mut available: Vec<String> = roots.iter().flat_map(|root| names(root)).collect();
            available.sort();
            available.dedup();
            let searched = roots.iter().map(|root| root.display().to_string()).collect();
            FileError::Missing { folder: folder.to_owned(), name: name.to_owned(), available, searched }
        })
    }

    fn model_path(&self, folder: &str, name: &str) -> Result<PathBuf, FileError> {
        let names =
            [folder].into_iter().chain(FORMER.iter().filter(|(_, now)| *now == folder).map(|(old, _)| *old));
        let names: Vec<&str> = names.collect();
        let places = self.models.iter().flat_map(|models| names.iter().map(|name| models.join(name)));
        let roots: Vec<PathBuf> = places.collect();
        self.find(&roots, folder, name)
    }

    /// All files in folders of models that are named like models: folder, name, path. Of those with the same name the
    /// first counts, as it does where it is loaded.
    pub(crate) fn model_files(&self) -> Vec<(String, String, PathBuf)> {
        let mut files = BTreeMap::new();
        for root in &self.models {
            for found in names(root) {
                let is_model = ENDINGS.iter().any(|ending| found.to_ascii_lowercase().ends_with(ending));
                let Some((folder, name)) = found.split_once('/').filter(|_| is_model) else { continue };
                files.entry((folder.to_owned(), name.to_owned())).or_insert_with(|| root.join(&found));
            }
        }
        files.into_iter().map(|((folder, name), path)| (folder, name, path)).collect()
    }

    /// The path of a picture in an `input` folder.
    pub(crate) fn picture_path(&self, name: &str) -> Result<PathBuf, FileError> {
        self.find(&self.input, "input", name)
    }
}

impl World for Folders {
    fn model(&self, folder: &str, name: &str) -> Result<Arc<ModelFile>, FileError> {
        if self.unseen {
            return Err(not_asked(folder, name));
        }
        let key = (folder.to_owned(), name.to_owned());
        if let Some(file) = self.headers.borrow().get(&key) {
            return Ok(file.clone());
        }
        let path = self.model_path(folder, name)?;
        let (header, contents) = read_model(&path).map_err(|error| match error {
            ReadError::Io(error) => {
                FileError::Unreadable { name: name.to_owned(), reason: error.to_string() }
            }
            ReadError::Format(error) => FileError::Format { name: name.to_owned(), error },
        })?;
        let file = Arc::new(ModelFile { folder: folder.to_owned(), name: name.to_owned(), header, contents });
        self.headers.borrow_mut().insert(key, file.clone());
        Ok(file)
    }

    fn picture(&self, name: &str) -> Result<PictureSize, FileError> {
        if self.unseen {
            return self.assumed.ok_or_else(|| not_asked("input", name));
        }
        if let Some(&size) = self.sizes.borrow().get(name) {
            return Ok(size);
        }
        let path = self.picture_path(name)?;
        let bytes = read_picture(&path)
            .map_err(|error| FileError::Unreadable { name: name.to_owned(), reason: error.to_string() })?;
        let size =
            picture_size(&bytes).map_err(|error| FileError::Format { name: name.to_owned(), error })?;
        self.sizes.borrow_mut().insert(name.to_owned(), size);
        Ok(size)
    }

    fn source(&self, path: &str) -> Result<String, FileError> {
        let outside = || FileError::Outside { folder: ".".to_owned(), name: path.to_owned() };
        let roots: Vec<PathBuf> = self.program.iter().cloned().collect();
        let found = self.find(&roots, ".", path)?;
        // A link may lead anywhere: what counts is where the file really lies.
        let real =
            |path: &Path| fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path });
        match (real(&found), roots.first().map(|root| real(root))) {
            (Ok(file), Some(Ok(root))) if file.starts_with(&root) => {}
            _ => return Err(outside()),
        }
        read_text(&found)
            .map_err(|error| FileError::Unreadable { name: path.to_owned(), reason: error.to_string() })
    }
}

fn not_asked(folder: &str, name: &str) -> FileError {
    FileError::NotAsked { folder: folder.to_owned(), name: name.to_owned() }
}

impl Models for Folders {
    fn path(&self, folder: &str, file: &str) -> Result<PathBuf, String> {
        self.model_path(folder, file).map_err(|error| error.to_string())
    }
}

/// The bytes of a picture, unless there are absurdly many.
pub(crate) fn read_picture(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(PICTURE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PICTURE_LIMIT {
        return Err(std::io::Error::other("the file is larger than 1 GiB"));
    }
    Ok(bytes)
}

/// Reads the header of a model file, and of its weights only those that tell what it is.
fn read_model(path: &Path) -> Result<(Header, Contents), ReadError> {
    let mut file = fs::File::open(path)?;
    let header = Header::read(&mut file)?;
    let mut contents = Contents::of(&header)?;
    contents.measure(|tensor| tensor.read(&mut file))?;
    Ok((header, contents))
}

/// All files below a folder, by their names relative to it, with `/` between.
fn names(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(root.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEPTH => {
                    open.push((entry.path(), format!("{name}/"), depth + 1));
                }
                Ok(kind) if !kind.is_dir() => found.push(name),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models_in(folder: PathBuf) -> Folders {
        Folders::new(vec![folder], Vec::new(), "output".into())
    }

    #[test]
    fn no_name_leads_out_of_its_folder() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("models/checkpoints")).unwrap();
        fs::write(root.path().join("secret"), "x").unwrap();
        let folders = models_in(root.path().join("models"));
        for name in ["../../secret", "/etc/passwd", "", "a/../../../secret"] {
            let error = World::model(&folders, "checkpoints", name).unwrap_err();
            assert!(matches!(error, FileError::Outside { .. }), "{name}: {error}");
        }
    }

    #[test]
    fn used_files_lie_below_the_folder_of_the_program() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("program");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(root.path().join("secret.flow"), "x").unwrap();
        fs::write(folder.join("sub/styles.flow"), "edition 1\n").unwrap();
        let folders = Folders::of(&folder.join("main.flow"));
        assert_eq!(folders.source("sub/styles.flow").as_deref(), Ok("edition 1\n"));
        assert!(matches!(folders.source("../secret.flow"), Err(FileError::Outside { .. })));
        assert!(matches!(folders.source("style.flow"), Err(FileError::Missing { .. })));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path().join("secret.flow"), folder.join("link.flow")).unwrap();
            assert!(matches!(folders.source("link.flow"), Err(FileError::Outside { .. })));
        }
    }

    #[test]
    fn a_missing_file_knows_its_neighbours() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("models/checkpoints/sd1");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.safetensors"), "x").unwrap();
        let folders = models_in(root.path().join("models"));
        match World::model(&folders, "checkpoints", "b.safetensors").unwrap_err() {
            FileError::Missing { available, .. } => assert_eq!(available, ["sd1/a.safetensors"]),
            other => panic!("{other}"),
        }
    }

    /// A picture that vanishes between the compiler's two questions must not be two answers.
    #[test]
    fn what_was_said_of_a_picture_stays_said() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.png");
        // A PNG's header is all that is read: 8x4 pixels, RGB.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x04\x08\x02\0\0\0".to_vec();
        png.extend([0x3c, 0xaf, 0xe9, 0xa7]);
        png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        fs::write(&path, png).unwrap();
        let folders = Folders::new(Vec::new(), vec![root.path().to_path_buf()], "output".into());
        let first = folders.picture("a.png").unwrap();
        assert_eq!((first.width, first.height), (8, 4));
        fs::remove_file(&path).unwrap();
        assert_eq!(folders.picture("a.png").unwrap(), first);
    }

    #[test]
    fn a_file_that_is_no_model_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("checkpoints");
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in [
            ("empty", &b""[..]),
            ("short", b"abc"),
            ("text", b"this is some text"),
            ("zip", b"PK\x03\x04\0\0\0\0\0"),
        ] {
            fs::write(folder.join(name), bytes).unwrap();
            let folders = models_in(root.path().to_path_buf());
            let error = World::model(&folders, "checkpoints", name).unwrap_err();
            assert!(matches!(error, FileError::Format { .. }), "{name}: {error}");
        }
    }
}
