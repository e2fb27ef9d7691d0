//! Files that patch networks: LoRA and its kin. Which layers they patch, how, and for which families of models that
//! fits, all by their names.

mod families;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::{Component, Family, FormatError, Header, Role};

/// One tensor of a patch, by what it is for. Shapes are those of linear layers; convolutions have their kernel behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// `[rank, in]`: what the layer's input is multiplied with first (Hu et al. 2021, LoRA: A).
    Down,
    /// `[out, rank]`: what comes after (B).
    Up,
    /// `[rank, rank, height, width]`: between the two, of convolutions in Tucker's form.
    Mid,
    /// A number: the patch is scaled by it over the rank; by 1 where it is missing.
    Alpha,
    /// `[out, 1]` or `[1, in]`: the magnitude of the patched weight (Liu et al. 2024, DoRA).
    DoraScale,
    /// `[out, rank]`: first product (Hyeon-Woo et al. 2021, LoHa).
    HadaW1A,
    /// `[rank, in]`.
    HadaW1B,
    /// `[out, rank]`: second product, with which the first is multiplied element by element.
    HadaW2A,
    /// `[rank, in]`.
    HadaW2B,
    /// `[rank, rank, height, width]`: between the factors of the first product.
    HadaT1,
    /// The same for the second.
    HadaT2,
    /// The left factor of a Kronecker product (Yeh et al. 2023, LoKr), or two factors of it.
    LokrW1,
    /// `[rows, rank]`.
    LokrW1A,
    /// `[rank, columns]`.
    LokrW1B,
    /// The right factor, or two or three factors of it.
    LokrW2,
    /// `[rows, rank]`.
    LokrW2A,
    /// `[rank, columns]`.
    LokrW2B,
    /// `[rank, rank, height, width]`.
    LokrT2,
    /// Of the weight's shape: what is added to it.
    Diff,
    /// Of the bias's shape: what is added to it.
    DiffBias,
}

/// How a patch makes the difference of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A product of two narrow matrices: LoRA; LoCon, where the layer is a convolution.
    LowRank,
    /// Two such products, multiplied element by element: LoHa.
    Hadamard,
    /// A Kronecker product: LoKr.
    Kronecker,
    /// The difference itself.
    Difference,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::LowRank => "lora",
            Method::Hadamard => "loha",
            Method::Kronecker => "lokr",
            Method::Difference => "diff",
        })
    }
}

/// The patch of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// What the file calls the layer.
    pub name: String,
    /// Names in the file of the tensors, by what they are for.
    pub pieces: BTreeMap<Piece, String>,
}

impl Module {
    /// How it is made, if enough tensors are there.
    pub fn method(&self) -> Option<Method> {
        let has = |pieces: &[Piece]| pieces.iter().all(|piece| self.pieces.contains_key(piece));
        let either = |whole: Piece, parts: [Piece; 2]| has(&[whole]) || has(&parts);
        if has(&[Piece::Down, Piece::Up]) {
            Some(Method::LowRank)
        } else if has(&[Piece::HadaW1A, Piece::HadaW1B, Piece::HadaW2A, Piece::HadaW2B]) {
            Some(Method::Hadamard)
        } else if either(Piece::LokrW1, [Piece::LokrW1A, Piece::LokrW1B])
            && either(Piece::LokrW2, [Piece::LokrW2A, Piece::LokrW2B])
        {
            Some(Method::Kronecker)
        } else if has(&[Piece::Diff]) || has(&[Piece::DiffBias]) {
            Some(Method::Difference)
        } else {
            None
        }
    }
}

/// A file of patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lora {
    /// The patches, by name.
    pub modules: Vec<Module>,
    /// Families that they may be for, as far as the structure of the names says; never empty.
    pub families: Vec<Family>,
}

/// A patch, and the layer that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The network.
    pub role: Role,
    /// The layer's canonical name: its weight is `{layer}.weight`, its bias `{layer}.bias`.
    pub layer: String,
    /// The patch.
    pub module: &'a Module,
}

/// Which patches of a file fit a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets<'a> {
    /// Those with a layer, in the order of the file's names.
    pub found: Vec<Target<'a>>,
    /// Those without: of networks that were not given, or of none.
    pub left: Vec<&'a Module>,
}

impl Lora {
    /// The patches of a file, if it is one of patches.
    ///
    /// # Errors
    /// If a patch lacks tensors, or they are for a family that is known by name only.
    pub fn of(header: &Header) -> Result<Option<Lora>, FormatError> {
        let mut modules: BTreeMap<&str, BTreeMap<Piece, String>> = BTreeMap::new();
        for tensor in header.tensors.keys() {
            if let Some((name, piece)) = names::split(tensor) {
                modules.entry(name).or_default().insert(piece, tensor.clone());
            }
        }
        let mut modules: Vec<Module> =
            modules.into_iter().map(|(name, pieces)| Module { name: name.to_owned(), pieces }).collect();
        // A single `alpha` or `diff` may be a name in any network.
        if !modules.iter().any(|module| module.method().is_some()) {
            return Ok(None);
        }
        if let Some(what) = names::foreign(&modules) {
            return Err(FormatError::Unsupported { what });
        }
        // Numbers may stand without a patch: some trainers leave out patches that are zero.
        modules.retain(|module| {
            module.pieces.keys().any(|piece| !matches!(piece, Piece::Alpha | Piece::DoraScale))
        });
        if let Some(module) = modules.iter().find(|module| module.method().is_none()) {
            return Err(FormatError::Misfit {
                tensor: module.pieces.values().next().cloned().unwrap_or_default(),
                reason: "the other tensors of this patch are missing".to_owned(),
            });
        }
        let families = families::of(header, &modules);
        if families.is_empty() {
            return Err(FormatError::Unsupported { what: "a LoRA for a model of another family" });
        }
        Ok(Some(Lora { modules, families }))
    }

    /// Which layers of these networks, all of one model, the patches are for.
    pub fn targets(&self, networks: &[&Component]) -> Targets<'_> {
        let pair = networks.iter().any(|component| component.network.role() == Role::ClipL);
        self.targets_of(networks, pair)
    }

    /// Which layers of one network the patches are for. `second`: it is the second of two text encoders.
    pub fn targets_in(&self, network: &Component, second: bool) -> Targets<'_> {
        self.targets_of(&[network], second)
    }

    fn targets_of(&self, networks: &[&Component], pair: bool) -> Targets<'_> {
        let mut layers = BTreeMap::new();
        for component in networks {
            let role = component.network.role();
            for (alias, layer) in names::aliases(component, pair) {
                layers.entry(alias).or_insert((role, layer));
            }
        }
        let mut targets = Targets { found: Vec::new(), left: Vec::new() };
        for module in &self.modules {
            match layers.get(names::plain(&module.name)) {
                Some((role, layer)) => {
                    targets.found.push(Target { role: *role, layer: layer.clone(), module });
                }
                None => targets.left.push(module),
            }
        }
        targets
    }
}
