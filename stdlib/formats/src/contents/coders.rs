//! Autoencoders, and CLIP's encoders of text and pictures.

use super::unet::dim;
use super::{Component, Naming, Network, Role, TextFacts, VaeFacts, VisionFacts};
use crate::keys::{clip, vae as names};
use crate::{FormatError, Header, KeyMap};

/// Where an autoencoder may lie in a file.
const VAES: [&str; 3] = ["first_stage_model.", "vae.", ""];

/// Where text encoders may lie, and which they are where the place says it.
const TEXTS: [(&str, Option<Role>); 9] = [
    ("cond_stage_model.transformer.", Some(Role::ClipL)),
    ("cond_stage_model.model.", Some(Role::ClipH)),
    ("conditioner.embedders.0.transformer.", Some(Role::ClipL)),
    ("conditioner.embedders.0.model.", Some(Role::ClipG)),
    ("conditioner.embedders.1.model.", Some(Role::ClipG)),
    ("conditioner.embedders.1.transformer.", Some(Role::ClipG)),
    ("clip_l.transformer.", Some(Role::ClipL)),
    ("clip_g.transformer.", Some(Role::ClipG)),
    ("", None),
];

/// Where a vision encoder may lie.
const VISIONS: [&str; 3] = ["embedder.model.", "conditioner.embedders.0.open_clip.model.", ""];

/// The autoencoder of a file, if there is one.
pub(super) fn vae(header: &Header) -> Result<Option<Component>, FormatError> {
    for prefix in VAES {
        let has = |name: &str| header.has(&format!("{prefix}{name}"));
        if !has("decoder.conv_in.weight") && !has("encoder.conv_in.weight") {
            continue;
        }
        let below = |name: &str| header.has_prefix(&format!("{prefix}{name}"));
        let (naming, map) = if below("decoder.mid_block.") || below("encoder.mid_block.") {
            (Naming::Diffusers, names::diffusers(header, prefix))
        } else {
            (Naming::Original, KeyMap::below(header, prefix))
        };
        let tensors = map.view(header)?;
        let (encoder, decoder) =
            (tensors.has("encoder.conv_in.weight"), tensors.has("decoder.conv_in.weight"));
        let latent_channels = match decoder {
            true => dim(&tensors, "decoder.conv_in.weight", 1)?,
            // Mean and deviation of each.
            false => dim(&tensors, "encoder.conv_out.weight", 0)? / 2,
        };
        let samplings = tensors.tensors.keys().filter(|name| match decoder {
            true => name.starts_with("decoder.") && name.ends_with(".upsample.conv.weight"),
            false => name.ends_with(".downsample.conv.weight"),
        });
        let downscale = 1_usize.checked_shl(samplings.count() as u32).unwrap_or(0);
        let network = Network::Vae(VaeFacts { latent_channels, downscale, encoder, decoder });
        return Ok(Some(Component { network, naming, map, tensors }));
    }
    Ok(None)
}

/// All text encoders of a file, each role once.
pub(super) fn texts(header: &Header) -> Result<Vec<Component>, FormatError> {
    let mut found: Vec<Component> = Vec::new();
    for (prefix, place) in TEXTS {
        let Some((naming, map)) = text_map(header, prefix) else { continue };
        let tensors = map.view(header)?;
        let layers = tensors.count("encoder.layers.");
        let role = place.unwrap_or_else(|| by_depth(layers));
        let width = dim(&tensors, "embeddings.token_embedding.weight", 1)?;
        let projection = tensors.dim("text_projection.weight", 0);
        let network = Network::Text(role, TextFacts { width, layers, projection });
        if found.iter().all(|component| component.network.role() != role) {
            found.push(Component { network, naming, map, tensors });
        }
    }
    Ok(found)
}

/// The names of the text encoder below `prefix`, if there is one.
fn text_map(header: &Header, prefix: &str) -> Option<(Naming, KeyMap)> {
    if header.has(&format!("{prefix}token_embedding.weight")) {
        return Some((Naming::OpenClip, clip::open_clip_text(header, prefix)));
    }
    // The first checkpoints were written before `text_model.` came into the names.
    for inner in ["text_model.", ""] {
        let inner = format!("{prefix}{inner}");
        if header.has(&format!("{inner}embeddings.token_embedding.weight")) {
            return Some((Naming::HuggingFace, clip::text(header, &inner, prefix)));
        }
    }
    None
}

/// Which encoder it is that stands alone: ViT-L has 12 layers, ViT-H 24, ViT-bigG 32 (one less where the last, which
/// nobody reads, was left out).
fn by_depth(layers: usize) -> Role {
    match layers {
        0..23 => Role::ClipL,
        23..31 => Role::ClipH,
        _ => Role::ClipG,
    }
}

/// The vision encoder of a file, if there is one.
pub(super) fn vision(header: &Header) -> Result<Option<Component>, FormatError> {
    for prefix in VISIONS {
        let (naming, map) = if header.has(&format!("{prefix}vision_model.embeddings.class_embedding")) {
            let map = clip::vision(header, &format!("{prefix}vision_model."), prefix);
            (Naming::HuggingFace, map)
        } else if header.has(&format!("{prefix}visual.class_embedding")) {
            (Naming::OpenClip, clip::open_clip_vision(header, &format!("{prefix}visual.")))
        } else {
            continue;
        };
        let tensors = map.view(header)?;
        let patches = "embeddings.patch_embedding.weight";
        let (width, patch) = (dim(&tensors, patches, 0)?, dim(&tensors, patches, 2)?);
        // One position is that of the whole picture.
        let positions = dim(&tensors, "embeddings.position_embedding.weight", 0)?.saturating_sub(1);
        let facts = VisionFacts {
            width,
            layers: tensors.count("encoder.layers."),
            patch,
            picture: positions.isqrt().saturating_mul(patch),
            projection: tensors.dim("visual_projection.weight", 0),
        };
        return Ok(Some(Component { network: Network::Vision(facts), naming, map, tensors }));
    }
    Ok(None)
}
