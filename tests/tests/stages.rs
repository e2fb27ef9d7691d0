//! The whole compiler on whole programs: graph, passes and plan of each file in `flow`, and what every plan keeps.

use std::fs;
use std::path::Path;

use floe_compiler::{Compiled, Options, PassList};
use floe_plan::{Buffer, BufferId, LoadId, Operand, Plan, ProgramId, Role, Size, StepId};
use floe_tests::world::TestWorld;
use floe_tests::{compile, options};

#[track_caller]
fn accepted(source: &str, options: &Options) -> Compiled {
    let outcome = compile(source, options, &TestWorld::new());
    outcome.compiled.unwrap_or_else(|| panic!("{}", outcome.report))
}

/// The graph after each pass, where the pass changed it.
fn passes(compiled: &Compiled) -> String {
    let mut text = String::new();
    for pass in &compiled.trace {
        match pass.rewrites {
            0 => text.push_str(&format!("after {}: unchanged\n", pass.pass)),
            count => text.push_str(&format!("after {}: {count} rewrites\n{}", pass.pass, pass.graph)),
        }
        text.push('\n');
    }
    text
}

/// What every plan keeps: it verifies, it reads back, and the naive one is no smaller.
#[track_caller]
fn keeps_its_promises(source: &str, plan: &Plan) {
    plan.verify().expect("the plan verifies");
    assert_eq!(Plan::from_ron(&plan.to_ron()).as_ref(), Ok(plan), "the plan reads back");
    let naive = accepted(source, &Options { passes: PassList::none(), ..options() }).plan;
    naive.verify().expect("the naive plan verifies");
    assert!(naive.memory.peak >= plan.memory.peak, "naive {:?}, optimised {:?}", naive.memory, plan.memory);
    assert_eq!(naive.outputs.len(), plan.outputs.len(), "both write the same files");
}

#[test]
fn programs_from_graph_to_plan() {
    insta::glob!("../flow", "**/*.flow", |path| {
        let source = fs::read_to_string(path).expect("fixture is readable");
        let compiled = accepted(&source, &options());
        insta::assert_snapshot!("1-graph", compiled.graph);
        insta::assert_snapshot!("2-passes", passes(&compiled));
        insta::assert_snapshot!("3-plan", compiled.plan.to_ron());
        keeps_its_promises(&source, &compiled.plan);
    });
}

fn lake() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("flow/txt2img/lake.flow");
    fs::read_to_string(path).expect("fixture is readable")
}

fn lake_plan() -> Plan {
    accepted(&lake(), &options()).plan
}

#[test]
fn comments_blank_lines_and_layout_do_not_reach_the_plan() {
    let written_otherwise = r#"
// Nothing to read here.
edition 1



param prompt: String = "snowy mountains, a calm lake, blue sky with clouds"   // what to paint
param seed: Int = 42
/// How often.
param steps: Int in 1..=150 = 20
param width: Int = 192
param height: Int = 128
let (
    model,
    clip,
    vae,
) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
// All on one line, and longer than any screen.
let samples = KSampler(model, seed: seed, steps: steps, cfg: 5.0, sampler_name: "euler", scheduler: "normal", positive: CLIPTextEncode(clip, text: prompt), negative: CLIPTextEncode(clip, text: ""), latent_image: EmptyLatentImage(width: width, height: height, batch_size: 1), denoise: 1.0)
SaveImage(
    VAEDecode(
        samples,
        vae:,   // the checkpoint's own
    ),
    filename_prefix: f"lake-{seed}",
)
"#;
    assert_eq!(accepted(written_otherwise, &options()).plan.to_ron(), lake_plan().to_ron());
}

#[test]
fn plans_are_the_same_every_time() {
    assert_eq!(lake_plan().to_ron(), lake_plan().to_ron());
}

/// A value that is set is as good as one that is written: only the record of params differs.
#[test]
fn params_reach_the_plan_by_value() {
    let mut set = options();
    set.params.insert("seed".to_owned(), "7".to_owned());
    let written = lake().replace("seed: Int = 42", "seed: Int = 7");
    assert_eq!(accepted(&lake(), &set).plan, accepted(&written, &options()).plan);
    assert_ne!(accepted(&lake(), &set).plan.program, lake_plan().program);
}

#[test]
fn a_plan_fits_a_target_of_exactly_its_peak() {
    let peak = lake_plan().memory.peak;
    let mut tight = options();
    tight.target.memory = Some(peak);
    assert_eq!(accepted(&lake(), &tight).plan.memory.peak, peak);
    tight.target.memory = Some(peak - 1);
    assert_eq!(compile(&lake(), &tight, &TestWorld::new()).errors, ["plan::out_of_memory"]);
}

// ---- broken plans

/// The position of the first step of this kernel.
fn step(plan: &Plan, kernel: &str) -> usize {
    plan.steps.iter().position(|step| step.kernel == kernel).expect("the lake has this step")
}

/// The buffer that the first step of this kernel writes.
fn output(plan: &Plan, kernel: &str) -> BufferId {
    plan.steps[step(plan, kernel)].outputs[0][0]
}

fn buffer<'a>(plan: &'a mut Plan, kernel: &str) -> &'a mut Buffer {
    let id = output(plan, kernel);
    &mut plan.buffers[id.index()]
}

type Break = (&'static str, fn(&mut Plan));

const BREAKS: [Break; 27] = [
    ("two buffers overlap", |plan| {
        let prompt = output(plan, "CLIPTextEncode");
        let offset = plan.buffers[prompt.index()].offset;
        buffer(plan, "EmptyLatentImage").offset = offset;
    }),
    ("a step reads a buffer that is not there", |plan| {
        let save = step(plan, "SaveImage");
        plan.steps[save].inputs.insert("images".to_owned(), Operand::Buffers(vec![BufferId(99)]));
    }),
    ("a step writes a buffer that is not there", |plan| {
        let decode = step(plan, "VAEDecode");
        plan.steps[decode].outputs[0] = vec![BufferId(99)];
    }),
    ("a buffer is read before it is written", |plan| {
        let (decode, save) = (step(plan, "VAEDecode"), step(plan, "SaveImage"));
        plan.steps.swap(decode, save);
    }),
    ("a buffer is written a second time", |plan| {
        let latent = output(plan, "KSampler");
        let decode = step(plan, "VAEDecode");
        plan.steps[decode].outputs[0].push(latent);
    }),
    ("a buffer is never written", |plan| {
        let buffer = plan.buffers[0].clone();
        plan.buffers.push(buffer);
    }),
    ("a live range ends too early", |plan| {
        let buffer = buffer(plan, "CLIPTextEncode");
        buffer.live.1 = buffer.live.0;
    }),
    ("a live range begins too early", |plan| buffer(plan, "VAEDecode").live.0 = StepId(0)),
    ("a live range runs backwards", |plan| {
        let buffer = buffer(plan, "CLIPTextEncode");
        buffer.live = (buffer.live.1, buffer.live.0);
    }),
    ("a live range ends after the last step", |plan| buffer(plan, "VAEDecode").live.1 = StepId(99)),
    ("a buffer is misaligned", |plan| buffer(plan, "EmptyLatentImage").offset += 4),
    ("a buffer ends outside of the slab", |plan| {
        let slab = plan.memory.slab;
        buffer(plan, "EmptyLatentImage").offset = slab;
    }),
    ("a buffer has more bytes than can be counted", |plan| {
        buffer(plan, "EmptyLatentImage").shape = vec![Size::Known(usize::MAX); 2];
    }),
    ("working memory is read as a value", |plan| {
        let scratch = plan.steps[step(plan, "KSampler")].scratch[0];
        let save = step(plan, "SaveImage");
        plan.steps[save].inputs.insert("images".to_owned(), Operand::Buffers(vec![scratch]));
    }),
    ("a value is declared working memory", |plan| buffer(plan, "EmptyLatentImage").role = Role::Scratch),
    ("a program belongs to no load", |plan| plan.programs[0].load = LoadId(99)),
    ("a step uses a load that is not there", |plan| {
        let encode = step(plan, "CLIPTextEncode");
        plan.steps[encode].inputs.insert("clip".to_owned(), Operand::Load(LoadId(99)));
    }),
    ("a step runs a program that is not there", |plan| {
        let decode = step(plan, "VAEDecode");
        plan.steps[decode].programs = vec![ProgramId(99)];
    }),
    ("an attribute is a buffer", |plan| {
        let (sampler, latent) = (step(plan, "KSampler"), output(plan, "EmptyLatentImage"));
        let attributes = &mut plan.steps[sampler].attributes;
        attributes.insert("latent_scale".to_owned(), Operand::Buffers(vec![latent]));
    }),
    ("a part is used before it is loaded", |plan| {
        let load = step(plan, "load");
        plan.steps[load].loads.clear();
    }),
    ("a part is loaded twice", |plan| {
        let load = step(plan, "load");
        let loads = plan.steps[load].loads.clone();
        plan.steps[load + 1].loads.extend(loads);
    }),
    ("a part is released before its last use", |plan| plan.loads[0].live.1 = plan.loads[0].live.0),
    ("the slab is too small for the program", |plan| {
        let slab = plan.buffers.iter_mut().find(|buffer| buffer.role == Role::Slab);
        slab.expect("networks have slabs").shape = vec![Size::Known(64)];
    }),
    ("the weights do not add up", |plan| plan.memory.weights += 64),
    ("the peak does not add up", |plan| plan.memory.peak += 64),
    ("the peak is above the target", |plan| plan.target.memory = Some(plan.memory.peak - 1)),
    ("an output comes from no step", |plan| plan.outputs[0].step = StepId(99)),
];

#[test]
fn broken_plans_are_refused() {
    let mut messages = String::new();
    for (name, change) in BREAKS {
        let mut plan = lake_plan();
        change(&mut plan);
        let error = plan.verify().expect_err(name);
        messages.push_str(&format!("{name}\n    {error}\n"));
    }
    insta::assert_snapshot!(messages);
}
