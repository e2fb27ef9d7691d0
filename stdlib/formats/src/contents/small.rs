//! TAESD, T2I-Adapters, upscalers.

use super::unet::dim;
use super::{AdapterFacts, Component, Naming, Network, UpscalerFacts};
use crate::keys::small as names;
use crate::{Family, FormatError, Header, KeyMap};

/// Where the decoder of TAESD may lie; its encoder lies likewise.
const TAESD: [&str; 2] = ["taesd_", ""];

/// Both halves of TAESD that are in a file.
pub(super) fn taesd(header: &Header) -> Result<Vec<Component>, FormatError> {
    let mut found = Vec::new();
    for start in TAESD {
        let place = |half: &str| if start.is_empty() { String::new() } else { format!("{start}{half}.") };
        let (encoder, decoder) = (place("encoder"), place("decoder"));
        // Picture to latent: the first module is a convolution of three channels, and the last gives latents.
        if header.dim(&format!("{encoder}0.weight"), 1) == Some(3)
            && header.has(&format!("{encoder}1.conv.0.weight"))
        {
            let last = format!("{encoder}14.weight");
            found.push(half(header, &encoder, Network::TaesdEncoder(dim(header, &last, 0)?))?);
        }
        // Latent to picture: the first module has no weights.
        if header.has(&format!("{decoder}1.weight")) && header.has(&format!("{decoder}3.conv.0.weight")) {
            let first = format!("{decoder}1.weight");
            found.push(half(header, &decoder, Network::TaesdDecoder(dim(header, &first, 1)?))?);
        }
    }
    found.dedup_by_key(|component| component.network.role());
    Ok(found)
}

fn half(header: &Header, prefix: &str, network: Network) -> Result<Component, FormatError> {
    let map = KeyMap::below(header, prefix);
    let tensors = map.view(header)?;
    Ok(Component { network, naming: Naming::Original, map, tensors })
}

/// The T2I-Adapter of a file, if there is one.
pub(super) fn adapter(header: &Header) -> Result<Option<Component>, FormatError> {
    for prefix in ["adapter.", ""] {
        let below = |name: &str| header.has(&format!("{prefix}{name}"));
        let diffusers = below("body.0.resnets.0.block1.weight");
        if !below("body.0.block1.weight") && !diffusers && !below("body.0.in_conv.weight") {
            continue;
        }
        let map = names::adapter(header, prefix);
        let tensors = map.view(header)?;
        let light = !tensors.has("conv_in.weight");
        let channels = dim(&tensors, if light { "body.0.in_conv.weight" } else { "conv_in.weight" }, 1)?;
        // Stable Diffusion 1 takes 8 pixels as one, XL 16; hints have one channel or three.
        let (family, unshuffle) = match channels {
            256 | 768 => (Family::Sdxl, 16),
            _ => (Family::Sd1, 8),
        };
        let hint_channels = channels / (unshuffle * unshuffle);
        let network = Network::Adapter(AdapterFacts { family, hint_channels, unshuffle, light });
        let naming = if diffusers { Naming::Diffusers } else { Naming::Original };
        return Ok(Some(Component { network, naming, map, tensors }));
    }
    Ok(None)
}

/// The RRDBNet of a file, if there is one.
pub(super) fn upscaler(header: &Header) -> Result<Option<Component>, FormatError> {
    let (naming, map) = if header.has("body.0.rdb1.conv1.weight") {
        (Naming::Original, KeyMap::below(header, ""))
    } else if header.has("model.1.sub.0.RDB1.conv1.0.weight") || header.has("RRDB_trunk.0.RDB1.conv1.weight")
    {
        (Naming::OldRrdb, names::rrdb_old(header, ""))
    } else {
        return Ok(None);
    };
    let tensors = map.view(header)?;
    let channels = dim(&tensors, "conv_first.weight", 1)?;
    let colours = dim(&tensors, "conv_last.weight", 0)?;
    let unshuffle = channels.checked_div(colours).unwrap_or(0).isqrt();
    let doublings = (1..).take_while(|n| tensors.has(&format!("conv_up{n}.weight"))).count();
    let grown = 1_usize.checked_shl(doublings as u32).unwrap_or(0);
    if unshuffle == 0
        || channels != colours * unshuffle * unshuffle
        || grown == 0
        || !grown.is_multiple_of(unshuffle)
    {
        let reason = format!("{channels} channels in, {colours} out and {doublings} doublings make no scale");
        return Err(FormatError::Misfit { tensor: "conv_first.weight".to_owned(), reason });
    }
    let facts = UpscalerFacts { scale: grown / unshuffle, unshuffle, blocks: tensors.count("body.") };
    Ok(Some(Component { network: Network::Upscaler(facts), naming, map, tensors }))
}
