//! A program with everything evaluated away: flat calls of nodes.
//!
//! Flows are expanded, loops and known conditions are gone, scalars are computed, params have their values. What remains
//! is a list of calls in the order of their evaluation: a call is linked to earlier ones only. Nothing is said about types:
//! the check, the exporters and the lowering read this, each for its own purpose.

mod display;
mod value;

use std::ops::Deref;
use std::sync::Arc;

use floe_lang::Span;
use floe_lang::decl::{NodeDecl, Text, Type};
use miette::SourceSpan;

pub(crate) use value::text_weight;
pub use value::{Bundle, Compound, Field, Select, Value};

/// An evaluated program.
#[derive(Debug, Clone, Default)]
pub struct Flat {
    /// Calls in the order of their evaluation.
    pub calls: Vec<Call>,
    /// Calls of output nodes at statement level, in order.
    pub effects: Vec<CallId>,
    /// Uses of flows; outer ones come before those inside them.
    pub instances: Vec<Instance>,
    /// The params with their values, in the order of the text.
    pub params: Vec<Bound>,
}

/// The place of a call in [`Flat::calls`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// The place of a use of a flow in [`Flat::instances`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u32);

impl CallId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl InstanceId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where something is written: a span of one of the program's files, of which 0 is the program itself.
///
/// As a [`SourceSpan`] the number of the file is the upper half of the offset, so that messages need no second field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the file.
    pub file: u32,
    /// Where in the file.
    pub span: Span,
}

// Offsets of messages hold the number of their file above 32 bits.
const _: () = assert!(usize::BITS >= 64);

impl From<Place> for SourceSpan {
    fn from(place: Place) -> SourceSpan {
        let offset = ((place.file as usize) << u32::BITS) | place.span.start as usize;
        SourceSpan::new(offset.into(), place.span.len())
    }
}

/// A param with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Its name.
    pub name: String,
    /// Its value; poison where something is wrong with it.
    pub value: Value,
    /// Whether it was drawn at random.
    pub drawn: bool,
}

/// A declaration of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Decl {
    /// One of the library.
    Library(&'static NodeDecl),
    /// One that a program brings along, or the interface of a flow that is switched off.
    Program(Arc<NodeDecl>),
}

impl Deref for Decl {
    type Target = NodeDecl;

    fn deref(&self) -> &NodeDecl {
        match self {
            Decl::Library(decl) => decl,
            Decl::Program(decl) => decl,
        }
    }
}

/// One call of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called.
    pub decl: Decl,
    /// What it is given, in the order of the text. Inputs of dynamic choices and growing inputs are named `name.input`.
    pub args: Vec<Arg>,
    /// Whether it is lifted over its list arguments.
    pub each: bool,
    /// Whether it is switched off.
    pub mode: Mode,
    /// What its annotations say.
    pub marks: Marks,
    /// What to call it, unique in its instance: the name that its result is bound to, where there is one.
    pub name: Arc<str>,
    /// The flow that it belongs to.
    pub instance: Option<InstanceId>,
    /// Inputs that it lost because what they were linked to is switched off, with the place of that.
    pub cut: Vec<(Text, Place)>,
    /// The types that its templates stand for, as far as its links tell.
    pub matched: Vec<(Text, Type)>,
    /// The name of what is called.
    pub place: Place,
    /// Only to be checked: it is part of a branch that is not taken, or of a flow that is not called.
    pub shadow: bool,
    /// Something is wrong with it, which has been said.
    pub broken: bool,
}

/// One argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// The input.
    pub name: Text,
    /// What it is given.
    pub value: Value,
    /// The value.
    pub place: Place,
    /// The name, or the value where it has none.
    pub name_place: Place,
}

/// Whether a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It does.
    #[default]
    On,
    /// What it would give is missing.
    Mute,
    /// What it is given passes through, by type.
    Bypass,
}

/// What annotations say of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    /// Its id in a workflow file.
    pub id: Option<Arc<str>>,
    /// A title for people.
    pub label: Option<Arc<str>>,
    /// Left and upper edge in an editor.
    pub pos: Option<(f64, f64)>,
    /// Where it runs.
    pub device: Option<Arc<str>>,
    /// Whether its results are not kept.
    pub nocache: bool,
    /// Values that a workflow file holds for inputs whose names nobody knows.
    pub widgets: Vec<Value>,
}

/// One use of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The flow's name.
    pub flow: Arc<str>,
    /// Where the flow is defined: the same place is the same flow.
    pub definition: Place,
    /// What to call this use, unique in the instance around it.
    pub name: Arc<str>,
    /// What annotations say of it.
    pub marks: Marks,
    /// The use of another flow that it belongs to.
    pub parent: Option<InstanceId>,
    /// What it is given, by the flow's parameters in their order; defaults too.
    pub args: Vec<(Arc<str>, Value)>,
    /// What it gives, in the order of the flow's outputs.
    pub outputs: Vec<(Option<Arc<str>>, Value)>,
    /// The name of what is called.
    pub place: Place,
}

impl Flat {
    /// A call by its id.
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// The instances around an instance and itself, outermost first.
    pub fn path(&self, instance: Option<InstanceId>) -> Vec<&Instance> {
        let mut path = Vec::new();
        let mut next = instance;
        while let Some(id) = next {
            let instance = &self.instances[id.index()];
            path.push(instance);
            next = instance.parent;
        }
        path.reverse();
        path
    }

    /// The name of a call in plans and messages, unique in the program: `samples`, `render:samples`.
    pub fn origin(&self, call: &Call) -> String {
        let path = self.path(call.instance);
        let names = path.iter().map(|instance| instance.name.as_ref());
        names.chain([call.name.as_ref()]).collect::<Vec<_>>().join(":")
    }
}
