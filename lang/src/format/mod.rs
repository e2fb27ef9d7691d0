//! The one style of `.flow` files: from an AST to text, in lines of at most 100 columns where that is possible.
//!
//! The text is made from the AST alone: statements carry the remarks and empty lines above them, and the other
//! remarks are put in by position, each before the first thing that starts after it. So an AST without such remarks,
//! as importers make, may have any spans.
//!
//! The laws, which tests hold it to: the text parses to the same AST but for spans, no remark is lost or doubled,
//! and formatting it again changes nothing.

mod declarations;
mod doc;
mod expressions;
mod items;
mod literals;
mod operators;
mod render;
mod statements;

use crate::ast::{Comment, Doc as Docs, Expr, File, InnerComment, Statement, Type};
use doc::Doc;
use std::borrow::Cow;

/// Columns of a line, where nothing in it forbids to break it.
const WIDTH: usize = 100;

/// The text of a file. It ends with a line end, unless it is empty.
pub fn format(file: &File) -> String {
    let mut printer = Printer::new(&file.inner_comments);
    let mut out = String::new();
    let mut above = Above::NothingInFile;
    printer.top(file, &mut above);
    for (place, statement) in file.statements.iter().enumerate() {
        printer.statement_with_remarks(statement, &mut above);
        let next = file.statements.get(place + 1).map_or(u32::MAX, start);
        printer.comments_before(next);
        // One by one, so that no more than one statement is in memory as tokens.
        printer.take(&mut out);
    }
    printer.remarks(&file.end_comments, &mut above);
    printer.take(&mut out);
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The text of one statement with its docs and the remarks above it, without those inside.
pub fn format_statement(statement: &Statement) -> String {
    let mut printer = Printer::new(&[]);
    printer.statement_with_remarks(statement, &mut Above::NothingInFile);
    let mut out = String::new();
    printer.take(&mut out);
    out
}

/// Whether a statement takes several lines below an indent of some columns, itself without its remarks.
pub(crate) fn takes_lines(statement: &Statement, indent: usize) -> bool {
    let mut printer = Printer::new(&[]);
    printer.statement(statement);
    let mut out = String::new();
    render::render(printer.doc.tokens(), WIDTH.saturating_sub(indent), &mut out);
    out.contains('\n')
}

/// The text of an expression on one line, for messages: a block of several statements would need more lines.
pub fn format_expr(expr: &Expr) -> String {
    on_one_line(|printer| printer.expr(expr))
}

/// The text of a type, on one line.
pub fn format_type(ty: &Type) -> String {
    on_one_line(|printer| printer.ty(ty))
}

fn on_one_line<'a>(print: impl FnOnce(&mut Printer<'a>)) -> String {
    let mut printer = Printer::new(&[]);
    printer.flat(print);
    let mut out = String::new();
    render::render(printer.doc.tokens(), usize::MAX / 4, &mut out);
    out
}

/// Where a statement begins, with its docs.
fn start(statement: &Statement) -> u32 {
    statement.docs.as_ref().map_or(statement.span, |docs| docs.span).start
}

/// What stands above a line: no empty line is kept where nothing does.
#[derive(Clone, Copy, PartialEq)]
enum Above {
    NothingInFile,
    NothingInBlock,
    Something,
}

/// Writes an AST as a document, in the order of its text.
struct Printer<'a> {
    doc: Doc<'a>,
    /// The remarks that are put in by position, in the order of the text.
    comments: &'a [InnerComment],
    /// How many of them are written.
    written: usize,
    /// The annotations of the next call are written already.
    annotated: bool,
}

impl<'a> Printer<'a> {
    fn new(comments: &'a [InnerComment]) -> Self {
        Self { doc: Doc::default(), comments, written: 0, annotated: false }
    }

    /// Appends what is printed so far to a text.
    fn take(&mut self, out: &mut String) {
        render::render(self.doc.tokens(), WIDTH, out);
        self.doc.clear();
    }

    fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        self.doc.text(text);
    }

    /// Text whose blanks at its ends are not wanted at the ends of a line.
    fn words(&mut self, text: &'static str) {
        if text.starts_with(' ') {
            self.doc.space();
        }
        self.text(text.trim());
        if text.ends_with(' ') {
            self.doc.space();
        }
    }

    /// Prints something without a place to break it. Returns whether it could be: a block of several statements has
    /// to be broken, and the line is wrong then.
    fn flat(&mut self, print: impl FnOnce(&mut Self)) -> bool {
        let before = self.doc.begin_flat();
        print(self);
        self.doc.end_flat(before)
    }

    /// Writes the remarks that start before an offset and are not yet written.
    fn comments_before(&mut self, offset: u32) {
        // On a line that cannot be broken they wait for its end.
        while !self.doc.is_flat() && self.is_comment_before(offset) {
            let comment = &self.comments[self.written];
            self.doc.comment(&comment.text, comment.own_line);
            self.written += 1;
        }
    }

    /// Whether remarks are still to be written.
    fn has_comments(&self) -> bool {
        self.written < self.comments.len()
    }

    /// Whether a remark is still to be written that starts before an offset.
    fn is_comment_before(&self, offset: u32) -> bool {
        self.comments.get(self.written).is_some_and(|comment| comment.span.start < offset)
    }

    /// Whether a remark starts between two offsets.
    fn is_comment_between(&self, start: u32, end: u32) -> bool {
        // Mostly the next one stands far behind: what is asked about is not yet written.
        if !self.is_comment_before(end) {
            return false;
        }
        let first = self.comments.partition_point(|comment| comment.span.start < start);
        self.comments.get(first).is_some_and(|comment| comment.span.start < end)
    }

    /// What stands at the top of a file.
    fn top(&mut self, file: &'a File, above: &mut Above) {
        if let Some(docs) = &file.docs {
            // Without an edition they belong to the first statement when the text is read again, and stand below.
            if file.edition.is_some() {
                self.comments_at_top(docs.span.start, above);
            }
            self.begin_line(false, above);
            self.docs(docs, "//!");
        }
        if let Some(edition) = &file.edition {
            self.comments_at_top(edition.span.start, above);
            self.begin_line(false, above);
            self.text(format!("edition {}", edition.number));
        }
        self.comments_at_top(file.statements.first().map_or(u32::MAX, start), above);
    }

    fn comments_at_top(&mut self, offset: u32, above: &mut Above) {
        if self.is_comment_before(offset) {
            self.comments_before(offset);
            *above = Above::Something;
        }
    }

    /// Begins a line of a file or a block.
    fn begin_line(&mut self, empty_line: bool, above: &mut Above) {
        match std::mem::replace(above, Above::Something) {
            Above::NothingInFile => {}
            Above::Something if empty_line => self.doc.blank(),
            Above::NothingInBlock | Above::Something => self.doc.hard(),
        }
    }

    /// Remarks on lines of their own.
    fn remarks(&mut self, comments: &'a [Comment], above: &mut Above) {
        for comment in comments {
            self.begin_line(comment.blank_before, above);
            self.doc.comment(&comment.text, true);
        }
    }

    /// A statement with all that stands above it.
    fn statement_with_remarks(&mut self, statement: &'a Statement, above: &mut Above) {
        self.remarks(&statement.comments, above);
        self.begin_line(statement.blank_before, above);
        self.statement(statement);
    }

    /// Documentation, each line after a marker.
    fn docs(&mut self, docs: &'a Docs, marker: &'static str) {
        for (place, line) in docs.text.split('\n').enumerate() {
            if place > 0 {
                self.doc.hard();
            }
            let line = line.trim_end();
            self.doc.documentation(if line.is_empty() {
                marker.to_owned()
            } else {
                format!("{marker} {line}")
            });
        }
    }
}

#[cfg(test)]
mod tests;
