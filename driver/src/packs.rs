//! Node packs that a program needs, because they bring classes that the library does not know.

use floe_compiler::Warning;
use floe_lang::ast::{Annotation, ExprKind, File, StatementKind};

/// A node pack, and the classes of it that a program uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Its name in the registry, or its repository; none for classes whose pack nothing names.
    pub name: Option<String>,
    /// The classes, in the order of the program.
    pub classes: Vec<String>,
}

impl Pack {
    /// What people call it.
    pub fn title(&self) -> &str {
        match self.name.as_deref() {
            Some("comfy-core") => "comfy-core (ComfyUI itself, newer than this Floe)",
            Some(name) => name,
            None => "(pack not named)",
        }
    }
}

/// The packs of classes, in the order of their first class; those without a pack come last.
fn gather(classes: impl Iterator<Item = (Option<String>, String)>) -> Vec<Pack> {
    let mut packs: Vec<Pack> = Vec::new();
    for (name, class) in classes {
        match packs.iter_mut().find(|pack| pack.name == name) {
            Some(pack) => pack.classes.push(class),
            None => packs.push(Pack { name, classes: vec![class] }),
        }
    }
    packs.sort_by_key(|pack| pack.name.is_none());
    packs
}

/// The packs that warnings of a check are about.
pub(crate) fn of_warnings(warnings: &[Warning]) -> Vec<Pack> {
    gather(warnings.iter().filter_map(|warning| match warning {
        Warning::ForeignNode { node, pack, .. } => Some((pack.clone(), node.clone())),
        _ => None,
    }))
}

/// The packs of the classes that an imported program declares.
pub(crate) fn of_declarations(program: &File) -> Vec<Pack> {
    gather(program.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Node(node) => Some((pack(&statement.annotations), node.name.name.clone())),
        _ => None,
    }))
}

/// What `@pack("…")` says.
fn pack(annotations: &[Annotation]) -> Option<String> {
    let annotation = annotations.iter().find(|annotation| annotation.name.name == "pack")?;
    match &annotation.args.first()?.value.as_ref()?.kind {
        ExprKind::Str(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use floe_lang::{SourceFile, parse};

    use super::*;

    fn packs(text: &str) -> Vec<(Option<String>, Vec<String>)> {
        let packs = of_declarations(&parse(&SourceFile::new("a.flow", text)).ast).into_iter();
        packs.map(|pack| (pack.name, pack.classes)).collect()
    }

    #[test]
    fn classes_are_gathered_by_their_packs_and_nameless_ones_come_last() {
        let text = r#"
            node A() -> (x: Int)
            @pack("p") node B() -> (x: Int)
            @pack("q") @output node C()
            @pack("p") node D() -> (x: Int)
        "#;
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let expected = [
            (Some("p".to_owned()), names(&["B", "D"])),
            (Some("q".to_owned()), names(&["C"])),
            (None, names(&["A"])),
        ];
        assert_eq!(packs(text), expected);
    }

    #[test]
    fn a_program_of_the_library_needs_none() {
        assert_eq!(packs("let a = EmptyLatentImage()"), []);
    }
}
