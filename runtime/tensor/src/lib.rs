//! The engines that run tensor programs: the CPU engine and its kernels, and burn's tensors.
//!
//! The CPU engine runs a program in one preallocated [`Slab`], at the offsets that the program's placement gives,
//! with weights prepared once from a mapped file. **Its results do not depend on the machine**: every thread count,
//! batch size, tiling and instruction set gives the same bits, because each kernel is written once, over vectors of
//! a fixed number of lanes, and sums in one fixed order. A run allocates nothing.

#[cfg(feature = "burn")]
pub mod burn_engine;
mod error;
mod executable;
mod isa;
mod kernels;
mod mapped;
mod memory;
mod patched;
mod pool;
mod slab;
mod weights;

pub use error::EngineError;
pub use executable::{Executable, Input};
pub use isa::Isa;
pub use mapped::MappedFile;
pub use patched::{Change, Numbers, Patched};
pub use pool::Pool;
pub use slab::{Borrowed, Slab};
pub use weights::WeightStore;
