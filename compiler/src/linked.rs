//! Values that links bring, against the declarations of the inputs that take them: what a socket of any type hands on
//! shows its type only when facts are known.

use std::collections::BTreeMap;

use floe_lang::decl::{ChoiceValue, InputDecl, Literal, Type};
use floe_stdlib::{Fact, NodeDecl, Part, Scalar};

use crate::error::{CompileError, suggest};
use crate::graph::{Node, Operand};

/// What is wrong with a value that a link brings; `None` where nothing is, or where it is not known.
pub(crate) fn check(decl: &NodeDecl, node: &Node, facts: &BTreeMap<&str, Fact>) -> Option<CompileError> {
    node.inputs.iter().find_map(|(name, operand)| {
        // What a program gives by itself was checked before.
        let linked = matches!(operand, Operand::Output(..) | Operand::List(_));
        let fact = facts.get(name.as_ref()).filter(|_| linked)?;
        let input = declared(&decl.inputs, name, facts)?;
        wrong_kind(input, name, fact, node)
            .or_else(|| out_of_range(input, name, fact, node))
            .or_else(|| not_a_choice(input, name, fact, node))
    })
}

/// The declaration of an input; those of choices and growing inputs are called `name.input`.
fn declared<'d>(inputs: &'d [InputDecl], name: &str, facts: &BTreeMap<&str, Fact>) -> Option<&'d InputDecl> {
    let mut inputs = inputs;
    let mut start = 0;
    loop {
        let rest = &name[start..];
        if let Some(input) = inputs.iter().find(|input| input.name == rest) {
            return Some(input);
        }
        let (outer, _) = rest.split_once('.')?;
        let input = inputs.iter().find(|input| input.name == outer)?;
        let chosen = facts.get(&name[..start + outer.len()]);
        start += outer.len() + 1;
        match (&input.ty, chosen) {
            (Type::Grow { element, .. }, _) => return element.first(),
            (Type::Dynamic(choices), Some(Fact::Scalar(Scalar::String(key)))) => {
                inputs = &choices.iter().find(|choice| choice.key == *key)?.inputs;
            }
            _ => return None,
        }
    }
}

fn wrong_kind(input: &InputDecl, name: &str, fact: &Fact, node: &Node) -> Option<CompileError> {
    (!fits(&input.ty, fact)).then(|| CompileError::FacetConflict {
        reason: format!("`{name}` takes {}, but what comes through this link is {}", input.ty, kind(fact)),
        help: "link it to something of the right type".to_owned(),
        span: node.source.input(name),
    })
}

/// Whether a value may be what a type says; yes where too little is known of it.
fn fits(ty: &Type, fact: &Fact) -> bool {
    match (ty, fact) {
        (Type::Any, _) | (_, Fact::Unknown(_) | Fact::Open) => true,
        (Type::Match { allowed, .. }, fact) => allowed.is_empty() || allowed.iter().any(|ty| fits(ty, fact)),
        (Type::Union(types), fact) => types.iter().any(|ty| fits(ty, fact)),
        (Type::List(_) | Type::Grow { .. }, _) => true,
        (Type::Data { widget: true, .. }, Fact::Scalar(_) | Fact::List(_)) => true,
        (Type::Data { comfy, .. }, fact) => data_type(fact).is_some_and(|name| name == comfy.as_ref()),
        (Type::Int, Fact::Scalar(Scalar::Int(_))) => true,
        (Type::Float, Fact::Scalar(Scalar::Int(_) | Scalar::Float(_))) => true,
        (Type::Bool, Fact::Scalar(Scalar::Bool(_))) => true,
        (Type::String | Type::File { .. } | Type::Dynamic(_), Fact::Scalar(Scalar::String(_))) => true,
        (Type::Choice { .. }, Fact::Scalar(Scalar::String(_) | Scalar::Int(_))) => true,
        _ => false,
    }
}

/// ComfyUI's name of the type of data.
fn data_type(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Part(loaded) => Some(part_type(loaded.part)),
        Fact::Unseen { part, .. } => Some(part_type(*part)),
        Fact::Conditioning(_) => Some("CONDITIONING"),
        Fact::Latent(_) => Some("LATENT"),
        Fact::Image { .. } => Some("IMAGE"),
        Fact::Mask { .. } => Some("MASK"),
        Fact::Scalar(_) | Fact::List(_) | Fact::Unknown(_) | Fact::Open => None,
    }
}

fn part_type(part: Part) -> &'static str {
    match part {
        Part::Model => "MODEL",
        Part::Clip => "CLIP",
        Part::Vae => "VAE",
    }
}

/// What a value is, in words.
fn kind(fact: &Fact) -> String {
    match fact {
        Fact::Scalar(scalar) => format!("the value {scalar}"),
        Fact::List(_) => "a list".to_owned(),
        other => format!("of type {}", data_type(other).unwrap_or("unknown")),
    }
}

fn number(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Int(value) => Some(*value as f64),
        Literal::Float(value) => Some(*value),
        _ => None,
    }
}

fn out_of_range(input: &InputDecl, name: &str, fact: &Fact, node: &Node) -> Option<CompileError> {
    let (lo, hi) = input.range.as_ref()?;
    let value = match fact {
        Fact::Scalar(Scalar::Int(value)) => *value as f64,
        Fact::Scalar(Scalar::Float(value)) => *value,
        _ => return None,
    };
    let (least, most) = (number(lo)?, number(hi)?);
    let above = value > most;
    (above || value < least).then(|| CompileError::OutOfRange {
        input: name.to_owned(),
        value: kind(fact),
        above,
        lo: Some(least.to_string()),
        hi: Some(most.to_string()),
        span: node.source.input(name),
    })
}

fn not_a_choice(input: &InputDecl, name: &str, fact: &Fact, node: &Node) -> Option<CompileError> {
    let (Type::Choice { values, .. }, Fact::Scalar(Scalar::String(text))) = (&input.ty, fact) else {
        return None;
    };
    let known = |value: &ChoiceValue| matches!(value, ChoiceValue::Str(known) if known == text);
    if values.iter().any(known) {
        return None;
    }
    let names: Vec<&str> = values
        .iter()
        .filter_map(|value| match value {
            ChoiceValue::Str(known) => Some(known.as_ref()),
            ChoiceValue::Int(_) => None,
        })
        .collect();
    Some(CompileError::NotAChoice {
        input: name.to_owned(),
        value: format!("{text:?}"),
        suggestion: suggest(text, names.iter().copied()).map(|name| format!("{name:?}")),
        choices: names.iter().map(|name| format!("{name:?}")).collect(),
        span: node.source.input(name),
    })
}
