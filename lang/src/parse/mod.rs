//! From text to AST: scan the tokens, split at statement boundaries, parse each statement, explain what failed.

mod build;
mod explain;
mod flat;
mod scan;
mod split;
mod strings;

pub(crate) use strings::{raw_fstring_texts, raw_text};

use crate::ast::{Edition, File, InnerComment, Statement};
use crate::error::{StrayDoc, SyntaxError};
use crate::{SourceFile, Span, ast};
use build::{Builder, Built, Place};
use scan::{RemarkKind, Scan};

/// How deep brackets may nest, and how deep the tree is at most; far beyond real programs, far below what overflows a
/// stack.
pub const MAX_NESTING: usize = 256;

/// The grammar; what the derive macro generates stays in here.
mod grammar {
    #![allow(missing_docs, unreachable_pub)]

    #[derive(pest_derive::Parser)]
    #[grammar = "flow.pest"]
    pub(super) struct FlowParser;
}

/// What a text says, and everything in it that is no Floe.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What was understood: statements with an error are left out.
    pub ast: ast::File,
    /// At most one error for each statement, those in blocks included, and stray docs, in the order of the text.
    pub errors: Vec<SyntaxError>,
}

/// Parses a file. Total: any text gives an AST and all its syntax errors.
pub fn parse(file: &SourceFile) -> Parsed {
    let text = file.text();
    let scan = scan::scan(text);
    let split = split::split(text, &scan, 0, scan.tokens.len(), Span::new(0, text.len()));
    let mut builder = Builder::new(text, &scan);
    builder.errors.extend(split.errors);
    let mut edition: Option<Edition> = None;
    let mut statements: Vec<Statement> = Vec::new();

    for (position, chunk) in split.chunks.into_iter().enumerate() {
        let docs = chunk.docs.as_ref().map(|doc| doc.span);
        match builder.statement(chunk, Place::File, 0) {
            Some(Built::Edition(stated)) if position == 0 => {
                let place = StrayDoc::BeforeEdition;
                builder.errors.extend(docs.map(|span| SyntaxError::StrayDoc { place, span }));
                edition = Some(stated);
            }
            Some(Built::Edition(late)) => {
                let previous = edition.map(|stated| stated.span);
                builder.errors.push(SyntaxError::MisplacedEdition { span: late.span, previous });
            }
            Some(Built::Statement(statement)) => statements.push(*statement),
            None => {}
        }
    }
    let end_comments = builder.claim(split.end_comments);
    let Builder { mut errors, claimed, .. } = builder;
    errors.sort_by_key(SyntaxError::span);
    errors.dedup();
    let inner_comments = inner_comments(text, &scan, &claimed);
    Parsed { ast: File { docs: split.file_docs, edition, statements, end_comments, inner_comments }, errors }
}

/// The remarks that belong to no statement as a whole.
fn inner_comments(text: &str, scan: &Scan, claimed: &[bool]) -> Vec<InnerComment> {
    let remarks = scan.remarks.iter().zip(claimed);
    let inner = remarks.filter(|(remark, claimed)| remark.kind == RemarkKind::Plain && !**claimed);
    inner
        .map(|(remark, _)| InnerComment {
            text: remark.text(text).to_owned(),
            own_line: remark.own_line,
            span: remark.span,
        })
        .collect()
}

#[cfg(test)]
mod tests;
