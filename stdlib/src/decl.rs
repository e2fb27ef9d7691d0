//! Declarations as data.

use std::fmt;

include!(concat!(env!("OUT_DIR"), "/nodes.rs"));

/// A node class: its interface.
#[derive(Debug, PartialEq)]
pub struct NodeDecl {
    /// ComfyUI's class name.
    pub name: &'static str,
    /// What people see.
    pub display: &'static str,
    /// Place in menus, such as `model/loaders`.
    pub category: &'static str,
    /// What it does.
    pub docs: &'static str,
    /// Whether a call of it at statement level is an effect.
    pub output_node: bool,
    /// Inputs in ComfyUI's order.
    pub inputs: &'static [InputDecl],
    /// Outputs by slot.
    pub outputs: &'static [OutputDecl],
}

/// An input of a node.
#[derive(Debug, PartialEq)]
pub struct InputDecl {
    /// Its name.
    pub name: &'static str,
    /// What it is for; may be empty.
    pub docs: &'static str,
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
    /// Distance of values in an editor.
    pub step: Option<Literal>,
}

/// An output of a node.
#[derive(Debug, PartialEq)]
pub struct OutputDecl {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
}

/// A known value in a declaration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// A whole number.
    Int(i128),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    String(&'static str),
}

/// A type of inputs and outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// One of some texts.
    Choice {
        /// The name of the set, if it has one.
        set: Option<&'static str>,
        /// What may be chosen.
        values: &'static [&'static str],
    },
    /// A file by its name in a folder of models, or in `input`.
    File(&'static str),
    /// A type of data: `Model`, `Latent`, `Image`, ….
    Data(&'static str),
    /// One of several types.
    Union(&'static [Type]),
    /// A list.
    List(&'static Type),
}

impl Type {
    /// Whether values of it are known when a plan is made, rather than computed by a run.
    pub fn is_scalar(&self) -> bool {
        match self {
            Type::Data(_) | Type::Any | Type::List(_) => false,
            Type::Union(types) => types.iter().all(Type::is_scalar),
            _ => true,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Int => f.write_str("Int"),
            Type::Float => f.write_str("Float"),
            Type::Bool => f.write_str("Bool"),
            Type::String => f.write_str("String"),
            Type::Any => f.write_str("Any"),
            Type::Choice { set: Some(name), .. } | Type::Data(name) => f.write_str(name),
            Type::Choice { set: None, values } => {
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value:?}", if index == 0 { "" } else { " | " })?;
                }
                Ok(())
            }
            Type::File(folder) => write!(f, "File<{folder:?}>"),
            Type::Union(types) => {
                for (index, ty) in types.iter().enumerate() {
                    write!(f, "{}{ty}", if index == 0 { "" } else { " | " })?;
                }
                Ok(())
            }
            Type::List(inner) => write!(f, "[{inner}]"),
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
        }
    }
}

impl NodeDecl {
    /// An input by name, hidden ones left out.
    pub fn input(&self, name: &str) -> Option<&'static InputDecl> {
        self.visible_inputs().find(|input| input.name == name)
    }

    /// The inputs that a call may give.
    pub fn visible_inputs(&self) -> impl Iterator<Item = &'static InputDecl> {
        self.inputs.iter().filter(|input| !input.hidden)
    }

    /// The input that a positional argument goes to: the first socket, else the first input.
    pub fn positional(&self) -> Option<&'static InputDecl> {
        let mut inputs = self.visible_inputs();
        self.visible_inputs().find(|input| !input.ty.is_scalar()).or_else(|| inputs.next())
    }
}

/// A node class by name.
pub fn node(name: &str) -> Option<&'static NodeDecl> {
    NODES.binary_search_by(|decl| decl.name.cmp(name)).ok().map(|index| &NODES[index])
}

/// All node classes, by name.
pub fn nodes() -> &'static [NodeDecl] {
    NODES
}
