use floe_nets::ir::VerifyError;
use thiserror::Error;

use crate::Isa;

/// Why an engine cannot do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// Memory is short.
    #[error("{bytes} bytes of memory cannot be allocated")]
    Allocation {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The system gives no more threads.
    #[error("a worker thread cannot be started: {reason}")]
    Threads {
        /// What the system says.
        reason: String,
    },
    /// Ranges that cannot be borrowed from a slab at the same time.
    #[error("bytes {start}..{end} of a slab of {len} bytes cannot be borrowed: {reason}")]
    Borrow {
        /// First byte.
        start: usize,
        /// Byte after the last.
        end: usize,
        /// Bytes of the slab.
        len: usize,
        /// Why not.
        reason: &'static str,
    },
    /// The processor lacks these instructions.
    #[error("this processor does not have {0}")]
    Isa(Isa),
    /// The program breaks its own rules.
    #[error(transparent)]
    Program(#[from] VerifyError),
    /// The program has not been through a pass that places its values.
    #[error("program `{0}` has no placement")]
    NotPlaced(String),
    /// No kernel takes these sizes.
    #[error("program `{program}`, operation {position}: {reason}")]
    Unsupported {
        /// The program's name.
        program: String,
        /// Position of the operation.
        position: usize,
        /// What is too large or of the wrong type.
        reason: String,
    },
    /// A weight of the program was not prepared, or the file holds another one.
    #[error("weight `{key}`: {reason}")]
    Weight {
        /// Its name in the file.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// The file of the weights was shortened while it was in use.
    #[error("the file had {mapped} bytes when it was opened and now has {found}: it was changed meanwhile")]
    Shrunk {
        /// Bytes when it was opened.
        mapped: u64,
        /// Bytes now.
        found: u64,
    },
    /// A run is given another number of inputs or outputs than the program has.
    #[error("program `{program}` has {expected} {what}, {found} are given")]
    Count {
        /// The program's name.
        program: String,
        /// `inputs` or `outputs`.
        what: &'static str,
        /// How many it has.
        expected: usize,
        /// How many are given.
        found: usize,
    },
    /// An input or output of a run does not fit.
    #[error("`{port}` is {expected}, {found} is given")]
    Port {
        /// Its name.
        port: String,
        /// Elements and type of the program.
        expected: String,
        /// Elements and type given.
        found: String,
    },
    /// The slab of a run is too small.
    #[error("a slab of {found} bytes is given, {needed} are needed")]
    Slab {
        /// Bytes of the placement.
        needed: usize,
        /// Bytes given.
        found: usize,
    },
    /// An index outside of its table.
    #[error("index {index} is outside of a table of {rows} rows")]
    Index {
        /// The index.
        index: i32,
        /// Rows of the table.
        rows: usize,
    },
}
