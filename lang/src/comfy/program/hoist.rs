//! File names that contain values of widgets: the value gets a name, and both places use it.

use super::super::prompt::{InputValue, Json, NamePiece, NodeIndex, Prompt};
use super::literals;
use super::names::Names;
use super::places::Place;
use super::scope::{Binding, BindingKind, Folded, Scope, Value};
use super::{types, words};
use crate::Span;
use crate::ast::{Arg, Expr, ExprKind, FPart};

/// Names every known value that a file name in the same body refers to.
pub(super) fn hoist(folded: &mut Folded<'_>, top: &mut Names<'_>) {
    for flow in &mut folded.flows {
        let mut names = Names::inside(top);
        flow.scope.bindings.iter().for_each(|binding| names.reserve(&binding.name));
        hoist_in(&mut flow.scope, &mut names);
    }
    hoist_in(&mut folded.root, top);
}

fn hoist_in(scope: &mut Scope<'_>, names: &mut Names<'_>) {
    for (item, input) in referred(scope) {
        let wanted = scope.items[item]
            .decl()
            .and_then(|decl| types::declared(decl, &scope.items[item].inputs[input].name));
        let given = &mut scope.items[item].inputs[input];
        let Value::Given(value @ (InputValue::Json(_) | InputValue::DynamicPrompt(_))) = given.value else {
            continue;
        };
        let wish = words::identifier(&given.name).unwrap_or_else(|| "value".to_owned());
        given.value = Value::Bound(scope.bindings.len());
        scope.bindings.push(Binding {
            name: names.take_name(&wish),
            kind: BindingKind::Let,
            ty: None,
            comfy: None,
            wanted,
            default: Some(value),
            link: false,
            range: None,
            docs: String::new(),
            span: given.span,
        });
    }
}

/// The inputs that file names of a body refer to.
fn referred(scope: &Scope<'_>) -> Vec<(usize, usize)> {
    let mut referred = Vec::new();
    for item in &scope.items {
        for input in &item.inputs {
            let Value::Given(InputValue::FileName(pieces)) = input.value else { continue };
            for piece in pieces {
                if let NamePiece::Widget(node, name) = piece {
                    referred.extend(input_of(scope, *node, name));
                }
            }
        }
    }
    referred
}

fn input_of(scope: &Scope<'_>, node: NodeIndex, name: &str) -> Option<(usize, usize)> {
    let item = *scope.found.get(&Place::Node(node))?;
    let input = scope.items[item].inputs.iter().position(|input| input.name == name)?;
    Some((item, input))
}

/// A file name as an expression.
pub(super) fn file_name(prompt: &Prompt, scope: &Scope<'_>, pieces: &[NamePiece], span: Span) -> Expr {
    let mut parts: Vec<FPart> = Vec::new();
    for piece in pieces {
        match piece {
            NamePiece::Text(text) => push_text(&mut parts, text),
            NamePiece::Date(format) => {
                let format = literals::string(format, span);
                parts.push(FPart::Expr(literals::function("now", vec![format], span)));
            }
            NamePiece::Widget(node, name) => match value_of(scope, *node, name, span) {
                Some(value) => parts.push(FPart::Expr(value)),
                None => push_text(&mut parts, &frozen(prompt, *node, name)),
            },
        }
    }
    let text = match parts.as_slice() {
        [] => Some(String::new()),
        [FPart::Text(text)] => Some(text.clone()),
        _ => None,
    };
    Expr { kind: text.map_or(ExprKind::FString(parts), ExprKind::Str), span }
}

/// Neighbouring texts are one.
fn push_text(parts: &mut Vec<FPart>, more: &str) {
    match parts.last_mut() {
        Some(FPart::Text(text)) => text.push_str(more),
        _ if more.is_empty() => {}
        _ => parts.push(FPart::Text(more.to_owned())),
    }
}

/// A named value, as the editor writes it into a file name.
fn value_of(scope: &Scope<'_>, node: NodeIndex, name: &str, span: Span) -> Option<Expr> {
    let (item, input) = input_of(scope, node, name)?;
    let Value::Bound(binding) = scope.items[item].inputs[input].value else { return None };
    let binding = &scope.bindings[binding];
    let named = literals::name(&binding.name, span);
    match binding.default {
        // JavaScript writes 8.0 as 8.
        Some(InputValue::Json(Json::Float(value))) if value.fract() == 0.0 => {
            Some(literals::function("int", vec![named], span))
        }
        Some(InputValue::Json(Json::String(text))) => Some(without_illegal(named, text, span)),
        Some(InputValue::Json(Json::Int(_) | Json::Float(_) | Json::Bool(_))) | None => Some(named),
        Some(_) => None,
    }
}

/// The value with each character replaced that no file name may have.
fn without_illegal(value: Expr, text: &str, span: Span) -> Expr {
    let mut illegal: Vec<char> = text.chars().filter(|&at| is_illegal(at)).collect();
    illegal.sort_unstable();
    illegal.dedup();
    illegal.into_iter().fold(value, |value, at| {
        let args = [at.to_string().as_str(), "_"].map(|text| Arg {
            name: None,
            value: Some(literals::string(text, span)),
            span,
        });
        let method = literals::ident("replace", span);
        let kind = ExprKind::MethodCall { receiver: Box::new(value), method, args: args.into() };
        Expr { kind, span }
    })
}

fn is_illegal(at: char) -> bool {
    matches!(at, '/' | '?' | '<' | '>' | '\\' | ':' | '*' | '|' | '"') || at.is_ascii_control()
}

/// The text of a value in another body, which this one cannot name.
fn frozen(prompt: &Prompt, node: NodeIndex, name: &str) -> String {
    let node = &prompt.nodes[node];
    let value = node.inputs.iter().find(|input| input.name == name).map(|input| &input.value);
    let text = match value {
        Some(InputValue::Json(Json::String(text)) | InputValue::DynamicPrompt(text)) => text.clone(),
        Some(InputValue::Json(Json::Int(value))) => value.to_string(),
        Some(InputValue::Json(Json::Float(value))) => value.to_string(),
        Some(InputValue::Json(Json::Bool(value))) => value.to_string(),
        _ => return format!("%{}.{name}%", node.title.as_ref().unwrap_or(&node.class)),
    };
    text.chars().map(|at| if is_illegal(at) { '_' } else { at }).collect()
}
