//! The order of statements.
//!
//! Each statement follows what it needs, as late as that allows: whatever an effect needs stands just above it. What
//! loads models comes first, and what stands in one frame of the editor stays together as far as links let it.

use super::inline::{Shape, is_loader};
use super::scope::{FlowOutput, ItemIndex, Scope};
use super::{roles, words};
use std::collections::{BTreeMap, BTreeSet};

/// The statements of a body in their order, with the part that each belongs to: parts have no links between them.
pub(super) fn order(
    scope: &Scope<'_>,
    outputs: &[FlowOutput<'_>],
    shape: &Shape<'_>,
    groups: &[Option<usize>],
) -> Vec<(ItemIndex, usize)> {
    let stages = stages(scope, shape);
    let needs: Vec<Vec<ItemIndex>> = (0..scope.items.len())
        .map(|item| {
            let mut needs = needs(shape, item);
            // What an earlier sampler made is told before what only this one needs.
            needs.sort_by_key(|&need| std::cmp::Reverse(stages[need]));
            needs
        })
        .collect();
    let depth_first = depth_first(&sinks(scope, outputs, shape), &needs);
    let parts = parts(&depth_first, &needs, scope.items.len());
    let early = early(scope, shape, groups);
    let mut ranked: Vec<ItemIndex> = depth_first;
    // Stable: within these, the walk's order. Loaders need nothing, so this breaks no link.
    ranked.sort_by_key(|&item| (parts[item], !early[item]));
    let ordered = if groups.iter().any(Option::is_some) { together(&ranked, &needs, groups) } else { ranked };
    ordered.into_iter().map(|item| (item, parts[item])).collect()
}

/// The statements that a statement needs, in the order of its text; nothing for what is no statement.
fn needs(shape: &Shape<'_>, item: ItemIndex) -> Vec<ItemIndex> {
    let mut needs = Vec::new();
    if !shape.is_statement(item) {
        return needs;
    }
    let mut open: Vec<ItemIndex> = shape.sources(item).into_iter().rev().collect();
    while let Some(source) = open.pop() {
        if shape.is_statement(source) {
            needs.push(source);
        } else {
            open.extend(shape.sources(source).into_iter().rev());
        }
    }
    needs
}

/// By item: how many samplers follow each other up to it.
fn stages(scope: &Scope<'_>, shape: &Shape<'_>) -> Vec<u32> {
    let mut stages = vec![0; scope.items.len()];
    for &item in &shape.order {
        let before = scope.items[item].links().map(|(source, _)| stages[source]).max().unwrap_or(0);
        let class = scope.items[item].decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name));
        stages[item] = before + u32::from(roles::samples(&class));
    }
    stages
}

/// Where walks begin: effects, then calls whose results nobody reads, then what the flow gives to its caller.
fn sinks(scope: &Scope<'_>, outputs: &[FlowOutput<'_>], shape: &Shape<'_>) -> Vec<ItemIndex> {
    let unread = (0..shape.uses.len()).filter(|&item| shape.uses[item].is_empty());
    // A flow may have effects inside.
    let effect = |&item: &ItemIndex| scope.items[item].decl().is_none_or(|decl| decl.output_node);
    let (mut sinks, idle): (Vec<ItemIndex>, Vec<ItemIndex>) = unread.partition(effect);
    sinks.extend(idle);
    sinks.extend(outputs.iter().map(|output| output.item));
    sinks
}

/// All statements, each after what it needs, by a walk from the sinks.
fn depth_first(sinks: &[ItemIndex], needs: &[Vec<ItemIndex>]) -> Vec<ItemIndex> {
    let mut order = Vec::new();
    let mut seen = vec![false; needs.len()];
    let mut open: Vec<(ItemIndex, usize)> = Vec::new();
    for &sink in sinks {
        if !std::mem::replace(&mut seen[sink], true) {
            open.push((sink, 0));
        }
        while let Some((item, next)) = open.last_mut() {
            let Some(&need) = needs[*item].get(*next) else {
                order.push(*item);
                open.pop();
                continue;
            };
            *next += 1;
            if !std::mem::replace(&mut seen[need], true) {
                open.push((need, 0));
            }
        }
    }
    order
}

/// By item: the place in the order of the first statement that it is linked with, over any number of links.
fn parts(order: &[ItemIndex], needs: &[Vec<ItemIndex>], count: usize) -> Vec<usize> {
    let mut place = vec![0; count];
    for (at, &item) in order.iter().enumerate() {
        place[item] = at;
    }
    // Union-find over places; the root of a set is its smallest place.
    let mut parent: Vec<usize> = (0..order.len()).collect();
    for (at, &item) in order.iter().enumerate() {
        for &need in &needs[item] {
            let (a, b) = (root(&mut parent, at), root(&mut parent, place[need]));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..count).map(|item| if order.is_empty() { 0 } else { root(&mut parent, place[item]) }).collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// By item: whether it comes first in its part. A loader in a frame with other nodes stays with those.
fn early(scope: &Scope<'_>, shape: &Shape<'_>, groups: &[Option<usize>]) -> Vec<bool> {
    let loaders: Vec<bool> = scope.items.iter().map(is_loader).collect();
    let mut mixed: BTreeSet<usize> = BTreeSet::new();
    for (item, group) in groups.iter().enumerate() {
        if let Some(group) = group
            && shape.is_statement(item)
            && !loaders[item]
        {
            mixed.insert(*group);
        }
    }
    let alone = |group: Option<usize>| group.is_none_or(|group| !mixed.contains(&group));
    loaders.iter().zip(groups).map(|(&loader, &group)| loader && alone(group)).collect()
}

/// Statements by rank, except that a frame that was begun goes on as long as something of it is ready.
fn together(ranked: &[ItemIndex], needs: &[Vec<ItemIndex>], groups: &[Option<usize>]) -> Vec<ItemIndex> {
    let mut rank = vec![0; needs.len()];
    let mut waits = vec![0_usize; needs.len()];
    let mut readers: Vec<Vec<ItemIndex>> = vec![Vec::new(); needs.len()];
    for (at, &item) in ranked.iter().enumerate() {
        rank[item] = at;
        waits[item] = needs[item].len();
        needs[item].iter().for_each(|&need| readers[need].push(item));
    }
    let mut ready = Ready::default();
    ranked.iter().filter(|&&item| waits[item] == 0).for_each(|&item| ready.add(rank[item], groups[item]));
    let mut order = Vec::with_capacity(ranked.len());
    let mut group = None;
    while let Some(at) = ready.next(group) {
        let item = ranked[at];
        group = groups[item];
        ready.remove(at, group);
        order.push(item);
        for &reader in &readers[item] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.add(rank[reader], groups[reader]);
            }
        }
    }
    order
}

/// Ranks of statements whose needs are met.
#[derive(Default)]
struct Ready {
    all: BTreeSet<usize>,
    by_group: BTreeMap<usize, BTreeSet<usize>>,
}

impl Ready {
    fn add(&mut self, rank: usize, group: Option<usize>) {
        self.all.insert(rank);
        if let Some(group) = group {
            self.by_group.entry(group).or_default().insert(rank);
        }
    }

    fn remove(&mut self, rank: usize, group: Option<usize>) {
        self.all.remove(&rank);
        if let Some(ranks) = group.and_then(|group| self.by_group.get_mut(&group)) {
            ranks.remove(&rank);
        }
    }

    fn next(&self, group: Option<usize>) -> Option<usize> {
        let in_group = group.and_then(|group| self.by_group.get(&group)?.first());
        in_group.or(self.all.first()).copied()
    }
}
