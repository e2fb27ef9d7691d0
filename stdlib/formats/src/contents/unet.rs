//! U-Nets and ControlNets: where in a file, in whose names, of which family.

use super::{Component, ControlFacts, Heads, Naming, Network, Prediction, UnetFacts};
use crate::keys::unet as names;
use crate::{Family, FormatError, Header, KeyMap};

/// Where a U-Net may lie in a file.
const UNETS: [&str; 4] = ["model.diffusion_model.", "diffusion_model.", "unet.", ""];

/// Where a ControlNet may.
const CONTROLS: [&str; 3] = ["control_model.", "controlnet.", ""];

/// The U-Net of a file, if there is one.
pub(super) fn unet(header: &Header) -> Result<Option<Component>, FormatError> {
    for prefix in UNETS {
        let has = |name: &str| header.has(&format!("{prefix}{name}"));
        let (naming, map) = if has("input_blocks.0.0.weight") && has("out.2.weight") {
            (Naming::Original, KeyMap::below(header, prefix))
        } else if has("conv_in.weight") && has("time_embedding.linear_1.weight") && has("conv_out.weight") {
            (Naming::Diffusers, names::diffusers(header, prefix))
        } else {
            continue;
        };
        let tensors = map.view(header)?;
        let facts = facts(&tensors, Marks::of(header, prefix))?;
        return Ok(Some(Component { network: Network::Unet(facts), naming, map, tensors }));
    }
    Ok(None)
}

/// The ControlNet of a file, if there is one.
pub(super) fn control(header: &Header) -> Result<Option<Component>, FormatError> {
    for prefix in CONTROLS {
        let has = |name: &str| header.has(&format!("{prefix}{name}"));
        let (naming, map) = if has("input_hint_block.0.weight") {
            (Naming::Original, KeyMap::below(header, prefix))
        } else if has("controlnet_cond_embedding.conv_in.weight") {
            (Naming::Diffusers, names::diffusers(header, prefix))
        } else {
            continue;
        };
        let tensors = map.view(header)?;
        let unet = facts(&tensors, Marks::default())?;
        let hint_channels = dim(&tensors, "input_hint_block.0.weight", 1)?;
        let network = Network::Control(ControlFacts { unet, hint_channels });
        return Ok(Some(Component { network, naming, map, tensors }));
    }
    Ok(None)
}

/// Tensors that say something by being there; their values mean nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    velocity: bool,
    zero_terminal: bool,
}

impl Marks {
    fn of(header: &Header, prefix: &str) -> Marks {
        let has = |name: &str| header.has(name) || header.has(&format!("{prefix}{name}"));
        Marks { velocity: has("v_pred"), zero_terminal: has("ztsnr") }
    }
}

fn facts(tensors: &Header, marks: Marks) -> Result<UnetFacts, FormatError> {
    let family = family(tensors)?;
    let in_channels = dim(tensors, "input_blocks.0.0.weight", 1)?;
    let out_channels = tensors.dim("out.2.weight", 0).unwrap_or(in_channels);
    let heads = if family == Family::Sd1 { Heads::Count(8) } else { Heads::Width(64) };
    let prediction = match family {
        Family::Sdxl if marks.velocity => Prediction::Velocity { zero_terminal: marks.zero_terminal },
        Family::Sd2 if in_channels == 4 && tensors.has(Prediction::TENSOR) => Prediction::InValues,
        _ => Prediction::Epsilon,
    };
    Ok(UnetFacts {
        family,
        in_channels,
        out_channels,
        context_width: context_width(tensors)?,
        adm_width: tensors.dim("label_emb.0.0.weight", 1),
        heads,
        prediction,
    })
}

/// The family, by what the tensors of a U-Net (canonical names) are and how many levels there are.
///
/// XL takes a vector beside the time and does not attend at the finest level; its base has three levels, its refiner
/// four. Stable Diffusion 1 has 1x1 convolutions around its transformers, 2 linear layers, and a vector only where it is
/// made for pictures as prompts.
fn family(tensors: &Header) -> Result<Family, FormatError> {
    let vector = tensors.has("label_emb.0.0.weight");
    let finest = tensors.has("input_blocks.1.1.proj_in.weight");
    let levels = 1 + downsamplings(tensors);
    let mut blocks = tensors.below("input_blocks.").chain(tensors.below("middle_block."));
    let around = blocks.find(|(rest, _)| rest.ends_with(".1.proj_in.weight") || *rest == "1.proj_in.weight");
    match (around.map(|(_, info)| info.shape.len()), vector && !finest) {
        (Some(_), true) if levels == 3 => Ok(Family::Sdxl),
        (Some(_), true) if levels == 4 => Ok(Family::SdxlRefiner),
        (Some(4), false) if !vector => Ok(Family::Sd1),
        (Some(2), false) => Ok(Family::Sd2),
        _ => Err(FormatError::UnknownFamily {
            tensors: tensors.tensors.len(),
            first: tensors.tensors.keys().next().cloned().unwrap_or_default(),
        }),
    }
}

fn downsamplings(tensors: &Header) -> usize {
    let down = tensors.below("input_blocks.").filter(|(rest, _)| rest.ends_with(".0.op.weight"));
    down.count()
}

/// Channels of the context: what the keys of the first cross-attention are made from.
fn context_width(tensors: &Header) -> Result<usize, FormatError> {
    let mut blocks = tensors.below("input_blocks.").chain(tensors.below("middle_block."));
    let keys = blocks.find(|(rest, _)| rest.ends_with(".attn2.to_k.weight"));
    keys.and_then(|(_, info)| info.shape.get(1).copied()).ok_or_else(|| missing("….attn2.to_k.weight"))
}

pub(super) fn dim(tensors: &Header, name: &str, dimension: usize) -> Result<usize, FormatError> {
    tensors.dim(name, dimension).ok_or_else(|| missing(name))
}

fn missing(tensor: &str) -> FormatError {
    let reason = "it is missing, or has fewer dimensions than it must have".to_owned();
    FormatError::Misfit { tensor: tensor.to_owned(), reason }
}
