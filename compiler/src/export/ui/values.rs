//! Values as workflow files store them.

use crate::flat::Value;
use floe_lang::comfy::prompt::Json;

/// A known value. Nothing for what is computed by a run, or is wrong.
///
/// Recursion is as deep as values are, which evaluation limits.
pub(super) fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Int(value) => Json::Int(*value),
        Value::Float(value) => Json::Float(*value),
        Value::Bool(value) => Json::Bool(*value),
        Value::Str(text) => Json::String(text.to_string()),
        Value::None => Json::Null,
        Value::List(items) | Value::Tuple(items) => {
            Json::Array(items.iter().map(json).collect::<Option<Vec<Json>>>()?)
        }
        Value::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.to_string(), json(value)?)));
            Json::Object(fields.collect::<Option<Vec<(String, Json)>>>()?)
        }
        _ => return None,
    })
}
