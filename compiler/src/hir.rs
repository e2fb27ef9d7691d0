//! The program with names and types resolved; values of params not yet bound.

use floe_lang::{Span, ast};
use floe_stdlib::{InputDecl, NodeDecl, Scalar};

/// A resolved program.
#[derive(Debug, Default)]
pub(crate) struct Hir {
    pub(crate) params: Vec<Param>,
    /// Calls in the order in which they are evaluated: inputs first.
    pub(crate) calls: Vec<Call>,
    /// Calls of output nodes at statement level, in order.
    pub(crate) effects: Vec<CallId>,
}

pub(crate) type CallId = usize;
pub(crate) type ParamId = usize;

#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) ty: ParamType,
    pub(crate) constraint: Option<ast::Constraint>,
    pub(crate) default: Option<(Scalar, Span)>,
    pub(crate) span: Span,
    /// The declaration is wrong, which has been said.
    pub(crate) poisoned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamType {
    Int,
    Float,
    Bool,
    String,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) decl: &'static NodeDecl,
    pub(crate) inputs: Vec<(&'static InputDecl, Expr)>,
    /// What to call it in plans: where its result goes.
    pub(crate) origin: String,
    /// The callee's name.
    pub(crate) span: Span,
    /// Some input is wrong, which has been said.
    pub(crate) poisoned: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum ExprKind {
    Literal(Scalar),
    Param(ParamId),
    /// An f-string.
    Format(Vec<Piece>),
    /// An output of a call.
    Output(CallId, usize),
    /// A call with several outputs, of which none was taken yet.
    Outputs(CallId),
    List(Vec<Expr>),
    /// `none`.
    Open,
    /// Wrong, which has been said.
    Poison,
}

#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Expr(Expr),
}
