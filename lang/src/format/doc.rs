//! Documents: text with places where it may be broken into lines, as a flat sequence of tokens.
//!
//! After D. C. Oppen, *Prettyprinting* (1980): groups are brackets in a sequence rather than nodes of a tree, so
//! building, measuring and printing are loops, linear in the number of tokens, whatever the nesting. Crates for this
//! build trees, whose groups know neither remarks that must end their line nor fills that are measured in advance.

use std::borrow::Cow;

/// One token of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text without line ends.
    Text(Cow<'a, str>),
    /// A blank, except at the ends of a line.
    Space,
    /// A line end where its group is broken, else this text.
    Line(&'static str),
    /// A line end where its group is broken and what follows, up to the next break of the group, does not fit; else a blank.
    Fill,
    /// A line end. Every group around it is broken.
    Hard,
    /// A line end with an empty line after it. Every group around it is broken.
    Blank,
    /// Text that is there only where its group is broken.
    IfBroken(&'static str),
    /// Begins a group: all its lines are broken, or none of them.
    Open,
    /// Ends a group.
    Close,
    /// Lines that begin from here on are indented by one more level.
    Indent,
    /// Ends an indent.
    Dedent,
    /// A remark or documentation, with its `//`. The line ends after it; every group around it is broken.
    Comment {
        /// From `//` on.
        text: Cow<'a, str>,
        /// Whether it begins a line.
        own_line: bool,
    },
}

/// A document in the making.
#[derive(Debug, Default)]
pub(super) struct Doc<'a> {
    tokens: Vec<Token<'a>>,
    /// How many requests to stay on one line are in force.
    flat: usize,
    /// A line end was asked for in spite of such a request.
    needs_lines: bool,
}

impl<'a> Doc<'a> {
    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn clear(&mut self) {
        self.tokens.clear();
    }

    /// The first text from a token on.
    pub(super) fn first_text_mut(&mut self, from: usize) -> Option<&mut Cow<'a, str>> {
        self.tokens.iter_mut().skip(from).find_map(|token| match token {
            Token::Text(text) => Some(text),
            _ => None,
        })
    }

    pub(super) fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        self.tokens.push(Token::Text(text.into()));
    }

    pub(super) fn space(&mut self) {
        self.tokens.push(Token::Space);
    }

    pub(super) fn line(&mut self, flat: &'static str) {
        if self.is_flat() {
            if flat == " " { self.space() } else { self.text(flat) }
        } else {
            self.tokens.push(Token::Line(flat));
        }
    }

    pub(super) fn fill(&mut self) {
        self.tokens.push(if self.is_flat() { Token::Space } else { Token::Fill });
    }

    pub(super) fn hard(&mut self) {
        self.forced(Token::Hard);
    }

    pub(super) fn blank(&mut self) {
        self.forced(Token::Blank);
    }

    fn forced(&mut self, line_end: Token<'a>) {
        self.needs_lines |= self.is_flat();
        self.tokens.push(if self.is_flat() { Token::Space } else { line_end });
    }

    pub(super) fn if_broken(&mut self, text: &'static str) {
        if !self.is_flat() {
            self.tokens.push(Token::IfBroken(text));
        }
    }

    pub(super) fn open(&mut self) {
        self.tokens.push(Token::Open);
    }

    pub(super) fn close(&mut self) {
        self.tokens.push(Token::Close);
    }

    pub(super) fn indent(&mut self) {
        self.tokens.push(Token::Indent);
    }

    pub(super) fn dedent(&mut self) {
        self.tokens.push(Token::Dedent);
    }

    pub(super) fn comment(&mut self, text: &'a str, own_line: bool) {
        if self.is_flat() {
            self.needs_lines = true;
            return;
        }
        for (place, line) in text.split('\n').enumerate() {
            self.tokens.push(Token::Comment { text: comment_text(line), own_line: own_line || place > 0 });
        }
    }

    /// A line of documentation, with its marker: it ends its line as a remark does.
    pub(super) fn documentation(&mut self, text: String) {
        self.tokens.push(Token::Comment { text: text.into(), own_line: true });
    }

    /// From here on there are no places to break, until [`Doc::end_flat`], which takes what this returns.
    pub(super) fn begin_flat(&mut self) -> bool {
        self.flat += 1;
        std::mem::take(&mut self.needs_lines)
    }

    /// Ends it. Returns whether no line end was asked for.
    pub(super) fn end_flat(&mut self, before: bool) -> bool {
        self.flat -= 1;
        let needs_lines = self.needs_lines;
        self.needs_lines = self.is_flat() && (before || needs_lines);
        !needs_lines
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.tokens.truncate(len);
    }

    /// Whether everything has to stay on one line.
    pub(super) fn is_flat(&self) -> bool {
        self.flat > 0
    }
}

/// A remark with its `//`. A text that would turn it into documentation is kept apart by a blank.
fn comment_text(text: &str) -> Cow<'_, str> {
    let text = text.trim_end();
    let documents = text.starts_with('!') || text.starts_with('/') && !text.starts_with("//");
    Cow::Owned(format!("//{}{text}", if documents { " " } else { "" }))
}
