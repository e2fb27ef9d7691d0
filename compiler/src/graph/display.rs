//! The text form: one line per node, ids as in errors and reports.

use std::fmt::{self, Display, Formatter};

use floe_lang::names;

use super::{Graph, Node, NodeId, NodeKind, Operand};

impl Display for NodeId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Scalar(scalar) => scalar.fmt(f),
            Operand::Output(node, 0) => node.fmt(f),
            Operand::Output(node, slot) => write!(f, "{node}.{slot}"),
            Operand::Open => f.write_str("none"),
            Operand::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Operand::Record(fields) => {
                f.write_str("{")?;
                for (index, (name, field)) in fields.iter().enumerate() {
                    write!(f, "{} {}: {field}", if index == 0 { "" } else { "," }, names::label(name))?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Call(decl) => {
                f.write_str(if self.each { "each " } else { "" })?;
                f.write_str(&names::reference(&decl.name))?;
            }
            NodeKind::Load { class, part, .. } => write!(f, "load {class} {part}")?,
        }
        for (index, (name, operand)) in self.inputs.iter().enumerate() {
            write!(f, "{}{name}: {operand}", if index == 0 { "(" } else { ", " })?;
        }
        f.write_str(if self.inputs.is_empty() { "()" } else { ")" })?;
        if self.batched {
            f.write_str(" batched")?;
        }
        write!(f, "  // {}", self.origins.join(", "))
    }
}

impl Display for Graph {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (id, node) in self.nodes.iter() {
            writeln!(f, "{id} = {node}")?;
        }
        let effects: Vec<String> = self.effects.iter().map(NodeId::to_string).collect();
        writeln!(f, "effects {}", effects.join(", "))
    }
}
