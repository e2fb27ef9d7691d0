//! What texts cost by their length: `cargo bench -p floe-lang`. Times should grow with the number of nodes, and no faster.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use floe_lang::comfy::program::{Options, program as program_of};
use floe_lang::comfy::{Limits, read};
use floe_lang::{SourceFile, format, parse};
use floe_stdlib::Library;

/// The allocator of the product: that of the system takes longer the more memory is in use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many nodes the programs have.
const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Measures one thing at every size; `prepare` makes what it works on and is not measured.
fn at_every_size<T>(
    criterion: &mut Criterion,
    name: &str,
    prepare: impl Fn(usize) -> T,
    work: impl Fn(&T) -> usize,
) {
    let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group(name);
    for nodes in SIZES {
        let prepared = prepare(nodes);
        group.sample_size(if nodes > 1_000 { 10 } else { 50 });
        group.throughput(Throughput::Elements(nodes as u64));
        group.bench_with_input(BenchmarkId::from_parameter(nodes), &prepared, |bencher, prepared| {
            bencher.iter(|| black_box(work(prepared)));
        });
    }
    group.finish();
}

/// A program as people write them: one checkpoint whose parts go everywhere, prompts, and rounds of which each refines
/// the picture of the one before.
fn program(nodes: usize) -> SourceFile {
    let mut text = String::from(
        "//! Many rounds.\nedition 1\n\n/// What to paint.\nparam prompt: String = \"a lake\"\nparam seed: Int = 42\n\n\
         let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: \"demo-sd1.safetensors\")\n\
         let negative = CLIPTextEncode(clip, text: \"\")\n\
         let image0 = LoadImage(image: \"lake.png\").IMAGE\n",
    );
    // A round has five nodes.
    for round in 1..=nodes / 5 {
        let before = round - 1;
        let _ = write!(
            text,
            "\n// Round {round}.\nlet positive{round} = CLIPTextEncode(clip, text: f\"{{prompt}}, (detail:1.{round})\")\n\
             let samples{round} = KSampler(\n    model, seed: seed + {round}, steps: 20, cfg: 5.0, sampler_name: \"euler\",\n    \
             scheduler: \"normal\", positive: positive{round}, negative:,\n    \
             latent_image: VAEEncode(image{before}, vae:), denoise: 0.5, // as before\n)\n\
             let image{round} = VAEDecode(samples{round}, vae:)\n\
             @label(\"round {round}\") SaveImage(image{round}, filename_prefix: f\"lake-{{seed}}-{round}\")\n",
        );
    }
    SourceFile::new("bench.flow", text)
}

fn bench_parse(criterion: &mut Criterion) {
    at_every_size(criterion, "parse", program, |source| parse(source).ast.statements.len());
}

fn bench_format(criterion: &mut Criterion) {
    let parsed = |nodes| {
        let parsed = parse(&program(nodes));
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors.first());
        parsed.ast
    };
    at_every_size(criterion, "format", parsed, |ast| format(ast).len());
}

/// A node of the workflow that [`program`] says, with what ComfyUI's two formats need to know of it.
struct Node {
    id: usize,
    class: &'static str,
    /// Linked inputs: name, type, and the node and slot that it takes its value from.
    links: Vec<(&'static str, &'static str, usize, usize)>,
    /// Values, by name for the server's format.
    values: String,
    /// The same in the order of widgets, for the editor's.
    widgets: String,
    /// Types of the outputs.
    outputs: &'static [&'static str],
}

/// The same workflow as [`program`], node by node.
fn nodes(count: usize) -> Vec<Node> {
    let node = |id, class, links, values: &str, widgets: &str, outputs| Node {
        id,
        class,
        links,
        values: values.to_owned(),
        widgets: widgets.to_owned(),
        outputs,
    };
    let (conditioning, latent): (&[&str], &[&str]) = (&["CONDITIONING"], &["LATENT"]);
    let mut nodes = vec![
        node(
            1,
            "CheckpointLoaderSimple",
            vec![],
            r#""ckpt_name": "demo-sd1.safetensors""#,
            r#""demo-sd1.safetensors""#,
            &["MODEL", "CLIP", "VAE"],
        ),
        node(2, "CLIPTextEncode", vec![("clip", "CLIP", 1, 1)], r#""text": """#, r#""""#, conditioning),
        node(3, "LoadImage", vec![], r#""image": "lake.png""#, r#""lake.png", "image""#, &["IMAGE", "MASK"]),
    ];
    let mut image = 3;
    for round in 1..=count / 5 {
        let id = 5 * round;
        let text = format!("\"a lake, (detail:1.{round})\"");
        let prefix = format!("\"lake-42-{round}\"");
        let seed = 42 + round;
        nodes.extend([
            node(
                id,
                "CLIPTextEncode",
                vec![("clip", "CLIP", 1, 1)],
                &format!("\"text\": {text}"),
                &text,
                conditioning,
            ),
            node(
                id + 1,
                "VAEEncode",
                vec![("pixels", "IMAGE", image, 0), ("vae", "VAE", 1, 2)],
                "",
                "",
                latent,
            ),
            node(
                id + 2,
                "KSampler",
                vec![
                    ("model", "MODEL", 1, 0),
                    ("positive", "CONDITIONING", id, 0),
                    ("negative", "CONDITIONING", 2, 0),
                    ("latent_image", "LATENT", id + 1, 0),
                ],
                &format!(
                    "\"seed\": {seed}, \"steps\": 20, \"cfg\": 5.0, \"sampler_name\": \"euler\", \
                     \"scheduler\": \"normal\", \"denoise\": 0.5"
                ),
                &format!("{seed}, \"fixed\", 20, 5.0, \"euler\", \"normal\", 0.5"),
                latent,
            ),
            node(
                id + 3,
                "VAEDecode",
                vec![("samples", "LATENT", id + 2, 0), ("vae", "VAE", 1, 2)],
                "",
                "",
                &["IMAGE"],
            ),
            node(
                id + 4,
                "SaveImage",
                vec![("images", "IMAGE", id + 3, 0)],
                &format!("\"filename_prefix\": {prefix}"),
                &prefix,
                &[],
            ),
        ]);
        image = id + 3;
    }
    nodes
}

/// The workflow as ComfyUI's server is sent it.
fn api(count: usize) -> String {
    let mut entries = Vec::new();
    for Node { id, class, links, values, .. } in nodes(count) {
        let links = links.iter().map(|(name, _, node, slot)| format!("\"{name}\": [\"{node}\", {slot}]"));
        let inputs: Vec<String> = links.chain((!values.is_empty()).then_some(values)).collect();
        entries.push(format!(
            "\"{id}\": {{\"class_type\": \"{class}\", \"inputs\": {{{}}}}}",
            inputs.join(", ")
        ));
    }
    format!("{{{}}}", entries.join(",\n"))
}

/// The workflow as ComfyUI's editor saves it.
fn ui(count: usize) -> String {
    let mut entries = Vec::new();
    let mut links = Vec::new();
    for (order, node) in nodes(count).into_iter().enumerate() {
        let mut inputs = Vec::new();
        for (slot, (name, ty, from, from_slot)) in node.links.iter().enumerate() {
            let link = links.len() + 1;
            links.push(format!("[{link}, {from}, {from_slot}, {}, {slot}, \"{ty}\"]", node.id));
            inputs.push(format!("{{\"name\": \"{name}\", \"type\": \"{ty}\", \"link\": {link}}}"));
        }
        let outputs = node
            .outputs
            .iter()
            .map(|ty| format!("{{\"name\": \"{ty}\", \"type\": \"{ty}\", \"links\": []}}"));
        entries.push(format!(
            "{{\"id\": {}, \"type\": \"{}\", \"pos\": [{}, 0], \"size\": [315, 262], \"flags\": {{}}, \"order\": {order}, \
             \"mode\": 0, \"inputs\": [{}], \"outputs\": [{}], \"properties\": {{}}, \"widgets_values\": [{}]}}",
            node.id,
            node.class,
            order * 340,
            inputs.join(", "),
            outputs.collect::<Vec<_>>().join(", "),
            node.widgets,
        ));
    }
    format!(
        "{{\"last_node_id\": 0, \"last_link_id\": {}, \"nodes\": [{}], \"links\": [{}], \"groups\": [], \"config\": {{}}, \
         \"extra\": {{}}, \"version\": 0.4}}",
        links.len(),
        entries.join(",\n"),
        links.join(",\n"),
    )
}

/// From JSON to AST, all of it: the text is read, flattened, and made a program with names.
fn import(text: &str) -> usize {
    let read = read(text, &Library, Limits::default());
    let prompt = read.prompt.filter(|_| read.errors.is_empty());
    let prompt = prompt.unwrap_or_else(|| panic!("{:?}", read.errors.first()));
    match program_of(&prompt, &Library, Options::default()) {
        Ok(file) => file.statements.len(),
        Err(cycle) => panic!("{cycle}"),
    }
}

fn bench_import(criterion: &mut Criterion) {
    at_every_size(criterion, "import-api", api, |text| import(text));
    at_every_size(criterion, "import-ui", ui, |text| import(text));
}

criterion_group!(benches, bench_parse, bench_format, bench_import);
criterion_main!(benches);
