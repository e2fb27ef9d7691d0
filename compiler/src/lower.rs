//! Flat program to graph: every call that is right becomes a node.

use std::collections::BTreeMap;

use floe_lang::decl::{InputDecl, Text, Type};
use floe_stdlib::Scalar;
use miette::SourceSpan;

use crate::eval::coerce;
use crate::flat::{Call, Flat, Mode, Place, Value};
use crate::graph::{Graph, Node, NodeId, NodeKind, Operand, Source};
use crate::inputs::Args;

/// The graph of every call whose inputs are right, and the values of the params.
pub(crate) struct Lowered {
    pub(crate) graph: Graph,
    pub(crate) params: BTreeMap<String, floe_plan::Scalar>,
}

/// Lowers a checked program. Calls behind one that is wrong are left out.
pub(crate) fn lower(flat: &Flat) -> Lowered {
    let mut lowering = Lowering { flat, graph: Graph::default(), nodes: Vec::new() };
    for call in &flat.calls {
        let node = if call.shadow || call.mode != Mode::On { None } else { lowering.call(call) };
        lowering.nodes.push(node);
    }
    let effects = flat.effects.iter().filter_map(|&call| lowering.nodes[call.index()]).collect();
    let Lowering { mut graph, .. } = lowering;
    graph.effects = effects;
    let params = flat
        .params
        .iter()
        .filter_map(|param| Some((param.name.clone(), plan_scalar(&scalar(&param.value)?))));
    Lowered { graph, params: params.collect() }
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
}

/// Inputs of a node with the places of what was given.
#[derive(Default)]
struct Inputs {
    operands: BTreeMap<Text, Operand>,
    places: BTreeMap<Text, SourceSpan>,
}

impl Lowering<'_> {
    fn call(&mut self, call: &Call) -> Option<NodeId> {
        if call.broken {
            return None;
        }
        let mut inputs = Inputs::default();
        self.inputs(&Args::of(call), &call.decl.inputs, "", &mut inputs)?;
        Some(self.graph.nodes.push(Node {
            kind: NodeKind::Call(call.decl.clone()),
            inputs: inputs.operands,
            each: call.each,
            origins: vec![self.flat.origin(call)],
            batched: false,
            source: Source { span: call.place.into(), inputs: inputs.places },
        }))
    }

    /// Declared inputs: what each is given, else its default. Choices nest no deeper than declarations.
    fn inputs(
        &self,
        args: &Args<'_>,
        declared: &[InputDecl],
        outer: &str,
        inputs: &mut Inputs,
    ) -> Option<()> {
        for input in declared.iter().filter(|input| !input.hidden) {
            let name: Text =
                if outer.is_empty() { input.name.clone() } else { format!("{outer}{}", input.name).into() };
            if let Type::Grow { element, .. } = &input.ty {
                for arg in args.get(&name).into_iter().chain(args.grown(&name)) {
                    let ty = element.first().map_or(&Type::Any, |element| &element.ty);
                    inputs.given(&arg.name, arg.place, self.value(ty, &arg.value)?);
                }
                continue;
            }
            match args.get(&name) {
                Some(arg) => inputs.given(&name, arg.place, self.value(&input.ty, &arg.value)?),
                None => {
                    let default = input.default.as_ref().map(Value::from).unwrap_or(Value::None);
                    inputs.operands.insert(name.clone(), self.value(&input.ty, &default)?);
                }
            }
            if let Some(choice) = args.choice(input, &name) {
                self.inputs(args, &choice.inputs, &format!("{name}."), inputs)?;
            }
        }
        Some(())
    }

    /// What a node reads; nothing where that is wrong, which was said.
    fn value(&self, ty: &Type, value: &Value) -> Option<Operand> {
        match value {
            Value::None => Some(Operand::Open),
            Value::Link { call, slot } => {
                self.nodes[call.index()].map(|node| Operand::Output(node, *slot as usize))
            }
            Value::List(items) => {
                let ty = if let Type::List(inner) = ty { inner.first().unwrap_or(ty) } else { ty };
                items.iter().map(|item| self.value(ty, item)).collect::<Option<_>>().map(Operand::List)
            }
            Value::Record(fields) => {
                let field = |(name, field): &(_, Value)| {
                    Some((String::from(AsRef::<str>::as_ref(name)).into(), self.value(&Type::Any, field)?))
                };
                fields.iter().map(field).collect::<Option<_>>().map(Operand::Record)
            }
            value => scalar(&coerce(ty, value.clone())).map(Operand::Scalar),
        }
    }
}

impl Inputs {
    fn given(&mut self, name: &Text, place: Place, operand: Operand) {
        self.operands.insert(name.clone(), operand);
        self.places.insert(name.clone(), place.into());
    }
}
