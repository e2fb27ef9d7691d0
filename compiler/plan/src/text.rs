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
    /// The plan as text: one line per buffer, program and load, the same bytes everywhere.
    ///
    /// # Panics
    /// Never: every field of a plan can be written.
    pub fn to_ron(&self) -> String {
        let config = PrettyConfig::new().new_line("\n").indentor("  ").struct_names(false).depth_limit(2);
        let mut text =
            ron::ser::to_string_pretty(self, config).expect("every field of a plan can be written");
        text.push('\n');
        text
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
