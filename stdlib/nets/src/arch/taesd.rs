//! TAESD, the tiny autoencoder for Stable Diffusion (Bohan 2023): residual blocks of three convolutions, 64 channels
//! throughout. Files name the modules of each half by their positions; what has no weights is told by what follows.

use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};
use crate::real::Real;

/// Positions without a tensor behind which a half of the network has ended.
const GAP: usize = 3;

/// The decoder for `batch` latents of `height` x `width`.
///
/// Input: `latent f32[batch, c, height, width]`, unscaled; the network reads it multiplied by `scale`. Output:
/// `image f32[batch, 8 height, 8 width, 3]`, 0 to 1.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn taesd_decoder(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
    scale: Real,
) -> Result<Builder<'_>, BuildError> {
    // Position 0 is the clamp.
    let channels = b.weights().dim("1.weight", 1)?;
    let latent = b.input("latent", Element::F32, vec![batch, channels, height, width]);
    let z = b.apply(OpKind::NchwToNhwc, &[latent])?;
    let z = b.apply(multiply(scale.get() / 3.0), &[z])?;
    // 3 tanh(z / 3): a clamp without corners.
    let z = b.activate(Activation::Tanh, z)?;
    let mut h = b.apply(multiply(3.0), &[z])?;
    for position in positions(&b, 1) {
        let path = position.to_string();
        h = if b.weights().has(&format!("{path}.conv.0.weight")) {
            residual_block(&mut b, &path, h)?
        } else {
            // Only the convolutions behind an upsampling have no bias, and only the first of the others is activated.
            if !b.weights().has(&format!("{path}.bias")) {
                let [height, width] = [1, 2].map(|dimension| b.shape(h)[dimension].saturating_mul(2));
                h = b.apply(OpKind::UpsampleNearest { height, width }, &[h])?;
            }
            let y = b.conv2d(&path, h, 1, Padding::all(1))?;
            if position == 1 { b.activate(Activation::Relu, y)? } else { y }
        };
    }
    let image = b.apply(OpKind::Affine { add: 0.0, mul: 1.0, clamp: Some((0.0, 1.0)) }, &[h])?;
    b.output("image", image);
    Ok(b)
}

/// The encoder for `batch` pictures of `height` x `width`, both multiples of 8.
///
/// Input: `image f32[batch, height, width, 3]`, 0 to 1. Output: `latent f32[batch, c, height / 8, width / 8]`, unscaled:
/// what the network gives, divided by `scale`.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn taesd_encoder(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
    scale: Real,
) -> Result<Builder<'_>, BuildError> {
    let channels = b.weights().dim("0.weight", 1)?;
    let mut h = b.input("image", Element::F32, vec![batch, height, width, channels]);
    for position in positions(&b, 0) {
        let path = position.to_string();
        h = if b.weights().has(&format!("{path}.conv.0.weight")) {
            residual_block(&mut b, &path, h)?
        } else {
            // Only those that halve the picture have no bias.
            let stride = if b.weights().has(&format!("{path}.bias")) { 1 } else { 2 };
            b.conv2d(&path, h, stride, Padding::all(1))?
        };
    }
    let latent = b.apply(multiply(1.0 / scale.get()), &[h])?;
    let latent = b.apply(OpKind::NhwcToNchw, &[latent])?;
    b.output("latent", latent);
    Ok(b)
}

/// Positions of modules with weights, from `first` on.
fn positions(b: &Builder<'_>, first: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut position = first;
    let mut missing = 0;
    while missing < GAP {
        if b.weights().has_prefix(&format!("{position}.")) {
            found.push(position);
            missing = 0;
        } else {
            missing += 1;
        }
        position += 1;
    }
    found
}

fn residual_block(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let h = b.conv2d(&format!("{path}.conv.0"), x, 1, Padding::all(1))?;
    let h = b.activate(Activation::Relu, h)?;
    let h = b.conv2d(&format!("{path}.conv.2"), h, 1, Padding::all(1))?;
    let h = b.activate(Activation::Relu, h)?;
    let h = b.conv2d(&format!("{path}.conv.4"), h, 1, Padding::all(1))?;
    let skip = format!("{path}.skip");
    let x = if b.weights().has(&format!("{skip}.weight")) { b.linear(&skip, x)? } else { x };
    let sum = b.add(h, x)?;
    b.activate(Activation::Relu, sum)
}

fn multiply(factor: f64) -> OpKind {
    OpKind::Affine { add: 0.0, mul: factor as f32, clamp: None }
}
