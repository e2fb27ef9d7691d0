//! SARIF 2.1.0, which code scanning reads.
//!
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Message, Place};

/// A log of one run.
pub(super) fn log(messages: &[Message]) -> Value {
    let codes: BTreeSet<&str> = messages.iter().filter_map(|message| message.code.as_deref()).collect();
    let rules: Vec<Value> = codes.into_iter().map(|code| json!({ "id": code })).collect();
    let driver = json!({ "name": "floe", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    let results: Vec<Value> = messages.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "utf16CodeUnits", "results": results }],
    })
}

fn result(message: &Message) -> Value {
    let help = message.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut places = message.places.iter().map(location);
    let mut result = json!({
        "level": message.level,
        "message": { "text": format!("{}{help}", message.message) },
        "locations": places.next().into_iter().collect::<Vec<_>>(),
        "relatedLocations": places.collect::<Vec<_>>(),
    });
    if let Some(code) = &message.code {
        result["ruleId"] = json!(code);
    }
    result
}

fn location(place: &Place) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        },
    });
    if let Some(label) = &place.label {
        location["message"] = json!({ "text": label });
    }
    location
}

/// A path as a relative reference (RFC 3986): slashes stay, what else has a meaning in references is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
