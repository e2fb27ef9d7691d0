//! Types of declarations.

use std::collections::BTreeMap;

use super::super::{ChoiceValue, DeclError, DynamicChoice, Items, NamedTypes, Text, Type};
use super::Scope;
use crate::Span;
use crate::ast;
use crate::ast::TypeKind;

/// A type of the language itself.
pub(super) fn builtin(name: &str) -> Option<Type> {
    Some(match name {
        "Int" => Type::Int,
        "Float" => Type::Float,
        "Bool" => Type::Bool,
        "String" => Type::String,
        "Any" => Type::Any,
        _ => return None,
    })
}

/// Choices without inputs.
pub(super) fn choice(set: Option<Text>, values: &[ast::Choice], errors: &mut Vec<DeclError>) -> Type {
    report_twice(values, errors);
    let values: Vec<ChoiceValue> = values.iter().map(|choice| value(&choice.value)).collect();
    Type::Choice { set, values: values.into() }
}

fn value(written: &ast::ChoiceValue) -> ChoiceValue {
    match written {
        ast::ChoiceValue::Str(text) => ChoiceValue::Str(text.clone().into()),
        ast::ChoiceValue::Int(number) => ChoiceValue::Int(*number),
    }
}

fn report_twice(values: &[ast::Choice], errors: &mut Vec<DeclError>) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for one in values {
        let choice = one.value.to_string();
        if let Some(&first) = seen.get(&choice) {
            errors.push(DeclError::DuplicateChoice { choice, span: one.span, first });
        } else {
            seen.insert(choice, one.span);
        }
    }
}

fn bad(problem: &'static str, help: &'static str, span: Span) -> DeclError {
    DeclError::BadType { problem, help, span }
}

impl Scope<'_> {
    /// A type; what is wrong in it counts as `Any`, so that calls can still be checked.
    pub(super) fn ty(&self, ty: &ast::Type, errors: &mut Vec<DeclError>) -> Type {
        match &ty.kind {
            TypeKind::Name(name) => self.by_name(name),
            TypeKind::Optional(_) => {
                errors.push(bad(
                    "only the type of an input is optional, as a whole",
                    "put the `?` at the end of an input's type, or leave it out",
                    ty.span,
                ));
                Type::Any
            }
            TypeKind::Union(parts) => self.union(parts, ty.span, errors),
            TypeKind::Choices(values) if values.iter().all(|one| one.inputs.is_none()) => {
                choice(None, values, errors)
            }
            TypeKind::Choices(values) => self.dynamic(values, errors),
            TypeKind::Match { template, allowed } => {
                let allowed = match allowed.as_deref().map(|allowed| self.ty(allowed, errors)) {
                    None | Some(Type::Any) => Items::Borrowed(&[][..]),
                    Some(Type::Union(types)) => types,
                    Some(only) => vec![only].into(),
                };
                Type::Match { template: template.clone().into(), allowed }
            }
            TypeKind::File { folder, .. } => {
                Type::File { folder: folder.clone().into(), builtin: Items::Borrowed(&[]) }
            }
            TypeKind::List(element) => Type::List(vec![self.ty(element, errors)].into()),
        }
    }

    /// A name that nobody declares is ComfyUI's own, several of them separated by commas.
    fn by_name(&self, name: &str) -> Type {
        if let Some(ty) = builtin(name).or_else(|| self.named_type(name)) {
            return ty;
        }
        if name.contains(',') {
            return Type::Union(name.split(',').map(|one| self.by_comfy_name(one.trim())).collect());
        }
        self.by_comfy_name(name)
    }

    fn by_comfy_name(&self, comfy: &str) -> Type {
        match comfy {
            "INT" => Type::Int,
            "FLOAT" => Type::Float,
            "BOOLEAN" => Type::Bool,
            "STRING" => Type::String,
            "*" => Type::Any,
            _ => self.comfy_type(comfy).unwrap_or_else(|| {
                let name = Text::Owned(comfy.to_owned());
                Type::Data { comfy: name.clone(), name, widget: false }
            }),
        }
    }

    /// Choices of which some bring inputs.
    pub(super) fn dynamic(&self, values: &[ast::Choice], errors: &mut Vec<DeclError>) -> Type {
        report_twice(values, errors);
        let choices: Vec<DynamicChoice> = values
            .iter()
            .filter_map(|choice| match &choice.value {
                ast::ChoiceValue::Str(key) => Some(DynamicChoice {
                    key: key.clone().into(),
                    inputs: self.inputs(choice.inputs.as_deref().unwrap_or_default(), errors).into(),
                }),
                ast::ChoiceValue::Int(_) => {
                    let help = "put the number in quotes: a choice that brings inputs is a text";
                    errors.push(bad("a number cannot bring inputs", help, choice.span));
                    None
                }
            })
            .collect();
        Type::Dynamic(choices.into())
    }

    fn union(&self, parts: &[ast::Type], span: Span, errors: &mut Vec<DeclError>) -> Type {
        let types: Vec<Type> = parts.iter().map(|part| self.ty(part, errors)).collect();
        if types.iter().any(|ty| matches!(ty, Type::File { .. })) {
            return files(types, span, errors);
        }
        if types.iter().all(|ty| matches!(ty, Type::Choice { .. })) {
            return Type::Choice { set: None, values: types.iter().flat_map(choices_of).cloned().collect() };
        }
        let odd = |ty: &Type| matches!(ty, Type::Choice { .. } | Type::Dynamic(_) | Type::List(_));
        if types.iter().any(|ty| odd(ty) || matches!(ty, Type::Match { .. })) {
            errors.push(bad(
                "these cannot be alternatives of one type",
                "join types of data and scalars, or choices, or a `File<…>` and choices",
                span,
            ));
            return Type::Any;
        }
        let flat = types.into_iter().flat_map(|ty| match ty {
            Type::Union(inner) => inner.into_owned(),
            other => vec![other],
        });
        Type::Union(flat.collect())
    }
}

/// `File<"vae"> | "pixel_space"`: one folder, and names that are built in besides.
fn files(types: Vec<Type>, span: Span, errors: &mut Vec<DeclError>) -> Type {
    let mut folders = Vec::new();
    let mut names: Vec<Text> = Vec::new();
    let mut odd = false;
    for ty in types {
        match ty {
            Type::File { folder, builtin } => {
                folders.push(folder);
                names.extend(builtin.into_owned());
            }
            Type::Choice { values, .. } => {
                for value in values.iter() {
                    match value {
                        ChoiceValue::Str(name) => names.push(name.clone()),
                        ChoiceValue::Int(_) => odd = true,
                    }
                }
            }
            _ => odd = true,
        }
    }
    match (folders.pop(), folders.is_empty() && !odd) {
        (Some(folder), true) => Type::File { folder, builtin: names.into() },
        _ => {
            errors.push(bad(
                "a file has one folder, and texts that may stand for it",
                "write it like `File<\"vae\"> | \"pixel_space\"`",
                span,
            ));
            Type::Any
        }
    }
}

fn choices_of(ty: &Type) -> &[ChoiceValue] {
    match ty {
        Type::Choice { values, .. } => values,
        _ => &[],
    }
}
