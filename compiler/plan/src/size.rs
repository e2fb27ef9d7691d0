//! Sizes that a plan may not know yet.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a size that is not known is written.
const UNKNOWN: &str = "unknown";

/// A size in elements, such as one dimension of a tensor: a number, or `"unknown"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    /// So many.
    Known(usize),
    /// It depends on a file that was not looked at, or on what only a run tells.
    Unknown,
}

impl Size {
    /// The number, where it is known.
    pub fn known(self) -> Option<usize> {
        match self {
            Size::Known(size) => Some(size),
            Size::Unknown => None,
        }
    }
}

impl From<Option<usize>> for Size {
    fn from(size: Option<usize>) -> Size {
        size.map_or(Size::Unknown, Size::Known)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Known(size) => size.fmt(f),
            Size::Unknown => f.write_str(UNKNOWN),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Size::Known(size) => serializer.serialize_u64(*size as u64),
            Size::Unknown => serializer.serialize_str(UNKNOWN),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a size or \"{UNKNOWN}\"")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Size, E> {
        usize::try_from(value).map(Size::Known).map_err(|_| E::custom("a size that no machine has"))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Size, E> {
        u64::try_from(value).map_err(|_| E::custom("a size below 0")).and_then(|value| self.visit_u64(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        if text == UNKNOWN {
            Ok(Size::Unknown)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}
