//! Statements and blocks.

use super::items::Brackets;
use super::operators::leading_call;
use super::{Above, Printer, start};
use crate::ast::*;
use crate::names::{self, STATEMENT_WORDS};

impl<'a> Printer<'a> {
    /// A statement with its docs and annotations. Those of a call that it begins with stand where those of the
    /// statement do, and are read as such.
    pub(super) fn statement(&mut self, statement: &'a Statement) {
        let call = match &statement.kind {
            StatementKind::Expr(expr) => leading_call(expr).filter(|call| !call.annotations.is_empty()),
            _ => None,
        };
        let annotations: Vec<&Annotation> =
            statement.annotations.iter().chain(call.iter().flat_map(|call| &call.annotations)).collect();
        if annotations.is_empty() {
            self.comments_above(&statement.kind);
        }
        if let Some(docs) = &statement.docs {
            self.docs(docs, "///");
            self.doc.hard();
        }
        self.comments_before(statement.span.start);
        if annotations.is_empty() {
            return self.statement_kind(&statement.kind, statement.span.end);
        }
        self.doc.open();
        self.annotations_above(&annotations);
        let last = self.doc.len();
        self.text("");
        self.comments_before(call.map_or(start_of_kind(&statement.kind), |call| call.callee.span.start));
        if is_declaration(&statement.kind) {
            self.doc.hard();
        } else {
            self.doc.line(" ");
        }
        let from = self.doc.len();
        self.annotated = call.is_some();
        self.statement_kind(&statement.kind, statement.span.end);
        self.doc.close();
        // `@mute (a)` would give the annotation arguments.
        let takes = annotations.last().is_some_and(|annotation| annotation.args.is_empty())
            && self.doc.first_text_mut(from).is_some_and(|first| first.starts_with('('));
        if let (true, Some(empty)) = (takes, self.doc.first_text_mut(last)) {
            *empty = "()".into();
        }
    }

    /// Remarks that a statement has no place for inside stand above its docs.
    fn comments_above(&mut self, kind: &'a StatementKind) {
        match kind {
            StatementKind::Expr(expr) => self.comments_before_expr(expr),
            StatementKind::Assert(assert) => self.comments_before_expr(&assert.condition),
            _ => {}
        }
    }

    fn annotations_above(&mut self, annotations: &[&'a Annotation]) {
        self.doc.open();
        for (place, annotation) in annotations.iter().enumerate() {
            if place > 0 {
                self.comments_before(annotation.span.start);
                self.doc.fill();
            }
            self.annotation(annotation);
        }
        self.doc.close();
    }

    /// A statement from its keyword on, which ends at an offset.
    fn statement_kind(&mut self, kind: &'a StatementKind, end: u32) {
        match kind {
            StatementKind::Use(import) => self.import(import, end),
            StatementKind::Param(param) => self.param(param),
            StatementKind::Const(constant) => self.constant(constant),
            StatementKind::Let(binding) => self.binding_statement(binding),
            StatementKind::Fn(function) => self.function(function),
            StatementKind::Assert(assert) => self.assert(assert),
            StatementKind::Expr(expr) => self.effect(expr),
            StatementKind::Type(declared) => self.type_declaration(declared),
            StatementKind::Choices(choices) => self.choices(choices),
            StatementKind::Node(node) => self.node(node, end),
        }
    }

    /// An expression as a statement. A name that would be read as the first word of another statement, or as what
    /// follows the line above, stands in backticks.
    fn effect(&mut self, expr: &'a Expr) {
        let from = self.doc.len();
        self.expr(expr);
        if let Some(first) = self.doc.first_text_mut(from)
            && (STATEMENT_WORDS.contains(&&**first) || first == "in")
        {
            *first = format!("`{first}`").into();
        }
    }

    fn import(&mut self, import: &'a Use, end: u32) {
        self.words("use ");
        match &import.source {
            UseSource::Module(path) => self.path(path),
            UseSource::File { path, .. } => self.text(names::string_literal(path)),
        }
        match &import.items {
            UseItems::Module(None) => {}
            UseItems::Module(Some(alias)) => {
                self.words(" as ");
                self.binding(alias);
            }
            UseItems::Names(items) => {
                self.text("::");
                self.list(Brackets::TIGHT_BRACES, items, end);
            }
        }
    }

    fn param(&mut self, param: &'a Param) {
        self.words("param ");
        self.binding(&param.name);
        self.words(": ");
        self.ty(&param.ty);
        self.constraint(param.constraint.as_ref());
        if let Some(default) = &param.default {
            self.value_after_equals(default);
        }
    }

    fn constant(&mut self, constant: &'a Const) {
        self.words("const ");
        self.binding(&constant.name);
        if let Some(ty) = &constant.ty {
            self.words(": ");
            self.ty(ty);
        }
        self.value_after_equals(&constant.value);
    }

    fn binding_statement(&mut self, binding: &'a Let) {
        self.words("let ");
        self.pattern(&binding.pattern);
        self.value_after_equals(&binding.value);
    }

    pub(super) fn pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::Name(name) => self.binding(name),
            Pattern::Tuple { items, span } => self.list(Brackets::PAREN, items, span.end),
        }
    }

    fn assert(&mut self, assert: &'a Assert) {
        self.comments_before_expr(&assert.condition);
        self.words("assert ");
        let Some(message) = &assert.message else { return self.expr(&assert.condition) };
        let from = self.doc.len();
        self.text("");
        self.expr(&assert.condition);
        if self.is_comment_before_expr(message)
            && let Some(empty) = self.doc.first_text_mut(from)
        {
            // No line may end behind the comma, so they stay in parentheses, out of which they come.
            *empty = "(".into();
            self.comments_before_expr(message);
            self.text(")");
        }
        self.words(", ");
        self.expr(message);
    }

    fn function(&mut self, function: &'a Fn) {
        self.doc.open();
        self.words("fn ");
        self.binding(&function.name);
        // A remark behind the last parameter stays in the parentheses.
        let end = function.returns.as_ref().map_or(function.body.span, |returns| returns.span).start;
        self.list_in_group(Brackets::PAREN, &function.params, end);
        if let Some(returns) = &function.returns {
            self.words(" -> ");
            self.returns(returns);
        }
        self.doc.space();
        self.doc.close();
        self.block(&function.body, false);
    }

    fn returns(&mut self, returns: &'a Returns) {
        match returns.outputs.as_slice() {
            [only] if !returns.tuple => self.ret(only),
            outputs => self.list(Brackets::PAREN, outputs, returns.span.end),
        }
    }

    pub(super) fn ret(&mut self, output: &'a Return) {
        if let Some(name) = &output.name {
            self.label(name);
            self.words(": ");
        }
        self.ty(&output.ty);
    }

    /// `{ … }`, on one line where that is asked for and its group is not broken.
    pub(super) fn block(&mut self, block: &'a Block, inline: bool) {
        self.text("{");
        self.doc.indent();
        let first = block.statements.first().map_or(block.span.end, start);
        self.comments_before(first);
        if let (true, Some(only)) = (inline, only_statement(block)) {
            self.doc.line(" ");
            self.statement(only);
            self.comments_before(block.span.end);
            self.doc.dedent();
            self.doc.line(" ");
        } else {
            self.lines_of_block(block);
        }
        self.text("}");
    }

    fn lines_of_block(&mut self, block: &'a Block) {
        let before = self.doc.len();
        let mut above = Above::NothingInBlock;
        for (place, statement) in block.statements.iter().enumerate() {
            self.statement_with_remarks(statement, &mut above);
            self.comments_before(block.statements.get(place + 1).map_or(block.span.end, start));
        }
        self.remarks(&block.end_comments, &mut above);
        self.doc.dedent();
        if self.doc.len() > before + 1 {
            self.doc.hard();
        }
    }
}

/// The statement of a block that holds nothing else, remarks neither.
pub(super) fn only_statement(block: &Block) -> Option<&Statement> {
    let [only] = block.statements.as_slice() else { return None };
    let alone = block.end_comments.is_empty() && only.comments.is_empty() && only.docs.is_none();
    alone.then_some(only)
}

/// Whether annotations always stand above a statement rather than before it.
fn is_declaration(kind: &StatementKind) -> bool {
    matches!(
        kind,
        StatementKind::Node(_) | StatementKind::Fn(_) | StatementKind::Choices(_) | StatementKind::Type(_)
    )
}

/// Where the first part of a statement begins that has a place; its keyword stands before it.
fn start_of_kind(kind: &StatementKind) -> u32 {
    match kind {
        StatementKind::Use(Use { source: UseSource::Module(path), .. }) => path.span.start,
        StatementKind::Use(Use { source: UseSource::File { span, .. }, .. }) => span.start,
        StatementKind::Param(param) => param.name.span.start,
        StatementKind::Const(constant) => constant.name.span.start,
        StatementKind::Let(Let { pattern: Pattern::Name(name), .. }) => name.span.start,
        StatementKind::Let(Let { pattern: Pattern::Tuple { span, .. }, .. }) => span.start,
        StatementKind::Fn(function) => function.name.span.start,
        StatementKind::Assert(assert) => assert.condition.span.start,
        StatementKind::Expr(expr) => expr.span.start,
        StatementKind::Type(declared) => declared.name.span.start,
        StatementKind::Choices(choices) => choices.name.span.start,
        StatementKind::Node(node) => node.name.span.start,
    }
}
