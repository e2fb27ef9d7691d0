//! Expressions: names, calls, members, `if`, `for`.

use super::Printer;
use super::items::Brackets;
use super::operators::Place;
use super::statements::only_statement;
use crate::ast::*;
use crate::names;

impl<'a> Printer<'a> {
    pub(super) fn expr(&mut self, expr: &'a Expr) {
        self.comments_before_expr(expr);
        self.expr_kind(expr);
    }

    /// The same without the remarks before it.
    pub(super) fn expr_kind(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Int(number) => self.text(number.to_string()),
            ExprKind::Float(number) => self.text(super::literals::float(*number)),
            ExprKind::Bool(value) => self.text(if *value { "true" } else { "false" }),
            ExprKind::None => self.text("none"),
            ExprKind::Str(text) => self.string(text),
            ExprKind::FString(parts) => self.fstring(parts),
            ExprKind::List(elements) => self.list(Brackets::SQUARE, elements, expr.span.end),
            ExprKind::Tuple(elements) => self.list(Brackets::PAREN, elements, expr.span.end),
            ExprKind::Record(fields) => self.list(Brackets::BRACES, fields, expr.span.end),
            ExprKind::Select { choice, inputs } => {
                self.operand(choice, Place::Postfix);
                self.doc.space();
                self.list(Brackets::BRACES, inputs, expr.span.end);
            }
            ExprKind::Name(name) => self.text(reference(name)),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Member { .. } | ExprKind::Index { .. } | ExprKind::MethodCall { .. } => {
                self.postfix(expr)
            }
            ExprKind::Call(call) => self.call(call, expr.span.end),
            ExprKind::Unary { op, operand } => {
                self.text(op.symbol());
                self.operand(operand, Place::Unary(*op));
            }
            ExprKind::Binary { .. } => self.binary(expr, true),
            ExprKind::If(choice) => self.if_expr(choice),
            ExprKind::For(repeat) => self.for_expr(repeat),
            ExprKind::Each(call) => {
                self.words("each ");
                self.expr(call);
            }
        }
    }

    /// What follows a name: ` = value`. Operators go on a line of their own rather than be broken beside it; all
    /// else is broken inside its brackets.
    pub(super) fn value_after_equals(&mut self, value: &'a Expr) {
        self.words(" =");
        let commented = self.is_comment_before_expr(value);
        let operators = matches!(value.kind, ExprKind::Binary { .. });
        if !(commented || operators) {
            self.doc.space();
            return self.expr(value);
        }
        self.doc.indent();
        self.comments_before_expr(value);
        self.doc.open();
        self.doc.line(" ");
        if operators {
            self.binary(value, false);
        } else {
            self.expr(value);
        }
        self.doc.close();
        self.doc.dedent();
    }

    pub(super) fn arg(&mut self, arg: &'a Arg) {
        let Some(name) = &arg.name else {
            return if let Some(value) = &arg.value {
                self.expr(value)
            };
        };
        self.label(name);
        self.text(":");
        if let Some(value) = shown_value(arg) {
            self.doc.space();
            self.expr(value);
        }
    }

    /// The arguments of something that ends at an offset.
    fn args(&mut self, args: &'a [Arg], end: u32) {
        match args {
            [only] if self.hugs(only, end) => {
                self.text("(");
                self.arg(only);
                self.text(")");
            }
            _ => self.list(Brackets::PAREN, args, end),
        }
    }

    /// Whether an argument that is alone stands in the parentheses without a line of its own, because its own
    /// brackets have lines.
    fn hugs(&self, arg: &Arg, end: u32) -> bool {
        let Some(value) = &arg.value else { return false };
        let brackets = match &value.kind {
            ExprKind::List(_) | ExprKind::Record(_) | ExprKind::FString(_) => true,
            // One on a single line goes on a line of its own before anything beside the call is broken.
            ExprKind::Str(text) => super::literals::is_for_lines(text),
            ExprKind::Call(call) => arg.name.is_none() && call.annotations.is_empty(),
            _ => false,
        };
        brackets && !self.is_comment_before_expr(value) && !self.is_comment_between(value.span.end, end)
    }

    fn call(&mut self, call: &'a Call, end: u32) {
        if !std::mem::take(&mut self.annotated) {
            for annotation in &call.annotations {
                self.annotation(annotation);
                self.doc.space();
            }
        }
        self.path(&call.callee);
        self.args(&call.args, end);
    }

    pub(super) fn annotation(&mut self, annotation: &'a Annotation) {
        self.text("@");
        self.label(&annotation.name);
        if !annotation.args.is_empty() {
            self.args(&annotation.args, annotation.span.end);
        }
    }

    pub(super) fn path(&mut self, path: &'a Path) {
        for (place, segment) in path.segments.iter().enumerate() {
            if place > 0 {
                self.text("::");
            }
            self.text(reference(&segment.name));
        }
    }

    /// A name where every word is a plain name.
    pub(super) fn label(&mut self, name: &'a Ident) {
        self.text(names::label(&name.name));
    }

    /// A name that is given to something.
    pub(super) fn binding(&mut self, name: &'a Ident) {
        self.text(reference(&name.name));
    }

    /// Members, places and calls of methods, one after another. More than one call goes on a line of its own each
    /// where the whole does not fit.
    fn postfix(&mut self, expr: &'a Expr) {
        let (base, chain) = unchained(expr);
        let calls = chain.iter().filter(|link| matches!(link.kind, ExprKind::MethodCall { .. })).count();
        self.doc.open();
        self.operand(base, Place::Postfix);
        self.doc.indent();
        for link in chain.iter().rev() {
            self.link(link, calls > 1);
        }
        self.doc.dedent();
        self.doc.close();
    }

    fn link(&mut self, link: &'a Expr, on_lines: bool) {
        match &link.kind {
            ExprKind::Member { member, .. } => {
                self.comments_before(member.span().start);
                self.text(".");
                match member {
                    Member::Name(name) => self.label(name),
                    Member::Index { index, .. } => self.text(index.to_string()),
                }
            }
            ExprKind::Index { index, .. } => {
                self.text("[");
                self.expr(index);
                self.comments_before(link.span.end);
                self.text("]");
            }
            ExprKind::MethodCall { method, args, .. } => {
                self.comments_before(method.span.start);
                if on_lines {
                    self.doc.line("");
                }
                self.text(".");
                self.label(method);
                self.args(args, link.span.end);
            }
            _ => {}
        }
    }

    fn if_expr(&mut self, choice: &'a If) {
        let inline = self.doc.is_flat() || stays_on_a_line(choice);
        self.doc.open();
        let mut choice = choice;
        loop {
            self.words("if ");
            self.operand(&choice.condition, Place::Head);
            self.doc.space();
            self.block(&choice.then, inline);
            let Some(otherwise) = &choice.otherwise else { break };
            match otherwise {
                Else::Block(block) => self.comments_before(block.span.start),
                Else::If(next) => self.comments_before_expr(next),
            }
            self.doc.space();
            self.words("else ");
            match otherwise {
                Else::Block(block) => {
                    self.block(block, inline);
                    break;
                }
                Else::If(next) => match &next.kind {
                    ExprKind::If(next) => choice = next,
                    // The parser makes nothing else; it would be read as a block.
                    _ => break self.expr(next),
                },
            }
        }
        self.doc.close();
    }

    fn for_expr(&mut self, repeat: &'a For) {
        self.doc.open();
        self.words("for ");
        self.pattern(&repeat.pattern);
        self.words(" in ");
        self.operand(&repeat.items, Place::Head);
        self.doc.space();
        self.block(&repeat.body, self.doc.is_flat() || is_simple(&repeat.body));
        self.doc.close();
    }
}

/// A name that refers to a value or is given to one. Words that begin statements are plain names here: where one
/// begins a statement, the statement sees to it.
fn reference(name: &str) -> std::borrow::Cow<'_, str> {
    if names::RESERVED.contains(&name) { names::reference(name) } else { names::label(name) }
}

/// The value of an argument, unless its name says it: `seed:` for `seed: seed`.
pub(super) fn shown_value(arg: &Arg) -> Option<&Expr> {
    arg.value.as_ref().filter(|value| match (&value.kind, &arg.name) {
        (ExprKind::Name(value), Some(name)) => *value != name.name,
        _ => true,
    })
}

/// The innermost base of members, places and calls of methods, and these from the last to the first.
fn unchained(expr: &Expr) -> (&Expr, Vec<&Expr>) {
    let mut chain = Vec::new();
    let mut base = expr;
    loop {
        let next = match &base.kind {
            ExprKind::Member { base, .. } | ExprKind::Index { base, .. } => base,
            ExprKind::MethodCall { receiver, .. } => receiver,
            _ => return (base, chain),
        };
        chain.push(base);
        base = next;
    }
}

/// Whether an `if` may stand on one line: two simple alternatives at most.
fn stays_on_a_line(choice: &If) -> bool {
    let otherwise = match &choice.otherwise {
        Some(Else::Block(block)) => is_simple(block),
        Some(Else::If(_)) => false,
        None => true,
    };
    is_simple(&choice.then) && otherwise
}

/// Whether a block is one expression without blocks of its own.
fn is_simple(block: &Block) -> bool {
    match only_statement(block).map(|only| &only.kind) {
        Some(StatementKind::Expr(value)) => !matches!(value.kind, ExprKind::If(_) | ExprKind::For(_)),
        _ => false,
    }
}

/// The columns of an expression that has no brackets, is not deep and not long.
pub(super) fn short_columns(expr: &Expr) -> Option<usize> {
    columns_within(expr, 3)
}

fn columns_within(expr: &Expr, depth: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    match &expr.kind {
        ExprKind::Int(number) => Some(number.to_string().len()),
        ExprKind::Float(number) => Some(super::literals::float(*number).len()),
        ExprKind::Bool(_) | ExprKind::None => Some(5),
        ExprKind::Str(text) if !super::literals::is_for_lines(text) => Some(text.len() + 2),
        ExprKind::Name(name) => Some(name.len()),
        ExprKind::Path(path) => Some(path.segments.iter().map(|segment| segment.name.len() + 2).sum()),
        ExprKind::Member { base, member } => {
            let member = match member {
                Member::Name(name) => name.name.len() + 1,
                Member::Index { .. } => 2,
            };
            columns_within(base, depth).map(|base| base + member)
        }
        ExprKind::Index { base, index } => {
            Some(columns_within(base, depth)? + columns_within(index, depth)? + 2)
        }
        ExprKind::Unary { operand, .. } => columns_within(operand, depth).map(|operand| operand + 1),
        ExprKind::Binary { left, right, .. } => {
            Some(columns_within(left, depth)? + columns_within(right, depth)? + 4)
        }
        ExprKind::FString(parts) => parts
            .iter()
            .map(|part| match part {
                FPart::Text(text) => Some(text.len()).filter(|_| !text.contains('\n')),
                FPart::Expr(value) => columns_within(value, depth).map(|value| value + 2),
            })
            .sum(),
        _ => None,
    }
}
