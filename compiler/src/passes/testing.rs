//! What the tests of passes share: text to graph, and one check.

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::PictureSize;
use floe_lang::text::CivilTime;
use floe_lang::{SourceFile, parse};
use floe_plan::{Device, Precision, Target};
use floe_stdlib::{FileError, ModelFile, World};

use super::{Facts, Pass, PassList};
use crate::eval::{Binding, Judge, evaluate};
use crate::{Options, check as checks, lower};

/// Nobody looks at files: facts are known as far as they can be without.
struct NoFiles;

impl World for NoFiles {
    fn model(&self, folder: &str, name: &str) -> Result<Arc<ModelFile>, FileError> {
        Err(FileError::NotAsked { folder: folder.to_owned(), name: name.to_owned() })
    }

    fn picture(&self, name: &str) -> Result<PictureSize, FileError> {
        Err(FileError::NotAsked { folder: "input".to_owned(), name: name.to_owned() })
    }
}

/// Runs one pass, proves the result valid and the pass idempotent, and shows before and after as one text.
#[track_caller]
pub(super) fn check(pass: &dyn Pass, source: &str) -> String {
    let file = SourceFile::new("test.flow", source);
    let parsed = parse(&file);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let target = Target { device: Device::Cpu, memory: None, precision: Precision::F32 };
    let now = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    let binding = Binding::at(now, 0);
    let options = Options { passes: PassList::all(), target, params: BTreeMap::new(), binding, to_run: true };
    let mut evaluated = evaluate(&parsed.ast, &options, &NoFiles, Judge::Types);
    checks::check(&mut evaluated);
    assert_eq!(evaluated.found.errors, []);
    let mut graph = lower::lower(&evaluated.flat).graph;
    graph.verify().expect("lowering makes valid graphs");
    let before = graph.to_string();
    let rewrites = pass.run(&mut graph, &Facts::new(&NoFiles));
    graph.verify().expect("the pass keeps the graph valid");
    let after = graph.to_string();
    assert_eq!(rewrites == 0, before == after, "0 rewrites promise an unchanged graph");
    assert_eq!(pass.run(&mut graph, &Facts::new(&NoFiles)), 0, "{} is not idempotent", pass.name());
    format!("---- before\n{before}---- after {}: {rewrites} rewrites\n{after}", pass.name())
}
