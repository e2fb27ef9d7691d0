//! The prompt: every node that runs, with the values of its widgets and what its sockets are linked to.

use super::budget::{Budget, weight};
use super::file::{Node, Origin, declared};
use super::log::Log;
use super::promote::Promotions;
use super::resolve::{Found, Resolver, Source};
use super::scopes::{ScopeAt, Scopes, Site};
use super::tokens;
use super::types::comfy_name;
use super::{primitives, widgets};
use crate::comfy::Limits;
use crate::comfy::error::ImportWarning;
use crate::comfy::prompt::{
    InputValue, Instance, InstanceIndex, InstanceInput, InstanceOutput, Json, Prompt, PromptInput, PromptNode,
};
use crate::decl::InputDecl;
use crate::text::dynamic_prompt;
use std::collections::HashMap;

/// Everything but notes, groups and what is switched off.
pub(super) fn emit(
    scopes: &Scopes<'_, '_>,
    promoted: &[Vec<bool>],
    limits: Limits,
    budget: &mut Budget,
    log: &mut Log,
) -> Prompt {
    let mut emitter = Emitter {
        scopes,
        resolver: Resolver::new(scopes, promoted, limits.steps),
        promotions: Promotions::new(scopes, promoted),
        pending: Vec::new(),
        budget,
        log,
    };
    let (mut nodes, mut instances) = (Vec::new(), Vec::new());
    for &site in scopes.order.iter() {
        nodes.push(emitter.node(site));
        if emitter.budget.is_spent() {
            return Prompt::default();
        }
    }
    for scope in 1..scopes.all.len() {
        instances.push(emitter.instance(scope));
        if emitter.budget.is_spent() {
            return Prompt::default();
        }
    }
    let pending = std::mem::take(&mut emitter.pending);
    let mut prompt = Prompt { nodes, instances, ..Prompt::default() };
    tokens::resolve(scopes, &mut prompt, &pending, log);
    prompt
}

/// The instance of a scope: scopes and instances are in the same order, but the root is no instance.
pub(super) fn instance_of(scope: ScopeAt) -> Option<InstanceIndex> {
    scope.checked_sub(1)
}

struct Emitter<'e, 'f, 'v> {
    scopes: &'e Scopes<'f, 'v>,
    resolver: Resolver<'e, 'f, 'v>,
    promotions: Promotions<'e, 'f, 'v>,
    /// Inputs whose text is a file name with something to fill in: node of the prompt, input.
    pending: Vec<(usize, usize)>,
    budget: &'e mut Budget,
    log: &'e mut Log,
}

/// Inputs as they are gathered: a later one of the same name takes the place of an earlier one.
#[derive(Default)]
struct Inputs {
    list: Vec<PromptInput>,
    /// Places by name, once there are more than a few.
    places: HashMap<String, usize>,
}

impl Inputs {
    const FEW: usize = 32;

    fn put(&mut self, input: PromptInput) {
        match self.place(&input.name) {
            Some(at) => self.list[at] = input,
            None => {
                if !self.places.is_empty() {
                    self.places.insert(input.name.clone(), self.list.len());
                }
                self.list.push(input);
            }
        }
    }

    fn place(&mut self, name: &str) -> Option<usize> {
        if self.list.len() <= Self::FEW {
            return self.list.iter().position(|input| input.name == name);
        }
        if self.places.is_empty() {
            let names = self.list.iter().enumerate().map(|(at, input)| (input.name.clone(), at));
            self.places = names.collect();
        }
        self.places.get(name).copied()
    }
}

impl<'v> Emitter<'_, '_, 'v> {
    fn node(&mut self, site: Site) -> PromptNode {
        let node = self.scopes.node(site);
        let mut inputs = Inputs::default();
        let unnamed = match node.decl {
            Some(_) => {
                self.widgets(site, &mut inputs);
                Vec::new()
            }
            None => self.guessed(site, &mut inputs),
        };
        self.links(site, &mut inputs);
        let outputs = node.outputs.iter().map(|(name, ty)| ((*name).to_owned(), (*ty).to_owned()));
        let id = self.scopes.id(site);
        let texts = node.outputs.iter().map(|(name, ty)| name.len() + ty.len()).sum::<usize>();
        let title = node.written_title().map_or(0, str::len);
        let pack = node.pack();
        self.budget.spend(id.len() + node.class.len() + texts + title + pack.map_or(0, str::len));
        PromptNode {
            id,
            class: node.class.to_owned(),
            title: node.title(),
            pack: pack.map(str::to_owned),
            inputs: inputs.list,
            outputs: outputs.collect(),
            unnamed,
            instance: instance_of(site.0),
            place: node.place(),
            span: node.span,
        }
    }

    fn widgets(&mut self, site: Site, inputs: &mut Inputs) {
        let node = self.scopes.node(site);
        let Some(decl) = node.decl else { return };
        let mut own = widgets::widgets(node, decl, self.log);
        let replaced = primitives::write(self.scopes.graph(site.0), site.1, &mut own, self.log);
        for (at, widget) in own.into_iter().enumerate() {
            if self.budget.is_spent() {
                return;
            }
            let ty = widget.decl.map(|decl| comfy_name(&decl.ty).into_owned());
            let shown = self.shown(site, &widget.name);
            let given = shown.and_then(|_| self.promotions.inner(site, &widget.name, self.log));
            let (value, span) = match (given, widget.value) {
                (Some((value, span)), _) => (InputValue::Json(value), span),
                (None, Some(value)) => {
                    let fills = replaced.contains(&at) || tokens::fills(node.class, &widget.name);
                    if fills && tokens::has_tokens(&value) {
                        self.pending.push((self.scopes.index(site).unwrap_or_default(), inputs.list.len()));
                    }
                    (own_value(widget.decl, value), widget.span)
                }
                (None, None) => continue,
            };
            self.put(
                inputs,
                PromptInput { name: widget.name, value, ty, through: Vec::from_iter(shown), span },
            );
        }
    }

    /// The place among the inputs of the instance of a widget that it shows although no input leads to it.
    fn shown(&self, site: Site, name: &str) -> Option<usize> {
        self.promotions.shown_at(site, name).map(|at| self.scopes.graph(site.0).inputs.len() + at)
    }

    fn guessed(&mut self, site: Site, inputs: &mut Inputs) -> Vec<Json> {
        let node = self.scopes.node(site);
        let guessed = widgets::guess(node, self.log);
        let sockets: HashMap<&str, &str> =
            node.inputs.iter().filter_map(|socket| Some((socket.widget?, socket.ty.as_ref()))).collect();
        for (name, value, span) in guessed.named {
            let shown = self.shown(site, &name);
            let given = shown.and_then(|_| self.promotions.inner(site, &name, self.log));
            let (value, span) = given.unwrap_or((value, span));
            let ty = sockets.get(name.as_str()).map(|ty| (*ty).to_owned());
            let (value, through) = (InputValue::Json(value), Vec::from_iter(shown));
            self.put(inputs, PromptInput { name, value, ty, through, span });
        }
        self.budget.spend(guessed.unnamed.iter().map(weight).sum());
        guessed.unnamed
    }

    fn links(&mut self, site: Site, inputs: &mut Inputs) {
        let node = self.scopes.node(site);
        for (at, socket) in node.inputs.iter().enumerate().filter(|(_, socket)| socket.link.is_some()) {
            let found = self.resolver.input(site, at, &socket.ty, self.log);
            let through = found.through();
            let (value, span) = match found.source {
                Source::Output(node, slot) => {
                    self.check_output(node, slot, socket.name, socket.span);
                    (InputValue::Link { node, slot }, socket.span)
                }
                Source::Promoted(scope, plug) => match self.promotions.value(scope, plug, self.log) {
                    (Some(value), span) => (InputValue::Json(value), span),
                    (None, _) => continue,
                },
                Source::Nothing => continue,
            };
            let name = socket.name.to_owned();
            self.put(inputs, PromptInput { name, value, ty: Some(socket.ty.to_string()), through, span });
            if self.budget.is_spent() {
                return;
            }
        }
    }

    fn put(&mut self, inputs: &mut Inputs, input: PromptInput) {
        let value = match &input.value {
            InputValue::Json(value) => weight(value),
            InputValue::DynamicPrompt(text) => text.len(),
            _ => 0,
        };
        let ty = input.ty.as_ref().map_or(0, String::len);
        self.budget.spend(input.name.len() + ty + value + input.through.len());
        inputs.put(input);
    }

    fn check_output(&mut self, index: usize, slot: u32, input: &str, span: crate::Span) {
        let origin: &Node<'v> = self.scopes.node(self.scopes.order[index]);
        let count = origin.decl.map(|decl| decl.outputs.len());
        if let Some(count) = count.filter(|&count| slot as usize >= count) {
            let (class, input) = (origin.class.to_owned(), input.to_owned());
            self.log.warn(ImportWarning::NoSuchOutput { class, slot, count, span, input });
        }
    }

    fn instance(&mut self, scope: ScopeAt) -> Instance {
        let graph = self.scopes.graph(scope);
        let host = self.scopes.all[scope].host.unwrap_or_default();
        let node = self.scopes.node(host);
        let outputs = graph.outputs.iter().enumerate().map(|(at, plug)| {
            let found = match graph.given[at] {
                Some(Origin::Node { .. }) => self.resolver.output(scope, at, plug.ty, self.log),
                _ => Found::NOTHING,
            };
            let from = if let Source::Output(node, slot) = found.source { Some((node, slot)) } else { None };
            InstanceOutput { name: plug.label.unwrap_or(plug.name).to_owned(), ty: plug.ty.to_owned(), from }
        });
        let outputs = outputs.collect();
        let plugs = graph.inputs.iter().chain(&graph.outputs);
        let texts: usize = plugs.map(|plug| plug.label.unwrap_or(plug.name).len() + plug.ty.len()).sum();
        self.budget.spend(texts + graph.id.len() + graph.name.len());
        Instance {
            id: self.scopes.id(host),
            definition: graph.id.to_owned(),
            name: graph.name.to_owned(),
            title: node.title().filter(|title| title != graph.name),
            parent: instance_of(host.0),
            inputs: self.instance_inputs(scope),
            outputs,
            place: node.place(),
            span: node.span,
        }
    }

    /// The inputs of the definition, then the widgets that some instance shows.
    fn instance_inputs(&self, scope: ScopeAt) -> Vec<InstanceInput> {
        let graph = self.scopes.graph(scope);
        let plugs = graph.inputs.iter().map(|plug| InstanceInput {
            name: plug.label.unwrap_or(plug.name).to_owned(),
            ty: plug.ty.to_owned(),
        });
        let shown = self.promotions.shown(self.scopes.all[scope].graph).iter().map(|&(node, name)| {
            let decl = graph.nodes[node].decl.and_then(|decl| declared(decl, name));
            let ty = decl.map_or("*".to_owned(), |input| comfy_name(&input.ty).into_owned());
            InstanceInput { name: name.to_owned(), ty }
        });
        plugs.chain(shown).collect()
    }
}

/// The value of a widget of the node itself: only there are dynamic prompts resolved.
fn own_value(decl: Option<&InputDecl>, value: Json) -> InputValue {
    match value {
        Json::String(text)
            if decl.is_some_and(|decl| decl.marks.dynamic_prompts) && !dynamic_prompt::is_plain(&text) =>
        {
            InputValue::DynamicPrompt(text)
        }
        value => InputValue::Json(value),
    }
}
