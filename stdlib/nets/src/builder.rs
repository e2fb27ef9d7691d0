//! Writes programs: one method per operation, shapes inferred, weights looked up in a header.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::arena::Arena;
use crate::ir::{
    Activation, Element, Epilogue, Op, OpKind, Padding, Port, Program, Value, ValueId, Weight, WeightId,
    infer,
};
use crate::weights::Weights;

/// Why a checkpoint does not give a program.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A tensor that the architecture needs is not in the file.
    #[error("tensor `{key}` is missing")]
    MissingTensor {
        /// Its name in the file.
        key: String,
    },
    /// A tensor is there, but does not fit where it belongs.
    #[error("tensor `{key}` of shape {shape:?} does not fit: {reason}")]
    Misfit {
        /// Its name in the file.
        key: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Why.
        reason: String,
    },
    /// Sizes that the architecture cannot take.
    #[error("{0}")]
    Size(String),
}

/// A program under construction.
#[derive(Debug)]
pub struct Builder<'a> {
    weights: Weights<'a>,
    program: Program,
    by_key: BTreeMap<String, WeightId>,
}

impl<'a> Builder<'a> {
    /// Starts a program of this name over these tensors.
    pub fn new(name: String, weights: Weights<'a>) -> Self {
        let program = Program {
            name,
            values: Arena::new(),
            weights: Arena::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            ops: Vec::new(),
            placement: None,
            labels: Vec::new(),
        };
        Builder { weights, program, by_key: BTreeMap::new() }
    }

    /// The tensors that the program is built over.
    pub fn weights(&self) -> Weights<'a> {
        self.weights
    }

    /// The shape of a value.
    pub fn shape(&self, value: ValueId) -> &[usize] {
        &self.program.values[value].shape
    }

    /// An input of the program.
    pub fn input(&mut self, name: &str, element: Element, shape: Vec<usize>) -> ValueId {
        let value = self.program.values.push(Value { shape, element });
        self.program.inputs.push(Port { name: name.to_owned(), value });
        value
    }

    /// Makes a value an output of the program.
    pub fn output(&mut self, name: &str, value: ValueId) {
        self.program.outputs.push(Port { name: name.to_owned(), value });
    }

    /// Records the module path of the reference implementation that computes this value.
    pub fn label(&mut self, path: &str, value: ValueId) -> ValueId {
        self.program.labels.push(Port { name: path.to_owned(), value });
        value
    }

    /// The finished program.
    pub fn finish(self) -> Program {
        self.program
    }

    /// A tensor of the file as a weight of the program; each tensor becomes one weight.
    fn weight(&mut self, key: &str) -> Result<WeightId, BuildError> {
        let full = self.weights.name(key);
        if let Some(&id) = self.by_key.get(&full) {
            return Ok(id);
        }
        let info = self.weights.header.tensors.get(&full).ok_or_else(|| self.weights.missing(key))?;
        let weight = Weight { key: full.clone(), dtype: info.dtype, shape: info.shape.clone() };
        let id = self.program.weights.push(weight);
        self.by_key.insert(full, id);
        Ok(id)
    }

    fn op(&mut self, kind: OpKind, inputs: &[ValueId], keys: &[&str]) -> Result<ValueId, BuildError> {
        let weights = keys.iter().map(|key| self.weight(key)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<_> = inputs.iter().map(|&id| &self.program.values[id]).collect();
        let tensors: Vec<_> = weights.iter().map(|&id| &self.program.weights[id]).collect();
        let shape = infer(&kind, &values, &tensors).map_err(|reason| match tensors.first() {
            Some(weight) => {
                BuildError::Misfit { key: weight.key.clone(), shape: weight.shape.clone(), reason }
            }
            None => BuildError::Size(format!("{}: {}: {reason}", self.program.name, kind.name())),
        })?;
        let output = self.program.values.push(Value { shape, element: Element::F32 });
        let (inputs, epilogue) = (inputs.to_vec(), Epilogue::default());
        self.program.ops.push(Op { kind, inputs, weights, epilogue, output, in_place: None });
        Ok(output)
    }

    /// Convolution with `{path}.weight` and, where the file has it, `{path}.bias`.
    pub fn conv2d(
        &mut self,
        path: &str,
        x: ValueId,
        stride: usize,
        padding: Padding,
    ) -> Result<ValueId, BuildError> {
        let y = self.op(OpKind::Conv2d { stride, padding }, &[x], &[&format!("{path}.weight")])?;
        self.bias(path, y)
    }

    /// Linear layer (or 1x1 convolution; the dimensions behind a weight's first are one) with `{path}.weight` and, where the file has it, `{path}.bias`.
    pub fn linear(&mut self, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
        let y = self.op(OpKind::Linear, &[x], &[&format!("{path}.weight")])?;
        self.bias(path, y)
    }

    /// A convolution without padding whose stride is its kernel, with `{path}.weight` and, where the file has it,
    /// `{path}.bias`: patches of pixels as channels, then a linear layer.
    pub fn patches(&mut self, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
        let factor = self.weights.dim(&format!("{path}.weight"), 2)?;
        let x = self.apply(OpKind::PixelUnshuffle { factor }, &[x])?;
        self.linear(path, x)
    }

    fn bias(&mut self, path: &str, y: ValueId) -> Result<ValueId, BuildError> {
        let key = format!("{path}.bias");
        if self.weights.has(&key) { self.op(OpKind::AddBias, &[y], &[&key]) } else { Ok(y) }
    }

    /// Group normalisation with `{path}.weight` and `{path}.bias`.
    pub fn group_norm(
        &mut self,
        path: &str,
        x: ValueId,
        groups: usize,
        epsilon: f32,
    ) -> Result<ValueId, BuildError> {
        let keys = [&*format!("{path}.weight"), &*format!("{path}.bias")];
        self.op(OpKind::GroupNorm { groups, epsilon }, &[x], &keys)
    }

    /// Layer normalisation with `{path}.weight` and `{path}.bias`.
    pub fn layer_norm(&mut self, path: &str, x: ValueId, epsilon: f32) -> Result<ValueId, BuildError> {
        self.op(OpKind::LayerNorm { epsilon }, &[x], &[&format!("{path}.weight"), &format!("{path}.bias")])
    }

    /// Rows of the table `key` by index.
    pub fn embedding(&mut self, key: &str, ids: ValueId) -> Result<ValueId, BuildError> {
        self.op(OpKind::Embedding, &[ids], &[key])
    }

    /// Rows of the table `key` by index, where indices beyond the table name rows of `extra`.
    pub fn embedding_extra(
        &mut self,
        key: &str,
        ids: ValueId,
        extra: ValueId,
    ) -> Result<ValueId, BuildError> {
        self.op(OpKind::EmbeddingExtra, &[ids, extra], &[key])
    }

    /// Puts the vector `key` in front of the tokens of every item.
    pub fn prepend_token(&mut self, key: &str, x: ValueId) -> Result<ValueId, BuildError> {
        self.op(OpKind::PrependToken, &[x], &[key])
    }

    /// Adds the table `key` of positions.
    pub fn add_position(&mut self, key: &str, x: ValueId) -> Result<ValueId, BuildError> {
        self.op(OpKind::AddPosition, &[x], &[key])
    }

    /// `softmax(scale q kᵀ) v` with `scale = 1 / sqrt(channels of a head)`.
    pub fn attention(
        &mut self,
        [q, k, v]: [ValueId; 3],
        heads: usize,
        causal: bool,
    ) -> Result<ValueId, BuildError> {
        let scale = self.scale(q, heads);
        self.op(OpKind::Attention { heads, scale, causal }, &[q, k, v], &[])
    }

    /// How much attention each key gets, with the scale of [`attention`](Self::attention).
    pub fn attention_received(&mut self, [q, k]: [ValueId; 2], heads: usize) -> Result<ValueId, BuildError> {
        let scale = self.scale(q, heads);
        self.op(OpKind::AttentionReceived { heads, scale }, &[q, k], &[])
    }

    /// `1 / sqrt(channels of a head)`.
    fn scale(&self, q: ValueId, heads: usize) -> f32 {
        let channels = self.program.values[q].channels() / heads.max(1);
        1.0 / (channels.max(1) as f32).sqrt()
    }

    /// An operation without weights.
    pub fn apply(&mut self, kind: OpKind, inputs: &[ValueId]) -> Result<ValueId, BuildError> {
        self.op(kind, inputs, &[])
    }

    /// An activation.
    pub fn activate(&mut self, activation: Activation, x: ValueId) -> Result<ValueId, BuildError> {
        self.op(OpKind::Activate(activation), &[x], &[])
    }

    /// Sum of two values.
    pub fn add(&mut self, x: ValueId, y: ValueId) -> Result<ValueId, BuildError> {
        self.op(OpKind::Add, &[x, y], &[])
    }
}
