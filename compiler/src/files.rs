//! All files that messages may point into, as one source for them.

use floe_lang::SourceFile;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// The files of a program. A message's offset has the number of its file above 32 bits, see [`Place`](crate::flat::Place).
#[derive(Debug, Clone, PartialEq)]
pub struct Files {
    files: Vec<SourceFile>,
}

impl Files {
    /// The program itself, and the other files in the order of their numbers.
    pub fn new(program: SourceFile, others: impl IntoIterator<Item = SourceFile>) -> Files {
        Files { files: std::iter::once(program).chain(others).collect() }
    }
}

impl SourceCode for Files {
    /// Spans of two files have no text between them: messages show them apart.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let number = span.offset() >> u32::BITS;
        let base = number << u32::BITS;
        let file = self.files.get(number).ok_or(MietteError::OutOfBounds)?;
        let local = SourceSpan::new((span.offset() - base).into(), span.len());
        let found = file.read_span(&local, lines_before, lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            file.name().to_owned(),
            found.data(),
            SourceSpan::new((found.span().offset() + base).into(), found.span().len()),
            found.line(),
            found.column(),
            found.line_count(),
        )))
    }
}
