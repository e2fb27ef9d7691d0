//! From pieces of text to the AST: parses each piece, and those in its brackets in turn.
//!
//! Everything that calls itself goes through brackets, of which the scan allows [`MAX_NESTING`] levels. `depth` is how
//! many levels of the tree lie above, so that no tree is deeper than that either: chains of operators, members and
//! `else if` nest without brackets.

mod declarations;
mod expressions;
mod operators;
mod statements;
mod types;

use super::grammar::{FlowParser, Rule};
use super::scan::Scan;
use super::{MAX_NESTING, explain, flat::Flat, strings};
use crate::Span;
use crate::ast::{ExprKind, Ident};
use crate::error::{Expected, NumberProblem, SyntaxError};
use pest::Parser;
use pest::iterators::Pair;

pub(super) use statements::{Built, Place};

/// Errors are boxed because they are larger than what is built, and every level of nesting has room for one on the stack.
type Result<T> = std::result::Result<T, Box<SyntaxError>>;

/// Builds the AST of one file.
pub(super) struct Builder<'s> {
    text: &'s str,
    scan: &'s Scan,
    /// What is wrong, in no order.
    pub(super) errors: Vec<SyntaxError>,
    /// Which remarks belong to a statement, by their index.
    pub(super) claimed: Vec<bool>,
    /// The first token of the statement that is being built.
    statement: usize,
}

/// The first part of a rule that is one of these.
fn child<'i>(pair: &Pair<'i, Rule>, rule: Rule) -> Option<Pair<'i, Rule>> {
    pair.clone().into_inner().find(|inner| inner.as_rule() == rule)
}

/// The parts that are one of these.
fn children<'i>(pair: &Pair<'i, Rule>, rule: Rule) -> impl Iterator<Item = Pair<'i, Rule>> + use<'i> {
    pair.clone().into_inner().filter(move |inner| inner.as_rule() == rule)
}

/// Where a pair stands. It ends with its last token: pest counts the blank before an optional part that is not there.
fn span(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Span {
    let start = pair.as_span().start();
    flat.span(start, start + pair.as_str().trim_end_matches(' ').len())
}

/// What to say where the grammar did not keep a promise; no text is known to lead here.
fn missing(flat: &Flat<'_>, pair: &Pair<'_, Rule>, expected: Expected) -> Box<SyntaxError> {
    let span = span(flat, pair);
    let found = format!("`{}`", shortened(flat.source(span)));
    Box::new(SyntaxError::Expected { expected, found, span })
}

fn need<'i>(flat: &Flat<'_>, pair: &Pair<'i, Rule>, rule: Rule) -> Result<Pair<'i, Rule>> {
    child(pair, rule).ok_or_else(|| missing(flat, pair, Expected::End))
}

impl<'s> Builder<'s> {
    pub(super) fn new(text: &'s str, scan: &'s Scan) -> Self {
        let claimed = vec![false; scan.remarks.len()];
        Builder { text, scan, errors: Vec::new(), claimed, statement: 0 }
    }

    /// Parses one piece, or says what is wrong with it.
    fn parse<'f>(&self, rule: Rule, flat: &'f Flat<'s>) -> Result<Pair<'f, Rule>> {
        let parsed = FlowParser::parse(rule, &flat.text).map_err(|error| {
            Box::new(explain::explain(&error, rule, self.text, self.scan, flat, self.statement))
        })?;
        parsed.into_iter().next().ok_or_else(|| {
            let (expected, found) = (Expected::Statement, "nothing".into());
            Box::new(SyntaxError::Expected { expected, found, span: flat.span(0, 0) })
        })
    }

    /// What the scan found wrong with the tokens of a piece.
    fn broken(&self, first: usize, last: usize) -> Box<SyntaxError> {
        let token = self.scan.tokens.get(first).map_or(Span::new(0, 0), |token| token.span);
        let unknown = SyntaxError::NestingTooDeep { limit: MAX_NESTING, span: token };
        Box::new(self.scan.first_error(first, last).cloned().unwrap_or(unknown))
    }

    /// The first and the last token of emptied brackets.
    fn brackets(&self, flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<(usize, usize)> {
        let opener = flat.opener(pair.as_span().start());
        opener
            .and_then(|opener| Some((opener, self.scan.closer(opener)?)))
            .ok_or_else(|| missing(flat, pair, Expected::End))
    }

    /// Parses what stands in emptied brackets, and builds from it.
    fn group<T>(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        rule: Rule,
        build: impl FnOnce(&mut Self, &Flat<'s>, Pair<'_, Rule>) -> Result<T>,
    ) -> Result<T> {
        let (opener, closer) = self.brackets(flat, pair)?;
        let inner = Flat::group(self.text, self.scan, opener, closer);
        let inner = inner.ok_or_else(|| self.broken(opener, closer + 1))?;
        with_stack(|| {
            let parsed = self.parse(rule, &inner)?;
            build(self, &inner, parsed)
        })
    }

    /// The same, for every part of the brackets that is one of these.
    fn each_in_group<T>(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        (group, part): (Rule, Rule),
        mut build: impl FnMut(&mut Self, &Flat<'s>, Pair<'_, Rule>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.group(flat, pair, group, |builder, flat, parsed| {
            children(&parsed, part).map(|inner| build(builder, flat, inner)).collect()
        })
    }

    /// Refuses to go deeper than the limit.
    fn check_depth(&self, depth: usize, span: Span) -> Result<()> {
        if depth > MAX_NESTING {
            return Err(Box::new(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span }));
        }
        Ok(())
    }
}

/// Goes a level deeper. The limit on nesting bounds the depth, but not by what the stack of any thread has left, of
/// which pest wants 64 KiB: where it is short, a new piece of stack is used.
fn with_stack<T>(deeper: impl FnOnce() -> T) -> T {
    const ENOUGH: usize = 192 << 10;
    const PIECE: usize = 2 << 20;
    stacker::maybe_grow(ENOUGH, PIECE, deeper)
}

/// A whole number of at most 32 bits.
fn whole(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<u32> {
    let (text, span) = (pair.as_str(), span(flat, pair));
    let fail = |problem| Box::new(SyntaxError::BadNumber { text: text.to_owned(), problem, span });
    match strings::number(text, false, span)? {
        ExprKind::Int(value) => u32::try_from(value).map_err(|_| fail(NumberProblem::TooLarge)),
        _ => Err(fail(NumberProblem::NotWhole)),
    }
}

fn number_literal(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<ExprKind> {
    let number = need(flat, pair, Rule::number)?;
    let negative = child(pair, Rule::minus).is_some();
    Ok(strings::number(number.as_str(), negative, span(flat, pair))?)
}

/// What a string says, of one line or of many.
fn string(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<String> {
    let span = span(flat, pair);
    let raw = flat.source(span).strip_prefix("\"\"\"").and_then(|text| text.strip_suffix("\"\"\""));
    match raw {
        Some(text) => Ok(strings::raw_text(text)),
        None => unquoted(flat, span, '"'),
    }
}

fn unquoted(flat: &Flat<'_>, span: Span, quote: char) -> Result<String> {
    let text = flat.source(span);
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    Ok(strings::unescape(inner, span.start as usize + 1, quote)?)
}

/// A name of any rule: `name`, `binding` and `label` differ in what may be bare only.
fn ident(flat: &Flat<'_>, pair: Pair<'_, Rule>) -> Result<Ident> {
    let span = span(flat, &pair);
    let name = match child(&pair, Rule::quoted) {
        Some(_) => unquoted(flat, span, '`')?,
        None => flat.source(span).to_owned(),
    };
    Ok(Ident { name, span })
}

/// Enough of a text to recognise it in a message.
pub(super) fn shortened(text: &str) -> String {
    const ENOUGH: usize = 32;
    let line = text.lines().next().unwrap_or("");
    if line.len() == text.len() && line.chars().count() <= ENOUGH {
        return line.to_owned();
    }
    format!("{}…", line.chars().take(ENOUGH).collect::<String>().trim_end())
}
