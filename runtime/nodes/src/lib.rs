//! The kernel of every node that can run, and what kernels stand on: noise, schedules, samplers, pictures.
//!
//! A kernel works on tensors that lie where the plan put them. It knows no graph and no file system: pictures and
//! progress go through the [`Host`].
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

pub mod animation;
mod bislerp;
mod blur;
pub mod canny;
pub mod image_io;
mod image_io_jpeg;
pub mod kernels;
pub mod morphology;
pub mod noise;
pub mod png_meta;
pub mod porter_duff;
pub mod quantize;
pub mod resize;
pub mod samplers;
pub mod sampling;
pub mod schedule;

pub use kernels::{Call, Host, Kernel, KernelError, Operand, Tensor, TensorMut, kernel, kernels};
