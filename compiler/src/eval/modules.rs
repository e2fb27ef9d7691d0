//! Files as collections of names, those of the library among them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use floe_lang::ast::{self, Ident, Path, Statement, UseItems, UseSource};
use floe_lang::decl::{DeclError, NamedTypes, Scope, Type};
use floe_lang::{SourceFile, parse};
use floe_stdlib::{FLOWS, Library};

use super::Evaluator;
use super::scope::{Def, Frame, Kind, Named};
use crate::error::{CompileError, InFile, NameError, suggest};
use crate::flat::{Decl, Place};

/// A module by the number of its file.
pub(super) type ModuleId = usize;

/// A file that is being, or was, looked at.
pub(super) struct Module<'a> {
    pub(super) ast: &'a ast::File,
    pub(super) names: BTreeMap<&'a str, Named>,
    /// Its data types and sets of choices, the library's around them.
    pub(super) types: Scope<'static>,
    /// The statement that is being looked at.
    pub(super) statement: usize,
}

/// A file of the library's flows.
pub(super) struct StdFile {
    /// `std::sampling`; `std` alone for what stands directly below it.
    pub(super) path: String,
    pub(super) source: SourceFile,
    ast: ast::File,
}

/// The library's flows, parsed once.
pub(super) fn std_files() -> &'static [StdFile] {
    static FILES: OnceLock<Vec<StdFile>> = OnceLock::new();
    FILES.get_or_init(|| FLOWS.iter().map(|&(name, text)| std_file(name, text)).collect())
}

fn std_file(name: &str, text: &str) -> StdFile {
    let path = if name == "std" { name.to_owned() } else { format!("std::{name}") };
    let source = SourceFile::new(format!("{path}.flow"), text);
    let parsed = parse(&source);
    // What ships is tested; a text that does not parse is missing, and its users are told so.
    StdFile { path, source, ast: parsed.ast }
}

impl<'a> Evaluator<'a> {
    pub(super) fn module(&self, id: ModuleId) -> &Module<'a> {
        self.modules[id].as_ref().expect("a module is there before anything asks for it")
    }

    pub(super) fn module_mut(&mut self, id: ModuleId) -> &mut Module<'a> {
        self.modules[id].as_mut().expect("a module is there before anything asks for it")
    }

    /// Reads the declarations of a file.
    pub(super) fn open_module(&mut self, id: ModuleId) {
        let sources = self.sources;
        let ast = match sources.files.get(id) {
            Some(file) => file.ast.as_ref(),
            None => &std_files()[id - sources.files.len()].ast,
        };
        let mut types = Scope::new(Some(&Library));
        let mut errors = types.add_types(&ast.statements);
        errors.extend(types.add_choices(&ast.statements));
        self.modules[id] = Some(Module { ast, names: BTreeMap::new(), types, statement: 0 });
        self.declaration_errors(id, errors);
    }

    fn declaration_errors(&mut self, id: ModuleId, errors: Vec<DeclError>) {
        let file = u32::try_from(id).unwrap_or(u32::MAX);
        for error in errors {
            self.error(CompileError::Declaration(InFile { file, error }));
        }
    }

    /// A module of another file; its definitions are read when it is first asked for.
    fn load_module(&mut self, id: ModuleId) {
        if self.modules[id].is_some() {
            return;
        }
        self.open_module(id);
        let known_only = self.known_only.take();
        let shadow = std::mem::replace(&mut self.shadow, false);
        self.frames.push(Frame::new(id, None, None));
        self.declarations(id);
        for (order, statement) in self.module(id).ast.statements.iter().enumerate() {
            self.module_mut(id).statement = order;
            // What a used file would do, and what only its own run would bind, is not done.
            self.definition(statement);
        }
        self.frames.pop();
        self.shadow = shadow;
        self.known_only = known_only;
    }

    /// The node that a statement declares.
    pub(super) fn declared_node(&mut self, statement: &'a Statement) -> Def {
        let module = self.frame().module;
        let declared = self.module(module).types.nodes(std::slice::from_ref(statement));
        self.declaration_errors(module, declared.errors);
        let node = declared.nodes.into_iter().next();
        node.map_or(Def::Broken, |(_, decl)| Def::Node(Decl::Program(decl.into())))
    }

    /// The data type or set of choices that is declared under a name.
    pub(super) fn declared_type(&self, name: &Ident) -> Def {
        let ty = self.module(self.frame().module).types.named_type(&name.name);
        ty.map_or(Def::Broken, Def::Type)
    }

    /// A type as it is written in the file that is being looked at.
    pub(super) fn ty(&mut self, ty: &ast::Type) -> Type {
        let module = self.frame().module;
        let (ty, errors) = self.module(module).types.resolve(ty);
        self.declaration_errors(module, errors);
        ty
    }

    /// `use …`
    pub(super) fn use_statement(&mut self, import: &'a ast::Use) {
        let Some((module, name)) = self.source_module(&import.source) else {
            // What would have been taken is poison, so that its uses are not reported as well.
            for name in import.names() {
                self.define(name, Def::Broken, Kind::Used);
            }
            return;
        };
        match &import.items {
            UseItems::Module(_) => {
                if let Some(name) = import.names().first().copied() {
                    self.define(name, Def::Module(module), Kind::Used);
                }
            }
            UseItems::Names(items) => {
                for item in items {
                    let def = self.item(module, &name, &item.name);
                    let alias = item.alias.as_ref().unwrap_or(&item.name);
                    if let Def::Type(ty) = &def {
                        let current = self.frame().module;
                        self.module_mut(current).types.insert(&alias.name, ty.clone());
                    }
                    self.define(alias, def, Kind::Used);
                }
            }
        }
    }

    /// The module that a `use` names, and what to call it.
    fn source_module(&mut self, source: &'a UseSource) -> Option<(ModuleId, String)> {
        match source {
            UseSource::File { path, span } => {
                let file = self.frame().module;
                // What could not be read has been reported.
                let id = *self.sources.files.get(file)?.uses.get(span)? as ModuleId;
                self.load_module(id);
                Some((id, path.clone()))
            }
            UseSource::Module(path) => {
                let id = self.std_module(&path.segments);
                if id.is_none() {
                    self.unknown_module(path.to_string(), &path.segments);
                }
                Some((id?, path.to_string()))
            }
        }
    }

    /// The module of the library that a path names.
    fn std_module(&mut self, segments: &[Ident]) -> Option<ModuleId> {
        let is =
            |file: &StdFile| file.path.split("::").eq(segments.iter().map(|segment| segment.name.as_str()));
        let id = self.sources.files.len() + std_files().iter().position(is)?;
        self.load_module(id);
        Some(id)
    }

    fn unknown_module(&mut self, module: String, segments: &[Ident]) {
        let span = segments.first().map_or(floe_lang::Span::new(0, 0), |first| first.span);
        let span = segments.last().map_or(span, |last| span.to(last.span));
        let known = || std_files().iter().map(|file| file.path.as_str());
        let help = match suggest(&module, known()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the library has {}", known().collect::<Vec<_>>().join(", ")),
        };
        let span = self.place(span).into();
        self.error(NameError::UnknownModule { module, help, span });
    }

    /// What a module defines under a name.
    fn item(&mut self, module: ModuleId, module_name: &str, name: &Ident) -> Def {
        let item = self.module(module).names.get(name.name.as_str());
        if let Some(named) = item.filter(|named| named.kind == Kind::Item) {
            let (def, place) = (named.def.clone(), named.place);
            self.used.insert(place);
            return def;
        }
        if self.sources.files.get(module).is_some_and(|file| file.damaged) {
            return Def::Broken;
        }
        let names = self.module(module).names.iter();
        let items: Vec<String> =
            names.filter(|(_, named)| named.kind == Kind::Item).map(|(name, _)| (*name).to_owned()).collect();
        let span = self.place(name.span).into();
        self.error(NameError::UnknownItem {
            module: module_name.to_owned(),
            name: name.name.clone(),
            suggestion: suggest(&name.name, items.iter().map(String::as_str)),
            items,
            span,
        });
        Def::Broken
    }

    /// What a path of several names stands for.
    pub(super) fn path(&mut self, path: &'a Path) -> Def {
        let [modules @ .., name] = path.segments.as_slice() else { return Def::Broken };
        let module_name = |modules: &[Ident]| {
            modules.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>().join("::")
        };
        let first = modules.first().and_then(|first| self.lookup(&first.name));
        let module = match (first, modules) {
            (Some(Def::Module(id)), [_]) => Some(id),
            (Some(Def::Broken), _) => return Def::Broken,
            (None, [first, ..]) if first.name == "std" => self.std_module(modules),
            // `use std` makes `std` a module like others.
            (Some(Def::Module(_)), [first, ..]) if first.name == "std" => self.std_module(modules),
            _ => None,
        };
        match module {
            Some(id) => self.item(id, &module_name(modules), name),
            None => {
                let known: Vec<&str> = self.visible_modules();
                let text = module_name(modules);
                let help = match suggest(&text, known.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "name it above with `use`; the library's own modules are below `std`".to_owned(),
                };
                let span = modules.first().map_or(path.span, |first| first.span);
                let span = modules.last().map_or(span, |last| span.to(last.span));
                let span = self.place(span).into();
                self.error(NameError::UnknownModule { module: text, help, span });
                Def::Broken
            }
        }
    }

    fn visible_modules(&self) -> Vec<&'a str> {
        let names = self.module(self.frame().module).names.iter();
        let used = names.filter(|(_, named)| matches!(named.def, Def::Module(_))).map(|(name, _)| *name);
        used.chain(std_files().iter().map(|file| file.path.as_str())).collect()
    }

    /// A place in the file that defines something.
    pub(super) fn place_in(&self, module: ModuleId, span: floe_lang::Span) -> Place {
        Place { file: u32::try_from(module).unwrap_or(u32::MAX), span }
    }
}
