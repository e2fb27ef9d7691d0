//! Declarations of classes that nobody declared, as far as a workflow shows them.

use super::classes::Classes;
use super::literals::ident;
use super::types;
use crate::Span;
use crate::ast::{Annotation, Comment, Input, Node, Output, Statement, StatementKind};
use crate::decl::NodeDecl;

/// One statement for each of them, under a remark.
pub(super) fn declarations(classes: &Classes<'_>) -> Vec<Statement> {
    let span = Span::new(0, 0);
    let statements = classes.unknown().iter().enumerate().map(|(place, decl)| Statement {
        comments: if place == 0 { heading() } else { Vec::new() },
        blank_before: false,
        docs: None,
        annotations: if decl.output_node { vec![annotation("output", span)] } else { Vec::new() },
        kind: StatementKind::Node(node(decl, span)),
        span,
    });
    statements.collect()
}

fn heading() -> Vec<Comment> {
    let lines =
        [" --- Nodes of other packs ---", " Declared as far as the workflow shows what they take and give."];
    let comment = |(at, text): (usize, &str)| Comment { text: text.to_owned(), blank_before: at == 0 };
    lines.into_iter().enumerate().map(comment).collect()
}

fn annotation(name: &str, span: Span) -> Annotation {
    Annotation { name: ident(name, span), args: Vec::new(), span }
}

fn node(decl: &NodeDecl, span: Span) -> Node {
    let inputs = decl.inputs.iter().map(|input| Input {
        docs: None,
        hidden: false,
        name: ident(&input.name, span),
        ty: types::optional(types::in_declaration(&input.ty, span)),
        constraint: None,
        default: None,
        annotations: Vec::new(),
        span,
    });
    let outputs = decl.outputs.iter().map(|output| Output {
        docs: None,
        name: ident(&output.name, span),
        ty: types::in_declaration(&output.ty, span),
        annotations: Vec::new(),
        span,
    });
    Node { name: ident(&decl.name, span), inputs: inputs.collect(), outputs: outputs.collect() }
}
