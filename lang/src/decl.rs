//! Declarations of nodes as data: what a class takes and gives.
//!
//! The library's declarations are constants of this shape; those that a program brings along for third-party nodes are
//! built at run time. Everything that must know a class reads this: checker, importer, exporter, documentation.

use std::borrow::Cow;
use std::fmt;

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

/// A node class: its interface.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeDecl {
    /// ComfyUI's class name.
    pub name: Text,
    /// What people see.
    pub display: Text,
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
    /// An upload button follows, which stores a value in some files and is never sent.
    pub upload: bool,
}

/// An output of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputDecl {
    /// Its name.
    pub name: Text,
    /// Its type: that of one element, where it is a list.
    pub ty: Type,
    /// Whether it gives a list, over which other nodes are mapped.
    pub is_list: bool,
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
        self.ty.is_scalar() && !self.marks.force_input && !self.hidden
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternatives = |f: &mut fmt::Formatter<'_>, texts: &mut dyn Iterator<Item = String>| {
            for (index, text) in texts.enumerate() {
                write!(f, "{}{text}", if index == 0 { "" } else { " | " })?;
            }
            Ok(())
        };
        match self {
            Type::Int => f.write_str("Int"),
            Type::Float => f.write_str("Float"),
            Type::Bool => f.write_str("Bool"),
            Type::String => f.write_str("String"),
            Type::Any => f.write_str("Any"),
            Type::Choice { set: Some(name), .. } => f.write_str(name),
            Type::Data { name, .. } => f.write_str(name),
            Type::Choice { set: None, values } => {
                alternatives(f, &mut values.iter().map(ToString::to_string))
            }
            Type::Dynamic(choices) => {
                alternatives(f, &mut choices.iter().map(|choice| format!("{:?} {{ … }}", choice.key)))
            }
            Type::File { folder, builtin } => {
                write!(f, "File<{folder:?}>")?;
                builtin.iter().try_for_each(|name| write!(f, " | {name:?}"))
            }
            Type::Union(types) => alternatives(f, &mut types.iter().map(ToString::to_string)),
            Type::List(inner) => {
                f.write_str("[")?;
                inner.iter().try_for_each(|ty| ty.fmt(f))?;
                f.write_str("]")
            }
            Type::Grow { element, .. } => {
                f.write_str("[")?;
                element.iter().take(1).try_for_each(|input| input.ty.fmt(f))?;
                f.write_str("]")
            }
            Type::Match { allowed, .. } if allowed.is_empty() => f.write_str("Any"),
            Type::Match { allowed, .. } => alternatives(f, &mut allowed.iter().map(ToString::to_string)),
        }
    }
}

impl fmt::Display for ChoiceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChoiceValue::Str(text) => write!(f, "{text:?}"),
            ChoiceValue::Int(number) => number.fmt(f),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Int(value) => write!(f, "{value}"),
            Literal::Float(value) => write!(f, "{value:?}"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::String(value) => write!(f, "{value:?}"),
            Literal::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Literal::Record(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{} {name}: {value}", if index == 0 { "" } else { "," })?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl NodeDecl {
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
