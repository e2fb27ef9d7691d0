//! The library's declarations: constants that the build script makes of `nodes/**/*.flow`.

use std::borrow::Cow;

use floe_lang::decl::{
    ChoiceValue, Declarations, DynamicChoice, GrowNames, InputDecl, InputMarks, Literal, NamedTypes,
    NodeDecl, NodeMarks, OutputDecl, Type,
};

include!(concat!(env!("OUT_DIR"), "/nodes.rs"));

/// A data type or a set of choices that declarations call by a name.
#[derive(Debug, PartialEq)]
pub struct NamedType {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub docs: &'static str,
    /// The type.
    pub ty: Type,
}

/// A node class by name.
pub fn node(name: &str) -> Option<&'static NodeDecl> {
    NODES.binary_search_by(|decl| decl.name.as_ref().cmp(name)).ok().map(|index| &NODES[index])
}

/// All node classes, by name.
pub fn nodes() -> &'static [NodeDecl] {
    NODES
}

/// A data type or a set of choices by name.
pub fn named_type(name: &str) -> Option<&'static NamedType> {
    TYPES.binary_search_by(|named| named.name.cmp(name)).ok().map(|index| &TYPES[index])
}

/// All data types and sets of choices, by name.
pub fn named_types() -> &'static [NamedType] {
    TYPES
}

/// A data type by ComfyUI's name for it. There are some hundred, few enough to look through.
fn data_type(wanted: &str) -> Option<&'static NamedType> {
    TYPES.iter().find(|named| matches!(&named.ty, Type::Data { comfy, .. } if comfy == wanted))
}

/// The library, for those who look declarations up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Library;

impl Declarations for Library {
    fn node(&self, class: &str) -> Option<&NodeDecl> {
        node(class)
    }

    fn type_name(&self, comfy: &str) -> Option<&str> {
        data_type(comfy).map(|named| named.name)
    }
}

impl NamedTypes for Library {
    fn named_type(&self, name: &str) -> Option<Type> {
        named_type(name).map(|named| named.ty.clone())
    }

    fn comfy_type(&self, comfy: &str) -> Option<Type> {
        data_type(comfy).map(|named| named.ty.clone())
    }
}
