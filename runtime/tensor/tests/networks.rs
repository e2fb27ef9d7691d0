//! Whole networks against the results of the reference implementation, and against themselves.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::{Contents, Header};
use floe_nets::arch::{TextOptions, UnetOptions};
use floe_nets::ir::Program;
use floe_nets::{Builder, PassSet, ProgramSpec, Weights, arch, build_program};
use floe_tensor::{Isa, MappedFile, Pool};
use floe_testing::{distance, model, tensors, tolerance};
use support::{Given, bits, inputs, open, ready};

/// Shapes and values by name.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

struct Case {
    name: &'static str,
    given: Tensors,
    expected: Tensors,
    rel: f64,
    abs: f64,
}

fn case(name: &'static str) -> Case {
    let read = |file: &str| tensors(&format!("parity/dev/components/{name}/{file}.safetensors"));
    Case {
        name,
        given: read("inputs"),
        expected: read("expected"),
        rel: tolerance(name, "rel"),
        abs: tolerance(name, "abs"),
    }
}

impl Case {
    fn input(&self, name: &str) -> Given {
        Given::F32(self.given[name].1.clone())
    }

    /// Runs a program with all its passes and compares every output that the case expects; returns how many.
    fn check(&self, mut program: Program, file: &Arc<MappedFile>, header: &Header, given: &[Given]) -> usize {
        for name in self.expected.keys() {
            program.expose(name);
        }
        PassSet::DEFAULT.run(&mut program);
        let pool = Pool::new(2).unwrap();
        let mut ready = ready(program, file, header, &pool, Isa::detect());
        let got = ready.run(&pool, given);
        let program = ready.executable.program();
        let mut compared = 0;
        for (port, got) in program.outputs.iter().zip(&got) {
            let Some((shape, want)) = self.expected.get(&port.name) else { continue };
            let own = &program.values[port.value].shape;
            let got = if own == shape || shape.len() == 3 { got.clone() } else { nchw(got, own) };
            let (rel, abs) = distance(&got, want);
            println!("{} {}: relative {rel:.2e}, largest {abs:.2e}", self.name, port.name);
            assert!(rel <= self.rel || abs <= self.abs, "{} is off by {rel:.2e}, {abs:.2e}", port.name);
            compared += 1;
        }
        compared
    }
}

/// `[n, h, w, c]` to `[n, c, h, w]`.
fn nchw(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let &[n, h, w, c] = shape else { panic!("{shape:?} is not a picture") };
    let at = |i: usize| {
        let (x, y, channel, item) = (i % w, i / w % h, i / (w * h) % c, i / (w * h * c));
        values[((item * h + y) * w + x) * c + channel]
    };
    (0..n * h * w * c).map(at).collect()
}

/// A program, and the tensors of its network.
fn build(spec: ProgramSpec, header: &Header) -> (Program, Header) {
    let contents = Contents::of(header).unwrap();
    let tensors = contents.component(spec.role()).unwrap().tensors.clone();
    (build_program(spec, &contents).unwrap(), tensors)
}

fn unet(name: &'static str) -> usize {
    let case = case(name);
    let (file, header) = open(&model("sd15-tiny"));
    let (x, context) = (&case.given["x"].0, &case.given["context"].0);
    let spec = ProgramSpec::Unet {
        batch: x[0],
        height: x[2],
        width: x[3],
        tokens: context[1],
        options: UnetOptions::default(),
    };
    let given = [case.input("x"), case.input("t"), case.input("context")];
    let (program, tensors) = build(spec, &header);
    case.check(program, &file, &tensors, &given)
}

#[test]
fn the_unet_and_its_parts_are_the_references() {
    assert_eq!(unet("unet_forward_sd15-tiny"), 11);
}

#[test]
fn the_unet_at_odd_sizes_is_the_references() {
    assert_eq!(unet("unet_forward_odd_sd15-tiny"), 1);
}

/// Decoder and encoder of a file, whose keys start with `prefix`.
fn vae(name: &'static str, file: &str, prefix: &str) -> usize {
    let case = case(name);
    let (file, header) = open(&model(file));
    let weights = Weights { header: &header, prefix };
    let mut compared = 0;
    if let Some((shape, _)) = case.given.get("z") {
        let b = Builder::new("decode".to_owned(), weights);
        let program = arch::vae_decoder(b, shape[0], [shape[2], shape[3]]).unwrap().finish();
        compared += case.check(program, &file, &header, &[case.input("z")]);
    }
    if let Some((shape, pixels)) = case.given.get("pixels") {
        // The encoder takes whole blocks of 8 pixels; what is left over is cut off on both sides.
        let [height, width] = [shape[1] / 8 * 8, shape[2] / 8 * 8];
        let (top, left) = ((shape[1] - height) / 2, (shape[2] - width) / 2);
        let mut cut = Vec::new();
        for line in 0..shape[0] * height {
            let from = ((line / height * shape[1] + top + line % height) * shape[2] + left) * 3;
            cut.extend_from_slice(&pixels[from..from + width * 3]);
        }
        let b = Builder::new("encode".to_owned(), weights);
        let program = arch::vae_encoder(b, shape[0], [height, width]).unwrap().finish();
        compared += case.check(program, &file, &header, &[Given::F32(cut)]);
    }
    compared
}

#[test]
fn the_autoencoder_of_a_checkpoint_is_the_references() {
    assert_eq!(vae("vae_sd15-tiny", "sd15-tiny", "first_stage_model."), 14);
}

#[test]
fn the_autoencoder_of_its_own_file_is_the_references() {
    assert!(vae("vae_vae-tiny", "vae-tiny", "") > 0);
    assert!(vae("vae_vae-tiny_odd", "vae-tiny", "") > 0);
}

/// Inputs for one item repeated, and the runs of one batch against those of its items.
#[test]
fn every_schedule_gives_the_same_bits() {
    let (file, header) = open(&model("sd15-tiny"));
    let specs = [
        ProgramSpec::ClipText { rows: 2, options: TextOptions::default() },
        ProgramSpec::Unet { batch: 2, height: 5, width: 7, tokens: 77, options: UnetOptions::default() },
        ProgramSpec::VaeDecode { batch: 1, height: 3, width: 5 },
        ProgramSpec::VaeEncode { batch: 1, height: 24, width: 40 },
    ];
    for spec in specs {
        let mut want = None;
        let fused = PassSet { fuse: true, ..PassSet::NAIVE };
        let default = [1, 2, 3].map(|threads| (PassSet::DEFAULT, threads));
        for (passes, threads) in default.into_iter().chain([(PassSet::NAIVE, 2), (fused, 1)]) {
            let (mut program, tensors) = build(spec, &header);
            passes.run(&mut program);
            let pool = Pool::new(threads).unwrap();
            let given = inputs(&program, 1, 77);
            let got = bits(&ready(program, &file, &tensors, &pool, Isa::detect()).run(&pool, &given));
            assert!(*want.get_or_insert_with(|| got.clone()) == got, "{spec}: {passes}, {threads} threads");
        }
    }
}

#[test]
fn a_batch_gives_the_bits_of_its_items() {
    let (file, header) = open(&model("sd15-tiny"));
    let unet = |batch| {
        let (mut program, tensors) = build(
            ProgramSpec::Unet { batch, height: 6, width: 8, tokens: 77, options: UnetOptions::default() },
            &header,
        );
        PassSet::DEFAULT.run(&mut program);
        (program, tensors)
    };
    let pool = Pool::new(2).unwrap();
    let (three, tensors) = unet(3);
    let all = inputs(&three, 5, 1);
    let together = ready(three, &file, &tensors, &pool, Isa::detect()).run(&pool, &all).remove(0);
    let mut single = ready(unet(1).0, &file, &tensors, &pool, Isa::detect());
    for item in 0..3 {
        let part = |given: &Given| match given {
            Given::F32(values) => {
                let len = values.len() / 3;
                Given::F32(values[item * len..(item + 1) * len].to_vec())
            }
            Given::I32(_) => unreachable!("a UNet takes numbers"),
        };
        let given: Vec<_> = all.iter().map(part).collect();
        let alone = single.run(&pool, &given).remove(0);
        let len = alone.len();
        assert_eq!(bits(&[alone]), bits(&[together[item * len..(item + 1) * len].to_vec()]));
    }
}
