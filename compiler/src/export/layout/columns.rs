//! In which column a node stands.

use super::Link;

/// The column of each node: one more than that of the furthest one that it takes something from. What takes nothing
/// stands right before the first that needs it.
pub(super) fn columns(count: usize, links: &[Link]) -> Vec<usize> {
    let mut links: Vec<&Link> = links.iter().collect();
    links.sort_unstable_by_key(|link| (link.to, link.from));
    let mut columns = vec![0; count];
    let mut takes = vec![false; count];
    for link in &links {
        columns[link.to] = columns[link.to].max(columns[link.from] + 1);
        takes[link.to] = true;
    }
    let mut first_use = vec![usize::MAX; count];
    for link in links {
        first_use[link.from] = first_use[link.from].min(columns[link.to]);
    }
    for node in 0..count {
        if !takes[node] && first_use[node] != usize::MAX {
            columns[node] = first_use[node] - 1;
        }
    }
    columns
}
