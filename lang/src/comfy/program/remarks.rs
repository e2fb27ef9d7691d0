//! Notes, frames and nodes that are switched off, as comments.

use super::super::prompt::{Disabled, Group, Json, Note, Prompt};
use super::scope::{ItemIndex, Scope};
use crate::ast::Comment;
use crate::names::{label, string_literal};
use std::collections::{BTreeMap, HashMap};

/// Lines of comments have at most this many characters, unless a word is longer.
const WIDTH: usize = 96;

/// The editor's frames of one body that are looked at, the largest first. No person draws more.
const MOST_FRAMES: usize = 1000;

/// Frames around one node that are remembered.
const MOST_AROUND: usize = 8;

/// Side of the squares in which the nearest node is searched, in the editor's pixels, and how far.
const SQUARE: f64 = 300.0;
const RINGS: i64 = 10;

/// What stands beside the items of one body.
pub(super) struct Remarks<'a> {
    /// By item: the smallest frame around it.
    pub(super) groups: Vec<Option<usize>>,
    /// By item: all frames around it, larger ones first.
    around: Vec<Vec<usize>>,
    frames: Vec<&'a Group>,
    notes: Vec<(Anchor, &'a Note)>,
}

/// Notes and frames by the definition that they stand in.
pub(super) struct Sayings<'a> {
    notes: HashMap<Option<&'a str>, Vec<&'a Note>>,
    frames: HashMap<Option<&'a str>, Vec<&'a Group>>,
}

impl<'a> Sayings<'a> {
    pub(super) fn new(prompt: &'a Prompt) -> Self {
        let mut said = Self { notes: HashMap::new(), frames: HashMap::new() };
        for note in prompt.notes.iter().filter(|note| !note.text.trim().is_empty()) {
            said.notes.entry(note.definition.as_deref()).or_default().push(note);
        }
        for frame in &prompt.groups {
            said.frames.entry(frame.definition.as_deref()).or_default().push(frame);
        }
        said
    }
}

/// What a note stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Anchor {
    Top,
    Frame(usize),
    Item(ItemIndex),
}

impl<'a> Remarks<'a> {
    /// The remarks in a file, or in the definition of a subgraph.
    pub(super) fn new(said: &Sayings<'a>, scope: &Scope<'_>, definition: Option<&str>) -> Self {
        let mut frames = said.frames.get(&definition).cloned().unwrap_or_default();
        frames.sort_by(|a, b| area(b).total_cmp(&area(a)));
        let mut remarks = Self {
            groups: vec![None; scope.items.len()],
            around: vec![Vec::new(); scope.items.len()],
            frames,
            notes: Vec::new(),
        };
        remarks.surround(scope);
        let notes = said.notes.get(&definition).cloned().unwrap_or_default();
        if !notes.is_empty() {
            let near = Near::new(scope);
            remarks.notes = notes.into_iter().map(|note| (remarks.anchor(note, &near), note)).collect();
        }
        remarks
    }

    fn surround(&mut self, scope: &Scope<'_>) {
        let mut by_x: Vec<(f64, f64, ItemIndex)> = scope
            .items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| item.place().map(|(x, y)| (x, y, index)))
            .collect();
        by_x.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (frame, group) in self.frames.iter().enumerate().take(MOST_FRAMES) {
            let (left, _, width, _) = group.bounds;
            let first = by_x.partition_point(|at| at.0 < left);
            for &(_, y, item) in by_x[first..].iter().take_while(|at| at.0 <= left + width) {
                if is_inside(group, (left, y)) {
                    self.groups[item] = Some(frame);
                    if self.around[item].len() < MOST_AROUND {
                        self.around[item].push(frame);
                    }
                }
            }
        }
    }

    fn anchor(&self, note: &Note, near: &Near) -> Anchor {
        let Some(place) = note.place else { return Anchor::Top };
        let inside = |&frame: &usize| is_inside(self.frames[frame], place);
        let frame = (0..self.frames.len().min(MOST_FRAMES)).rev().find(inside);
        frame.map(Anchor::Frame).or_else(|| near.find(place).map(Anchor::Item)).unwrap_or(Anchor::Top)
    }

    /// Hands out the remarks to statements: by statement, what stands before it; and what stands at the end.
    pub(super) fn hand_out(&self, order: &[ItemIndex], host: &[ItemIndex]) -> Handed {
        let mut by_anchor: BTreeMap<Anchor, Vec<&Note>> = BTreeMap::new();
        for &(anchor, note) in &self.notes {
            let anchor = match anchor {
                Anchor::Item(item) => Anchor::Item(host[item]),
                other => other,
            };
            by_anchor.entry(anchor).or_default().push(note);
        }
        let mut handed = Handed::default();
        let mut told = vec![false; self.frames.len()];
        for (at, &item) in order.iter().enumerate() {
            let mut said = Said::default();
            if at == 0 {
                said.notes(by_anchor.remove(&Anchor::Top).unwrap_or_default());
            }
            for &frame in &self.around[item] {
                if !std::mem::replace(&mut told[frame], true) {
                    said.heading(&self.frames[frame].title);
                    said.notes(by_anchor.remove(&Anchor::Frame(frame)).unwrap_or_default());
                }
            }
            said.notes(by_anchor.remove(&Anchor::Item(item)).unwrap_or_default());
            handed.before.insert(item, said.comments);
        }
        let mut end = Said::default();
        for (frame, group) in self.frames.iter().enumerate().filter(|(frame, _)| !told[*frame]) {
            end.heading(&group.title);
            end.notes(by_anchor.remove(&Anchor::Frame(frame)).unwrap_or_default());
        }
        by_anchor.into_values().for_each(|notes| end.notes(notes));
        handed.end = end.comments;
        handed
    }
}

/// Remarks by statement.
#[derive(Default)]
pub(super) struct Handed {
    pub(super) before: HashMap<ItemIndex, Vec<Comment>>,
    pub(super) end: Vec<Comment>,
}

fn area(group: &Group) -> f64 {
    group.bounds.2 * group.bounds.3
}

fn is_inside(group: &Group, (x, y): (f64, f64)) -> bool {
    let (left, top, width, height) = group.bounds;
    (left..=left + width).contains(&x) && (top..=top + height).contains(&y)
}

/// Comments one after another.
#[derive(Default)]
pub(super) struct Said {
    pub(super) comments: Vec<Comment>,
}

impl Said {
    /// The title of a frame; the editor's own says nothing.
    fn heading(&mut self, title: &str) {
        let title: Vec<&str> = title.split_whitespace().collect();
        let title = title.join(" ");
        if !title.is_empty() && title != "Group" {
            self.paragraph(&[format!("--- {title} ---")]);
        }
    }

    fn notes(&mut self, notes: Vec<&Note>) {
        for note in notes {
            let mut lines = Vec::new();
            let title = note.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
            if let Some(title) =
                title.filter(|title| !matches!(*title, "Note" | "MarkdownNote" | "Markdown Note"))
            {
                lines.push(format!("{title}:"));
            }
            body(&note.text, &mut lines);
            self.paragraph(&lines);
        }
    }

    /// Lines with an empty line before them, unless they are the first.
    pub(super) fn paragraph(&mut self, lines: &[String]) {
        for (at, line) in lines.iter().enumerate() {
            let line = line.trim_end();
            let text = if line.is_empty() { String::new() } else { format!(" {line}") };
            self.comments.push(Comment { text, blank_before: at == 0 && !self.comments.is_empty() });
        }
    }
}

/// The text of a note, line by line; what stands between fences stays as it is.
fn body(text: &str, lines: &mut Vec<String>) {
    let mut fenced = false;
    for line in text.trim().lines() {
        let fence = line.trim_start().starts_with("```");
        if fenced || fence {
            lines.push(printable(line));
        } else if !line.trim().is_empty() {
            wrap(line, lines);
        } else if lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(String::new());
        }
        fenced ^= fence;
    }
}

fn printable(line: &str) -> String {
    line.chars().map(|at| if at.is_control() { ' ' } else { at }).collect()
}

/// Breaks a long line between words. What follows stands below what it begins with: below the text of a bullet.
fn wrap(line: &str, lines: &mut Vec<String>) {
    let line = printable(line);
    let width = WIDTH - "// ".len();
    if line.chars().count() <= width {
        lines.push(line);
        return;
    }
    let indent = line.chars().take_while(|at| at.is_whitespace()).count().min(WIDTH / 2);
    let bullet = line.split_whitespace().next().filter(|word| matches!(*word, "-" | "*" | "+"));
    let hanging = indent + bullet.map_or(0, |bullet| bullet.len() + 1);
    let mut now = " ".repeat(indent);
    let mut chars = indent;
    for word in line.split_whitespace() {
        let length = word.chars().count();
        let blank = chars > hanging.min(indent) && !now.trim().is_empty();
        // A word that fits into no line gains nothing from one of its own.
        if blank && chars + 1 + length > width && (hanging + length <= width || chars > hanging + SHORT) {
            lines.push(std::mem::replace(&mut now, " ".repeat(hanging)));
            chars = hanging;
        } else if blank {
            now.push(' ');
            chars += 1;
        }
        now.push_str(word);
        chars += length;
    }
    lines.push(now);
}

/// Where so little stands before a long word, the line is not broken there.
const SHORT: usize = 24;

/// Nodes by where they stand: one for each square, for each of which the first one is enough.
struct Near {
    squares: HashMap<(i64, i64), (ItemIndex, f64, f64)>,
}

impl Near {
    fn new(scope: &Scope<'_>) -> Self {
        let mut squares = HashMap::new();
        for (item, of) in scope.items.iter().enumerate() {
            if let Some((x, y)) = of.place() {
                squares.entry(square(x, y)).or_insert((item, x, y));
            }
        }
        Self { squares }
    }

    fn find(&self, (x, y): (f64, f64)) -> Option<ItemIndex> {
        let (column, row) = square(x, y);
        for ring in 0..=RINGS {
            let mut best: Option<(f64, ItemIndex)> = None;
            for (dx, dy) in ring_of(ring) {
                let at = (column.saturating_add(dx), row.saturating_add(dy));
                if let Some(&(item, of_x, of_y)) = self.squares.get(&at) {
                    let distance = (of_x - x).hypot(of_y - y);
                    if best.is_none_or(|(nearest, _)| distance < nearest) {
                        best = Some((distance, item));
                    }
                }
            }
            if let Some((_, item)) = best {
                return Some(item);
            }
        }
        None
    }
}

fn square(x: f64, y: f64) -> (i64, i64) {
    ((x / SQUARE).floor() as i64, (y / SQUARE).floor() as i64)
}

/// The squares at a distance, row by row.
fn ring_of(ring: i64) -> impl Iterator<Item = (i64, i64)> {
    (-ring..=ring).flat_map(move |dy| {
        let step = if dy.abs() == ring { 1 } else { (2 * ring).max(1) };
        (-ring..=ring).step_by(step as usize).map(move |dx| (dx, dy))
    })
}

/// Nodes that are switched off, one paragraph for all.
pub(super) fn disabled<'d>(nodes: impl Iterator<Item = &'d Disabled>) -> Vec<String> {
    let mut lines = Vec::new();
    for node in nodes {
        if lines.is_empty() {
            lines.push("Switched off in the editor:".to_owned());
        }
        let how = if node.bypassed { "bypassed" } else { "muted" };
        let title =
            node.title.as_ref().map(|title| format!(" {}", string_literal(title))).unwrap_or_default();
        let values = node.values.iter().map(|(name, value)| {
            let value = text(value);
            format!("{}: {value}", label(name))
        });
        // A source is a name as people see it, and no text: it stands without quotes.
        let links = node.links.iter().map(|(name, from)| format!("{}: {}", label(name), one_line(from)));
        let values: Vec<String> = links.chain(values).collect();
        let values = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
        wrap(&format!("- {how} {}{title}{values}", node.class.replace('\n', " ")), &mut lines);
    }
    lines
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as a remark shows it.
fn text(value: &Json) -> String {
    match value {
        Json::Null => "none".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Int(value) => value.to_string(),
        Json::Float(value) => format!("{value:?}"),
        Json::String(text) => string_literal(text),
        Json::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", label(name), text(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A title as documentation, unless a name says it already.
pub(super) fn says_more_than(title: &str, name: &str) -> bool {
    let plain: Vec<String> = title.split_whitespace().map(str::to_lowercase).collect();
    plain.join("_") != name
}
