//! Names of programs: what a plan writes down, and what the runtime rebuilds them from.

mod passes;
mod text;

use floe_formats::{Contents, Role};

use crate::arch::{self, TextOptions, UnetOptions};
use crate::builder::{BuildError, Builder};
use crate::ir::Program;
use crate::real::Real;
use crate::weights::Weights;

pub use passes::PassSet;

/// Which network at which sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProgramSpec {
    /// A text encoder.
    ClipText {
        /// Chunks of 77 tokens.
        rows: usize,
        /// Which encoder, and what is wanted of it.
        options: TextOptions,
    },
    /// The vision encoder.
    ClipVision {
        /// Pictures at once.
        batch: usize,
    },
    /// The denoising network; sizes in latent pixels.
    Unet {
        /// Latents at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Tokens of context.
        tokens: usize,
        /// Residuals and patches.
        options: UnetOptions,
    },
    /// A ControlNet; sizes in latent pixels.
    ControlNet {
        /// Latents at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Tokens of context.
        tokens: usize,
    },
    /// A T2I-Adapter; sizes in pixels of the hint.
    T2iAdapter {
        /// Hints at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The image decoder; sizes in latent pixels.
    VaeDecode {
        /// Latents at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The image encoder; sizes in pixels.
    VaeEncode {
        /// Pictures at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The tiny image decoder; sizes in latent pixels.
    TaesdDecode {
        /// Latents at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// What latents are multiplied with: the family's scale factor.
        scale: Real,
    },
    /// The tiny image encoder; sizes in pixels.
    TaesdEncode {
        /// Pictures at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// What latents are divided by: the family's scale factor.
        scale: Real,
    },
    /// A network that enlarges pictures; sizes in pixels of its input.
    Upscale {
        /// Pictures at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The vector of pooled prompt and sizes; no file has a part in it.
    SizeEmbedding {
        /// Items.
        batch: usize,
        /// Channels of the pooled prompt.
        width: usize,
        /// Numbers of an item.
        numbers: usize,
    },
}

impl ProgramSpec {
    /// The network of a file that holds its weights. The vector of sizes, which has none, goes with the U-Net that
    /// reads it.
    pub fn role(self) -> Role {
        match self {
            ProgramSpec::ClipText { options, .. } => options.encoder.role(),
            ProgramSpec::ClipVision { .. } => Role::ClipVision,
            ProgramSpec::Unet { .. } | ProgramSpec::SizeEmbedding { .. } => Role::Unet,
            ProgramSpec::ControlNet { .. } => Role::ControlNet,
            ProgramSpec::T2iAdapter { .. } => Role::T2iAdapter,
            ProgramSpec::VaeDecode { .. } | ProgramSpec::VaeEncode { .. } => Role::Vae,
            ProgramSpec::TaesdDecode { .. } => Role::TaesdDecoder,
            ProgramSpec::TaesdEncode { .. } => Role::TaesdEncoder,
            ProgramSpec::Upscale { .. } => Role::Upscaler,
        }
    }

    /// Builds the program over the tensors of a network, without its passes.
    ///
    /// # Errors
    /// If a tensor is missing or does not fit.
    pub fn build(self, weights: Weights<'_>) -> Result<Program, BuildError> {
        let b = Builder::new(self.to_string(), weights);
        let b = match self {
            ProgramSpec::ClipText { rows, options } => arch::clip_text(b, rows, options),
            ProgramSpec::ClipVision { batch } => arch::clip_vision(b, batch),
            ProgramSpec::Unet { batch, height, width, tokens, options } => {
                arch::unet(b, batch, [height, width], tokens, options)
            }
            ProgramSpec::ControlNet { batch, height, width, tokens } => {
                arch::controlnet(b, batch, [height, width], tokens)
            }
            ProgramSpec::T2iAdapter { batch, height, width } => arch::t2i_adapter(b, batch, [height, width]),
            ProgramSpec::VaeDecode { batch, height, width } => arch::vae_decoder(b, batch, [height, width]),
            ProgramSpec::VaeEncode { batch, height, width } => arch::vae_encoder(b, batch, [height, width]),
            ProgramSpec::TaesdDecode { batch, height, width, scale } => {
                arch::taesd_decoder(b, batch, [height, width], scale)
            }
            ProgramSpec::TaesdEncode { batch, height, width, scale } => {
                arch::taesd_encoder(b, batch, [height, width], scale)
            }
            ProgramSpec::Upscale { batch, height, width } => arch::rrdb_net(b, batch, [height, width]),
            ProgramSpec::SizeEmbedding { batch, width, numbers } => {
                arch::size_embedding(b, batch, width, numbers)
            }
        };
        b.map(Builder::finish)
    }
}

/// Builds the program over the network of a file that has its role, without its passes.
///
/// # Errors
/// If the file lacks the network, or a tensor is missing or does not fit.
pub fn build_program(spec: ProgramSpec, contents: &Contents) -> Result<Program, BuildError> {
    let role = spec.role();
    let component = contents.component(role);
    let component = component.ok_or_else(|| BuildError::Size(format!("the file has no {role}")))?;
    spec.build(Weights { header: &component.tensors, prefix: "" })
}
