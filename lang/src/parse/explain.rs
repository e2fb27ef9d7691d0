//! Says in words what pest could not match.
//!
//! pest names the place where it got furthest and the rules that it tried there. Together with the tokens
//! around the place that is enough to say what a person would: rule names never reach a message.

use super::build::shortened;
use super::grammar::Rule;
use super::split::Chunk;
use crate::Span;
use crate::error::{Bracket, Expected, Feature, NumberProblem, StrayDoc, SyntaxError};
use crate::names;
use pest::error::{Error, ErrorVariant, InputLocation};

/// Operators of the full language, longer ones first.
const OPERATORS: [&str; 17] =
    ["..=", "..", "==", "!=", "<=", ">=", "&&", "||", "=>", "+", "-", "*", "/", "%", "<", ">", "?"];

const END: &str = "the end of the statement";

/// Turns a failure to parse `chunk` into a message about the text.
pub(super) fn explain(error: &Error<Rule>, text: &str, chunk: &Chunk, tokens: &[Span]) -> SyntaxError {
    let at = chunk.start
        + match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(chunk.end - chunk.start),
        };
    let tried = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => &[],
    };
    let first = tokens.partition_point(|token| (token.start as usize) < chunk.start);
    let here = tokens.partition_point(|token| (token.start as usize) < at);
    let before = tokens.get(first..here).unwrap_or(&[]);
    Failure { text, end: chunk.end, at, tried, before }.explain()
}

struct Failure<'a> {
    text: &'a str,
    /// The end of the statement.
    end: usize,
    /// Where pest got to.
    at: usize,
    /// What would have been right there.
    tried: &'a [Rule],
    /// The tokens of the statement before that.
    before: &'a [Span],
}

impl<'a> Failure<'a> {
    fn tried(&self, rule: Rule) -> bool {
        self.tried.contains(&rule)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or("")
    }

    /// The token `back` places before the failure; 1 is the one just before it.
    fn token(&self, back: usize) -> &'a str {
        let token = self.before.len().checked_sub(back).and_then(|index| self.before.get(index));
        token.and_then(|span| self.text.get(span.range())).unwrap_or("")
    }

    fn explain(self) -> SyntaxError {
        let rest = self.rest();
        if rest.starts_with("///") || rest.starts_with("//!") {
            let line = rest.lines().next().unwrap_or(rest).trim_end();
            let span = Span::new(self.at, self.at + line.len());
            return SyntaxError::StrayDoc { place: StrayDoc::Inside, span };
        }
        if let Some((feature, span)) = self.unsupported() {
            return SyntaxError::Unsupported { feature, span };
        }
        if let Some((text, span)) = self.bare_point() {
            return SyntaxError::BadNumber { text, problem: NumberProblem::BarePoint, span };
        }
        if let Some((name, span)) = self.other_letters() {
            let found = format!("`{name}`");
            return SyntaxError::Expected { expected: Expected::Backticks { name }, found, span };
        }
        let (found, span) = self.found();
        SyntaxError::Expected { expected: self.expected(), found, span }
    }

    fn wants_value(&self) -> bool {
        self.tried.iter().any(|rule| {
            matches!(rule, Rule::expr | Rule::call | Rule::list | Rule::fstring | Rule::boolean | Rule::arg)
        })
    }

    fn wants_type(&self) -> bool {
        self.tried.iter().any(|rule| {
            matches!(rule, Rule::ty | Rule::ty_part | Rule::ty_name | Rule::ty_list | Rule::ty_file)
        })
    }

    /// A `.` is tried after every expression and nowhere else.
    fn follows_expression(&self) -> bool {
        self.tried(Rule::dot)
    }

    fn unsupported(&self) -> Option<(Feature, Span)> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        let span = |length: usize| Span::new(self.at, self.at + length);
        if self.follows_expression() {
            if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
                return Some((Feature::Operator((*operator).to_owned()), span(operator.len())));
            }
            return match first {
                '{' => Some((Feature::NestedInputs, span(1))),
                '[' => Some((Feature::Indexing, span(1))),
                '(' if self.token(2) == "." => Some((Feature::MethodCall, span(1))),
                _ => None,
            };
        }
        if self.tried == [Rule::number] && self.token(1) == "-" {
            return Some((Feature::Unary('-'), *self.before.last()?));
        }
        if !self.wants_value() {
            return None;
        }
        let word = word(rest);
        match first {
            _ if matches!(word, "for" | "if" | "each") => {
                Some((Feature::Word(word.to_owned()), span(word.len())))
            }
            '!' => Some((Feature::Unary('!'), span(1))),
            '(' => Some((Feature::Parentheses, span(1))),
            '{' => Some((Feature::Block, span(1))),
            _ => None,
        }
    }

    /// `5.` and `.5`.
    fn bare_point(&self) -> Option<(String, Span)> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(after) = self.rest().strip_prefix('.') {
            let fraction = word(after);
            if self.wants_value() && after.starts_with(|next: char| next.is_ascii_digit()) {
                return Some((format!(".{fraction}"), Span::new(self.at, self.at + 1 + fraction.len())));
            }
        }
        if self.token(1) == "." && digits(self.token(2)) {
            let [.., number, point] = self.before else { return None };
            return Some((format!("{}.", self.token(2)), number.to(*point)));
        }
        None
    }

    /// A bare name with letters that only backticks allow.
    fn other_letters(&self) -> Option<(String, Span)> {
        let letter = |character: char| character.is_alphanumeric() || character == '_';
        let first = self.rest().chars().next()?;
        if first.is_ascii() || !letter(first) {
            return None;
        }
        let before =
            self.before.last().map_or("", |last| self.text.get(last.start as usize..self.at).unwrap_or(""));
        // Nothing but the token before may be part of the name, and only where it touches.
        let glued = if before.chars().all(letter) { before.len() } else { 0 };
        let length = self.rest().find(|character| !letter(character)).unwrap_or(self.rest().len());
        let (start, end) = (self.at - glued, self.at + length);
        Some((self.text.get(start..end)?.to_owned(), Span::new(start, end)))
    }

    /// The form of the statement, where a keyword tells it.
    fn form(&self) -> &'static str {
        let words = self.before.iter().filter_map(|token| self.text.get(token.range()));
        words
            .filter_map(|word| {
                Some(match word {
                    "param" => {
                        "the form is `param name: Type in lo..=hi = default`; annotations go before `param`"
                    }
                    "let" => "the form is `let name = value` or `let (a, _, c) = value`",
                    "choices" => "the form is `choices Name = \"a\" | \"b\"`",
                    "node" => "the form is `node Name(input: Type = default @annotation) -> (OUTPUT: Type)`",
                    "edition" => "the form is `edition 1`",
                    _ => return None,
                })
            })
            .next()
            .unwrap_or("the form is `@name(arguments)`, followed by a statement or a call")
    }

    fn expected(&self) -> Expected {
        let rest = self.rest();
        let (last, before_last) = (self.token(1), self.token(2));
        let after = || if last.is_empty() { "this".to_owned() } else { format!("`{}`", shortened(last)) };
        let plain = || last.trim_matches('`').to_owned();

        if self.before.is_empty() {
            return Expected::Statement;
        }
        if before_last == "@" || last == "@" {
            let after_name = ["`(` and arguments", "what the annotation belongs to"];
            let words: &[_] =
                if last == "@" { &["the name of an annotation after `@`"] } else { &after_name };
            return Expected::Form { words: words.to_vec(), form: self.form() };
        }
        if self.follows_expression() && self.tried(Rule::EOI) {
            return match self.before {
                [_] if rest.starts_with('=') => Expected::LetBefore { name: last.to_owned() },
                [_] if names::is_identifier(last) => Expected::CallOf { name: plain() },
                _ => Expected::End,
            };
        }
        if self.tried(Rule::colon) && self.tried(Rule::close_paren) && self.gives_value() {
            return Expected::ArgumentColon { name: plain() };
        }
        if rest.starts_with('<') && self.tried(Rule::pipe) {
            return Expected::EndOfType;
        }
        if self.follows_expression() || self.tried(Rule::comma) {
            let closers = [
                (Rule::close_paren, Bracket::Paren),
                (Rule::close_bracket, Bracket::Square),
                (Rule::close_brace, Bracket::Interpolation),
            ];
            match closers.iter().find(|(rule, _)| self.tried(*rule)) {
                Some((_, Bracket::Interpolation)) => return Expected::InterpolationEnd,
                Some((_, bracket)) if !self.wants_value() => {
                    return Expected::Separator { bracket: *bracket };
                }
                _ => {}
            }
        }
        if self.tried == [Rule::colon] {
            return Expected::TypeOf { name: plain() };
        }
        if self.tried == [Rule::equals] && before_last != "choices" {
            return Expected::Equals { after: after() };
        }
        if self.wants_type() {
            return Expected::Type { after: after() };
        }
        if last == "in" || self.tried(Rule::range_op) {
            return Expected::Range;
        }
        if self.before.len() == 1 && last == "edition" {
            return Expected::Number { of: "edition" };
        }
        if last == "." || self.tried(Rule::index) || self.tried(Rule::member) {
            return Expected::Member;
        }
        if self.tried.iter().any(|rule| matches!(rule, Rule::binding | Rule::tuple_pattern)) {
            return Expected::Name { after: after() };
        }
        if self.wants_value() {
            return Expected::Value { after: after() };
        }
        let mut words: Vec<_> = self.tried.iter().filter_map(|rule| words(*rule)).collect();
        words.sort_unstable_by_key(|word| (*word == END, *word));
        words.dedup();
        match words.as_slice() {
            [END] => Expected::End,
            _ => Expected::Form { words, form: self.form() },
        }
    }

    /// Whether what stands here looks like the value of the name before it.
    fn gives_value(&self) -> bool {
        let rest = self.rest();
        let word = word(rest);
        // `F(clip text: x)` and `F(a b)` rather lack a comma: the first argument may be positional.
        let name_first = names::is_identifier(word) && self.token(2) == "(";
        let followed_by_colon = rest[word.len()..].trim_start().starts_with(':');
        rest.starts_with('=')
            || !followed_by_colon
                && !name_first
                && (!word.is_empty()
                    || rest.starts_with(['"', '`', '[', '-', '@'])
                    || rest.starts_with("f\""))
    }

    /// What stands at the failure, in words, and where it is.
    fn found(&self) -> (String, Span) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return ("the end of the statement".into(), Span::new(self.at, self.at));
        };
        let word = word(rest);
        let length = if !word.is_empty() {
            word.len()
        } else if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            operator.len()
        } else if matches!(first, '"' | '`') {
            let inside = rest.get(1..).unwrap_or("");
            inside.find([first, '\n']).map_or(rest.len(), |end| end + 2).min(rest.len())
        } else {
            first.len_utf8()
        };
        let text = rest.get(..length).unwrap_or(rest);
        let found = match first {
            '"' if text.chars().count() > 24 => "a string".into(),
            '"' => format!("the string `{text}`"),
            '`' => format!("the name {text}"),
            other if other.is_control() || (!other.is_ascii() && !other.is_alphanumeric()) => {
                format!("the character U+{:04X}", u32::from(other))
            }
            _ => format!("`{text}`"),
        };
        (found, Span::new(self.at, self.at + text.len()))
    }
}

/// The letters, digits and underscores that a text begins with.
fn word(text: &str) -> &str {
    let length = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    text.get(..length).unwrap_or("")
}

/// A rule in words, for statements whose form says nothing more precise.
fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => END,
        Rule::equals => "`=`",
        Rule::colon => "`:`",
        Rule::comma => "`,`",
        Rule::pipe => "`|`",
        Rule::arrow | Rule::results => "`->`",
        Rule::open_paren => "`(`",
        Rule::close_paren => "`)`",
        Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::less => "`<`",
        Rule::greater => "`>`",
        Rule::kw_in | Rule::constraint => "`in`",
        Rule::question => "`?`",
        Rule::at | Rule::annotation => "an annotation",
        Rule::string => "a string",
        Rule::number | Rule::number_literal | Rule::minus => "a number",
        Rule::choice => "a choice such as `\"euler\"`",
        Rule::label | Rule::name | Rule::plain | Rule::input | Rule::output => "a name",
        Rule::statement | Rule::effect => "a statement",
        _ => return None,
    })
}
