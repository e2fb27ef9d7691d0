use std::sync::Arc;

use super::loras::too_many;
use super::{Call, Gap, SemanticError, Semantics, Work};
use crate::facts::Fact;
use crate::part::{Loaded, Part};
use crate::patch::{self, Patch, Share};

pub(super) const ALL: &[Semantics] = &[
    Semantics::part("ModelMergeSimple", MODEL, |call| mix(call, MODELS)),
    Semantics::part("ModelMergeBlocks", MODEL, |call| blocks(call, &["input", "middle", "out"])),
    Semantics::part("ModelMergeSD1", MODEL, by_block),
    Semantics::part("ModelMergeSD2", MODEL, by_block),
    Semantics::part("ModelMergeSDXL", MODEL, by_block),
    Semantics::part("ModelMergeAdd", MODEL, |call| merge(call, MODELS, Some(vec![share("", 1.0, 1.0)]))),
    Semantics::part("ModelMergeSubtract", MODEL, |call| subtract(call, MODELS)),
    Semantics::part("CLIPMergeSimple", CLIP, |call| mix(call, CLIPS)),
    Semantics::part("CLIPMergeAdd", CLIP, |call| merge(call, CLIPS, Some(vec![share("", 1.0, 1.0)]))),
    Semantics::part("CLIPMergeSubtract", CLIP, |call| subtract(call, CLIPS)),
];

const MODEL: &[Part] = &[Part::Model];
const CLIP: &[Part] = &[Part::Clip];
const MODELS: [&str; 2] = ["model1", "model2"];
const CLIPS: [&str; 2] = ["clip1", "clip2"];

fn share(below: &str, keep: f64, add: f64) -> Share {
    Share { below: below.to_owned(), keep, add }
}

/// So much of the first, the rest of the second.
fn mix(call: &Call<'_>, inputs: [&'static str; 2]) -> Result<Work, SemanticError> {
    let shares = call.float("ratio").map(|ratio| vec![share("", ratio, 1.0 - ratio)]);
    merge(call, inputs, shares)
}

fn subtract(call: &Call<'_>, inputs: [&'static str; 2]) -> Result<Work, SemanticError> {
    let shares = call.float("multiplier").map(|factor| vec![share("", factor, -factor)]);
    merge(call, inputs, shares)
}

/// A ratio for each block: inputs are the beginnings of names.
fn by_block(call: &Call<'_>) -> Result<Work, SemanticError> {
    let mut names: Vec<&str> = call.inputs.keys().copied().filter(|name| !MODELS.contains(name)).collect();
    // What has no ratio of its own has the first one's.
    names.sort_by_key(|name| *name != "time_embed.");
    blocks(call, &names)
}

fn blocks(call: &Call<'_>, names: &[&str]) -> Result<Work, SemanticError> {
    let ratios: Option<Vec<(&str, f64)>> =
        names.iter().map(|&name| call.float(name).map(|ratio| (name, ratio))).collect();
    let shares = ratios.map(|ratios| {
        let rest = ratios.first().map(|&(_, ratio)| ("", ratio));
        rest.into_iter().chain(ratios).map(|(name, ratio)| share(name, ratio, 1.0 - ratio)).collect()
    });
    merge(call, MODELS, shares)
}

/// The networks of the first part, each with shares of the second's network of its role.
fn merge(
    call: &Call<'_>,
    [first, second]: [&'static str; 2],
    shares: Option<Vec<Share>>,
) -> Result<Work, SemanticError> {
    let as_given = || Ok(Work::gives([call.fact(first).clone()]).lacking(Gap::Unknown));
    let (Some(base), Some(other), Some(shares)) = (call.loaded(first)?, call.loaded(second)?, shares) else {
        return as_given();
    };
    same_family(base, other, second)?;
    let mut merged = (**base).clone();
    if shares.iter().any(|share| share.add != 0.0 || share.keep != 1.0) {
        for network in &mut merged.networks {
            let Some(with) = other.network(network.role) else { continue };
            network.patches.push(Patch::Merge { with: with.clone(), shares: shares.clone() });
            if !patch::within_limits(&network.patches) {
                return Err(too_many(second));
            }
        }
    }
    Ok(Work::gives([Fact::Part(Arc::new(merged))]))
}

fn same_family(base: &Loaded, other: &Loaded, input: &'static str) -> Result<(), SemanticError> {
    match (base.file.contents.family(), other.file.contents.family()) {
        (Some(a), Some(b)) if a != b => Err(SemanticError::Facet {
            input,
            reason: format!(
                "`{}` is of {a}, `{}` of {b}: their weights do not fit",
                base.file.name, other.file.name
            ),
            help: "merge models of one family".to_owned(),
        }),
        _ => Ok(()),
    }
}
