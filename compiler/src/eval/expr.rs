//! Expressions.

use std::sync::Arc;

use floe_lang::Span;
use floe_lang::ast::{self, BinaryOp, Expr, ExprKind, FPart, Member, UnaryOp};
use floe_lang::decl::Type;

use super::functions::text;
use super::hint::{Hint, member_name};
use super::ops::{self, OpError};
use super::{DEPTH, Evaluator, Judge};
use crate::error::{CompileError, EvalError};
use crate::flat::{Bundle, CallId, Place, Select, Value, text_weight};
use crate::types::{describe, type_of};

impl<'a> Evaluator<'a> {
    /// The value of an expression.
    pub(super) fn expr(&mut self, expr: &'a Expr, hint: &Hint<'_>) -> Value {
        self.annotated(expr, &[], hint).0
    }

    /// The value of an expression with annotations before it, and the call of a node that it is.
    pub(super) fn annotated(
        &mut self,
        expr: &'a Expr,
        annotations: &'a [ast::Annotation],
        hint: &Hint<'_>,
    ) -> (Value, Option<CallId>) {
        let place = self.place(expr.span);
        if !self.spend(1, place) {
            return (Value::Poison, None);
        }
        if self.depth >= DEPTH {
            return (self.halt(EvalError::TooDeep { limit: DEPTH, span: place.into() }), None);
        }
        self.depth += 1;
        let result = match &expr.kind {
            ExprKind::Call(call) => self.call(call, annotations, false, hint),
            ExprKind::Each(inner) => self.each(inner, annotations, hint),
            ExprKind::Member { base, member } => {
                let (base_value, _) = self.annotated(base, annotations, hint);
                (self.member(&base_value, member, base.span), None)
            }
            _ => {
                self.no_annotations(annotations);
                (self.plain(expr, place, hint), None)
            }
        };
        self.depth -= 1;
        result
    }

    /// An expression that is no call.
    fn plain(&mut self, expr: &'a Expr, place: Place, hint: &Hint<'_>) -> Value {
        match &expr.kind {
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::None => Value::None,
            ExprKind::Str(value) => Value::text(value.as_str()),
            ExprKind::FString(parts) => self.f_string(parts, place),
            ExprKind::List(items) => {
                let values = self.several(items, hint);
                self.built(Value::list(values), place)
            }
            ExprKind::Tuple(items) => {
                let values = self.several(items, hint);
                self.built(Value::tuple(values), place)
            }
            ExprKind::Record(fields) => {
                let fields = self.fields(fields, hint);
                self.built(Value::record(fields), place)
            }
            ExprKind::Select { choice, inputs } => {
                let choice = self.expr(choice, hint);
                let inputs = self.fields(inputs, hint);
                Value::Select(Arc::new(Select { choice, inputs }))
            }
            ExprKind::Name(name) => self.name(name, place),
            ExprKind::Path(path) => {
                let def = self.path(path);
                let name = path.to_string();
                self.as_value(&name, def, place)
            }
            ExprKind::Index { base, index } => self.index(base, index, hint),
            ExprKind::MethodCall { receiver, method, args } => self.method(receiver, method, args, place),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, place),
            ExprKind::Binary { .. } => self.binary_chain(expr),
            ExprKind::If(branch) => self.branch(branch, hint),
            ExprKind::For(repeat) => self.repeat(repeat, hint),
            ExprKind::Call(_) | ExprKind::Each(_) | ExprKind::Member { .. } => Value::Poison,
        }
    }

    fn several(&mut self, items: &'a [Expr], hint: &Hint<'_>) -> Vec<Value> {
        items.iter().enumerate().map(|(place, item)| self.expr(item, &hint.part(place))).collect()
    }

    /// Named values.
    pub(super) fn fields(&mut self, fields: &'a [ast::Arg], hint: &Hint<'_>) -> Vec<(Arc<str>, Value)> {
        let mut values: Vec<(Arc<str>, Value)> = Vec::new();
        for field in fields {
            let Some(name) = &field.name else { continue };
            let value = self.argument(field, &Hint::Inner(hint, &name.name));
            values.push((name.name.as_str().into(), value));
        }
        values
    }

    /// The value of an argument; `name:` alone is the value of that name.
    pub(super) fn argument(&mut self, arg: &'a ast::Arg, hint: &Hint<'_>) -> Value {
        match (&arg.value, &arg.name) {
            (Some(value), _) => self.expr(value, hint),
            (None, Some(name)) => {
                let place = self.place(name.span);
                self.name(&name.name, place)
            }
            (None, None) => Value::Poison,
        }
    }

    fn f_string(&mut self, parts: &'a [FPart], place: Place) -> Value {
        let mut out = String::new();
        let (mut wrong, mut unknown) = (false, false);
        for part in parts {
            match part {
                FPart::Text(text) => out.push_str(text),
                FPart::Expr(expr) => match self.expr(expr, &Hint::Nameless) {
                    Value::Poison => wrong = true,
                    Value::Unknown(ty) if is_scalar(&ty) => unknown = true,
                    value => match text(&value) {
                        Some(text) => out.push_str(&text),
                        None => {
                            self.unwritable(&value, expr.span);
                            wrong = true;
                        }
                    },
                },
            }
            if text_weight(out.len()) > self.left() {
                break;
            }
        }
        match (wrong, unknown) {
            (true, _) => Value::Poison,
            (false, true) => Value::unknown(Type::String),
            (false, false) => self.built(Value::text(out), place),
        }
    }

    /// Reports a value that cannot be written into a text.
    fn unwritable(&mut self, value: &Value, span: Span) {
        let place = self.place(span);
        let computed = matches!(value, Value::Link { .. });
        if computed && type_of(&self.flat, value).is_some_and(|ty| ty.is_scalar()) {
            let help =
                "write params and other known values into texts, or let a node join texts while it runs";
            self.not_known("what is written into a text", value, help, place);
        } else {
            self.mismatch("{…}", "a scalar", value, place);
        }
    }

    /// `base.member`
    fn member(&mut self, base: &Value, member: &Member, span: Span) -> Value {
        let slot = |names: &mut dyn Iterator<Item = &str>, count: usize| match member {
            Member::Name(name) => {
                names.enumerate().find(|(_, known)| *known == name.name).map(|(slot, _)| slot)
            }
            Member::Index { index, .. } => usize::try_from(*index).ok().filter(|&slot| slot < count),
        };
        let found = match base {
            Value::Poison => return Value::Poison,
            Value::Unknown(ty) if matches!(**ty, Type::Any) => return base.clone(),
            Value::Outputs(call) => {
                self.output_slot(*call, &slot).or_else(|| self.undeclared_output(*call, member))
            }
            // The one output of a node may be named as well.
            Value::Link { call, .. } if self.flat.call(*call).decl.outputs.len() == 1 => {
                self.output_slot(*call, &slot).or_else(|| self.undeclared_output(*call, member))
            }
            Value::Bundle(bundle) => bundle_item(bundle, member),
            Value::Tuple(items) => slot(&mut std::iter::empty(), items.len()).map(|slot| items[slot].clone()),
            Value::Record(fields) => {
                let mut names = fields.iter().map(|(name, _)| name.as_ref());
                slot(&mut names, fields.len()).map(|slot| fields[slot].1.clone())
            }
            value => {
                let place = self.place(span);
                return self.mismatch("the value before the point", "the outputs of a node", value, place);
            }
        };
        found.unwrap_or_else(|| {
            let span = self.place(member.span()).into();
            self.unknown_output(base, &member_name(member), span)
        })
    }

    fn output_slot(
        &self,
        call: CallId,
        slot: &dyn Fn(&mut dyn Iterator<Item = &str>, usize) -> Option<usize>,
    ) -> Option<Value> {
        let outputs = &self.flat.call(call).decl.outputs;
        let slot = slot(&mut outputs.iter().map(|output| output.name.as_ref()), outputs.len())?;
        Some(Value::Link { call, slot: u32::try_from(slot).ok()? })
    }

    /// An output by its place that the declaration lacks: a workflow may be of another version of the node, and goes out
    /// as it came in.
    fn undeclared_output(&self, call: CallId, member: &Member) -> Option<Value> {
        match member {
            Member::Index { index, .. } if self.judge == Judge::Values => {
                Some(Value::Link { call, slot: *index })
            }
            _ => None,
        }
    }

    /// Reports that a value has no such part.
    pub(super) fn unknown_output(&mut self, value: &Value, output: &str, span: miette::SourceSpan) -> Value {
        let (node, outputs) = match value {
            Value::Outputs(call) | Value::Link { call, .. } => {
                let decl = &self.flat.call(*call).decl;
                let outputs = decl.outputs.iter().map(|output| output.name.to_string()).collect();
                (format!("`{}`", decl.name), outputs)
            }
            Value::Bundle(bundle) => {
                let places = bundle.items.iter().enumerate();
                let name = |(place, (name, _)): (usize, &(Option<Arc<str>>, Value))| {
                    name.as_ref().map_or_else(|| place.to_string(), |name| name.to_string())
                };
                (format!("`{}`", bundle.flow), places.map(name).collect())
            }
            Value::Record(fields) => {
                ("this record".to_owned(), fields.iter().map(|(name, _)| name.to_string()).collect())
            }
            Value::Tuple(items) => {
                ("this tuple".to_owned(), (0..items.len()).map(|place| place.to_string()).collect())
            }
            _ => ("this".to_owned(), Vec::new()),
        };
        self.poison(CompileError::UnknownOutput { node, output: output.to_owned(), outputs, span })
    }

    /// `base[index]`
    fn index(&mut self, base: &'a Expr, index: &'a Expr, hint: &Hint<'_>) -> Value {
        let list = self.expr(base, hint);
        let at = self.expr(index, &Hint::Nameless);
        let (base_place, place) = (self.place(base.span), self.place(index.span));
        match (&list, &at) {
            (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
            (Value::List(items), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
                found.cloned().unwrap_or_else(|| {
                    let (index, len) = (at.to_string(), items.len());
                    self.poison(EvalError::OutOfBounds { index, len, span: place.into() })
                })
            }
            (Value::List(_) | Value::Unknown(_), Value::Int(_) | Value::Unknown(_)) => {
                match type_of(&self.flat, &list) {
                    Some(Type::List(inner)) => Value::unknown(inner.first().cloned().unwrap_or(Type::Any)),
                    Some(Type::Any) => Value::unknown(Type::Any),
                    _ => self.mismatch("[…]", "a list", &list, base_place),
                }
            }
            (Value::List(_), _) => self.mismatch("[…]", "Int", &at, place),
            (Value::Link { .. }, _) if matches!(type_of(&self.flat, &list), Some(Type::List(_))) => {
                let help = "a node that selects from a list does this while it runs";
                self.not_known("a list with places", &list, help, base_place)
            }
            _ => self.mismatch("[…]", "a list", &list, base_place),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &'a Expr, place: Place) -> Value {
        let value = self.expr(operand, &Hint::Nameless);
        let result = match &value {
            Value::Poison => return Value::Poison,
            Value::Unknown(ty) => ops::unary_type(op, ty).map(Value::unknown).ok_or(OpError::Operands),
            Value::Link { .. } | Value::Outputs(_) => {
                return self.computed(op.symbol(), &value, operand.span);
            }
            value => ops::unary(op, value),
        };
        result.unwrap_or_else(|error| match error {
            OpError::Operands => {
                let operands = describe(&self.flat, &value);
                self.bad_operand(op.symbol(), operands, None, place)
            }
            error => self.op_error(error, &format!("{}{value}", op.symbol()), place),
        })
    }

    /// Operators that group to the left are walked in a loop: a sum may have thousands of terms.
    fn binary_chain(&mut self, expr: &'a Expr) -> Value {
        let mut first = expr;
        let mut rest = Vec::new();
        while let ExprKind::Binary { op, left, right, .. } = &first.kind {
            rest.push((*op, right.as_ref(), first.span));
            first = left;
        }
        let mut value = self.expr(first, &Hint::Nameless);
        let mut left_span = first.span;
        while let Some((op, right, span)) = rest.pop() {
            let place = self.place(span);
            if !self.spend(1, place) {
                return Value::Poison;
            }
            value = self.binary(op, value, right, (left_span, span));
            left_span = span;
        }
        value
    }

    fn binary(&mut self, op: BinaryOp, left: Value, right: &'a Expr, spans: (Span, Span)) -> Value {
        let (left_span, span) = spans;
        match (op, &left) {
            (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return left,
            _ => {}
        }
        let right_value = self.expr(right, &Hint::Nameless);
        let place = self.place(span);
        let computed = |value: &Value| matches!(value, Value::Link { .. } | Value::Outputs(_));
        let result = match (&left, &right_value) {
            (Value::Poison, _) | (_, Value::Poison) => return Value::Poison,
            (value, _) if computed(value) => return self.computed(op.symbol(), value, left_span),
            (_, value) if computed(value) => return self.computed(op.symbol(), value, right.span),
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => self.unknown_binary(op, &left, &right_value),
            (left, right) => {
                let work = left.weight().saturating_add(right.weight());
                if work > 2 && !self.spend(work, place) {
                    return Value::Poison;
                }
                ops::binary(op, left, right)
            }
        };
        match result {
            Ok(value) => self.built(value, place),
            Err(OpError::Operands) => {
                let operands =
                    format!("{} and {}", describe(&self.flat, &left), describe(&self.flat, &right_value));
                self.bad_operand(op.symbol(), operands, Some((&left, &right_value)), place)
            }
            Err(error) => self.op_error(error, &format!("{left} {} {right_value}", op.symbol()), place),
        }
    }

    fn unknown_binary(&self, op: BinaryOp, left: &Value, right: &Value) -> Result<Value, OpError> {
        match (type_of(&self.flat, left), type_of(&self.flat, right)) {
            (Some(left), Some(right)) => {
                ops::binary_type(op, &left, &right).map(Value::unknown).ok_or(OpError::Operands)
            }
            _ => Ok(Value::unknown(Type::Any)),
        }
    }

    fn computed(&mut self, op: &str, value: &Value, span: Span) -> Value {
        let place = self.place(span);
        let help = "calculate with params and other known values, or let a node calculate while it runs";
        self.not_known(&format!("what `{op}` is applied to"), value, help, place)
    }

    fn bad_operand(
        &mut self,
        op: &'static str,
        operands: String,
        both: Option<(&Value, &Value)>,
        place: Place,
    ) -> Value {
        let help = match (op, both) {
            ("+", Some((Value::Str(_), _) | (_, Value::Str(_)))) => {
                "to put a value into a text, write `f\"…{x}…\"`".to_owned()
            }
            ("+", _) => "it adds numbers, and joins texts or lists".to_owned(),
            ("&&" | "||" | "!", _) => "it takes `true` and `false`".to_owned(),
            ("<" | "<=" | ">" | ">=", _) => {
                "it compares numbers with numbers, and texts with texts".to_owned()
            }
            _ => "it takes numbers".to_owned(),
        };
        self.poison(EvalError::BadOperand { op, operands, help, span: place.into() })
    }

    fn op_error(&mut self, error: OpError, operation: &str, place: Place) -> Value {
        let (operation, span) = (operation.to_owned(), place.into());
        match error {
            OpError::Overflow(ty) => self.poison(EvalError::Overflow { operation, ty, span }),
            _ => self.poison(EvalError::DivisionByZero { operation, span }),
        }
    }
}

fn bundle_item(bundle: &Bundle, member: &Member) -> Option<Value> {
    let slot = match member {
        Member::Name(name) => {
            bundle.items.iter().position(|(known, _)| known.as_deref() == Some(name.name.as_str()))?
        }
        Member::Index { index, .. } => usize::try_from(*index).ok()?,
    };
    bundle.items.get(slot).map(|(_, value)| value.clone())
}

/// Whether values of a type can be written into a text.
fn is_scalar(ty: &Type) -> bool {
    ty.is_scalar() || matches!(ty, Type::Any)
}
