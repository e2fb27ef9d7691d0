//! Which values of a flow's body become its parameters.

use super::super::prompt::{InputValue, InstanceIndex, Json};
use super::fold::{Draft, Folder, is_open};
use super::names::Names;
use super::scope::{Binding, BindingKind, ItemIndex, Scope, Value, What};
use super::{types, words};
use crate::Span;
use crate::ast;
use crate::decl::Type;
use std::collections::HashMap;

/// The parameters of a flow, and where they are used.
pub(super) struct Parameters<'a> {
    bindings: Vec<Binding<'a>>,
    /// By binding: the inputs that take it.
    uses: Vec<Vec<(ItemIndex, usize)>>,
}

/// What one parameter stands for.
#[derive(PartialEq, Eq, Hash)]
enum Source {
    /// An input of the definition, with the values that it has in each instance.
    Input(usize, Vec<u32>),
    /// The same results of nodes in each instance.
    Links(Vec<u32>),
    /// One input of one node.
    Own(ItemIndex, usize),
}

struct Draught {
    through: Option<usize>,
    uses: Vec<(ItemIndex, usize)>,
    link: bool,
    same: bool,
}

/// Chooses them for instances with equal drafts.
pub(super) fn choose<'a>(folder: &Folder<'a>, group: &[Draft<'a>]) -> Parameters<'a> {
    let mut chosen: Vec<Draught> = Vec::new();
    let mut by_source: HashMap<Source, usize> = HashMap::new();
    let mut values = Values::default();
    let Some((first, draft)) = group.first() else {
        return Parameters { bindings: Vec::new(), uses: Vec::new() };
    };
    for (item, of) in draft.items.iter().enumerate() {
        for (input, given) in of.inputs.iter().enumerate() {
            let Value::Given(_) = given.value else { continue };
            let through = given.through.first().copied();
            let all =
                || group.iter().filter_map(|(_, draft)| value(draft, item, input).map(|of| (draft, of)));
            let link = all().any(|(_, value)| matches!(value, InputValue::Link { .. }));
            let open = link || all().any(|(draft, value)| is_open(draft, value));
            if !open && through.is_none() && group.len() == 1 {
                continue;
            }
            let ids: Vec<u32> =
                all().map(|(draft, value)| values.id(folder.value_key(draft, value))).collect();
            let same = ids.iter().all(|&id| id == ids[0]);
            if !open && same && through.is_none() {
                continue;
            }
            let source = match through {
                Some(through) => Source::Input(through, ids),
                None if link => Source::Links(ids),
                None => Source::Own(item, input),
            };
            let place = *by_source.entry(source).or_insert_with(|| {
                chosen.push(Draught { through, uses: Vec::new(), link, same: same && !open });
                chosen.len() - 1
            });
            chosen[place].uses.push((item, input));
        }
    }
    // What must be given comes first, sockets before values; the rest in the order of the definition.
    chosen.sort_by_key(|chosen| (chosen.same, !chosen.link, chosen.through.unwrap_or(usize::MAX)));
    let mut names = Names::default();
    let bindings = chosen.iter().map(|chosen| binding(folder, *first, group, chosen, &mut names)).collect();
    Parameters { bindings, uses: chosen.into_iter().map(|chosen| chosen.uses).collect() }
}

/// Numbers for values, equal for equal ones.
#[derive(Default)]
struct Values {
    ids: HashMap<String, u32>,
}

impl Values {
    fn id(&mut self, key: String) -> u32 {
        let next = self.ids.len() as u32;
        *self.ids.entry(key).or_insert(next)
    }
}

fn value<'a>(draft: &Scope<'a>, item: ItemIndex, input: usize) -> Option<&'a InputValue> {
    match draft.items.get(item)?.inputs.get(input)?.value {
        Value::Given(value) => Some(value),
        _ => None,
    }
}

fn binding<'a>(
    folder: &Folder<'a>,
    instance: InstanceIndex,
    group: &[Draft<'a>],
    chosen: &Draught,
    names: &mut Names,
) -> Binding<'a> {
    let (item, input) = chosen.uses[0];
    let draft = &group[0].1;
    let inputs = &folder.prompt.instances[instance].inputs;
    let declared = chosen.through.and_then(|through| inputs.get(through));
    let given = &draft.items[item].inputs[input];
    let name = name(draft, declared.map(|input| input.name.as_str()), item, &given.name);
    let values = || group.iter().filter_map(|(_, draft)| value(draft, item, input));
    let ty = ty(folder, draft, (item, input), declared.map(|input| input.ty.as_str()), given.span, &values);
    Binding {
        name: names.take_name(&name),
        kind: BindingKind::Parameter,
        ty: Some(ty),
        comfy: declared.map(|input| input.ty.as_str()).filter(|_| chosen.link),
        wanted: wanted(folder, draft, item, input),
        default: if chosen.same { values().next() } else { None },
        link: chosen.link,
        range: None,
        docs: String::new(),
        span: given.span,
    }
}

/// The type of the input that takes it, also through other flows.
fn wanted<'a>(folder: &Folder<'a>, draft: &Scope<'a>, item: ItemIndex, input: usize) -> Option<&'a Type> {
    let of = &draft.items[item];
    match of.what {
        What::Node { decl, .. } => types::declared(decl, &of.inputs[input].name),
        What::Flow { flow, .. } => folder.flows[flow].scope.bindings[input].wanted,
    }
}

/// What people call it, unless that says nothing and the title of what it goes to says more.
fn name(draft: &Scope<'_>, declared: Option<&str>, item: ItemIndex, input: &str) -> String {
    let own = words::identifier(declared.unwrap_or_else(|| last_name(input)));
    let of = &draft.items[item];
    match own {
        Some(own) if !words::says_nothing(&own) => own,
        own => {
            let title = words::title_words(of.title(), of.decl());
            title.map(|words| words.join("_")).or(own).unwrap_or_else(|| "value".to_owned())
        }
    }
}

/// `factor` of `resize_type.factor`.
fn last_name(input: &str) -> &str {
    input.rsplit('.').next().unwrap_or(input)
}

fn ty<'a, I>(
    folder: &Folder<'a>,
    draft: &Scope<'a>,
    (item, input): (ItemIndex, usize),
    declared: Option<&str>,
    span: Span,
    values: &impl Fn() -> I,
) -> ast::Type
where
    I: Iterator<Item = &'a InputValue>,
{
    let of = &draft.items[item];
    let wanted = match of.what {
        What::Node { decl, .. } => types::declared(decl, &of.inputs[input].name)
            .filter(|ty| values().all(|value| types::fits(value, ty)))
            .and_then(|ty| types::plain(ty, span)),
        What::Flow { flow, .. } => folder.flows[flow].scope.bindings[input].ty.clone(),
    };
    let declarations = folder.classes.declarations;
    let named = declared.and_then(|ty| types::named(ty, declarations, span));
    let linked = values().any(|value| matches!(value, InputValue::Link { .. }));
    let seen = || values().find_map(|value| seen(folder, value, span));
    let chosen = if linked { named.or(wanted) } else { wanted };
    let ty = chosen.or_else(seen).unwrap_or_else(|| types::any(span));
    let list = values().any(|value| match value {
        InputValue::Link { node, slot } => folder.graph.is_list(*node, *slot),
        _ => false,
    });
    let null = values().any(|value| matches!(value, InputValue::Json(Json::Null)));
    match (list, null) {
        (true, _) => types::list_of(ty),
        (_, true) => types::optional(ty),
        _ => ty,
    }
}

/// The type that a value shows.
fn seen(folder: &Folder<'_>, value: &InputValue, span: Span) -> Option<ast::Type> {
    match value {
        InputValue::Link { node, slot } => {
            let node = &folder.prompt.nodes[*node];
            let slot = *slot as usize;
            let listed = || {
                let (_, ty) = node.outputs.get(slot)?;
                types::named(ty, folder.classes.declarations, span)
            };
            let declared = folder.classes.get(&node.class).outputs.get(slot);
            declared.and_then(|output| types::plain(&output.ty, span)).or_else(listed)
        }
        InputValue::Json(Json::Null) | InputValue::Dangling { .. } => None,
        InputValue::Json(json) => types::plain(&types::json_type(json), span),
        InputValue::DynamicPrompt(_) | InputValue::FileName(_) => {
            types::plain(&crate::decl::Type::String, span)
        }
    }
}

impl<'a> Parameters<'a> {
    /// What an instance gives them, and the inputs of the instances around it that this came through.
    pub(super) fn args(&self, draft: &Scope<'a>) -> Vec<(&'a InputValue, &'a [usize])> {
        let of = |&(item, input): &(ItemIndex, usize)| {
            let through = draft.items.get(item)?.inputs.get(input)?.through;
            Some((value(draft, item, input)?, through.get(1..).unwrap_or_default()))
        };
        self.uses.iter().filter_map(|uses| of(uses.first()?)).collect()
    }

    /// Puts them into the body.
    pub(super) fn bind(self, scope: &mut Scope<'a>) {
        for (binding, uses) in self.uses.iter().enumerate() {
            for &(item, input) in uses {
                scope.items[item].inputs[input].value = Value::Bound(binding);
            }
        }
        scope.bindings = self.bindings;
    }
}
