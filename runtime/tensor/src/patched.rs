//! Weights changed by patches before they are prepared: one tensor at a time, in f32, so that a patched network takes
//! no more memory than a plain one.
//!
//! Every element is computed from its own row and column in one fixed order: the bits do not depend on threads.

mod delta;

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::{Header, Module, Piece};

use crate::weights::numbers;
use crate::{EngineError, MappedFile, Pool};
use delta::Delta;

/// The shape of a tensor, and its numbers, row-major.
pub type Numbers = (Vec<usize>, Vec<f32>);

/// A network whose weights are read through patches.
#[derive(Debug)]
pub struct Patched {
    /// Where its weights lie.
    pub file: Arc<MappedFile>,
    /// Its weights by canonical names.
    pub header: Header,
    /// What changes them, in order.
    pub changes: Vec<Change>,
}

/// One change of a network.
#[derive(Debug)]
pub enum Change {
    /// Differences of some layers.
    Adapter {
        /// The file of patches.
        file: Arc<MappedFile>,
        /// Its tensors.
        header: Arc<Header>,
        /// Patches by canonical names of layers.
        layers: BTreeMap<String, Vec<Module>>,
        /// What the differences are multiplied with.
        strength: f32,
    },
    /// Shares of the network itself and of another one.
    Merge {
        /// The other network.
        with: Box<Patched>,
        /// Beginning of names, share of the network, share of the other; the longest beginning counts.
        shares: Vec<(String, f32, f32)>,
    },
}

impl Patched {
    /// Whether anything may change the weight of this name.
    pub(crate) fn changes(&self, key: &str) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Adapter { layers, .. } => layer(key).is_some_and(|(layer, bias)| {
                layers.get(layer).is_some_and(|modules| modules.iter().any(|module| acts(module, bias)))
            }),
            Change::Merge { .. } => true,
        })
    }

    /// Whether its tables, which otherwise stay in the file, may be changed.
    pub(crate) fn changes_tables(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Merge { .. }))
    }

    /// A weight with all its changes; none where the network does not have it.
    ///
    /// # Errors
    /// If a file was shortened, or a patch does not fit its weight.
    pub fn read(&self, key: &str, pool: &Pool) -> Result<Option<Numbers>, EngineError> {
        let Some(info) = self.header.tensors.get(key) else { return Ok(None) };
        let mut values = numbers(&self.file, info).map_err(|reason| wrong(key, reason))?;
        for change in &self.changes {
            match change {
                Change::Adapter { file, header, layers, strength } => {
                    let Some((layer, bias)) = layer(key) else { continue };
                    for module in layers.get(layer).into_iter().flatten().filter(|module| acts(module, bias))
                    {
                        let delta = Delta { file, header, module, strength: *strength };
                        let shape = &info.shape;
                        delta.apply(bias, shape, &mut values, pool).map_err(|reason| wrong(key, reason))?;
                    }
                }
                Change::Merge { with, shares } => {
                    let Some((keep, add)) = share(shares, key) else { continue };
                    // What the other does not have, or has in another shape, stays as it is.
                    let Some((_, other)) = with.read(key, pool)?.filter(|(shape, _)| *shape == info.shape)
                    else {
                        continue;
                    };
                    for (value, other) in values.iter_mut().zip(other) {
                        *value = *value * keep + other * add;
                    }
                }
            }
        }
        Ok(Some((info.shape.clone(), values)))
    }
}

/// Layer of a weight's name, and whether it is its bias.
fn layer(key: &str) -> Option<(&str, bool)> {
    let weight = key.strip_suffix(".weight").map(|layer| (layer, false));
    weight.or_else(|| key.strip_suffix(".bias").map(|layer| (layer, true)))
}

/// Whether a patch has something for the weight, or the bias, of its layer.
fn acts(module: &Module, bias: bool) -> bool {
    let has = |piece| module.pieces.contains_key(&piece);
    if bias { has(Piece::DiffBias) } else { module.pieces.len() > usize::from(has(Piece::DiffBias)) }
}

fn share(shares: &[(String, f32, f32)], key: &str) -> Option<(f32, f32)> {
    let fitting = shares.iter().filter(|(below, ..)| key.starts_with(below.as_str()));
    fitting.rev().max_by_key(|(below, ..)| below.len()).map(|&(_, keep, add)| (keep, add))
}

fn wrong(key: &str, reason: String) -> EngineError {
    EngineError::Weight { key: key.to_owned(), reason }
}
