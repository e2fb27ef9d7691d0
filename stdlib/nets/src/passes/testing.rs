//! What the tests of passes share: a small file, a program over it, and one check.

use std::collections::BTreeMap;

use floe_formats::{DType, Header, TensorInfo};

use super::Pass;
use crate::builder::{BuildError, Builder};
use crate::ir::{Element, Program, ValueId};
use crate::weights::Weights;

/// A program from `x f32[1, 2, 2, 4]` through `body` to its output, over a file of a few small tensors.
pub(super) fn program(
    body: impl FnOnce(&mut Builder<'_>, ValueId) -> Result<ValueId, BuildError>,
) -> Program {
    let tensors: [(&str, &[usize]); 6] = [
        ("conv.weight", &[4, 4, 3, 3]),
        ("conv.bias", &[4]),
        ("linear.weight", &[4, 4]),
        ("linear.bias", &[4]),
        ("norm.weight", &[4]),
        ("norm.bias", &[4]),
    ];
    let info = |shape: &[usize]| TensorInfo::new(DType::F32, shape.to_vec(), 0).expect("it is small");
    let tensors: BTreeMap<_, _> = tensors.iter().map(|&(key, shape)| (key.to_owned(), info(shape))).collect();
    let header = Header { tensors, ..Header::default() };
    let mut b = Builder::new("test".to_owned(), Weights { header: &header, prefix: "" });
    let x = b.input("x", Element::F32, vec![1, 2, 2, 4]);
    let y = body(&mut b, x).expect("the test's program fits its file");
    b.output("y", y);
    b.finish()
}

/// Runs one pass, proves the result valid and the pass idempotent, and shows before and after as one text.
#[track_caller]
pub(super) fn check(pass: Pass, mut program: Program) -> String {
    program.verify().expect("the builder makes valid programs");
    let before = program.to_string();
    let rewrites = pass(&mut program);
    program.verify().expect("the pass keeps the program valid");
    let after = program.to_string();
    assert_eq!(rewrites == 0, before == after, "0 rewrites promise an unchanged program");
    assert_eq!(pass(&mut program), 0, "the pass is idempotent");
    format!("---- before\n{before}---- after {rewrites} rewrites\n{after}")
}
