//! Everything that can be wrong with a program, as facts; the words are in the attributes.

mod eval;
mod export;
mod in_file;
mod names;

use floe_lang::SyntaxError;
use floe_lang::decl::DeclError;
pub(crate) use floe_lang::suggest;
use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

pub use eval::EvalError;
pub use export::ExportError;
pub use in_file::InFile;
pub use names::NameError;

/// An error of a program.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum CompileError {
    /// In a file that the program uses.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Syntax(InFile<SyntaxError>),

    /// In a declaration of the program.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Declaration(InFile<DeclError>),

    /// Of names and calls.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Name(#[from] NameError),

    /// Of an export.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Export(#[from] ExportError),

    /// Of evaluation.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Eval(#[from] EvalError),

    #[error("there is no node `{name}`")]
    #[diagnostic(
        code(check::unknown_node),
        help("{}", did_you_mean(suggestion, "`floe nodes` lists all of them"))
    )]
    UnknownNode {
        name: String,
        suggestion: Option<String>,
        #[label("not a node that Floe knows")]
        span: SourceSpan,
    },

    #[error("`{node}` has no input `{input}`")]
    #[diagnostic(code(check::unknown_input), help("did you mean `{suggestion}`?"))]
    UnknownInput {
        node: String,
        input: String,
        suggestion: String,
        #[label("no such input")]
        span: SourceSpan,
    },

    #[error("`{node}` needs {}", list(missing))]
    #[diagnostic(code(check::missing_input), help("add {}", arguments(missing)))]
    MissingInput {
        node: String,
        /// Names and types.
        missing: Vec<(String, String)>,
        #[label("{} missing here", if missing.len() == 1 { "an input is" } else { "inputs are" })]
        span: SourceSpan,
    },

    #[error("`{input}` is given twice")]
    #[diagnostic(code(check::duplicate_input), help("keep one of them"))]
    DuplicateInput {
        input: String,
        #[label("given again here")]
        span: SourceSpan,
        #[label("given here first")]
        first: SourceSpan,
    },

    #[error("`{node}` takes one positional argument, its first socket{}", socket.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default())]
    #[diagnostic(code(check::positional), help("{}", positional_help(meant)))]
    Positional {
        node: String,
        socket: Option<String>,
        /// The input that the argument seems to be.
        meant: Option<String>,
        #[label("which input is this?")]
        span: SourceSpan,
    },

    #[error("there is no `{name}` here")]
    #[diagnostic(
        code(check::unknown_name),
        help("{}", did_you_mean(suggestion, unknown_name_help(*below, *outside)))
    )]
    UnknownName {
        name: String,
        suggestion: Option<String>,
        #[label("not defined")]
        span: SourceSpan,
        /// A definition further down.
        #[label("this comes too late")]
        below: Option<SourceSpan>,
        /// A definition that flows do not see.
        #[label("this belongs to the program, and flows do not see it")]
        outside: Option<SourceSpan>,
    },

    #[error("`{name}` is defined twice")]
    #[diagnostic(
        code(check::duplicate_name),
        help("give one of them another name: a file has one namespace, and nothing is shadowed")
    )]
    DuplicateName {
        name: String,
        #[label("defined again here")]
        span: SourceSpan,
        #[label("defined here first")]
        first: SourceSpan,
    },

    #[error("`{input}` wants {want}, but is given {got}")]
    #[diagnostic(code(check::type_mismatch), help("{help}"))]
    TypeMismatch {
        input: String,
        want: String,
        got: String,
        help: String,
        #[label("this is {got}")]
        span: SourceSpan,
    },

    #[error("{node} has no output `{output}`")]
    #[diagnostic(code(check::unknown_output), help("{}", outputs_help(outputs)))]
    UnknownOutput {
        node: String,
        output: String,
        outputs: Vec<String>,
        #[label("no such output")]
        span: SourceSpan,
    },

    #[error("{value} is {} of `{input}`", bound(*above, lo, hi))]
    #[diagnostic(code(check::out_of_range), help("choose a value {}", range(lo, hi)))]
    OutOfRange {
        input: String,
        value: String,
        above: bool,
        lo: Option<String>,
        hi: Option<String>,
        #[label("{value} is out of range")]
        span: SourceSpan,
    },

    #[error("`{input}` cannot be {value}")]
    #[diagnostic(code(check::not_a_choice), help("{}", choices_help(suggestion, choices)))]
    NotAChoice {
        input: String,
        value: String,
        suggestion: Option<String>,
        choices: Vec<String>,
        #[label("not one of the choices")]
        span: SourceSpan,
    },

    #[error("`{input}` takes at most {most} of them")]
    #[diagnostic(code(check::too_many_inputs), help("leave some out, or use a second node"))]
    TooManyInputs {
        input: String,
        most: usize,
        #[label("one too many")]
        span: SourceSpan,
    },

    #[error("`{node}` needs at least {least} of `{input}`, and is given {given}")]
    #[diagnostic(code(check::too_few_inputs), help("give them as a list: `{input}: [a, b]`"))]
    TooFewInputs {
        node: String,
        input: String,
        least: u32,
        given: usize,
        #[label("too few here")]
        span: SourceSpan,
    },

    #[error("`{node}` needs `{input}`, and what it is linked to is switched off")]
    #[diagnostic(
        code(check::switched_off),
        help("switch `{node}` off as well, or give its `{input}` something else")
    )]
    SwitchedOff {
        node: String,
        input: String,
        #[label("an input is missing here")]
        span: SourceSpan,
        #[label("this is off")]
        off: SourceSpan,
    },

    #[error("`{input}` takes one {want} at a time, but is given a list that a run makes")]
    #[diagnostic(
        code(check::needs_each),
        help("write `each {node}(…)`, which is called once for each element")
    )]
    NeedsEach {
        node: String,
        input: String,
        want: String,
        #[label("this is {got}")]
        span: SourceSpan,
        got: String,
    },

    #[error("`each {node}` is given no list")]
    #[diagnostic(
        code(check::each_without_lists),
        help("leave out the `each`, or give it the output of a node that makes a list")
    )]
    EachWithoutLists {
        node: String,
        #[label("nothing here is a list")]
        span: SourceSpan,
    },

    #[error("`{input}` and `{other}` of `{node}` must have one type, but are given {got} and {want}")]
    #[diagnostic(code(check::unmatched_types), help("give it {want}, or change both"))]
    UnmatchedTypes {
        node: String,
        input: String,
        other: String,
        want: String,
        got: String,
        #[label("this is {got}")]
        span: SourceSpan,
        #[label("this is {want}")]
        first: SourceSpan,
    },

    #[error("there is no file `{name}` in `{folder}`")]
    #[diagnostic(code(check::missing_file), help("{}", missing_file_help(folder, name, available, searched)))]
    MissingFile {
        folder: String,
        name: String,
        /// The files that are there.
        available: Vec<String>,
        searched: Vec<String>,
        #[label("this file is missing")]
        span: SourceSpan,
    },

    #[error("{reason}")]
    #[diagnostic(code(check::bad_file), help("{help}"))]
    BadFile {
        reason: String,
        help: String,
        label: &'static str,
        #[label("{label}")]
        span: SourceSpan,
    },

    #[error("{reason}")]
    #[diagnostic(code(check::facet_conflict), help("{help}"))]
    FacetConflict {
        reason: String,
        help: String,
        #[label("does not fit")]
        span: SourceSpan,
    },

    #[error("the prompt cannot be read: {reason}")]
    #[diagnostic(
        code(check::bad_prompt),
        help("`embedding:` takes a name, and a parenthesis that is text is written `\\(`")
    )]
    BadPrompt {
        reason: String,
        #[label("this prompt")]
        span: SourceSpan,
    },

    #[error("the program writes nothing")]
    #[diagnostic(
        code(check::no_effect),
        help("add an output node as a statement, such as `SaveImage(…, filename_prefix: \"picture\")`")
    )]
    NoEffect,

    #[error("there is no param `{name}`")]
    #[diagnostic(code(check::unknown_param), help("{}", did_you_mean(suggestion, &params_help(params))))]
    UnknownParam { name: String, suggestion: Option<String>, params: Vec<String> },

    #[error("param `{name}` is {ty}, and cannot be `{value}`")]
    #[diagnostic(code(check::bad_param_value), help("give it {article}, as in `--set {name}={example}`"))]
    BadParamValue {
        name: String,
        ty: &'static str,
        value: String,
        article: &'static str,
        example: &'static str,
        #[label("declared here")]
        span: SourceSpan,
    },

    #[error("param `{name}` has no value")]
    #[diagnostic(code(check::unbound_param), help("give it a default, or a value with `--set {name}=…`"))]
    UnboundParam {
        name: String,
        #[label("declared without a default")]
        span: SourceSpan,
    },

    #[error("edition {number} is unknown")]
    #[diagnostic(code(check::unknown_edition), help("this Floe knows edition 1"))]
    UnknownEdition {
        number: u32,
        #[label("not an edition of this version")]
        span: SourceSpan,
    },

    #[error("{what} cannot run yet")]
    #[diagnostic(code(plan::no_kernel), help("{instead}"))]
    NoKernel {
        what: String,
        instead: String,
        #[label("this version of Floe cannot run it")]
        span: SourceSpan,
    },

    #[error("the plan needs {needed}, but the target has {limit}")]
    #[diagnostic(code(plan::out_of_memory), help("allow it {needed} with `--memory`, or make its pictures or batches smaller; most of it is {}", largest.join(", ")))]
    OutOfMemory { needed: String, limit: String, largest: Vec<String> },
}

impl CompileError {
    /// Where it is; `None` for errors of the whole program.
    pub fn span(&self) -> Option<SourceSpan> {
        self.labels().and_then(|mut labels| labels.next()).map(|label| *label.inner())
    }
}

/// Something allowed that is probably not meant.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum Warning {
    #[error("`{name}` is not used")]
    #[diagnostic(
        code(check::unused),
        help("remove it, or write `_` where a result is not needed"),
        severity(Warning)
    )]
    Unused {
        name: String,
        #[label("nothing that the program writes depends on it")]
        span: SourceSpan,
    },

    #[error("`{node}` is called for nothing")]
    #[diagnostic(
        code(check::no_use),
        help("bind its result with `let`, or remove the call"),
        severity(Warning)
    )]
    NoUse {
        node: String,
        #[label("its result goes nowhere, so it does not run")]
        span: SourceSpan,
    },

    #[error("`{node}` has no input `{input}`")]
    #[diagnostic(code(check::extra_input), help("it is kept, but has no effect"), severity(Warning))]
    ExtraInput {
        node: String,
        input: String,
        #[label("unknown to this version of the node")]
        span: SourceSpan,
    },

    #[error("the editor has no place for the value of `{input}` of `{node}`")]
    #[diagnostic(
        code(export::not_in_file),
        help("the file leaves it out; the export for the server has it: `--format api`"),
        severity(Warning)
    )]
    NotInFile {
        node: String,
        input: String,
        #[label("not in the file")]
        span: SourceSpan,
    },

    #[error("`{node}` is a node of {}", pack_words(pack.as_deref()))]
    #[diagnostic(code(check::foreign_node), help("{}", pack_help(pack.as_deref())), severity(Warning))]
    ForeignNode {
        node: String,
        pack: Option<String>,
        #[label("known by its declaration only")]
        span: SourceSpan,
    },

    #[error("the file does not say which edition of the library it is written for")]
    #[diagnostic(
        code(check::no_edition),
        help("begin it with `edition 1`, so that a newer Floe reads it the same way"),
        severity(Warning)
    )]
    NoEdition,
}

impl Warning {
    /// Where it is; `None` for warnings of the whole program.
    pub fn span(&self) -> Option<SourceSpan> {
        self.labels().and_then(|mut labels| labels.next()).map(|label| *label.inner())
    }
}

/// Codes of this crate's errors and warnings; each has a page.
pub fn codes() -> impl Iterator<Item = &'static str> {
    OWN_CODES.into_iter().chain(names::CODES).chain(eval::CODES).chain(export::CODES)
}

const OWN_CODES: [&str; 33] = [
    "check::unknown_node",
    "check::unknown_input",
    "check::missing_input",
    "check::duplicate_input",
    "check::positional",
    "check::unknown_name",
    "check::duplicate_name",
    "check::type_mismatch",
    "check::unknown_output",
    "check::out_of_range",
    "check::not_a_choice",
    "check::too_many_inputs",
    "check::too_few_inputs",
    "check::switched_off",
    "check::needs_each",
    "check::each_without_lists",
    "check::unmatched_types",
    "check::missing_file",
    "check::bad_file",
    "check::facet_conflict",
    "check::bad_prompt",
    "check::no_effect",
    "check::unknown_param",
    "check::bad_param_value",
    "check::unbound_param",
    "check::unknown_edition",
    "plan::no_kernel",
    "plan::out_of_memory",
    "check::unused",
    "check::no_use",
    "check::extra_input",
    "check::foreign_node",
    "check::no_edition",
];

/// What the registry of node packs calls ComfyUI's own nodes.
const COMFYUI: &str = "comfy-core";

fn pack_words(pack: Option<&str>) -> String {
    match pack {
        Some(COMFYUI) => "a newer ComfyUI".to_owned(),
        Some(pack) => format!("the node pack `{pack}`"),
        None => "a node pack that nothing here names".to_owned(),
    }
}

fn pack_help(pack: Option<&str>) -> &'static str {
    match pack {
        Some(COMFYUI) => {
            "only what its declaration says is checked, and it does not run here; a newer Floe may know it"
        }
        Some(_) => {
            "only what its declaration says is checked, and it does not run here; ComfyUI runs it where the pack is installed"
        }
        None => {
            "only what its declaration says is checked, and it does not run here; name its pack before the declaration: `@pack(\"…\")`"
        }
    }
}

fn did_you_mean(suggestion: &Option<String>, otherwise: &str) -> String {
    suggestion.as_ref().map_or_else(|| otherwise.to_owned(), |name| format!("did you mean `{name}`?"))
}

fn unknown_name_help(below: Option<SourceSpan>, outside: Option<SourceSpan>) -> &'static str {
    match (below, outside) {
        (Some(_), _) => "names are defined above their use: move the definition up",
        (_, Some(_)) => "give it to the flow as a parameter",
        _ => "names are defined above their use, with `let` or `param`",
    }
}

fn bound(above: bool, lo: &Option<String>, hi: &Option<String>) -> String {
    match (above, lo, hi) {
        (true, _, Some(hi)) => format!("above the maximum {hi}"),
        (_, Some(lo), _) => format!("below the minimum {lo}"),
        _ => "out of range".to_owned(),
    }
}

fn range(lo: &Option<String>, hi: &Option<String>) -> String {
    match (lo, hi) {
        (Some(lo), Some(hi)) => format!("from {lo} to {hi}"),
        (Some(lo), None) => format!("of at least {lo}"),
        (None, Some(hi)) => format!("of at most {hi}"),
        (None, None) => "in range".to_owned(),
    }
}

fn positional_help(meant: &Option<String>) -> String {
    match meant {
        Some(name) => format!("write `{name}:`, short for `{name}: {name}`"),
        None => "name the others, as in `name: value`".to_owned(),
    }
}

fn outputs_help(outputs: &[String]) -> String {
    match outputs {
        [one] => format!("its one output is `{one}`"),
        _ => format!("its outputs are {}", list_names(outputs)),
    }
}

fn list(items: &[(String, String)]) -> String {
    join(items.iter().map(|(name, ty)| format!("`{name}` ({ty})")).collect())
}

fn list_names(names: &[String]) -> String {
    join(names.iter().map(|name| format!("`{name}`")).collect())
}

fn arguments(items: &[(String, String)]) -> String {
    join(items.iter().map(|(name, _)| format!("`{name}: …`")).collect())
}

fn join(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        Some(only) => only,
        None => "nothing".to_owned(),
    }
}

fn choices_help(suggestion: &Option<String>, choices: &[String]) -> String {
    match suggestion {
        Some(name) => format!("did you mean {name}?"),
        None => format!("choose one of {}", choices.join(", ")),
    }
}

/// How many files a message lists.
const FILES: usize = 5;

fn missing_file_help(folder: &str, name: &str, available: &[String], searched: &[String]) -> String {
    if searched.is_empty() {
        let option = if folder == "input" { "--input" } else { "--models" };
        return format!("no folder was searched: name one with `{option} DIR`");
    }
    let looked = format!("looked in {}", searched.join(", "));
    match (suggest(name, available.iter().map(String::as_str)), available) {
        (Some(name), _) => format!("did you mean \"{name}\"? ({looked})"),
        (None, []) => format!("{looked}, where no file is"),
        (None, [name]) => format!("there is only \"{name}\" ({looked})"),
        (None, names) => {
            let mut words: Vec<String> = names.iter().take(FILES).map(|name| format!("\"{name}\"")).collect();
            if names.len() > FILES {
                words.push(format!("{} more", names.len() - FILES));
            }
            format!("there are {} ({looked})", join(words))
        }
    }
}

fn params_help(params: &[String]) -> String {
    if params.is_empty() {
        "the program has no params".to_owned()
    } else {
        format!("its params are {}", list_names(params))
    }
}
