//! What changes the weights of a network before they are prepared: adapters such as LoRA, and other networks.

use std::sync::Arc;

use crate::part::{ModelFile, Network, NetworkKey};

/// Networks within networks of a merge: one more is refused.
pub const MOST_NESTED: usize = 16;

/// Patches of a network, with those of the networks merged into it: more are refused.
pub const MOST_PATCHES: usize = 256;

/// One change of a network's weights; they are applied in order, in f32.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// The differences in a file of patches, multiplied by a number.
    Adapter {
        /// The file.
        file: Arc<ModelFile>,
        /// What its differences are multiplied with; never 0.
        strength: f64,
        /// Whether the network is the second of two text encoders, which files of patches name differently.
        second: bool,
    },
    /// Each weight becomes `keep` of itself and `add` of the other network's.
    Merge {
        /// The other network.
        with: Network,
        /// By beginning of the weight's canonical name; of two that fit, the longer counts. The first is empty.
        shares: Vec<Share>,
    },
}

/// How much of each network the weights with a name of this beginning have.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Beginning of canonical names.
    pub below: String,
    /// Share of the network itself.
    pub keep: f64,
    /// Share of the other.
    pub add: f64,
}

/// What tells patches apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PatchKey {
    Adapter(String, String, u64, bool),
    Merge(Box<NetworkKey>, Vec<(String, u64, u64)>),
}

impl Patch {
    /// What tells it from every other patch.
    pub(crate) fn key(&self) -> PatchKey {
        match self {
            Patch::Adapter { file, strength, second } => {
                PatchKey::Adapter(file.folder.clone(), file.name.clone(), strength.to_bits(), *second)
            }
            Patch::Merge { with, shares } => {
                let bits = |share: &Share| (share.below.clone(), share.keep.to_bits(), share.add.to_bits());
                PatchKey::Merge(Box::new(with.key()), shares.iter().map(bits).collect())
            }
        }
    }

    /// Merges within it, itself included, and patches in all. The networks in it were counted before they came here.
    fn size(&self) -> (usize, usize) {
        match self {
            Patch::Adapter { .. } => (0, 1),
            Patch::Merge { with, .. } => {
                let (nested, patches) = size(&with.patches);
                (nested + 1, patches + 1)
            }
        }
    }
}

fn size(patches: &[Patch]) -> (usize, usize) {
    let sizes = patches.iter().map(Patch::size);
    sizes.fold((0, 0), |(nested, all), (inner, some)| (nested.max(inner), all + some))
}

/// Whether a network may have these patches.
pub(crate) fn within_limits(patches: &[Patch]) -> bool {
    let (nested, patches) = size(patches);
    nested <= MOST_NESTED && patches <= MOST_PATCHES
}
