//! Finds where statements begin and end, before any of them is parsed.
//!
//! Brackets, strings and comments are scanned here, so what is wrong with them is reported with the place
//! where they open, and one statement that is never closed does not swallow those after it. The scan is
//! one loop with a bounded stack: neither long nor deep texts cost more than their length.

use super::MAX_NESTING;
use crate::Span;
use crate::ast::Doc;
use crate::error::{Bracket, Feature, Quote, StrayDoc, SyntaxError};
use crate::names::STATEMENT_WORDS;

/// The text of one statement.
pub(super) struct Chunk {
    /// `///` lines above it.
    pub(super) docs: Option<Doc>,
    /// Its first byte.
    pub(super) start: usize,
    /// One past its last byte that is not blank or comment.
    pub(super) end: usize,
    /// An error inside is already reported, and parsing it would only find the consequences.
    pub(super) broken: bool,
}

/// What the scan found.
pub(super) struct Split {
    /// `//!` lines at the top.
    pub(super) file_docs: Option<Doc>,
    /// The statements in order.
    pub(super) chunks: Vec<Chunk>,
    /// All tokens of the text, as coarse as messages need them.
    pub(super) tokens: Vec<Span>,
    /// What is wrong with brackets, strings and docs.
    pub(super) errors: Vec<SyntaxError>,
}

/// Splits a text into statements.
pub(super) fn split(text: &str) -> Split {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        open: Vec::new(),
        excess: 0,
        fstrings: 0,
        braces: 0,
        docs: None,
        current: None,
        no_statement_before: 0,
        continues_until: 0,
        split: Split { file_docs: None, chunks: Vec::new(), tokens: Vec::new(), errors: Vec::new() },
    };
    scanner.run();
    scanner.split
}

/// Something that is open.
#[derive(Clone, Copy)]
struct Open {
    what: Opened,
    at: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Opened {
    Bracket(Bracket),
    /// The text of an f-string: directly above it is either nothing or an interpolation.
    FString,
}

impl Open {
    fn closes_with(&self, byte: u8) -> bool {
        matches!(self.what, Opened::Bracket(kind) if kind.closer() == char::from(byte))
    }
}

/// The statement being scanned.
struct Current {
    docs: Option<Doc>,
    start: usize,
    end: usize,
    broken: bool,
    /// A doc comment followed what seemed to be its end.
    stray_doc: bool,
    head: Head,
}

/// How much of a statement was seen: annotations may stand on lines of their own before it.
#[derive(Clone, Copy, PartialEq)]
enum Head {
    At,
    Name,
    Arguments,
    Body,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// Brackets beyond the nesting limit: counted, not kept.
    excess: usize,
    /// How many f-strings are on the stack.
    fstrings: usize,
    /// How many `{` that are no interpolation are on the stack.
    braces: usize,
    docs: Option<Doc>,
    current: Option<Current>,
    /// No line of docs or annotations before this offset leads to a statement word.
    no_statement_before: usize,
    /// The statement that is being scanned goes on at this offset, over blank lines and comments.
    continues_until: usize,
    split: Split,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            if matches!(self.open.last(), Some(Open { what: Opened::FString, .. })) {
                self.fstring_text();
            } else {
                self.code();
            }
        }
        self.abandon_fstring(self.bytes.len());
        self.finish(None);
        if let Some(doc) = self.docs.take() {
            self.split.errors.push(SyntaxError::StrayDoc { place: StrayDoc::AtEnd, span: doc.span });
        }
    }

    fn code(&mut self) {
        let start = self.at;
        match self.bytes[start] {
            b'\n' => self.line_end(),
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'/' if self.follows("//") => self.comment(),
            b'"' if self.follows("\"\"\"") => self.raw_string(3),
            b'"' => self.quoted(Quote::Plain),
            b'`' => self.quoted(Quote::Name),
            b'f' if self.follows("f\"\"\"") => {
                let span = Span::new(start, start + 4);
                self.report(SyntaxError::Unsupported { feature: Feature::RawFString, span });
                self.raw_string(4);
            }
            b'f' if self.follows("f\"") => self.fstring(),
            b'(' => self.opener(Bracket::Paren),
            b'[' => self.opener(Bracket::Square),
            b'{' => self.opener(Bracket::Brace),
            byte @ (b')' | b']' | b'}') => self.closer(byte),
            byte if is_word(byte) => {
                let length = self.bytes[start..].iter().take_while(|byte| is_word(**byte)).count();
                self.token(start, start + length);
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

    /// Takes a piece of the statement and moves on behind it.
    fn token(&mut self, start: usize, end: usize) {
        self.split.tokens.push(Span::new(start, end));
        self.at = end;
        let depth = self.open.len();
        let byte = self.bytes[start];
        let current = self.current.get_or_insert_with(|| Current {
            docs: self.docs.take(),
            start,
            end,
            broken: false,
            stray_doc: false,
            head: Head::Arguments,
        });
        current.end = end;
        current.broken |= current.stray_doc;
        if depth == 0 {
            current.head = match (current.head, byte) {
                (Head::Name | Head::Arguments, b'@') => Head::At,
                (Head::At, byte) if is_word(byte) || byte == b'`' => Head::Name,
                (Head::Name, b'(') => Head::Arguments,
                // The parenthesis that ends the arguments.
                (Head::Arguments, b')') => Head::Arguments,
                _ => Head::Body,
            };
        }
    }

    /// Reports what is wrong with the current statement, unless that has been done.
    fn report(&mut self, error: SyntaxError) {
        let at = self.at.min(self.bytes.len());
        let current = self.current.get_or_insert_with(|| Current {
            docs: self.docs.take(),
            start: at,
            end: at,
            broken: false,
            stray_doc: false,
            head: Head::Body,
        });
        if !current.broken {
            current.broken = true;
            self.split.errors.push(error);
        }
    }

    fn push(&mut self, what: Opened, at: usize) {
        match what {
            Opened::FString => self.fstrings += 1,
            Opened::Bracket(Bracket::Brace) => self.braces += 1,
            Opened::Bracket(_) => {}
        }
        self.open.push(Open { what, at });
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.open.pop()?;
        match open.what {
            Opened::FString => self.fstrings -= 1,
            Opened::Bracket(Bracket::Brace) => self.braces -= 1,
            Opened::Bracket(_) => {}
        }
        Some(open)
    }

    fn opener(&mut self, bracket: Bracket) {
        let at = self.at;
        if self.open.len() >= MAX_NESTING {
            self.excess += 1;
            let span = Span::new(at, at + 1);
            self.report(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span });
            self.token(at, at + 1);
        } else {
            self.token(at, at + 1);
            self.push(Opened::Bracket(bracket), at);
        }
    }

    fn fstring(&mut self) {
        let start = self.at;
        if self.open.len() < MAX_NESTING {
            self.token(start, start + 2);
            self.push(Opened::FString, start);
        } else {
            let span = Span::new(start, start + 2);
            self.report(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span });
            self.token(start, start + 1);
        }
    }

    fn closer(&mut self, byte: u8) {
        let span = Span::new(self.at, self.at + 1);
        let closes = |open: &Open| open.closes_with(byte);
        if self.excess > 0 {
            self.excess -= 1;
        } else if self.open.last().is_some_and(closes) {
            self.pop();
        } else if self.open.iter().rev().take_while(|open| open.what != Opened::FString).any(closes) {
            self.report_innermost(Some(span), None);
            while let Some(open) = self.pop() {
                if closes(&open) {
                    break;
                }
            }
        } else {
            let bracket = match byte {
                b')' => Bracket::Paren,
                b']' => Bracket::Square,
                _ => Bracket::Brace,
            };
            self.report(SyntaxError::UnopenedBracket { bracket, span });
        }
        self.token(self.at, self.at + 1);
    }

    fn report_innermost(&mut self, closer: Option<Span>, next: Option<Span>) {
        let innermost = self.open.iter().rev().find_map(|open| match open.what {
            Opened::Bracket(bracket) => Some((bracket, open.at)),
            Opened::FString => None,
        });
        if let Some((bracket, at)) = innermost {
            let open = Span::new(at, at + 1);
            self.report(SyntaxError::UnclosedBracket { bracket, open, closer, next });
        }
    }

    /// The text of an f-string, up to its end or the next interpolation.
    fn fstring_text(&mut self) {
        let start = self.at;
        let mut at = start;
        loop {
            let next = self.bytes.get(at + 1);
            match self.bytes.get(at) {
                None | Some(b'\n') => {
                    let open = self.open.last().map_or(start, |open| open.at);
                    let escaped_quote = self.text[open..at].contains("\\\"");
                    self.report(SyntaxError::UnclosedString {
                        quote: Quote::Interpolated,
                        escaped_quote,
                        open: Span::new(open, open + 2),
                    });
                    self.drop_fstrings();
                    self.close_what_text_closes(open + 2, at);
                    self.token_if_any(start, at);
                    return;
                }
                Some(b'"') => {
                    self.token_if_any(start, at);
                    self.pop();
                    self.token(at, at + 1);
                    return;
                }
                Some(b'\\') if matches!(next, Some(b'"' | b'\\')) => at += 2,
                Some(b'\\') if self.bytes[at..].starts_with(b"\\u{") => {
                    let stop = self.bytes[at..].iter().position(|byte| matches!(byte, b'}' | b'"' | b'\n'));
                    match stop.map(|length| at + length) {
                        Some(stop) if self.bytes[stop] == b'}' => at = stop + 1,
                        _ => {
                            let span = Span::new(at, at + 3);
                            self.report(SyntaxError::BadEscape { text: "\\u{".into(), span });
                            at += 3;
                        }
                    }
                }
                Some(brace @ (b'{' | b'}')) if next == Some(brace) => at += 2,
                Some(b'{') => {
                    self.token_if_any(start, at);
                    self.opener(Bracket::Interpolation);
                    if self.excess > 0 {
                        // Too deep to enter: what follows is scanned as text.
                        self.excess -= 1;
                    }
                    return;
                }
                Some(b'}') => {
                    let span = Span::new(at, at + 1);
                    self.report(SyntaxError::UnopenedBracket { bracket: Bracket::Interpolation, span });
                    at += 1;
                }
                Some(_) => at += 1,
            }
        }
    }

    fn token_if_any(&mut self, start: usize, end: usize) {
        if start < end {
            self.token(start, end);
        }
    }

    fn drop_fstrings(&mut self) {
        while self.fstrings > 0 && self.pop().is_some() {}
    }

    /// An f-string ends with its line; one that is still open inside an interpolation forgot a `}`.
    fn abandon_fstring(&mut self, end: usize) {
        if self.fstrings == 0 {
            return;
        }
        if matches!(self.open.last(), Some(Open { what: Opened::FString, .. })) {
            self.at = end;
            self.fstring_text();
            return;
        }
        let open = self.open.iter().find(|open| open.what == Opened::FString).map_or(end, |open| open.at);
        self.report_innermost(None, None);
        self.drop_fstrings();
        self.close_what_text_closes(open + 2, end);
    }

    /// `"…"` and backtick names, which end on their line.
    fn quoted(&mut self, quote: Quote) {
        let start = self.at;
        let mark = self.bytes[start];
        let mut at = start + 1;
        let mut escaped_quote = false;
        loop {
            match self.bytes.get(at) {
                None | Some(b'\n') => break,
                Some(byte) if *byte == mark => {
                    self.token(start, at + 1);
                    return;
                }
                Some(b'\\') if matches!(self.bytes.get(at + 1), Some(next) if *next == mark || *next == b'\\') =>
                {
                    escaped_quote |= self.bytes[at + 1] == mark;
                    at += 2;
                }
                Some(_) => at += 1,
            }
        }
        if self.fstrings > 0 {
            // This quote was most likely meant to end the f-string around it.
            self.token(start, at);
            self.abandon_fstring(at);
        } else {
            self.report(SyntaxError::UnclosedString {
                quote,
                escaped_quote,
                open: Span::new(start, start + 1),
            });
            self.token(start, at);
            self.close_what_text_closes(start + 1, at);
        }
    }

    /// A string that lost its end has swallowed the brackets behind it: without this, the rest of the
    /// file would seem to stand inside the brackets around the string.
    fn close_what_text_closes(&mut self, start: usize, end: usize) {
        // How many `(`, `[` and `{` of the text itself are open.
        let mut own = [0_usize; 3];
        for at in start.min(end)..end {
            let byte = self.bytes[at];
            match byte {
                b'(' => own[0] += 1,
                b'[' => own[1] += 1,
                b'{' => own[2] += 1,
                b')' if own[0] > 0 => own[0] -= 1,
                b']' if own[1] > 0 => own[1] -= 1,
                b'}' if own[2] > 0 => own[2] -= 1,
                b')' | b']' | b'}' if self.open.last().is_some_and(|open| open.closes_with(byte)) => {
                    self.pop();
                }
                _ => {}
            }
        }
    }

    /// `"""…"""`, after an opening of `length` bytes.
    fn raw_string(&mut self, length: usize) {
        let start = self.at;
        let inside = start + length;
        if let Some(found) = self.text[inside..].find("\"\"\"") {
            self.token(start, inside + found + 3);
            return;
        }
        let open = Span::new(inside - 3, inside);
        self.report(SyntaxError::UnclosedString { quote: Quote::Raw, escaped_quote: false, open });
        let mut resume = self.end_of_line(start);
        while resume < self.bytes.len() && !self.begins_statement(resume + 1) {
            resume = self.end_of_line(resume + 1);
        }
        self.token(start, resume);
        while self.pop().is_some() {}
        self.excess = 0;
    }

    fn comment(&mut self) {
        let start = self.at;
        let end = self.end_of_line(start);
        let line = self.text[start..end].trim_end();
        self.at = end;
        let (file_doc, text) = match (line.strip_prefix("//!"), line.strip_prefix("///")) {
            (Some(text), _) => (true, text),
            (None, Some(text)) if !text.starts_with('/') => (false, text),
            _ => return,
        };
        let span = Span::new(start, start + line.len());
        if let Some(current) = &mut self.current {
            // In brackets, and between annotations, the grammar knows whether docs may stand here.
            if self.open.is_empty() && current.head == Head::Body && !current.broken && !current.stray_doc {
                current.stray_doc = true;
                self.split.errors.push(SyntaxError::StrayDoc { place: StrayDoc::Inside, span });
            }
            return;
        }
        if file_doc && (self.docs.is_some() || !self.split.chunks.is_empty()) {
            self.split.errors.push(SyntaxError::StrayDoc { place: StrayDoc::LateFileDoc, span });
            return;
        }
        add_doc_line(if file_doc { &mut self.split.file_docs } else { &mut self.docs }, text, span);
    }

    fn line_end(&mut self) {
        let end = self.at;
        self.abandon_fstring(end);
        self.at = end + 1;
        if self.current.is_none() {
            return;
        }
        if self.open.is_empty() && self.excess == 0 {
            if !self.statement_continues() {
                self.finish(None);
            }
        } else if self.begins_statement_over_docs(self.at) {
            let length = self.bytes[self.at..].iter().take_while(|byte| is_word(**byte)).count().max(1);
            self.finish(Some(Span::new(self.at, self.at + length)));
        }
    }

    /// Whether the statement goes on after a line end outside brackets.
    fn statement_continues(&mut self) -> bool {
        let Some(current) = &self.current else { return false };
        let ends_in_pipe = self.text[..current.end].ends_with('|');
        if current.head != Head::Body || ends_in_pipe || self.at <= self.continues_until {
            return true;
        }
        let mut rest = self.text[self.at..].trim_start();
        while rest.starts_with("//") && !rest.starts_with("//!") && !rest.starts_with("///") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start();
        }
        let continues = rest.starts_with('|') || rest.starts_with("->");
        if continues {
            self.continues_until = self.text.len() - rest.len();
        }
        continues
    }

    /// Whether a line that cannot stand inside brackets begins at `at`: a statement word at column 0.
    fn begins_statement(&self, at: usize) -> bool {
        let Some(line) = self.text.get(at..) else { return false };
        let length = line.bytes().take_while(|byte| is_word(*byte)).count();
        let (word, rest) = line.split_at(length);
        if !STATEMENT_WORDS.contains(&word) || !rest.starts_with([' ', '\t']) {
            return false;
        }
        // Blocks hold bindings of their own.
        if self.braces > 0 && matches!(word, "let" | "assert") {
            return false;
        }
        let next = rest.trim_start_matches([' ', '\t']).chars().next();
        next.is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, '_' | '`' | '(' | '"'))
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

    /// Ends the current statement.
    fn finish(&mut self, next: Option<Span>) {
        if self.current.is_some() && !self.open.is_empty() {
            self.report_innermost(None, next);
        }
        while self.pop().is_some() {}
        self.excess = 0;
        if let Some(Current { docs, start, end, broken, .. }) = self.current.take() {
            self.split.chunks.push(Chunk { docs, start, end, broken });
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Appends one line, without the blank after its marker.
pub(super) fn add_doc_line(docs: &mut Option<Doc>, text: &str, span: Span) {
    let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
    match docs {
        Some(doc) => {
            doc.text.push('\n');
            doc.text.push_str(text);
            doc.span = doc.span.to(span);
        }
        None => *docs = Some(Doc { text: text.to_owned(), span }),
    }
}
