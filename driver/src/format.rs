//! Programs in the one style.

use miette::Report;

use crate::compile::Failure;
use crate::error::DriverError;
use crate::front::{failure, parse};
use crate::source::{Form, Source};

/// The text of a program in the one style.
///
/// # Errors
/// All syntax errors: a program that is not understood is left alone. What is no `.flow` text itself has no style.
pub fn format(source: &Source) -> Result<String, Failure> {
    let found = match (source.picture(), source.form()) {
        (Some(_), _) => Some("a picture"),
        (None, Form::Json) => Some("JSON"),
        (None, Form::Flow) => None,
    };
    if let Some(found) = found {
        let path = source.picture().unwrap_or(source.file().name()).to_owned();
        return Err(failure(vec![Report::new(DriverError::NotFlow { path, found })], Vec::new()));
    }
    Ok(floe_lang::format(&parse(source)?.ast))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_errors_is_left_alone() {
        let failure = format(&Source::flow("a.flow", "let x = (1\n")).unwrap_err();
        assert_eq!((failure.errors, failure.machine), (1, false));
    }

    #[test]
    fn workflows_and_pictures_are_left_alone() {
        let failure = format(&Source::json("a.json", "{}")).unwrap_err();
        assert_eq!(failure.reports[0].to_string(), "`a.json` is no `.flow` file but JSON");
    }
}
