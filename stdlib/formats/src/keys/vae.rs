//! Names of autoencoders: diffusers' and the canonical ones.

use super::{KeyMap, index, swap};
use crate::Header;

/// Names inside of the encoder and the decoder that stand for one another, canonical first.
const TOP: [(&str, &str); 5] = [
    ("conv_in.", "conv_in."),
    ("norm_out.", "conv_norm_out."),
    ("conv_out.", "conv_out."),
    ("mid.block_1.", "mid_block.resnets.0."),
    ("mid.block_2.", "mid_block.resnets.1."),
];

/// Names inside of the attention in the middle: the canonical one, and diffusers' of today and of its first versions.
const ATTENTION: [(&str, &str); 10] = [
    ("norm.", "group_norm."),
    ("q.", "to_q."),
    ("k.", "to_k."),
    ("v.", "to_v."),
    ("proj_out.", "to_out.0."),
    ("norm.", "norm."),
    ("q.", "query."),
    ("k.", "key."),
    ("v.", "value."),
    ("proj_out.", "proj_attn."),
];

/// All tensors of an autoencoder that has diffusers' names.
pub(crate) fn diffusers(header: &Header, prefix: &str) -> KeyMap {
    let levels = header.count(&format!("{prefix}decoder.up_blocks."));
    KeyMap::renamed(header, prefix, |name| from_diffusers(name, levels))
}

/// The canonical name of what diffusers calls `name`, in an autoencoder of so many levels.
fn from_diffusers(name: &str, levels: usize) -> Option<String> {
    if name.starts_with("quant_conv.") || name.starts_with("post_quant_conv.") {
        return Some(name.to_owned());
    }
    let (half, rest) = name.split_once('.')?;
    if !matches!(half, "encoder" | "decoder") {
        return None;
    }
    inside(rest, levels).map(|rest| format!("{half}.{rest}"))
}

fn inside(rest: &str, levels: usize) -> Option<String> {
    if let Some(name) = TOP.iter().find_map(|(ours, theirs)| swap(rest, theirs, ours)) {
        return Some(shortcut(name));
    }
    if let Some(rest) = rest.strip_prefix("mid_block.attentions.0.") {
        let rest = ATTENTION.iter().find_map(|(ours, theirs)| swap(rest, theirs, ours))?;
        return Some(format!("mid.attn_1.{rest}"));
    }
    let (way, level, rest) = if let Some(rest) = rest.strip_prefix("down_blocks.") {
        let (level, rest) = index(rest)?;
        ("down", level, rest)
    } else {
        // The decoder's levels are numbered from the picture inwards, not in the order in which they run.
        let (level, rest) = index(rest.strip_prefix("up_blocks.")?)?;
        ("up", levels.checked_sub(level + 1)?, rest)
    };
    if let Some(rest) = rest.strip_prefix("resnets.") {
        return Some(shortcut(format!("{way}.{level}.block.{rest}")));
    }
    let sampler = rest.strip_prefix("downsamplers.0.").map(|rest| ("downsample", rest));
    let (name, rest) =
        sampler.or_else(|| rest.strip_prefix("upsamplers.0.").map(|rest| ("upsample", rest)))?;
    Some(format!("{way}.{level}.{name}.{rest}"))
}

fn shortcut(name: String) -> String {
    name.replace(".conv_shortcut.", ".nin_shortcut.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_layer_has_a_canonical_name() {
        for (theirs, ours) in [
            ("encoder.conv_in.weight", "encoder.conv_in.weight"),
            ("encoder.conv_norm_out.bias", "encoder.norm_out.bias"),
            (
                "encoder.down_blocks.1.resnets.0.conv_shortcut.weight",
                "encoder.down.1.block.0.nin_shortcut.weight",
            ),
            ("encoder.down_blocks.0.downsamplers.0.conv.weight", "encoder.down.0.downsample.conv.weight"),
            ("decoder.up_blocks.0.resnets.2.norm1.weight", "decoder.up.3.block.2.norm1.weight"),
            ("decoder.up_blocks.2.upsamplers.0.conv.bias", "decoder.up.1.upsample.conv.bias"),
            ("decoder.mid_block.resnets.1.conv2.weight", "decoder.mid.block_2.conv2.weight"),
            ("decoder.mid_block.attentions.0.to_out.0.weight", "decoder.mid.attn_1.proj_out.weight"),
            ("decoder.mid_block.attentions.0.proj_attn.weight", "decoder.mid.attn_1.proj_out.weight"),
            ("decoder.mid_block.attentions.0.group_norm.weight", "decoder.mid.attn_1.norm.weight"),
            ("quant_conv.weight", "quant_conv.weight"),
        ] {
            assert_eq!(from_diffusers(theirs, 4).as_deref(), Some(ours));
        }
        assert_eq!(from_diffusers("decoder.up_blocks.4.resnets.2.norm1.weight", 4), None);
        assert_eq!(from_diffusers("loss.discriminator.main.0.weight", 4), None);
    }
}
