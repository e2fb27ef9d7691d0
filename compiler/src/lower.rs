//! HIR to graph: binds params, evaluates scalars, checks ranges and choices.

use std::collections::BTreeMap;

use floe_lang::Span;
use floe_lang::ast::{self, ConstraintKind};
use floe_stdlib::{InputDecl, Literal, Scalar, Type};

use crate::check::fit_param;
use crate::error::{CompileError, suggest};
use crate::graph::{Graph, Node, NodeId, NodeKind, Operand, Source};
use crate::hir::{Call, Expr, ExprKind, Hir, Param, ParamType, Piece};

/// The graph of every call whose inputs are right, and the values of the params.
pub(crate) struct Lowered {
    pub(crate) graph: Graph,
    pub(crate) params: BTreeMap<String, floe_plan::Scalar>,
}

pub(crate) fn lower(hir: &Hir, set: &BTreeMap<String, String>, errors: &mut Vec<CompileError>) -> Lowered {
    let params = bind(hir, set, errors);
    let mut lowering = Lowering { params: &params, graph: Graph::default(), nodes: Vec::new(), errors };
    for call in &hir.calls {
        let node = lowering.call(call);
        lowering.nodes.push(node);
    }
    let effects = hir.effects.iter().filter_map(|&call| lowering.nodes[call]).collect();
    let mut graph = lowering.graph;
    graph.effects = effects;
    let named = hir.params.iter().zip(&params);
    let params =
        named.filter_map(|(param, value)| Some((param.name.clone(), plan_scalar(value.as_ref()?)))).collect();
    Lowered { graph, params }
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

/// The value of every param; `None` where it is wrong or missing, which is reported.
fn bind(hir: &Hir, set: &BTreeMap<String, String>, errors: &mut Vec<CompileError>) -> Vec<Option<Scalar>> {
    let names: Vec<String> = hir.params.iter().map(|param| param.name.clone()).collect();
    for name in set.keys().filter(|name| !names.contains(name)) {
        let suggestion = suggest(name, names.iter().map(String::as_str));
        errors.push(CompileError::UnknownParam { name: name.clone(), suggestion, params: names.clone() });
    }
    hir.params
        .iter()
        .map(|param| {
            let value = match (set.get(&param.name), &param.default) {
                _ if param.poisoned => return None,
                (Some(text), _) => read_param(param, text, errors)?,
                (None, Some((value, _))) => value.clone(),
                (None, None) => {
                    errors.push(CompileError::UnboundParam {
                        name: param.name.clone(),
                        span: param.span.into(),
                    });
                    return None;
                }
            };
            let span = match &param.default {
                Some((_, span)) if !set.contains_key(&param.name) => *span,
                _ => param.span,
            };
            constrain(param, &value, span, errors).then_some(value)
        })
        .collect()
}

/// Reads a value given as text, as on a command line.
fn read_param(param: &Param, text: &str, errors: &mut Vec<CompileError>) -> Option<Scalar> {
    let (ty, article, example) = match param.ty {
        ParamType::Int => ("an Int", "a whole number", "42"),
        ParamType::Float => ("a Float", "a number", "0.5"),
        ParamType::Bool => ("a Bool", "`true` or `false`", "true"),
        ParamType::String => return Some(Scalar::String(text.to_owned())),
    };
    let value = match param.ty {
        ParamType::Bool => text.parse().ok().map(Scalar::Bool),
        ParamType::Int => text
            .parse::<i128>()
            .ok()
            .filter(|value| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(value))
            .map(Scalar::Int),
        _ => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Scalar::Float),
    };
    if value.is_none() {
        errors.push(CompileError::BadParamValue {
            name: param.name.clone(),
            ty,
            value: text.to_owned(),
            article,
            example,
            span: param.span.into(),
        });
    }
    value
}

/// Checks a param's value against its own `in …`.
fn constrain(param: &Param, value: &Scalar, span: Span, errors: &mut Vec<CompileError>) -> bool {
    let literal = |expr: &ast::Expr| match &expr.kind {
        ast::ExprKind::Int(value) => fit_param(param.ty, Scalar::Int(*value)),
        ast::ExprKind::Float(value) => fit_param(param.ty, Scalar::Float(*value)),
        ast::ExprKind::Str(value) => fit_param(param.ty, Scalar::String(value.clone())),
        ast::ExprKind::Bool(value) => fit_param(param.ty, Scalar::Bool(*value)),
        _ => None,
    };
    let Some(constraint) = &param.constraint else { return true };
    match &constraint.kind {
        ConstraintKind::Range { lo, hi } => match (literal(lo), literal(hi)) {
            (Some(lo), Some(hi)) => in_range(&param.name, value, &lo, &hi, span, errors),
            _ => {
                let (want, got, help) = match param.ty {
                    ParamType::Int => {
                        ("bounds that are Ints", "others", "write whole numbers, as in `in 1..=150`")
                    }
                    ParamType::Float => {
                        ("bounds that are numbers", "others", "write numbers, as in `in 0.0..=1.0`")
                    }
                    ParamType::Bool | ParamType::String => {
                        ("a list of choices", "a range", "list what is allowed, as in `in [\"a\", \"b\"]`")
                    }
                };
                errors.push(CompileError::TypeMismatch {
                    input: param.name.clone(),
                    want: want.to_owned(),
                    got: got.to_owned(),
                    help: help.to_owned(),
                    span: constraint.span.into(),
                });
                false
            }
        },
        ConstraintKind::OneOf(items) => {
            let choices: Vec<Scalar> = items.iter().filter_map(literal).collect();
            if choices.contains(value) {
                return true;
            }
            let choices: Vec<String> = choices.iter().map(Scalar::to_string).collect();
            let value = value.to_string();
            let suggestion = suggest(&value, choices.iter().map(String::as_str));
            errors.push(CompileError::NotAChoice {
                input: param.name.clone(),
                value,
                suggestion,
                choices,
                span: span.into(),
            });
            false
        }
    }
}

fn in_range(
    input: &str,
    value: &Scalar,
    lo: &Scalar,
    hi: &Scalar,
    span: Span,
    errors: &mut Vec<CompileError>,
) -> bool {
    let (below, above) = match (value, lo, hi) {
        (Scalar::Int(value), Scalar::Int(lo), Scalar::Int(hi)) => (value < lo, value > hi),
        (Scalar::Float(value), Scalar::Float(lo), Scalar::Float(hi)) => (value < lo, value > hi),
        _ => return true,
    };
    if below || above {
        errors.push(CompileError::OutOfRange {
            input: input.to_owned(),
            value: value.to_string(),
            above,
            lo: lo.to_string(),
            hi: hi.to_string(),
            span: span.into(),
        });
    }
    !(below || above)
}

struct Lowering<'a> {
    params: &'a [Option<Scalar>],
    graph: Graph,
    /// The node of each call so far; `None` where something is wrong with it.
    nodes: Vec<Option<NodeId>>,
    errors: &'a mut Vec<CompileError>,
}

impl Lowering<'_> {
    fn call(&mut self, call: &Call) -> Option<NodeId> {
        let mut inputs = BTreeMap::new();
        let mut spans = BTreeMap::new();
        let mut whole = !call.poisoned;
        for (input, value) in &call.inputs {
            spans.insert(input.name, value.span.into());
            match self.operand(input, value) {
                Some(operand) => {
                    inputs.insert(input.name, operand);
                }
                None => whole = false,
            }
        }
        if !whole {
            return None;
        }
        for input in call.decl.visible_inputs() {
            inputs.entry(input.name).or_insert_with(|| match &input.default {
                Some(literal) => Operand::Scalar(coerce(&input.ty, from_literal(literal))),
                None => Operand::Open,
            });
        }
        let source = Source { span: call.span.into(), inputs: spans };
        Some(self.graph.nodes.push(Node {
            kind: NodeKind::Call(call.decl),
            inputs,
            origins: vec![call.origin.clone()],
            batched: false,
            source,
        }))
    }

    fn operand(&mut self, input: &'static InputDecl, value: &Expr) -> Option<Operand> {
        match &value.kind {
            ExprKind::Open => Some(Operand::Open),
            ExprKind::Output(call, slot) => self.nodes[*call].map(|node| Operand::Output(node, *slot)),
            ExprKind::Literal(_) | ExprKind::Param(_) | ExprKind::Format(_) => {
                let scalar = coerce(&input.ty, self.scalar(value)?);
                self.in_bounds(input, &scalar, value.span).then_some(Operand::Scalar(scalar))
            }
            ExprKind::Outputs(_) | ExprKind::List(_) | ExprKind::Poison => None,
        }
    }

    fn scalar(&self, value: &Expr) -> Option<Scalar> {
        match &value.kind {
            ExprKind::Literal(scalar) => Some(scalar.clone()),
            ExprKind::Param(param) => self.params[*param].clone(),
            ExprKind::Format(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(piece) => text.push_str(piece),
                        Piece::Expr(expr) => match self.scalar(expr)? {
                            Scalar::String(value) => text.push_str(&value),
                            value => text.push_str(&value.to_string()),
                        },
                    }
                }
                Some(Scalar::String(text))
            }
            _ => None,
        }
    }

    fn in_bounds(&mut self, input: &InputDecl, value: &Scalar, span: Span) -> bool {
        if let (Type::Choice { values, .. }, Scalar::String(text)) = (&input.ty, value)
            && !values.contains(&text.as_str())
        {
            let choices: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
            let suggestion = suggest(text, values.iter().copied()).map(|name| format!("\"{name}\""));
            self.errors.push(CompileError::NotAChoice {
                input: input.name.to_owned(),
                value: value.to_string(),
                suggestion,
                choices,
                span: span.into(),
            });
            return false;
        }
        match &input.range {
            Some((lo, hi)) => {
                let (lo, hi) = (coerce(&input.ty, from_literal(lo)), coerce(&input.ty, from_literal(hi)));
                in_range(input.name, value, &lo, &hi, span, self.errors)
            }
            None => true,
        }
    }
}

fn from_literal(literal: &Literal) -> Scalar {
    match *literal {
        Literal::Int(value) => Scalar::Int(value),
        Literal::Float(value) => Scalar::Float(value),
        Literal::Bool(value) => Scalar::Bool(value),
        Literal::String(value) => Scalar::String(value.to_owned()),
    }
}

/// The one conversion that is not spelled: Int to Float.
fn coerce(ty: &Type, scalar: Scalar) -> Scalar {
    match (ty, scalar) {
        (Type::Float, Scalar::Int(value)) => Scalar::Float(value as f64),
        (_, scalar) => scalar,
    }
}
