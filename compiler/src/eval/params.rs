//! Params: their declarations, and the values they are bound to.

use floe_lang::ast::{self, ConstraintKind, ExprKind, TypeKind};
use floe_lang::decl::{ChoiceValue, Type};
use floe_stdlib::node;

use super::Evaluator;
use super::hint::Hint;
use super::scope::Kind;
use crate::error::{CompileError, suggest};
use crate::flat::{Arg, Bound, Call, Decl, Marks, Mode, Place, Value};
use crate::types::fits;

/// The largest number that is drawn where nothing says how large it may be: other programs read larger ones wrongly,
/// since they have numbers of 53 bits only.
const LARGEST_DRAWN: i128 = (1 << 53) - 1;

/// The one conversion that is not spelled: Int to Float.
pub(crate) fn coerce(ty: &Type, value: Value) -> Value {
    match (ty, value) {
        (Type::Float, Value::Int(value)) => Value::Float(value as f64),
        (_, value) => value,
    }
}

impl<'a> Evaluator<'a> {
    /// `param …`
    pub(super) fn param(&mut self, param: &'a ast::Param) {
        let name = &param.name.name;
        self.param_names.push(name.clone());
        let again = self.module(0).names.contains_key(name.as_str());
        let ty = self.param_type(param);
        let drawn = self.is_random(param.default.as_ref());
        let default = if drawn { None } else { self.default(param, ty.as_ref()) };
        let broken = ty.is_none() || again || matches!(default, Some((Value::Poison, _)));
        let bound = match ty {
            Some(ty) if !broken => self.bind(param, &ty, default, drawn),
            _ => Bound { name: name.clone(), value: Value::Poison, drawn: false },
        };
        let value = bound.value.clone();
        self.flat.params.push(bound);
        let value = self.opened(param, value);
        self.define_value(&param.name, value, Kind::Param);
    }

    /// The type of a param, if params may have it.
    fn param_type(&mut self, param: &ast::Param) -> Option<Type> {
        let written = match &param.ty.kind {
            TypeKind::Optional(inner) => inner.as_ref(),
            _ => &param.ty,
        };
        let ty = self.ty(written);
        if ty.is_scalar() || is_picture(&ty) {
            return Some(ty);
        }
        let span = self.place(param.ty.span).into();
        self.error(CompileError::TypeMismatch {
            input: param.name.name.clone(),
            want: "Int, Float, Bool, String, choices, a file or Image".to_owned(),
            got: param.ty.to_string(),
            help: "a param is something that a person can give".to_owned(),
            span,
        });
        None
    }

    fn is_random(&mut self, default: Option<&ast::Expr>) -> bool {
        let random =
            default.is_some_and(|default| matches!(&default.kind, ExprKind::Name(name) if name == "random"));
        random && !self.visible().any(|name| name == "random")
    }

    /// The default of a param, judged by its type.
    fn default(&mut self, param: &'a ast::Param, ty: Option<&Type>) -> Option<(Value, Place)> {
        let default = param.default.as_ref()?;
        let place = self.place(default.span);
        let outer = self.known_only.replace("a default");
        let value = self.expr(default, &Hint::Nameless);
        self.known_only = outer;
        let fit = match (ty, &value) {
            (None, _) | (_, Value::Poison) => return Some((Value::Poison, place)),
            (Some(ty), Value::Str(_)) if is_picture(ty) => true,
            (Some(ty), value) => !is_picture(ty) && value.is_known() && fits(&self.flat, ty, value),
        };
        if fit {
            return Some((ty.map_or(Value::Poison, |ty| coerce(ty, value)), place));
        }
        let want = if value.is_known() { param.ty.to_string() } else { "a known value".to_owned() };
        Some((self.mismatch(&param.name.name, &want, &value, place), place))
    }

    /// The value of a param: what is set, else its default.
    fn bind(
        &mut self,
        param: &'a ast::Param,
        ty: &Type,
        default: Option<(Value, Place)>,
        drawn: bool,
    ) -> Bound {
        let name = param.name.name.clone();
        let declared = self.place(param.name.span);
        let set = self.options.params.get(&name);
        let draw = match set {
            Some(text) => text == "random" && matches!(ty, Type::Int),
            None => drawn,
        };
        if draw {
            let value = self.drawn(param, ty, declared);
            return Bound { name, value, drawn: true };
        }
        let (value, place) = match (set, default) {
            (Some(text), _) => (self.read(&name, ty, text, declared), declared),
            (None, Some((value, place))) => (value, place),
            (None, None) => {
                let span = declared.into();
                (self.poison(CompileError::UnboundParam { name: name.clone(), span }), declared)
            }
        };
        let value = if self.allowed(param, ty, &value, place) { value } else { Value::Poison };
        Bound { name, value, drawn: false }
    }

    /// A number that is drawn for a param.
    fn drawn(&mut self, param: &'a ast::Param, ty: &Type, place: Place) -> Value {
        if !matches!(ty, Type::Int) {
            let place = param.default.as_ref().map_or(place, |default| self.place(default.span));
            return self.poison(CompileError::TypeMismatch {
                input: param.name.name.clone(),
                want: ty.to_string(),
                got: "`random`, an Int".to_owned(),
                help: "only an Int can be drawn".to_owned(),
                span: place.into(),
            });
        }
        let range = match param.constraint.as_ref().map(|constraint| &constraint.kind) {
            Some(ConstraintKind::Range { lo, hi }) => match (literal(lo, ty), literal(hi, ty)) {
                (Some(Value::Int(lo)), Some(Value::Int(hi))) => Some((lo, hi)),
                _ => None,
            },
            _ => None,
        };
        self.random(range)
    }

    /// A number from a range that is drawn.
    pub(super) fn random(&mut self, range: Option<(i128, i128)>) -> Value {
        if self.shadow {
            return Value::unknown(Type::Int);
        }
        let (lo, hi) = range.unwrap_or((0, LARGEST_DRAWN));
        Value::Int(self.chance.between(lo, hi))
    }

    /// Reads a value given as text, as on a command line.
    fn read(&mut self, name: &str, ty: &Type, text: &str, place: Place) -> Value {
        let (shown, article, example) = match ty {
            Type::Int => ("an Int", "a whole number", "42"),
            Type::Float => ("a Float", "a number", "0.5"),
            Type::Bool => ("a Bool", "`true` or `false`", "true"),
            Type::Choice { values, .. } => return read_choice(values, text),
            _ => return Value::text(text),
        };
        let value = match ty {
            Type::Bool => text.parse().ok().map(Value::Bool),
            Type::Int => text.parse::<i128>().ok().and_then(|value| super::ops::int(Some(value)).ok()),
            _ => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::Float),
        };
        value.unwrap_or_else(|| {
            self.poison(CompileError::BadParamValue {
                name: name.to_owned(),
                ty: shown,
                value: text.to_owned(),
                article,
                example,
                span: place.into(),
            })
        })
    }

    /// Whether a param's own type and `in …` allow its value.
    fn allowed(&mut self, param: &'a ast::Param, ty: &Type, value: &Value, place: Place) -> bool {
        if matches!(value, Value::Poison) {
            return false;
        }
        let name = &param.name.name;
        if let Type::Choice { values, .. } = ty {
            let choices: Vec<Value> = values.iter().map(choice).collect();
            return self.one_of(name, value, &choices, place);
        }
        let Some(constraint) = &param.constraint else { return true };
        match &constraint.kind {
            ConstraintKind::Range { lo, hi } => match (literal(lo, ty), literal(hi, ty)) {
                (Some(lo), Some(hi)) => self.in_range(name, value, &lo, &hi, place),
                _ => self.bad_range(name, ty, self.place(constraint.span)),
            },
            ConstraintKind::OneOf(items) => {
                let choices: Vec<Value> = items.iter().filter_map(|item| literal(item, ty)).collect();
                self.one_of(name, value, &choices, place)
            }
        }
    }

    fn one_of(&mut self, name: &str, value: &Value, choices: &[Value], place: Place) -> bool {
        if choices.contains(value) {
            return true;
        }
        let error = crate::bounds::not_a_choice(name, value, choices, place);
        self.error(error);
        false
    }

    fn in_range(&mut self, name: &str, value: &Value, lo: &Value, hi: &Value, place: Place) -> bool {
        let error = crate::bounds::out_of_range(name, value, Some(lo), Some(hi), place);
        let fine = error.is_none();
        if let Some(error) = error {
            self.error(error);
        }
        fine
    }

    fn bad_range(&mut self, name: &str, ty: &Type, place: Place) -> bool {
        let (want, got, help) = match ty {
            Type::Int => ("bounds that are Ints", "others", "write whole numbers, as in `in 1..=150`"),
            Type::Float => ("bounds that are numbers", "others", "write numbers, as in `in 0.0..=1.0`"),
            _ => ("a list of choices", "a range", "list what is allowed, as in `in [\"a\", \"b\"]`"),
        };
        self.error(CompileError::TypeMismatch {
            input: name.to_owned(),
            want: want.to_owned(),
            got: got.to_owned(),
            help: help.to_owned(),
            span: place.into(),
        });
        false
    }

    /// A param that is a picture names a file, which a node opens.
    fn opened(&mut self, param: &'a ast::Param, value: Value) -> Value {
        let (Some(ty), Value::Str(_)) = (self.picture(param), &value) else { return value };
        let Some(decl) = node("LoadImage") else { return Value::Poison };
        let place = self.place(param.name.span);
        let name = self.unique(param.name.name.clone());
        let call = self.push(Call {
            decl: Decl::Library(decl),
            args: vec![Arg { name: "image".into(), value, place, name_place: place }],
            each: false,
            mode: Mode::On,
            marks: Marks::default(),
            name,
            instance: None,
            cut: Vec::new(),
            matched: Vec::new(),
            place,
            shadow: false,
            broken: false,
        });
        let slot = decl.outputs.iter().position(|output| output.ty == ty);
        slot.map_or(Value::Poison, |slot| Value::Link { call, slot: u32::try_from(slot).unwrap_or(0) })
    }

    /// The type of a param that is a picture.
    fn picture(&mut self, param: &ast::Param) -> Option<Type> {
        let ty = self.ty(&param.ty);
        is_picture(&ty).then_some(ty)
    }

    /// Reports values for params that there are not.
    pub(super) fn unknown_params(&mut self) {
        let options = self.options;
        for name in options.params.keys() {
            if self.param_names.contains(name) {
                continue;
            }
            let params = self.param_names.clone();
            let suggestion = suggest(name, params.iter().map(String::as_str));
            self.error(CompileError::UnknownParam { name: name.clone(), suggestion, params });
        }
    }
}

/// Whether a type is one that files are opened for.
fn is_picture(ty: &Type) -> bool {
    matches!(ty, Type::Data { comfy, .. } if matches!(comfy.as_ref(), "IMAGE" | "MASK"))
}

fn choice(value: &ChoiceValue) -> Value {
    match value {
        ChoiceValue::Str(text) => Value::text(text.as_ref()),
        ChoiceValue::Int(number) => Value::Int(*number),
    }
}

fn read_choice(values: &[ChoiceValue], text: &str) -> Value {
    let number = text.parse::<i128>().ok();
    let chosen =
        values.iter().find(|value| matches!(value, ChoiceValue::Int(known) if Some(*known) == number));
    chosen.map_or_else(|| Value::text(text), choice)
}

/// A literal as a value of a type.
fn literal(expr: &ast::Expr, ty: &Type) -> Option<Value> {
    let value = match &expr.kind {
        ExprKind::Int(value) => Value::Int(*value),
        ExprKind::Float(value) => Value::Float(*value),
        ExprKind::Str(value) => Value::text(value.as_str()),
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Unary { op: ast::UnaryOp::Neg, operand } => match literal(operand, ty)? {
            Value::Int(value) => Value::Int(-value),
            Value::Float(value) => Value::Float(-value),
            _ => return None,
        },
        _ => return None,
    };
    match (ty, coerce(ty, value)) {
        (Type::Int, value @ Value::Int(_))
        | (Type::Float, value @ Value::Float(_))
        | (Type::Bool, value @ Value::Bool(_))
        | (Type::String, value @ Value::Str(_)) => Some(value),
        _ => None,
    }
}
