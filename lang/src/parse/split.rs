//! Finds where statements begin and end, and which comments belong to them.
//!
//! A file and the inside of a block are split alike, each statement a range of the tokens that stand directly in it.

use super::scan::{Kind, Remark, RemarkKind, Scan};
use crate::Span;
use crate::ast::{Comment, Doc};
use crate::error::{StrayDoc, SyntaxError};
use crate::names::begins_statement;

/// One statement, not yet parsed.
pub(super) struct Chunk {
    /// Its first token.
    pub(super) first: usize,
    /// One past its last token.
    pub(super) last: usize,
    /// `///` lines above it.
    pub(super) docs: Option<Doc>,
    /// Remarks above it, on lines of their own, with their indices.
    pub(super) comments: Vec<(usize, Comment)>,
    /// Whether an empty line separates it from what stands above.
    pub(super) blank_before: bool,
}

/// The statements of a file or of a block.
#[derive(Default)]
pub(super) struct Split {
    /// `//!` lines at the top.
    pub(super) file_docs: Option<Doc>,
    /// The statements in order.
    pub(super) chunks: Vec<Chunk>,
    /// Remarks after the last statement, on lines of their own, with their indices.
    pub(super) end_comments: Vec<(usize, Comment)>,
    /// Docs that describe nothing.
    pub(super) errors: Vec<SyntaxError>,
}

/// Splits the tokens `first..last` into statements; they stand in the text `within`.
pub(super) fn split(text: &str, scan: &Scan, first: usize, last: usize, within: Span) -> Split {
    let mut splitter = Splitter {
        text,
        scan,
        last,
        remark: scan.remarks.partition_point(|remark| remark.span.start < within.start),
        end: within.end,
        above: None,
        split: Split::default(),
    };
    let mut at = first;
    while at < last {
        at = splitter.statement(at);
    }
    splitter.finish();
    splitter.split
}

/// Whether the line above the one at `at` is empty and something stands further above.
fn blank_above(text: &str, at: usize) -> bool {
    let above = text.get(..at).unwrap_or("").trim_end_matches([' ', '\t']);
    let Some(above) = above.strip_suffix('\n') else { return false };
    above.trim_end_matches([' ', '\t', '\r']).ends_with('\n')
}

struct Splitter<'s> {
    text: &'s str,
    scan: &'s Scan,
    last: usize,
    /// The next remark.
    remark: usize,
    /// Where the text ends.
    end: u32,
    /// Where what stands above ends.
    above: Option<u32>,
    split: Split,
}

/// What precedes a statement.
#[derive(Default)]
struct Leading {
    docs: Option<Doc>,
    comments: Vec<(usize, Comment)>,
}

impl<'s> Splitter<'s> {
    /// Takes the statement that begins with the token `first`; the token after it.
    fn statement(&mut self, first: usize) -> usize {
        let leading = self.leading(first);
        let (last, end) = self.extent(first);
        let start = self.start(first);
        let anchor = leading.docs.as_ref().map_or(start, |docs| docs.span.start);
        let blank_before = self.above.is_some() && blank_above(self.text, anchor as usize);
        self.above = Some(end);
        self.skip_remarks_within(last);
        self.trailing(last, end);
        let Leading { docs, comments } = leading;
        self.split.chunks.push(Chunk { first, last, docs, comments, blank_before });
        last
    }

    fn start(&self, token: usize) -> u32 {
        self.scan.tokens.get(token).map_or(self.end, |token| token.span.start)
    }

    fn word(&self, token: usize) -> &'s str {
        self.scan.tokens.get(token).and_then(|token| self.text.get(token.span.range())).unwrap_or("")
    }

    fn peek(&self) -> Option<(usize, &'s Remark)> {
        let remark = self.scan.remarks.get(self.remark)?;
        (remark.span.start < self.end).then_some((self.remark, remark))
    }

    /// The remarks and docs before the token `first`.
    fn leading(&mut self, first: usize) -> Leading {
        let mut leading = Leading::default();
        while let Some((index, remark)) = self.peek().filter(|(_, remark)| remark.next <= first) {
            self.remark += 1;
            match remark.kind {
                RemarkKind::Plain if remark.own_line => {
                    let blank_before =
                        self.above.is_some() && blank_above(self.text, remark.span.start as usize);
                    leading
                        .comments
                        .push((index, Comment { text: remark.text(self.text).to_owned(), blank_before }));
                }
                RemarkKind::Plain => {}
                RemarkKind::Doc => add_doc_line(&mut leading.docs, self.text, remark),
                RemarkKind::FileDoc => self.file_doc(remark, leading.docs.is_some()),
            }
            self.above.get_or_insert(remark.span.end);
        }
        leading
    }

    fn file_doc(&mut self, remark: &Remark, after_docs: bool) {
        if after_docs || !self.split.chunks.is_empty() {
            let error = SyntaxError::StrayDoc { place: StrayDoc::LateFileDoc, span: remark.span };
            self.split.errors.push(error);
        } else {
            add_doc_line(&mut self.split.file_docs, self.text, remark);
        }
    }

    /// Remarks inside a statement are for the grammar, or for nobody.
    fn skip_remarks_within(&mut self, last: usize) {
        while self.peek().is_some_and(|(_, remark)| remark.next < last) {
            self.remark += 1;
        }
    }

    /// Docs that follow a statement on its line.
    fn trailing(&mut self, last: usize, end: u32) {
        let Some((_, remark)) = self.peek().filter(|(_, remark)| remark.next <= last) else { return };
        let same_line = |span: Span| {
            self.text.get(end as usize..span.start as usize).is_some_and(|between| !between.contains('\n'))
        };
        if remark.kind != RemarkKind::Plain && same_line(remark.span) {
            self.remark += 1;
            let error = SyntaxError::StrayDoc { place: StrayDoc::Inside, span: remark.span };
            self.split.errors.push(error);
        }
    }

    /// Where the statement that begins with `first` ends: the token after it, and the end of its text.
    fn extent(&self, first: usize) -> (usize, u32) {
        let mut head = Head::default();
        let mut before = first;
        let mut at = first;
        loop {
            head.take(self.word(at), self.scan.tokens.get(at).map(|token| token.kind));
            let next = self.scan.after(at).min(self.last);
            let closed = self.scan.closer(at);
            let end_token = closed.unwrap_or(at);
            let end = self.scan.tokens.get(end_token).map_or(self.end, |token| token.span.end);
            if next >= self.last || self.ends(first, (before, end_token), (end, next), &head) {
                return (next, end);
            }
            before = end_token;
            at = next;
        }
    }

    /// Whether a statement ends between two tokens.
    fn ends(
        &self,
        first: usize,
        (before, last): (usize, usize),
        (end, next): (u32, usize),
        head: &Head,
    ) -> bool {
        let between = self.text.get(end as usize..self.start(next) as usize).unwrap_or("");
        if !between.contains('\n') || head.only_annotations() {
            return false;
        }
        let rest = self.text.get(self.start(next) as usize..).unwrap_or("");
        if head.wants_block && rest.starts_with('{') {
            return false;
        }
        let open = match self.word(last) {
            "=" | "|" | "&" | "+" | "-" | "*" | "/" | "%" | "<" => true,
            ">" => self.word(before) == "-" || !head.closed_angle,
            "," => self.word(first) == "assert",
            "." => !self.word(before).starts_with(|first: char| first.is_ascii_digit()),
            _ => false,
        };
        !(open && !begins_statement(rest) || goes_on(rest))
    }

    fn finish(&mut self) {
        let leading = self.leading(self.last);
        if let Some(doc) = leading.docs {
            self.split.errors.push(SyntaxError::StrayDoc { place: StrayDoc::AtEnd, span: doc.span });
        }
        self.split.end_comments = leading.comments;
    }
}

/// Whether a line that begins like this goes on with the statement before it.
fn goes_on(line: &str) -> bool {
    let two = |text: &str| line.starts_with(text);
    let is_in = line.strip_prefix("in").is_some_and(|rest| rest.starts_with([' ', '\t']));
    let is_else = line.strip_prefix("else").is_some_and(|rest| {
        !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | ':'))
    });
    line.starts_with(['.', '|', '+', '*', '/', '%', '<', '>', '&'])
        || two("->")
        || two("==")
        || two("!=")
        || is_in
        || is_else
}

/// What was seen of a statement: annotations may stand on lines of their own before it.
#[derive(Default)]
struct Head {
    part: Part,
    /// `if`, `for` or `fn` was seen, and no block since.
    wants_block: bool,
    /// The next word is a plain name.
    names_something: bool,
    /// How many `<` of types are open.
    angles: usize,
    /// Whether the last token was a `>` that ends a type.
    closed_angle: bool,
    /// Whether the last word takes a `<`.
    takes_angle: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Part {
    #[default]
    Start,
    At,
    Name,
    Arguments,
    Body,
}

impl Head {
    fn take(&mut self, word: &str, kind: Option<Kind>) {
        self.part = match (self.part, word) {
            (Part::Start | Part::Name | Part::Arguments, "@") => Part::At,
            (Part::At, _) if kind == Some(Kind::Word) || word.starts_with('`') => Part::Name,
            (Part::Name, "(") => Part::Arguments,
            _ => Part::Body,
        };
        match word {
            "if" | "for" | "fn" | "else" if !self.names_something => self.wants_block = true,
            "{" => self.wants_block = false,
            _ => {}
        }
        self.names_something = matches!(word, "." | ":" | "::" | "@");
        self.closed_angle = word == ">" && self.angles > 0;
        match word {
            "<" if self.takes_angle => self.angles += 1,
            ">" => self.angles = self.angles.saturating_sub(1),
            _ => {}
        }
        self.takes_angle = matches!(word, "File" | "Match");
    }

    fn only_annotations(&self) -> bool {
        matches!(self.part, Part::At | Part::Name | Part::Arguments)
    }
}

/// Appends one line, without the blank after its marker.
pub(super) fn add_doc_line(docs: &mut Option<Doc>, text: &str, remark: &Remark) {
    add_doc_text(docs, remark.text(text), remark.span);
}

/// The same, for a line that the grammar found.
pub(super) fn add_doc_text(docs: &mut Option<Doc>, text: &str, span: Span) {
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
