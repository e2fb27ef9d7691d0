//! Plans as RON text.

use ron::ser::PrettyConfig;
use thiserror::Error;

use crate::{FORMAT, Plan};

/// Why a text is no plan.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TextError {
    /// The text is not RON, or not of a plan's structure.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// Line of the defect, from 1.
        line: usize,
        /// Column of the defect, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A plan of another version of the format.
    #[error("the plan has format {found}, this Floe reads format {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
}

impl Plan {
    /// The plan as text: one line per load, program, buffer and step, each with its id in a comment; the same bytes
    /// everywhere.
    ///
    /// # Panics
    /// Never: every field of a plan can be written.
    pub fn to_ron(&self) -> String {
        let config = PrettyConfig::new().new_line("\n").indentor("  ").struct_names(false).depth_limit(2);
        let text = ron::ser::to_string_pretty(self, config).expect("every field of a plan can be written");
        with_ids(&text)
    }

    /// Reads a plan from text.
    ///
    /// # Errors
    /// If the text is not a plan of this format. A plan that reads may still be wrong: see [`Plan::verify`].
    pub fn from_ron(text: &str) -> Result<Plan, TextError> {
        let plan: Plan = ron::from_str(text).map_err(|error| TextError::Syntax {
            line: error.span.start.line,
            column: error.span.start.col,
            reason: error.code.to_string(),
        })?;
        if plan.format == FORMAT { Ok(plan) } else { Err(TextError::Format { found: plan.format }) }
    }
}

/// Puts the ids of table entries before them: `b3` is what steps call `3`.
fn with_ids(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut table = None;
    for line in text.lines() {
        match (line, &mut table) {
            ("  loads: [", _) => table = Some(('m', 0)),
            ("  programs: [", _) => table = Some(('p', 0)),
            ("  buffers: [", _) => table = Some(('b', 0)),
            ("  steps: [", _) => table = Some(('s', 0)),
            ("  ],", _) => table = None,
            (_, Some((prefix, index))) => {
                result.push_str(&format!("    /* {prefix}{index} */"));
                *index += 1;
                result.push_str(&line[3..]);
                result.push('\n');
                continue;
            }
            (_, None) => {}
        }
        result.push_str(line);
        result.push('\n');
    }
    result
}
