//! Model files of a plan: opened, compared with what was planned, their programs rebuilt.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use floe_formats::{Component, Contents, FormatError, Header, Module, ReadError, Role};
use floe_nets::ir::Program;
use floe_nets::{PassSet, ProgramSpec, build_program};
use floe_plan::{FileRef, Load, Patch, Plan};
use floe_tensor::{Change, MappedFile, Patched};

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
    header: Arc<Header>,
    contents: Contents,
}

impl OpenFile {
    /// The network of a load.
    pub(crate) fn network(&self, load: &Load) -> Result<&Component, RunError> {
        self.part(&load.part)
    }

    fn part(&self, part: &str) -> Result<&Component, RunError> {
        let what = || RunError::Version { what: format!("a network `{part}`") };
        let role = Role::from_name(part).ok_or_else(what)?;
        self.contents.component(role).ok_or_else(what)
    }
}

/// Every file of a plan, and each network that patches change.
pub(crate) struct Opened {
    /// The file of each load.
    pub(crate) files: Vec<Arc<OpenFile>>,
    /// Each load as it is to be prepared; none where its weights are those of the file.
    pub(crate) patched: Vec<Option<Patched>>,
}

/// Opens every file of a plan, each once, and refuses those that are not what was planned.
pub(crate) fn open_all(plan: &Plan, models: &dyn Models) -> Result<Opened, RunError> {
    let mut opener = Opener { models, opened: BTreeMap::new() };
    let (mut files, mut patched) = (Vec::new(), Vec::new());
    for load in &plan.loads {
        let file = opener.open(&FileRef {
            folder: load.folder.clone(),
            file: load.file.clone(),
            header: load.header.clone(),
            file_bytes: load.file_bytes,
        })?;
        let network = (!load.patches.is_empty()).then(|| opener.patched(&file, &load.part, &load.patches));
        patched.push(network.transpose()?);
        files.push(file);
    }
    Ok(Opened { files, patched })
}

struct Opener<'a> {
    models: &'a dyn Models,
    opened: BTreeMap<(String, String), Arc<OpenFile>>,
}

impl Opener<'_> {
    fn open(&mut self, file: &FileRef) -> Result<Arc<OpenFile>, RunError> {
        let key = (file.folder.clone(), file.file.clone());
        if let Some(open) = self.opened.get(&key) {
            return Ok(open.clone());
        }
        let open = Arc::new(open(file, self.models)?);
        self.opened.insert(key, open.clone());
        Ok(open)
    }

    /// A network with its patches; a verified plan does not nest them too deeply.
    fn patched(&mut self, file: &OpenFile, part: &str, patches: &[Patch]) -> Result<Patched, RunError> {
        let component = file.part(part)?;
        let changes = patches.iter().map(|patch| self.change(component, part, patch));
        let changes = changes.collect::<Result<_, _>>()?;
        Ok(Patched { file: file.map.clone(), header: component.tensors.clone(), changes })
    }

    fn change(&mut self, component: &Component, part: &str, patch: &Patch) -> Result<Change, RunError> {
        match patch {
            Patch::Adapter { file, strength, second } => {
                let open = self.open(file)?;
                let what = || RunError::Version { what: format!("patches of weights in `{}`", file.file) };
                let lora = open.contents.lora.as_ref().ok_or_else(what)?;
                let mut layers: BTreeMap<String, Vec<Module>> = BTreeMap::new();
                for target in lora.targets_in(component, *second).found {
                    layers.entry(target.layer).or_default().push(target.module.clone());
                }
                let (file, header) = (open.map.clone(), open.header.clone());
                Ok(Change::Adapter { file, header, layers, strength: *strength as f32 })
            }
            Patch::Merge { file, patches, shares } => {
                let open = self.open(file)?;
                let with = Box::new(self.patched(&open, part, patches)?);
                let shares =
                    shares.iter().map(|(below, keep, add)| (below.clone(), *keep as f32, *add as f32));
                Ok(Change::Merge { with, shares: shares.collect() })
            }
        }
    }
}

fn open(wanted: &FileRef, models: &dyn Models) -> Result<OpenFile, RunError> {
    let fail =
        |reason: String| RunError::Open { folder: wanted.folder.clone(), file: wanted.file.clone(), reason };
    let format = |error: FormatError| RunError::Format { file: wanted.file.clone(), error };
    let path = models.path(&wanted.folder, &wanted.file).map_err(fail)?;
    let map = MappedFile::open(&path).map_err(|error| fail(error.to_string()))?;
    let header = Header::read(&mut Cursor::new(map.bytes())).map_err(|error| match error {
        ReadError::Io(error) => fail(error.to_string()),
        ReadError::Format(error) => format(error),
    })?;
    if header.hash != wanted.header
        || Some(header.file_bytes) != wanted.file_bytes.known().map(|bytes| bytes as u64)
    {
        return Err(RunError::Changed { file: wanted.file.clone() });
    }
    let contents = Contents::of(&header).map_err(format)?;
    Ok(OpenFile { map, header: Arc::new(header), contents })
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
