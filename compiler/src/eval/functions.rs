//! The functions of the language on known values.

use std::cmp::Ordering;

use floe_lang::decl::Type;

use super::ops::{as_float, int, is_text, order};
use crate::flat::{Value, text_weight};

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// How it is called.
    pub(super) usage: &'static str,
    /// How many arguments it takes at least and at most.
    takes: (usize, usize),
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Min,
    Max,
    Clamp,
    Dangling,
    Round,
    Floor,
    Ceil,
    Abs,
    Str,
    Int,
    Float,
    Format,
    Join,
    Split,
    Replace,
    Range,
    Zip,
    Enumerate,
    Len,
    Dynamic,
    Now,
}

const MANY: usize = usize::MAX;

const fn function(name: &'static str, usage: &'static str, takes: (usize, usize), kind: Kind) -> Function {
    Function { name, usage, takes, kind }
}

/// All of them, by name.
pub(super) static FUNCTIONS: [Function; 21] = [
    function("abs", "abs(number)", (1, 1), Kind::Abs),
    function("ceil", "ceil(number)", (1, 1), Kind::Ceil),
    function("clamp", "clamp(number, lowest, highest)", (3, 3), Kind::Clamp),
    function("dangling", "dangling(\"12\", 0)", (2, 2), Kind::Dangling),
    function("dynamic", "dynamic(\"a {red|blue} house\")", (1, 1), Kind::Dynamic),
    function("enumerate", "enumerate(list)", (1, 1), Kind::Enumerate),
    function("float", "float(value)", (1, 1), Kind::Float),
    function("floor", "floor(number)", (1, 1), Kind::Floor),
    function("format", "format(\"{} of {}\", a, b)", (1, MANY), Kind::Format),
    function("int", "int(value)", (1, 1), Kind::Int),
    function("join", "join(list, \", \")", (2, 2), Kind::Join),
    function("len", "len(list)", (1, 1), Kind::Len),
    function("max", "max(a, b)", (1, MANY), Kind::Max),
    function("min", "min(a, b)", (1, MANY), Kind::Min),
    function("now", "now(\"yyyy-MM-dd\")", (1, 1), Kind::Now),
    function("range", "range(first, end, step)", (1, 3), Kind::Range),
    function("replace", "replace(text, \"old\", \"new\")", (3, 3), Kind::Replace),
    function("round", "round(number)", (1, 1), Kind::Round),
    function("split", "split(text, \",\")", (2, 2), Kind::Split),
    function("str", "str(value)", (1, 1), Kind::Str),
    function("zip", "zip(list, list)", (2, MANY), Kind::Zip),
];

/// A function by name.
pub(super) fn lookup(name: &str) -> Option<Function> {
    FUNCTIONS.iter().find(|function| function.name == name).copied()
}

/// What functions ask of the moment at which a program is bound.
pub(super) trait Moment {
    /// One of the alternatives of each `{a|b}` in a text.
    fn pick(&mut self, text: &str) -> String;

    /// The time in a format.
    fn time(&self, format: &str) -> String;
}

/// Why a function gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The end of a sentence that begins with its name.
    Said(String),
    /// The result would be this large.
    Large(String),
}

impl From<&str> for Wrong {
    fn from(said: &str) -> Wrong {
        Wrong::Said(said.to_owned())
    }
}

impl From<String> for Wrong {
    fn from(said: String) -> Wrong {
        Wrong::Said(said)
    }
}

type Result<T = Value> = std::result::Result<T, Wrong>;

impl Function {
    /// Calls it on known values, lists of links among them. `most` bounds how much the result may come to.
    pub(super) fn call(self, args: &[Value], most: u64, moment: &mut dyn Moment) -> Result {
        self.counts(args.len())?;
        match (self.kind, args) {
            (Kind::Min, args) => extreme(args, Ordering::Less),
            (Kind::Max, args) => extreme(args, Ordering::Greater),
            (Kind::Clamp, [value, lo, hi]) => clamp(value, lo, hi),
            (Kind::Dangling, [Value::Str(id), Value::Int(slot)]) => {
                let slot =
                    u32::try_from(*slot).map_err(|_| "takes the place of an output, counted from 0")?;
                Ok(Value::Dangling { id: id.clone(), slot })
            }
            (Kind::Dangling, _) => Err("takes the id of a node and the place of one of its outputs".into()),
            (Kind::Round, [value]) => whole(value, f64::round),
            (Kind::Floor, [value]) => whole(value, f64::floor),
            (Kind::Ceil, [value]) => whole(value, f64::ceil),
            (Kind::Abs, [value]) => abs(value),
            (Kind::Str, [value]) => Ok(Value::text(text(value).ok_or("takes a number, a text or a Bool")?)),
            (Kind::Int, [value]) => to_int(value),
            (Kind::Float, [value]) => to_float(value),
            (Kind::Format, [Value::Str(pattern), values @ ..]) => format(pattern, values, most),
            (Kind::Format, _) => Err("takes a text first".into()),
            (Kind::Join, [Value::List(items), Value::Str(between)]) => join(items, between, most),
            (Kind::Join, _) => Err("takes a list and the text to put between".into()),
            (Kind::Split, [Value::Str(text), Value::Str(at)]) => split(text, at, most),
            (Kind::Split, _) => Err("takes two texts".into()),
            (Kind::Replace, [Value::Str(text), Value::Str(old), Value::Str(new)]) => {
                replace(text, old, new, most)
            }
            (Kind::Replace, _) => Err("takes three texts".into()),
            (Kind::Range, args) => range(args, most),
            (Kind::Zip, args) => zip(args, most),
            (Kind::Enumerate, [Value::List(items)]) => {
                let places = (0..).map(Value::Int);
                let pairs =
                    places.zip(items.iter()).map(|(place, item)| Value::tuple(vec![place, item.clone()]));
                Ok(Value::list(pairs.collect()))
            }
            (Kind::Enumerate, _) => Err("takes a list".into()),
            (Kind::Len, [value]) => len(value),
            (Kind::Dynamic, [Value::Str(text)]) => Ok(Value::text(moment.pick(text))),
            (Kind::Now, [Value::Str(format)]) => Ok(Value::text(moment.time(format))),
            (Kind::Dynamic | Kind::Now, _) => Err("takes a text".into()),
            _ => Err("takes other arguments".into()),
        }
    }

    /// Whether it takes so many arguments.
    pub(super) fn counts(self, given: usize) -> Result<()> {
        let (least, most) = self.takes;
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let arguments =
            |count: usize| if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") };
        let said = match (least, most) {
            (least, MANY) => format!("takes at least {}, not {given}", arguments(least)),
            (least, most) if least == most => format!("takes {}, not {given}", arguments(least)),
            (least, most) => format!("takes {least} to {}, not {given}", arguments(most)),
        };
        Err(said.into())
    }

    /// The type of its result on values of which only types are known.
    pub(super) fn result_type(self, args: &[Option<Type>]) -> Type {
        let first = args.first().cloned().flatten().unwrap_or(Type::Any);
        match self.kind {
            Kind::Round | Kind::Floor | Kind::Ceil | Kind::Int | Kind::Len => Type::Int,
            Kind::Float => Type::Float,
            Kind::Str | Kind::Format | Kind::Join | Kind::Replace | Kind::Dynamic | Kind::Now => Type::String,
            Kind::Split => Type::List(vec![Type::String].into()),
            Kind::Range => Type::List(vec![Type::Int].into()),
            Kind::Abs => first,
            Kind::Min | Kind::Max | Kind::Clamp if args.iter().all(|ty| *ty == Some(Type::Int)) => Type::Int,
            Kind::Min | Kind::Max | Kind::Clamp | Kind::Dangling => Type::Any,
            Kind::Zip | Kind::Enumerate => Type::List(vec![Type::Any].into()),
        }
    }

    /// What is wrong with its arguments, though only their types are known.
    pub(super) fn type_error(self, args: &[Option<Type>]) -> Result<()> {
        self.counts(args.len())?;
        let Some(Some(first)) = args.first() else { return Ok(()) };
        let fits = match self.kind {
            Kind::Round | Kind::Floor | Kind::Ceil | Kind::Abs | Kind::Clamp => {
                matches!(first, Type::Int | Type::Float | Type::Any)
            }
            Kind::Join | Kind::Enumerate | Kind::Zip => matches!(first, Type::List(_) | Type::Any),
            Kind::Split | Kind::Replace | Kind::Format | Kind::Dynamic | Kind::Now | Kind::Dangling => {
                is_text(first) || matches!(first, Type::Any)
            }
            Kind::Len => is_text(first) || matches!(first, Type::List(_) | Type::Any),
            _ => !matches!(first, Type::Data { .. }),
        };
        if fits { Ok(()) } else { Err(format!("does not take {first} first").into()) }
    }
}

/// A single value as text goes into texts.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(format!("{value:?}")),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

const NUMBERS: &str = "takes numbers";

fn extreme(args: &[Value], wanted: Ordering) -> Result {
    let items: &[Value] = match args {
        [Value::List(items)] => items,
        args => args,
    };
    let numbers = items.iter().all(|item| as_float(item).is_some());
    let (Some(first), true) = (items.first(), numbers) else {
        return Err(if items.is_empty() { "takes at least one number" } else { NUMBERS }.into());
    };
    let found =
        items.iter().fold(first, |best, item| if order(item, best) == Some(wanted) { item } else { best });
    let float = items.iter().any(|item| matches!(item, Value::Float(_)));
    match (found, float) {
        (Value::Int(value), true) => Ok(Value::Float(*value as f64)),
        (found, _) => Ok(found.clone()),
    }
}

fn clamp(value: &Value, lo: &Value, hi: &Value) -> Result {
    let low = extreme(&[value.clone(), lo.clone()], Ordering::Greater)?;
    extreme(&[low, hi.clone()], Ordering::Less)
}

fn whole(value: &Value, rounded: impl Fn(f64) -> f64) -> Result {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Float(value) => float_to_int(rounded(*value)),
        _ => Err("takes a number".into()),
    }
}

fn float_to_int(value: f64) -> Result {
    // The bounds are exact as Floats, and NaN is in no range.
    if !(-9.3e18..=1.9e19).contains(&value) {
        return Err(format!("gives no Int for {value:?}").into());
    }
    int(Some(value as i128)).map_err(|_| format!("gives no Int for {value:?}").into())
}

fn abs(value: &Value) -> Result {
    match value {
        Value::Int(value) => Ok(Value::Int(value.abs())),
        Value::Float(value) => Ok(Value::Float(value.abs())),
        _ => Err("takes a number".into()),
    }
}

fn to_int(value: &Value) -> Result {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Bool(value) => Ok(Value::Int(i128::from(*value))),
        Value::Float(value) => float_to_int(value.trunc()),
        Value::Str(text) => {
            let read = text.trim().parse::<i128>().ok().and_then(|value| int(Some(value)).ok());
            read.ok_or_else(|| format!("finds no whole number in {}", Value::Str(text.clone())).into())
        }
        _ => Err("takes a number, a text or a Bool".into()),
    }
}

fn to_float(value: &Value) -> Result {
    match value {
        Value::Int(_) | Value::Float(_) => Ok(as_float(value).map_or(Value::Poison, Value::Float)),
        Value::Str(text) => {
            let read = text.trim().parse::<f64>();
            read.map(Value::Float)
                .map_err(|_| format!("finds no number in {}", Value::Str(text.clone())).into())
        }
        _ => Err("takes a number or a text".into()),
    }
}

fn format(pattern: &str, values: &[Value], most: u64) -> Result {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = pattern.chars().peekable();
    while let Some(next) = rest.next() {
        match (next, rest.peek()) {
            ('{', Some('{')) | ('}', Some('}')) => {
                rest.next();
                out.push(next);
            }
            ('{', Some('}')) => {
                rest.next();
                let value = values.next().ok_or("has more `{}` than values")?;
                out.push_str(&text(value).ok_or("writes only numbers, texts and Bools")?);
                small(out.len(), most)?;
            }
            ('{' | '}', _) => return Err("has a brace that is no `{}`; `{{` and `}}` are braces".into()),
            _ => out.push(next),
        }
    }
    if values.next().is_some() { Err("has fewer `{}` than values".into()) } else { Ok(Value::text(out)) }
}

/// Refuses a text that would be too long.
fn small(bytes: usize, most: u64) -> Result<()> {
    if text_weight(bytes) > most {
        Err(Wrong::Large("it is a text that is too long".to_owned()))
    } else {
        Ok(())
    }
}

fn join(items: &[Value], between: &str, most: u64) -> Result {
    small(items.len().saturating_mul(between.len()), most)?;
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        out.push_str(&text(item).ok_or("joins only numbers, texts and Bools")?);
        small(out.len(), most)?;
    }
    Ok(Value::text(out))
}

fn split(text: &str, at: &str, most: u64) -> Result {
    if at.is_empty() {
        return Err("needs a text to split at".into());
    }
    if text.matches(at).count() as u64 > most {
        return Err(Wrong::Large("it is a list that is too long".to_owned()));
    }
    Ok(Value::list(text.split(at).map(Value::text).collect()))
}

fn replace(text: &str, old: &str, new: &str, most: u64) -> Result {
    if old.is_empty() {
        return Err("needs a text to replace".into());
    }
    small(text.matches(old).count().saturating_mul(new.len()), most)?;
    Ok(Value::text(text.replace(old, new)))
}

fn range(args: &[Value], most: u64) -> Result {
    let ints: Option<Vec<i128>> = args
        .iter()
        .map(|arg| match arg {
            Value::Int(value) => Some(*value),
            _ => None,
        })
        .collect();
    let (first, end, step) = match ints.ok_or("takes Ints")?.as_slice() {
        [end] => (0, *end, 1),
        [first, end] => (*first, *end, 1),
        [_, _, 0] => return Err("cannot go on in steps of 0".into()),
        [first, end, step] => (*first, *end, *step),
        _ => return Err("takes Ints".into()),
    };
    // Rounded up: a last step that would pass the end begins before it.
    let count = ((end - first) * step.signum() + step.abs() - 1).max(0) / step.abs();
    if count > i128::from(most) {
        return Err(Wrong::Large(format!("it is a list of {count} numbers")));
    }
    Ok(Value::list((0..count).map(|place| Value::Int(first + place * step)).collect()))
}

fn zip(args: &[Value], most: u64) -> Result {
    let lists: Option<Vec<&[Value]>> = args
        .iter()
        .map(|arg| match arg {
            Value::List(items) => Some(&items[..]),
            _ => None,
        })
        .collect();
    let lists = lists.ok_or("takes lists")?;
    let len = lists.iter().map(|list| list.len()).min().unwrap_or(0);
    if (len as u64).saturating_mul(lists.len() as u64) > most {
        return Err(Wrong::Large("it is a list that is too long".to_owned()));
    }
    let row = |place: usize| Value::tuple(lists.iter().map(|list| list[place].clone()).collect());
    Ok(Value::list((0..len).map(row).collect()))
}

fn len(value: &Value) -> Result {
    let count = match value {
        Value::Str(text) => text.chars().count(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        Value::Record(fields) => fields.len(),
        _ => return Err("takes a list or a text".into()),
    };
    Ok(Value::Int(count as i128))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Noon;

    impl Moment for Noon {
        fn pick(&mut self, text: &str) -> String {
            text.replace("{red|blue}", "red")
        }

        fn time(&self, format: &str) -> String {
            format.replace("HH", "12")
        }
    }

    /// The result of a function, or what is wrong, as it is written.
    #[track_caller]
    fn shows(name: &str, args: &[Value], shown: &str) {
        let result = lookup(name).unwrap().call(args, 1000, &mut Noon);
        assert_eq!(result.map_or_else(said, |value| value.to_string()), shown, "{name}{args:?}");
    }

    fn said(wrong: Wrong) -> String {
        match wrong {
            Wrong::Said(said) | Wrong::Large(said) => said,
        }
    }

    fn ints(values: &[i128]) -> Vec<Value> {
        values.iter().map(|&value| Value::Int(value)).collect()
    }

    #[test]
    fn they_are_sorted_by_name() {
        assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
    }

    #[test]
    fn the_smallest_of_ints_and_floats_is_a_float() {
        shows("min", &ints(&[3, 1, 2]), "1");
        shows("max", &[Value::list(ints(&[3, 1, 2]))], "3");
        shows("min", &[Value::Int(1), Value::Float(2.5)], "1.0");
        shows("min", &[Value::list(Vec::new())], "takes at least one number");
        shows("clamp", &ints(&[9, 1, 5]), "5");
        shows("clamp", &ints(&[-9, 1, 5]), "1");
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (value, shown) in [(2.5, "3"), (-2.5, "-3"), (0.4, "0"), (1e19, "10000000000000000000")] {
            shows("round", &[Value::Float(value)], shown);
        }
        shows("floor", &[Value::Float(-0.5)], "-1");
        shows("ceil", &[Value::Float(-0.5)], "0");
        shows("round", &[Value::Float(1e20)], "gives no Int for 1e20");
        shows("int", &[Value::Float(f64::NAN)], "gives no Int for NaN");
    }

    #[test]
    fn texts_become_numbers_and_back() {
        shows("int", &[Value::text(" 42 ")], "42");
        shows("int", &[Value::text("4.2")], "finds no whole number in \"4.2\"");
        shows("int", &[Value::Float(-2.9)], "-2");
        shows("float", &[Value::text("inf")], "inf");
        shows("str", &[Value::Float(5.0)], "\"5.0\"");
        shows("str", &[Value::None], "takes a number, a text or a Bool");
    }

    #[test]
    fn braces_of_a_format_are_places_or_doubled() {
        shows("format", &[Value::text("{} of {}"), Value::Int(1), Value::Int(2)], "\"1 of 2\"");
        shows("format", &[Value::text("{{}}")], "\"{}\"");
        shows("format", &[Value::text("{}")], "has more `{}` than values");
        shows("format", &[Value::text(""), Value::Int(1)], "has fewer `{}` than values");
        shows("format", &[Value::text("{0}")], "has a brace that is no `{}`; `{{` and `}}` are braces");
    }

    #[test]
    fn ranges_end_before_their_end() {
        shows("range", &ints(&[3]), "[0, 1, 2]");
        shows("range", &ints(&[1, 8, 3]), "[1, 4, 7]");
        shows("range", &ints(&[5, 0, -2]), "[5, 3, 1]");
        shows("range", &ints(&[5, 0]), "[]");
        shows("range", &ints(&[0, 1, 0]), "cannot go on in steps of 0");
        shows("range", &ints(&[1_000_000_000]), "it is a list of 1000000000 numbers");
    }

    #[test]
    fn lists_are_joined_split_and_paired() {
        let words = Value::list(vec![Value::text("a"), Value::Int(1)]);
        shows("join", &[words.clone(), Value::text(", ")], "\"a, 1\"");
        shows("split", &[Value::text("a,b"), Value::text(",")], "[\"a\", \"b\"]");
        shows("enumerate", std::slice::from_ref(&words), "[(0, \"a\"), (1, 1)]");
        shows("zip", &[words.clone(), Value::list(ints(&[7]))], "[(\"a\", 7)]");
        shows("len", &[words], "2");
        shows("len", &[Value::text("größe")], "5");
    }

    #[test]
    fn no_text_grows_without_bound() {
        let long = Value::text("a".repeat(1000));
        shows("replace", &[long.clone(), Value::text("a"), long.clone()], "it is a text that is too long");
        shows("join", &[Value::list(vec![Value::Int(1); 900]), long], "it is a text that is too long");
    }

    #[test]
    fn the_number_of_arguments_is_said() {
        shows("clamp", &ints(&[1]), "takes 3 arguments, not 1");
        shows("range", &ints(&[1, 2, 3, 4]), "takes 1 to 3 arguments, not 4");
        shows("min", &[], "takes at least 1 argument, not 0");
    }

    #[test]
    fn the_moment_is_asked() {
        shows("dynamic", &[Value::text("a {red|blue} house")], "\"a red house\"");
        shows("now", &[Value::text("HH")], "\"12\"");
    }
}
