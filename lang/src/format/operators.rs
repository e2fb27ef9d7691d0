//! Operators, and where parentheses are needed.

use super::Printer;
use crate::ast::*;

/// What an operand belongs to.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A block follows it.
    Head,
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
    /// An expression as a part of another one, in parentheses where it would be read differently without.
    pub(super) fn operand(&mut self, expr: &'a Expr, place: Place) {
        if needs_parentheses(&expr.kind, place) {
            self.comments_before(expr.span.start);
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
        if let Some((op, _, _)) = rest.last() {
            self.operand(first, Place::Left(*op));
        }
        if indent {
            self.doc.indent();
        }
        for (op, op_span, right) in rest.iter().rev() {
            self.comments_before(op_span.start);
            self.doc.space();
            self.text(op.symbol());
            self.comments_before(right.span.start);
            self.doc.line(" ");
            self.operand(right, Place::Right(*op));
        }
        if indent {
            self.doc.dedent();
        }
        self.doc.close();
    }
}

/// `a + b - c` as its first operand and, from the last to the first, operators with what stands right of them.
fn row(expr: &Expr) -> (&Expr, Vec<(BinaryOp, crate::Span, &Expr)>) {
    let mut rest: Vec<(BinaryOp, crate::Span, &Expr)> = Vec::new();
    let mut first = expr;
    while let ExprKind::Binary { op, op_span, left, right } = &first.kind
        && rest.last().is_none_or(|(above, _, _)| groups_with(*op, *above))
    {
        rest.push((*op, *op_span, right));
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
