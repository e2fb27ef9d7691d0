//! Ids of nodes are unique in a whole file, definitions included: where they are not, the editor gives fresh ones.

use super::file::File;
use super::log::Log;
use crate::comfy::error::ImportWarning;
use crate::comfy::json::Value;
use std::collections::HashSet;

/// Gives fresh ids to nodes whose id is taken: counting up from the highest id that was seen, graphs in the order of
/// the file, the root first.
pub(super) fn renumber(file: &mut File<'_>, log: &mut Log) {
    let Some(root) = file.graphs.first() else { return };
    let mut highest = last_id(root.value);
    let number = |id: &str| id.parse::<i128>().unwrap_or(0);
    highest = root.nodes.iter().map(|node| number(&node.id)).fold(highest, i128::max);
    let mut seen: HashSet<String> = HashSet::new();
    for graph in &mut file.graphs {
        let mut here: HashSet<String> = HashSet::new();
        for node in &mut graph.nodes {
            let fresh = node.id.is_empty() || seen.contains(&node.id);
            if fresh {
                highest = highest.saturating_add(1);
                let given = highest.to_string();
                if node.id.is_empty() {
                    log.warn(ImportWarning::NoId { given: given.clone(), span: node.span });
                } else if here.contains(&node.id) {
                    let id = node.id.clone();
                    log.warn(ImportWarning::DuplicateId { id, given: given.clone(), span: node.span });
                }
                here.insert(std::mem::replace(&mut node.id, given));
            } else {
                here.insert(node.id.clone());
                highest = highest.max(number(&node.id));
            }
            seen.insert(node.id.clone());
        }
    }
}

/// The highest id that the editor gave: schema 0.4 and 1.0 write it in different places.
fn last_id(root: &Value<'_>) -> i128 {
    let old = root.get("last_node_id").and_then(Value::int);
    let new = root.get("state").and_then(|state| state.get("lastNodeId")).and_then(Value::int);
    old.or(new).unwrap_or(0)
}
