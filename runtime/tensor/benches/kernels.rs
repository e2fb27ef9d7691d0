//! The engine on one and two threads, and the `gemm` crate as its peer in matrix products.
#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use floe_formats::{Contents, DType, Header, TensorInfo};
use floe_nets::arch::UnetOptions;
use floe_nets::ir::{Element, Padding, Program, ValueId};
use floe_nets::{BuildError, Builder, PassSet, ProgramSpec, Weights, build_program, cost};
use floe_tensor::{Isa, MappedFile, Pool};
use floe_testing::{numbers, shared};
use support::{Given, open, ready};

/// A file of one weight.
fn file(shape: &[usize]) -> (Arc<MappedFile>, Header) {
    let values = numbers(7, shape.iter().product());
    let path = std::env::temp_dir().join(format!("floe-bench-{}", std::process::id()));
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&path, &bytes).expect("a temporary file");
    let file = MappedFile::open(&path).expect("it can be mapped");
    std::fs::remove_file(&path).expect("and removed");
    let info = TensorInfo::new(DType::F32, shape.to_vec(), 0).expect("it is small");
    let tensors = BTreeMap::from([("w.weight".to_owned(), info)]);
    (file, Header { tensors, file_bytes: bytes.len() as u64, ..Header::default() })
}

fn program(
    header: &Header,
    inputs: &[&[usize]],
    body: impl FnOnce(&mut Builder<'_>, &[ValueId]) -> Result<ValueId, BuildError>,
) -> Program {
    let mut b = Builder::new("bench".to_owned(), Weights { header, prefix: "" });
    let values: Vec<_> = inputs.iter().map(|shape| b.input("x", Element::F32, shape.to_vec())).collect();
    let y = body(&mut b, &values).expect("the shapes fit");
    b.output("y", y);
    b.finish()
}

fn measure(c: &mut Criterion, name: &str, mut program: Program, file: &Arc<MappedFile>, header: &Header) {
    PassSet::DEFAULT.run(&mut program);
    let given = support::inputs(&program, 1, 77);
    let inputs: Vec<_> = given.iter().map(Given::input).collect();
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(cost::cost(&program).flops));
    for threads in [1, 2] {
        let pool = Pool::new(threads).expect("threads");
        let mut ready = ready(program.clone(), file, header, &pool, Isa::detect());
        let mut outputs = ready.run(&pool, &given);
        let mut views: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        group.bench_function(format!("{threads} threads"), |b| {
            b.iter(|| ready.executable.run(&pool, ready.slab.as_mut_slice(), &inputs, &mut views));
        });
    }
    group.finish();
}

/// The `gemm` crate, `[m, k]` by `[n, k]` transposed, as a linear layer has it.
#[allow(unsafe_code)]
fn peer(c: &mut Criterion, [m, k, n]: [usize; 3]) {
    let (a, b, mut d) = (numbers(1, m * k), numbers(2, n * k), vec![0.0_f32; m * n]);
    let mut group = c.benchmark_group(format!("gemm crate {m}x{k}x{n}"));
    group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
    for (name, parallelism) in
        [("1 threads", gemm::Parallelism::None), ("2 threads", gemm::Parallelism::Rayon(2))]
    {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                // SAFETY: the matrices have the sizes and strides given.
                unsafe {
                    gemm::gemm(
                        m,
                        n,
                        k,
                        d.as_mut_ptr(),
                        1,
                        n as isize,
                        false,
                        a.as_ptr(),
                        1,
                        k as isize,
                        b.as_ptr(),
                        k as isize,
                        1,
                        0.0,
                        1.0,
                        false,
                        false,
                        false,
                        parallelism,
                    );
                }
                black_box(&d);
            });
        });
    }
    group.finish();
}

fn main() {
    let mut c = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let (weights, header) = file(&[2560, 320]);
    let linear = program(&header, &[&[4096, 320]], |b, x| b.linear("w", x[0]));
    measure(&mut c, "linear 4096x320x2560", linear, &weights, &header);
    peer(&mut c, [4096, 320, 2560]);
    let (weights, header) = file(&[320, 320, 3, 3]);
    let conv = program(&header, &[&[1, 64, 64, 320]], |b, x| b.conv2d("w", x[0], 1, Padding::all(1)));
    measure(&mut c, "conv 3x3 320-320 64x64", conv, &weights, &header);
    peer(&mut c, [4096, 2880, 320]);
    let shape: &[usize] = &[1, 1024, 320];
    let attention = program(&header, &[shape; 3], |b, x| b.attention([x[0], x[1], x[2]], 8, false));
    measure(&mut c, "attention 8x1024x1024x40", attention, &weights, &header);
    let (weights, header) = open(&shared("demo-model/demo-sd1.safetensors"));
    let contents = Contents::of(&header).expect("a checkpoint");
    for spec in [
        ProgramSpec::Unet { batch: 2, height: 16, width: 24, tokens: 77, options: UnetOptions::default() },
        ProgramSpec::VaeDecode { batch: 1, height: 16, width: 24 },
    ] {
        let network = build_program(spec, &contents).expect("the demo model has it");
        let tensors = &contents.component(spec.role()).expect("the demo model has it").tensors;
        measure(&mut c, &format!("demo {spec}"), network, &weights, tensors);
    }
    c.final_summary();
}
