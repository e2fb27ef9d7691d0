//! What can go wrong in the burn engine.

use thiserror::Error;

/// Why a device cannot be used, or a program cannot be loaded or run on it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BurnError {
    /// There is no NVIDIA driver, or it sees no GPU.
    #[error("no NVIDIA GPU: the driver (libcuda) is not installed, or it sees no device")]
    NoGpu,
    /// There are GPUs, but not this one.
    #[error("there is no cuda:{index}: this machine has {found} GPU(s), counted from 0")]
    NoSuchGpu {
        /// The index asked for.
        index: usize,
        /// How many there are.
        found: usize,
    },
    /// Kernels are compiled when they are first needed, from headers that are not there.
    #[error(
        "CUDA's headers are needed to compile kernels, but `{missing}` does not exist; install the CUDA toolkit \
         (NVRTC and the runtime's headers are enough) and set CUDA_PATH to it"
    )]
    NoHeaders {
        /// The first header that was looked for in vain.
        missing: String,
    },
    /// The device was found, but does not compute.
    #[error("{device} cannot be used: {reason}")]
    Unusable {
        /// Its name.
        device: String,
        /// What burn, the driver or NVRTC said.
        reason: String,
    },
    /// The device has no arithmetic in this number type.
    #[error("{device} does not compute in {precision}")]
    Precision {
        /// Its name.
        device: String,
        /// The number type asked for.
        precision: String,
    },
    /// The program breaks an invariant: a bug of the pass or description that made it.
    #[error("{0}")]
    Program(#[from] floe_nets::ir::VerifyError),
    /// A weight of the program is not in the file as the program expects it.
    #[error("weight `{key}`: {reason}")]
    Weight {
        /// Its name in the file.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Inputs or outputs do not fit the program.
    #[error("program `{program}`, {port}: {reason}")]
    Port {
        /// The program's name.
        program: String,
        /// Which input or output.
        port: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An operation failed. Devices work asynchronously, so the cause may be an earlier one; position and text of
    /// the end mean that reading an output failed.
    #[error("program `{program}`, operation {position} (`{op}`): {reason}")]
    Failed {
        /// The program's name.
        program: String,
        /// Position of the operation; the number of operations for the reading of outputs.
        position: usize,
        /// The operation's text.
        op: String,
        /// What burn said.
        reason: String,
    },
    /// The device faulted and answers nothing any more: only a new process can use it again.
    #[error("{device} is lost to this process, which has to be restarted: {reason}")]
    Lost {
        /// Its name.
        device: String,
        /// What the driver said.
        reason: String,
    },
}
