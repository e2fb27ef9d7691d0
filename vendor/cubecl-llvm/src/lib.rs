//! Stands in for `cubecl-llvm`: the names that `cubecl-cuda` uses, and no LLVM. `README.md` says why.
//!
//! Kernels are compiled by NVRTC (`cubecl-cuda` with its feature `cpp`), so nothing in here runs. If it is asked to
//! compile after all, it answers with an error.
#![forbid(unsafe_code)]

use std::ffi::c_char;
use std::fmt;

use cubecl_core::Compiler;
use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::prelude::KernelDefinition;
use cubecl_environment::backtrace::BackTrace;
use cubecl_runtime::compiler::CompilationError;
use cubecl_runtime::kernel::BufferIOAttr;

/// NVIDIA's assembly.
pub mod nvptx {
    /// Its versions.
    pub mod ptx_version {
        use std::fmt;

        /// A version of PTX; none exists here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PtxVersion {}

        impl PtxVersion {
            /// The newest version that a driver loads: unknown, since nothing is emitted.
            pub fn for_driver(_driver: i32) -> Option<PtxVersion> {
                None
            }
        }

        impl fmt::Display for PtxVersion {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {}
            }
        }
    }
}

/// What the targets of LLVM have in common.
pub mod shared {
    /// Features that LLVM's targets lack.
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        /// A kind of GPU.
        #[derive(Debug, Clone, Copy)]
        pub enum GpuTarget {
            /// NVIDIA.
            Nvptx,
        }

        /// Takes back what LLVM could not compile: nothing, as it compiles nothing.
        pub fn restrict_features(_properties: &mut DeviceProperties, _target: GpuTarget) {}
    }
}

/// What kernels would be compiled for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LlvmTarget {
    /// The host.
    #[default]
    Cpu,
    /// NVIDIA GPUs.
    Nvptx,
}

/// A compiler that refuses.
#[derive(Debug, Clone, Default)]
pub struct PlironCompiler {
    /// What it would compile for.
    pub target: LlvmTarget,
}

/// Options of a compilation that does not happen.
#[derive(Debug, Clone, Default)]
pub struct PlironOptions {
    /// The host's architecture.
    pub arch: Option<()>,
    /// The GPU's architecture.
    pub sm_arch: Option<SmArch>,
    /// The newest PTX that the driver loads.
    pub ptx_version: Option<nvptx::ptx_version::PtxVersion>,
    /// Whether launch parameters are grid constants.
    pub grid_constants: bool,
}

/// A compiled kernel, never made.
#[derive(Debug, Clone)]
pub struct NvptxModule {
    /// Its assembly, as a C string.
    pub ptx: Vec<c_char>,
    /// The function to launch.
    pub entrypoint: String,
    /// Its text before assembly.
    pub ir: String,
    /// Bytes of shared memory.
    pub shared_memory_size: usize,
    /// Which buffers it reads and writes.
    pub io: Vec<BufferIOAttr>,
}

/// The result of a compilation, never made.
#[derive(Debug, Clone)]
pub enum PlironArtifact {
    /// For NVIDIA GPUs.
    NvptxCode(NvptxModule),
    /// For anything else.
    Other,
}

impl fmt::Display for PlironArtifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlironArtifact::NvptxCode(module) => f.write_str(&module.ir),
            PlironArtifact::Other => f.write_str("no code"),
        }
    }
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    fn compile(
        &mut self,
        _kernel: KernelDefinition,
        _options: &PlironOptions,
    ) -> Result<PlironArtifact, CompilationError> {
        let reason = "this build has no LLVM: kernels are compiled by NVRTC".to_owned();
        Err(CompilationError::Generic { reason, backtrace: BackTrace::capture() })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}
