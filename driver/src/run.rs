//! Runs a plan against folders.

use std::cell::RefCell;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use floe_lang::comfy::Format;
use floe_lang::comfy::picture::keys;
use floe_plan::{Plan, Scalar};
use floe_runtime::image_io::{SaveError, SavedFile, save_numbered, write_file};
use floe_runtime::png_meta::PngText;
use floe_runtime::{Event, Host, Machine, Summary};

use crate::error::RunFailure;
use crate::folders::{Folders, read_picture};
use crate::import::{ImportOptions, import};
use crate::source::{Form, Source};

/// Called after each step of a sampler with steps done and in all; may ask to stop.
pub type Progress<'a> = dyn Fn(usize, usize) -> ControlFlow<()> + 'a;

/// What a run is given besides its plan.
pub struct RunOptions<'a> {
    /// The program, to be stored in its pictures.
    pub source: Option<&'a Source>,
    /// Where pictures go; `None` for numbered names in the output folder.
    pub file: Option<&'a Path>,
    /// Told how far samplers are.
    pub progress: &'a Progress<'a>,
}

/// What a run gave.
#[derive(Debug)]
pub struct Outputs {
    /// Files written, in order.
    pub files: Vec<PathBuf>,
    /// What it took.
    pub summary: Summary,
}

/// Runs a plan.
///
/// # Errors
/// See [`RunError`](floe_runtime::RunError).
pub fn run(
    plan: &Plan,
    machine: &Machine,
    folders: &Folders,
    options: &RunOptions<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outputs, RunFailure> {
    let host = DiskHost { folders, options, texts: texts(plan, options.source), files: RefCell::default() };
    let summary = floe_runtime::run(plan, machine, folders, &host, observe).map_err(RunFailure)?;
    Ok(Outputs { files: host.files.into_inner(), summary })
}

/// The program in its pictures: the text, and what its params were bound to. A workflow stays in them beside the
/// program made of it, so that ComfyUI opens them as well.
fn texts(plan: &Plan, source: Option<&Source>) -> Vec<PngText> {
    let Some(source) = source else { return Vec::new() };
    let mut texts = Vec::new();
    match source.form() {
        Form::Flow => texts.push(PngText::new(keys::FLOW, source.file().text())),
        Form::Json => {
            // It was imported before, to be compiled.
            if let Ok(imported) = import(source, ImportOptions::default()) {
                texts.push(PngText::new(keys::FLOW, imported.text));
                let key = if imported.format == Some(Format::Ui) { keys::WORKFLOW } else { keys::PROMPT };
                texts.push(PngText::new(key, source.file().text()));
            }
        }
    }
    if !plan.params.is_empty() {
        let lines = plan.params.iter().map(|(name, value)| match value {
            Scalar::Int(value) => format!("{name} = {value}"),
            Scalar::Float(value) => format!("{name} = {value:?}"),
            Scalar::Bool(value) => format!("{name} = {value}"),
            Scalar::String(value) => format!("{name} = {}", floe_lang::names::string_literal(value)),
        });
        texts.push(PngText::new(keys::FLOW_PARAMS, lines.collect::<Vec<_>>().join("\n")));
    }
    texts
}

struct DiskHost<'a> {
    folders: &'a Folders,
    options: &'a RunOptions<'a>,
    texts: Vec<PngText>,
    files: RefCell<Vec<PathBuf>>,
}

impl Host for DiskHost<'_> {
    fn read_picture(&self, name: &str) -> Result<Vec<u8>, std::io::Error> {
        let path = self.folders.picture_path(name).map_err(std::io::Error::other)?;
        read_picture(&path)
    }

    fn save_picture(&self, prefix: &str, extension: &str, file: &[u8]) -> Result<SavedFile, SaveError> {
        let saved = match self.options.file {
            None => save_numbered(&self.folders.output, prefix, extension, file)?,
            Some(path) => {
                let path = numbered(path, self.files.borrow().len() + 1);
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    // What cannot be created is reported by the write, which names the file.
                    let _ = fs::create_dir_all(folder);
                }
                write_file(&path, file)?;
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                SavedFile { name, subfolder: String::new(), path }
            }
        };
        self.files.borrow_mut().push(saved.path.clone());
        Ok(saved)
    }

    fn save_latent(&self, prefix: &str, bytes: &[u8]) -> Result<SavedFile, SaveError> {
        save_numbered(&self.folders.output, prefix, "latent", bytes)
    }

    fn texts(&self) -> &[PngText] {
        &self.texts
    }

    /// What Linux says; other systems refuse an allocation by themselves.
    fn available_memory(&self) -> Option<u64> {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }

    fn progress(&self, done: usize, total: usize) -> ControlFlow<()> {
        (self.options.progress)(done, total)
    }
}

/// The path as given for the first picture, with `-2`, `-3`, … before its extension for others.
fn numbered(path: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return path.to_path_buf();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_pictures_are_numbered_before_their_extension() {
        assert_eq!(numbered(Path::new("a/b.png"), 1), Path::new("a/b.png"));
        assert_eq!(numbered(Path::new("a/b.png"), 2), Path::new("a/b-2.png"));
        assert_eq!(numbered(Path::new("b"), 3), Path::new("b-3"));
    }
}
