//! What the tests share: opening a file, and running a program.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

pub mod check;

use std::path::Path;
use std::sync::Arc;

use floe_formats::{Header, header_len};
use floe_nets::ir::{Element, Program};
use floe_tensor::{Executable, Input, Isa, MappedFile, Pool, Slab, WeightStore};
use floe_testing::numbers;

pub fn open(path: &Path) -> (Arc<MappedFile>, Header) {
    let file = MappedFile::open(path).expect("the file can be mapped");
    let bytes = file.bytes();
    let len = usize::try_from(header_len(bytes).expect("a header")).expect("fits");
    let header = Header::parse(&bytes[..len], bytes.len() as u64).expect("a good header");
    (file, header)
}

/// Inputs of a program by name.
pub enum Given {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

impl Given {
    pub fn input(&self) -> Input<'_> {
        match self {
            Given::F32(values) => Input::F32(values),
            Given::I32(values) => Input::I32(values),
        }
    }
}

/// An executable and the slab it runs in.
pub struct Ready {
    pub executable: Executable,
    pub slab: Slab,
}

pub fn ready(program: Program, file: &Arc<MappedFile>, header: &Header, pool: &Pool, isa: Isa) -> Ready {
    let bytes = program.placement.as_ref().expect("placed").slab_bytes;
    let store = WeightStore::prepare(file.clone(), header, &[&program], pool).expect("weights fit");
    let executable = Executable::new(Arc::new(program), Arc::new(store), isa).expect("the program is sound");
    Ready { executable, slab: Slab::new(bytes).expect("memory") }
}

impl Ready {
    /// Runs with inputs in the order of ports. The slab starts full of NaN: nothing may be read before written.
    pub fn run(&mut self, pool: &Pool, given: &[Given]) -> Vec<Vec<f32>> {
        self.slab.as_mut_slice().fill(f32::NAN);
        let inputs: Vec<_> = given.iter().map(Given::input).collect();
        let program = self.executable.program();
        let mut outputs: Vec<Vec<f32>> =
            program.outputs.iter().map(|port| vec![f32::NAN; program.values[port.value].len()]).collect();
        let mut views: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.executable.run(pool, self.slab.as_mut_slice(), &inputs, &mut views).expect("the run fits");
        outputs
    }
}

/// Inputs of the right sizes; indices below `limit`.
pub fn inputs(program: &Program, seed: u64, limit: i32) -> Vec<Given> {
    let make = |(index, port): (usize, &floe_nets::ir::Port)| {
        let value = &program.values[port.value];
        let numbers = numbers(seed + index as u64, value.len());
        match value.element {
            Element::F32 => Given::F32(numbers),
            Element::I32 => {
                Given::I32(numbers.iter().map(|x| ((x + 1.0) / 2.0 * limit as f32) as i32).collect())
            }
        }
    };
    program.inputs.iter().enumerate().map(make).collect()
}

pub fn bits(values: &[Vec<f32>]) -> Vec<Vec<u32>> {
    values.iter().map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
}
