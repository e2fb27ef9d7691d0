//! Types: ComfyUI's names, declarations' and programs'.

use super::super::prompt::{InputValue, Json};
use crate::Span;
use crate::ast::{self, TypeKind};
use crate::decl::{self, Declarations, InputDecl, NodeDecl, Text, Type};

/// Choices of at most this many characters together are written out where a type is written.
const CHOICES_WIDTH: usize = 60;

/// The type that ComfyUI calls so, such as `IMAGE` or `FLOAT,INT`.
pub(super) fn data_type(comfy: &str, declarations: &dyn Declarations) -> Type {
    match comfy {
        "INT" => Type::Int,
        "FLOAT" => Type::Float,
        "BOOLEAN" => Type::Bool,
        "STRING" => Type::String,
        "*" | "" => Type::Any,
        name => match declarations.type_name(name) {
            Some(known) => data(known, name),
            None if name.contains(',') => {
                let parts = name.split(',').map(|part| data_type(part.trim(), declarations));
                let mut types: Vec<Type> = Vec::new();
                parts.for_each(|part| {
                    if !types.contains(&part) {
                        types.push(part)
                    }
                });
                if types.len() == 1 || types.contains(&Type::Any) {
                    Type::Any
                } else {
                    Type::Union(types.into())
                }
            }
            None => data(name, name),
        },
    }
}

fn data(name: &str, comfy: &str) -> Type {
    Type::Data { name: Text::Owned(name.to_owned()), comfy: Text::Owned(comfy.to_owned()), widget: false }
}

/// The type of a value. Lists and objects are whatever they are.
pub(super) fn json_type(json: &Json) -> Type {
    match json {
        Json::Bool(_) => Type::Bool,
        Json::Int(_) => Type::Int,
        Json::Float(_) => Type::Float,
        Json::String(_) => Type::String,
        Json::Null | Json::Array(_) | Json::Object(_) => Type::Any,
    }
}

/// The type that a declaration gives to an input, also to `group.name`.
pub(super) fn declared<'d>(decl: &'d NodeDecl, name: &str) -> Option<&'d Type> {
    if let Some(input) = decl.input(name) {
        return Some(&input.ty);
    }
    let (mut group, mut rest) = name.split_once('.')?;
    let mut inputs: Vec<&'d InputDecl> = decl.visible_inputs().collect();
    loop {
        let of_group = inputs.iter().copied().find(|input| input.name == group)?;
        inputs = members(&of_group.ty, rest);
        if let Some(input) = inputs.iter().find(|input| input.name == rest) {
            return Some(&input.ty);
        }
        if let (Type::Grow { .. }, [element]) = (&of_group.ty, inputs.as_slice()) {
            return Some(&element.ty);
        }
        (group, rest) = rest.split_once('.')?;
    }
}

/// The inputs that a group may have.
fn members<'d>(ty: &'d Type, name: &str) -> Vec<&'d InputDecl> {
    match ty {
        Type::Dynamic(choices) => choices.iter().flat_map(|choice| choice.inputs.iter()).collect(),
        Type::Grow { names, element, .. } if names.place(name).is_some() => element.iter().take(1).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value may be given to a parameter of the type. Links are not judged.
pub(super) fn fits(value: &InputValue, ty: &Type) -> bool {
    let json = match value {
        InputValue::Json(json) => json,
        InputValue::DynamicPrompt(_) | InputValue::FileName(_) => return takes_text(ty),
        InputValue::Link { .. } | InputValue::Dangling { .. } => return true,
    };
    match (json, ty) {
        (Json::Null, _) => true,
        (Json::Int(_), Type::Int | Type::Float) => true,
        (Json::Float(value), Type::Int) => value.fract() == 0.0,
        (Json::Float(_), Type::Float) | (Json::Bool(_), Type::Bool) => true,
        (Json::String(text), Type::Choice { values, .. }) => {
            values.is_empty()
                || values.iter().any(|value| matches!(value, decl::ChoiceValue::Str(known) if known == text))
        }
        (Json::Int(number), Type::Choice { values, .. }) => {
            values.iter().any(|value| matches!(value, decl::ChoiceValue::Int(known) if known == number))
        }
        // A choice that is no file: the parameter is a text.
        (Json::String(text), Type::File { builtin, .. }) => !builtin.iter().any(|name| name == text),
        (Json::String(_), ty) => takes_text(ty),
        (json, Type::Union(types)) => types.iter().any(|ty| fits(&InputValue::Json(json.clone()), ty)),
        _ => false,
    }
}

fn takes_text(ty: &Type) -> bool {
    match ty {
        Type::String | Type::File { .. } | Type::Dynamic(_) => true,
        Type::Union(types) => types.iter().any(takes_text),
        _ => false,
    }
}

/// A declared type as a parameter's; none where it says nothing.
pub(super) fn plain(ty: &Type, span: Span) -> Option<ast::Type> {
    let name = |name: &str| Some(named_type(name, span));
    match ty {
        Type::Int => name("Int"),
        Type::Float => name("Float"),
        Type::Bool => name("Bool"),
        Type::String | Type::Dynamic(_) => name("String"),
        Type::Any | Type::Grow { .. } => None,
        Type::Choice { set: Some(set), .. } => name(set),
        Type::Choice { set: None, values } => Some(choices(values, span)),
        Type::File { folder, .. } => {
            let kind = TypeKind::File { folder: folder.to_string(), folder_span: span };
            Some(ast::Type { kind, span })
        }
        Type::Data { name: data, .. } => name(data),
        Type::List(inner) => inner.first().and_then(|inner| plain(inner, span)).map(list_of),
        Type::Union(types) => union(types, span),
        Type::Match { allowed, .. } => union(allowed, span),
    }
}

fn union(types: &[Type], span: Span) -> Option<ast::Type> {
    let mut parts: Vec<ast::Type> = Vec::new();
    for ty in types {
        let part = plain(ty, span)?;
        if !matches!(part.kind, TypeKind::Name(_)) {
            return None;
        }
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(ast::Type { kind: TypeKind::Union(parts), span }),
    }
}

/// Few short choices are written out.
fn choices(values: &[decl::ChoiceValue], span: Span) -> ast::Type {
    let width: usize = values.iter().map(|value| value.to_string().len() + 3).sum();
    if values.is_empty() || width > CHOICES_WIDTH {
        let texts = values.iter().all(|value| matches!(value, decl::ChoiceValue::Str(_)));
        return named_type(if texts { "String" } else { "Int" }, span);
    }
    let values = values.iter().map(|value| match value {
        decl::ChoiceValue::Str(text) => ast::ChoiceValue::Str(text.to_string()),
        decl::ChoiceValue::Int(number) => ast::ChoiceValue::Int(*number),
    });
    written(values, span)
}

fn written(values: impl Iterator<Item = ast::ChoiceValue>, span: Span) -> ast::Type {
    let choices = values.map(|value| ast::Choice { value, inputs: None, span });
    ast::Type { kind: TypeKind::Choices(choices.collect()), span }
}

/// The type that ComfyUI calls so, unless that says nothing.
pub(super) fn named(comfy: &str, declarations: &dyn Declarations, span: Span) -> Option<ast::Type> {
    if comfy == "COMBO" || comfy.starts_with("COMFY_") {
        return None;
    }
    plain(&data_type(comfy, declarations), span)
}

pub(super) fn named_type(name: &str, span: Span) -> ast::Type {
    ast::Type { kind: TypeKind::Name(name.to_owned()), span }
}

pub(super) fn any(span: Span) -> ast::Type {
    named_type("Any", span)
}

pub(super) fn list_of(ty: ast::Type) -> ast::Type {
    let span = ty.span;
    ast::Type { kind: TypeKind::List(Box::new(ty)), span }
}

pub(super) fn optional(ty: ast::Type) -> ast::Type {
    let span = ty.span;
    match ty.kind {
        TypeKind::Optional(_) => ty,
        _ => ast::Type { kind: TypeKind::Optional(Box::new(ty)), span },
    }
}

/// A declared type in a declaration that a program brings along.
pub(super) fn in_declaration(ty: &Type, span: Span) -> ast::Type {
    plain(ty, span).unwrap_or_else(|| any(span))
}
