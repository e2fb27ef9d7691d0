//! Declarations of nodes as data: what a class takes and gives.
//!
//! The library's declarations are constants of this shape; those that a program brings along for third-party nodes are
//! built at run time. Everything that must know a class reads this: checker, importer, exporter, documentation.
//!
//! [`declare`] makes them of declarations as written, [`NodeDecl::to_ast`] goes back. The fields of [`NodeMarks`] and
//! [`InputMarks`] have the names of their annotations, except:
//!
//! | annotation | is |
//! |---|---|
//! | `@partner` | [`NodeMarks::partner_api`], and the hidden inputs of an account |
//! | `@intermediate` | [`NodeMarks::intermediate_output`] |
//! | `@category @display @output @takes_lists` | fields of [`NodeDecl`] |
//! | `@control_after_generate("fixed")` | [`InputMarks::control_after_generate`] and [`InputMarks::control_start`] |
//! | `@multiline(false)`, `@socketless(false)`, `@control_after_generate(false)` | an entry of [`InputMarks::denied`] |
//! | `@grow(…)` | [`Type::Grow`]; what else is said of the input is said of its sockets |
//! | `@list(none)` | [`OutputDecl::list_unsaid`] |
//! | `@widget` | the field of [`Type::Data`] |
//!
//! What they mean to the people who write them is in the reference of the language, `docs/language.md`.

mod display;
pub mod error;
pub mod from_ast;
mod to_ast;

pub use error::{DeclError, Place};
pub use from_ast::{Declared, Scope, declare};
pub use to_ast::type_to_ast;

use std::borrow::Cow;

/// A text that is a constant or was read.
pub type Text = Cow<'static, str>;

/// A sequence that is a constant or was read.
pub type Items<T> = Cow<'static, [T]>;

/// Where declarations are looked up.
pub trait Declarations {
    /// A node class by its exact name.
    fn node(&self, class: &str) -> Option<&NodeDecl>;

    /// How a data type of ComfyUI, such as `CLIP_VISION`, is called in programs: `ClipVision`.
    fn type_name(&self, comfy: &str) -> Option<&str>;
}

/// Where the types are looked up that declarations give names to.
pub trait NamedTypes {
    /// The data type or set of choices that a declaration calls so.
    fn named_type(&self, name: &str) -> Option<Type>;

    /// The data type that ComfyUI calls so.
    fn comfy_type(&self, comfy: &str) -> Option<Type>;
}

/// A node class: its interface.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeDecl {
    /// ComfyUI's class name.
    pub name: Text,
    /// What people see, where ComfyUI says it: else the class name, see [`NodeDecl::title`].
    pub display: Option<Text>,
    /// Place in menus, such as `model/loaders`.
    pub category: Text,
    /// What it does.
    pub docs: Text,
    /// Whether a call of it at statement level is an effect.
    pub output_node: bool,
    /// Whether it takes lists as they are, rather than being called once for each element.
    pub takes_lists: bool,
    /// Inputs in ComfyUI's order, in which widgets store their values.
    pub inputs: Items<InputDecl>,
    /// Outputs by slot.
    pub outputs: Items<OutputDecl>,
    /// Everything else that ComfyUI says of it.
    pub marks: NodeMarks,
}

/// What only menus and clients need to know of a class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeMarks {
    /// Kept for old workflows.
    pub deprecated: bool,
    /// May still change.
    pub experimental: bool,
    /// Calls a remote paid service.
    pub partner_api: bool,
    /// ComfyUI defines it with the first form of its node interface, and describes it in that form.
    pub v1: bool,
    /// Newer versions of ComfyUI do not have it any more; described as the last one did that had it.
    pub retired: bool,
    /// Shows its result while it runs, though it is no output node.
    pub intermediate_output: bool,
    /// The group among the essential nodes of an editor.
    pub essential: Option<Text>,
    /// The node pack that brings it, as the registry or a repository calls it: `comfyui-impact-pack`, `owner/name`. The
    /// library's own classes have none.
    pub pack: Option<Text>,
}

/// An input of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct InputDecl {
    /// Its name.
    pub name: Text,
    /// What it is for; may be empty.
    pub docs: Text,
    /// Its type.
    pub ty: Type,
    /// Whether it may be left open.
    pub optional: bool,
    /// Whether the runtime fills it in.
    pub hidden: bool,
    /// Its value where a call gives none.
    pub default: Option<Literal>,
    /// Smallest and largest value, both allowed.
    pub range: Option<(Literal, Literal)>,
    /// Everything else that ComfyUI says of it.
    pub marks: InputMarks,
}

/// What editors and importers need to know of an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputMarks {
    /// Distance of values in an editor.
    pub step: Option<Literal>,
    /// Values are rounded to multiples of this.
    pub round: Option<Literal>,
    /// A text of several lines.
    pub multiline: bool,
    /// `{a|b}` and comments in it are resolved when a workflow is submitted.
    pub dynamic_prompts: bool,
    /// A scalar that is always a socket: no widget, no stored value.
    pub force_input: bool,
    /// A widget follows that changes the value after each run; it stores a value and is never sent.
    pub control_after_generate: bool,
    /// What that widget says at first, where it is not an editor's own choice: `fixed`.
    pub control_start: Option<Text>,
    /// An upload button follows, which stores a value in some files and is never sent.
    pub upload: bool,
    /// Folded away at first.
    pub advanced: bool,
    /// Computed only where the node asks for it.
    pub lazy: bool,
    /// Has a widget only: nothing can be linked to it.
    pub socketless: bool,
    /// Neither widget nor socket is shown, though an editor sends its value.
    pub invisible: bool,
    /// What people see in place of the name.
    pub label: Option<Text>,
    /// How a number is shown: `slider`, `number`, `color`.
    pub display: Option<Text>,
    /// The kind of widget, where it does not follow from the type: `PAINTER`.
    pub widget_type: Option<Text>,
    /// What draws the widget: `ImageCrop`.
    pub component: Option<Text>,
    /// The smallest value, where there is no largest one.
    pub min: Option<Literal>,
    /// Properties that ComfyUI explicitly says it has not, where leaving them out would mean the same: `multiline`.
    pub denied: Items<Text>,
}

/// An output of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputDecl {
    /// Its name.
    pub name: Text,
    /// What it is; may be empty.
    pub docs: Text,
    /// Its type: that of one element, where it is a list.
    pub ty: Type,
    /// Whether it gives a list, over which other nodes are mapped.
    pub is_list: bool,
    /// ComfyUI leaves open whether it is a list, which means that it is none.
    pub list_unsaid: bool,
}

/// A known value in a declaration.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A whole number.
    Int(i128),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    String(Text),
    /// Several values.
    List(Items<Literal>),
    /// Named values.
    Record(Items<(Text, Literal)>),
}

/// A type of inputs and outputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// A whole number of 64 bits, signed or unsigned.
    Int,
    /// A number.
    Float,
    /// Yes or no.
    Bool,
    /// Text.
    String,
    /// Anything.
    Any,
    /// One of some values.
    Choice {
        /// The name of the set, if it has one.
        set: Option<Text>,
        /// What may be chosen.
        values: Items<ChoiceValue>,
    },
    /// One of some values, each with inputs of its own.
    Dynamic(Items<DynamicChoice>),
    /// A file by its name in a folder of models, or in `input`.
    File {
        /// The folder, such as `loras` or `input/image`.
        folder: Text,
        /// Choices that are built in besides.
        builtin: Items<Text>,
    },
    /// A type of data: `Model`, `Latent`, `Image`, ….
    Data {
        /// Its name in programs.
        name: Text,
        /// ComfyUI's name.
        comfy: Text,
        /// Whether an editor has a widget for it, such as a colour picker.
        widget: bool,
    },
    /// One of several types.
    Union(Items<Type>),
    /// A list, of which each element is an argument: exactly one type.
    List(Items<Type>),
    /// Sockets that ComfyUI adds as they are linked.
    Grow {
        /// How the sockets are called.
        names: GrowNames,
        /// How many there are at least.
        min: u32,
        /// What each is; named as ComfyUI's template names it.
        element: Items<InputDecl>,
    },
    /// One type for all sockets of a node with this template.
    Match {
        /// What they have in common.
        template: Text,
        /// The types it may be; none says any.
        allowed: Items<Type>,
    },
}

/// One value of a choice: ComfyUI has texts and whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceValue {
    /// `"euler"`.
    Str(Text),
    /// `2`.
    Int(i128),
}

/// A choice with its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct DynamicChoice {
    /// What is chosen.
    pub key: Text,
    /// The inputs that come with it, sent as `name.input`.
    pub inputs: Items<InputDecl>,
}

/// How growing sockets are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrowNames {
    /// `image0`, `image1`, … up to a number of them.
    Prefix(Text, u32),
    /// These, in order.
    Listed(Items<Text>),
}

impl GrowNames {
    /// The name of the socket at a place, counted from 0.
    pub fn name(&self, place: usize) -> Option<Text> {
        match self {
            GrowNames::Prefix(prefix, max) if place < *max as usize => {
                Some(format!("{prefix}{place}").into())
            }
            GrowNames::Prefix(..) => None,
            GrowNames::Listed(names) => names.get(place).cloned(),
        }
    }

    /// The place of a socket by its name.
    pub fn place(&self, name: &str) -> Option<usize> {
        match self {
            GrowNames::Prefix(prefix, max) => {
                let digits = name.strip_prefix(prefix.as_ref())?;
                let place: usize = digits.parse().ok()?;
                (place < *max as usize && digits == place.to_string()).then_some(place)
            }
            GrowNames::Listed(names) => names.iter().position(|listed| listed == name),
        }
    }
}

impl Type {
    /// Whether values of it are known when a plan is made, rather than computed by a run.
    pub fn is_scalar(&self) -> bool {
        match self {
            Type::Data { .. } | Type::Any | Type::List(_) | Type::Grow { .. } | Type::Match { .. } => false,
            Type::Union(types) => types.iter().all(Type::is_scalar),
            _ => true,
        }
    }
}

impl InputDecl {
    /// Whether an editor shows a widget for it, which stores a value in workflow files.
    pub fn has_widget(&self) -> bool {
        let typed = match &self.ty {
            Type::Int | Type::Float | Type::Bool | Type::String => true,
            Type::Choice { .. } | Type::Dynamic(_) | Type::File { .. } => true,
            Type::Data { widget, .. } => *widget,
            Type::Any | Type::Union(_) | Type::List(_) | Type::Grow { .. } | Type::Match { .. } => false,
        };
        (typed || self.marks.widget_type.is_some()) && !self.marks.force_input && !self.hidden
    }

    /// The smallest and the largest value, as far as there are such; both allowed.
    pub fn bounds(&self) -> (Option<&Literal>, Option<&Literal>) {
        match &self.range {
            Some((lo, hi)) => (Some(lo), Some(hi)),
            None => (self.marks.min.as_ref(), None),
        }
    }
}

impl NodeDecl {
    /// What people see.
    pub fn title(&self) -> &str {
        self.display.as_deref().unwrap_or(&self.name)
    }

    /// An input by name, hidden ones left out.
    pub fn input(&self, name: &str) -> Option<&InputDecl> {
        self.visible_inputs().find(|input| input.name == name)
    }

    /// The inputs that a call may give.
    pub fn visible_inputs(&self) -> impl Iterator<Item = &InputDecl> {
        self.inputs.iter().filter(|input| !input.hidden)
    }

    /// The input that a positional argument goes to: the first socket, else the first input.
    pub fn positional(&self) -> Option<&InputDecl> {
        let mut inputs = self.visible_inputs();
        self.visible_inputs().find(|input| !input.ty.is_scalar()).or_else(|| inputs.next())
    }
}
