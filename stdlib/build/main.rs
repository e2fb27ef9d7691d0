//! Compiles the declarations in `nodes/**/*.flow` into tables of constants, so that start-up does not parse them.

mod emit;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use floe_lang::ast::{Ident, Statement, StatementKind};
use floe_lang::decl::{DeclError, NodeDecl, Scope, Type};
use floe_lang::{SourceFile, Span, parse};

/// A file of declarations.
struct Source {
    path: PathBuf,
    file: SourceFile,
    statements: Vec<Statement>,
}

fn main() {
    println!("cargo:rerun-if-changed=nodes");
    println!("cargo:rerun-if-changed=build");
    let mut paths = Vec::new();
    list(Path::new("nodes"), &mut paths);
    paths.sort();
    let sources: Vec<Source> = paths.into_iter().map(read).collect();
    names_are_given_once(&sources);
    let mut scope = Scope::new(None);
    for source in &sources {
        source.accept(&scope.add_types(&source.statements));
    }
    for source in &sources {
        source.accept(&scope.add_choices(&source.statements));
    }
    let mut nodes: Vec<NodeDecl> = Vec::new();
    for source in &sources {
        let declared = scope.nodes(&source.statements);
        source.accept(&declared.errors);
        for (place, node) in declared.nodes {
            source.complete(&node, source.statements[place].span);
            nodes.push(node);
        }
    }
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let tables = emit::tables(&types(&sources, &scope), &nodes);
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("nodes.rs"), tables).expect("OUT_DIR can be written");
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the declarations lie in nodes/") {
        let path = entry.expect("nodes/ can be listed").path();
        if path.is_dir() {
            list(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "flow") {
            paths.push(path);
        }
    }
}

fn read(path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("a declaration file can be read");
    let file = SourceFile::new(path.display().to_string(), text);
    let parsed = parse(&file);
    let source = Source { path, statements: parsed.ast.statements, file };
    if let Some(error) = parsed.errors.first() {
        source.refuse(error.span(), &error.to_string());
    }
    source
}

impl Source {
    fn refuse(&self, span: Span, message: &str) -> ! {
        let before = self.file.text().get(..span.start as usize).unwrap_or_default();
        panic!("{}:{}: {message}", self.path.display(), before.matches('\n').count() + 1)
    }

    fn accept(&self, errors: &[DeclError]) {
        if let Some(error) = errors.first() {
            self.refuse(error.span(), &error.to_string());
        }
    }

    /// What the language leaves open, but the library does not.
    fn complete(&self, node: &NodeDecl, span: Span) {
        if node.docs.is_empty() {
            self.refuse(span, &format!("node {} has no docs", node.name));
        }
    }
}

fn names_are_given_once(sources: &[Source]) {
    let mut seen: BTreeMap<&str, &Source> = BTreeMap::new();
    for source in sources {
        for name in source.statements.iter().flat_map(|statement| statement.kind.names()) {
            if let Some(earlier) = seen.insert(&name.name, source) {
                let where_else = earlier.path.display();
                source.refuse(name.span, &format!("{} is also declared in {where_else}", name.name));
            }
        }
    }
}

/// A data type or a set of choices.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) ty: Type,
}

/// What the files give names to, by name.
fn types(sources: &[Source], scope: &Scope<'_>) -> Vec<Named> {
    use floe_lang::decl::NamedTypes as _;
    let mut types = Vec::new();
    for source in sources {
        for statement in &source.statements {
            let (StatementKind::Type(_) | StatementKind::Choices(_)) = &statement.kind else { continue };
            let Some(Ident { name, span }) = statement.kind.names().into_iter().next() else { continue };
            let docs = statement.docs.as_ref().map(|docs| docs.text.clone()).unwrap_or_default();
            if docs.is_empty() {
                source.refuse(*span, &format!("{name} has no docs"));
            }
            let ty = scope.named_type(name).expect("the scope read the same statements");
            types.push(Named { name: name.clone(), docs, ty });
        }
    }
    types.sort_by(|a, b| a.name.cmp(&b.name));
    types
}
