//! Errors and warnings as they are found: the first of a kind at a place only, since a loop finds the same thing often.

use std::collections::HashSet;

use miette::Diagnostic;

use crate::error::{CompileError, Warning};

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<CompileError>,
    pub(crate) warnings: Vec<Warning>,
    seen: HashSet<(String, String, usize)>,
}

impl Findings {
    pub(crate) fn error(&mut self, error: impl Into<CompileError>) {
        let error = error.into();
        if self.is_new(&error) {
            self.errors.push(error);
        }
    }

    pub(crate) fn warning(&mut self, warning: Warning) {
        if self.is_new(&warning) {
            self.warnings.push(warning);
        }
    }

    fn is_new(&mut self, found: &dyn Diagnostic) -> bool {
        let code = found.code().map(|code| code.to_string()).unwrap_or_default();
        let key = match found.labels().and_then(|mut labels| labels.next()) {
            Some(label) => (code, String::new(), label.offset()),
            None => (code, found.to_string(), 0),
        };
        self.seen.insert(key)
    }
}
