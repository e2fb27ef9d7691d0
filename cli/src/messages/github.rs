//! Annotations of GitHub's actions: lines of the form `::error file=…,line=…::text`.
//!
//! Source: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use super::{Level, Message};

/// The line of a message. Only its first place is shown: an annotation has one.
pub(super) fn annotation(message: &Message) -> String {
    let level = match message.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some(place) = message.places.first() {
        properties.push(format!("file={}", property(&place.file)));
        properties.push(format!("line={},col={}", place.line, place.column));
        properties.push(format!("endLine={},endColumn={}", place.end_line, place.end_column));
    }
    properties.extend(message.code.as_ref().map(|code| format!("title={}", property(code))));
    let help = message.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let text = data(&format!("{}{help}", message.message));
    let properties = properties.join(",");
    let blank = if properties.is_empty() { "" } else { " " };
    format!("::{level}{blank}{properties}::{text}\n")
}

/// Text after the colons: one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
