//! Model files of a plan: opened, compared with what was planned, their programs rebuilt.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use floe_formats::{Component, Contents, FormatError, Header, ReadError, Role};
use floe_nets::ir::Program;
use floe_nets::{PassSet, ProgramSpec, build_program};
use floe_plan::{Load, Plan};
use floe_tensor::MappedFile;

use crate::error::RunError;

/// Where model files lie.
pub trait Models {
    /// The path of a file in a folder of models, such as `checkpoints`.
    ///
    /// # Errors
    /// In words, if there is none.
    fn path(&self, folder: &str, file: &str) -> Result<PathBuf, String>;
}

/// A model file of a plan.
pub(crate) struct OpenFile {
    pub(crate) map: Arc<MappedFile>,
    contents: Contents,
}

impl OpenFile {
    /// The network of a load.
    pub(crate) fn network(&self, load: &Load) -> Result<&Component, RunError> {
        let what = || RunError::Version { what: format!("a network `{}`", load.part) };
        let role = Role::from_name(&load.part).ok_or_else(what)?;
        self.contents.component(role).ok_or_else(what)
    }
}

/// Opens every file of a plan, each once, and refuses those that are not what was planned.
pub(crate) fn open_all(plan: &Plan, models: &dyn Models) -> Result<Vec<Arc<OpenFile>>, RunError> {
    let mut opened: BTreeMap<(&str, &str), Arc<OpenFile>> = BTreeMap::new();
    plan.loads
        .iter()
        .map(|load| {
            let key = (load.folder.as_str(), load.file.as_str());
            if let Some(file) = opened.get(&key) {
                return Ok(file.clone());
            }
            let file = Arc::new(open(load, models)?);
            opened.insert(key, file.clone());
            Ok(file)
        })
        .collect()
}

fn open(load: &Load, models: &dyn Models) -> Result<OpenFile, RunError> {
    let fail =
        |reason: String| RunError::Open { folder: load.folder.clone(), file: load.file.clone(), reason };
    let format = |error: FormatError| RunError::Format { file: load.file.clone(), error };
    let path = models.path(&load.folder, &load.file).map_err(fail)?;
    let map = MappedFile::open(&path).map_err(|error| fail(error.to_string()))?;
    let header = Header::read(&mut Cursor::new(map.bytes())).map_err(|error| match error {
        ReadError::Io(error) => fail(error.to_string()),
        ReadError::Format(error) => format(error),
    })?;
    if header.hash != load.header
        || Some(header.file_bytes) != load.file_bytes.known().map(|bytes| bytes as u64)
    {
        return Err(RunError::Changed { file: load.file.clone() });
    }
    let contents = Contents::of(&header).map_err(format)?;
    Ok(OpenFile { map, contents })
}

/// Rebuilds the programs of a plan and refuses those that are not what was planned.
pub(crate) fn programs(plan: &Plan, files: &[Arc<OpenFile>]) -> Result<Vec<Arc<Program>>, RunError> {
    plan.programs
        .iter()
        .map(|entry| {
            let file = &files[entry.load.index()];
            let version = |what: &str, name: &str| RunError::Version { what: format!("{what} `{name}`") };
            let spec = ProgramSpec::parse(&entry.spec).ok_or_else(|| version("program", &entry.spec))?;
            let passes = PassSet::parse(&entry.passes).ok_or_else(|| version("passes", &entry.passes))?;
            let name = &plan.loads[entry.load.index()].file;
            let mut program = build_program(spec, &file.contents)
                .map_err(|error| RunError::Network { file: name.clone(), error })?;
            passes.run(&mut program);
            if program.hash() != entry.hash {
                return Err(RunError::Stale { spec: entry.spec.clone() });
            }
            Ok(Arc::new(program))
        })
        .collect()
}
