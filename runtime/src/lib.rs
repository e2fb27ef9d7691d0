//! How a plan runs: opens its files, gives its buffers their places in one slab, calls kernels in order, releases
//! weights after their last use. The plan is the only input; no source, no syntax tree, no graph is known here.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod error;
mod executor;
mod models;

pub use error::{CODES, RunError};
pub use executor::{Event, Machine, Observer, Summary, Value, run};
pub use floe_nodes::Host;
pub use floe_nodes::image_io;
pub use floe_nodes::png_meta;
pub use floe_tensor::{Isa, Pool};
pub use models::Models;
