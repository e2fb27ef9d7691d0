//! The demo flow as a user runs it: the picture, its determinism, its memory, and what is stored in it.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use floe_driver::{Compilation, Folders, Isa, Machine, Options, Outputs, PassList, Pool, RunOptions, Source};
use floe_runtime::png_meta::read_texts;
use floe_stdlib::Scalar;
use floe_testing::{json, shared};
use serde_json::Value;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

fn options(passes: PassList, params: &[(&str, &str)]) -> Options {
    let params = params.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Options { passes, params, ..floe_tests::options() }
}

struct Ran {
    picture: Vec<u8>,
    outputs: Outputs,
    planned: u64,
}

fn lake(options: &Options, threads: usize) -> Ran {
    let path = example("lake.flow");
    let source = floe_driver::read_source(&path, floe_driver::DEFAULT_LIMIT).unwrap();
    let output = tempfile::tempdir().unwrap();
    let mut folders = Folders::of(&path);
    folders.output = output.path().to_path_buf();
    let Compilation { compiled, warnings } = floe_driver::compile(&source, &folders, options).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let machine = Machine { pool: Pool::new(threads).unwrap(), isa: Isa::detect() };
    let run = RunOptions { source: Some(&source), file: None, progress: &|_, _| ControlFlow::Continue(()) };
    let outputs = floe_driver::run(&compiled.plan, &machine, &folders, &run, &mut |_| {}).unwrap();
    assert_eq!(outputs.files.len(), 1);
    Ran { picture: std::fs::read(&outputs.files[0]).unwrap(), planned: compiled.plan.memory.peak, outputs }
}

#[track_caller]
fn assert_same_picture(got: &[u8], expected: &str) {
    let decode = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
    let (got, want) = (decode(got), decode(&std::fs::read(shared(expected)).unwrap()));
    assert_eq!(got.dimensions(), want.dimensions());
    let largest = got.as_raw().iter().zip(want.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    println!("{expected}: largest difference {largest}/255");
    assert!(largest <= 1, "{expected}: pixels differ by up to {largest}/255");
}

#[test]
fn the_lake_is_the_references_lake() {
    let ran = lake(&options(PassList::all(), &[]), 2);
    assert_same_picture(&ran.picture, "demo-model/expected/lake.png");
    let name = ran.outputs.files[0].file_name().unwrap().to_str().unwrap();
    assert_eq!(name, "lake-42_00001_.png");
}

#[test]
fn the_cactus_is_the_references_cactus() {
    let api = json("demo-model/expected/cactus.api.json");
    let prompt = api["6"]["inputs"]["text"].as_str().unwrap();
    let inputs = &api["5"]["inputs"];
    let (width, height) = (inputs["width"].to_string(), inputs["height"].to_string());
    let seed = api["3"]["inputs"]["seed"].to_string();
    let set = [("prompt", prompt), ("width", &width), ("height", &height), ("seed", &seed)];
    let ran = lake(&options(PassList::all(), &set), 2);
    assert_same_picture(&ran.picture, "demo-model/expected/cactus.png");
}

/// P3: passes, threads and instructions change how, never what.
#[test]
fn every_way_to_run_gives_the_same_bytes() {
    let short = [("steps", "3")];
    let want = lake(&options(PassList::all(), &short), 2);
    for (passes, threads) in
        [("none", 1), ("none", 2), ("default", 1), ("default", 3), ("cse,dce,fuse,offsets", 2)]
    {
        let ran = lake(&options(passes.parse().unwrap(), &short), threads);
        assert!(ran.picture == want.picture, "passes {passes}, {threads} threads");
    }
}

/// P4: what the plan says is what the run takes; passes make it less.
#[test]
fn the_planned_peak_is_the_measured_one() {
    let short = [("steps", "1")];
    let default = lake(&options(PassList::all(), &short), 2);
    assert_eq!(default.planned, default.outputs.summary.peak_bytes);
    let naive = lake(&options(PassList::none(), &short), 2);
    assert_eq!(naive.planned, naive.outputs.summary.peak_bytes);
    assert!(default.planned * 4 < naive.planned, "{} and {}", default.planned, naive.planned);
}

#[test]
fn the_picture_carries_its_program() {
    let ran = lake(&options(PassList::all(), &[("steps", "1"), ("seed", "7")]), 2);
    let texts = read_texts(&ran.picture).unwrap();
    let text = |keyword: &str| &texts.iter().find(|text| text.keyword == keyword).unwrap().text;
    assert_eq!(*text("flow"), std::fs::read_to_string(example("lake.flow")).unwrap());
    assert!(text("flow_params").contains("seed = 7\n"), "{}", text("flow_params"));
}

/// The flow says what the reference's workflow says, but for the name of the file.
#[test]
fn the_flow_has_the_values_of_its_workflow() {
    let path = example("lake.flow");
    let source = floe_driver::read_source(&path, floe_driver::DEFAULT_LIMIT).unwrap();
    let api = json("demo-model/expected/lake.api.json");
    let ours = graph(&source, &Folders::of(&path));
    let theirs = api.as_object().unwrap();
    let end = theirs.iter().find(|(_, node)| node["class_type"] == "SaveImage").unwrap().0;
    assert_eq!(ours, workflow(theirs, end));
}

/// A program's effect as one nested text, names and order of nodes left out.
fn graph(source: &Source, folders: &Folders) -> String {
    use floe_compiler::graph::{Graph, NodeId, NodeKind, Operand};

    fn node(graph: &Graph, id: NodeId) -> String {
        let entry = &graph.nodes[id];
        let NodeKind::Call(decl) = &entry.kind else { panic!("a lowered graph has calls only") };
        let inputs =
            entry.inputs.iter().filter(|(name, _)| **name != "filename_prefix").map(|(name, operand)| {
                let value = match operand {
                    Operand::Scalar(Scalar::Int(value)) => format!("{:?}", *value as f64),
                    Operand::Scalar(Scalar::Float(value)) => format!("{value:?}"),
                    Operand::Scalar(scalar) => scalar.to_string(),
                    Operand::Output(from, slot) => format!("{}.{slot}", node(graph, *from)),
                    other => other.to_string(),
                };
                format!("{name}: {value}")
            });
        format!("{}({})", decl.name, inputs.collect::<Vec<_>>().join(", "))
    }

    let parsed = floe_lang::parse(source.file());
    let checked = floe_compiler::check(&parsed.ast, &options(PassList::all(), &[]), folders);
    let graph = checked.value.unwrap();
    node(&graph, graph.effects[0])
}

fn workflow(nodes: &serde_json::Map<String, Value>, id: &str) -> String {
    let entry = &nodes[id];
    let inputs: BTreeMap<&String, &Value> = entry["inputs"].as_object().unwrap().iter().collect();
    let inputs = inputs.iter().filter(|(name, _)| **name != "filename_prefix").map(|(name, value)| {
        let value = match value {
            Value::Array(link) => format!("{}.{}", workflow(nodes, link[0].as_str().unwrap()), link[1]),
            Value::Number(number) => format!("{:?}", number.as_f64().unwrap()),
            other => other.to_string(),
        };
        format!("{name}: {value}")
    });
    format!("{}({})", entry["class_type"].as_str().unwrap(), inputs.collect::<Vec<_>>().join(", "))
}

/// Kernels, semantics and declarations are three lists of the same classes.
#[test]
fn every_class_with_semantics_has_a_kernel() {
    let declared: Vec<&str> = floe_stdlib::nodes().iter().map(|decl| decl.name.as_ref()).collect();
    for &name in &declared {
        let Some(semantics) = floe_stdlib::semantics(name) else { continue };
        let has_kernel = floe_nodes::kernel(name).is_some();
        assert_eq!(
            has_kernel,
            semantics.parts.is_empty(),
            "{name}: what gives parts of models is planned or run by the executor, the rest by a kernel"
        );
    }
    for name in floe_nodes::kernels() {
        assert!(declared.contains(&name), "{name} has a kernel, but no declaration");
    }
}
