//! Indices into the tables of a plan.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The id of the `index`-th entry.
            ///
            /// # Panics
            /// If a table has more than 2^32 entries.
            pub fn new(index: usize) -> Self {
                $name(u32::try_from(index).expect("a plan's tables have fewer than 2^32 entries"))
            }

            /// The position in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A buffer of a plan.
    BufferId, "b"
);
id!(
    /// A model load of a plan.
    LoadId, "m"
);
id!(
    /// A tensor program of a plan.
    ProgramId, "p"
);
id!(
    /// A step of a plan.
    StepId, "s"
);
