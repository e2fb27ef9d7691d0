//! Errors and warnings as they are found.

use crate::comfy::error::{ImportError, ImportWarning};
use miette::Diagnostic;
use std::collections::HashSet;

/// Everything that was found; each only once, however many instances a subgraph has.
#[derive(Default)]
pub(super) struct Log {
    pub(super) errors: Vec<ImportError>,
    pub(super) warnings: Vec<ImportWarning>,
}

impl Log {
    pub(super) fn error(&mut self, error: ImportError) {
        self.errors.push(error);
    }

    pub(super) fn warn(&mut self, warning: ImportWarning) {
        self.warnings.push(warning);
    }

    /// What was found, without repetitions, in the order of the file.
    pub(super) fn finish(mut self) -> (Vec<ImportError>, Vec<ImportWarning>) {
        let mut told = HashSet::new();
        self.errors.retain(|error| told.insert((code(error), error.span())));
        self.warnings.retain(|warning| told.insert((code(warning), warning.span())));
        self.errors.sort_by_key(ImportError::span);
        self.warnings.sort_by_key(ImportWarning::span);
        (self.errors, self.warnings)
    }
}

fn code(diagnostic: &dyn Diagnostic) -> String {
    diagnostic.code().map(|code| code.to_string()).unwrap_or_default()
}
