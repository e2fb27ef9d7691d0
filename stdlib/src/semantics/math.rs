//! Formulas of one value, in the part of Python's grammar that ComfyUI evaluates: numbers, names, arithmetic, comparisons,
//! `and or not`, `a if b else c`, and a few functions. Whole numbers stay whole; `/` gives a Float, `//` and `%` round down.

/// How deep a formula may nest.
const DEPTH: usize = 64;

/// Greatest exponent of a power.
const MAX_EXPONENT: f64 = 4000.0;

/// A value of a formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
    Bool(bool),
}

impl Number {
    pub(super) fn as_float(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
            Number::Bool(value) => f64::from(u8::from(value)),
        }
    }

    fn whole(self) -> Option<i128> {
        match self {
            Number::Int(value) => Some(value),
            Number::Bool(value) => Some(i128::from(value)),
            Number::Float(_) => None,
        }
    }

    fn is_true(self) -> bool {
        self.as_float() != 0.0
    }
}

/// The value of a formula, with the values of names.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn evaluate(text: &str, names: &[(&str, Number)]) -> Result<Number, String> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err("the formula is empty".to_owned());
    }
    let mut parser = Parser { tokens: &tokens, at: 0, names, depth: 0 };
    let value = parser.choice()?;
    match parser.peek() {
        None => Ok(value),
        Some(token) => Err(format!("`{token}` is not expected here")),
    }
}

/// Operators, longest first.
const OPERATORS: [&str; 16] =
    ["**", "//", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() || first == '.' {
            number_length(rest)
        } else if first.is_alphabetic() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator));
            operator.ok_or_else(|| format!("`{first}` means nothing in a formula"))?.len()
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Bytes of the number at the start of a text: an exponent may have a sign.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let sign = matches!(byte, b'+' | b'-') && length > 0 && matches!(bytes[length - 1], b'e' | b'E');
        if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || sign) {
            break;
        }
        length += 1;
    }
    length
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
    names: &'a [(&'a str, Number)],
    depth: usize,
}

/// One function per precedence, lowest first.
impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("`{token}` is missing")) }
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("the formula nests deeper than {DEPTH}"));
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// `a if b else c`. Both sides are computed: nothing here has effects.
    fn choice(&mut self) -> Result<Number, String> {
        self.deeper(|parser| {
            let value = parser.or()?;
            if !parser.take("if") {
                return Ok(value);
            }
            let condition = parser.or()?;
            parser.expect("else")?;
            let other = parser.choice()?;
            Ok(if condition.is_true() { value } else { other })
        })
    }

    /// Gives the first operand that is true, or the last, as Python does.
    fn or(&mut self) -> Result<Number, String> {
        let mut value = self.and()?;
        while self.take("or") {
            let right = self.and()?;
            value = if value.is_true() { value } else { right };
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<Number, String> {
        let mut value = self.not()?;
        while self.take("and") {
            let right = self.not()?;
            value = if value.is_true() { right } else { value };
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<Number, String> {
        if self.take("not") {
            return self.deeper(|parser| Ok(Number::Bool(!parser.not()?.is_true())));
        }
        self.comparison()
    }

    /// `a < b < c` compares neighbours.
    fn comparison(&mut self) -> Result<Number, String> {
        let mut left = self.sum()?;
        let mut result = None;
        while let Some(operator) = self.peek().filter(|token| COMPARISONS.contains(token)) {
            self.at += 1;
            let right = self.sum()?;
            result = Some(result.unwrap_or(true) && compare(operator, left, right));
            left = right;
        }
        Ok(result.map_or(left, Number::Bool))
    }

    fn sum(&mut self) -> Result<Number, String> {
        let mut value = self.product()?;
        while let Some(operator) = self.peek().filter(|token| matches!(*token, "+" | "-")) {
            self.at += 1;
            value = arithmetic(operator, value, self.product()?)?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<Number, String> {
        let mut value = self.sign()?;
        while let Some(operator) = self.peek().filter(|token| matches!(*token, "*" | "/" | "//" | "%")) {
            self.at += 1;
            value = arithmetic(operator, value, self.sign()?)?;
        }
        Ok(value)
    }

    fn sign(&mut self) -> Result<Number, String> {
        if self.take("-") {
            return self.deeper(|parser| arithmetic("-", Number::Int(0), parser.sign()?));
        }
        if self.take("+") {
            return self.deeper(|parser| arithmetic("+", Number::Int(0), parser.sign()?));
        }
        self.power()
    }

    /// Binds tighter than a sign before it, and groups to the right.
    fn power(&mut self) -> Result<Number, String> {
        let base = self.atom()?;
        if !self.take("**") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::sign)?;
        power(base, exponent)
    }

    fn atom(&mut self) -> Result<Number, String> {
        let token = self.peek().ok_or("the formula ends too early")?;
        self.at += 1;
        if token == "(" {
            let value = self.choice()?;
            self.expect(")")?;
            return Ok(value);
        }
        if token.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return number(token).ok_or_else(|| format!("`{token}` is no number"));
        }
        if self.take("(") {
            let arguments = self.arguments()?;
            return call(token, &arguments);
        }
        match (token, self.names.iter().find(|(name, _)| *name == token)) {
            ("True", _) => Ok(Number::Bool(true)),
            ("False", _) => Ok(Number::Bool(false)),
            (_, Some(&(_, value))) => Ok(value),
            _ => Err(format!("there is no value `{token}`")),
        }
    }

    /// What stands between the parentheses of a call; `values` is all the values.
    fn arguments(&mut self) -> Result<Vec<Number>, String> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            if self.peek() == Some("values") {
                self.at += 1;
                arguments.extend(self.names.iter().map(|&(_, value)| value));
            } else {
                arguments.push(self.choice()?);
            }
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(arguments)
    }
}

const COMPARISONS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];

fn compare(operator: &str, left: Number, right: Number) -> bool {
    let order = match (left.whole(), right.whole()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_float().partial_cmp(&right.as_float()),
    };
    match operator {
        "<" => order.is_some_and(|order| order.is_lt()),
        "<=" => order.is_some_and(|order| order.is_le()),
        ">" => order.is_some_and(|order| order.is_gt()),
        ">=" => order.is_some_and(|order| order.is_ge()),
        "==" => order.is_some_and(|order| order.is_eq()),
        _ => !order.is_some_and(|order| order.is_eq()),
    }
}

fn number(token: &str) -> Option<Number> {
    let plain = token.replace('_', "");
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain.parse().ok().map(Number::Int);
    }
    let digits = plain.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if digits { plain.parse().ok().map(Number::Float) } else { None }
}

fn arithmetic(operator: &str, left: Number, right: Number) -> Result<Number, String> {
    let zero = || Err("a division by zero".to_owned());
    if let (Some(a), Some(b)) = (left.whole(), right.whole()) {
        let value = match operator {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            _ if b == 0 => return zero(),
            "//" => floor_div(a, b),
            "%" => floor_div(a, b).map(|quotient| a - quotient * b),
            _ => return Ok(Number::Float(a as f64 / b as f64)),
        };
        return value.map(Number::Int).ok_or_else(too_large);
    }
    let (a, b) = (left.as_float(), right.as_float());
    let quotient = |a: f64, b: f64| {
        let rest = remainder(a, b);
        libm::rint((a - rest) / b)
    };
    Ok(Number::Float(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        _ if b == 0.0 => return zero(),
        "/" => a / b,
        "//" => quotient(a, b),
        _ => remainder(a, b),
    }))
}

fn too_large() -> String {
    "a number becomes too large".to_owned()
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

/// A remainder with the sign of the divisor.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = libm::fmod(a, b);
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

fn power(base: Number, exponent: Number) -> Result<Number, String> {
    if exponent.as_float().abs() > MAX_EXPONENT {
        return Err(format!("an exponent above {MAX_EXPONENT}"));
    }
    match (base.whole(), exponent.whole().map(u32::try_from)) {
        (Some(base), Some(Ok(exponent))) => base.checked_pow(exponent).map(Number::Int).ok_or_else(too_large),
        _ if base.as_float() == 0.0 && exponent.as_float() < 0.0 => Err("a division by zero".to_owned()),
        _ => {
            let value = libm::pow(base.as_float(), exponent.as_float());
            if value.is_nan() {
                Err("a root of a negative number".to_owned())
            } else {
                Ok(Number::Float(value))
            }
        }
    }
}

fn call(name: &str, arguments: &[Number]) -> Result<Number, String> {
    match (name, arguments) {
        ("sum", arguments) => {
            arguments.iter().try_fold(Number::Int(0), |sum, &value| arithmetic("+", sum, value))
        }
        ("min", [_, ..]) => Ok(best(arguments, "<")),
        ("max", [_, ..]) => Ok(best(arguments, ">")),
        ("abs", &[value]) if compare("<", value, Number::Int(0)) => arithmetic("-", Number::Int(0), value),
        ("abs", &[value]) => arithmetic("+", Number::Int(0), value),
        ("round", &[value]) => whole(value, libm::rint),
        ("round", &[value, digits]) => round_to(value, digits),
        ("ceil", &[value]) => whole(value, libm::ceil),
        ("floor", &[value]) => whole(value, libm::floor),
        ("int", &[value]) => whole(value, libm::trunc),
        ("float", &[value]) => Ok(Number::Float(value.as_float())),
        ("pow", &[base, exponent]) => power(base, exponent),
        ("log", &[value, base]) => {
            Ok(Number::Float(positive(value, libm::log)? / positive(base, libm::log)?))
        }
        ("log", &[value]) => positive(value, libm::log).map(Number::Float),
        ("log2", &[value]) => positive(value, libm::log2).map(Number::Float),
        ("log10", &[value]) => positive(value, libm::log10).map(Number::Float),
        ("sqrt", &[value]) if value.as_float() < 0.0 => Err("a root of a negative number".to_owned()),
        ("sqrt", &[value]) => Ok(Number::Float(libm::sqrt(value.as_float()))),
        ("sin", &[value]) => Ok(Number::Float(libm::sin(value.as_float()))),
        ("cos", &[value]) => Ok(Number::Float(libm::cos(value.as_float()))),
        ("tan", &[value]) => Ok(Number::Float(libm::tan(value.as_float()))),
        (_, arguments) => Err(format!("there is no function `{name}` of {} values", arguments.len())),
    }
}

fn positive(value: Number, function: fn(f64) -> f64) -> Result<f64, String> {
    let value = value.as_float();
    if value > 0.0 { Ok(function(value)) } else { Err(format!("a logarithm of {value}")) }
}

fn best(values: &[Number], operator: &str) -> Number {
    let better = |best: Number, value: Number| if compare(operator, value, best) { value } else { best };
    values.iter().copied().reduce(better).unwrap_or(Number::Int(0))
}

/// Rounded to a whole number; halves go where the function says.
fn whole(value: Number, round: fn(f64) -> f64) -> Result<Number, String> {
    if let Some(whole) = value.whole() {
        return Ok(Number::Int(whole));
    }
    let rounded = round(value.as_float());
    if rounded.abs() < 1e38 { Ok(Number::Int(rounded as i128)) } else { Err(too_large()) }
}

/// Rounded to so many decimal digits: the nearest decimal number of that length.
fn round_to(value: Number, digits: Number) -> Result<Number, String> {
    let digits = digits.whole().ok_or("`round` takes a whole number of digits")?;
    match (value.whole(), usize::try_from(digits)) {
        (Some(whole), Ok(_)) => Ok(Number::Int(whole)),
        (None, Ok(digits)) if digits <= 300 => {
            let text = format!("{:.digits$}", value.as_float());
            text.parse().map(Number::Float).map_err(|_| too_large())
        }
        _ => Err(format!("`round` to {digits} digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, evaluate};

    #[track_caller]
    fn check(text: &str, wanted: Number) {
        let names = [("a", Number::Int(7)), ("b", Number::Float(2.5)), ("c", Number::Bool(true))];
        assert_eq!(evaluate(text, &names), Ok(wanted), "{text}");
    }

    #[test]
    fn arithmetic_is_pythons() {
        check("a * 2 + 1", Number::Int(15));
        check("a / 2", Number::Float(3.5));
        check("-a // 2", Number::Int(-4));
        check("-a % 4", Number::Int(1));
        check("-b % 2", Number::Float(1.5));
        check("b // 1", Number::Float(2.0));
        check("-2 ** 2", Number::Int(-4));
        check("2 ** 3 ** 2", Number::Int(512));
        check("2 ** -1", Number::Float(0.5));
        check("c + 1", Number::Int(2));
        check("1e3 + .5", Number::Float(1000.5));
    }

    #[test]
    fn conditions_choose() {
        check("a if 1 < b < 3 else 0", Number::Int(7));
        check("0 or a", Number::Int(7));
        check("a and 0", Number::Int(0));
        check("1 if not a == 7 else 2", Number::Int(2));
    }

    #[test]
    fn functions_round_to_even() {
        check("round(b)", Number::Int(2));
        check("round(b + 1)", Number::Int(4));
        check("round(b / 3, 2)", Number::Float(0.83));
        check("ceil(b) + floor(-b)", Number::Int(0));
        check("max(a, b, 9)", Number::Int(9));
        check("sum(values)", Number::Float(10.5));
        check("log(8, 2)", Number::Float(3.0));
        check("sqrt(a + 2)", Number::Float(3.0));
    }

    #[test]
    fn what_is_wrong_is_an_error() {
        for text in
            ["", "1 +", "a b", "d", "1 / 0", "2 ** 5000", "a.b", "foo(1)", "(1", "1 $ 2", "0x1f", "sqrt(-1)"]
        {
            assert!(evaluate(text, &[("a", Number::Int(1))]).is_err(), "{text}");
        }
        assert!(evaluate(&"(".repeat(1000), &[]).is_err());
        assert!(evaluate(&"-".repeat(1000), &[]).is_err());
    }
}
