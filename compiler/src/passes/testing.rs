//! What the tests of passes share: text to graph, and one check.

use std::collections::BTreeMap;

use floe_lang::{SourceFile, parse};

use super::Pass;
use crate::{check as checks, lower};

/// Runs one pass, proves the result valid and the pass idempotent, and shows before and after as one text.
#[track_caller]
pub(super) fn check(pass: &dyn Pass, source: &str) -> String {
    let file = SourceFile::new("test.flow", source);
    let parsed = parse(&file);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let (hir, mut errors, _) = checks::check(&parsed.ast);
    let mut graph = lower::lower(&hir, &BTreeMap::new(), &mut errors).graph;
    assert_eq!(errors, []);
    graph.verify().expect("lowering makes valid graphs");
    let before = graph.to_string();
    let rewrites = pass.run(&mut graph);
    graph.verify().expect("the pass keeps the graph valid");
    let after = graph.to_string();
    assert_eq!(rewrites == 0, before == after, "0 rewrites promise an unchanged graph");
    assert_eq!(pass.run(&mut graph), 0, "{} is not idempotent", pass.name());
    format!("---- before\n{before}---- after {}: {rewrites} rewrites\n{after}", pass.name())
}
