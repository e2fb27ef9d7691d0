//! What the comments of a program say to an editor: headings (`// --- Upscale ---`) become frames around what stands under
//! them, other remarks become notes beside the statement below them, as imports write both.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use floe_lang::ast::{self, Comment, Expr, Statement, StatementKind};

use super::written;
use crate::flat::Place;

/// Headings and remarks of a file, by the calls that they stand above.
pub(super) struct Remarks {
    /// The titles of frames.
    pub(super) titles: Vec<String>,
    /// The texts of notes.
    pub(super) notes: Vec<Note>,
    /// Notes that stand at nothing: those at the end of the file, and what documents it.
    pub(super) loose: BTreeSet<usize>,
    /// By the place of a call's name.
    calls: BTreeMap<u32, Above>,
}

/// A note.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Note {
    pub(super) text: String,
    /// The frame that it stands in.
    pub(super) frame: Option<usize>,
}

/// What stands above a call.
#[derive(Debug, Clone, Default)]
struct Above {
    frame: Option<usize>,
    notes: Range<usize>,
}

impl Remarks {
    pub(super) fn new(file: &ast::File) -> Remarks {
        let mut remarks =
            Remarks { titles: Vec::new(), notes: Vec::new(), loose: BTreeSet::new(), calls: BTreeMap::new() };
        if let Some(docs) = &file.docs {
            remarks.loose.insert(0);
            remarks.notes.push(Note { text: docs.text.trim().to_owned(), frame: None });
        }
        remarks.statements(&file.statements);
        let end = remarks.comments(&file.end_comments, &mut None);
        remarks.loose.extend(end);
        remarks
    }

    /// Statements of a file, and those of its flows: each body has frames of its own.
    fn statements(&mut self, statements: &[Statement]) {
        let mut frame = None;
        for statement in statements {
            match &statement.kind {
                // A file's flows have no statements that define others.
                StatementKind::Fn(flow) => {
                    let mut frame = None;
                    for statement in &flow.body.statements {
                        self.statement(statement, &mut frame);
                    }
                }
                _ => self.statement(statement, &mut frame),
            }
        }
    }

    fn statement(&mut self, statement: &Statement, frame: &mut Option<usize>) {
        let values: &[&Expr] = match &statement.kind {
            StatementKind::Let(binding) => &[&binding.value],
            StatementKind::Expr(value) => &[value],
            _ => return,
        };
        let notes = self.comments(&statement.comments, frame);
        for call in written::calls(values) {
            self.calls.entry(call.callee.span.start).or_insert(Above { frame: *frame, notes: notes.clone() });
        }
    }

    /// Reads comments that stand one above the other; the notes that they are.
    fn comments(&mut self, comments: &[Comment], frame: &mut Option<usize>) -> Range<usize> {
        let from = self.notes.len();
        let mut lines: Vec<&str> = Vec::new();
        for comment in comments {
            let title = heading(&comment.text);
            if comment.blank_before || title.is_some() {
                self.note(&mut lines, *frame);
            }
            match title {
                Some(title) => {
                    *frame = Some(self.titles.len());
                    self.titles.push(title.to_owned());
                }
                None => lines.push(comment.text.strip_prefix(' ').unwrap_or(&comment.text)),
            }
        }
        self.note(&mut lines, *frame);
        from..self.notes.len()
    }

    fn note(&mut self, lines: &mut Vec<&str>, frame: Option<usize>) {
        let text = lines.join("\n");
        lines.clear();
        if !text.trim().is_empty() {
            self.notes.push(Note { text: text.trim().to_owned(), frame });
        }
    }

    fn above(&self, place: Place) -> Option<&Above> {
        if place.file == 0 { self.calls.get(&place.span.start) } else { None }
    }

    /// The heading that a call stands under.
    pub(super) fn frame(&self, place: Place) -> Option<usize> {
        self.above(place)?.frame
    }

    /// The notes above the statement of a call.
    pub(super) fn notes(&self, place: Place) -> Range<usize> {
        self.above(place).map_or(0..0, |above| above.notes.clone())
    }
}

/// The title of a comment that is a heading.
fn heading(comment: &str) -> Option<&str> {
    let title = comment.trim().strip_prefix("---")?.strip_suffix("---")?.trim();
    (!title.is_empty() && !title.chars().all(|c| c == '-')).then_some(title)
}
