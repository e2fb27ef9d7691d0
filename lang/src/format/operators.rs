//! Operators, and where parentheses are needed.

use super::Printer;
use crate::ast::*;

/// What an operand belongs to.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A block follows it.
    Head,
    /// It follows `each`.
    Each,
    /// A member, a place or a method of it is taken.
    Postfix,
    /// It follows an operator.
    Unary(UnaryOp),
    /// It stands left of an operator.
    Left(BinaryOp),
    /// It stands right of an operator.
    Right(BinaryOp),
}

impl<'a> Printer<'a> {
    /// Writes the remarks that belong before an expression.
    pub(super) fn comments_before_expr(&mut self, expr: &'a Expr) {
        if self.has_comments() {
            self.comments_before(self.head(expr));
        }
    }

    /// Whether there are any.
    pub(super) fn is_comment_before_expr(&self, expr: &Expr) -> bool {
        self.has_comments() && self.is_comment_before(self.head(expr))
    }

    /// Up to where remarks in an expression stand before it: outside of brackets, a line may not end behind its first
    /// words. Remarks there come from parentheses that were not needed.
    fn head(&self, expr: &Expr) -> u32 {
        let mut expr = expr;
        loop {
            let (next, place) = match &expr.kind {
                ExprKind::Call(call) if self.is_comment_in_head(call) => return call.callee.span.start,
                ExprKind::Each(call) => (call, Place::Each),
                ExprKind::Unary { op, operand } => (operand, Place::Unary(*op)),
                ExprKind::Binary { op, left, .. } => (left, Place::Left(*op)),
                ExprKind::Member { base, .. }
                | ExprKind::Index { base, .. }
                | ExprKind::MethodCall { receiver: base, .. } => (base, Place::Postfix),
                ExprKind::If(choice) => (&choice.condition, Place::Head),
                ExprKind::For(repeat) => (&repeat.items, Place::Head),
                _ => return expr.span.start,
            };
            if needs_parentheses(&next.kind, place) {
                return expr.span.start;
            }
            expr = next;
        }
    }

    /// Whether there is a remark between the annotations of a call, or between them and its name.
    fn is_comment_in_head(&self, call: &Call) -> bool {
        let starts = call.annotations.iter().skip(1).map(|annotation| annotation.span.start);
        let starts = starts.chain([call.callee.span.start]);
        call.annotations
            .iter()
            .zip(starts)
            .any(|(before, next)| self.is_comment_between(before.span.end, next))
    }

    /// An expression as a part of another one, in parentheses where it would be read differently without.
    pub(super) fn operand(&mut self, expr: &'a Expr, place: Place) {
        if needs_parentheses(&expr.kind, place) {
            self.text("(");
            self.expr(expr);
            self.text(")");
        } else {
            self.expr(expr);
        }
    }

    /// Operators of one precedence in a row: on one line, or broken after each of them.
    pub(super) fn binary(&mut self, expr: &'a Expr, indent: bool) {
        let (first, rest) = row(expr);
        self.doc.open();
        if let Some((op, _)) = rest.last() {
            self.operand(first, Place::Left(*op));
        }
        if indent {
            self.doc.indent();
        }
        for (op, right) in rest.iter().rev() {
            // Never before the operator: a line that begins with `-` is a statement.
            self.doc.space();
            self.text(op.symbol());
            self.comments_before_expr(right);
            self.doc.line(" ");
            self.operand(right, Place::Right(*op));
        }
        if indent {
            self.doc.dedent();
        }
        self.doc.close();
    }
}

/// The call that an expression begins with.
pub(super) fn leading_call(expr: &Expr) -> Option<&Call> {
    let mut expr = expr;
    loop {
        let (next, place) = match &expr.kind {
            ExprKind::Call(call) => return Some(call),
            ExprKind::Each(call) => (call, Place::Each),
            ExprKind::Binary { op, left, .. } => (left, Place::Left(*op)),
            ExprKind::Member { base, .. }
            | ExprKind::Index { base, .. }
            | ExprKind::MethodCall { receiver: base, .. } => (base, Place::Postfix),
            _ => return None,
        };
        if needs_parentheses(&next.kind, place) {
            return None;
        }
        expr = next;
    }
}

/// `a + b - c` as its first operand and, from the last to the first, operators with what stands right of them.
fn row(expr: &Expr) -> (&Expr, Vec<(BinaryOp, &Expr)>) {
    let mut rest: Vec<(BinaryOp, &Expr)> = Vec::new();
    let mut first = expr;
    while let ExprKind::Binary { op, left, right, .. } = &first.kind
        && rest.last().is_none_or(|(above, _)| groups_with(*op, *above))
    {
        rest.push((*op, right));
        first = left;
    }
    (first, rest)
}

/// Whether `a left b right c` is read as `(a left b) right c` and the operators belong together.
fn groups_with(left: BinaryOp, right: BinaryOp) -> bool {
    left.precedence() == right.precedence() && !is_comparison(left)
}

fn is_comparison(op: BinaryOp) -> bool {
    op.precedence() == BinaryOp::Eq.precedence()
}

fn needs_parentheses(kind: &ExprKind, place: Place) -> bool {
    match (kind, place) {
        (ExprKind::Binary { op, .. }, Place::Left(outer)) => {
            op.precedence() < outer.precedence()
                || op.precedence() == outer.precedence() && is_comparison(outer)
        }
        (ExprKind::Binary { op, .. }, Place::Right(outer)) => op.precedence() <= outer.precedence(),
        (ExprKind::Binary { .. }, Place::Postfix | Place::Unary(_)) => true,
        (ExprKind::Unary { .. }, Place::Postfix) => true,
        (ExprKind::If(_) | ExprKind::For(_) | ExprKind::Select { .. }, _) => true,
        // `-1` is one number, `-(1)` the negative of another one.
        (ExprKind::Int(_) | ExprKind::Float(_), Place::Unary(UnaryOp::Neg) | Place::Postfix) => true,
        _ => false,
    }
}
