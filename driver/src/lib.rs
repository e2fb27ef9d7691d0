//! Sources, folders and options to a compiled and executed program: what the command line and the server share.
//! All reading of files that the compiler needs happens here.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod buffers;
mod compile;
mod error;
mod folders;
mod format;
mod front;
mod import;
mod models;
mod moment;
mod nodes;
mod packs;
mod run;
mod source;
mod write;

pub use buffers::Buffers;
pub use compile::{Compilation, Examined, Exported, Failure, check, compile, export_api, export_ui};
pub use error::{BadPicture, CODES, DriverError, RunFailure};
pub use floe_compiler::{Binding, CompileError, Options, PassList, Pick, page};
pub use floe_formats::PictureSize;
pub use floe_lang::text::CivilTime;
pub use floe_lang::{SourceFile, suggest};
pub use floe_nets::offsets::{Goal, Packing};
pub use floe_plan::{Device, Plan, Precision, Scalar, Target};
pub use floe_runtime::{Event, Isa, Machine, Pool, Summary, Value};
pub use floe_stdlib::{NodeDecl, node, nodes};
pub use folders::Folders;
pub use format::format;
pub use import::{ImportOptions, Imported, import};
pub use models::{InspectError, inspect_model, list_models};
pub use moment::{binding, parse_time};
pub use nodes::{by_category, declaration, named_declaration, nodes_page};
pub use packs::Pack;
pub use run::{Outputs, Progress, RunOptions, run};
pub use source::{DEFAULT_LIMIT, Form, STDIN, Source, is_plan, read_plan, read_source};
pub use write::{create, replace};
