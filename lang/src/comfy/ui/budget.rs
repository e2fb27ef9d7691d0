//! How much a workflow may become: an instance of a subgraph takes few bytes and says very many.

use crate::comfy::prompt::Json;

/// Bytes of text that may still be written.
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Budget { left: bytes }
    }

    /// Takes some bytes; whether any are left.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(bytes);
        self.left > 0
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }
}

/// About how many bytes a value takes.
pub(super) fn weight(value: &Json) -> usize {
    const EACH: usize = 16;
    match value {
        Json::String(text) => EACH + text.len(),
        Json::Array(items) => EACH + items.iter().map(weight).sum::<usize>(),
        Json::Object(members) => {
            EACH + members.iter().map(|(name, value)| name.len() + weight(value)).sum::<usize>()
        }
        _ => EACH,
    }
}
