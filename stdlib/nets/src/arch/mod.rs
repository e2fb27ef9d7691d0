//! One description per architecture, written against the shapes and canonical key names of a file: no table of widths.

mod autoencoder_kl;
mod clip;
mod clip_text;
mod clip_vision;
mod controlnet;
mod rrdb;
mod size_embedding;
mod t2i_adapter;
mod taesd;
#[cfg(test)]
mod tests;
mod unet;

pub use autoencoder_kl::{vae_decoder, vae_encoder};
pub use clip_text::{Pooled, TextEncoder, TextOptions, clip_text};
pub use clip_vision::{clip_vision, clip_vision_side};
pub use controlnet::{HINT_SCALE, controlnet};
pub use rrdb::{UpscalerLayout, rrdb_net, upscaler_layout};
pub use size_embedding::{SIZE_CHANNELS, size_embedding};
pub use t2i_adapter::{AdapterLayout, adapter_layout, t2i_adapter};
pub use taesd::{taesd_decoder, taesd_encoder};
pub use unet::{AdapterKind, Downscale, FreeU, MiddleAttention, UnetOptions, unet};

/// Groups of every group normalisation of the Stable Diffusion networks.
const GROUPS: usize = 32;
