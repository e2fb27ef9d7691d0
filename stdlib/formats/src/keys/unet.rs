//! Names of U-Nets and ControlNets: diffusers' and the canonical ones.
//!
//! Latent diffusion numbers all blocks of the way down in a row, downsampling included, and those of the way up with
//! their upsampling inside of the last block of a level. diffusers counts levels, and the layers of each kind within.

use super::{KeyMap, index, swap};
use crate::Header;

/// Names that stand for one another as they are, canonical first.
const TOP: [(&str, &str); 10] = [
    ("time_embed.0.", "time_embedding.linear_1."),
    ("time_embed.2.", "time_embedding.linear_2."),
    ("label_emb.0.0.", "add_embedding.linear_1."),
    ("label_emb.0.2.", "add_embedding.linear_2."),
    ("input_blocks.0.0.", "conv_in."),
    ("out.0.", "conv_norm_out."),
    ("out.2.", "conv_out."),
    ("middle_block_out.0.", "controlnet_mid_block."),
    ("input_hint_block.0.", "controlnet_cond_embedding.conv_in."),
    ("input_hint_block.14.", "controlnet_cond_embedding.conv_out."),
];

/// Names inside of a residual block, canonical first.
const RESIDUAL: [(&str, &str); 6] = [
    ("in_layers.0.", "norm1."),
    ("in_layers.2.", "conv1."),
    ("emb_layers.1.", "time_emb_proj."),
    ("out_layers.0.", "norm2."),
    ("out_layers.3.", "conv2."),
    ("skip_connection.", "conv_shortcut."),
];

/// Names inside of a transformer begin with one of these; they are the same on both sides.
const TRANSFORMER: [&str; 4] = ["norm.", "proj_in.", "transformer_blocks.", "proj_out."];

/// What names depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// Residual blocks of each level on the way down; each has one more on the way up.
    residual: usize,
    /// For each level on the way up, whether it has transformers.
    attention: Vec<bool>,
}

impl Blocks {
    /// Of a file in diffusers' names.
    pub(crate) fn of_diffusers(header: &Header, prefix: &str) -> Blocks {
        let up = format!("{prefix}up_blocks.");
        let attention =
            (0..header.count(&up)).map(|level| header.has_prefix(&format!("{up}{level}.attentions.")));
        let residual = header.count(&format!("{prefix}down_blocks.0.resnets."));
        Blocks { residual, attention: attention.collect() }
    }

    /// Of a header in canonical names.
    pub(crate) fn of_canonical(header: &Header) -> Blocks {
        let blocks = header.count("input_blocks.");
        let down = (1..blocks).find(|block| header.has(&format!("input_blocks.{block}.0.op.weight")));
        // Without downsampling there is one level.
        let residual = down.unwrap_or(blocks).saturating_sub(1);
        let levels = header.count("output_blocks.") / (residual + 1);
        let attention = (0..levels)
            .map(|level| header.has(&format!("output_blocks.{}.1.proj_in.weight", level * (residual + 1))));
        Blocks { residual, attention: attention.collect() }
    }
}

/// All tensors of a U-Net or ControlNet that has diffusers' names.
pub(crate) fn diffusers(header: &Header, prefix: &str) -> KeyMap {
    let blocks = Blocks::of_diffusers(header, prefix);
    KeyMap::renamed(header, prefix, |name| from_diffusers(name, &blocks))
}

/// The canonical name of what diffusers calls `name`, a weight or a layer (with a dot at its end).
pub(crate) fn from_diffusers(name: &str, blocks: &Blocks) -> Option<String> {
    if let Some(name) = TOP.iter().find_map(|(ours, theirs)| swap(name, theirs, ours)) {
        return Some(name);
    }
    let (group, rest) = name.split_once('.')?;
    match group {
        "down_blocks" => down(rest, blocks),
        "up_blocks" => up(rest, blocks),
        "mid_block" => {
            let (kind, layer, rest) = layer(rest)?;
            Some(format!("middle_block.{}.{rest}", layer.checked_mul(2)? + kind))
        }
        "controlnet_down_blocks" => index(rest).map(|(block, rest)| format!("zero_convs.{block}.0.{rest}")),
        "controlnet_cond_embedding" => {
            let (block, rest) = index(rest.strip_prefix("blocks.")?)?;
            Some(format!("input_hint_block.{}.{rest}", 2 * (block + 1)))
        }
        _ => None,
    }
}

fn down(rest: &str, blocks: &Blocks) -> Option<String> {
    let (level, rest) = index(rest)?;
    let first = level * (blocks.residual + 1) + 1;
    if let Some(rest) = rest.strip_prefix("downsamplers.0.conv.") {
        return Some(format!("input_blocks.{}.0.op.{rest}", first + blocks.residual));
    }
    let (kind, layer, rest) = layer(rest)?;
    (layer < blocks.residual).then(|| format!("input_blocks.{}.{kind}.{rest}", first + layer))
}

fn up(rest: &str, blocks: &Blocks) -> Option<String> {
    let (level, rest) = index(rest)?;
    let first = level * (blocks.residual + 1);
    if let Some(rest) = rest.strip_prefix("upsamplers.0.") {
        let place = if *blocks.attention.get(level)? { 2 } else { 1 };
        return Some(format!("output_blocks.{}.{place}.{rest}", first + blocks.residual));
    }
    let (kind, layer, rest) = layer(rest)?;
    (layer <= blocks.residual).then(|| format!("output_blocks.{}.{kind}.{rest}", first + layer))
}

/// A residual block (0) or a transformer (1) of a level, which one of them, and the rest in canonical names.
fn layer(rest: &str) -> Option<(usize, usize, String)> {
    if let Some(rest) = rest.strip_prefix("resnets.") {
        let (layer, rest) = index(rest)?;
        let rest = RESIDUAL.iter().find_map(|(ours, theirs)| swap(rest, theirs, ours))?;
        return Some((0, layer, rest));
    }
    let (layer, rest) = index(rest.strip_prefix("attentions.")?)?;
    let known = TRANSFORMER.iter().any(|name| rest.starts_with(name));
    known.then(|| (1, layer, rest.to_owned()))
}

/// What diffusers calls the weight, or the layer, of this canonical name.
pub(crate) fn to_diffusers(name: &str, blocks: &Blocks) -> Option<String> {
    if let Some(name) = TOP.iter().find_map(|(ours, theirs)| swap(name, ours, theirs)) {
        return Some(name);
    }
    let (group, rest) = name.split_once('.')?;
    let (block, rest) = index(rest)?;
    let per_level = blocks.residual + 1;
    match group {
        "input_blocks" => {
            let (level, place) = (block.checked_sub(1)? / per_level, (block - 1) % per_level);
            match rest.strip_prefix("0.op.") {
                Some(rest) => Some(format!("down_blocks.{level}.downsamplers.0.conv.{rest}")),
                None => Some(format!("down_blocks.{level}.{}", to_layer(rest, place)?)),
            }
        }
        "output_blocks" => {
            let (level, place) = (block / per_level, block % per_level);
            match rest.strip_prefix("1.conv.").or_else(|| rest.strip_prefix("2.conv.")) {
                Some(rest) => Some(format!("up_blocks.{level}.upsamplers.0.conv.{rest}")),
                None => Some(format!("up_blocks.{level}.{}", to_layer(rest, place)?)),
            }
        }
        "middle_block" => {
            Some(format!("mid_block.{}", to_layer(&format!("{}.{rest}", block % 2), block / 2)?))
        }
        "zero_convs" => Some(format!("controlnet_down_blocks.{block}.{}", rest.strip_prefix("0.")?)),
        "input_hint_block" => {
            let between = block.checked_sub(2).filter(|block| block % 2 == 0)?;
            Some(format!("controlnet_cond_embedding.blocks.{}.{rest}", between / 2))
        }
        _ => None,
    }
}

fn to_layer(rest: &str, place: usize) -> Option<String> {
    if let Some(rest) = rest.strip_prefix("0.") {
        let rest = RESIDUAL.iter().find_map(|(ours, theirs)| swap(rest, ours, theirs))?;
        return Some(format!("resnets.{place}.{rest}"));
    }
    let rest = rest.strip_prefix("1.")?;
    let known = TRANSFORMER.iter().any(|name| rest.starts_with(name));
    known.then(|| format!("attentions.{place}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stable Diffusion 1 and XL: levels of two residual blocks.
    fn sd1() -> Blocks {
        Blocks { residual: 2, attention: vec![false, true, true, true] }
    }

    #[track_caller]
    fn same(canonical: &str, diffusers: &str) {
        assert_eq!(from_diffusers(diffusers, &sd1()).as_deref(), Some(canonical));
        assert_eq!(to_diffusers(canonical, &sd1()).as_deref(), Some(diffusers));
    }

    #[test]
    fn every_kind_of_layer_has_two_names() {
        same("time_embed.2.bias", "time_embedding.linear_2.bias");
        same("input_blocks.0.0.weight", "conv_in.weight");
        same("input_blocks.1.0.in_layers.0.weight", "down_blocks.0.resnets.0.norm1.weight");
        same("input_blocks.5.1.proj_in.weight", "down_blocks.1.attentions.1.proj_in.weight");
        same("input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight");
        same("input_blocks.9.0.op.bias", "down_blocks.2.downsamplers.0.conv.bias");
        same("middle_block.0.emb_layers.1.weight", "mid_block.resnets.0.time_emb_proj.weight");
        same("middle_block.1.norm.weight", "mid_block.attentions.0.norm.weight");
        same("middle_block.2.out_layers.3.weight", "mid_block.resnets.1.conv2.weight");
        same("output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight");
        same("output_blocks.5.2.conv.weight", "up_blocks.1.upsamplers.0.conv.weight");
        same("output_blocks.11.0.skip_connection.bias", "up_blocks.3.resnets.2.conv_shortcut.bias");
        same("zero_convs.11.0.weight", "controlnet_down_blocks.11.weight");
        same("input_hint_block.12.bias", "controlnet_cond_embedding.blocks.5.bias");
        same("input_hint_block.14.bias", "controlnet_cond_embedding.conv_out.bias");
    }

    #[test]
    fn other_names_have_no_counterpart() {
        for name in ["down_blocks.0.motion_modules.0.proj_in.weight", "up_blocks.9.upsamplers.0.conv.weight"]
        {
            assert_eq!(from_diffusers(name, &sd1()), None, "{name}");
        }
        for name in ["input_blocks.1.0.in_layers.1.weight", "input_hint_block.3.bias", "input_blocks.0.1.x"] {
            assert_eq!(to_diffusers(name, &sd1()), None, "{name}");
        }
        assert_eq!(from_diffusers("down_blocks.0.resnets.2.conv1.weight", &sd1()), None, "a level has two");
    }
}
