//! Declarations of classes that nobody declared, as far as a workflow shows them.

use super::classes::Classes;
use super::literals::{self, ident};
use super::types;
use crate::Span;
use crate::ast::{Annotation, Arg, Comment, Expr, Input, Node, Output, Statement, StatementKind};
use crate::decl::NodeDecl;

/// One statement for each of them, under a remark.
pub(super) fn declarations(classes: &Classes<'_>) -> Vec<Statement> {
    let span = Span::new(0, 0);
    let statements = classes.unknown().iter().enumerate().map(|(place, decl)| Statement {
        comments: if place == 0 { heading() } else { Vec::new() },
        blank_before: true,
        docs: None,
        annotations: annotations(decl, span),
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

fn annotations(decl: &NodeDecl, span: Span) -> Vec<Annotation> {
    let pack = decl.marks.pack.as_ref().map(|pack| literals::string(pack, span));
    let pack = pack.map(|pack| annotation("pack", vec![pack], span));
    pack.into_iter().chain(decl.output_node.then(|| annotation("output", Vec::new(), span))).collect()
}

fn annotation(name: &str, values: Vec<Expr>, span: Span) -> Annotation {
    let args = values.into_iter().map(|value| Arg { name: None, value: Some(value), span }).collect();
    Annotation { name: ident(name, span), args, span }
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
