//! Finds the tokens of a text, which brackets belong together, and what is wrong with brackets and strings.
//!
//! All that is scanned here once is never scanned again: statements and the insides of brackets are ranges of tokens
//! to everything after. What is wrong is reported with the place where it opens, and a bracket that is never closed
//! ends where the next statement begins, so that it does not swallow what follows. The scan is one loop with a bounded
//! stack: neither long nor deep texts cost more than their length.

use super::MAX_NESTING;
use crate::Span;
use crate::error::{Bracket, Quote, SyntaxError};
use crate::names::begins_statement;

/// What the scan found.
#[derive(Default)]
pub(super) struct Scan {
    /// All tokens, as coarse as messages need them.
    pub(super) tokens: Vec<Token>,
    /// All comments.
    pub(super) remarks: Vec<Remark>,
    /// What is wrong, in the order of the tokens.
    errors: Vec<Fault>,
}

/// Something wrong with a token.
struct Fault {
    token: usize,
    /// How many were found before it: what is found first is the cause of what follows.
    order: usize,
    error: SyntaxError,
}

/// A word, a string, a bracket, or one other character.
#[derive(Clone, Copy)]
pub(super) struct Token {
    /// Where it stands.
    pub(super) span: Span,
    /// What it is.
    pub(super) kind: Kind,
    /// Whether something is wrong with it, so that what it stands in cannot be parsed.
    pub(super) bad: bool,
    /// The token where the bracket ends: its partner, or the first token after a bracket that is never closed.
    partner: u32,
}

/// What a token is, as far as that decides anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, digits and underscores.
    Word,
    /// A bracket that opens.
    Open(Bracket),
    /// A bracket that closes.
    Close,
    /// A string that is closed.
    Text,
    /// A name in backticks that is closed.
    Name,
    /// What opens an f-string.
    FStart,
    /// Text of an f-string.
    FText,
    /// What closes an f-string.
    FEnd,
    /// Anything else.
    Other,
}

/// A comment.
#[derive(Clone, Copy)]
pub(super) struct Remark {
    /// From its marker to the end of its text.
    pub(super) span: Span,
    /// What it is for.
    pub(super) kind: RemarkKind,
    /// Whether nothing but blanks stands before it on its line.
    pub(super) own_line: bool,
    /// The token after it.
    pub(super) next: usize,
}

/// What a comment is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RemarkKind {
    /// `//`: for people.
    Plain,
    /// `///`: describes what follows.
    Doc,
    /// `//!`: describes the file.
    FileDoc,
}

impl Remark {
    /// What follows its marker.
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        let marker = if self.kind == RemarkKind::Plain { 2 } else { 3 };
        text.get(self.span.start as usize + marker..self.span.end as usize).unwrap_or("")
    }
}

const NOWHERE: u32 = u32::MAX;

impl Scan {
    /// The closing token of the group that token `at` opens; nothing where it opens none or is never closed.
    pub(super) fn closer(&self, at: usize) -> Option<usize> {
        let token = self.tokens.get(at)?;
        let partner = token.partner as usize;
        let closes = matches!(token.kind, Kind::Open(_))
            && self.tokens.get(partner).is_some_and(|other| other.partner as usize == at);
        closes.then_some(partner)
    }

    /// The opening token of the group that token `at` closes.
    pub(super) fn opener(&self, at: usize) -> Option<usize> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Close)?;
        Some(token.partner as usize).filter(|partner| *partner < self.tokens.len())
    }

    /// The token after `at` that stands in the same brackets.
    pub(super) fn after(&self, at: usize) -> usize {
        match (self.closer(at), self.tokens.get(at)) {
            (Some(closer), _) => closer + 1,
            (None, Some(token)) if matches!(token.kind, Kind::Open(_)) && token.partner != NOWHERE => {
                (token.partner as usize).max(at + 1)
            }
            _ => at + 1,
        }
    }

    /// What was found first to be wrong with the tokens `first..last`.
    pub(super) fn first_error(&self, first: usize, last: usize) -> Option<&SyntaxError> {
        let from = self.errors.partition_point(|fault| fault.token < first);
        let within = self.errors[from..].iter().take_while(|fault| fault.token < last);
        within.min_by_key(|fault| fault.order).map(|fault| &fault.error)
    }
}

/// Scans a text.
pub(super) fn scan(text: &str) -> Scan {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        line_start: true,
        open: Vec::new(),
        excess: 0,
        excess_opener: 0,
        fstrings: 0,
        braces: 0,
        no_statement_before: 0,
        no_foreign_end: false,
        scan: Scan::default(),
    };
    scanner.run();
    let mut scan = scanner.scan;
    scan.errors.sort_by_key(|fault| (fault.token, fault.order));
    for fault in &scan.errors {
        if let Some(token) = scan.tokens.get_mut(fault.token) {
            token.bad = true;
        }
    }
    scan
}

/// Something that is open.
#[derive(Clone, Copy)]
struct Open {
    what: Opened,
    token: usize,
    at: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Opened {
    Bracket(Bracket),
    /// The text of an f-string: directly above it is either nothing or an interpolation.
    FString(Lines),
}

/// How far an f-string may reach.
#[derive(Clone, Copy, PartialEq)]
enum Lines {
    One,
    Many,
}

impl Open {
    fn closes_with(&self, byte: u8) -> bool {
        matches!(self.what, Opened::Bracket(kind) if kind.closer() == char::from(byte))
    }

    fn is_fstring(&self) -> bool {
        matches!(self.what, Opened::FString(_))
    }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether nothing but blanks was seen on this line.
    line_start: bool,
    open: Vec<Open>,
    /// Brackets beyond the nesting limit: counted, not kept.
    excess: usize,
    /// The first of them.
    excess_opener: usize,
    /// How many f-strings are on the stack.
    fstrings: usize,
    /// How many `{` that are no interpolation are on the stack.
    braces: usize,
    /// No line of docs or annotations before this offset leads to a statement word.
    no_statement_before: usize,
    /// No `*/` follows.
    no_foreign_end: bool,
    scan: Scan,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            match self.open.last() {
                Some(Open { what: Opened::FString(Lines::One), .. }) => self.fstring_text(),
                Some(Open { what: Opened::FString(Lines::Many), .. }) => self.raw_fstring_text(),
                _ => self.code(),
            }
        }
        let end = self.bytes.len();
        self.abandon_fstring(end);
        if let Some(Open { what: Opened::FString(_), token, at }) = self.open.last().copied() {
            let open = Span::new(at, at + 4);
            let error =
                SyntaxError::UnclosedString { quote: Quote::RawInterpolated, escaped_quote: false, open };
            self.report_at(token, error);
        }
        self.close_all(None);
    }

    fn code(&mut self) {
        let start = self.at;
        match self.bytes[start] {
            b'\n' => self.line_end(),
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'/' if self.follows("//") => self.comment(),
            b'/' if self.follows("/*") => self.foreign_comment(),
            b'#' if self.fstrings == 0 => self.token(start, self.end_of_line(start)),
            b'"' if self.follows("\"\"\"") => self.raw_string(),
            b'"' => self.quoted(Quote::Plain),
            b'`' => self.quoted(Quote::Name),
            b'\'' => self.single_quoted(),
            b'f' if self.follows("f\"\"\"") => self.raw_fstring(),
            b'f' if self.follows("f\"") => self.fstring(),
            b'(' => self.opener(Bracket::Paren),
            b'[' => self.opener(Bracket::Square),
            b'{' => self.opener(Bracket::Brace),
            byte @ (b')' | b']' | b'}') => self.closer(byte),
            byte if is_word(byte) => {
                let length = self.bytes[start..].iter().take_while(|byte| is_word(**byte)).count();
                self.push_token(start, start + length, Kind::Word);
            }
            _ => {
                let length = self.text[start..].chars().next().map_or(1, char::len_utf8);
                self.token(start, start + length);
            }
        }
    }

    fn follows(&self, what: &str) -> bool {
        self.bytes[self.at..].starts_with(what.as_bytes())
    }

    fn end_of_line(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |length| from + length)
    }

    fn token(&mut self, start: usize, end: usize) {
        self.push_token(start, end, Kind::Other);
    }

    /// Takes a piece of the text and moves on behind it.
    fn push_token(&mut self, start: usize, end: usize, kind: Kind) {
        let span = Span::new(start, end);
        self.scan.tokens.push(Token { span, kind, bad: false, partner: NOWHERE });
        self.at = end;
        self.line_start = false;
    }

    fn next_token(&self) -> usize {
        self.scan.tokens.len()
    }

    /// Reports what is wrong with the token that comes next.
    fn report(&mut self, error: SyntaxError) {
        self.report_at(self.next_token(), error);
    }

    fn report_at(&mut self, token: usize, error: SyntaxError) {
        let order = self.scan.errors.len();
        self.scan.errors.push(Fault { token, order, error });
    }

    fn push(&mut self, what: Opened, at: usize) {
        match what {
            Opened::FString(_) => self.fstrings += 1,
            Opened::Bracket(Bracket::Brace) => self.braces += 1,
            Opened::Bracket(_) => {}
        }
        self.open.push(Open { what, token: self.next_token().saturating_sub(1), at });
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.open.pop()?;
        match open.what {
            Opened::FString(_) => self.fstrings -= 1,
            Opened::Bracket(Bracket::Brace) => self.braces -= 1,
            Opened::Bracket(_) => {}
        }
        Some(open)
    }

    /// Takes the innermost bracket for closed although it is not: it ends before the token that comes next.
    fn give_up(&mut self) -> Option<Open> {
        let open = self.pop()?;
        let next = u32::try_from(self.next_token()).unwrap_or(NOWHERE);
        if let (Opened::Bracket(_), Some(token)) = (open.what, self.scan.tokens.get_mut(open.token)) {
            token.partner = next;
            token.bad = true;
        }
        Some(open)
    }

    fn opener(&mut self, bracket: Bracket) {
        let at = self.at;
        if self.open.len() >= MAX_NESTING {
            self.excess += 1;
            if self.excess == 1 {
                self.excess_opener = self.next_token();
                let span = Span::new(at, at + 1);
                self.report(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span });
            }
            self.push_token(at, at + 1, Kind::Open(bracket));
        } else {
            self.push_token(at, at + 1, Kind::Open(bracket));
            self.push(Opened::Bracket(bracket), at);
        }
    }

    fn closer(&mut self, byte: u8) {
        let span = Span::new(self.at, self.at + 1);
        let closes = |open: &Open| open.closes_with(byte);
        let mut opener = None;
        let excess = self.excess;
        if excess > 1 {
            self.excess -= 1;
        } else if excess == 1 {
            // What is too deep ends behind this bracket.
        } else if self.open.last().is_some_and(closes) {
            opener = self.pop();
        } else if self.open.iter().rev().take_while(|open| !open.is_fstring()).any(closes) {
            self.report_innermost(Some(span), None);
            while self.open.last().is_some_and(|open| !closes(open)) {
                self.give_up();
            }
            opener = self.pop();
        } else {
            let bracket = match byte {
                b')' => Bracket::Paren,
                b']' => Bracket::Square,
                _ => Bracket::Brace,
            };
            self.report(SyntaxError::UnopenedBracket { bracket, span });
        }
        let index = self.next_token();
        self.push_token(self.at, self.at + 1, Kind::Close);
        if let Some(open) = opener {
            self.pair(open.token, index);
        }
        if excess == 1 {
            self.end_excess();
        }
    }

    /// What is too deep is one piece, which ends before the token that comes next.
    fn end_excess(&mut self) {
        if self.excess > 0 {
            let next = u32::try_from(self.next_token()).unwrap_or(NOWHERE);
            if let Some(token) = self.scan.tokens.get_mut(self.excess_opener) {
                token.partner = next;
            }
        }
        self.excess = 0;
    }

    fn pair(&mut self, opener: usize, closer: usize) {
        for (token, partner) in [(opener, closer), (closer, opener)] {
            if let Some(token) = self.scan.tokens.get_mut(token) {
                token.partner = u32::try_from(partner).unwrap_or(NOWHERE);
            }
        }
    }

    fn report_innermost(&mut self, closer: Option<Span>, next: Option<Span>) {
        let innermost = self.open.iter().rev().find_map(|open| match open.what {
            Opened::Bracket(bracket) => Some((bracket, open)),
            Opened::FString(_) => None,
        });
        if let Some((bracket, &Open { token, at, .. })) = innermost {
            let open = Span::new(at, at + 1);
            self.report_at(token, SyntaxError::UnclosedBracket { bracket, open, closer, next });
        }
    }

    /// Nothing is open any more: a statement begins at `next`, or the text ends.
    fn close_all(&mut self, next: Option<Span>) {
        self.report_innermost(None, next);
        self.end_excess();
        while self.give_up().is_some() {}
    }

    fn comment(&mut self) {
        let start = self.at;
        let end = self.end_of_line(start);
        let line = self.text[start..end].trim_end();
        self.at = end;
        let kind = if line.starts_with("//!") {
            RemarkKind::FileDoc
        } else if line.starts_with("///") && !line.starts_with("////") {
            RemarkKind::Doc
        } else {
            RemarkKind::Plain
        };
        let span = Span::new(start, start + line.len());
        let next = self.next_token();
        self.scan.remarks.push(Remark { span, kind, own_line: self.line_start, next });
    }

    /// `/* … */`, which Floe does not have: one token, so that nothing in it is taken for a part of the program.
    fn foreign_comment(&mut self) {
        let start = self.at;
        let end = self.end_of_line(start);
        let found = if self.no_foreign_end { None } else { self.text[start + 2..].find("*/") };
        self.no_foreign_end |= found.is_none();
        self.token(start, found.map_or(end, |length| start + 2 + length + 2));
    }

    /// `'…'`, which Floe does not have: one token as well, where it ends on its line.
    fn single_quoted(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start + 1..];
        let stop = rest.iter().position(|byte| matches!(byte, b'\'' | b'\n'));
        match stop.map(|length| start + 1 + length) {
            Some(end) if self.bytes[end] == b'\'' && self.fstrings == 0 => self.token(start, end + 1),
            _ => self.token(start, start + 1),
        }
    }

    fn line_end(&mut self) {
        let end = self.at;
        self.abandon_fstring(end);
        self.at = end + 1;
        self.line_start = true;
        if self.open.is_empty() && self.excess == 0 {
            return;
        }
        if self.begins_statement_over_docs(self.at) {
            let next = self.word_span(self.at);
            self.close_all(Some(next));
        } else if self.braces > 0 && !matches!(self.open.last(), Some(open) if open.closes_with(b'}')) {
            self.leave_brackets_in_block();
        }
    }

    fn word_span(&self, at: usize) -> Span {
        let length = self.bytes[at..].iter().take_while(|byte| is_word(**byte)).count().max(1);
        Span::new(at, (at + length).min(self.bytes.len()))
    }

    /// In a block, a line that begins with `let` ends the brackets of the statement before it.
    fn leave_brackets_in_block(&mut self) {
        let line = &self.text[self.at..self.end_of_line(self.at)];
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let begins = line[indent..].starts_with(['l', 'c', 'a']) && begins_statement(&line[indent..]);
        if !begins || self.fstrings > 0 {
            return;
        }
        let next = self.word_span(self.at + indent);
        self.report_innermost(None, Some(next));
        self.end_excess();
        while self.open.last().is_some_and(|open| !open.closes_with(b'}')) {
            self.give_up();
        }
    }

    /// Whether a line that cannot stand inside brackets begins at `at`: a statement word at column 0.
    fn begins_statement(&self, at: usize) -> bool {
        // Blocks hold bindings of their own.
        let in_block = |word: &[u8]| matches!(word, b"let" | b"assert" | b"const");
        let word = self.bytes.get(at..).unwrap_or(&[]);
        let length = word.iter().take_while(|byte| is_word(**byte)).count();
        !(self.braces > 0 && in_block(&word[..length])) && self.text.get(at..).is_some_and(begins_statement)
    }

    /// The same, where docs and annotations stand before the statement.
    fn begins_statement_over_docs(&mut self, start: usize) -> bool {
        let mut at = start;
        while self.bytes[at.min(self.bytes.len())..].starts_with(b"///") || self.bytes.get(at) == Some(&b'@')
        {
            if at < self.no_statement_before {
                return false;
            }
            at = self.end_of_line(at) + 1;
        }
        let found = self.begins_statement(at);
        if !found {
            self.no_statement_before = at;
        }
        found
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

mod text;
