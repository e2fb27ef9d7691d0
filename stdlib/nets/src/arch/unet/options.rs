//! What changes a U-Net besides its weights: residuals from other networks, and patches of its blocks.

use std::ops::RangeInclusive;

use crate::builder::BuildError;
use crate::ir::Resample;
use crate::real::Real;

/// Factors of [`Downscale`]; below one, the picture grows.
const FACTORS: RangeInclusive<f64> = 0.1..=9.0;

/// Options of a U-Net; the default is the plain network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnetOptions {
    /// Whether it takes the residuals of ControlNets (Zhang et al. 2023): `control.{i} f32[batch, h, w, c]` is added to
    /// the skip of input block `i`, `control.middle` to the result of the middle block.
    pub control: bool,
    /// Whether it takes the features of a T2I-Adapter (Mou et al. 2023): `adapter.{i} f32[batch, h, w, c]` is added to
    /// the result of input block `i`, `adapter.middle` to that of the middle block.
    pub adapter: Option<AdapterKind>,
    /// FreeU (Si et al. 2023).
    pub freeu: Option<FreeU>,
    /// One input block gives a smaller picture.
    pub downscale: Option<Downscale>,
    /// Self-attention of the middle block.
    pub middle: MiddleAttention,
}

/// To which blocks the four features of a T2I-Adapter are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdapterKind {
    /// The last input block of each of four levels: for Stable Diffusion 1.
    Sd,
    /// Input blocks 3, 5 and 8, and the middle block: for Stable Diffusion XL.
    Sdxl,
}

/// Weaker skips and a stronger backbone in the two lowest levels of the output blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FreeU {
    /// Whether the backbone's factor follows the mean of its channels: the second form.
    pub by_mean: bool,
    /// Factor of half of the backbone's channels, where it has four times the model's channels, and twice.
    pub backbone: [Real; 2],
    /// Factor of the skip's lowest frequencies, at the same places.
    pub skip: [Real; 2],
}

/// A smaller picture behind one input block; output blocks bring it back to the size of their skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Downscale {
    /// The input block.
    pub block: usize,
    /// By how much; sizes are divided by it and rounded, halves to even.
    pub factor: Real,
    /// Whether the block's skip keeps its size.
    pub after_skip: bool,
    /// How pictures shrink.
    pub down: Resample,
    /// How they grow again.
    pub up: Resample,
}

/// What the self-attention of the middle block does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MiddleAttention {
    /// Attention.
    #[default]
    Plain,
    /// Every token sees itself alone (perturbed-attention guidance, Ahn et al. 2024).
    Identity,
    /// Attention; that of its first transformer block also gives the output `attention f32[batch, tokens]`: how much
    /// attention each token gets, summed over tokens, the mean over heads (self-attention guidance, Hong et al.
    /// 2022).
    Recorded,
}

impl AdapterKind {
    /// Whether input block `block` takes a feature; `closes` says that it is the last one of its level.
    pub(super) fn takes(self, block: usize, closes: bool) -> bool {
        match self {
            AdapterKind::Sd => closes,
            AdapterKind::Sdxl => [3, 5, 8].contains(&block),
        }
    }
}

impl Downscale {
    /// Whether a U-Net with so many input blocks can take it.
    pub(super) fn check(&self, blocks: usize) -> Result<(), BuildError> {
        let (block, factor) = (self.block, self.factor);
        if block >= blocks {
            return Err(BuildError::Size(format!("input block {block} is not there, {blocks} are")));
        }
        if !FACTORS.contains(&factor.get()) {
            return Err(BuildError::Size(format!("a picture cannot shrink by the factor {factor}")));
        }
        Ok(())
    }

    /// The size of a picture of this size once it is smaller; at least one pixel.
    pub(super) fn shrink(&self, size: usize) -> usize {
        ((size as f64 * (1.0 / self.factor.get())).round_ties_even() as usize).max(1)
    }
}
