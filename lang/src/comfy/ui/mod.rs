//! The format that ComfyUI's editor saves, flattened exactly as the editor does when it submits a workflow.
//!
//! `file` reads graphs, `ids` makes ids unique, `scopes` expands subgraphs, `resolve` follows links back to what really
//! computes, `widgets`, `primitives`, `own` and `promote` know the values, `emit` writes the prompt, `tokens` the file names.

mod budget;
mod emit;
mod extras;
mod file;
mod ids;
mod links;
mod log;
mod own;
mod primitives;
mod promote;
mod resolve;
mod scopes;
mod tokens;
pub(super) mod types;
pub(super) mod widgets;

use super::cycles;
use super::error::{ImportError, ImportWarning};
use super::json::Value;
use super::prompt::Prompt;
use super::{Format, Limits, Read};
use crate::decl::Declarations;
use budget::Budget;
use file::File;
use log::Log;
use scopes::Scopes;

/// Reads an object with `nodes` and `links`.
pub(super) fn read(value: &Value<'_>, declarations: &dyn Declarations, limits: Limits) -> Read {
    let mut log = Log::default();
    let mut prompt = flatten(value, declarations, limits, &mut log);
    if let Some(prompt) = &mut prompt {
        let circles = cycles::open(prompt);
        circles.errors.into_iter().for_each(|error| log.error(error));
        circles.warnings.into_iter().for_each(|warning| log.warn(warning));
    }
    let (errors, warnings) = log.finish();
    Read { format: Some(Format::Ui), prompt, errors, warnings }
}

fn flatten<'v>(
    value: &'v Value<'v>,
    declarations: &'v dyn Declarations,
    limits: Limits,
    log: &mut Log,
) -> Option<Prompt> {
    version(value, log);
    let mut budget = Budget::new(limits.expanded);
    let mut file = File::read(value, declarations, limits, log)?;
    ids::renumber(&mut file, log);
    let scopes = Scopes::expand(&file, limits, &mut budget, log)?;
    let promoted = promote::promoted(&file);
    let mut prompt = emit::emit(&scopes, &promoted, limits, &mut budget, log);
    extras::add(&scopes, &mut prompt, &mut budget, log);
    if budget.is_spent() {
        log.error(ImportError::ExpandsTooFar { limit: limits.expanded });
        return None;
    }
    Some(prompt)
}

/// Versions that are known: 0.4 and 1.
fn version(value: &Value<'_>, log: &mut Log) {
    if let Some(version) = value.some("version") {
        let known = version.number().is_some_and(|number| number == 1.0 || (number > 0.0 && number <= 0.4));
        if !known {
            log.warn(ImportWarning::UnknownVersion { span: version.span });
        }
    }
}

#[cfg(test)]
mod tests;
