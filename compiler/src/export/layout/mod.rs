//! Places for the nodes of an exported workflow, so that a person can read it: columns by depth from left to right, rows
//! ordered so that few links cross, frames around what belongs together, nothing over anything else.
//!
//! Columns and rows are those of K. Sugiyama, S. Tagawa and M. Toda (1981) without nodes for links that pass through a
//! column: their number could be quadratic. The work is a bounded number of sorts.

mod columns;
mod rows;
#[cfg(test)]
mod tests;

/// Free space between columns.
const COLUMN_GAP: f64 = 80.0;

/// Free space between nodes of a column; the title of a node stands in it.
const ROW_GAP: f64 = 60.0;

/// Free space between a frame and what it holds, and above it, where titles stand.
const FRAME: f64 = 30.0;
const FRAME_TOP: f64 = 80.0;

/// A node to be placed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Left and upper edge, where somebody decided it.
    pub(crate) fixed: Option<(f64, f64)>,
    /// The frame that it belongs to.
    pub(crate) frame: Option<usize>,
}

/// A link between two nodes. The one that gives comes earlier in the list of nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Where on their edges it begins and ends, from the top of each node.
    pub(crate) ports: (f64, f64),
}

/// Left, upper edge, width, height.
pub(crate) type Bounds = (f64, f64, f64, f64);

/// Where everything goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    /// Left and upper edge of each node.
    pub(crate) places: Vec<(f64, f64)>,
    /// Frames by number; none for those without nodes.
    pub(crate) frames: Vec<Option<Bounds>>,
}

/// Places nodes. Those with a place keep it, all others come below them. `widths` says how wide frames are at least.
pub(crate) fn layout(nodes: &[Node], links: &[Link], widths: &[f64]) -> Layout {
    let free: Vec<usize> = (0..nodes.len()).filter(|&node| nodes[node].fixed.is_none()).collect();
    let mut places: Vec<(f64, f64)> = nodes.iter().map(|node| node.fixed.unwrap_or_default()).collect();
    let fixed = bounds(nodes, &places, (0..nodes.len()).filter(|&node| nodes[node].fixed.is_some()));
    let (left, top) = match fixed {
        Some((left, top, _, height)) => (left, top + height + FRAME_TOP + ROW_GAP),
        None => (0.0, 0.0),
    };
    for (node, (x, y)) in by_frames(nodes, links, &free, widths) {
        places[node] = (left + x, top + y);
    }
    let frames = nodes.iter().filter_map(|node| node.frame).max().map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); frames];
    for (index, node) in nodes.iter().enumerate() {
        if let Some(frame) = node.frame {
            members[frame].push(index);
        }
    }
    let frames = members.into_iter().enumerate().map(|(frame, members)| {
        Some(framed(bounds(nodes, &places, members.into_iter())?, least(widths, Some(frame))))
    });
    Layout { frames: frames.collect(), places }
}

/// Places each frame's nodes, then the frames like nodes. Nodes without a frame are frames by themselves, as long as
/// they follow each other.
fn by_frames(nodes: &[Node], links: &[Link], free: &[usize], widths: &[f64]) -> Vec<(usize, (f64, f64))> {
    let blocks = blocks(nodes, free);
    let mut block_of = vec![(usize::MAX, 0); nodes.len()];
    for (block, members) in blocks.iter().enumerate() {
        for (place, &node) in members.iter().enumerate() {
            block_of[node] = (block, place);
        }
    }
    let mut inner: Vec<Vec<Link>> = vec![Vec::new(); blocks.len()];
    let mut outer: Vec<(Link, (usize, usize))> = Vec::new();
    for &link in links {
        let ((from, from_place), (to, to_place)) = (block_of[link.from], block_of[link.to]);
        if from == usize::MAX || to == usize::MAX {
            continue;
        }
        if from == to {
            inner[from].push(Link { from: from_place, to: to_place, ..link });
        } else if from < to {
            outer.push((Link { from, to, ..link }, (link.from, link.to)));
        }
    }
    let placed: Vec<(Vec<(f64, f64)>, Bounds)> = blocks
        .iter()
        .zip(&inner)
        .map(|(members, links)| {
            let sizes: Vec<(f64, f64)> =
                members.iter().map(|&node| (nodes[node].width, nodes[node].height)).collect();
            place(&sizes, links)
        })
        .collect();
    if let [(places, _)] = placed.as_slice() {
        return blocks.into_iter().flatten().zip(places.iter().copied()).collect();
    }
    let frame = |members: &[usize]| members.first().and_then(|&node| nodes[node].frame);
    let frames: Vec<Bounds> = blocks
        .iter()
        .zip(&placed)
        .map(|(members, (_, bounds))| framed(*bounds, least(widths, frame(members))))
        .collect();
    let sizes: Vec<(f64, f64)> = frames.iter().map(|&(_, _, width, height)| (width, height)).collect();
    let port = |block: usize, node: usize, port: f64| {
        let (_, place) = block_of[node];
        placed[block].0[place].1 - frames[block].1 + port
    };
    let outer: Vec<Link> = outer
        .into_iter()
        .map(|(link, (from, to))| Link {
            ports: (port(link.from, from, link.ports.0), port(link.to, to, link.ports.1)),
            ..link
        })
        .collect();
    let (corners, _) = place(&sizes, &outer);
    let mut all = Vec::with_capacity(free.len());
    for (block, members) in blocks.iter().enumerate() {
        let ((x, y), (left, top, ..)) = (corners[block], frames[block]);
        for (&node, &(inner_x, inner_y)) in members.iter().zip(&placed[block].0) {
            all.push((node, (x - left + inner_x, y - top + inner_y)));
        }
    }
    all
}

/// The nodes of each frame, in the order of the frames' first nodes.
fn blocks(nodes: &[Node], free: &[usize]) -> Vec<Vec<usize>> {
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    let mut of_frame = std::collections::BTreeMap::new();
    let mut open = None;
    for &node in free {
        let block = match nodes[node].frame {
            Some(frame) => {
                open = None;
                *of_frame.entry(frame).or_insert(blocks.len())
            }
            None => *open.get_or_insert(blocks.len()),
        };
        match blocks.get_mut(block) {
            Some(members) => members.push(node),
            None => blocks.push(vec![node]),
        }
    }
    blocks
}

/// Places rectangles by their links: where each goes, and what they cover.
fn place(sizes: &[(f64, f64)], links: &[Link]) -> (Vec<(f64, f64)>, Bounds) {
    let columns = columns::columns(sizes.len(), links);
    let order = rows::order(sizes, links, &columns);
    let ys = rows::heights(sizes, links, &order);
    let mut places = vec![(0.0, 0.0); sizes.len()];
    let mut x = 0.0;
    for column in &order {
        let width = column.iter().map(|&node| sizes[node].0).fold(0.0, f64::max);
        for &node in column {
            places[node] = (x, ys[node]);
        }
        x += width + COLUMN_GAP;
    }
    let top = places.iter().map(|place| place.1).fold(f64::INFINITY, f64::min);
    let mut covered = (0.0, 0.0);
    for (place, size) in places.iter_mut().zip(sizes) {
        place.1 -= top;
        covered = (f64::max(covered.0, place.0 + size.0), f64::max(covered.1, place.1 + size.1));
    }
    (places, (0.0, 0.0, covered.0, covered.1))
}

/// What some nodes cover.
fn bounds(nodes: &[Node], places: &[(f64, f64)], members: impl Iterator<Item = usize>) -> Option<Bounds> {
    let corners = members.map(|node| {
        let ((x, y), Node { width, height, .. }) = (places[node], &nodes[node]);
        (x, y, x + width, y + height)
    });
    let all = corners.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3)));
    all.map(|(left, top, right, bottom)| (left, top, right - left, bottom - top))
}

fn framed((left, top, width, height): Bounds, least: f64) -> Bounds {
    (left - FRAME, top - FRAME_TOP, f64::max(width + 2.0 * FRAME, least), height + FRAME_TOP + FRAME)
}

/// How wide a frame is at least.
fn least(widths: &[f64], frame: Option<usize>) -> f64 {
    frame.and_then(|frame| widths.get(frame)).copied().unwrap_or(0.0)
}
