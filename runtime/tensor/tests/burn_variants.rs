//! Operations of encoders of pictures, adapters, upscalers and patches: the burn engine against the CPU engine, which is
//! compared with their definitions elsewhere.
#![cfg(feature = "burn")]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use floe_formats::DType;
use floe_nets::PassSet;
use floe_nets::ir::{Activation, Element, OpKind, Resample};
use floe_tensor::burn_engine::{BurnDevice, BurnExecutable};
use floe_tensor::{Input, Isa, Pool};
use floe_testing::{assert_close, numbers};
use support::check::{Body, Stored, program, stored};
use support::{Given, ready};

/// Runs a program of these inputs on both engines.
#[track_caller]
fn compare(name: &str, stored: &Stored, inputs: &[(Element, Vec<usize>)], given: &[Given], body: Body<'_>) {
    let mut program = program(&stored.header, inputs, body);
    PassSet::DEFAULT.run(&mut program);
    let pool = Pool::new(1).unwrap();
    let want = ready(program.clone(), &stored.file, &stored.header, &pool, Isa::detect())
        .run(&pool, given)
        .remove(0);
    let bytes = stored.file.bytes();
    let executable =
        BurnExecutable::new(Arc::new(program), bytes, &stored.header, &BurnDevice::cpu(), DType::F32)
            .unwrap();
    let mut got = vec![f32::NAN; want.len()];
    let views: Vec<Input<'_>> = given.iter().map(Given::input).collect();
    executable.run(&views, &mut [&mut got]).unwrap();
    assert_close(name, &got, &want, 1e-5, 0.0);
}

/// The same for one operation on one picture or several values.
#[track_caller]
fn one(kind: &OpKind, shapes: &[Vec<usize>]) {
    let inputs: Vec<_> = shapes.iter().map(|shape| (Element::F32, shape.clone())).collect();
    let given: Vec<_> = shapes
        .iter()
        .enumerate()
        .map(|(seed, shape)| Given::F32(numbers(seed as u64, shape.iter().product())))
        .collect();
    compare(kind.name(), &stored(&[]), &inputs, &given, &|b, x| b.apply(kind.clone(), x));
}

#[test]
fn pictures_change_size_as_on_the_cpu() {
    let shape = [vec![2, 6, 8, 5]];
    one(&OpKind::PixelUnshuffle { factor: 2 }, &shape);
    one(&OpKind::Reframe { height: 11, width: 3 }, &shape);
    one(&OpKind::MeanPool { padding: [0, 0] }, &shape);
    one(&OpKind::MeanPool { padding: [1, 0] }, &[vec![1, 5, 4, 3]]);
    for method in [Resample::Bilinear, Resample::Bicubic, Resample::NearestExact, Resample::Area] {
        one(&OpKind::Resize { method, height: 9, width: 5 }, &shape);
        one(&OpKind::Resize { method, height: 3, width: 16 }, &shape);
    }
}

#[test]
fn patches_of_blocks_compute_as_on_the_cpu() {
    let shape = [vec![2, 6, 7, 10]];
    one(&OpKind::ScaleChannels { channels: 5, factor: 1.3 }, &shape);
    one(&OpKind::ScaleByMean { channels: 5, factor: 1.3 }, &shape);
    one(&OpKind::ScaleByMean { channels: 10, factor: 0.7 }, &shape);
    one(&OpKind::ScaleLowest { factor: 0.2 }, &shape);
    one(&OpKind::ScaleLowest { factor: 0.2 }, &[vec![1, 1, 7, 3]]);
    one(&OpKind::AttentionReceived { heads: 2, scale: 0.3 }, &[vec![2, 5, 8], vec![2, 7, 8]]);
}

#[test]
fn tokens_move_as_on_the_cpu() {
    one(&OpKind::TakeToken { index: 2 }, &[vec![2, 5, 3]]);
    one(&OpKind::TimestepEmbedding { channels: 6, max_period: 100.0 }, &[vec![2, 3]]);
    let stored = stored(&[("first", DType::F16, &[3]), ("table", DType::F32, &[4, 3])]);
    let picture = [(Element::F32, vec![2, 2, 2, 3])];
    compare("prepend-token", &stored, &picture, &[Given::F32(numbers(1, 24))], &|b, x| {
        b.prepend_token("first", x[0])
    });
    let inputs = [(Element::I32, vec![1, 5]), (Element::F32, vec![2, 3])];
    let given = [Given::I32(vec![0, 5, 3, 4, 1]), Given::F32(numbers(2, 6))];
    compare("embedding-extra", &stored, &inputs, &given, &|b, x| b.embedding_extra("table", x[0], x[1]));
}

#[test]
fn activations_are_those_of_the_cpu() {
    for activation in [Activation::Gelu, Activation::Relu, Activation::LeakyRelu, Activation::Tanh] {
        one(&OpKind::Activate(activation), &[vec![2, 9, 5]]);
    }
}
