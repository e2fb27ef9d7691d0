//! Which values and links fit which types, and what values are called in messages.

use floe_lang::decl::{ChoiceValue, InputDecl, Literal, Text, Type};

use crate::flat::{Call, Flat, Value};

/// Whether something of type `got` may be linked to an input of type `want`.
pub(crate) fn accepts(want: &Type, got: &Type) -> bool {
    match (want, got) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Match { allowed, .. }, got) => {
            allowed.is_empty() || allowed.iter().any(|want| accepts(want, got))
        }
        (want, Type::Match { allowed, .. }) => {
            allowed.is_empty() || allowed.iter().any(|got| accepts(want, got))
        }
        (Type::Union(types), got) => types.iter().any(|want| accepts(want, got)),
        (want, Type::Union(types)) => types.iter().any(|got| accepts(want, got)),
        (Type::Grow { element, .. }, Type::List(got)) => {
            element.iter().zip(got.iter()).all(|(input, got)| accepts(&input.ty, got))
        }
        (Type::Float, Type::Int) => true,
        (Type::Choice { .. } | Type::Dynamic(_), Type::Choice { .. } | Type::Dynamic(_)) => true,
        (Type::String, Type::Choice { .. } | Type::File { .. }) => true,
        (Type::File { .. }, Type::String) => true,
        // Names that are built in besides are no other kind of file.
        (Type::File { folder: want, .. }, Type::File { folder: got, .. }) => want == got,
        (Type::Data { comfy: want, .. }, Type::Data { comfy: got, .. }) => want == got,
        (Type::List(want), Type::List(got)) => {
            want.iter().zip(got.iter()).all(|(want, got)| accepts(want, got))
        }
        (want, got) => want == got,
    }
}

/// Whether a value fits the type of an input, which may have types that only its default shows.
pub(crate) fn fits_input(flat: &Flat, input: &InputDecl, value: &Value) -> bool {
    match value {
        Value::None => input.optional,
        _ => fits(flat, &input.ty, value) || resembles(input.default.as_ref(), value),
    }
}

/// Whether a value is of the kind of a default: data that an editor has a widget for, such as a colour, is sent as a
/// text, a list or a record.
fn resembles(default: Option<&Literal>, value: &Value) -> bool {
    matches!(
        (default, value),
        (Some(Literal::String(_)), Value::Str(_))
            | (Some(Literal::List(_)), Value::List(_))
            | (Some(Literal::Record(_)), Value::Record(_))
            | (Some(Literal::Int(_)), Value::Int(_))
            | (Some(Literal::Float(_)), Value::Int(_) | Value::Float(_))
            | (Some(Literal::Bool(_)), Value::Bool(_))
    )
}

/// Whether a value fits a type. What is wrong already fits everything.
pub(crate) fn fits(flat: &Flat, want: &Type, value: &Value) -> bool {
    match (want, value) {
        (_, Value::Poison | Value::Dangling { .. }) => true,
        (Type::Union(types), value) => types.iter().any(|want| fits(flat, want, value)),
        (Type::Match { allowed, .. }, value) if !allowed.is_empty() => {
            allowed.iter().any(|want| fits(flat, want, value))
        }
        // ComfyUI has no socket for the whole of them.
        (Type::Grow { .. }, Value::Link { .. }) => false,
        // A text that is not known yet: whether it is one of the choices is seen where the flow is called.
        (Type::Choice { .. } | Type::Dynamic(_), Value::Unknown(got)) if **got == Type::String => true,
        // What an editor's widget holds is its own affair: a text, a list, a record.
        (Type::Data { widget: true, .. }, Value::Str(_) | Value::List(_) | Value::Record(_)) => true,
        (_, Value::Link { .. } | Value::Unknown(_)) => {
            type_of(flat, value).is_some_and(|got| accepts(want, &got))
        }
        (_, Value::None | Value::Outputs(_) | Value::Bundle(_) | Value::Tuple(_)) => false,
        (Type::Any | Type::Match { .. }, _) => true,
        (Type::Int, Value::Int(_)) | (Type::Float, Value::Int(_) | Value::Float(_)) => true,
        (Type::Bool, Value::Bool(_)) => true,
        (Type::String | Type::File { .. } | Type::Dynamic(_), Value::Str(_)) => true,
        (Type::Choice { values, .. }, value) => choice_kind(values, value),
        (Type::List(inner), Value::List(items)) => {
            inner.iter().all(|inner| items.iter().all(|item| fits(flat, inner, item)))
        }
        _ => false,
    }
}

/// Whether a value is of the kind of some choice, though it may be none of them.
fn choice_kind(values: &[ChoiceValue], value: &Value) -> bool {
    values.iter().any(|choice| {
        matches!((choice, value), (ChoiceValue::Str(_), Value::Str(_)) | (ChoiceValue::Int(_), Value::Int(_)))
    })
}

/// The type of an output of a call, with what its templates stand for.
pub(crate) fn output_type(call: &Call, slot: u32) -> Option<Type> {
    let output = call.decl.outputs.get(slot as usize)?;
    let ty = substitute(&output.ty, &call.matched);
    let list = output.is_list || call.each;
    Some(if list && !matches!(ty, Type::List(_)) { Type::List(vec![ty].into()) } else { ty })
}

fn substitute(ty: &Type, matched: &[(Text, Type)]) -> Type {
    match ty {
        Type::Match { template, .. } => {
            let found = matched.iter().find(|(name, _)| name == template);
            found.map_or_else(|| ty.clone(), |(_, ty)| ty.clone())
        }
        Type::List(inner) => Type::List(inner.iter().map(|inner| substitute(inner, matched)).collect()),
        _ => ty.clone(),
    }
}

/// The type of a value; none where it has none that could be written.
pub(crate) fn type_of(flat: &Flat, value: &Value) -> Option<Type> {
    match value {
        Value::Int(_) => Some(Type::Int),
        Value::Float(_) => Some(Type::Float),
        Value::Bool(_) => Some(Type::Bool),
        Value::Str(_) => Some(Type::String),
        Value::Link { call, slot } => output_type(flat.call(*call), *slot),
        Value::Unknown(ty) => Some(ty.as_ref().clone()),
        Value::List(items) => Some(Type::List(vec![common(flat, items)].into())),
        Value::Poison | Value::Dangling { .. } => Some(Type::Any),
        Value::None | Value::Tuple(_) | Value::Record(_) | Value::Bundle(_) => None,
        Value::Select(_) | Value::Outputs(_) => None,
    }
}

/// The type that all values have, `Any` where they differ.
pub(crate) fn common(flat: &Flat, values: &[Value]) -> Type {
    let mut types = values.iter().map(|value| type_of(flat, value));
    match types.next().flatten() {
        Some(first) if types.all(|other| other.as_ref() == Some(&first)) => first,
        _ => Type::Any,
    }
}

/// The same value with nothing known of it but its type, links and places kept.
pub(crate) fn forget(flat: &Flat, value: &Value) -> Value {
    match value {
        Value::Tuple(items) => Value::tuple(items.iter().map(|item| forget(flat, item)).collect()),
        value if value.is_scalar() || matches!(value, Value::List(_)) => {
            type_of(flat, value).map_or(Value::Poison, Value::unknown)
        }
        _ => value.clone(),
    }
}

/// What a value is, in words.
pub(crate) fn describe(flat: &Flat, value: &Value) -> String {
    match value {
        Value::Outputs(call) => {
            let decl = &flat.call(*call).decl;
            match decl.outputs.len() {
                0 => format!("`{}`, which has no outputs", decl.name),
                count => format!("all {count} outputs of `{}`", decl.name),
            }
        }
        Value::Bundle(bundle) => format!("all {} results of `{}`", bundle.items.len(), bundle.flow),
        Value::List(_) => "a list".to_owned(),
        Value::Tuple(items) if items.is_empty() => "nothing".to_owned(),
        Value::Tuple(items) => format!("a tuple of {}", items.len()),
        Value::Record(_) => "a record".to_owned(),
        Value::Select(_) => "a choice with inputs".to_owned(),
        Value::None => "none".to_owned(),
        Value::Poison => "an error".to_owned(),
        value => type_of(flat, value).map_or_else(|| value.to_string(), |ty| ty.to_string()),
    }
}

/// What a value is, in words that say why it is not what is wanted.
pub(crate) fn describe_for(flat: &Flat, want: &Type, value: &Value) -> String {
    let (Type::List(inner), Value::List(items)) = (want, value) else { return describe(flat, value) };
    let odd = items.iter().find(|item| !inner.iter().all(|want| fits(flat, want, item)));
    odd.map_or_else(|| describe(flat, value), |odd| format!("a list with {} in it", describe(flat, odd)))
}

/// What to do about a value of the wrong type, both in words.
pub(crate) fn mismatch_help(want: &str, got: &str) -> String {
    let help = match (want, got) {
        ("Image", "Latent") => "decode it first: `VAEDecode(…, vae:)`",
        ("Latent", "Image") => "encode it first: `VAEEncode(…, vae:)`",
        ("Conditioning", "String") => "encode the prompt first: `CLIPTextEncode(clip, text: …)`",
        ("Model" | "Clip" | "Vae", "String") => {
            "open the file first: `let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: …)`"
        }
        ("Image" | "Mask", "String") => "open the file first: `LoadImage(image: …).IMAGE`",
        ("String", "Int" | "Float" | "Bool") => "write it as text: `f\"{…}\"`",
        ("Int", "Float") => "write a whole number, or make it one with `round(…)`",
        ("Int" | "Float", "String") => "write a number, without quotes",
        ("Int" | "Float", "Bool") => "write a number",
        ("Bool", _) => "write `true` or `false`, without quotes",
        (_, "nothing") => "an `if` without `else`, and a block without a last expression, have no value",
        (_, "a list") => "it takes a single value",
        ("a scalar", _) => "only numbers, texts, `true` and `false` can be written into a text",
        (_, "none") => "only an optional input can be left open",
        _ if want.starts_with('[') && want.get(1..want.len() - 1) == Some(got) => "write a list: `[…]`",
        _ if want.starts_with("File<") => "write the name of a file, in quotes",
        _ => return format!("give it {want}"),
    };
    help.to_owned()
}
