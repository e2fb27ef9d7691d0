//! A named text, and where its lines begin.

use crate::Span;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A source text with the name that messages show for it.
///
/// Lends itself to miette as source code: `Report::new(error).with_source_code(file)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// A text under a name, which need not be a path.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, line_starts }
    }

    /// What messages call this text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let offset = (offset as usize).min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// The text under a span; empty where the span is not of this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }
}

impl SourceCode for SourceFile {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let lines = self.around(span, lines_before + 1, lines_after + 1);
        let (text, line) = (&self.text[lines.clone()], self.line_of(lines.start));
        let local = SourceSpan::new(span.offset().saturating_sub(lines.start).into(), span.len());
        let found = text.read_span(&local, lines_before, lines_after)?;
        let start = lines.start + found.span().offset();
        if found.data().len() > LONG {
            return Ok(Box::new(self.window(span, start..start + found.span().len())));
        }
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            SourceSpan::new(start.into(), found.span().len()),
            line + found.line(),
            found.column(),
            found.line_count(),
        )))
    }
}

/// Where the lines around a span have more bytes than this, only what is near the span is shown: workflows are often
/// one line.
const LONG: usize = 600;

/// What is shown before and after a span then, and how much of itself.
const NEAR: usize = 60;

impl SourceFile {
    /// The line of a byte, counted from 0.
    fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Whole lines around a span. Reading a part of a text must not cost the whole: there may be many messages.
    fn around(&self, span: &SourceSpan, before: usize, after: usize) -> std::ops::Range<usize> {
        let end = span.offset().saturating_add(span.len());
        let first = self.line_of(span.offset()).saturating_sub(before);
        let behind = self.line_of(end).saturating_add(after + 1);
        let at = |line: usize| self.line_starts.get(line).copied();
        at(first).unwrap_or(0)..at(behind).unwrap_or(self.text.len())
    }

    /// What is near a span, within some bytes around it.
    fn window(&self, span: &SourceSpan, within: std::ops::Range<usize>) -> MietteSpanContents<'_> {
        let shown = span.len().min(2 * NEAR);
        let start = within.start.max(self.text.floor_char_boundary(span.offset().saturating_sub(NEAR)));
        let end = within.end.min(self.text.ceil_char_boundary(span.offset() + shown + NEAR));
        let line = self.line_of(start);
        let column = self.text[self.line_starts[line]..start].chars().count();
        let data = &self.text[start..end];
        MietteSpanContents::new_named(
            self.name.clone(),
            data.as_bytes(),
            SourceSpan::new(start.into(), end - start),
            line,
            column,
            data.lines().count(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let file = SourceFile::new("a.flow", "let é = 1\nlet b = 2\n");
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column(6), (1, 6));
        assert_eq!(file.line_column(11), (2, 1));
        assert_eq!(file.line_column(9_999), (3, 1));
    }

    /// What is shown of a text around a span: where that begins, its lines from 0, and the text.
    fn shown(text: &str, span: (usize, usize)) -> (usize, usize, usize, String) {
        let file = SourceFile::new("a.flow", text);
        let found = file.read_span(&span.into(), 1, 1).expect("a span of the text");
        let data = String::from_utf8(found.data().to_vec()).expect("whole characters");
        (found.span().offset(), found.line(), found.column(), data)
    }

    #[test]
    fn what_is_around_a_span_is_what_the_whole_text_gives() {
        let text = "one\ntwo\r\n\nfour\nfive";
        for start in 0..=text.len() {
            for len in 0..=text.len() - start {
                let whole = text.read_span(&(start, len).into(), 1, 1).expect("a span of the text");
                let data = String::from_utf8_lossy(whole.data()).into_owned();
                let whole = (whole.span().offset(), whole.line(), whole.column(), data);
                assert_eq!(shown(text, (start, len)), whole, "{start}, {len}");
            }
        }
        assert!(SourceFile::new("a", "abc").read_span(&(2, 9).into(), 1, 1).is_err());
        assert!(SourceFile::new("a", "abc").read_span(&(7, 0).into(), 1, 1).is_err());
    }

    #[test]
    fn of_a_long_line_only_the_part_near_the_span_is_shown() {
        let text = format!("{{\n{}x{}", "é".repeat(1000), "ü".repeat(1000));
        let (offset, line, column, data) = shown(&text, (2002, 1));
        assert_eq!((offset, line, column), (1942, 1, 970));
        assert_eq!(data, format!("{}x{}", "é".repeat(30), "ü".repeat(30)));
        // A span of everything shows its beginning.
        assert!(shown(&text, (2, 4001)).3.len() < 400);
    }

    #[test]
    fn a_foreign_span_is_no_text() {
        assert_eq!(SourceFile::new("a.flow", "é").slice(Span::new(1, 9)), "");
    }
}
