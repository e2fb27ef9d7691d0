//! Real workflows, planned without their files: all of them end in a plan that verifies or in errors with codes.

use std::collections::BTreeMap;
use std::fs;

use floe_driver::{DEFAULT_LIMIT, Device, Folders, Options, Source, Target, compile};
use floe_testing::{json, shared};
use serde_json::Value;

/// Workflows that need ComfyUI's own nodes only.
const OWN: [&str; 2] = ["core", "core-new"];

/// What a workflow may have wrong that ComfyUI would refuse as well: fragments whose inputs are open, and choices, values
/// and defaults of other versions.
const THEIRS: [&str; 6] = [
    "check::missing_input",
    "check::not_a_choice",
    "check::type_mismatch",
    "check::no_effect",
    "check::too_few_inputs",
    "check::unmatched_types",
];

/// Plans that must be made at least, of the workflows that are whole.
const PLANNED: usize = 288;

fn options() -> Options {
    let options = floe_tests::options();
    let target = Target { device: Device::Cuda, memory: Some(24 << 30), ..options.target };
    Options { target, to_run: false, ..options }
}

#[test]
fn workflows_of_comfyuis_own_nodes_are_planned_without_files() {
    let mut folders = Folders::new(Vec::new(), Vec::new(), "output".into());
    folders.unseen = true;
    let (mut files, mut planned) = (0, 0);
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in json("corpus/manifest.json").as_array().expect("a list of files") {
        if !entry["runnable"].as_str().is_some_and(|runnable| OWN.contains(&runnable)) {
            continue;
        }
        files += 1;
        let file = entry["file"].as_str().expect("a path");
        let bytes = fs::read(shared(&format!("corpus/{file}"))).expect("the corpus is readable");
        let source = Source::of_bytes(file, bytes, DEFAULT_LIMIT).expect("the corpus is text");
        match compile(&source, &folders, &options()) {
            Ok(compilation) => {
                let plan = compilation.compiled.plan;
                plan.verify().expect("a plan that is made verifies");
                assert_eq!(plan.memory.at_least, !plan.is_complete());
                planned += 1;
            }
            Err(failure) => {
                for report in failure.reports.iter().take(failure.errors) {
                    let code = report.code().map(|code| code.to_string()).unwrap_or_default();
                    assert!(THEIRS.contains(&code.as_str()), "{file}: {code}: {report}");
                    refused.entry(format!("{code}: {report}")).or_default().push(file.to_owned());
                }
            }
        }
    }
    println!("{files} workflows, {planned} planned");
    for (error, files) in &refused {
        println!("{:4}  {error}", files.len());
    }
    assert!(planned >= PLANNED, "{planned} of {files} are planned");
}

#[test]
fn a_plan_without_files_says_what_is_not_known_and_reads_back() {
    let file = json("corpus/manifest.json");
    let small = file.as_array().expect("a list of files").iter().find(|entry| {
        entry["format"] == "api"
            && entry["runnable"] == "core"
            && entry["classes"].as_array().is_some_and(|classes| {
                classes.contains(&Value::from("KSampler")) && classes.contains(&Value::from("LoraLoader"))
            })
    });
    let path = small.expect("a workflow with a LoRA")["file"].as_str().expect("a path");
    let bytes = fs::read(shared(&format!("corpus/{path}"))).expect("the corpus is readable");
    let source = Source::of_bytes(path, bytes, DEFAULT_LIMIT).expect("the corpus is text");
    let mut folders = Folders::new(Vec::new(), Vec::new(), "output".into());
    folders.unseen = true;
    let plan = compile(&source, &folders, &options()).expect("it is planned").compiled.plan;
    let text = plan.to_ron();
    assert!(text.contains("at_least: true"), "{text}");
    assert!(text.contains("family: \"unknown\""), "{text}");
    assert_eq!(floe_driver::Plan::from_ron(&text), Ok(plan));
}
