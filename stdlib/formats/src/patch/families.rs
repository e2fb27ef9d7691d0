//! For which families patches may be: those whose networks have all the layers that are patched.

use super::{Module, Piece};
use crate::{Family, Header};

const ALL: [Family; 4] = [Family::Sd1, Family::Sd2, Family::Sdxl, Family::SdxlRefiner];

/// A transformer of a U-Net.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the way down, in this level.
    Down(usize),
    /// On the way up, in this level in the order of running.
    Up(usize),
    Middle,
}

/// The families that have every layer whose names these are, told by levels, depths and ranks.
pub(super) fn of(header: &Header, modules: &[Module]) -> Vec<Family> {
    let mut families = ALL.to_vec();
    for module in modules {
        let name = super::names::plain(&module.name).replace('.', "_");
        // No other family has convolutions there, however many levels a model has.
        if place(&name).is_some_and(|(_, rest)| around(header, module, rest) == Some(4)) {
            return vec![Family::Sd1];
        }
        if name.starts_with("lora_te1_")
            || name.starts_with("lora_te2_")
            || name.starts_with("text_encoder_2_")
        {
            families.retain(|family| *family == Family::Sdxl);
        } else if name.starts_with("lora_te_") || name.starts_with("text_encoder_") {
            // diffusers calls the first of two encoders so as well.
        } else if let Some((place, rest)) = place(&name) {
            families
                .retain(|&family| has(family, place) && depth(rest).is_none_or(|depth| fits(family, depth)));
            if around(header, module, rest) == Some(2) {
                families.retain(|family| *family != Family::Sd1);
            }
        } else if !known(&name) {
            return Vec::new();
        }
    }
    families
}

/// Dimensions of a layer before or behind a transformer, as far as its patch says.
fn around(header: &Header, module: &Module, rest: &str) -> Option<usize> {
    // LoHa keeps convolutions of one pixel as matrices, so that of it a matrix says nothing.
    let pieces = [Piece::Down, Piece::Up, Piece::Diff];
    let tensor = pieces.iter().find_map(|piece| module.pieces.get(piece));
    let layer = matches!(rest, "proj_in" | "proj_out");
    tensor.filter(|_| layer).and_then(|tensor| header.shape(tensor)).map(<[usize]>::len)
}

/// Whether it may be another layer of a U-Net.
fn known(name: &str) -> bool {
    let name = name.strip_prefix("lora_unet_").or_else(|| name.strip_prefix("unet_")).unwrap_or(name);
    let name = name.strip_prefix("diffusion_model_").unwrap_or(name);
    [
        "input_blocks_",
        "middle_block_",
        "output_blocks_",
        "down_blocks_",
        "mid_block_",
        "up_blocks_",
        "time_embed",
        "add_embedding_",
        "label_emb_",
        "conv_in",
        "conv_out",
        "conv_norm_out",
        "out_",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

/// A transformer, and the rest of the layer's name, from either way of counting blocks.
fn place(name: &str) -> Option<(Place, &str)> {
    let name = name.strip_prefix("lora_unet_").or_else(|| name.strip_prefix("unet_")).unwrap_or(name);
    let name = name.strip_prefix("diffusion_model_").unwrap_or(name);
    let number = |text: &'_ str| -> Option<(usize, usize)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        Some((text.get(..digits.min(4))?.parse().ok()?, digits))
    };
    for (start, place) in [("down_blocks_", Place::Down as fn(usize) -> Place), ("up_blocks_", Place::Up)] {
        let Some(rest) = name.strip_prefix(start) else { continue };
        let (level, digits) = number(rest)?;
        let rest = rest[digits..].strip_prefix("_attentions_")?;
        let (_, digits) = number(rest)?;
        return Some((place(level), rest[digits..].strip_prefix('_')?));
    }
    for (start, first, place) in
        [("input_blocks_", 1, Place::Down as fn(usize) -> Place), ("output_blocks_", 0, Place::Up)]
    {
        let Some(rest) = name.strip_prefix(start) else { continue };
        let (block, digits) = number(rest)?;
        let rest = rest[digits..].strip_prefix("_1_").filter(|rest| !rest.starts_with("conv"))?;
        return Some((place(block.checked_sub(first)? / 3), rest));
    }
    let rest =
        name.strip_prefix("mid_block_attentions_0_").or_else(|| name.strip_prefix("middle_block_1_"))?;
    Some((Place::Middle, rest))
}

/// Whether a family has transformers there.
fn has(family: Family, place: Place) -> bool {
    match (family, place) {
        (_, Place::Middle) => true,
        (Family::Sd1 | Family::Sd2, Place::Down(level)) => level <= 2,
        (Family::Sd1 | Family::Sd2, Place::Up(level)) => (1..=3).contains(&level),
        (Family::Sdxl | Family::SdxlRefiner, Place::Down(level)) => (1..=2).contains(&level),
        (Family::Sdxl, Place::Up(level)) => level <= 1,
        (Family::SdxlRefiner, Place::Up(level)) => (1..=2).contains(&level),
    }
}

/// Which block of a transformer it is.
fn depth(rest: &str) -> Option<usize> {
    let rest = rest.strip_prefix("transformer_blocks_")?;
    rest.split('_').next()?.parse().ok()
}

fn fits(family: Family, depth: usize) -> bool {
    depth == 0 || matches!(family, Family::Sdxl | Family::SdxlRefiner)
}
