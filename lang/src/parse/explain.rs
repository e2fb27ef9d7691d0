//! Says in words what pest could not match.
//!
//! pest names the place where it got furthest and the rules that it tried there. Together with the tokens
//! around the place that is enough to say what a person would: rule names never reach a message.

mod foreign;
mod form;

use super::build::shortened;
use super::flat::Flat;
use super::grammar::Rule;
use super::scan::{Scan, Token};
use crate::Span;
use crate::error::{Bracket, Expected, NumberProblem, StrayDoc, SyntaxError};
use crate::names;
use form::{END, words};
use pest::error::{Error, ErrorVariant, InputLocation};

/// Operators of Floe and of other languages, longer ones first.
const OPERATORS: [&str; 34] = [
    "===", "!==", "..=", "..", "==", "!=", "<=", ">=", "&&", "||", "=>", "->", ":=", "+=", "-=", "*=", "/=",
    "%=", "**", "++", "<>", "??", "<<", ">>", "::", "=<", "+", "-", "*", "/", "%", "<", ">", "?",
];

/// What the body of a flow follows.
const FLOW: &str = "what a flow takes and gives";

/// Turns a failure to parse `flat`, which belongs to the statement that begins with the token `statement`, into a
/// message about the text.
pub(super) fn explain(
    error: &Error<Rule>,
    rule: Rule,
    text: &str,
    scan: &Scan,
    flat: &Flat<'_>,
    statement: usize,
) -> SyntaxError {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(flat.text.len()),
    };
    let tried = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => &[],
    };
    let (at, end) = (flat.origin(at), flat.origin(flat.text.len()));
    let here = scan.tokens.partition_point(|token| (token.span.start as usize) < at).max(statement);
    let before = scan.tokens.get(statement..here).unwrap_or(&[]);
    let piece = scan.tokens.get(flat.first..here).unwrap_or(&[]);
    Failure { text, scan, rule, end, at, tried, before, in_piece: piece.len() }.explain()
}

struct Failure<'a> {
    text: &'a str,
    scan: &'a Scan,
    /// What the piece should have been.
    rule: Rule,
    /// The end of the piece.
    end: usize,
    /// Where pest got to.
    at: usize,
    /// What would have been right there.
    tried: &'a [Rule],
    /// The tokens of the statement before that.
    before: &'a [Token],
    /// How many of them are in the piece.
    in_piece: usize,
}

impl<'a> Failure<'a> {
    fn tried(&self, rule: Rule) -> bool {
        self.tried.contains(&rule)
    }

    fn tried_any(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| self.tried(*rule))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or("")
    }

    fn text_of(&self, token: Option<&Token>) -> &'a str {
        token.and_then(|token| self.text.get(token.span.range())).unwrap_or("")
    }

    /// The token `back` places before the failure; 1 is the one just before it.
    fn token(&self, back: usize) -> &'a str {
        self.text_of(self.before.len().checked_sub(back).and_then(|index| self.before.get(index)))
    }

    /// The word that the statement begins with.
    fn statement_word(&self) -> &'a str {
        self.text_of(self.before.first())
    }

    fn explain(self) -> SyntaxError {
        let rest = self.rest();
        if rest.starts_with("///") || rest.starts_with("//!") {
            let line = rest.lines().next().unwrap_or(rest).trim_end();
            let span = Span::new(self.at, self.at + line.len());
            return SyntaxError::StrayDoc { place: StrayDoc::Inside, span };
        }
        if let Some((text, span)) = self.foreign() {
            return SyntaxError::Foreign { text, span };
        }
        if let Some((text, span)) = self.bare_point() {
            return SyntaxError::BadNumber { text, problem: NumberProblem::BarePoint, span };
        }
        if let Some((name, span)) = self.other_letters() {
            let found = format!("`{name}`");
            return SyntaxError::Expected { expected: Expected::Backticks { name }, found, span };
        }
        let expected = self.expected();
        if let (Expected::Block { .. }, Some((word, brace))) = (&expected, self.lost_condition()) {
            let expected = Expected::Value { after: format!("`{word}`") };
            return SyntaxError::Expected { expected, found: "`{`".into(), span: brace };
        }
        let (found, span) = match (&expected, self.before) {
            (Expected::Unquoted { text }, [.., string]) if self.rest().starts_with(':') => {
                (format!("the string `{text}`"), string.span)
            }
            (Expected::NestedInput { .. }, [.., point, _]) => ("`.`".into(), point.span),
            _ => self.found(),
        };
        SyntaxError::Expected { expected, found, span }
    }

    fn wants_value(&self) -> bool {
        self.tried_any(&[
            Rule::expr,
            Rule::head,
            Rule::operand,
            Rule::head_operand,
            Rule::effect,
            Rule::boolean,
            Rule::arg,
        ])
    }

    fn wants_type(&self) -> bool {
        self.tried_any(&[
            Rule::ty,
            Rule::ty_part,
            Rule::ty_bare,
            Rule::ty_bare_part,
            Rule::ty_match_any,
            Rule::ty_match_part,
            Rule::ty_name,
            Rule::returns,
            Rule::fn_return,
        ])
    }

    /// Members and the like are tried after every expression and nowhere else.
    fn follows_expression(&self) -> bool {
        self.tried_any(&[Rule::suffix, Rule::binary_op])
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
            return Some((format!("{}.", self.token(2)), number.span.to(point.span)));
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
        let last = self.before.last().map_or(self.at, |last| last.span.start as usize);
        let before = self.text.get(last..self.at).unwrap_or("");
        // Nothing but the token before may be part of the name, and only where it touches.
        let glued = if before.chars().all(letter) { before.len() } else { 0 };
        let length = self.rest().find(|character| !letter(character)).unwrap_or(self.rest().len());
        let (start, end) = (self.at - glued, self.at + length);
        Some((self.text.get(start..end)?.to_owned(), Span::new(start, end)))
    }

    fn after(&self) -> String {
        let joined = |count: usize| {
            let tokens = self.before.get(self.before.len().checked_sub(count)?..)?;
            let glued = tokens.windows(2).all(|pair| matches!(pair, [a, b] if a.span.end == b.span.start));
            let text =
                self.text.get(tokens.first()?.span.start as usize..tokens.last()?.span.end as usize)?;
            (glued && OPERATORS.contains(&text)).then_some(text)
        };
        match joined(3).or_else(|| joined(2)).unwrap_or_else(|| self.token(1)) {
            "" => "this".to_owned(),
            last => format!("`{}`", shortened(last)),
        }
    }

    /// The name before the failure, without backticks.
    fn name_before(&self) -> String {
        self.token(1).trim_matches('`').to_owned()
    }

    fn expected(&self) -> Expected {
        let (last, before_last) = (self.token(1), self.token(2));
        if word(self.rest()) == "else" && !self.rest()[4..].trim_start().starts_with(':') {
            return Expected::If;
        }
        if self.before.is_empty() {
            return Expected::Statement;
        }
        if before_last == "@"
            || last == "@"
            || last == ")" && self.statement_word() == "@" && self.rest().is_empty()
        {
            return self.annotated(last);
        }
        if self.rest().starts_with('=') && !self.rest().starts_with("==") && self.in_condition() {
            return Expected::Comparison;
        }
        if last == "each" {
            return Expected::Form { words: vec!["a call"], form: self.form() };
        }
        if let Some(expected) = self.in_statement() {
            return expected;
        }
        if let Some(expected) = self.in_list() {
            return expected;
        }
        self.name_or_type().unwrap_or_else(|| self.form_of_words())
    }

    /// After the `@` of an annotation, or its name.
    fn annotated(&self, last: &str) -> Expected {
        let after_name = ["`(` and arguments", "what the annotation belongs to"];
        let words: &[_] = if last == "@" { &["the name of an annotation after `@`"] } else { &after_name };
        Expected::Form { words: words.to_vec(), form: self.form() }
    }

    /// Whether a comparison is what is asked for here.
    fn in_condition(&self) -> bool {
        let head = self.follows_expression() && self.tried(Rule::braces) && !self.tried(Rule::comma);
        let assertion = self.statement_word() == "assert" && self.tried(Rule::EOI);
        let parentheses = self.in_piece < self.before.len()
            && self.text_of(self.before.get(self.before.len() - self.in_piece)) == "("
            && matches!(
                self.text_of(self.before.get((self.before.len() - self.in_piece).wrapping_sub(1))),
                "if" | "assert"
            );
        head || assertion || parentheses
    }

    /// What is written elsewhere, or otherwise.
    fn mistaken(&self) -> Option<Expected> {
        let rest = self.rest();
        let (word_of_statement, last) = (self.statement_word(), self.token(1));
        let name = || names::label(&self.name_before()).into_owned();
        if self.follows_expression() {
            if rest.starts_with("..") {
                return Some(Expected::Numbers);
            }
            if word(rest) == "in" && self.may_be_constrained() {
                return Some(Expected::ConstraintFirst);
            }
            if rest.starts_with('{') && self.tried_any(&[Rule::EOI, Rule::close_bracket]) {
                return Some(Expected::EndBeforeBraces);
            }
            if rest.starts_with('(') && !self.tried(Rule::parens) {
                return Some(Expected::EndBeforeCall);
            }
            if word_of_statement == "assert" && rest.starts_with(['"', 'f']) && self.tried(Rule::EOI) {
                let words = vec!["`,` before the message"];
                return Some(Expected::Form { words, form: self.form() });
            }
            if self.rule == Rule::index_group {
                return Some(Expected::OneIndex);
            }
            if rest.starts_with(':') && last.starts_with('"') && self.rule == Rule::args_group {
                return Some(Expected::Unquoted { text: last.to_owned() });
            }
            if rest.starts_with(':') && self.token(2) == "." && self.rule == Rule::args_group {
                return Some(Expected::NestedInput { choice: self.token(3).to_owned(), input: name() });
            }
        }
        if word(rest) == "in" && self.rule == Rule::params_group && self.tried(Rule::comma) {
            return Some(Expected::NoConstraint);
        }
        if rest.starts_with(':') && self.tried(Rule::braces) && self.block_owner() == FLOW {
            return Some(Expected::NamedResults);
        }
        if rest.starts_with('"')
            && self.rule == Rule::record_group
            && self.tried_any(&[Rule::label, Rule::field])
        {
            return Some(Expected::Unquoted {
                text: rest.get(..token_length(rest)).unwrap_or(rest).to_owned(),
            });
        }
        let pattern =
            rest.starts_with(',') && self.tried == [Rule::equals] || rest.starts_with('[') && last == "let";
        if word_of_statement == "let" && pattern && self.before.len() <= 2 {
            return Some(Expected::Pattern);
        }
        let discard = word(rest) == "_" && self.tried_any(&[Rule::binding, Rule::parens]);
        discard.then(|| Expected::NotDiscard { after: self.after() })
    }

    /// Whether a `param` or an input of a node stands here, which may have a constraint.
    fn may_be_constrained(&self) -> bool {
        self.statement_word() == "param" && self.rule == Rule::statement
            || matches!(self.rule, Rule::inputs_group | Rule::choice_group)
    }

    /// The block of an `if` without a condition or a `for` without a list, which was taken for one, and the word before.
    fn lost_condition(&self) -> Option<(&'a str, Span)> {
        let closer = self.before.last().filter(|_| self.token(1) == "}")?;
        let last = self.scan.tokens.partition_point(|token| token.span.start < closer.span.start);
        let opener = self.scan.opener(last)?;
        let before = self.scan.tokens.get(opener.checked_sub(1)?);
        let brace = self.scan.tokens.get(opener)?.span;
        matches!(self.text_of(before), "if" | "in").then_some((self.text_of(before), brace))
    }

    /// What goes on, or ends, outside of brackets.
    fn in_statement(&self) -> Option<Expected> {
        let rest = self.rest();
        let last = self.token(1);
        if let Some(expected) = self.mistaken() {
            return Some(expected);
        }
        if self.tried(Rule::braces)
            && !self.wants_value()
            && !self.tried_any(&[Rule::comma, Rule::arrow, Rule::EOI])
            && self.statement_word() != "use"
        {
            let after = if last == "else" { "`else`" } else { self.block_owner() };
            return Some(Expected::Block { after: after.to_owned() });
        }
        if self.tried == [Rule::kw_in] {
            return Some(Expected::In);
        }
        if self.follows_expression() && self.tried(Rule::EOI) {
            return Some(match self.before {
                [_] if rest.starts_with('=') => Expected::LetBefore { name: last.to_owned() },
                [_] if names::is_identifier(last) => Expected::CallOf { name: self.name_before() },
                _ => Expected::End,
            });
        }
        None
    }

    /// What a block belongs to that is missing.
    fn block_owner(&self) -> &'static str {
        let mut words = self.before.iter().rev().map(|token| self.text_of(Some(token)));
        match words.find(|word| matches!(*word, "if" | "for" | "fn")) {
            Some("for") => "the list of `for`",
            Some("fn") => FLOW,
            _ => "the condition of `if`",
        }
    }

    /// Between the parts of what stands in brackets.
    fn in_list(&self) -> Option<Expected> {
        let rest = self.rest();
        if self.tried(Rule::colon) && self.tried(Rule::close_paren) && self.gives_value() {
            return Some(Expected::ArgumentColon { name: self.name_before() });
        }
        if self.tried(Rule::colon) && self.tried(Rule::close_brace) && self.gives_value() {
            return Some(Expected::ArgumentColon { name: self.name_before() });
        }
        if self.rule == Rule::record_group && self.tried == [Rule::colon] {
            return Some(Expected::ArgumentColon { name: self.name_before() });
        }
        if rest.starts_with(['<', '['])
            && self.tried(Rule::pipe)
            && !self.tried_any(&[Rule::braces, Rule::choice])
        {
            return Some(Expected::EndOfType);
        }
        let separated = self.follows_expression() || self.tried(Rule::comma);
        let closers = [
            (Rule::close_paren, Bracket::Paren),
            (Rule::close_bracket, Bracket::Square),
            (Rule::close_brace, Bracket::Brace),
        ];
        let (_, bracket) = closers.iter().find(|(rule, _)| self.tried(*rule)).filter(|_| separated)?;
        if *bracket == Bracket::Brace && !self.tried(Rule::comma) {
            return Some(Expected::InterpolationEnd);
        }
        (!self.wants_value()).then_some(Expected::Separator { bracket: *bracket })
    }

    fn name_or_type(&self) -> Option<Expected> {
        let (last, before_last) = (self.token(1), self.token(2));
        if self.tried == [Rule::colon] {
            return Some(Expected::TypeOf { name: self.name_before() });
        }
        if self.tried == [Rule::equals] && before_last != "choices" && before_last != "type" {
            return Some(Expected::Equals { after: self.after() });
        }
        if self.wants_type() {
            return Some(Expected::Type { after: self.after() });
        }
        if last == "in" && !self.wants_value() || self.tried(Rule::range_op) {
            return Some(Expected::Range);
        }
        if self.before.len() == 1 && last == "edition" {
            return Some(Expected::Number { of: "edition" });
        }
        if last == "." || self.tried_any(&[Rule::slot, Rule::member]) {
            return Some(Expected::Member);
        }
        if self.tried_any(&[Rule::binding, Rule::fn_param, Rule::import_item, Rule::discard]) {
            return Some(Expected::Name { after: self.after() });
        }
        self.wants_value().then(|| Expected::Value { after: self.after() })
    }

    fn form_of_words(&self) -> Expected {
        let choice = |rule: &Rule| *rule == Rule::braces && self.tried(Rule::pipe);
        let mut words: Vec<_> =
            self.tried.iter().filter(|rule| !choice(rule)).filter_map(|rule| words(*rule)).collect();
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
        let text = rest.get(..token_length(rest)).unwrap_or(rest);
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

/// The operator that a text begins with.
fn operator(text: &str) -> Option<&'static str> {
    OPERATORS.iter().find(|operator| text.starts_with(**operator)).copied()
}

/// How long the token is that a text begins with.
fn token_length(text: &str) -> usize {
    let word = word(text);
    match text.chars().next() {
        _ if !word.is_empty() => word.len(),
        Some(quote @ ('"' | '`')) => {
            let inside = text.get(1..).unwrap_or("");
            inside.find([quote, '\n']).map_or(text.len(), |end| end + 2).min(text.len())
        }
        Some(first) => operator(text).map_or(first.len_utf8(), str::len),
        None => 0,
    }
}
