//! The shape rule of every operation: the only place that says which shapes fit.

use super::{OpKind, Value, Weight};

/// The shape of an operation's result.
///
/// # Errors
/// In words, if inputs or weights do not fit the operation.
pub fn infer(kind: &OpKind, inputs: &[&Value], weights: &[&Weight]) -> Result<Vec<usize>, String> {
    let (wanted_inputs, wanted_weights) = arity(kind);
    if inputs.len() != wanted_inputs || weights.len() != wanted_weights {
        return Err(format!(
            "takes {wanted_inputs} values and {wanted_weights} weights, is given {} and {}",
            inputs.len(),
            weights.len()
        ));
    }
    let x = inputs[0];
    let shape = || x.shape.clone();
    let last_is = |channels: usize| {
        if x.channels() == channels { Ok(shape()) } else { Err(misfit("channels", x.channels(), channels)) }
    };
    match kind {
        OpKind::Conv2d { stride, padding } => {
            let [n, height, width, channels] = rank(x)?;
            let &[out, channels_in, kernel_h, kernel_w] = weights[0].shape.as_slice() else {
                return Err(format!("the weight has rank {}, not 4", weights[0].shape.len()));
            };
            if channels != channels_in {
                return Err(misfit("channels", channels, channels_in));
            }
            let extent = |size: usize, kernel: usize| {
                (size + padding.before + padding.after)
                    .checked_sub(kernel)
                    .map(|room| room / stride + 1)
                    .ok_or_else(|| format!("the kernel of {kernel} is larger than the picture of {size}"))
            };
            Ok(vec![n, extent(height, kernel_h)?, extent(width, kernel_w)?, out])
        }
        OpKind::Linear => {
            let [out, channels] = joined(weights[0])?;
            let mut result = last_is(channels)?;
            if let Some(last) = result.last_mut() {
                *last = out;
            }
            Ok(result)
        }
        OpKind::AddBias => last_is(vector(weights[0])?),
        OpKind::GroupNorm { groups, .. } => {
            if *groups == 0 || !x.channels().is_multiple_of(*groups) {
                return Err(format!("{} channels do not split into {groups} groups", x.channels()));
            }
            vector(weights[1])?;
            last_is(vector(weights[0])?)
        }
        OpKind::LayerNorm { .. } => {
            vector(weights[1])?;
            last_is(vector(weights[0])?)
        }
        OpKind::Add => same(x, inputs[1]).map(|()| shape()),
        OpKind::AddRow => {
            let [n, channels] = rank(inputs[1])?;
            if x.shape.first() != Some(&n) {
                return Err(misfit("items", x.shape.first().copied().unwrap_or(0), n));
            }
            last_is(channels)
        }
        OpKind::AddPosition => {
            let [_, tokens, _] = rank(x)?;
            let [positions, channels] = matrix(weights[0])?;
            if tokens > positions {
                return Err(format!("{tokens} tokens, but only {positions} positions"));
            }
            last_is(channels)
        }
        OpKind::Activate(_) | OpKind::Affine { .. } => Ok(shape()),
        OpKind::Geglu => {
            if !x.channels().is_multiple_of(2) {
                return Err(format!("{} channels do not split in two", x.channels()));
            }
            let mut result = shape();
            if let Some(last) = result.last_mut() {
                *last /= 2;
            }
            Ok(result)
        }
        OpKind::Attention { heads, .. } => {
            let (k, v) = (inputs[1], inputs[2]);
            same(k, v)?;
            if *heads == 0 || !x.channels().is_multiple_of(*heads) {
                return Err(format!("{} channels do not split into {heads} heads", x.channels()));
            }
            if k.shape.first() != x.shape.first() {
                return Err("queries and keys have different batches".to_owned());
            }
            last_is(k.channels())
        }
        OpKind::Concat => {
            let y = inputs[1];
            if x.rows() != y.rows() || x.shape.len() != y.shape.len() {
                return Err(format!("{:?} and {:?} differ before their last dimension", x.shape, y.shape));
            }
            let mut result = shape();
            if let Some(last) = result.last_mut() {
                *last += y.channels();
            }
            Ok(result)
        }
        OpKind::UpsampleNearest { height, width } => {
            let [n, _, _, channels] = rank(x)?;
            Ok(vec![n, *height, *width, channels])
        }
        OpKind::Embedding => {
            let [_, channels] = matrix(weights[0])?;
            let mut result = shape();
            result.push(channels);
            Ok(result)
        }
        OpKind::EmbeddingExtra => {
            let [_, channels] = matrix(weights[0])?;
            let [_, extra] = rank(inputs[1])?;
            if extra != channels {
                return Err(misfit("channels", extra, channels));
            }
            let mut result = shape();
            result.push(channels);
            Ok(result)
        }
        OpKind::TimestepEmbedding { channels, .. } => {
            let (n, numbers) = match *x.shape.as_slice() {
                [n] => (n, 1),
                [n, numbers] => (n, numbers),
                _ => return Err(format!("a value of rank {} where rank 1 or 2 is wanted", x.shape.len())),
            };
            if channels.is_multiple_of(2) {
                Ok(vec![n, numbers.saturating_mul(*channels)])
            } else {
                Err("odd number of channels".to_owned())
            }
        }
        OpKind::NchwToNhwc => {
            let [n, channels, height, width] = rank(x)?;
            Ok(vec![n, height, width, channels])
        }
        OpKind::NhwcToNchw => {
            let [n, height, width, channels] = rank(x)?;
            Ok(vec![n, channels, height, width])
        }
        OpKind::Narrow { start, channels } => {
            if start + channels > x.channels() {
                return Err(misfit("channels", x.channels(), start + channels));
            }
            let mut result = shape();
            if let Some(last) = result.last_mut() {
                *last = *channels;
            }
            Ok(result)
        }
        OpKind::GatherRow => {
            let [n, _, channels] = rank(x)?;
            let [rows] = rank(inputs[1])?;
            if n == rows { Ok(vec![n, channels]) } else { Err(misfit("items", n, rows)) }
        }
        OpKind::TakeToken { index } => {
            let [n, tokens, channels] = rank(x)?;
            if *index >= tokens {
                return Err(format!("there is no token {index} among {tokens}"));
            }
            Ok(vec![n, channels])
        }
        OpKind::PrependToken => {
            let [n, .., channels] = *x.shape.as_slice() else {
                return Err("a value without tokens".to_owned());
            };
            last_is(vector(weights[0])?)?;
            Ok(vec![n, 1 + x.rows() / n.max(1), channels])
        }
        OpKind::PixelUnshuffle { factor } => unshuffled(rank(x)?, *factor),
        OpKind::Reframe { height, width } => {
            let [n, from_height, from_width, channels] = rank(x)?;
            for (from, to) in [(from_height, *height), (from_width, *width)] {
                if to == 0 || to > (2 * from).saturating_sub(1) {
                    return Err(format!("{from} pixels cannot be cut or mirrored to {to}"));
                }
            }
            Ok(vec![n, *height, *width, channels])
        }
        OpKind::MeanPool { padding: [rows, columns] } => {
            let [n, height, width, channels] = rank(x)?;
            let halve = |size: usize, padding: usize| match (size + 2 * padding) / 2 {
                0 => Err(format!("a block of 2 pixels is larger than the picture of {size}")),
                half => Ok(half),
            };
            Ok(vec![n, halve(height, *rows)?, halve(width, *columns)?, channels])
        }
        OpKind::Resize { height, width, .. } => {
            let [n, from_height, from_width, channels] = rank(x)?;
            if [*height, *width, from_height, from_width].contains(&0) {
                return Err("a picture without pixels".to_owned());
            }
            Ok(vec![n, *height, *width, channels])
        }
        OpKind::ScaleChannels { channels, .. } | OpKind::ScaleByMean { channels, .. } => {
            if *channels > x.channels() {
                return Err(misfit("channels", x.channels(), *channels));
            }
            Ok(shape())
        }
        OpKind::ScaleLowest { .. } => rank::<4>(x).map(|_| shape()),
        OpKind::AttentionReceived { heads, .. } => {
            let k = inputs[1];
            let items = x.shape.first().copied().unwrap_or(0);
            if *heads == 0 || !x.channels().is_multiple_of(*heads) {
                return Err(format!("{} channels do not split into {heads} heads", x.channels()));
            }
            if k.shape.first() != Some(&items) {
                return Err("queries and keys have different batches".to_owned());
            }
            last_is(k.channels())?;
            Ok(vec![items, k.rows() / items.max(1)])
        }
    }
}

/// Values and weights that an operation takes.
fn arity(kind: &OpKind) -> (usize, usize) {
    match kind {
        OpKind::Conv2d { .. }
        | OpKind::Linear
        | OpKind::AddBias
        | OpKind::AddPosition
        | OpKind::PrependToken
        | OpKind::Embedding => (1, 1),
        OpKind::EmbeddingExtra => (2, 1),
        OpKind::GroupNorm { .. } | OpKind::LayerNorm { .. } => (1, 2),
        OpKind::Add
        | OpKind::AddRow
        | OpKind::Concat
        | OpKind::GatherRow
        | OpKind::AttentionReceived { .. } => (2, 0),
        OpKind::Attention { .. } => (3, 0),
        OpKind::Activate(_)
        | OpKind::Geglu
        | OpKind::UpsampleNearest { .. }
        | OpKind::TimestepEmbedding { .. }
        | OpKind::NchwToNhwc
        | OpKind::NhwcToNchw
        | OpKind::Affine { .. }
        | OpKind::Narrow { .. }
        | OpKind::TakeToken { .. }
        | OpKind::PixelUnshuffle { .. }
        | OpKind::Reframe { .. }
        | OpKind::MeanPool { .. }
        | OpKind::Resize { .. }
        | OpKind::ScaleChannels { .. }
        | OpKind::ScaleByMean { .. }
        | OpKind::ScaleLowest { .. } => (1, 0),
    }
}

fn unshuffled([n, height, width, channels]: [usize; 4], factor: usize) -> Result<Vec<usize>, String> {
    if factor == 0 || !height.is_multiple_of(factor) || !width.is_multiple_of(factor) {
        return Err(format!("{height}x{width} pixels do not split into blocks of {factor}x{factor}"));
    }
    let deeper = channels.saturating_mul(factor).saturating_mul(factor);
    Ok(vec![n, height / factor, width / factor, deeper])
}

fn misfit(what: &str, got: usize, want: usize) -> String {
    format!("{got} {what} where {want} are wanted")
}

fn rank<const N: usize>(value: &Value) -> Result<[usize; N], String> {
    value
        .shape
        .as_slice()
        .try_into()
        .map_err(|_| format!("a value of rank {} where rank {N} is wanted", value.shape.len()))
}

fn vector(weight: &Weight) -> Result<usize, String> {
    match *weight.shape.as_slice() {
        [channels] => Ok(channels),
        _ => Err(format!("the weight has shape {:?}, not [channels]", weight.shape)),
    }
}

/// A weight as a matrix, the dimensions behind the first being one.
fn joined(weight: &Weight) -> Result<[usize; 2], String> {
    match weight.shape.split_first() {
        Some((&rows, rest)) if !rest.is_empty() => Ok([rows, rest.iter().product()]),
        _ => Err(format!("the weight has shape {:?}, not [out, in]", weight.shape)),
    }
}

/// A weight as a table `[rows, columns]`.
fn matrix(weight: &Weight) -> Result<[usize; 2], String> {
    match *weight.shape.as_slice() {
        [rows, columns] => Ok([rows, columns]),
        _ => Err(format!("the weight has shape {:?}, not [rows, columns]", weight.shape)),
    }
}

fn same(a: &Value, b: &Value) -> Result<(), String> {
    if a.shape == b.shape { Ok(()) } else { Err(format!("shapes {:?} and {:?} differ", a.shape, b.shape)) }
}
