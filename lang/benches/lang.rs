//! What texts cost by their length: `cargo bench -p floe-lang`. Times should grow with the number of nodes, and no faster.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use floe_lang::{SourceFile, format, parse};

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

criterion_group!(benches, bench_parse, bench_format);
criterion_main!(benches);
