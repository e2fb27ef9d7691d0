//! Errors of other crates, which know spans of one text only, as errors of one of a program's files.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity, SourceSpan};

/// An error in a file with this number.
#[derive(Debug, Clone, PartialEq)]
pub struct InFile<E> {
    /// The number of the file.
    pub file: u32,
    /// The error.
    pub error: E,
}

impl<E: fmt::Display> fmt::Display for InFile<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<E: std::error::Error> std::error::Error for InFile<E> {}

impl<E: Diagnostic> Diagnostic for InFile<E> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.error.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let base = (self.file as usize) << u32::BITS;
        let labels = self.error.labels()?;
        Some(Box::new(labels.map(move |label| {
            let span = SourceSpan::new((base + label.offset()).into(), label.len());
            let text = label.label().map(str::to_owned);
            if label.primary() {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}
