//! What the semantics of pictures and masks share.

use super::{Call, Scratch, SemanticError};
use crate::facts::{Fact, Size};

/// Sizes of pictures. Masks are pictures of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pictures {
    pub(super) batch: Size,
    pub(super) height: Size,
    pub(super) width: Size,
    pub(super) channels: Size,
}

impl Pictures {
    pub(super) const NONE: Pictures = Pictures { batch: None, height: None, width: None, channels: None };

    pub(super) fn image(self) -> Fact {
        let Pictures { batch, height, width, channels } = self;
        Fact::Image { batch, height, width, channels }
    }

    pub(super) fn mask(self) -> Fact {
        let Pictures { batch, height, width, .. } = self;
        Fact::Mask { batch, height, width }
    }

    /// Working memory of the size of one of the pictures.
    pub(super) fn scratch(self, name: &'static str) -> Scratch {
        Scratch { name, shape: vec![self.height, self.width, self.channels] }
    }

    /// Working memory of a change of size, which makes the columns first and then the rows.
    pub(super) fn scaling(self, width: Size) -> Scratch {
        Scratch { name: "wide", shape: vec![self.height, width, self.channels] }
    }
}

/// A function of sizes that gives one where all are known.
pub(super) fn both<T>(a: Option<T>, b: Option<T>, of: impl Fn(T, T) -> T) -> Option<T> {
    Some(of(a?, b?))
}

/// The number of pictures where two batches are worked on together and a single picture goes with all of the other.
pub(super) fn together(input: &'static str, a: Size, b: Size) -> Result<Size, SemanticError> {
    match (a, b) {
        (Some(1), other) | (other, Some(1)) => Ok(other),
        (Some(a), Some(b)) if a != b => Err(SemanticError::Facet {
            input,
            reason: format!("{b} pictures do not go with {a}"),
            help: "use as many pictures, or a single one, which goes with each".to_owned(),
        }),
        (a, b) => Ok(a.or(b)),
    }
}

impl Call<'_> {
    pub(super) fn pictures(&self, input: &str) -> Pictures {
        let [batch, height, width, channels] = self.image(input);
        Pictures { batch, height, width, channels }
    }

    pub(super) fn masks(&self, input: &str) -> Pictures {
        let [batch, height, width] = self.mask(input);
        Pictures { batch, height, width, channels: Some(1) }
    }

    /// Whether an optional socket is left open.
    pub(super) fn is_open(&self, input: &str) -> bool {
        !self.is_given(input)
    }
}
