//! Headings among the comments of a program: `// --- Upscale ---`, as imports write the frames of an editor.

use floe_lang::ast;

use crate::flat::Place;

/// The headings of a file, and the statements that stand under them.
pub(super) struct Headings {
    titles: Vec<String>,
    /// Where statements begin, and the heading that they stand under.
    statements: Vec<(u32, Option<usize>)>,
}

impl Headings {
    pub(super) fn new(file: &ast::File) -> Headings {
        let mut headings = Headings { titles: Vec::new(), statements: Vec::new() };
        let mut current = None;
        for statement in &file.statements {
            for title in statement.comments.iter().filter_map(|comment| heading(&comment.text)) {
                current = Some(headings.titles.len());
                headings.titles.push(title.to_owned());
            }
            headings.statements.push((statement.span.start, current));
        }
        headings
    }

    /// The heading that something of the program's own file stands under.
    pub(super) fn of(&self, place: Place) -> Option<usize> {
        let behind = self.statements.partition_point(|(start, _)| *start <= place.span.start);
        let (_, heading) = self.statements.get(behind.checked_sub(1)?)?;
        heading.filter(|_| place.file == 0)
    }

    pub(super) fn titles(&self) -> &[String] {
        &self.titles
    }
}

/// The title of a comment that is a heading.
fn heading(comment: &str) -> Option<&str> {
    let title = comment.trim().strip_prefix("---")?.strip_suffix("---")?.trim();
    (!title.is_empty() && !title.chars().all(|c| c == '-')).then_some(title)
}
