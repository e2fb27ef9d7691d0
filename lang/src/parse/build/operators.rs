//! Operators by precedence.

use super::{Builder, Result, missing, span};
use crate::Span;
use crate::ast::{BinaryOp, Expr, ExprKind};
use crate::error::{Expected, SyntaxError};
use crate::parse::flat::Flat;
use crate::parse::grammar::Rule;
use pest::iterators::Pair;

/// An expression with the place that it takes, parentheses around it included.
pub(super) type Placed = (Expr, Span);

/// A chain of operands and operators in postfix order: `a + b * c` is `a b c * +`.
enum Step<'i> {
    Operand(Pair<'i, Rule>),
    Operator(BinaryOp, Span),
}

impl Builder<'_> {
    /// An expression of any rule: `expr` and `head` differ in what they allow only.
    pub(super) fn expr(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Expr> {
        Ok(self.placed_expr(flat, pair, depth)?.0)
    }

    pub(super) fn placed_expr(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<Placed> {
        // Most expressions are one operand, and no chain.
        let mut parts = pair.clone().into_inner();
        if let (Some(only), None) = (parts.next(), parts.next()) {
            self.check_depth(depth, span(flat, pair))?;
            return self.operand(flat, &only, depth);
        }
        let steps = postfix(flat, pair)?;
        let deepest = span(flat, pair);
        let mut depths = depths(&steps, depth).into_iter();
        let mut built: Vec<Placed> = Vec::new();
        for step in steps {
            match step {
                Step::Operand(operand) => {
                    let depth = depths.next_back().unwrap_or(depth);
                    self.check_depth(depth, deepest)?;
                    built.push(self.operand(flat, &operand, depth)?);
                }
                Step::Operator(op, op_span) => {
                    let (Some((right, end)), Some((left, start))) = (built.pop(), built.pop()) else { break };
                    let (left, right) = (Box::new(left), Box::new(right));
                    let span = start.to(end);
                    built.push((Expr { kind: ExprKind::Binary { op, op_span, left, right }, span }, span));
                }
            }
        }
        built.pop().ok_or_else(|| missing(flat, pair, Expected::Value { after: "this".into() }))
    }
}

/// Brings operands and operators into postfix order; all operators group to the left.
fn postfix<'i>(flat: &Flat<'_>, pair: &Pair<'i, Rule>) -> Result<Vec<Step<'i>>> {
    let mut steps = Vec::new();
    let mut waiting: Vec<(BinaryOp, Span)> = Vec::new();
    for part in pair.clone().into_inner() {
        let Some(op) = binary_op(&part) else {
            steps.push(Step::Operand(part));
            continue;
        };
        let here = span(flat, &part);
        while let Some((before, at)) = waiting.pop_if(|(before, _)| before.precedence() >= op.precedence()) {
            if op.precedence() == BinaryOp::Eq.precedence() && before.precedence() == op.precedence() {
                return Err(Box::new(SyntaxError::ChainedComparison { first: at, span: here }));
            }
            steps.push(Step::Operator(before, at));
        }
        waiting.push((op, here));
    }
    steps.extend(waiting.into_iter().rev().map(|(op, at)| Step::Operator(op, at)));
    Ok(steps)
}

/// How deep the operands stand in the tree, the last operand first.
fn depths(steps: &[Step<'_>], depth: usize) -> Vec<usize> {
    let mut open = vec![depth];
    let mut depths = Vec::new();
    for step in steps.iter().rev() {
        let Some(here) = open.pop() else { break };
        match step {
            Step::Operand(_) => depths.push(here),
            Step::Operator(..) => open.extend([here + 1, here + 1]),
        }
    }
    depths
}

fn binary_op(pair: &Pair<'_, Rule>) -> Option<BinaryOp> {
    if pair.as_rule() != Rule::binary_op {
        return None;
    }
    Some(match pair.as_str() {
        "||" => BinaryOp::Or,
        "&&" => BinaryOp::And,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        "<" => BinaryOp::Lt,
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        ">=" => BinaryOp::Ge,
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        "%" => BinaryOp::Rem,
        _ => return None,
    })
}
