//! Prompts of the corpus, and whether two are equal: the rules of `corpus/compare_api.py` with equal ids.

use std::collections::BTreeMap;

use floe_lang::comfy::json::{Kind, Value, parse};
use floe_lang::comfy::prompt::{InputValue, Json, NamePiece, Prompt};
use floe_lang::decl::{Declarations, InputDecl, Literal, Type};
use floe_lang::text::{CivilTime, date_format, dynamic_prompt, js};

/// The time that the expected prompts of the corpus were made at.
pub const NOW: CivilTime = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };

/// A prompt as it is compared: nodes by id.
pub type Flat = BTreeMap<String, FlatNode>;

/// A node as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatNode {
    /// Its class; none where the reference does not know it.
    pub class: Option<String>,
    /// Its inputs by name.
    pub inputs: BTreeMap<String, FlatValue>,
}

/// A value as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum FlatValue {
    /// Id and output of a node.
    Link(String, i128),
    /// `null`.
    Null,
    /// Yes or no.
    Bool(bool),
    /// Any number, as a float.
    Number(f64),
    /// Text.
    String(String),
    /// A list.
    List(Vec<FlatValue>),
    /// Named values.
    Record(BTreeMap<String, FlatValue>),
}

/// A prompt in API format.
///
/// # Panics
/// If the text is no prompt.
pub fn from_api(text: &str) -> Flat {
    let root = parse(text).expect("a prompt is JSON").value;
    let root = match root.get("prompt") {
        Some(inner) if inner.is_object() && inner.get("class_type").is_none() => inner,
        _ => &root,
    };
    let node = |value: &Value<'_>| FlatNode {
        class: value.get("class_type").and_then(Value::text).map(str::to_owned),
        inputs: value
            .get("inputs")
            .map(Value::members)
            .unwrap_or_default()
            .iter()
            .map(|member| (member.key.to_string(), from_value(&member.value)))
            .collect(),
    };
    root.members().iter().map(|member| (member.key.to_string(), node(&member.value))).collect()
}

fn from_value(value: &Value<'_>) -> FlatValue {
    if let [id, slot] = value.items()
        && let (Some(id), Some(slot)) = (id.id(), slot.int())
    {
        return FlatValue::Link(id.into_owned(), slot);
    }
    match &value.kind {
        Kind::Null => FlatValue::Null,
        Kind::Bool(value) => FlatValue::Bool(*value),
        Kind::Int(_) | Kind::Long(_) | Kind::Float(_) => FlatValue::Number(value.number().expect("a number")),
        Kind::String(text) => FlatValue::String(text.to_string()),
        Kind::Array(items) => FlatValue::List(items.iter().map(from_value_inside).collect()),
        Kind::Object(members) => match value.get("__value__") {
            Some(inner) if members.iter().all(|member| member.key.starts_with("__")) => {
                from_value_inside(inner)
            }
            _ => FlatValue::Record(
                members
                    .iter()
                    .map(|member| (member.key.to_string(), from_value_inside(&member.value)))
                    .collect(),
            ),
        },
    }
}

/// Inside of values, nothing is a link.
fn from_value_inside(value: &Value<'_>) -> FlatValue {
    match &value.kind {
        Kind::Array(items) => FlatValue::List(items.iter().map(from_value_inside).collect()),
        _ => from_value(value),
    }
}

/// A prompt that was read, submitted at [`NOW`] with the first of all alternatives.
pub fn from_prompt(prompt: &Prompt) -> Flat {
    let node = |node: &floe_lang::comfy::prompt::PromptNode| FlatNode {
        class: Some(node.class.clone()),
        inputs: node
            .inputs
            .iter()
            .map(|input| (input.name.clone(), from_input(&input.value, prompt)))
            .collect(),
    };
    prompt.nodes.iter().map(|it| (it.id.clone(), node(it))).collect()
}

fn from_input(value: &InputValue, prompt: &Prompt) -> FlatValue {
    match value {
        InputValue::Link { node, slot } => FlatValue::Link(prompt.nodes[*node].id.clone(), (*slot).into()),
        InputValue::Dangling { id, slot } => FlatValue::Link(id.clone(), (*slot).into()),
        InputValue::Json(value) => from_json(value),
        InputValue::DynamicPrompt(text) => FlatValue::String(dynamic_prompt::first(text)),
        InputValue::FileName(pieces) => {
            FlatValue::String(pieces.iter().map(|piece| from_piece(piece, prompt)).collect())
        }
    }
}

fn from_piece(piece: &NamePiece, prompt: &Prompt) -> String {
    match piece {
        NamePiece::Text(text) => text.clone(),
        NamePiece::Date(format) => date_format::format(format, NOW),
        NamePiece::Widget(node, name) => {
            let input = prompt.nodes[*node].inputs.iter().find(|input| input.name == *name);
            match input.map(|input| &input.value) {
                Some(InputValue::Json(value)) => js::text(value),
                other => panic!("a file name is made of a value, not of {other:?}"),
            }
        }
    }
}

fn from_json(value: &Json) -> FlatValue {
    match value {
        Json::Null => FlatValue::Null,
        Json::Bool(value) => FlatValue::Bool(*value),
        Json::Int(value) => FlatValue::Number(*value as f64),
        Json::Float(value) => FlatValue::Number(*value),
        Json::String(text) => FlatValue::String(text.clone()),
        Json::Array(items) => FlatValue::List(items.iter().map(from_json).collect()),
        Json::Object(members) => {
            FlatValue::Record(members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect())
        }
    }
}

/// What is different, one line each; nothing where they are equal. A missing input has the default of its class. Of a
/// node whose class the reference does not know, only links are compared.
pub fn differences(expected: &Flat, actual: &Flat, declarations: &dyn Declarations) -> Vec<String> {
    let mut told = Vec::new();
    for id in actual.keys().filter(|id| !expected.contains_key(*id)) {
        told.push(format!("node {id} is unexpected"));
    }
    for (id, want) in expected {
        match actual.get(id) {
            None => told.push(format!("node {id} ({:?}) is missing", want.class)),
            Some(got) if want.class.is_some() && want.class != got.class => {
                told.push(format!("node {id} is a {:?}, not a {:?}", got.class, want.class));
            }
            Some(got) => told.extend(
                node_differences(want, got, declarations).into_iter().map(|line| format!("node {id} {line}")),
            ),
        }
    }
    told
}

fn node_differences(want: &FlatNode, got: &FlatNode, declarations: &dyn Declarations) -> Vec<String> {
    let class = got.class.as_deref().unwrap_or("");
    let names: std::collections::BTreeSet<&String> = want.inputs.keys().chain(got.inputs.keys()).collect();
    let mut told = Vec::new();
    for name in names {
        let value =
            |node: &FlatNode| node.inputs.get(name).cloned().or_else(|| default(class, name, declarations));
        let (wanted, given) = (value(want), value(got));
        let link = matches!(wanted, Some(FlatValue::Link(..)));
        if (want.class.is_some() || link) && !equal(wanted.as_ref(), given.as_ref()) {
            told.push(format!("({class}) {name}: want {wanted:?}, got {given:?}"));
        }
    }
    told
}

/// Floats are compared as they are, NaN equals itself.
fn equal(a: Option<&FlatValue>, b: Option<&FlatValue>) -> bool {
    match (a, b) {
        (Some(FlatValue::Number(a)), Some(FlatValue::Number(b))) => a == b || (a.is_nan() && b.is_nan()),
        _ => a == b,
    }
}

fn default(class: &str, name: &str, declarations: &dyn Declarations) -> Option<FlatValue> {
    let input: &InputDecl = declarations.node(class)?.input(name)?;
    if let Some(default) = &input.default {
        return Some(from_literal(default));
    }
    match &input.ty {
        Type::Choice { values, .. } => values.first().map(|value| match value {
            floe_lang::decl::ChoiceValue::Str(text) => FlatValue::String(text.to_string()),
            floe_lang::decl::ChoiceValue::Int(value) => FlatValue::Number(*value as f64),
        }),
        _ => None,
    }
}

/// A declared value.
pub(crate) fn from_literal(value: &Literal) -> FlatValue {
    match value {
        Literal::Int(value) => FlatValue::Number(*value as f64),
        Literal::Float(value) => FlatValue::Number(*value),
        Literal::Bool(value) => FlatValue::Bool(*value),
        Literal::String(text) => FlatValue::String(text.to_string()),
        Literal::List(items) => FlatValue::List(items.iter().map(from_literal).collect()),
        Literal::Record(fields) => FlatValue::Record(
            fields.iter().map(|(name, value)| (name.to_string(), from_literal(value))).collect(),
        ),
    }
}
