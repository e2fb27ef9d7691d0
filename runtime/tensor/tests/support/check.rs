//! One operation against its definition in double precision, and against itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use floe_formats::{DType, Header, TensorInfo, element};
use floe_nets::ir::{Element, Program, ValueId};
use floe_nets::{BuildError, Builder, PassSet, Weights};
use floe_tensor::{Isa, MappedFile, Pool};
use floe_testing::{distance, numbers};
use half::{bf16, f16};

use super::{Given, bits, ready};

/// A file of some weights, and the numbers in it as they were stored.
pub struct Stored {
    pub file: Arc<MappedFile>,
    pub header: Header,
    pub values: BTreeMap<String, Vec<f64>>,
}

pub fn stored(tensors: &[(&str, DType, &[usize])]) -> Stored {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    // Bytes that nobody asked for come first, so that nothing is aligned by luck.
    let mut bytes = vec![0_u8; 3];
    let (mut infos, mut all) = (BTreeMap::new(), BTreeMap::new());
    for (index, &(name, dtype, shape)) in tensors.iter().enumerate() {
        let start = bytes.len() as u64;
        let mut kept = Vec::new();
        for value in numbers(100 + index as u64, shape.iter().product()) {
            match dtype {
                DType::F16 => {
                    bytes.extend(f16::from_f32(value).to_le_bytes());
                    kept.push(f16::from_f32(value).to_f64());
                }
                DType::F64 => {
                    bytes.extend(f64::from(value).to_le_bytes());
                    kept.push(f64::from(value));
                }
                DType::F8E4M3 | DType::F8E5M2 => {
                    // Any byte that is a number.
                    let byte = (value.to_bits() >> 8) as u8 & 0xbb;
                    bytes.push(byte);
                    kept.push(f64::from(element(dtype, &[byte])));
                }
                DType::Bf16 => {
                    bytes.extend(bf16::from_f32(value).to_le_bytes());
                    kept.push(bf16::from_f32(value).to_f64());
                }
                _ => {
                    bytes.extend(value.to_le_bytes());
                    kept.push(f64::from(value));
                }
            }
        }
        let info = TensorInfo::new(dtype, shape.to_vec(), start).unwrap();
        infos.insert(name.to_owned(), info);
        all.insert(name.to_owned(), kept);
    }
    let name = format!("floe-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, &bytes).unwrap();
    let file = MappedFile::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let header = Header { tensors: infos, file_bytes: bytes.len() as u64, ..Header::default() };
    Stored { file, header, values: all }
}

pub type Body<'a> = &'a dyn Fn(&mut Builder<'_>, &[ValueId]) -> Result<ValueId, BuildError>;

pub fn program(header: &Header, inputs: &[(Element, Vec<usize>)], body: Body<'_>) -> Program {
    let mut b = Builder::new("test".to_owned(), Weights { header, prefix: "" });
    let values: Vec<_> =
        inputs.iter().map(|(element, shape)| b.input("x", *element, shape.clone())).collect();
    let y = body(&mut b, &values).expect("the shapes fit");
    b.output("y", y);
    b.finish()
}

/// Runs on every instruction set and 1 to 3 threads, fused and not, and proves that the bits are the same.
#[track_caller]
pub fn run(stored: &Stored, inputs: &[(Element, Vec<usize>)], given: &[Given], body: Body<'_>) -> Vec<f32> {
    let mut first: Option<Vec<Vec<f32>>> = None;
    for &isa in Isa::available() {
        for threads in 1..=3 {
            for passes in [PassSet::DEFAULT, PassSet::NAIVE] {
                let mut program = program(&stored.header, inputs, body);
                passes.run(&mut program);
                let pool = Pool::new(threads).unwrap();
                let got = ready(program, &stored.file, &stored.header, &pool, isa).run(&pool, given);
                let want = first.get_or_insert_with(|| got.clone());
                assert!(bits(want) == bits(&got), "{isa} on {threads} threads with passes {passes} differs");
            }
        }
    }
    first.unwrap().remove(0)
}

/// The same, with f32 inputs of these shapes; and if `batched`, the items one by one give the bits of the batch.
#[track_caller]
pub fn compare(
    stored: &Stored,
    shapes: &[Vec<usize>],
    batched: bool,
    body: Body<'_>,
    reference: impl Fn(&[Vec<f64>]) -> Vec<f64>,
) {
    let values: Vec<Vec<f32>> = shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| numbers(index as u64, shape.iter().product()))
        .collect();
    let inputs = |shapes: &[Vec<usize>]| shapes.iter().map(|s| (Element::F32, s.clone())).collect::<Vec<_>>();
    let given: Vec<_> = values.iter().map(|values| Given::F32(values.clone())).collect();
    let got = run(stored, &inputs(shapes), &given, body);
    let exact: Vec<Vec<f64>> = values.iter().map(|x| x.iter().map(|&x| f64::from(x)).collect()).collect();
    let want: Vec<f32> = reference(&exact).into_iter().map(|value| value as f32).collect();
    let (rel, abs) = distance(&got, &want);
    assert!(rel < 2e-6, "off by {rel:.2e}, at most {abs:.2e}: {shapes:?}");
    let batch = shapes[0][0];
    if !batched || batch == 1 {
        return;
    }
    let single: Vec<Vec<usize>> = shapes
        .iter()
        .map(|shape| {
            let mut shape = shape.clone();
            shape[0] = 1;
            shape
        })
        .collect();
    let mut alone = Vec::new();
    for item in 0..batch {
        let part = |values: &Vec<f32>| {
            let len = values.len() / batch;
            Given::F32(values[item * len..(item + 1) * len].to_vec())
        };
        let mut program = program(&stored.header, &inputs(&single), body);
        PassSet::DEFAULT.run(&mut program);
        let pool = Pool::new(1).unwrap();
        let given: Vec<_> = values.iter().map(part).collect();
        alone.extend(
            ready(program, &stored.file, &stored.header, &pool, Isa::detect()).run(&pool, &given).remove(0),
        );
    }
    assert_eq!(bits(&[got]), bits(&[alone]), "a batch differs from its items: {shapes:?}");
}
