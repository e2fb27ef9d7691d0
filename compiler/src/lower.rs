//! Flat program to graph: what has semantics becomes a node.

use std::collections::BTreeMap;

use floe_lang::decl::InputDecl;
use floe_stdlib::{Scalar, semantics};

use crate::error::CompileError;
use crate::eval::coerce;
use crate::flat::{Call, Decl, Flat, Mode, Value};
use crate::graph::{Graph, Node, NodeId, NodeKind, Operand, Source};

/// The graph of every call whose inputs are right, and the values of the params.
pub(crate) struct Lowered {
    pub(crate) graph: Graph,
    pub(crate) params: BTreeMap<String, floe_plan::Scalar>,
    /// Calls that nothing can run yet.
    pub(crate) no_kernel: Vec<CompileError>,
}

/// Lowers a checked program. Calls behind one that is wrong or cannot run are left out.
pub(crate) fn lower(flat: &Flat) -> Lowered {
    let mut lowering = Lowering { flat, graph: Graph::default(), nodes: Vec::new(), no_kernel: Vec::new() };
    for call in &flat.calls {
        let node = if call.shadow || call.mode != Mode::On { None } else { lowering.call(call) };
        lowering.nodes.push(node);
    }
    let effects = flat.effects.iter().filter_map(|&call| lowering.nodes[call.index()]).collect();
    let Lowering { mut graph, no_kernel, .. } = lowering;
    graph.effects = effects;
    let params = flat
        .params
        .iter()
        .filter_map(|param| Some((param.name.clone(), plan_scalar(&scalar(&param.value)?))));
    Lowered { graph, params: params.collect(), no_kernel }
}

/// The same value in the plan's words.
pub(crate) fn plan_scalar(scalar: &Scalar) -> floe_plan::Scalar {
    match scalar {
        Scalar::Int(value) => floe_plan::Scalar::Int(*value),
        Scalar::Float(value) => floe_plan::Scalar::Float(*value),
        Scalar::Bool(value) => floe_plan::Scalar::Bool(*value),
        Scalar::String(value) => floe_plan::Scalar::String(value.clone()),
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Int(value) => Some(Scalar::Int(*value)),
        Value::Float(value) => Some(Scalar::Float(*value)),
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Str(value) => Some(Scalar::String(value.to_string())),
        _ => None,
    }
}

struct Lowering<'a> {
    flat: &'a Flat,
    graph: Graph,
    /// The node of each call so far; `None` where it has none.
    nodes: Vec<Option<NodeId>>,
    no_kernel: Vec<CompileError>,
}

impl Lowering<'_> {
    fn call(&mut self, call: &Call) -> Option<NodeId> {
        let decl = match &call.decl {
            Decl::Library(decl) if semantics(&decl.name).is_some() && !call.each => *decl,
            _ => {
                self.no_kernel.push(no_kernel(call));
                return None;
            }
        };
        if call.broken {
            return None;
        }
        let mut inputs = BTreeMap::new();
        let mut spans = BTreeMap::new();
        for input in decl.inputs.iter().filter(|input| !input.hidden) {
            let name = input.name.as_ref();
            let arg = call.args.iter().find(|arg| arg.name == input.name);
            if let Some(arg) = arg {
                spans.insert(name, arg.place.into());
            }
            inputs.insert(name, self.operand(input, arg.map(|arg| &arg.value))?);
        }
        let source = Source { span: call.place.into(), inputs: spans };
        Some(self.graph.nodes.push(Node {
            kind: NodeKind::Call(decl),
            inputs,
            origins: vec![self.flat.origin(call)],
            batched: false,
            source,
        }))
    }

    /// What an input reads: what it is given, else its default.
    fn operand(&self, input: &InputDecl, given: Option<&Value>) -> Option<Operand> {
        match (given, &input.default) {
            (Some(Value::None), _) | (None, None) => Some(Operand::Open),
            (Some(Value::Link { call, slot }), _) => {
                self.nodes[call.index()].map(|node| Operand::Output(node, *slot as usize))
            }
            (Some(value), _) => scalar(&coerce(&input.ty, value.clone())).map(Operand::Scalar),
            (None, Some(literal)) => scalar(&coerce(&input.ty, Value::from(literal))).map(Operand::Scalar),
        }
    }
}

fn no_kernel(call: &Call) -> CompileError {
    let what = match (&call.decl, call.each) {
        (Decl::Program(decl), _) => format!("`{}`, declared in a program,", decl.name),
        (Decl::Library(decl), true) => format!("`each {}`", decl.name),
        (Decl::Library(decl), false) => format!("`{}`", decl.name),
    };
    let instead = match &call.decl {
        Decl::Program(_) => "use the nodes of the standard library, which `floe nodes` lists",
        Decl::Library(_) => "`floe nodes` says which nodes can run",
    };
    CompileError::NoKernel { what, instead: instead.to_owned(), span: call.place.into() }
}
