//! What can be wrong with names: those of files, flows, functions and annotations.

use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

use super::{did_you_mean, list_names};

/// An error of names and calls.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum NameError {
    #[error("there is no module `{module}`")]
    #[diagnostic(code(check::unknown_module), help("{help}"))]
    UnknownModule {
        module: String,
        help: String,
        #[label("not found")]
        span: SourceSpan,
    },

    #[error("`{path}` cannot be used: {reason}")]
    #[diagnostic(code(check::bad_module), help("{help}"))]
    BadModule {
        path: String,
        reason: String,
        help: String,
        #[label("used here")]
        span: SourceSpan,
    },

    #[error("the files use one another in a circle: {}", circle.join(" → "))]
    #[diagnostic(code(check::cyclic_use), help("move what both need into a file that uses neither"))]
    CyclicUse {
        circle: Vec<String>,
        #[label("this closes the circle")]
        span: SourceSpan,
    },

    #[error("`{module}` has no `{name}`")]
    #[diagnostic(code(check::unknown_item), help("{}", did_you_mean(suggestion, &items_help(items))))]
    UnknownItem {
        module: String,
        name: String,
        suggestion: Option<String>,
        items: Vec<String>,
        #[label("not defined there")]
        span: SourceSpan,
    },

    #[error("there is no function `{name}`")]
    #[diagnostic(
        code(check::unknown_function),
        help(
            "{}",
            did_you_mean(
                suggestion,
                "after a point stand outputs and the functions of the language, such as `len()`"
            )
        )
    )]
    UnknownFunction {
        name: String,
        suggestion: Option<String>,
        #[label("not a function")]
        span: SourceSpan,
    },

    #[error("`{name}` is {what}, and cannot be called")]
    #[diagnostic(code(check::not_callable), help("call a node, a flow or a function"))]
    NotCallable {
        name: String,
        what: String,
        #[label("this is {what}")]
        span: SourceSpan,
    },

    #[error("`{name}` is {what}, and no value")]
    #[diagnostic(code(check::not_a_value), help("{help}"))]
    NotAValue {
        name: String,
        what: &'static str,
        help: String,
        #[label("this is {what}")]
        span: SourceSpan,
    },

    #[error("`{flow}` takes {}, but is given {given}", count(*takes))]
    #[diagnostic(code(check::too_many_arguments), help("{}", params_help(params)))]
    TooManyArguments {
        flow: String,
        takes: usize,
        given: usize,
        params: Vec<String>,
        #[label("one too many")]
        span: SourceSpan,
    },

    #[error("`{flow}` has no parameter `{name}`")]
    #[diagnostic(code(check::unknown_argument), help("{}", did_you_mean(suggestion, &params_help(params))))]
    UnknownArgument {
        flow: String,
        name: String,
        suggestion: Option<String>,
        params: Vec<String>,
        #[label("no such parameter")]
        span: SourceSpan,
    },

    #[error("`{flow}` promises {want}, but gives {got}")]
    #[diagnostic(code(check::wrong_result), help("{help}"))]
    WrongResult {
        flow: String,
        want: String,
        got: String,
        help: String,
        #[label("this is {got}")]
        span: SourceSpan,
    },

    #[error("`each` lifts a node, and `{name}` is {what}")]
    #[diagnostic(code(check::bad_each), help("{help}"))]
    BadEach {
        name: String,
        what: &'static str,
        help: String,
        #[label("not a node")]
        span: SourceSpan,
    },

    #[error("there is no annotation `@{name}` for calls")]
    #[diagnostic(
        code(check::unknown_annotation),
        help(
            "{}",
            did_you_mean(
                suggestion,
                "there are @label, @mute, @bypass, @device, @nocache, @id, @pos and @widgets"
            )
        )
    )]
    UnknownAnnotation {
        name: String,
        suggestion: Option<String>,
        #[label("means nothing here")]
        span: SourceSpan,
    },

    #[error("`@{name}` stands before nothing that it could be said of")]
    #[diagnostic(code(check::misplaced_annotation), help("put it before the call of a node or a flow"))]
    MisplacedAnnotation {
        name: String,
        #[label("what follows is no call")]
        span: SourceSpan,
    },

    #[error("`@{name}` takes {want}")]
    #[diagnostic(code(check::bad_annotation), help("write it as `{usage}`"))]
    BadAnnotation {
        name: String,
        want: &'static str,
        usage: &'static str,
        #[label("not like this")]
        span: SourceSpan,
    },
}

/// Codes of these errors.
pub(super) const CODES: [&str; 14] = [
    "check::unknown_module",
    "check::bad_module",
    "check::cyclic_use",
    "check::unknown_item",
    "check::unknown_function",
    "check::not_callable",
    "check::not_a_value",
    "check::too_many_arguments",
    "check::unknown_argument",
    "check::wrong_result",
    "check::bad_each",
    "check::unknown_annotation",
    "check::misplaced_annotation",
    "check::bad_annotation",
];

fn items_help(items: &[String]) -> String {
    match items {
        [] => "it defines nothing that can be used".to_owned(),
        _ => format!("it has {}", list_names(items)),
    }
}

fn params_help(params: &[String]) -> String {
    match params {
        [] => "it takes nothing".to_owned(),
        _ => format!("it takes {}", list_names(params)),
    }
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}
