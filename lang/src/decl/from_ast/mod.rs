//! From declarations as written to declarations as data.
//!
//! The library's build script and the compiler both come here, so that a third-party node which a program declares
//! means exactly what it would mean in the library.

mod annotations;
mod inputs;
mod types;
mod values;

use std::collections::BTreeMap;

use super::{DeclError, Items, NamedTypes, NodeDecl, NodeMarks, OutputDecl, Place, Text, Type};
use crate::Span;
use crate::ast::{Ident, Node, Output, Statement, StatementKind, TypeKind};
use annotations::Marks;

pub(super) use annotations::{INPUT_ANNOTATIONS, NODE_ANNOTATIONS};
pub(super) use inputs::{is_account, singular};

/// The types that some files name, and how nodes are read with them.
///
/// First come [`Scope::add_types`] and [`Scope::add_choices`] for every file, then [`Scope::nodes`]: a declaration may
/// stand above what it uses, and in another file.
pub struct Scope<'a> {
    outer: Option<&'a dyn NamedTypes>,
    named: BTreeMap<String, Type>,
}

/// The nodes of some statements, each with the place of its statement, and all that is wrong with them. What is wrong
/// is left out of a node, so that its calls can still be checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// In the order of the text.
    pub nodes: Vec<(usize, NodeDecl)>,
    /// In the order of the text.
    pub errors: Vec<DeclError>,
}

/// Reads what a program declares, with the library's types around it.
pub fn declare(statements: &[Statement], library: &dyn NamedTypes) -> Declared {
    let mut scope = Scope::new(Some(library));
    let mut errors = scope.add_types(statements);
    errors.extend(scope.add_choices(statements));
    let declared = scope.nodes(statements);
    errors.extend(declared.errors);
    errors.sort_by_key(DeclError::span);
    Declared { nodes: declared.nodes, errors }
}

impl NamedTypes for Scope<'_> {
    fn named_type(&self, name: &str) -> Option<Type> {
        self.named.get(name).cloned().or_else(|| self.outer?.named_type(name))
    }

    fn comfy_type(&self, wanted: &str) -> Option<Type> {
        let own = self.named.values().find(|ty| matches!(ty, Type::Data { comfy, .. } if comfy == wanted));
        own.cloned().or_else(|| self.outer?.comfy_type(wanted))
    }
}

impl<'a> Scope<'a> {
    /// Nothing but what is around it.
    pub fn new(outer: Option<&'a dyn NamedTypes>) -> Self {
        Scope { outer, named: BTreeMap::new() }
    }

    /// Gives a type a name, as `use` does.
    pub fn insert(&mut self, name: &str, ty: Type) {
        self.named.entry(name.to_owned()).or_insert(ty);
    }

    /// A type as it is written in a file, and what is wrong with it.
    pub fn resolve(&self, ty: &crate::ast::Type) -> (Type, Vec<DeclError>) {
        let mut errors = Vec::new();
        let ty = self.ty(ty, &mut errors);
        (ty, errors)
    }

    /// Adds the data types and the plain sets of choices of a file.
    pub fn add_types(&mut self, statements: &[Statement]) -> Vec<DeclError> {
        let mut errors = Vec::new();
        for statement in statements {
            let named = match &statement.kind {
                StatementKind::Type(decl) => {
                    let marks = Marks::new(&statement.annotations, Place::Type, &mut errors);
                    let widget = marks.flag("widget", &mut errors);
                    let name = Text::Owned(decl.name.name.clone());
                    Some((&decl.name, Type::Data { name, comfy: decl.comfy.clone().into(), widget }))
                }
                StatementKind::Choices(choices) if choices.values.iter().all(|one| one.inputs.is_none()) => {
                    Marks::new(&statement.annotations, Place::Choices, &mut errors);
                    let set = Some(Text::Owned(choices.name.name.clone()));
                    Some((&choices.name, types::choice(set, &choices.values, &mut errors)))
                }
                _ => None,
            };
            if let Some((name, ty)) = named {
                self.name(name, ty, &mut errors);
            }
        }
        errors
    }

    /// Adds the sets of choices of a file that bring inputs. The types of these are to be known by now.
    pub fn add_choices(&mut self, statements: &[Statement]) -> Vec<DeclError> {
        let mut errors = Vec::new();
        for statement in statements {
            if let StatementKind::Choices(choices) = &statement.kind
                && choices.values.iter().any(|one| one.inputs.is_some())
            {
                Marks::new(&statement.annotations, Place::Choices, &mut errors);
                let ty = self.dynamic(&choices.values, &mut errors);
                self.name(&choices.name, ty, &mut errors);
            }
        }
        errors
    }

    fn name(&mut self, name: &Ident, ty: Type, errors: &mut Vec<DeclError>) {
        if types::builtin(&name.name).is_some() || matches!(name.name.as_str(), "File" | "Match") {
            errors.push(DeclError::ReservedName { name: name.name.clone(), span: name.span });
            return;
        }
        self.named.entry(name.name.clone()).or_insert(ty);
    }

    /// The nodes of a file.
    pub fn nodes(&self, statements: &[Statement]) -> Declared {
        let mut errors = Vec::new();
        let nodes = statements
            .iter()
            .enumerate()
            .filter_map(|(place, statement)| match &statement.kind {
                StatementKind::Node(node) => Some((place, self.node(statement, node, &mut errors))),
                _ => None,
            })
            .collect();
        Declared { nodes, errors }
    }

    fn node(&self, statement: &Statement, node: &Node, errors: &mut Vec<DeclError>) -> NodeDecl {
        let marks = Marks::new(&statement.annotations, Place::Node, errors);
        let mut inputs = self.inputs(&node.inputs, errors);
        if marks.flag("partner", errors) {
            let account = inputs::account(marks.flag("retired", errors), self);
            let at = inputs.iter().position(|input| input.hidden).unwrap_or(inputs.len());
            inputs.splice(at..at, account);
        }
        NodeDecl {
            name: node.name.name.clone().into(),
            display: marks.text("display", errors),
            category: marks.text("category", errors).unwrap_or_default(),
            docs: statement.docs.as_ref().map(|docs| docs.text.clone()).unwrap_or_default().into(),
            output_node: marks.flag("output", errors),
            takes_lists: marks.flag("takes_lists", errors),
            inputs: inputs.into(),
            outputs: self.outputs(&node.outputs, errors),
            marks: NodeMarks {
                deprecated: marks.flag("deprecated", errors),
                experimental: marks.flag("experimental", errors),
                partner_api: marks.flag("partner", errors),
                v1: marks.flag("v1", errors),
                retired: marks.flag("retired", errors),
                intermediate_output: marks.flag("intermediate", errors),
                essential: marks.text("essential", errors),
                pack: marks.text("pack", errors),
            },
        }
    }

    fn outputs(&self, outputs: &[Output], errors: &mut Vec<DeclError>) -> Items<OutputDecl> {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut found = Vec::new();
        for output in outputs {
            let name = &output.name;
            if let Some(&first) = seen.get(name.name.as_str()) {
                let output = name.name.clone();
                errors.push(DeclError::DuplicateOutput { output, span: name.span, first });
            }
            seen.entry(&name.name).or_insert(name.span);
            found.push(self.output(output, errors));
        }
        found.into()
    }

    fn output(&self, output: &Output, errors: &mut Vec<DeclError>) -> OutputDecl {
        let marks = Marks::new(&output.annotations, Place::Output, errors);
        let (is_list, ty) = match &output.ty.kind {
            TypeKind::List(element) => (true, element.as_ref()),
            _ => (false, &output.ty),
        };
        OutputDecl {
            name: output.name.name.clone().into(),
            docs: output.docs.as_ref().map(|docs| docs.text.clone()).unwrap_or_default().into(),
            ty: self.ty(ty, errors),
            is_list,
            list_unsaid: marks.none("list", errors),
        }
    }
}

#[cfg(test)]
mod tests;
