//! The interface of every class: as declared, or made up of what a workflow shows.

use super::super::prompt::{InputValue, Json, Prompt, PromptNode};
use super::types::{data_type, json_type};
use crate::decl::{Declarations, InputDecl, InputMarks, NodeDecl, NodeMarks, OutputDecl, Text, Type};
use std::collections::HashMap;

/// Interfaces by class.
pub(super) struct Classes<'a> {
    /// What is declared elsewhere.
    pub(super) declarations: &'a dyn Declarations,
    /// Classes that are not, in the order in which a workflow uses them.
    unknown: Vec<NodeDecl>,
    by_name: HashMap<&'a str, usize>,
}

impl<'a> Classes<'a> {
    pub(super) fn new(prompt: &'a Prompt, declarations: &'a dyn Declarations) -> Self {
        let mut classes = Self { declarations, unknown: Vec::new(), by_name: HashMap::new() };
        let mut drafts: Vec<Draft<'a>> = Vec::new();
        for node in &prompt.nodes {
            if declarations.node(&node.class).is_some() {
                continue;
            }
            let place = *classes.by_name.entry(&node.class).or_insert_with(|| {
                drafts.push(Draft::new(&node.class));
                drafts.len() - 1
            });
            drafts[place].see(node);
        }
        for node in &prompt.nodes {
            for input in &node.inputs {
                let InputValue::Link { node: origin, slot } = input.value else { continue };
                let Some(&place) = classes.by_name.get(prompt.nodes[origin].class.as_str()) else { continue };
                drafts[place].linked(slot, wanted(declarations, node, &input.name));
            }
        }
        classes.unknown = drafts.into_iter().map(|draft| draft.declare(prompt, declarations)).collect();
        classes
    }

    /// The interface of a class; every class of the prompt has one.
    pub(super) fn get(&self, class: &str) -> &NodeDecl {
        match self.declarations.node(class) {
            Some(declared) => declared,
            None => &self.unknown[self.by_name[class]],
        }
    }

    /// Classes that nobody declared.
    pub(super) fn unknown(&self) -> &[NodeDecl] {
        &self.unknown
    }

    /// Whether a name is that of a class.
    pub(super) fn is_class(&self, name: &str) -> bool {
        self.declarations.node(name).is_some() || self.by_name.contains_key(name)
    }
}

/// ComfyUI's name of the data that a declared input wants, where it is one type.
fn wanted<'d>(declarations: &'d dyn Declarations, node: &PromptNode, input: &str) -> Option<&'d str> {
    match &declarations.node(&node.class)?.input(input)?.ty {
        Type::Data { comfy, .. } => Some(comfy),
        _ => None,
    }
}

/// What is seen of a class that nobody declared.
struct Draft<'a> {
    class: &'a str,
    pack: Option<&'a str>,
    inputs: Vec<(&'a str, Seen<'a>)>,
    input_places: HashMap<&'a str, usize>,
    /// By slot; empty names are not known.
    outputs: Vec<SeenOutput<'a>>,
    linked: bool,
}

/// What is seen of an output.
#[derive(Clone, Default)]
struct SeenOutput<'a> {
    name: &'a str,
    /// What the file says, or else what its readers want.
    types: Vec<String>,
    listed: bool,
}

/// What is seen of an input.
#[derive(Default)]
struct Seen<'a> {
    /// Types that files say, or types of what is linked.
    named: Vec<&'a str>,
    links: Vec<(usize, u32)>,
    values: Vec<Type>,
}

impl<'a> Draft<'a> {
    fn new(class: &'a str) -> Self {
        Self {
            class,
            pack: None,
            inputs: Vec::new(),
            input_places: HashMap::new(),
            outputs: Vec::new(),
            linked: false,
        }
    }

    fn see(&mut self, node: &'a PromptNode) {
        self.pack = self.pack.or(node.pack.as_deref());
        for input in &node.inputs {
            let place = *self.input_places.entry(&input.name).or_insert_with(|| {
                self.inputs.push((&input.name, Seen::default()));
                self.inputs.len() - 1
            });
            let seen = &mut self.inputs[place].1;
            if let Some(ty) = input.ty.as_deref()
                && !seen.named.contains(&ty)
            {
                seen.named.push(ty);
            }
            match &input.value {
                InputValue::Link { node, slot } => seen.links.push((*node, *slot)),
                InputValue::Json(Json::Null) | InputValue::Dangling { .. } => {}
                InputValue::Json(json) => add(&mut seen.values, json_type(json)),
                InputValue::DynamicPrompt(_) | InputValue::FileName(_) => add(&mut seen.values, Type::String),
            }
        }
        for (slot, (name, ty)) in node.outputs.iter().enumerate() {
            if self.outputs.len() <= slot {
                self.outputs.push(SeenOutput { name, types: vec![ty.clone()], listed: true });
            }
        }
    }

    fn linked(&mut self, slot: u32, wanted: Option<&str>) {
        self.linked = true;
        let slot = slot as usize;
        // Slots of broken files may be anything; those beyond are taken by number.
        if slot >= self.outputs.len() && slot < MOST_OUTPUTS {
            self.outputs.resize(slot + 1, SeenOutput::default());
        }
        if let (Some(output), Some(wanted)) = (self.outputs.get_mut(slot), wanted)
            && !output.listed
            && !output.types.iter().any(|ty| ty == wanted)
        {
            output.types.push(wanted.to_owned());
        }
    }

    fn declare(self, prompt: &Prompt, declarations: &dyn Declarations) -> NodeDecl {
        let output_node = self.outputs.is_empty() && !self.linked;
        let inputs = self.inputs.iter().map(|(name, seen)| InputDecl {
            name: Text::Owned((*name).to_owned()),
            docs: Text::Borrowed(""),
            ty: seen.ty(prompt, declarations),
            optional: true,
            hidden: false,
            default: None,
            range: None,
            marks: InputMarks::default(),
        });
        NodeDecl {
            name: Text::Owned(self.class.to_owned()),
            display: None,
            category: Text::Borrowed(""),
            docs: Text::Borrowed(""),
            output_node,
            takes_lists: false,
            inputs: inputs.collect(),
            outputs: outputs(&self.outputs, declarations).into(),
            marks: NodeMarks {
                pack: self.pack.map(|pack| Text::Owned(pack.to_owned())),
                ..NodeMarks::default()
            },
        }
    }
}

/// More outputs than any node has.
const MOST_OUTPUTS: usize = 256;

fn add(types: &mut Vec<Type>, ty: Type) {
    if !types.contains(&ty) {
        types.push(ty);
    }
}

/// Outputs with names that are unique.
fn outputs(seen: &[SeenOutput<'_>], declarations: &dyn Declarations) -> Vec<OutputDecl> {
    let mut names = super::names::Names::default();
    let outputs = seen.iter().enumerate().map(|(slot, output)| {
        let name = if output.name.is_empty() { format!("output_{slot}") } else { output.name.to_owned() };
        let ty = match output.types.as_slice() {
            [only] => data_type(only, declarations),
            // Different readers want different things: it may be anything.
            _ => Type::Any,
        };
        OutputDecl {
            name: Text::Owned(names.take(&name)),
            docs: Text::Borrowed(""),
            ty,
            is_list: false,
            list_unsaid: false,
        }
    });
    outputs.collect()
}

impl Seen<'_> {
    fn ty(&self, prompt: &Prompt, declarations: &dyn Declarations) -> Type {
        let mut types = self.values.clone();
        if self.named.is_empty() {
            for &(node, slot) in &self.links {
                add(&mut types, source_type(prompt, declarations, node, slot));
            }
        }
        for &ty in &self.named {
            match data_type(ty, declarations) {
                // An editor's own type of texts to choose from.
                Type::Data { comfy, .. } if comfy == "COMBO" => {}
                ty => add(&mut types, ty),
            }
        }
        match types.as_slice() {
            [] if !self.named.is_empty() => Type::String,
            [only] => only.clone(),
            [Type::Int, Type::Float] | [Type::Float, Type::Int] => Type::Float,
            _ => Type::Any,
        }
    }
}

/// The type that a node's output has, as its declaration or the file says.
fn source_type(prompt: &Prompt, declarations: &dyn Declarations, node: usize, slot: u32) -> Type {
    let node = &prompt.nodes[node];
    let slot = slot as usize;
    let listed = || node.outputs.get(slot).map(|(_, ty)| data_type(ty, declarations));
    let declared = declarations.node(&node.class).and_then(|decl| decl.outputs.get(slot));
    match declared.map(|output| output.ty.clone()) {
        Some(Type::Match { .. }) | None => listed().unwrap_or(Type::Any),
        Some(ty) => ty,
    }
}
