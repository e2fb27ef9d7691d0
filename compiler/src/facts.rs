//! An analysis of a graph: facts of every output, programs and working memory of every node.

use floe_nets::Id;
use floe_stdlib::{Call, Fact, FileError, Gap, SemanticError, Work, World, semantics};
use miette::SourceSpan;
use std::collections::BTreeMap;

use crate::error::CompileError;
use crate::flat::Decl;
use crate::graph::{Graph, Node, NodeId, NodeKind, Operand};
use crate::linked;

/// What ComfyUI calls an object of JSON.
const RECORD: &str = "DICT";

/// What each node comes to, by node.
pub type Works = Vec<Work>;

/// What operands come to: outputs that are known values, or an input of their node as it is, stand for these.
#[derive(Debug, Default)]
pub(crate) struct Aliases(BTreeMap<(NodeId, usize), Operand>);

impl Aliases {
    /// Inputs come first, so one walk finds what chains of nodes that hand something on come to.
    pub(crate) fn of(graph: &Graph, works: &Works) -> Aliases {
        let mut aliases = Aliases::default();
        for ((id, node), work) in graph.nodes.iter().zip(works) {
            let known = work.outputs.iter().enumerate().filter_map(|(slot, fact)| match fact {
                Fact::Scalar(scalar) => Some((slot, Operand::Scalar(scalar.clone()))),
                _ => None,
            });
            let same = work
                .same
                .iter()
                .filter_map(|(slot, input)| Some((*slot, aliases.resolve(node.inputs.get(input)?).clone())));
            let found: Vec<(usize, Operand)> = same.chain(known).collect();
            aliases.0.extend(found.into_iter().map(|(slot, operand)| ((id, slot), operand)));
        }
        aliases
    }

    /// What an operand comes to; itself, where its node computes it.
    pub(crate) fn resolve<'a>(&'a self, operand: &'a Operand) -> &'a Operand {
        match operand {
            Operand::Output(from, slot) => self.0.get(&(*from, *slot)).unwrap_or(operand),
            _ => operand,
        }
    }

    /// The outputs that a node reads, in the order of its inputs.
    pub(crate) fn reads(&self, node: &Node) -> Vec<(NodeId, usize)> {
        let mut reads = Vec::new();
        for operand in node.inputs.values() {
            operand.leaves(&mut |leaf| {
                self.resolve(leaf).leaves(&mut |leaf| {
                    if let Operand::Output(from, slot) = leaf {
                        reads.push((*from, *slot));
                    }
                });
            });
        }
        reads
    }

    /// Whether each node is needed by an effect, by index: what nothing computes with is not.
    pub(crate) fn needed(&self, graph: &Graph) -> Vec<bool> {
        graph.needed_through(|node| self.reads(node))
    }
}

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

/// Why a graph cannot run: the gaps that do not follow from others.
pub(crate) fn gaps(graph: &Graph, works: &Works) -> Vec<CompileError> {
    let aliases = Aliases::of(graph, works);
    let needed = aliases.needed(graph);
    let mut behind = vec![false; works.len()];
    let mut errors = Vec::new();
    for ((id, node), work) in graph.nodes.iter().zip(works) {
        if !needed[id.index()] {
            continue;
        }
        let follows = aliases.reads(node).iter().any(|(from, _)| behind[from.index()]);
        behind[id.index()] = follows || work.gap.is_some();
        if let (false, Some(Gap::NoKernel { input, what, instead })) = (follows, &work.gap) {
            let span = input.map_or(node.source.span, |input| node.source.input(input));
            errors.push(CompileError::NoKernel { what: what.clone(), instead: instead.clone(), span });
        }
    }
    errors
}

/// The facts of a node's inputs; `None` if one of them has an error.
fn inputs<'n>(node: &'n Node, works: &[Option<Work>]) -> Option<BTreeMap<&'n str, Fact>> {
    node.inputs.iter().map(|(name, operand)| Some((name.as_ref(), fact(operand, works)?))).collect()
}

fn fact(operand: &Operand, works: &[Option<Work>]) -> Option<Fact> {
    match operand {
        Operand::Scalar(scalar) => Some(Fact::Scalar(scalar.clone())),
        Operand::Output(from, slot) => works[from.index()].as_ref()?.outputs.get(*slot).cloned(),
        Operand::Open => Some(Fact::Open),
        Operand::List(items) => {
            items.iter().map(|item| fact(item, works)).collect::<Option<_>>().map(Fact::List)
        }
        Operand::Record(_) => Some(Fact::Unknown(RECORD.into())),
    }
}

fn infer_node(node: &Node, inputs: &BTreeMap<&str, Fact>, world: &dyn World) -> Result<Work, CompileError> {
    let error = |error: SemanticError| describe(&error, node.source.input(error.input()));
    let known = |semantics: &floe_stdlib::Semantics| {
        let inputs = inputs.iter().map(|(&name, fact)| (name, fact)).collect();
        (semantics.infer)(&Call { inputs, batched: node.batched, world }).map_err(error)
    };
    match (&node.kind, node.semantics()) {
        (NodeKind::Call(decl), Some(semantics)) => match linked::check(decl, node, inputs) {
            Some(wrong) => Err(wrong),
            None => known(semantics),
        },
        (NodeKind::Call(decl), None) => Ok(Work::declared(&decl.outputs, no_kernel(decl, node.each))),
        (NodeKind::Load { class, slot, .. }, _) => {
            let loader = semantics(class).expect("only loaders are hoisted");
            let work = known(loader)?;
            let outputs = work.outputs.into_iter().skip(*slot).take(1).collect();
            Ok(Work { outputs, gap: work.gap, ..Work::default() })
        }
    }
}

/// What is missing where nothing is known of a call but its declaration.
fn no_kernel(decl: &Decl, each: bool) -> Gap {
    let (what, instead) = match decl {
        Decl::Program(decl) => (
            format!("`{}`, declared in a program,", decl.name),
            "use the nodes of the standard library, which `floe nodes` lists",
        ),
        Decl::Library(decl) => {
            let each = if each { "each " } else { "" };
            (format!("`{each}{}`", decl.name), "`floe nodes` says which nodes can run")
        }
    };
    Gap::NoKernel { input: None, what, instead: instead.to_owned() }
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
        SemanticError::Facet { reason, help, .. } | SemanticError::Value { reason, help, .. } => {
            CompileError::FacetConflict { reason: reason.clone(), help: help.clone(), span }
        }
        SemanticError::WrongKind { file, what, wanted, .. } => CompileError::BadFile {
            reason: format!("`{file}` is {what}"),
            help: format!("{wanted} is wanted here"),
            label: "this file",
            span,
        },
        SemanticError::NoPart { file, part, .. } => CompileError::BadFile {
            reason: format!("`{file}` holds no {part}"),
            help: format!("take the {part} from a file that holds one"),
            label: "this comes from the file",
            span,
        },
        SemanticError::Prompt { reason, .. } => CompileError::BadPrompt { reason: reason.clone(), span },
    }
}
