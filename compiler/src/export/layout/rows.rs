//! The order of nodes in their columns, and how high they stand.

use super::{Link, ROW_GAP};

/// How often columns are sorted, to and fro.
const SWEEPS: usize = 6;

/// What a node is linked to on one side: the other node, and how much higher than its own top that node's would be if the
/// link were level.
type Neighbours = Vec<Vec<(usize, f64)>>;

/// Links by the node at their right and at their left end.
fn neighbours(count: usize, links: &[Link]) -> (Neighbours, Neighbours) {
    let (mut left, mut right) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for link in links {
        left[link.to].push((link.from, link.ports.0 - link.ports.1));
        right[link.from].push((link.to, link.ports.1 - link.ports.0));
    }
    (left, right)
}

/// The columns with their nodes in order from the top.
///
/// Sorted by the mean height at which links would be level, to the right and to the left in turns; among equals the order
/// stays, which is that of the program.
pub(super) fn order(sizes: &[(f64, f64)], links: &[Link], columns: &[usize]) -> Vec<Vec<usize>> {
    let mut order = vec![Vec::new(); columns.iter().max().map_or(0, |last| last + 1)];
    for (node, &column) in columns.iter().enumerate() {
        order[column].push(node);
    }
    let (left, right) = neighbours(sizes.len(), links);
    let mut ys = vec![0.0; sizes.len()];
    order.iter().for_each(|column| stack(column, sizes, &mut ys));
    for sweep in 0..SWEEPS {
        let rightwards = sweep % 2 == 0;
        let side = if rightwards { &left } else { &right };
        let mut sort = |column: &mut Vec<usize>| {
            let mut keyed: Vec<(f64, usize)> =
                column.iter().map(|&node| (level(node, side, &ys).unwrap_or(ys[node]), node)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *column = keyed.into_iter().map(|(_, node)| node).collect();
            stack(column, sizes, &mut ys);
        };
        match rightwards {
            true => order.iter_mut().for_each(&mut sort),
            false => order.iter_mut().rev().for_each(&mut sort),
        }
    }
    order
}

/// The height at which the links of a node on one side are level in the mean.
fn level(node: usize, side: &Neighbours, ys: &[f64]) -> Option<f64> {
    let links = &side[node];
    let sum: f64 = links.iter().map(|&(other, offset)| ys[other] + offset).sum();
    (!links.is_empty()).then(|| sum / links.len() as f64)
}

/// One below the other, around the middle.
fn stack(column: &[usize], sizes: &[(f64, f64)], ys: &mut [f64]) {
    let total: f64 = column.iter().map(|&node| sizes[node].1 + ROW_GAP).sum();
    let mut y = -total / 2.0;
    for &node in column {
        ys[node] = y;
        y += sizes[node].1 + ROW_GAP;
    }
}

/// How high each node stands: as near as can be to where its links are level, in the order of its column.
pub(super) fn heights(sizes: &[(f64, f64)], links: &[Link], order: &[Vec<usize>]) -> Vec<f64> {
    let (left, right) = neighbours(sizes.len(), links);
    let mut ys = vec![0.0; sizes.len()];
    order.iter().for_each(|column| stack(column, sizes, &mut ys));
    for column in order.iter().skip(1) {
        settle(column, sizes, &left, &mut ys);
    }
    for column in order.iter().rev().skip(1) {
        settle(column, sizes, &right, &mut ys);
    }
    ys
}

/// Nodes that would overlap are pushed apart evenly: the least squares under an order, by pooling neighbours that
/// violate it (M. Ayer and others, 1955). Linear.
fn settle(column: &[usize], sizes: &[(f64, f64)], side: &Neighbours, ys: &mut [f64]) {
    struct Pool {
        sum: f64,
        count: usize,
    }
    let mut pools: Vec<Pool> = Vec::new();
    let mut offset = 0.0;
    for &node in column {
        // What the first node of the column would have to be for this one to stand where it wants.
        let wanted = level(node, side, ys).unwrap_or(ys[node]) - offset;
        pools.push(Pool { sum: wanted, count: 1 });
        offset += sizes[node].1 + ROW_GAP;
        while let [.., upper, lower] = pools.as_slice()
            && upper.sum / upper.count as f64 > lower.sum / lower.count as f64
        {
            let (sum, count) = (lower.sum, lower.count);
            pools.pop();
            if let Some(upper) = pools.last_mut() {
                upper.sum += sum;
                upper.count += count;
            }
        }
    }
    let starts = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.sum / pool.count as f64, pool.count));
    let mut offset = 0.0;
    for (&node, start) in column.iter().zip(starts) {
        ys[node] = (start + offset).round();
        offset += sizes[node].1 + ROW_GAP;
    }
}
