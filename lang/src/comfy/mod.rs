//! ComfyUI's workflows, in: JSON text and pictures to the same AST that the parser makes of a `.flow` file.

pub mod api;
mod cycles;
pub mod error;
pub mod json;
pub mod picture;
pub mod program;
pub mod prompt;
mod ui;
mod values;

/// What the editor makes of declarations: names of the types of sockets, widgets and what they store.
pub mod editor {
    pub use super::ui::types::comfy_name as socket_type;
    pub use super::ui::widgets::{default as default_value, has_control};
}

use crate::Span;
use crate::decl::Declarations;
use error::{ImportError, ImportWarning};
use json::{Kind, Value};
use prompt::Prompt;

/// How deeply subgraphs may be nested; people nest them two or three deep.
pub const MAX_DEPTH: usize = 64;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nodes after subgraphs are expanded: few bytes may say very many.
    pub nodes: usize,
    /// Subgraphs in subgraphs; at most [`MAX_DEPTH`] counts.
    pub depth: usize,
    /// Bytes of text after subgraphs are expanded, about.
    pub expanded: usize,
    /// Steps back along links, for each node and each link.
    pub steps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, nodes: 1_000_000, depth: MAX_DEPTH, expanded: 256 << 20, steps: 16 }
    }
}

/// Which of ComfyUI's two formats a text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What its server is sent: `{"3": {"class_type": …, "inputs": …}}`.
    Api,
    /// What its editor saves: `nodes` and `links`.
    Ui,
}

/// What was read, and everything that was odd.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The format, where the text is a workflow.
    pub format: Option<Format>,
    /// The workflow, where the text is one; with errors, it is what could be read.
    pub prompt: Option<Prompt>,
    /// What has no reasonable reading; with any of these, the workflow is not what its author meant.
    pub errors: Vec<ImportError>,
    /// What was read although it is odd.
    pub warnings: Vec<ImportWarning>,
}

/// Reads a workflow in either format. Interfaces of classes decide what the values of widgets in the editor's format
/// are called; spans are of this text.
pub fn read(text: &str, declarations: &dyn Declarations, limits: Limits) -> Read {
    if text.len() > limits.bytes {
        return refused(ImportError::TooLarge { size: text.len(), limit: limits.bytes });
    }
    let parsed = match json::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return refused(error),
    };
    let mut read = read_value(&parsed.value, declarations, limits);
    read.warnings.splice(0..0, parsed.warnings);
    read
}

fn refused(error: ImportError) -> Read {
    Read { format: None, prompt: None, errors: vec![error], warnings: Vec::new() }
}

/// Reads a workflow from a value that was read before.
pub fn read_value(value: &Value<'_>, declarations: &dyn Declarations, limits: Limits) -> Read {
    match find(value) {
        Some((Format::Api, prompt)) => api::read(prompt, declarations),
        Some((Format::Ui, graph)) => ui::read(graph, declarations, limits),
        None => refused(not_a_workflow(value)),
    }
}

/// The workflow in a value: itself, or under the names that programs put around it. What is to run comes before what
/// the editor showed.
fn find<'v, 't>(value: &'v Value<'t>) -> Option<(Format, &'v Value<'t>)> {
    if is_ui(value) {
        return Some((Format::Ui, value));
    }
    if is_api(value) {
        return Some((Format::Api, value));
    }
    let inner = |key| value.get(key).filter(|inner| inner.is_object());
    let api = ["prompt", "output", "workflow"].into_iter().filter_map(inner).find(|inner| is_api(inner));
    let ui = ["workflow", "graph"].into_iter().filter_map(inner).find(|inner| is_ui(inner));
    api.map(|api| (Format::Api, api)).or(ui.map(|ui| (Format::Ui, ui)))
}

fn is_ui(value: &Value<'_>) -> bool {
    value.get("nodes").is_some_and(Value::is_array)
}

/// Some entry says its class, or all are like nodes.
fn is_api(value: &Value<'_>) -> bool {
    let node = |value: &Value<'_>| value.get("class_type").is_some();
    let like_a_node = |value: &Value<'_>| value.get("inputs").is_some_and(Value::is_object);
    let members = value.members();
    members.iter().any(|member| node(&member.value))
        || (!members.is_empty() && members.iter().all(|member| like_a_node(&member.value)))
}

fn not_a_workflow(value: &Value<'_>) -> ImportError {
    // Underlining a whole file helps nobody.
    let span = Span { end: value.span.end.min(value.span.start + 1), ..value.span };
    let found = match &value.kind {
        Kind::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Kind::Object(members) => {
            let keys: Vec<String> = members.iter().take(3).map(|member| short(&member.key)).collect();
            let more = if members.len() > 3 { ", …" } else { "" };
            format!("an object of {}{more}", keys.join(", "))
        }
        _ => value.words().to_owned(),
    };
    ImportError::NotAWorkflow { found, span }
}

/// A key as messages show it.
fn short(key: &str) -> String {
    const SHOWN: usize = 24;
    let more = if key.chars().count() > SHOWN { "…" } else { "" };
    format!("`{}{more}`", key.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod testing {
    //! Declarations for tests.

    use crate::decl::{Declarations, NodeDecl};

    /// No class is declared.
    pub(crate) struct Nothing;

    impl Declarations for Nothing {
        fn node(&self, _: &str) -> Option<&NodeDecl> {
            None
        }

        fn type_name(&self, _: &str) -> Option<&str> {
            None
        }
    }
}
