//! Networks of tiny models, run with all passes on the CPU engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::{Contents, Header, Role, header_len};
use floe_nets::ir::{Element, Program};
use floe_nets::{PassSet, ProgramSpec, Weights};
use floe_tensor::{Executable, Input, Isa, MappedFile, Pool, Slab, WeightStore};
use floe_testing::{assert_close, model, tensors, tolerance};

/// Shapes and values by name.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A model file, and the tensors of one of its networks under canonical names.
pub(crate) struct Network {
    file: Arc<MappedFile>,
    header: Header,
}

/// The network of this role in the file of a recipe.
pub(crate) fn network(recipe: &str, role: Role) -> Network {
    let file = MappedFile::open(&model(recipe)).unwrap();
    let bytes = file.bytes();
    let len = usize::try_from(header_len(bytes).unwrap()).unwrap();
    let header = Header::parse(&bytes[..len], bytes.len() as u64).unwrap();
    let contents = Contents::of(&header).unwrap();
    let header = contents.component(role).unwrap_or_else(|| panic!("{recipe} has no {role}")).tensors.clone();
    Network { file, header }
}

/// An input of a program.
pub(crate) enum Given {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

impl Network {
    pub(crate) fn program(&self, spec: ProgramSpec) -> Program {
        spec.build(Weights { header: &self.header, prefix: "" }).unwrap()
    }

    /// Why there is no such program.
    pub(crate) fn error(&self, spec: ProgramSpec) -> String {
        spec.build(Weights { header: &self.header, prefix: "" }).unwrap_err().to_string()
    }

    /// How many rows a tensor has, and one of them.
    pub(crate) fn row(&self, name: &str, row: usize) -> (usize, Vec<f32>) {
        let info = &self.header.tensors[name];
        let start = info.start as usize;
        let values = info.values(&self.file.bytes()[start..start + info.bytes as usize]).unwrap();
        let columns = info.shape[1];
        (info.shape[0], values[row * columns..(row + 1) * columns].to_vec())
    }

    /// Runs a program once, with inputs by the names of its ports; outputs by name, with the shapes of its values.
    pub(crate) fn run(&self, program: Program, given: &BTreeMap<&str, Given>) -> Tensors {
        self.run_with(program, PassSet::DEFAULT, given)
    }

    pub(crate) fn run_with(
        &self,
        mut program: Program,
        passes: PassSet,
        given: &BTreeMap<&str, Given>,
    ) -> Tensors {
        passes.run(&mut program);
        let pool = Pool::new(2).unwrap();
        let store = WeightStore::prepare(self.file.clone(), &self.header, &[&program], &pool).unwrap();
        let executable = Executable::new(Arc::new(program), Arc::new(store), Isa::detect()).unwrap();
        let program = executable.program();
        let inputs: Vec<Input<'_>> = program
            .inputs
            .iter()
            .map(|port| match given.get(port.name.as_str()) {
                Some(Given::F32(values)) => Input::F32(values),
                Some(Given::I32(values)) => Input::I32(values),
                None => panic!("nothing is given for `{}`", port.name),
            })
            .collect();
        let mut slab = Slab::new(program.placement.as_ref().unwrap().slab_bytes).unwrap();
        let mut outputs: Vec<Vec<f32>> =
            program.outputs.iter().map(|port| vec![f32::NAN; program.values[port.value].len()]).collect();
        let mut places: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        executable.run(&pool, slab.as_mut_slice(), &inputs, &mut places).unwrap();
        let shapes = program.outputs.iter().map(|port| program.values[port.value].shape.clone());
        let names = program.outputs.iter().map(|port| port.name.clone());
        names.zip(shapes.zip(outputs)).collect()
    }
}

/// Reference results of one component.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) given: Tensors,
    pub(crate) expected: Tensors,
}

pub(crate) fn case(name: &'static str) -> Case {
    let read = |file: &str| tensors(&format!("parity/dev/components/{name}/{file}.safetensors"));
    Case { name, given: read("inputs"), expected: read("expected") }
}

impl Case {
    /// The inputs, each under the name of its port.
    pub(crate) fn inputs(&self) -> BTreeMap<&str, Given> {
        let port =
            |name: &'_ str| if name == "t" { "timesteps" } else { self.given.get_key_value(name).unwrap().0 };
        self.given.iter().map(|(name, (_, values))| (port(name), Given::F32(values.clone()))).collect()
    }

    pub(crate) fn shape(&self, name: &str) -> [usize; 4] {
        self.given[name].0.as_slice().try_into().unwrap()
    }

    /// Compares an output, which may be channels-last where the reference is channels-first.
    #[track_caller]
    pub(crate) fn check(&self, name: &str, (shape, got): &(Vec<usize>, Vec<f32>)) {
        let (wanted, want) = &self.expected[name];
        let got = match (shape.as_slice(), wanted.as_slice()) {
            (got_shape, wanted) if got_shape == wanted => got.clone(),
            (&[n, h, w, c], wanted) if wanted == [n, c, h, w] => nchw(got, [n, h, w, c]),
            (got, wanted) => panic!("{name} has shape {got:?}, the reference {wanted:?}"),
        };
        let label = format!("{} {name}", self.name);
        assert_close(&label, &got, want, tolerance(self.name, "rel"), tolerance(self.name, "abs"));
    }
}

/// `[n, h, w, c]` to `[n, c, h, w]`.
pub(crate) fn nchw(values: &[f32], [n, h, w, c]: [usize; 4]) -> Vec<f32> {
    permuted(
        values,
        |i| {
            let (x, y, channel, item) = (i % w, i / w % h, i / (w * h) % c, i / (w * h * c));
            ((item * h + y) * w + x) * c + channel
        },
        n * h * w * c,
    )
}

/// `[n, c, h, w]` to `[n, h, w, c]`.
pub(crate) fn nhwc(values: &[f32], [n, c, h, w]: [usize; 4]) -> Vec<f32> {
    permuted(
        values,
        |i| {
            let (channel, x, y, item) = (i % c, i / c % w, i / (c * w) % h, i / (c * w * h));
            ((item * c + channel) * h + y) * w + x
        },
        n * h * w * c,
    )
}

fn permuted(values: &[f32], from: impl Fn(usize) -> usize, count: usize) -> Vec<f32> {
    (0..count).map(|index| values[from(index)]).collect()
}

/// Numbers for every input of a program.
pub(crate) fn numbers_for(program: &Program) -> BTreeMap<&str, Given> {
    let make = |(index, port): (usize, &'_ floe_nets::ir::Port)| {
        let value = &program.values[port.value];
        let numbers = floe_testing::numbers(index as u64, value.len());
        match value.element {
            Element::F32 => Given::F32(numbers),
            Element::I32 => Given::I32(numbers.iter().map(|x| (x.abs() * 77.0) as i32).collect()),
        }
    };
    program.inputs.iter().enumerate().map(|(i, port)| (port.name.as_str(), make((i, port)))).collect()
}
