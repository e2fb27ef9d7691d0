//! Weights on a device: each tensor of the file is sent once and converted there.

use std::collections::BTreeMap;

use burn::tensor::{DType as BurnType, FloatDType, Tensor, TensorData};
use floe_formats::{DType, Header};
use floe_nets::ir::{Op, OpKind, Program, Weight};
use half::{bf16, f16};

use super::device::caught;
use super::{BurnDevice, BurnError};

/// What operations need a weight as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// As stored: `[c]` as one row, or a table `[rows, c]`.
    Table,
    /// The same in f32, whatever the precision: norms are computed in f32.
    Norm,
    /// `[o, i]` (or `[o, i, 1, 1]`) seen as `[i, o]`.
    Product,
    /// `[o, i, kh, kw]` whose bytes lie as `[o, kh, kw, i]`, as channels-last convolutions read them.
    Kernel,
}

/// A weight on the device.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Matrix(Tensor<2>),
    Kernel(Tensor<4>),
}

/// The weights of one file on a device, shared by the executables of its programs.
#[derive(Debug)]
pub struct BurnWeights {
    pub(super) device: BurnDevice,
    pub(super) precision: FloatDType,
    tensors: BTreeMap<(String, Role), Stored>,
}

impl BurnWeights {
    /// Sends what `programs` read from the file `bytes` to `device`, as numbers of type `precision` (f32, f16 or
    /// bf16), which is also what values are computed in: sums, norms, activations and softmax stay f32.
    ///
    /// On GPUs, f32 is the storage: products may go through tensor cores, whose operands are TF32 (f16 in
    /// attention).
    ///
    /// # Errors
    /// If a weight is not in the file as its program says, or the device cannot take it.
    pub fn upload(
        bytes: &[u8],
        header: &Header,
        programs: &[&Program],
        device: &BurnDevice,
        precision: DType,
    ) -> Result<BurnWeights, BurnError> {
        let precision = float_type(device, precision)?;
        let mut weights = BurnWeights { device: device.clone(), precision, tensors: BTreeMap::new() };
        for program in programs {
            for op in &program.ops {
                for (weight, role) in roles(program, op) {
                    weights.add(bytes, header, weight, role)?;
                }
            }
        }
        // Conversions that fail should fail here.
        let failed = |reason: String| BurnError::Unusable { device: device.name().to_owned(), reason };
        let synced = caught(|| device.device.sync()).map_err(failed)?;
        synced.map_err(|error| device.lost(&error).unwrap_or_else(|| failed(error.to_string())))?;
        Ok(weights)
    }

    fn add(&mut self, bytes: &[u8], header: &Header, weight: &Weight, role: Role) -> Result<(), BurnError> {
        let key = (weight.key.clone(), role);
        if self.tensors.contains_key(&key) {
            return Ok(());
        }
        let fail = |reason: String| BurnError::Weight { key: weight.key.clone(), reason };
        let data = read(bytes, header, weight).map_err(fail)?;
        let stored = caught(|| self.place(data, weight, role)).map_err(fail)?;
        self.tensors.insert(key, stored);
        Ok(())
    }

    fn place(&self, data: TensorData, weight: &Weight, role: Role) -> Stored {
        let stored_as = data.dtype();
        let precision = if role == Role::Norm { FloatDType::F32 } else { self.precision };
        if role == Role::Kernel {
            let x = Tensor::<4>::from_data(data, (&self.device.device, stored_as)).cast(precision);
            let [o, i, height, width] = x.dims();
            // Flattening what is permuted copies it into the new order; the permutation back is only a view.
            let rows = x.permute([0, 2, 3, 1]).reshape([o, height * width * i]);
            return Stored::Kernel(rows.reshape([o, height, width, i]).permute([0, 3, 1, 2]));
        }
        let (rows, columns) = match *weight.shape.as_slice() {
            [rows, ref rest @ ..] if !rest.is_empty() => (rows, rest.iter().product()),
            _ => (1, weight.shape.iter().product::<usize>()),
        };
        let flat = Tensor::<1>::from_data(flatten(data), (&self.device.device, stored_as)).cast(precision);
        let matrix = flat.reshape([rows, columns]);
        Stored::Matrix(if role == Role::Product { matrix.transpose() } else { matrix })
    }

    pub(super) fn get(&self, weight: &Weight, role: Role) -> Option<Stored> {
        self.tensors.get(&(weight.key.clone(), role)).cloned()
    }
}

/// Every weight that an operation reads, its bias last, and what as.
pub(super) fn roles<'a>(program: &'a Program, op: &'a Op) -> impl Iterator<Item = (&'a Weight, Role)> {
    let role = match op.kind {
        OpKind::Conv2d { .. } => Role::Kernel,
        OpKind::Linear => Role::Product,
        OpKind::GroupNorm { .. } | OpKind::LayerNorm { .. } => Role::Norm,
        _ => Role::Table,
    };
    let weights = op.weights.iter().map(move |&id| (&program.weights[id], role));
    weights.chain(op.epilogue.bias.map(|id| (&program.weights[id], Role::Table)))
}

fn float_type(device: &BurnDevice, precision: DType) -> Result<FloatDType, BurnError> {
    let fail = || BurnError::Precision { device: device.name().to_owned(), precision: precision.to_string() };
    let (float, burn) = match precision {
        DType::F32 => (FloatDType::F32, BurnType::F32),
        DType::F16 => (FloatDType::F16, BurnType::F16),
        DType::Bf16 => (FloatDType::BF16, BurnType::BF16),
        _ => return Err(fail()),
    };
    let supported = caught(|| device.device.supports_dtype(burn))
        .map_err(|reason| BurnError::Unusable { device: device.name().to_owned(), reason })?;
    if supported { Ok(float) } else { Err(fail()) }
}

/// A weight's numbers as the file has them.
fn read(bytes: &[u8], header: &Header, weight: &Weight) -> Result<TensorData, String> {
    let info = header.tensors.get(&weight.key).ok_or("it is not in the file")?;
    if info.dtype != weight.dtype || info.shape != weight.shape {
        return Err(format!(
            "the program wants {}{:?}, the file has {}{:?}",
            weight.dtype, weight.shape, info.dtype, info.shape
        ));
    }
    let range = usize::try_from(info.start).ok().zip(usize::try_from(info.start + info.bytes).ok());
    let bytes = range.and_then(|(start, end)| bytes.get(start..end)).ok_or("the file ends before it")?;
    let shape = weight.shape.as_slice();
    if info.transposed {
        let values = info.values(bytes).ok_or("its bytes do not fit its shape")?;
        return Ok(TensorData::new(values, shape));
    }
    let (halves, _) = bytes.as_chunks::<2>();
    let (words, _) = bytes.as_chunks::<4>();
    match info.dtype {
        DType::F32 => Ok(TensorData::new(words.iter().map(|&b| f32::from_le_bytes(b)).collect(), shape)),
        DType::F16 => Ok(TensorData::new(halves.iter().map(|&b| f16::from_le_bytes(b)).collect(), shape)),
        DType::Bf16 => Ok(TensorData::new(halves.iter().map(|&b| bf16::from_le_bytes(b)).collect(), shape)),
        dtype if dtype.is_float() => {
            let values = info.values(bytes).ok_or("its bytes do not fit its shape")?;
            Ok(TensorData::new(values, shape))
        }
        _ => Err("integers are no weights".to_owned()),
    }
}

fn flatten(data: TensorData) -> TensorData {
    let elements = data.num_elements();
    let (bytes, _, dtype) = data.into_parts();
    TensorData::from_bytes(bytes, [elements], dtype)
}
