//! Tensors of a model file, by the names that descriptions of networks use.

use floe_formats::Header;

use crate::builder::BuildError;

/// The tensors of one part of a file: those below a prefix.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// The file's header.
    pub header: &'a Header,
    /// Prefix of the names, with its trailing dot.
    pub prefix: &'a str,
}

impl<'a> Weights<'a> {
    /// The shape of a tensor below the prefix.
    pub fn shape(&self, key: &str) -> Option<&'a [usize]> {
        self.header.shape(&self.name(key))
    }

    /// Whether there is a tensor with this key below the prefix.
    pub fn has(&self, key: &str) -> bool {
        self.shape(key).is_some()
    }

    /// Whether there is any tensor below the prefix whose key starts with `key`.
    pub fn has_prefix(&self, key: &str) -> bool {
        self.header.has_prefix(&self.name(key))
    }

    /// How many of `{key}0.`, `{key}1.`, … there are in a row.
    pub fn count(&self, key: &str) -> usize {
        (0..).take_while(|index| self.has_prefix(&format!("{key}{index}."))).count()
    }

    /// The shape of the first tensor below the prefix, in order of names, whose key ends with `suffix`.
    ///
    /// # Errors
    /// If there is none.
    pub fn first_with_suffix(&self, suffix: &str) -> Result<&'a [usize], BuildError> {
        let tensors = self.header.tensors.range(self.prefix.to_owned()..);
        let mut below = tensors.take_while(|(name, _)| name.starts_with(self.prefix));
        let found = below.find(|(name, _)| name.ends_with(suffix));
        found.map(|(_, info)| info.shape.as_slice()).ok_or_else(|| self.missing(&format!("…{suffix}")))
    }

    /// One dimension of a tensor below the prefix.
    ///
    /// # Errors
    /// If the tensor is missing or has fewer dimensions.
    pub fn dim(&self, key: &str, dimension: usize) -> Result<usize, BuildError> {
        let shape = self.shape(key);
        shape.and_then(|shape| shape.get(dimension).copied()).ok_or_else(|| self.missing(key))
    }

    /// The error that says that a tensor is not there.
    pub fn missing(&self, key: &str) -> BuildError {
        BuildError::MissingTensor { key: self.name(key) }
    }

    /// The full name of a tensor below the prefix.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}
