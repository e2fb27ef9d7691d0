//! Who reads what, and which calls are written inside of the call that reads them.

use super::super::prompt::{InputValue, Json, NamePiece};
use super::args::{Arg, ArgValue, args};
use super::graph::data_flow;
use super::scope::{Flow, FlowOutput, Item, ItemIndex, Scope, Value, What};
use super::words;
use crate::decl::Type;

/// Calls are written inside of calls inside of a call, but no deeper.
const DEPTH: u32 = 2;

/// Only calls of at most this many characters are written inside of others.
const WIDTH: usize = 64;

/// How a name is counted that is not chosen yet.
const NAME_WIDTH: usize = 7;

/// Someone who reads a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use<'s> {
    /// Which output is read.
    pub(super) slot: u32,
    /// Who reads it; none where the flow gives it to its caller.
    pub(super) reader: Option<ItemIndex>,
    /// The name of the input or of the flow's output.
    pub(super) input: &'s str,
}

/// What is known of a body before names and order.
pub(super) struct Shape<'s> {
    /// By item: its arguments.
    pub(super) args: Vec<Vec<Arg<'s>>>,
    /// By item: its readers.
    pub(super) uses: Vec<Vec<Use<'s>>>,
    /// An order in which each item follows what it is given.
    pub(super) order: Vec<ItemIndex>,
    /// By item: the one that it is written in, itself for those that are statements.
    pub(super) host: Vec<ItemIndex>,
    /// By item: about how many characters its call has, without what follows a line break in it.
    pub(super) width: Vec<usize>,
}

impl<'s> Shape<'s> {
    pub(super) fn new(
        scope: &'s Scope<'_>,
        outputs: &'s [FlowOutput<'_>],
        flows: &'s [Flow<'_>],
        groups: &[Option<usize>],
    ) -> Self {
        let count = scope.items.len();
        let args: Vec<Vec<Arg<'s>>> = scope.items.iter().map(|item| args(scope, item, flows)).collect();
        let order = data_flow(count, |item| scope.items[item].links().map(|(source, _)| source));
        let mut shape = Shape {
            uses: uses(scope, outputs),
            args,
            // Bodies have no circles: see `Graph` and `fold`.
            order: order.unwrap_or_default(),
            host: (0..count).collect(),
            width: vec![0; count],
        };
        shape.nest(scope, flows, groups);
        shape
    }

    /// Whether an item is a statement.
    pub(super) fn is_statement(&self, item: ItemIndex) -> bool {
        self.host[item] == item
    }

    fn nest(&mut self, scope: &Scope<'_>, flows: &[Flow<'_>], groups: &[Option<usize>]) {
        let mut depth = vec![0; scope.items.len()];
        for reader in self.order.clone() {
            let sources = self.sources(reader);
            let fits = |shape: &Self, source: ItemIndex| {
                groups[source] == groups[reader] && depth[source] < DEPTH && shape.may_nest(scope, source)
            };
            let nested: Vec<ItemIndex> = sources
                .iter()
                .copied()
                .filter(|&source| {
                    let mut alike = sources.iter().filter(|&&other| same_class(scope, source, other));
                    alike.all(|&other| fits(self, other))
                })
                .collect();
            for &source in &nested {
                self.host[source] = reader;
                depth[reader] = depth[reader].max(depth[source] + 1);
            }
            self.width[reader] = self.width_of(scope, flows, reader);
        }
        for at in (0..self.order.len()).rev() {
            let item = self.order[at];
            self.host[item] = self.host[self.host[item]];
        }
    }

    /// The items that an item is given, in the order of its arguments.
    pub(super) fn sources(&self, item: ItemIndex) -> Vec<ItemIndex> {
        let mut sources = Vec::new();
        for arg in &self.args[item] {
            arg.value.each_value(&mut |value| {
                if let Value::Output(source, _) = value {
                    sources.push(source);
                }
            });
        }
        sources
    }

    /// Small calls with one output and one reader. What is loaded has a name, for it is what people look for; so has
    /// what somebody gave a title.
    fn may_nest(&self, scope: &Scope<'_>, item: ItemIndex) -> bool {
        let of = &scope.items[item];
        let What::Node { node, decl, .. } = of.what else { return false };
        let [Use { slot: 0, reader: Some(_), input }] = self.uses[item].as_slice() else { return false };
        decl.outputs.len() == 1
            && !decl.output_node
            && node.unnamed.is_empty()
            && self.width[item] <= WIDTH
            && !is_loader(of)
            && !says_more(of, input)
    }

    fn width_of(&self, scope: &Scope<'_>, flows: &[Flow<'_>], item: ItemIndex) -> usize {
        let callee = match scope.items[item].what {
            What::Node { node, .. } => node.class.len(),
            What::Flow { flow, .. } => flows[flow].name.len(),
        };
        let args = self.args[item].iter().map(|arg| {
            let name = arg.name.map_or(0, |name| name.len() + 2);
            let mut width = 0;
            arg.value.each_value(&mut |value| width += self.value_width(scope, value) + 2);
            // `name:` is short for `name: name`.
            let short = match arg.value {
                ArgValue::Value(Value::Output(source, _), _) => self.host[source] == source,
                ArgValue::Value(Value::Bound(binding), _) => {
                    arg.name == Some(scope.bindings[binding].name.as_str())
                }
                _ => false,
            };
            if short { width.max(name + 1) } else { name + width }
        });
        callee + args.sum::<usize>()
    }

    fn value_width(&self, scope: &Scope<'_>, value: Value<'_>) -> usize {
        match value {
            Value::Output(source, _) if self.host[source] != source => self.width[source],
            Value::Output(..) => NAME_WIDTH,
            Value::Bound(binding) => scope.bindings[binding].name.len(),
            Value::Given(InputValue::Json(json)) => json_width(json),
            Value::Given(InputValue::DynamicPrompt(text)) => text.len() + 11,
            Value::Given(InputValue::FileName(pieces)) => pieces
                .iter()
                .map(|piece| if let NamePiece::Text(text) = piece { text.len() } else { 19 })
                .sum(),
            Value::Given(_) => 2 * NAME_WIDTH,
        }
    }
}

fn json_width(json: &Json) -> usize {
    match json {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| json_width(item) + 2).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| name.len() + json_width(value) + 4).sum(),
        _ => 4,
    }
}

fn uses<'s>(scope: &'s Scope<'_>, outputs: &'s [FlowOutput<'_>]) -> Vec<Vec<Use<'s>>> {
    let mut uses: Vec<Vec<Use<'s>>> = vec![Vec::new(); scope.items.len()];
    for (reader, item) in scope.items.iter().enumerate() {
        for input in &item.inputs {
            if let Value::Output(source, slot) = input.value {
                uses[source].push(Use { slot, reader: Some(reader), input: &input.name });
            }
        }
    }
    for output in outputs {
        uses[output.item].push(Use { slot: output.slot, reader: None, input: &output.name });
    }
    uses
}

fn same_class(scope: &Scope<'_>, a: ItemIndex, b: ItemIndex) -> bool {
    match (scope.items[a].what, scope.items[b].what) {
        (What::Node { node: a, .. }, What::Node { node: b, .. }) => a.class == b.class,
        (What::Flow { flow: a, .. }, What::Flow { flow: b, .. }) => a == b,
        _ => false,
    }
}

/// Whether an item reads a model from a file.
pub(super) fn is_loader(item: &Item<'_>) -> bool {
    let What::Node { decl, .. } = item.what else { return false };
    if item.links().next().is_some() || decl.outputs.is_empty() {
        return false;
    }
    let reads_models = decl.visible_inputs().any(|input| match &input.ty {
        Type::File { folder, .. } => !folder.starts_with("input") && !folder.starts_with("output"),
        _ => false,
    });
    let words = words::class_words(&decl.name);
    let called_so = words.iter().any(|word| matches!(word.as_str(), "loader" | "load"));
    reads_models || called_so && decl.outputs.iter().any(|output| is_model(&output.ty))
}

fn is_model(ty: &Type) -> bool {
    match ty {
        Type::Data { comfy, .. } => {
            comfy.contains("MODEL") || matches!(&**comfy, "CLIP" | "VAE" | "CONTROL_NET")
        }
        _ => false,
    }
}

/// Whether a title says more than the input that an item is given to.
fn says_more(item: &Item<'_>, input: &str) -> bool {
    let Some(title) = words::title_words(item.title(), item.decl()) else { return false };
    let said = |word: &String| {
        input.contains(word.as_str()) || matches!(word.as_str(), "prompt" | "conditioning" | "text" | "input")
    };
    !title.iter().all(said)
}
