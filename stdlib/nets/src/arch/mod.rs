//! One description per architecture, written against the shapes and key names found in a file: no table of widths.

mod autoencoder_kl;
mod clip_text;
mod unet;

pub use autoencoder_kl::{vae_decoder, vae_encoder};
pub use clip_text::clip_text;
pub use unet::unet;

/// Groups of every group normalisation of the Stable Diffusion networks.
const GROUPS: usize = 32;
