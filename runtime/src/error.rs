use bytesize::ByteSize;
use floe_formats::FormatError;
use floe_nets::BuildError;
use floe_nodes::KernelError;
use floe_plan::{Gap, VerifyError};
use floe_tensor::EngineError;
use thiserror::Error;

/// Why a run fails.
#[derive(Debug, Error)]
pub enum RunError {
    /// The plan breaks its own rules: it was edited by hand, or is damaged.
    #[error("the plan is broken: {0}")]
    Plan(#[from] VerifyError),
    /// The plan names something that this Floe does not have.
    #[error("the plan needs {what}, which this version of Floe does not have")]
    Version {
        /// A kernel, program or pass.
        what: String,
    },
    /// The plan lacks what was not known when it was made.
    #[error("step {step} ({kernel}), which is {}, cannot run: {}", origins.join(", "), reason(*gap))]
    Incomplete {
        /// Its number, from 1.
        step: usize,
        /// Its kernel.
        kernel: String,
        /// The source nodes that it stands for.
        origins: Vec<String>,
        /// What is missing; nothing where it is the size of one of its buffers.
        gap: Option<Gap>,
    },
    /// A tensor program is not what it was when the plan was made.
    #[error("program `{spec}` is another one in this version of Floe: the plan is out of date")]
    Stale {
        /// Its name.
        spec: String,
    },
    /// A model file is missing or cannot be opened.
    #[error("`{file}` of `{folder}` cannot be opened: {reason}")]
    Open {
        /// The folder of models.
        folder: String,
        /// Its name there.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// A model file is not the one that was planned.
    #[error("`{file}` is not the file that the plan was made for: its header differs")]
    Changed {
        /// Its name.
        file: String,
    },
    /// A model file cannot be read.
    #[error("`{file}`: {error}")]
    Format {
        /// Its name.
        file: String,
        /// What is wrong with its bytes.
        error: FormatError,
    },
    /// A network cannot be built from a model file.
    #[error("`{file}`: {error}")]
    Network {
        /// Its name.
        file: String,
        /// Why.
        error: BuildError,
    },
    /// The plan takes more memory than is free: the system would promise it, and kill the process later.
    #[error("the plan takes {} of memory, but only {} are free", ByteSize(*needed), ByteSize(*available))]
    Memory {
        /// Bytes of the plan's peak.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// Memory or threads are not to be had.
    #[error(transparent)]
    Machine(EngineError),
    /// A step fails.
    #[error("step {step} ({kernel}), which is {}: {error}", origins.join(", "))]
    Step {
        /// Its number, from 1.
        step: usize,
        /// Its kernel.
        kernel: String,
        /// The source nodes that it stands for.
        origins: Vec<String>,
        /// Why.
        #[source]
        error: Box<KernelError>,
    },
    /// A kernel has a bug; the run ends, the process does not.
    #[error("step {step} ({kernel}), which is {}, panicked: {message}", origins.join(", "))]
    Panic {
        /// Its number, from 1.
        step: usize,
        /// Its kernel.
        kernel: String,
        /// The source nodes that it stands for.
        origins: Vec<String>,
        /// What it said.
        message: String,
    },
}

fn reason(gap: Option<Gap>) -> &'static str {
    match gap {
        Some(Gap::NoKernel) => "this version of Floe has no kernel for it",
        Some(Gap::File) => "the plan was made without looking at its file",
        Some(Gap::Unknown) | None => "its sizes were not known when the plan was made",
    }
}

/// Codes of run errors; each has a page.
pub const CODES: [&str; 11] = [
    "run::incomplete",
    "run::broken_plan",
    "run::version",
    "run::stale_program",
    "run::open",
    "run::changed_file",
    "run::bad_file",
    "run::machine",
    "run::step",
    "run::cancelled",
    "run::panic",
];

impl RunError {
    /// Its code, under which `floe explain` has a page.
    pub fn code(&self) -> &'static str {
        match self {
            RunError::Plan(_) => "run::broken_plan",
            RunError::Version { .. } => "run::version",
            RunError::Incomplete { .. } => "run::incomplete",
            RunError::Stale { .. } => "run::stale_program",
            RunError::Open { .. } => "run::open",
            RunError::Changed { .. } => "run::changed_file",
            RunError::Format { .. } | RunError::Network { .. } => "run::bad_file",
            RunError::Machine(_) | RunError::Memory { .. } => "run::machine",
            RunError::Step { error, .. } if matches!(**error, KernelError::Cancelled) => "run::cancelled",
            RunError::Step { .. } => "run::step",
            RunError::Panic { .. } => "run::panic",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            RunError::Plan(_) => "make the plan anew with `floe plan`",
            RunError::Version { .. } | RunError::Stale { .. } => {
                "make the plan anew with `floe plan`, or run it with the Floe that made it"
            }
            RunError::Incomplete { gap: Some(Gap::NoKernel), .. } => "`floe nodes` says which nodes can run",
            RunError::Incomplete { .. } => "make the plan anew with `floe plan`, without `--no-files`",
            RunError::Open { .. } => "put the file there, or name its folder with `--models DIR`",
            RunError::Changed { .. } => "put the planned file back, or make the plan anew with `floe plan`",
            RunError::Format { .. } | RunError::Network { .. } => "fetch the file again",
            RunError::Machine(_) | RunError::Memory { .. } => {
                "free memory, or ask for a smaller plan with `floe plan --memory SIZE`"
            }
            RunError::Step { error, .. } if matches!(**error, KernelError::Cancelled) => {
                "nothing was left half-written"
            }
            RunError::Step { .. } => "outputs of earlier steps are whole; nothing was left half-written",
            RunError::Panic { .. } => "this is a bug of Floe: please report it with the program",
        }
    }

    /// Whether the machine is the reason rather than the plan.
    pub fn is_machine(&self) -> bool {
        !matches!(
            self,
            RunError::Plan(_)
                | RunError::Version { .. }
                | RunError::Incomplete { .. }
                | RunError::Stale { .. }
        )
    }
}
