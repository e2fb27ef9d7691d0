//! What a person edits, as params of the program: prompts, input files, seeds, sizes, steps, names of output files.

use super::super::prompt::{InputValue, Json};
use super::inline::Shape;
use super::names::{self, Names};
use super::order::order;
use super::roles::Polarity;
use super::scope::{Binding, BindingKind, Flow, Folded, Item, ItemIndex, ItemInput, Scope, Value, What};
use super::{literals, types, words};
use crate::ast;
use crate::decl::{InputDecl, Literal, NodeDecl, Type};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Makes them of values in the file's own body.
pub(super) fn add(folded: &mut Folded<'_>, names: &mut Names<'_>) {
    let mut found = find(&folded.root, &folded.flows);
    found.sort_by_key(|found| (found.role, found.rank));
    tell_apart(&mut found, &folded.root);
    let mut shared: HashMap<(Role, String, String), usize> = HashMap::new();
    for found in found {
        let given = &folded.root.items[found.item].inputs[found.input];
        let key = |value: &InputValue| (found.role, found.wish.clone(), format!("{value:?}"));
        let binding = match given.value {
            Value::Given(value) => match shared.get(&key(value)) {
                Some(&binding) => binding,
                None => {
                    let name = names.take_name(&found.wish);
                    let binding = found.binding(name, &folded.root, &folded.flows, value);
                    folded.root.bindings.push(binding);
                    shared.insert(key(value), folded.root.bindings.len() - 1);
                    folded.root.bindings.len() - 1
                }
            },
            // It has a name already, because a file name says it.
            Value::Bound(binding) => {
                let known = &folded.root.bindings[binding];
                let (name, value) = (known.name.clone(), known.default);
                if let (BindingKind::Let, Some(value)) = (known.kind, value) {
                    let param = found.binding(name, &folded.root, &folded.flows, value);
                    folded.root.bindings[binding] = param;
                }
                binding
            }
            Value::Output(..) => continue,
        };
        folded.root.items[found.item].inputs[found.input].value = Value::Bound(binding);
    }
}

/// What a value is for; params stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Role {
    Prompt,
    NegativePrompt,
    Text,
    File,
    Seed,
    Size,
    Sampling,
    Value,
    Prefix,
}

struct Found {
    item: ItemIndex,
    input: usize,
    role: Role,
    /// Where its call stands in the text.
    rank: usize,
    wish: String,
    /// What somebody called the call.
    title: Option<String>,
}

/// Of several values that would have one name, those take a title into it whose calls all have that title.
fn tell_apart(found: &mut [Found], root: &Scope<'_>) {
    let value = |found: &Found| format!("{:?}", root.items[found.item].inputs[found.input].value);
    let mut titles: BTreeMap<String, BTreeMap<String, BTreeSet<Option<String>>>> = BTreeMap::new();
    for found in found.iter() {
        let values = titles.entry(found.wish.clone()).or_default();
        values.entry(value(found)).or_default().insert(found.title.clone());
    }
    titles.retain(|_, values| values.len() > 1);
    for found in found.iter_mut() {
        let Some(of) = titles.get(&found.wish).and_then(|values| values.get(&value(found))) else { continue };
        if let (Some(Some(title)), 1) = (of.first(), of.len())
            && !title.contains(&found.wish)
            && let Some(name) = words::join(&[title.clone(), found.wish.clone()])
        {
            found.wish = name;
        }
    }
}

fn find(root: &Scope<'_>, flows: &[Flow<'_>]) -> Vec<Found> {
    let groups = vec![None; root.items.len()];
    let shape = Shape::new(root, &[], flows, &groups);
    let served = names::polarity(root, flows, &shape);
    let mut ranks = vec![0; root.items.len()];
    for (rank, (item, _)) in order(root, &[], &shape, &groups).into_iter().enumerate() {
        ranks[item] = rank;
    }
    let mut found = Vec::new();
    for (item, of) in root.items.iter().enumerate() {
        let serves = shape.uses[item]
            .iter()
            .filter_map(|used| served.get(&(item, used.slot)))
            .fold(Polarity::default(), |all, one| all.or(*one));
        let reader = shape.uses[item].first().map(|used| used.input);
        for (input, given) in of.inputs.iter().enumerate() {
            if !is_text_or_number(root, given.value) {
                continue;
            }
            let role = match of.what {
                What::Node { decl, .. } => role(of, decl, &given.name, serves),
                What::Flow { flow, .. } => {
                    let parameter = &flows[flow].scope.bindings[input];
                    by_name(&parameter.name, parameter.wanted)
                }
            };
            if let Some(role) = role {
                let rank = ranks[shape.host[item]];
                let title = words::title_words(of.title(), of.decl()).and_then(|words| words::join(&words));
                // The others have it in their names already.
                let title =
                    title.filter(|_| of.decl().is_none() || role >= Role::Seed && role != Role::Value);
                found.push(Found { item, input, role, rank, wish: wish(of, given, role, reader), title });
            }
        }
    }
    found
}

fn is_text_or_number(root: &Scope<'_>, value: Value<'_>) -> bool {
    let value = match value {
        Value::Given(value) => Some(value),
        Value::Bound(binding) => root.bindings[binding].default,
        Value::Output(..) => None,
    };
    matches!(
        value,
        Some(InputValue::Json(Json::String(_) | Json::Int(_) | Json::Float(_) | Json::Bool(_)))
            | Some(InputValue::DynamicPrompt(_))
    )
}

/// What an input of a node is for, if a person edits it.
fn role(of: &Item<'_>, decl: &NodeDecl, name: &str, serves: Polarity) -> Option<Role> {
    let input = decl.input(name)?;
    let makes = |comfy: &str| decl.outputs.iter().any(|output| is_data(&output.ty, comfy));
    let primitive = name == "value" && decl.name.starts_with("Primitive");
    let prompt = match serves.word() {
        Some("negative") => Role::NegativePrompt,
        _ => Role::Prompt,
    };
    match (&input.ty, name) {
        (Type::String, _) if input.marks.multiline && makes("CONDITIONING") => Some(prompt),
        (Type::String, "value") if primitive && !serves.is_none() => Some(prompt),
        (Type::String, "value") if primitive => Some(Role::Text),
        (Type::String, "filename_prefix") if decl.output_node => Some(Role::Prefix),
        (_, "value") if primitive => Some(Role::Value),
        (Type::File { folder, .. }, _) if folder.starts_with("input") => Some(Role::File),
        (Type::Int, "width" | "height" | "batch_size" | "length") if makes("LATENT") => Some(Role::Size),
        (Type::Int, _) if input.marks.control_after_generate => Some(Role::Seed),
        (Type::Int | Type::Float, "steps" | "cfg") if of.decl().is_some() => Some(Role::Sampling),
        _ => None,
    }
}

fn is_data(ty: &Type, wanted: &str) -> bool {
    matches!(ty, Type::Data { comfy, .. } if comfy == wanted)
}

/// What a parameter of a flow is for, as its author calls it.
fn by_name(name: &str, wanted: Option<&Type>) -> Option<Role> {
    match (wanted?, name) {
        (Type::String, name) if name.contains("negative") => Some(Role::NegativePrompt),
        (Type::String, name) if name.contains("prompt") || name == "text" => Some(Role::Prompt),
        (Type::File { folder, .. }, _) if folder.starts_with("input") => Some(Role::File),
        (Type::Int, name) if name.contains("seed") => Some(Role::Seed),
        (Type::Int, "width" | "height" | "batch_size" | "length" | "fps") => Some(Role::Size),
        (Type::Int | Type::Float, "steps" | "cfg") => Some(Role::Sampling),
        _ => None,
    }
}

/// The name that a param would best have.
fn wish(of: &Item<'_>, given: &ItemInput<'_>, role: Role, reader: Option<&str>) -> String {
    let title = words::title_words(of.title(), of.decl()).and_then(|words| words::join(&words));
    let own = words::identifier(given.name.rsplit('.').next().unwrap_or(&given.name));
    let own = own.unwrap_or_else(|| "value".to_owned());
    let flow = matches!(of.what, What::Flow { .. });
    match role {
        _ if flow => own,
        Role::Prompt | Role::NegativePrompt => {
            let plain = if role == Role::Prompt { "prompt" } else { "negative_prompt" };
            let title = title
                .filter(|title| !["positive", "negative", "prompt"].iter().any(|word| title.contains(word)));
            title.map_or(plain.to_owned(), |title| format!("{title}_prompt"))
        }
        Role::File => format!("{}_file", title.unwrap_or(own)),
        Role::Text | Role::Value => {
            let reader = reader.and_then(words::identifier).filter(|name| !words::says_nothing(name));
            title.or(reader).unwrap_or(own)
        }
        Role::Seed => "seed".to_owned(),
        Role::Size | Role::Sampling | Role::Prefix => own,
    }
}

impl Found {
    fn binding<'a>(
        &self,
        name: String,
        root: &Scope<'a>,
        flows: &[Flow<'a>],
        value: &'a InputValue,
    ) -> Binding<'a> {
        let of = &root.items[self.item];
        let given = &of.inputs[self.input];
        let parameter = match of.what {
            What::Flow { flow, .. } => Some(&flows[flow].scope.bindings[self.input]),
            What::Node { .. } => None,
        };
        let declared = of.decl().and_then(|decl| decl.input(&given.name));
        let wanted = parameter.map_or(declared.map(|input| &input.ty), |parameter| parameter.wanted);
        let fitting = wanted.filter(|ty| types::fits(value, ty)).and_then(|ty| types::plain(ty, given.span));
        let shown = || match value {
            InputValue::Json(json) => types::plain(&types::json_type(json), given.span),
            _ => types::plain(&Type::String, given.span),
        };
        Binding {
            name,
            kind: BindingKind::Param,
            ty: fitting.or_else(shown),
            comfy: None,
            wanted,
            default: Some(value),
            link: false,
            range: declared.and_then(|input| range(input, value, given)),
            docs: declared.map(|input| input.docs.trim().to_owned()).unwrap_or_default(),
            span: given.span,
        }
    }
}

/// Beyond this, a bound says nothing.
const MOST: i128 = 1 << 32;

/// The declared range, where it says something and the value is in it.
fn range(input: &InputDecl, value: &InputValue, given: &ItemInput<'_>) -> Option<(ast::Expr, ast::Expr)> {
    let (lo, hi) = input.range.as_ref()?;
    let InputValue::Json(json) = value else { return None };
    let number = |literal: &Literal| match literal {
        Literal::Int(value) => Some(*value as f64),
        Literal::Float(value) => Some(*value),
        _ => None,
    };
    let value = match json {
        Json::Int(value) => *value as f64,
        Json::Float(value) => *value,
        _ => return None,
    };
    let (low, high) = (number(lo)?, number(hi)?);
    if !(low..=high).contains(&value) || high > MOST as f64 {
        return None;
    }
    Some((literals::literal(lo, given.span)?, literals::literal(hi, given.span)?))
}
