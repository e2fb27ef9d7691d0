//! From text to AST: split at statement boundaries, parse each statement, explain what failed.

mod build;
mod explain;
mod split;
mod strings;

pub(crate) use strings::raw_text;

use crate::ast::{Edition, File};
use crate::error::{StrayDoc, SyntaxError};
use crate::{SourceFile, ast};
use build::Built;
use pest::Parser;

/// How deep brackets may nest; far beyond real programs, far below what overflows a stack.
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
    /// At most one error for each statement, and stray docs, in the order of the text.
    pub errors: Vec<SyntaxError>,
}

/// Parses a file. Total: any text gives an AST and all its syntax errors.
pub fn parse(file: &SourceFile) -> Parsed {
    let text = file.text();
    let split = split::split(text);
    let mut errors = split.errors;
    let mut edition: Option<Edition> = None;
    let mut statements = Vec::new();

    for (position, chunk) in split.chunks.into_iter().enumerate() {
        if chunk.broken {
            continue;
        }
        let source = &text[chunk.start..chunk.end];
        let built = match grammar::FlowParser::parse(grammar::Rule::statement, source) {
            Ok(pairs) => build::statement(pairs, source, chunk.start),
            Err(error) => Err(explain::explain(&error, text, &chunk, &split.tokens)),
        };
        match built {
            Ok(Built::Edition(stated)) if position == 0 => {
                if let Some(doc) = &chunk.docs {
                    let place = StrayDoc::BeforeEdition;
                    errors.push(SyntaxError::StrayDoc { place, span: doc.span });
                }
                edition = Some(stated);
            }
            Ok(Built::Edition(late)) => {
                let previous = edition.map(|stated| stated.span);
                errors.push(SyntaxError::MisplacedEdition { span: late.span, previous });
            }
            Ok(Built::Statement(mut statement)) => {
                statement.docs = chunk.docs;
                statements.push(*statement);
            }
            Err(error) => errors.push(error),
        }
    }
    errors.sort_by_key(SyntaxError::span);
    Parsed {
        ast: File {
            docs: split.file_docs,
            edition,
            statements,
            end_comments: Vec::new(),
            inner_comments: Vec::new(),
        },
        errors,
    }
}

#[cfg(test)]
mod tests;
