//! What a person edits, as params of the program.

use super::names::Names;
use super::scope::Folded;

/// Makes them of values in the file's own body.
pub(super) fn add(folded: &mut Folded<'_>, names: &mut Names<'_>) {
    let _ = (folded, names);
}
