//! End-to-end cases computed by the reference implementation, through the whole program: written as `.flow`,
//! compiled, planned, run. Every case also runs naively on one thread, and must give the same bits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use floe_driver::{Event, Folders, Isa, Machine, Options, PassList, Pool, RunOptions, Source};
use floe_testing::{distance, json, model, models, recipes, shared, tensors};
use serde_json::Value;

/// Cases that need more than these nodes can do.
const LEFT_OUT: [(&str, &str); 3] = [
    (
        "imageop_load_alpha",
        "the mask is tapped, which no node here reads; the decoder's own tests compare it",
    ),
    ("sampler_dpm_adaptive__karras", ADAPTIVE),
    ("sampler_dpm_adaptive__exponential", ADAPTIVE),
];

/// The component, whose model is known exactly, agrees step by step: see `samplers.rs`.
const ADAPTIVE: &str = "the first step sizes follow from differences that rounding makes: a network that differs by a \
    few units in the last place takes other steps, and the last latents differ by some thousandths";

#[test]
fn every_case_within_reach_gives_the_reference_results() {
    let recipes = recipe_files();
    let manifest = json("parity/dev/manifest.json");
    let cases = manifest["cases"].as_array().expect("cases");
    let (mut names, mut off) = (BTreeSet::new(), Vec::new());
    for case in cases.iter().filter(|case| within_reach(case)) {
        let name = case["name"].as_str().expect("a name");
        for file in case["models"].as_array().expect("models") {
            model(&recipes[file.as_str().expect("a file")]);
        }
        match check(case, name) {
            Some(wrong) => {
                names.insert(name);
                off.extend(wrong);
            }
            None => println!("{name}: beyond reach"),
        }
    }
    println!("{} cases", names.len());
    assert!(off.is_empty(), "{}", off.join("\n"));
    if chosen().is_some() {
        return;
    }
    for wanted in [
        "txt2img_sd15",
        "txt2img_sd15_seed64",
        "txt2img_sd15_batch3",
        "txt2img_sd15_cfg1",
        "img2img_d07",
        "img2img_d0",
        "txt2img_sd21v",
        "txt2img_sdxl",
        "sdxl_base_refiner",
        "clipskip_sdxl_m1",
        "ksa_split_leftover",
        "sampler_img2img_dpm_adaptive",
        "sampler_uni_pc__karras",
        "cond_area_full_plus_global",
        "cond_timestep_range",
        "hires_upscale_crop",
        "latent_from_batch",
        "latentop_composite_feather",
        "lora_modelonly",
        "lora_sd15_diff",
        "lora_sd15_diffusers_attnproc",
        "lora_sd15_dora",
        "lora_sd15_kohya_08_05",
        "lora_sd15_locon",
        "lora_sd15_negative_strength",
        "lora_sd15_peft",
        "lora_sdxl_kohya",
        "lora_sdxl_stacked",
        "patch_merge_blocks",
        "patch_merge_clip",
        "patch_merge_plus_lora",
        "patch_merge_subtract_add",
    ] {
        assert!(names.contains(wanted), "{wanted} must run");
    }
    for wanted in BY_PICTURES {
        assert!(names.contains(wanted), "{wanted} must run");
    }
    let pictures = cases.iter().filter_map(|case| case["name"].as_str());
    for wanted in pictures.filter(|name| name.starts_with("imageop_") || name.starts_with("maskop_")) {
        let left_out = LEFT_OUT.iter().any(|(left_out, _)| *left_out == wanted);
        assert!(left_out || names.contains(wanted), "{wanted} must run");
    }
    assert!(names.len() >= 170, "only {} cases ran", names.len());
}

/// Cases by which pictures are changed in part, edited, enlarged and guided by other pictures.
const BY_PICTURES: [&str; 7] = [
    "cond_mask_default",
    "inpaint_ddim_mask",
    "inpaint_modelcond",
    "inpaint_noisemask",
    "inpaint_vaeencode",
    "inpaint_vaeencode_grow0_inpmodel",
    "outpaint",
];

/// Beginnings of the names of the only cases to run, where somebody looks at some: `FLOE_CASES=inpaint_,outpaint`.
fn chosen() -> Option<Vec<String>> {
    let text = std::env::var("FLOE_CASES").ok()?;
    Some(text.split(',').map(str::to_owned).collect())
}

/// The recipe of every model file.
fn recipe_files() -> BTreeMap<String, String> {
    let file = |recipe: &String| {
        json(&format!("parity/specs/{recipe}.json"))["file"]
            .as_str()
            .expect("a recipe names its file")
            .to_owned()
    };
    recipes().into_iter().map(|recipe| (file(&recipe), recipe)).collect()
}

/// Inputs that are changed before a case runs, and why: ComfyUI does not know the names that PEFT gives to layers of a
/// U-Net, Floe does. Without these patches the results are the reference's.
const CHANGED: [(&str, &str, &str); 2] =
    [("lora_sd15_peft", "2", "strength_model"), ("lora_sdxl_stacked", "4", "strength_model")];

/// Learned words are not read yet.
fn needs_words(model: &Value) -> bool {
    model.as_str().expect("a file").starts_with("embeddings/")
}

fn within_reach(case: &Value) -> bool {
    let Some(path) = case["workflow"].as_str() else { return false };
    let workflow = json(&format!("parity/dev/{path}"));
    let nodes = workflow.as_object().expect("a workflow is an object of nodes");
    let name = case["name"].as_str().expect("a name");
    let words = case["models"].as_array().expect("models").iter().any(needs_words);
    let chosen = chosen().is_none_or(|chosen| chosen.iter().any(|start| name.starts_with(start)));
    chosen
        && !words
        && !LEFT_OUT.iter().any(|(left_out, _)| *left_out == name)
        && nodes
            .values()
            .all(|node| floe_stdlib::semantics(node["class_type"].as_str().expect("a class")).is_some())
}

/// Runs a case; what is off. Nothing where it is beyond reach.
fn check(case: &Value, name: &str) -> Option<Vec<String>> {
    let mut off = Vec::new();
    let mut workflow = json(&format!("parity/dev/{}", case["workflow"].as_str().expect("a workflow")));
    for (_, node, input) in CHANGED.iter().filter(|(changed, ..)| *changed == name) {
        workflow[node]["inputs"][input] = 0.0.into();
    }
    let source = Source::flow(format!("{name}.flow"), flow(&workflow));
    let default = run(&source, &PassList::all(), 2)?;
    let naive = run(&source, &PassList::none(), 1)?;
    assert_eq!(default.pictures, naive.pictures, "{name}: optimised equals naive");
    for (key, values) in &default.values {
        let same = naive.values.get(key).is_some_and(|other| bits(other) == bits(values));
        assert!(same, "{name}: {key:?} differs between the default and the naive plan");
    }
    for expected in case["expected"].as_array().expect("expectations") {
        let file = format!("parity/dev/cases/{name}/{}", expected["file"].as_str().expect("a file"));
        if expected["type"] == "png" {
            let index = expected["index"].as_u64().expect("an index") as usize;
            let want = std::fs::read(shared(&file)).expect("a picture");
            off.extend(compare_pictures(name, &default.pictures[index], &want));
            continue;
        }
        let slot = expected["tap"]["slot"].as_u64().expect("a slot") as usize;
        let origin = tapped(&format!("n{}", expected["tap"]["node"].as_str().expect("a node")), slot);
        for (key, (_, want)) in tensors(&file) {
            let key = match (key.as_str(), expected["tap"]["type"].as_str()) {
                ("value", Some("MASK")) => "mask".to_owned(),
                ("value", _) => "image".to_owned(),
                _ => key,
            };
            let got = default.values.get(&(origin.clone(), key.clone()));
            let got = got.unwrap_or_else(|| panic!("{name}: {origin} has no value `{key}`"));
            let (relative, largest) = distance(got, &want);
            println!("{name} {origin}.{key}: relative {relative:.1e}, largest {largest:.1e}");
            let (rel, abs) = (&case["tol"]["rel"], &case["tol"]["abs"]);
            let (rel, abs) = (rel.as_f64().expect("a tolerance"), abs.as_f64().expect("a tolerance"));
            if !(relative <= rel || largest <= abs) {
                off.push(format!("{name}: {origin}.{key} is off by {relative:e} ({largest:e})"));
            }
        }
    }
    Some(off)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn compare_pictures(name: &str, got: &[u8], want: &[u8]) -> Option<String> {
    let decode = |bytes: &[u8]| image::load_from_memory(bytes).expect("a picture").to_rgb8();
    let (got, want) = (decode(got), decode(want));
    assert_eq!(got.dimensions(), want.dimensions(), "{name}");
    let differences = got.as_raw().iter().zip(want.as_raw()).map(|(a, b)| f64::from(a.abs_diff(*b)));
    let (largest, squares) = differences.fold((0.0, 0.0), |(max, sum), d| (f64::max(max, d), sum + d * d));
    let psnr = 10.0 * (255.0 * 255.0 * got.as_raw().len() as f64 / f64::max(squares, 1e-9)).log10();
    println!("{name}: largest difference {largest}/255, {psnr:.0} dB");
    (psnr < 48.0 && largest > 1.0).then(|| format!("{name}: {psnr} dB, largest difference {largest}"))
}

/// A workflow in API format as a program: one binding per node, inputs first.
fn flow(workflow: &Value) -> String {
    let nodes = workflow.as_object().expect("an object of nodes");
    let mut text = "edition 1\n".to_owned();
    let mut done = BTreeSet::new();
    let mut open: Vec<&String> = nodes.keys().rev().collect();
    while let Some(id) = open.pop() {
        let node = &nodes[id];
        let inputs = node["inputs"].as_object().expect("inputs");
        let links: Vec<&str> = inputs.values().filter_map(|value| value[0].as_str()).collect();
        let waiting: Vec<&String> =
            nodes.keys().filter(|id| links.contains(&id.as_str()) && !done.contains(id.as_str())).collect();
        if done.contains(id.as_str()) {
            continue;
        }
        if !waiting.is_empty() {
            open.push(id);
            open.extend(waiting);
            continue;
        }
        done.insert(id.as_str());
        let class = node["class_type"].as_str().expect("a class");
        let arguments: Vec<String> =
            inputs.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
        let is_effect = floe_stdlib::node(class).is_some_and(|node| node.output_node);
        let binding = if is_effect { String::new() } else { format!("let n{id} = ") };
        text.push_str(&format!("{binding}{class}({})\n", arguments.join(", ")));
    }
    text
}

fn literal(value: &Value) -> String {
    match value {
        Value::Array(link) => format!("n{}.{}", link[0].as_str().expect("an id"), link[1]),
        Value::String(text) => floe_lang::names::string_literal(text).to_string(),
        other => other.to_string(),
    }
}

/// The name of an output: of the first one the node's.
fn tapped(origin: &str, slot: usize) -> String {
    if slot == 0 { origin.to_owned() } else { format!("{origin}.{slot}") }
}

struct Run {
    /// Tensors by origin and name.
    values: BTreeMap<(String, String), Vec<f32>>,
    pictures: Vec<Vec<u8>>,
}

/// Runs a program; nothing where Floe says that it has no kernel for something in it.
fn run(source: &Source, passes: &PassList, threads: usize) -> Option<Run> {
    let output = tempfile::tempdir().expect("a folder for results");
    let folders = Folders::new(vec![models()], vec![shared("parity/inputs")], output.path().to_path_buf());
    let options = Options { passes: passes.clone(), ..floe_tests::options() };
    let compilation = match floe_driver::compile(source, &folders, &options) {
        Ok(compilation) => compilation,
        Err(failure) => {
            let code = |report: &miette::Report| report.code().map(|code| code.to_string());
            let mut errors = failure.reports.iter().take(failure.errors);
            let beyond = errors.all(|report| code(report).as_deref() == Some("plan::no_kernel"));
            assert!(beyond, "{}\n{:?}", source.file().text(), failure.reports);
            return None;
        }
    };
    let plan = compilation.compiled.plan;
    let machine = Machine { pool: Pool::new(threads).expect("threads"), isa: Isa::detect() };
    let mut values = BTreeMap::new();
    let options =
        RunOptions { source: None, file: None, progress: &|_, _| std::ops::ControlFlow::Continue(()) };
    let outputs = floe_driver::run(&plan, &machine, &folders, &options, &mut |event| {
        let Event::Finished { entry, values: written, .. } = event else { return };
        for value in written {
            for origin in &entry.origins {
                values.insert((tapped(origin, value.slot), value.name.to_owned()), value.data.to_vec());
            }
        }
    })
    .unwrap_or_else(|failure| panic!("{}: {failure}", source.file().name()));
    assert_eq!(outputs.summary.peak_bytes, plan.memory.peak, "the planned peak is the measured one");
    let read = |path: &Path| std::fs::read(path).expect("a picture was written");
    Some(Run { values, pictures: outputs.files.iter().map(|path| read(path)).collect() })
}
