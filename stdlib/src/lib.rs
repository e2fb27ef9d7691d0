//! What things are: the declarations of nodes, written in `nodes/*.flow`, and beside them their semantics in Rust:
//! what a node's outputs are like, which tensor programs it runs, what working memory it needs.
//!
//! Declarations are compiled into constants when the crate is built. Nothing here runs a node.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod data;
mod decl;
mod facts;
mod flows;
mod object_info;
mod part;
mod patch;
mod semantics;

pub use data::{Entry, Form, Latent};
pub use decl::{Library, NamedType, named_type, named_types, node, nodes};
pub use facts::{Fact, FileError, Scalar, Size, Tensor, World};
pub use floe_lang::decl::{InputDecl, Literal, NodeDecl, OutputDecl, Type};
pub use flows::FLOWS;
pub use object_info::{FileLists, node_info, object_info};
pub use part::{Loaded, ModelFile, Network, NetworkKey, Part};
pub use patch::{MOST_NESTED, MOST_PATCHES, Patch, Share};
pub use semantics::{
    Attribute, Call, Gap, Infer, ProgramUse, Purity, Scratch, SemanticError, Semantics, Work, semantics,
};

#[cfg(test)]
mod tests;
