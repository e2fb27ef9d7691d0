//! Blocks, patterns, `if` and `for`.

use std::sync::Arc;

use floe_lang::Span;
use floe_lang::ast::{self, Block, Else, Expr, ExprKind, PatternItem, StatementKind};
use floe_lang::decl::Type;

use super::hint::{Hint, first_name};
use super::scope::Kind;
use super::{Evaluator, Judge};
use crate::error::{CompileError, EvalError};
use crate::flat::{Place, Value};
use crate::types::{common, describe, type_of};

/// Whether an expression chooses or repeats, rather than being a call.
pub(super) fn is_branching(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::If(_) | ExprKind::For(_))
}

impl<'a> Evaluator<'a> {
    /// The value of a block: its last statement, if that is an expression.
    pub(super) fn block(&mut self, block: &'a Block, hint: &Hint<'_>) -> Value {
        let mark = self.open_block();
        let value = self.open_statements(block, hint);
        self.close_block(mark);
        value
    }

    /// The statements of a block that is open.
    pub(super) fn open_statements(&mut self, block: &'a Block, hint: &Hint<'_>) -> Value {
        let Some((last, before)) = block.statements.split_last() else { return Value::nothing() };
        for statement in before {
            if self.halted {
                return Value::Poison;
            }
            self.action(statement);
        }
        match &last.kind {
            StatementKind::Expr(expr) => self.effect(expr, &last.annotations, hint).0,
            _ => {
                self.action(last);
                Value::nothing()
            }
        }
    }

    /// A condition; none where it is wrong, or not known.
    pub(super) fn condition(&mut self, what: &str, value: Value, place: Place) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(value),
            Value::Poison => None,
            Value::Unknown(ty) if matches!(*ty, Type::Bool | Type::Any) => None,
            Value::Link { .. } if matches!(type_of(&self.flat, &value), Some(Type::Bool | Type::Any)) => {
                let help = "decide with a param or another known value, or use a node that switches";
                self.not_known(&format!("the condition of `{what}`"), &value, help, place);
                None
            }
            value => {
                self.mismatch(what, "Bool", &value, place);
                None
            }
        }
    }

    /// Reports that something is not known before a run.
    pub(super) fn not_known(&mut self, what: &str, value: &Value, help: &str, place: Place) -> Value {
        let got = describe(&self.flat, value);
        self.poison(EvalError::NotKnown {
            what: what.to_owned(),
            got,
            help: help.to_owned(),
            span: place.into(),
        })
    }

    /// `if …`
    pub(super) fn branch(&mut self, branch: &'a ast::If, hint: &Hint<'_>) -> Value {
        let condition = self.expr(&branch.condition, &Hint::Nameless);
        let place = self.place(branch.condition.span);
        let unknown = matches!(condition, Value::Unknown(_));
        match self.condition("if", condition, place) {
            Some(true) => {
                let value = self.block(&branch.then, hint);
                self.untaken(|evaluator| evaluator.otherwise(branch, &Hint::Nameless), else_span(branch));
                if branch.otherwise.is_some() { value } else { Value::nothing() }
            }
            Some(false) => {
                self.untaken(
                    |evaluator| evaluator.block(&branch.then, &Hint::Nameless),
                    Some(branch.then.span),
                );
                self.otherwise(branch, hint)
            }
            None => {
                let then = self.in_shadow(|evaluator| evaluator.block(&branch.then, &Hint::Nameless));
                let otherwise = self.in_shadow(|evaluator| evaluator.otherwise(branch, &Hint::Nameless));
                if unknown { self.either(then, otherwise) } else { Value::Poison }
            }
        }
    }

    fn otherwise(&mut self, branch: &'a ast::If, hint: &Hint<'_>) -> Value {
        match &branch.otherwise {
            None => Value::nothing(),
            Some(Else::Block(block)) => self.block(block, hint),
            Some(Else::If(expr)) => self.expr(expr, hint),
        }
    }

    /// One of two values.
    fn either(&mut self, then: Value, otherwise: Value) -> Value {
        if then == otherwise || then.is_poisoned() {
            return otherwise;
        }
        match (type_of(&self.flat, &then), type_of(&self.flat, &otherwise)) {
            (Some(one), Some(other)) if one == other => Value::unknown(one),
            _ => Value::unknown(Type::Any),
        }
    }

    /// Looks at what is not evaluated, for its errors only.
    pub(super) fn in_shadow<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.shadow, true);
        let value = look(self);
        self.shadow = outer;
        value
    }

    /// Looks at a branch that is not taken, once. Those of flows are looked at with their flow.
    fn untaken(&mut self, look: impl FnOnce(&mut Self) -> Value, span: Option<Span>) {
        let Some(span) = span else { return };
        let place = self.place(span);
        let pointless = self.shadow || self.judge == Judge::Values || self.frame().flow.is_some();
        if !pointless && self.seen.insert(place) {
            self.in_shadow(look);
        }
    }

    /// `for …`
    pub(super) fn repeat(&mut self, repeat: &'a ast::For, hint: &Hint<'_>) -> Value {
        let items = self.expr(&repeat.items, &Hint::Nameless);
        let place = self.place(repeat.items.span);
        let items = match items {
            Value::List(items) => items,
            Value::Poison => return Value::Poison,
            Value::Unknown(ty) => return self.repeat_once(repeat, &ty, place),
            Value::Link { .. } if matches!(type_of(&self.flat, &items), Some(Type::List(_))) => {
                let help = "`each Node(…)` calls a node for each element of a list that a run makes";
                return self.not_known("what `for` goes through", &items, help, place);
            }
            value => return self.mismatch("for", "a list", &value, place),
        };
        if items.is_empty() {
            let any = Value::unknown(Type::Any);
            self.untaken(|evaluator| evaluator.turn(repeat, any, &Hint::Nameless), Some(repeat.body.span));
        }
        let mut values = Vec::new();
        for (turn, item) in items.iter().enumerate() {
            if !self.spend(1, place) {
                return Value::Poison;
            }
            values.push(self.turn(repeat, item.clone(), &Hint::Place(hint, turn)));
        }
        let place = self.place(repeat.body.span);
        self.built(Value::list(values), place)
    }

    /// One turn of a loop.
    fn turn(&mut self, repeat: &'a ast::For, item: Value, hint: &Hint<'_>) -> Value {
        let place = self.place(repeat.items.span);
        let mark = self.open_block();
        self.bind_pattern(&repeat.pattern, item, place);
        let value = self.open_statements(&repeat.body, hint);
        self.close_block(mark);
        value
    }

    /// A loop over a list of which only the type is known.
    fn repeat_once(&mut self, repeat: &'a ast::For, ty: &Type, place: Place) -> Value {
        let item = match ty {
            Type::List(inner) => inner.first().cloned().unwrap_or(Type::Any),
            Type::Any => Type::Any,
            _ => {
                let value = Value::unknown(ty.clone());
                return self.mismatch("for", "a list", &value, place);
            }
        };
        let value = self.turn(repeat, Value::unknown(item), &Hint::Nameless);
        let inner = common(&self.flat, std::slice::from_ref(&value));
        Value::unknown(Type::List(vec![inner].into()))
    }

    fn bind_pattern(&mut self, pattern: &'a ast::Pattern, value: Value, place: Place) {
        match pattern {
            // Nobody minds a counter that is only counted.
            ast::Pattern::Name(name) => self.define_value(name, value, Kind::Param),
            ast::Pattern::Tuple { items, .. } => self.destructure(items, value, place, Kind::Param),
        }
    }

    /// The right side of `let (a, b) = …`, whose parts may be named apart.
    pub(super) fn tuple_value(
        &mut self,
        items: &'a [PatternItem],
        expr: &'a Expr,
        annotations: &'a [ast::Annotation],
    ) -> Value {
        if let ExprKind::Tuple(parts) = &expr.kind {
            self.no_annotations(annotations);
            let values = parts.iter().enumerate().map(|(place, part)| match items.get(place) {
                Some(PatternItem::Name(name)) => self.expr(part, &Hint::Name(&name.name)),
                _ => self.expr(part, &Hint::Nameless),
            });
            let values = values.collect();
            let place = self.place(expr.span);
            return self.built(Value::tuple(values), place);
        }
        let hint = first_name(items).map_or(Hint::Nameless, Hint::Name);
        self.annotated(expr, annotations, &hint).0
    }

    /// Gives the parts of a value their names; a prefix is enough.
    pub(super) fn destructure(&mut self, items: &'a [PatternItem], value: Value, place: Place, kind: Kind) {
        let parts = self.parts(&value, place);
        if let Some((parts, extra)) = parts.as_ref().and_then(|parts| Some((parts, items.get(parts.len())?)))
        {
            let span = match extra {
                PatternItem::Name(name) => name.span,
                PatternItem::Discard(span) => *span,
            };
            let span = self.place(span).into();
            let count = parts.len();
            self.unknown_output(&value, &count.to_string(), span);
        }
        for (index, item) in items.iter().enumerate() {
            let PatternItem::Name(name) = item else { continue };
            let part = match &parts {
                Some(parts) => parts.get(index).cloned().unwrap_or(Value::Poison),
                None if matches!(value, Value::Unknown(_)) => Value::unknown(Type::Any),
                None => Value::Poison,
            };
            self.define_value(name, part, kind);
        }
    }

    /// What a value consists of, if it can be taken apart.
    fn parts(&mut self, value: &Value, place: Place) -> Option<Arc<[Value]>> {
        match value {
            Value::Outputs(call) => {
                let count = u32::try_from(self.flat.call(*call).decl.outputs.len()).unwrap_or(0);
                Some((0..count).map(|slot| Value::Link { call: *call, slot }).collect())
            }
            Value::Link { call, .. } if self.flat.call(*call).decl.outputs.len() == 1 => {
                Some(Arc::from([value.clone()]))
            }
            Value::Tuple(items) if !items.is_empty() => Some(items.to_vec().into()),
            Value::Bundle(bundle) => Some(bundle.items.iter().map(|(_, item)| item.clone()).collect()),
            Value::Poison => None,
            Value::Unknown(ty) if matches!(**ty, Type::Any) => None,
            _ => {
                let want = "the outputs of a node";
                let got = describe(&self.flat, value);
                let got = if got.starts_with(char::is_uppercase) { "a single value".to_owned() } else { got };
                self.error(CompileError::TypeMismatch {
                    input: "let (…)".to_owned(),
                    want: want.to_owned(),
                    help: crate::types::mismatch_help(want, &got),
                    got,
                    span: place.into(),
                });
                None
            }
        }
    }
}

fn else_span(branch: &ast::If) -> Option<Span> {
    branch.otherwise.as_ref().map(|otherwise| match otherwise {
        Else::Block(block) => block.span,
        Else::If(expr) => expr.span,
    })
}
