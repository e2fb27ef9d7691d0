//! Names of layers and tensors in files of patches.

use std::collections::BTreeMap;

use super::{Module, Piece};
use crate::keys::unet::{Blocks, to_diffusers};
use crate::{Component, Role};

/// Ends of the names of tensors. Of two that fit, the first counts.
const ENDS: [(&str, Piece); 33] = [
    (".lora_down.weight", Piece::Down),
    (".lora_up.weight", Piece::Up),
    (".lora_mid.weight", Piece::Mid),
    (".lora_A.weight", Piece::Down),
    (".lora_B.weight", Piece::Up),
    (".lora_A.default.weight", Piece::Down),
    (".lora_B.default.weight", Piece::Up),
    (".lora_linear_layer.down.weight", Piece::Down),
    (".lora_linear_layer.up.weight", Piece::Up),
    (".lora.down.weight", Piece::Down),
    (".lora.up.weight", Piece::Up),
    ("_lora.down.weight", Piece::Down),
    ("_lora.up.weight", Piece::Up),
    (".alpha", Piece::Alpha),
    (".dora_scale", Piece::DoraScale),
    (".lora_magnitude_vector", Piece::DoraScale),
    (".lora_magnitude_vector.weight", Piece::DoraScale),
    (".hada_w1_a", Piece::HadaW1A),
    (".hada_w1_b", Piece::HadaW1B),
    (".hada_w2_a", Piece::HadaW2A),
    (".hada_w2_b", Piece::HadaW2B),
    (".hada_t1", Piece::HadaT1),
    (".hada_t2", Piece::HadaT2),
    (".lokr_w1", Piece::LokrW1),
    (".lokr_w1_a", Piece::LokrW1A),
    (".lokr_w1_b", Piece::LokrW1B),
    (".lokr_w2", Piece::LokrW2),
    (".lokr_w2_a", Piece::LokrW2A),
    (".lokr_w2_b", Piece::LokrW2B),
    (".lokr_t2", Piece::LokrT2),
    (".diff", Piece::Diff),
    (".w_norm", Piece::Diff),
    (".diff_b", Piece::DiffBias),
];

/// The layer's name and the piece that a tensor is, if it is one of a patch.
pub(super) fn split(tensor: &str) -> Option<(&str, Piece)> {
    let found = ENDS.iter().find_map(|(end, piece)| Some((tensor.strip_suffix(end)?, *piece)));
    found.or_else(|| Some((tensor.strip_suffix(".b_norm")?, Piece::DiffBias)))
}

/// Beginnings of names of layers that no model has which can be run.
const FOREIGN: [(&str, &str); 9] = [
    ("lora_unet_double_blocks_", "a LoRA for a Flux model"),
    ("lora_unet_single_blocks_", "a LoRA for a Flux model"),
    ("diffusion_model.double_blocks.", "a LoRA for a Flux model"),
    ("lora_unet_joint_blocks_", "a LoRA for a Stable Diffusion 3 model"),
    ("diffusion_model.joint_blocks.", "a LoRA for a Stable Diffusion 3 model"),
    ("lora_prior_unet_", "a LoRA for a Stable Cascade model"),
    ("lora_transformer_", "a LoRA for a model with a diffusion transformer"),
    ("transformer.", "a LoRA for a model with a diffusion transformer"),
    ("diffusion_model.blocks.", "a LoRA for a model with a diffusion transformer"),
];

/// What the patches are for, if that is known by name only.
pub(super) fn foreign(modules: &[Module]) -> Option<&'static str> {
    let is = |start: &str| modules.iter().any(|module| plain(&module.name).starts_with(start));
    FOREIGN.iter().find(|(start, _)| is(start)).map(|(_, what)| *what)
}

/// A layer's name without what PEFT puts before it.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("base_model.model.").unwrap_or(name)
}

/// All names that files of patches have for the layers of a network, with its canonical ones. `pair`: the model's text
/// encoder is, or begins with, CLIP-L.
pub(super) fn aliases(component: &Component, pair: bool) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    let role = component.network.role();
    let blocks = Blocks::of_canonical(&component.tensors);
    for key in component.tensors.tensors.keys() {
        let Some(layer) = key.strip_suffix(".weight") else { continue };
        let mut add = |alias: String| {
            aliases.entry(alias).or_insert_with(|| layer.to_owned());
        };
        match role {
            Role::Unet => unet(layer, &blocks, &mut add),
            Role::ClipL | Role::ClipH => text(layer, &["lora_te", "lora_te1"], "text_encoder", &mut add),
            Role::ClipG if pair => text(layer, &["lora_te2"], "text_encoder_2", &mut add),
            Role::ClipG => text(layer, &["lora_te", "lora_te2"], "text_encoder", &mut add),
            _ => {}
        }
    }
    aliases
}

fn unet(layer: &str, blocks: &Blocks, add: &mut impl FnMut(String)) {
    add(format!("lora_unet_{}", layer.replace('.', "_")));
    add(format!("diffusion_model.{layer}"));
    let Some(name) = to_diffusers(&format!("{layer}."), blocks) else { return };
    let name = name.trim_end_matches('.');
    add(format!("lora_unet_{}", name.replace('.', "_")));
    add(name.to_owned());
    add(format!("unet.{name}"));
    // The first files of diffusers name the attention's processor, and its last layer without a number.
    for attention in [".attn1.", ".attn2."] {
        if let Some((before, after)) = name.split_once(attention) {
            let after = after.strip_suffix(".0").unwrap_or(after);
            add(format!("{before}{attention}processor.{after}"));
            add(format!("unet.{before}{attention}processor.{after}"));
        }
    }
}

fn text(layer: &str, kohya: &[&str], diffusers: &str, add: &mut impl FnMut(String)) {
    let name = if layer == "text_projection" { layer.to_owned() } else { format!("text_model.{layer}") };
    for start in kohya {
        add(format!("{start}_{}", name.replace('.', "_")));
    }
    add(format!("{diffusers}.{name}"));
}
