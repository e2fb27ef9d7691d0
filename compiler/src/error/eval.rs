//! What can go wrong while a program is evaluated.

use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

/// An error of evaluation.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum EvalError {
    #[error("evaluation takes more than {limit} steps")]
    #[diagnostic(
        code(eval::step_limit),
        help(
            "loops and flows are evaluated before anything runs: make the loop shorter, or the flows call fewer others"
        )
    )]
    StepLimit {
        limit: u64,
        #[label("it was stopped here")]
        span: SourceSpan,
    },

    #[error("the flow `{flow}` calls itself")]
    #[diagnostic(
        code(eval::recursion),
        help("flows do not recurse: a `for` repeats something a known number of times")
    )]
    Recursion {
        flow: String,
        #[label("called from within itself")]
        span: SourceSpan,
    },

    #[error("calls and expressions are nested more than {limit} deep")]
    #[diagnostic(
        code(eval::too_deep),
        help("name inner parts with `let`, or call fewer flows from within flows")
    )]
    TooDeep {
        limit: u32,
        #[label("too deep here")]
        span: SourceSpan,
    },

    #[error("nothing comes from node {id}")]
    #[diagnostic(
        code(eval::dangling_link),
        help(
            "the workflow that this was imported from is broken here: give the input an output of a node that runs before"
        )
    )]
    DanglingLink {
        id: String,
        #[label("a link that leads nowhere")]
        span: SourceSpan,
    },

    #[error("this value is too large: {reason}")]
    #[diagnostic(code(eval::too_large), help("build a smaller list or text"))]
    TooLarge {
        reason: String,
        #[label("this value")]
        span: SourceSpan,
    },

    #[error("`{operation}` leaves the range of {ty}")]
    #[diagnostic(code(eval::overflow), help("{}", overflow_help(ty)))]
    Overflow {
        operation: String,
        ty: &'static str,
        #[label("the result is out of range")]
        span: SourceSpan,
    },

    #[error("`{operation}` divides by zero")]
    #[diagnostic(code(eval::division_by_zero), help("test the divisor with `if`, or choose another one"))]
    DivisionByZero {
        operation: String,
        #[label("the divisor is zero")]
        span: SourceSpan,
    },

    #[error("there is no element {index} in a list of {len}")]
    #[diagnostic(code(eval::out_of_bounds), help("{}", bounds_help(*len)))]
    OutOfBounds {
        index: String,
        len: usize,
        #[label("places are counted from 0")]
        span: SourceSpan,
    },

    #[error("{what} must be known before a run, but a run computes this {got}")]
    #[diagnostic(code(eval::not_known), help("{help}"))]
    NotKnown {
        what: String,
        got: String,
        help: String,
        #[label("only the run knows this")]
        span: SourceSpan,
    },

    #[error("{message}")]
    #[diagnostic(
        code(eval::assertion),
        help("the program demands that this holds: change what it depends on")
    )]
    Assertion {
        message: String,
        #[label("this is false")]
        span: SourceSpan,
    },

    #[error("`{op}` does not go with {operands}")]
    #[diagnostic(code(eval::bad_operand), help("{help}"))]
    BadOperand {
        op: &'static str,
        operands: String,
        help: String,
        #[label("{operands}")]
        span: SourceSpan,
    },

    #[error("`{function}` {reason}")]
    #[diagnostic(code(eval::bad_argument), help("it is called as `{usage}`"))]
    BadArgument {
        function: String,
        reason: String,
        usage: &'static str,
        #[label("{reason}")]
        span: SourceSpan,
    },

    #[error("`{node}` is called where a known value is wanted")]
    #[diagnostic(
        code(eval::not_constant),
        help("{what} is known before anything runs; bind the result of a node with `let`")
    )]
    NotConstant {
        node: String,
        what: &'static str,
        #[label("nodes are called by a run")]
        span: SourceSpan,
    },
}

/// Codes of these errors.
pub(super) const CODES: [&str; 13] = [
    "eval::step_limit",
    "eval::recursion",
    "eval::too_deep",
    "eval::dangling_link",
    "eval::too_large",
    "eval::overflow",
    "eval::division_by_zero",
    "eval::out_of_bounds",
    "eval::not_known",
    "eval::assertion",
    "eval::bad_operand",
    "eval::bad_argument",
    "eval::not_constant",
];

fn overflow_help(ty: &str) -> &'static str {
    match ty {
        "Int" => "an Int lies between -9223372036854775808 and 18446744073709551615",
        _ => "a Float lies between -1.8e308 and 1.8e308",
    }
}

fn bounds_help(len: usize) -> String {
    match len {
        0 => "the list is empty".to_owned(),
        1 => "its one element is `[0]`".to_owned(),
        _ => format!("its elements are `[0]` to `[{}]`", len - 1),
    }
}
