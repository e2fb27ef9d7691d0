//! CLIP's text transformer (Radford et al. 2021) as Stable Diffusion 1, 2 and XL use it: OpenAI's CLIP-L, and
//! OpenCLIP's H and G (Ilharco et al. 2021).

use floe_formats::Role;

use super::clip::{EPSILON, Style, layer};
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind};
use crate::text::END;

/// Channels of a head; CLIP widens by adding heads.
const HEAD_CHANNELS: usize = 64;

/// Which text encoder: they differ in what no tensor's shape says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TextEncoder {
    /// OpenAI's ViT-L/14, of Stable Diffusion 1 and XL: the quick form of GELU.
    #[default]
    L,
    /// OpenCLIP's ViT-H/14, of Stable Diffusion 2: GELU.
    H,
    /// OpenCLIP's ViT-bigG/14, of Stable Diffusion XL: GELU.
    G,
}

impl TextEncoder {
    /// All encoders.
    pub const ALL: [TextEncoder; 3] = [TextEncoder::L, TextEncoder::H, TextEncoder::G];

    /// The network of a file that it is.
    pub fn role(self) -> Role {
        match self {
            TextEncoder::L => Role::ClipL,
            TextEncoder::H => Role::ClipH,
            TextEncoder::G => Role::ClipG,
        }
    }

    /// The encoder that a network of a file is.
    pub fn of(role: Role) -> Option<TextEncoder> {
        TextEncoder::ALL.into_iter().find(|encoder| encoder.role() == role)
    }

    /// The id that fills a chunk behind its end token.
    pub fn pad(self) -> u32 {
        match self {
            TextEncoder::L => END,
            TextEncoder::H | TextEncoder::G => 0,
        }
    }
}

/// What becomes of the state at the end token of the last layer, after the final norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Pooled {
    /// Nothing; layers behind the wanted one are left out.
    None,
    /// It is given as it is.
    #[default]
    Plain,
    /// It is multiplied with the text projection.
    Projected,
}

/// What a text encoder gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextOptions {
    /// The encoder.
    pub encoder: TextEncoder,
    /// Whose states are given: 1 the last layer's, 2 those of the one before it, …; beyond the first layer, the last
    /// layer's.
    pub layer: usize,
    /// Whether they go through the final norm.
    pub norm: bool,
    /// The pooled state.
    pub pooled: Pooled,
    /// Vectors that the prompt brings along (textual inversion, Gal et al. 2022).
    pub extra: usize,
}

impl Default for TextOptions {
    /// As Stable Diffusion 1 wants it.
    fn default() -> Self {
        TextOptions { encoder: TextEncoder::L, layer: 1, norm: true, pooled: Pooled::Plain, extra: 0 }
    }
}

/// The text encoder for `rows` chunks of 77 tokens.
///
/// Inputs: `tokens i32[rows, 77]`, `end i32[rows]` (position of the first end-of-text token; not with
/// [`Pooled::None`]), `extra f32[k, c]` (only if there are any: the token `vocabulary + i` is its row `i`). Outputs:
/// `hidden f32[rows, 77, c]`, the states of the wanted layer; `pooled f32[rows, c]`, unless it is not wanted.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn clip_text(mut b: Builder<'_>, rows: usize, options: TextOptions) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let positions = weights.dim("embeddings.position_embedding.weight", 0)?;
    let width = weights.dim("embeddings.token_embedding.weight", 1)?;
    let style = Style {
        heads: (width / HEAD_CHANNELS).max(1),
        causal: true,
        activation: match options.encoder {
            TextEncoder::L => Activation::QuickGelu,
            TextEncoder::H | TextEncoder::G => Activation::Gelu,
        },
    };
    let tokens = b.input("tokens", Element::I32, vec![rows, positions]);
    let end = (options.pooled != Pooled::None).then(|| b.input("end", Element::I32, vec![rows]));
    let table = "embeddings.token_embedding.weight";
    let embedded = if options.extra > 0 {
        let extra = b.input("extra", Element::F32, vec![options.extra, width]);
        b.embedding_extra(table, tokens, extra)?
    } else {
        b.embedding(table, tokens)?
    };
    let mut x = b.add_position("embeddings.position_embedding.weight", embedded)?;

    let layers = weights.count("encoder.layers.");
    let wanted = layers.checked_sub(options.layer.saturating_sub(1)).filter(|&n| n > 0).unwrap_or(layers);
    let mut hidden = x;
    for index in 0..if end.is_some() { layers } else { wanted } {
        x = layer(&mut b, index, x, style)?;
        if index + 1 == wanted {
            hidden = x;
        }
    }
    let output = if options.norm { b.layer_norm("final_layer_norm", hidden, EPSILON)? } else { hidden };
    b.output("hidden", output);
    if let Some(end) = end {
        let is_normed = options.norm && wanted == layers;
        let normed = if is_normed { output } else { b.layer_norm("final_layer_norm", x, EPSILON)? };
        let mut pooled = b.apply(OpKind::GatherRow, &[normed, end])?;
        if options.pooled == Pooled::Projected {
            pooled = b.linear("text_projection", pooled)?;
        }
        b.output("pooled", pooled);
    }
    Ok(b)
}
