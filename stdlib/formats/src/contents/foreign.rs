//! Models that are known by name only, so that a message can say what the file is.

use crate::{FormatError, Header};

/// Where networks lie in their files.
const PREFIXES: [&str; 4] = ["model.diffusion_model.", "diffusion_model.", "transformer.", ""];

/// What a file is that has a tensor of this name (below any of the prefixes), or, with a `*` at its end, any tensor
/// whose name begins so. The first that fits counts.
pub(super) const MARKS: [(&str, &str); 45] = [
    // Other diffusion models.
    ("joint_blocks.0.context_block.attn.qkv.weight", "a Stable Diffusion 3 model"),
    ("txt_in.individual_token_refiner.*", "a HunyuanVideo model"),
    ("distilled_guidance_layer.*", "a Chroma model"),
    ("double_blocks.0.img_attn.qkv.weight", "a Flux model"),
    ("single_transformer_blocks.0.*", "a Flux model"),
    ("double_layers.0.*", "an AuraFlow model"),
    ("head.modulation", "a Wan model"),
    ("patchify_proj.weight", "an LTX-Video model"),
    ("t5_yproj.weight", "a Mochi model"),
    ("t5_y_embedder.*", "a Mochi model"),
    ("mlp_t5.0.weight", "a Hunyuan-DiT model"),
    ("t_block.1.weight", "a PixArt model"),
    ("caption_projection.linear_1.weight", "a PixArt model"),
    ("cap_embedder.1.weight", "a Lumina model"),
    ("blocks.block0.blocks.0.block.attn.to_q.0.weight", "a Cosmos model"),
    ("caption_projection.0.linear.weight", "a HiDream model"),
    ("time_caption_embed.*", "an OmniGen model"),
    ("txt_norm.weight", "a Qwen-Image model"),
    ("genre_embedder.weight", "an ACE-Step model"),
    ("rotary_pos_emb.inv_freq", "a Stable Audio model"),
    ("latent_in.weight", "a Hunyuan3D model"),
    ("clf.1.weight", "a Stable Cascade model"),
    ("input_blocks.1.0.time_stack.*", "a Stable Video Diffusion model"),
    ("down_blocks.0.temporal_transformer_blocks.*", "a Stable Video Diffusion model"),
    ("label_emb.weight", "a Stable Diffusion x4 upscaler"),
    ("edm_mean", "a Playground v2.5 model"),
    // What is put into the models that can be run.
    ("lora_controlnet", "a Control-LoRA"),
    ("task_embedding", "a ControlNet Union"),
    ("controlnet_blocks.0.weight", "a ControlNet of another family"),
    ("lllite_unet*", "a ControlNet-LLLite"),
    ("down_blocks.0.motion_modules.*", "a motion module (AnimateDiff)"),
    ("image_proj.*", "an IP-Adapter"),
    ("ip_adapter.*", "an IP-Adapter"),
    ("position_net.*", "a GLIGEN model"),
    ("input_blocks.1.1.transformer_blocks.0.fuser.*", "a GLIGEN model"),
    ("id_encoder.*", "a PhotoMaker model"),
    ("style_embedding", "a style model"),
    // Text and vision encoders.
    ("encoder.block.0.layer.0.SelfAttention.q.weight", "a T5 text encoder"),
    ("model.layers.0.self_attn.q_proj.weight", "a language model"),
    ("vision_model.head.attention.in_proj_weight", "a SigLIP vision encoder"),
    // Upscalers of other architectures.
    ("layers.0.residual_group.blocks.0.*", "an upscaler of the Swin family"),
    ("params.layers.0.residual_group.*", "an upscaler of the Swin family"),
    ("upsampler.0.weight", "an upscaler of an unknown architecture"),
    ("body.0.weight", "an upscaler of the compact architecture (SRVGGNet)"),
    ("model.0.conv.0.weight", "an object detector"),
];

/// What the file is, if it is known by name only.
pub(super) fn recognise(header: &Header) -> Option<&'static str> {
    let found = MARKS.iter().find(|(mark, _)| {
        PREFIXES.iter().any(|prefix| match mark.strip_suffix('*') {
            Some(start) => header.has_prefix(&format!("{prefix}{start}")),
            None => header.has(&format!("{prefix}{mark}")),
        })
    });
    found.map(|(_, what)| *what).or_else(|| hypernetwork(header).then_some("a hypernetwork"))
}

/// Hypernetworks have two small networks for each width of attention: `768.0.linear.0.weight`.
fn hypernetwork(header: &Header) -> bool {
    let mut networks = header.tensors.keys().filter(|name| {
        let mut parts = name.split('.');
        let number = |part: Option<&str>| {
            part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        number(parts.next()) && number(parts.next()) && matches!(parts.next(), Some("linear" | "linear1"))
    });
    networks.next().is_some()
}

/// The error for a file of which nothing is known.
pub(super) fn unknown(header: &Header) -> FormatError {
    FormatError::UnknownFamily {
        tensors: header.tensors.len(),
        first: header.tensors.keys().next().cloned().unwrap_or_default(),
    }
}
