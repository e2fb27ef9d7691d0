//! An analysis of a graph: facts of every output, programs and working memory of every node.

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::Part;
use floe_nets::Id;
use floe_stdlib::{Call, Fact, FileError, ModelFile, Scalar, SemanticError, Work, World};
use miette::SourceSpan;

use crate::error::CompileError;
use crate::graph::{Graph, Node, NodeKind, Operand};

/// What each node comes to, by node.
pub type Works = Vec<Work>;

/// Walks the graph once. Nodes behind one that has an error are not looked at: the first cause only.
pub(crate) fn infer(graph: &Graph, world: &dyn World) -> Result<Works, Vec<CompileError>> {
    let mut works: Vec<Option<Work>> = Vec::with_capacity(graph.nodes.len());
    let mut errors = Vec::new();
    for (_, node) in graph.nodes.iter() {
        let work = match inputs(node, &works) {
            Some(inputs) => infer_node(node, &inputs, world).map_err(|error| errors.push(error)).ok(),
            None => None,
        };
        works.push(work);
    }
    if errors.is_empty() { Ok(works.into_iter().flatten().collect()) } else { Err(errors) }
}

/// The facts of a node's inputs; `None` if one of them has an error.
fn inputs(node: &Node, works: &[Option<Work>]) -> Option<BTreeMap<&'static str, Fact>> {
    let fact = |operand: &Operand| match operand {
        Operand::Scalar(scalar) => Some(Fact::Scalar(scalar.clone())),
        Operand::Output(from, slot) => works[from.index()].as_ref()?.outputs.get(*slot).cloned(),
        Operand::Open => Some(Fact::Open),
    };
    node.inputs.iter().map(|(&name, operand)| Some((name, fact(operand)?))).collect()
}

fn infer_node(
    node: &Node,
    inputs: &BTreeMap<&'static str, Fact>,
    world: &dyn World,
) -> Result<Work, CompileError> {
    let error = |error: SemanticError| describe(&error, node.source.input(error.input()));
    match node.kind {
        NodeKind::Call(decl) => {
            let semantics = node.kind.semantics().ok_or_else(|| CompileError::NoKernel {
                what: format!("`{}`", decl.name),
                instead: "`floe nodes` says which nodes can run".to_owned(),
                span: node.source.span,
            })?;
            let inputs = inputs.iter().map(|(&name, fact)| (name, fact)).collect();
            (semantics.infer)(&Call { inputs, batched: node.batched, world }).map_err(error)
        }
        NodeKind::Load { folder, part } => {
            let name = match inputs.get("file") {
                Some(Fact::Scalar(Scalar::String(name))) => name.as_str(),
                _ => "",
            };
            let file: Arc<ModelFile> = world
                .model(folder, name)
                .map_err(|found| error(SemanticError::File { input: "file", error: found }))?;
            Ok(Work { outputs: vec![Fact::Part(part, file)], ..Work::default() })
        }
    }
}

/// A semantic error in the words of a diagnostic.
fn describe(error: &SemanticError, span: SourceSpan) -> CompileError {
    match error {
        SemanticError::File { error: FileError::Missing { folder, name, available, searched }, .. } => {
            CompileError::MissingFile {
                folder: folder.clone(),
                name: name.clone(),
                available: available.clone(),
                searched: searched.clone(),
                span,
            }
        }
        SemanticError::File { error, .. } => {
            let help = match error {
                FileError::Outside { .. } => "name a file below that folder, without `..`",
                FileError::Format { error: floe_formats::FormatError::Truncated { .. }, .. } => {
                    "the download stopped early: fetch the file again"
                }
                FileError::Format { error: floe_formats::FormatError::UnknownFamily { .. }, .. } => {
                    "a checkpoint is wanted here: a LoRA, an embedding or a VAE alone is none"
                }
                FileError::Format { error: floe_formats::FormatError::BadPicture { .. }, .. } => {
                    "use a PNG, JPEG or WebP file"
                }
                FileError::Format { .. } => "give a file of the kind that is wanted here",
                _ => "make the file readable",
            };
            CompileError::BadFile {
                reason: error.to_string(),
                help: help.to_owned(),
                label: "this file",
                span,
            }
        }
        SemanticError::Facet { reason, help, .. } => {
            CompileError::FacetConflict { reason: reason.clone(), help: help.clone(), span }
        }
        SemanticError::Network { file, error: floe_nets::BuildError::Family(family), .. } => {
            CompileError::NoKernel {
                what: format!("`{file}`, a model of the family {family},"),
                instead: "use a model of the family sd1".to_owned(),
                span,
            }
        }
        SemanticError::Network { file, error, .. } => CompileError::BadFile {
            reason: format!("`{file}`: {error}"),
            help: "the file is not a whole checkpoint of its family".to_owned(),
            label: "this comes from the file",
            span,
        },
        SemanticError::NoPart { file, part, .. } => CompileError::BadFile {
            reason: format!("`{file}` holds no {part}"),
            help: format!("take the {part} from a file that holds one"),
            label: "this comes from the file",
            span,
        },
        SemanticError::NoKernel { what, instead, .. } => {
            CompileError::NoKernel { what: what.clone(), instead: instead.clone(), span }
        }
        SemanticError::Prompt { reason, .. } => CompileError::BadPrompt { reason: reason.clone(), span },
    }
}

/// The parts that a loading node gives, by output slot.
pub(crate) fn parts(work: &Work) -> impl Iterator<Item = (Part, &Arc<ModelFile>)> {
    work.outputs.iter().filter_map(|fact| match fact {
        Fact::Part(part, file) => Some((*part, file)),
        _ => None,
    })
}
