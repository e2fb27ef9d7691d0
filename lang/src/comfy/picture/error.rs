//! Why a picture gives no workflow.

use miette::Diagnostic;
use thiserror::Error;

/// Why a picture gives no workflow. Each code has a page in `docs/errors/import`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum PictureError {
    /// A kind of file that workflows are not read from.
    #[error("no workflow can be read from {kind} files")]
    #[diagnostic(
        code(import::unsupported_picture),
        help(
            "give the picture as PNG, WebP or JPEG as it was saved, or export the workflow as JSON; converting a picture loses its workflow"
        )
    )]
    UnsupportedPicture {
        /// What it is.
        kind: &'static str,
    },

    /// A picture without a workflow.
    #[error("this {kind} carries no workflow{}", carried(keys))]
    #[diagnostic(code(import::no_workflow), help("{}", no_workflow_help(keys)))]
    NoWorkflow {
        /// What it is.
        kind: &'static str,
        /// Names of the texts that it does carry.
        keys: Vec<String>,
    },

    /// A picture that is damaged before any workflow.
    #[error("this {kind} is damaged at byte {at}: {problem}")]
    #[diagnostic(
        code(import::broken_picture),
        help("no workflow stands before the damage; get the file anew from where it came from")
    )]
    BrokenPicture {
        /// What it is.
        kind: &'static str,
        /// Where, counted from 0.
        at: usize,
        /// What is wrong there.
        problem: &'static str,
    },

    /// A text beyond the limit.
    #[error("the text `{key}` of this picture has more than {limit} bytes")]
    #[diagnostic(
        code(import::text_too_large),
        help("no workflow that people made comes near; if this one is real, allow more with `--max-size`")
    )]
    TextTooLarge {
        /// Its name.
        key: String,
        /// What is allowed.
        limit: usize,
    },
}

/// Codes of all [`PictureError`]s.
pub const CODES: [&str; 4] = [
    "import::unsupported_picture",
    "import::no_workflow",
    "import::broken_picture",
    "import::text_too_large",
];

fn carried(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        _ => format!(", only `{}`", keys.join("`, `")),
    }
}

fn no_workflow_help(keys: &[String]) -> &'static str {
    if keys.iter().any(|key| key == "parameters") {
        return "`parameters` are notes of another program, from which no workflow follows; ask for the workflow as JSON";
    }
    "ask for the file as ComfyUI saved it: editors, messengers and most web sites remove workflows from pictures"
}
