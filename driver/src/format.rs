//! Programs in the one style.

use crate::compile::{Failure, syntax};
use crate::source::Source;

/// The text of a program in the one style.
///
/// # Errors
/// All syntax errors: a program that is not understood is left alone.
pub fn format(source: &Source) -> Result<String, Failure> {
    let parsed = floe_lang::parse(source.file());
    if parsed.errors.is_empty() {
        Ok(floe_lang::format(&parsed.ast))
    } else {
        Err(syntax(source.file(), parsed.errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_errors_is_left_alone() {
        let failure = format(&Source::flow("a.flow", "let x = (1\n")).unwrap_err();
        assert_eq!((failure.errors, failure.machine), (1, false));
    }
}
