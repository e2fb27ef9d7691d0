//! From text to plan, by the number of nodes and by how they hang together: `cargo bench -p floe-compiler`. The networks
//! are those of the demo model; each is built once per size of its input, as always.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use floe_compiler::{Binding, Options, PassList, compile};
use floe_formats::{Contents, Header, PictureSize, header_len};
use floe_lang::text::CivilTime;
use floe_lang::{SourceFile, parse};
use floe_plan::{Device, Precision, Target};
use floe_stdlib::{FileError, ModelFile, World};

/// How many nodes the programs have.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

const MODEL: &str = "demo-sd1.safetensors";

/// What every program begins with.
const HEAD: &str = "edition 1\n\nlet (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: \"demo-sd1.safetensors\")\n\
     let negative = CLIPTextEncode(clip, text: \"\")\nlet image0 = LoadImage(image: \"lake.png\").IMAGE\n";

/// Rounds of which each refines the picture of the one before.
fn chain(nodes: usize) -> String {
    rounds(nodes, |round| round - 1)
}

/// Rounds of five nodes, each of which refines another picture.
fn rounds(nodes: usize, before: impl Fn(usize) -> usize) -> String {
    let mut text = HEAD.to_owned();
    for round in 1..=nodes / 5 {
        let before = before(round);
        let _ = write!(
            text,
            "let positive{round} = CLIPTextEncode(clip, text: \"a lake, {round}\")\n\
             let samples{round} = KSampler(\n    model, seed: {round}, steps: 20, cfg: 5.0, sampler_name: \"euler\", \
             scheduler: \"normal\",\n    positive: positive{round}, negative:, \
             latent_image: VAEEncode(image{before}, vae:), denoise: 0.5,\n)\n\
             let image{round} = VAEDecode(samples{round}, vae:)\nSaveImage(image{round}, filename_prefix: \"lake-{round}\")\n",
        );
    }
    text
}

/// Rounds that have nothing to do with one another.
fn wide(nodes: usize) -> String {
    rounds(nodes, |_| 0)
}

/// Rows of nodes that each read one of the row before.
fn grid(nodes: usize) -> String {
    let mut text = HEAD.to_owned();
    let side = nodes.isqrt().max(2);
    for column in 0..side {
        let _ = writeln!(text, "let n0_{column} = ImageInvert(image0)");
    }
    for row in 1..side {
        for column in 0..side {
            let before = row - 1;
            let _ = writeln!(
                text,
                "let n{row}_{column} = ImageScale(n{before}_{column}, upscale_method: \"area\", width: {}, height: 0, crop: \"disabled\")",
                64 + 8 * column
            );
        }
    }
    for column in 0..side {
        let _ = writeln!(text, "SaveImage(n{}_{column}, filename_prefix: \"{column}\")", side - 1);
    }
    text
}

/// A program of so many nodes.
type Shape = fn(usize) -> String;

/// The demo model and pictures of one size.
struct Demo {
    file: Arc<ModelFile>,
}

impl Demo {
    fn new() -> Demo {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/checkpoints/demo-sd1.safetensors");
        let bytes = std::fs::read(path).expect("the demo model is in the project");
        let len = usize::try_from(header_len(&bytes).expect("it has a header")).expect("it is small");
        let header = Header::parse(&bytes[..len], bytes.len() as u64).expect("it is whole");
        let contents = Contents::of(&header).expect("it is known");
        let (folder, name) = ("checkpoints".to_owned(), MODEL.to_owned());
        Demo { file: Arc::new(ModelFile { folder, name, header, contents }) }
    }
}

impl World for Demo {
    fn model(&self, _: &str, _: &str) -> Result<Arc<ModelFile>, FileError> {
        Ok(self.file.clone())
    }

    fn picture(&self, _: &str) -> Result<PictureSize, FileError> {
        Ok(PictureSize { width: 192, height: 128, alpha: false })
    }
}

fn options() -> Options {
    let now = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    Options {
        passes: PassList::all(),
        target: Target { device: Device::Cpu, memory: None, precision: Precision::F32 },
        params: BTreeMap::new(),
        binding: Binding::at(now, 0),
        to_run: true,
    }
}

fn plan(source: &SourceFile, options: &Options, world: &Demo) -> usize {
    let parsed = parse(source);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors.first());
    let checked = compile(&parsed.ast, options, world);
    let compiled = checked.value.unwrap_or_else(|| panic!("{:?}", checked.errors.first()));
    compiled.plan.steps.len()
}

fn bench_plan(criterion: &mut Criterion) {
    let (world, options) = (Demo::new(), options());
    let shapes: [(&str, Shape); 3] = [("chain", chain), ("wide", wide), ("grid", grid)];
    for (name, shape) in shapes {
        let mut group = criterion.benchmark_group(format!("text-to-plan/{name}"));
        for nodes in SIZES {
            let source = SourceFile::new("bench.flow", shape(nodes));
            group.sample_size(if nodes > 1_000 { 10 } else { 50 });
            group.throughput(Throughput::Elements(nodes as u64));
            group.bench_with_input(BenchmarkId::from_parameter(nodes), &source, |bencher, source| {
                bencher.iter(|| black_box(plan(source, &options, &world)));
            });
        }
        group.finish();
    }
}

fn bench_check(criterion: &mut Criterion) {
    let (world, options) = (Demo::new(), options());
    // A file of about 300 lines.
    let source = SourceFile::new("bench.flow", chain(250));
    criterion.bench_function("check-300-lines", |bencher| {
        bencher.iter(|| {
            let parsed = parse(&source);
            black_box(floe_compiler::check(&parsed.ast, &options, &world).value.is_some())
        });
    });
}

criterion_group!(benches, bench_plan, bench_check);
criterion_main!(benches);
