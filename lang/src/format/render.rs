//! From a document to text: which groups fit on their line, and the lines themselves.

use super::doc::Token;

/// Columns of one level of indent.
pub(super) const INDENT: usize = 4;

/// No line is as wide as this.
const NEVER: usize = usize::MAX / 4;

/// Appends a document to a text, in lines of at most `width` columns where that is possible. A document that
/// continues a text begins with a line end; none ends its last line.
pub(super) fn render(tokens: &[Token<'_>], width: usize, out: &mut String) {
    let sizes = measure(tokens);
    let mut lines = Lines { out, indent: 0, column: 0, at_start: true, spaced: false, due: false };
    let mut broken = vec![true];
    for (at, token) in tokens.iter().enumerate() {
        let breaks = broken.last().is_none_or(|broken| *broken);
        match token {
            Token::Text(text) => lines.text(text),
            Token::Space => lines.space(),
            Token::Line(flat) if !breaks => lines.separator(flat),
            Token::Fill if !breaks || lines.fits_after_blank(sizes[at], width) => lines.space(),
            Token::Line(_) | Token::Fill | Token::Hard => lines.end(),
            Token::Blank => {
                lines.end();
                lines.out.push('\n');
            }
            Token::IfBroken(text) if breaks => lines.text(text),
            Token::IfBroken(_) => {}
            Token::Open => broken.push(breaks && lines.next_column() + sizes[at] > width),
            Token::Close => drop(broken.pop()),
            Token::Indent => lines.indent += 1,
            Token::Dedent => lines.indent -= 1,
            Token::Comment { text, own_line } => lines.comment(text, *own_line),
        }
    }
}

/// The columns of a text.
pub(super) fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The lines as they are written.
struct Lines<'o> {
    out: &'o mut String,
    indent: usize,
    column: usize,
    /// Nothing is written on this line, its indent neither.
    at_start: bool,
    /// A blank comes before the next text of this line.
    spaced: bool,
    /// The line has to end before anything else is written.
    due: bool,
}

impl Lines<'_> {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            if self.due {
                self.end();
            }
            self.begin();
            self.out.push_str(text);
            self.column += columns(text);
        }
    }

    /// Writes what precedes the next text: the indent of a line, or a blank.
    fn begin(&mut self) {
        if std::mem::take(&mut self.at_start) {
            self.column = self.indent * INDENT;
            self.out.extend(std::iter::repeat_n(' ', self.column));
        } else if self.spaced {
            self.out.push(' ');
            self.column += 1;
        }
        self.spaced = false;
    }

    fn separator(&mut self, text: &str) {
        if text == " " { self.space() } else { self.text(text) }
    }

    fn space(&mut self) {
        self.spaced = !self.at_start;
    }

    fn end(&mut self) {
        self.out.push('\n');
        self.at_start = true;
        self.spaced = false;
        self.due = false;
    }

    fn comment(&mut self, text: &str, own_line: bool) {
        if self.due || own_line && !self.at_start {
            self.end();
        }
        self.space();
        self.begin();
        self.out.push_str(text);
        self.due = true;
    }

    /// Where the next text begins.
    fn next_column(&self) -> usize {
        if self.at_start || self.due { self.indent * INDENT } else { self.column + usize::from(self.spaced) }
    }

    fn fits_after_blank(&self, size: usize, width: usize) -> bool {
        !self.due && !self.at_start && self.column + 1 + size <= width
    }
}

/// A group that is being measured.
struct Measured {
    open: usize,
    start: Point,
    /// The last fill of the group: what follows it ends with the next break.
    fill: Option<(usize, Point)>,
}

/// How much stands before a place.
#[derive(Clone, Copy)]
struct Point {
    columns: usize,
    forced: usize,
}

impl Point {
    /// The columns from here to there, on one line.
    fn to(self, end: Point) -> usize {
        if end.forced > self.forced { NEVER } else { end.columns - self.columns }
    }
}

/// For each group the columns that it needs on one line, for each fill those up to the next break; both with
/// the text behind that cannot be parted from it.
fn measure(tokens: &[Token<'_>]) -> Vec<usize> {
    let tails = tails(tokens);
    let mut sizes = vec![0; tokens.len()];
    let mut here = Point { columns: 0, forced: 0 };
    let mut groups = vec![Measured { open: 0, start: here, fill: None }];
    for (at, token) in tokens.iter().enumerate() {
        let settle = |groups: &mut Vec<Measured>, sizes: &mut Vec<usize>, tail| {
            if let Some((fill, start)) = groups.last_mut().and_then(|group| group.fill.take()) {
                sizes[fill] = start.to(here) + tail;
            }
        };
        match token {
            Token::Open => groups.push(Measured { open: at, start: here, fill: None }),
            Token::Close => {
                settle(&mut groups, &mut sizes, tails[at + 1]);
                if let Some(group) = groups.pop() {
                    sizes[group.open] = group.start.to(here) + tails[at + 1];
                }
            }
            Token::Line(_) | Token::Fill | Token::Hard | Token::Blank | Token::Comment { .. } => {
                settle(&mut groups, &mut sizes, 0);
            }
            _ => {}
        }
        here.columns += flat_columns(token);
        here.forced += usize::from(matches!(token, Token::Hard | Token::Blank | Token::Comment { .. }));
        if let (Token::Fill, Some(group)) = (token, groups.last_mut()) {
            group.fill = Some((at, here));
        }
    }
    sizes
}

/// For each place the columns up to the next break, when all groups around it are broken.
fn tails(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut tails = vec![0; tokens.len() + 1];
    for (at, token) in tokens.iter().enumerate().rev() {
        tails[at] = match token {
            Token::Line(_) | Token::Fill | Token::Hard | Token::Blank | Token::Comment { .. } => 0,
            Token::IfBroken(text) => tails[at + 1] + text.len(),
            other => tails[at + 1] + flat_columns(other),
        };
    }
    tails
}

fn flat_columns(token: &Token<'_>) -> usize {
    match token {
        Token::Text(text) => columns(text),
        Token::Space | Token::Fill => 1,
        Token::Line(flat) => flat.len(),
        _ => 0,
    }
}
