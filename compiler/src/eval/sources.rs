//! The files of a program: the program itself, and those that it uses, parsed before anything is evaluated.

use std::borrow::Cow;
use std::collections::BTreeMap;

use floe_lang::ast::{self, StatementKind, UseSource};
use floe_lang::{SourceFile, Span, parse};
use floe_stdlib::{FileError, World};

use super::findings::Findings;
use crate::error::{CompileError, InFile, NameError};
use crate::flat::Place;

/// How deep files may use one another.
const DEPTH: usize = 64;

/// All files of a program; the first is the program itself.
pub(super) struct Sources<'a> {
    pub(super) files: Vec<Loaded<'a>>,
}

/// A file and what it uses.
pub(super) struct Loaded<'a> {
    pub(super) ast: Cow<'a, ast::File>,
    /// Its text; that of the program itself is whoever's who parsed it.
    pub(super) source: Option<SourceFile>,
    /// The files that its `use` statements name, by the span of the name.
    pub(super) uses: BTreeMap<Span, u32>,
    /// Whether some of it could not be understood, so that names may be missing.
    pub(super) damaged: bool,
}

/// Reads all files that a program uses, directly or through others.
pub(super) fn load<'a>(program: &'a ast::File, world: &dyn World, found: &mut Findings) -> Sources<'a> {
    let root = Loaded { ast: Cow::Borrowed(program), source: None, uses: BTreeMap::new(), damaged: false };
    let mut loader = Loader { world, found, files: vec![root], known: BTreeMap::new(), open: Vec::new() };
    loader.uses(0, "");
    Sources { files: loader.files }
}

struct Loader<'a, 'f> {
    world: &'f dyn World,
    found: &'f mut Findings,
    files: Vec<Loaded<'a>>,
    /// Files by their paths.
    known: BTreeMap<String, u32>,
    /// Paths of the files that are being read, outermost first.
    open: Vec<String>,
}

impl Loader<'_, '_> {
    /// Loads what a file uses; `path` is its own.
    fn uses(&mut self, file: u32, path: &str) {
        let written: Vec<(String, Span)> = self.files[file as usize]
            .ast
            .statements
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Use(ast::Use { source: UseSource::File { path, span }, .. }) => {
                    Some((path.clone(), *span))
                }
                _ => None,
            })
            .collect();
        for (used, span) in written {
            let place = Place { file, span };
            match self.load(path, &used, place) {
                Ok(number) => {
                    self.files[file as usize].uses.insert(span, number);
                }
                Err(error) => self.found.error(error),
            }
        }
    }

    /// The number of a file that the file of this path uses.
    fn load(&mut self, path: &str, used: &str, place: Place) -> Result<u32, CompileError> {
        let path = resolve(path, used, place)?;
        if let Some(at) = self.open.iter().position(|open| *open == path) {
            let circle = self.open[at..].iter().chain([&path]).cloned().collect();
            return Err(NameError::CyclicUse { circle, span: place.into() }.into());
        }
        if let Some(&known) = self.known.get(&path) {
            return Ok(known);
        }
        if self.open.len() >= DEPTH {
            return Err(bad(
                used,
                format!("files use one another more than {DEPTH} deep"),
                "use fewer",
                place,
            ));
        }
        let text = self.world.source(&path).map_err(|error| unreadable(used, error, place))?;
        let source = SourceFile::new(path.clone(), text);
        let parsed = parse(&source);
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let damaged = !parsed.errors.is_empty();
        for error in parsed.errors {
            self.found.error(CompileError::Syntax(InFile { file: number, error }));
        }
        self.known.insert(path.clone(), number);
        self.files.push(Loaded {
            ast: Cow::Owned(parsed.ast),
            source: Some(source),
            uses: BTreeMap::new(),
            damaged,
        });
        self.open.push(path.clone());
        self.uses(number, &path);
        self.open.pop();
        Ok(number)
    }
}

/// A path as it is written in the file of another path, from the folder of the program.
fn resolve(path: &str, used: &str, place: Place) -> Result<String, CompileError> {
    if used.starts_with('/') || used.contains(['\\', ':']) {
        let help = "write it from the folder of this file, with `/` between folders: \"./styles.flow\"";
        return Err(bad(used, "it is no relative path".to_owned(), help, place));
    }
    if !used.ends_with(".flow") {
        let help = "use a `.flow` file; a ComfyUI workflow becomes one with `floe import`";
        return Err(bad(used, "it is no `.flow` file".to_owned(), help, place));
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in used.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => {
                let help = "move the file into the folder of the program, or below it";
                return Err(bad(
                    used,
                    "it lies outside of the folder of the program".to_owned(),
                    help,
                    place,
                ));
            }
            ".." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

fn unreadable(used: &str, error: FileError, place: Place) -> CompileError {
    match error {
        FileError::Missing { available, searched, .. } => {
            let flows: Vec<&str> =
                available.iter().map(String::as_str).filter(|name| name.ends_with(".flow")).collect();
            let looked = match searched.as_slice() {
                [] => String::new(),
                folders => format!(" (looked in {})", folders.join(", ")),
            };
            let name = used.rsplit('/').next().unwrap_or(used);
            let help = match crate::error::suggest(name, flows) {
                Some(name) => format!("did you mean \"{name}\"?{looked}"),
                None => format!("a path is relative to the file that says it{looked}"),
            };
            NameError::UnknownModule { module: used.to_owned(), help, span: place.into() }.into()
        }
        error => bad(used, error.to_string(), "give the path of a readable text file", place),
    }
}

fn bad(path: &str, reason: String, help: &str, place: Place) -> CompileError {
    NameError::BadModule { path: path.to_owned(), reason, help: help.to_owned(), span: place.into() }.into()
}
