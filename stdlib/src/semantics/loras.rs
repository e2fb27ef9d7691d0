use std::sync::Arc;

use floe_formats::{Family, Kind, Role};

use super::{Call, Gap, Opened, SemanticError, Semantics, Work};
use crate::facts::Fact;
use crate::part::{Loaded, ModelFile, Part};
use crate::patch::{self, Patch};

pub(super) const ALL: &[Semantics] = &[
    Semantics::part("LoraLoader", &[Part::Model, Part::Clip], lora_loader),
    Semantics::part("LoraLoaderModelOnly", &[Part::Model], lora_loader_model_only),
];

fn lora_loader(call: &Call<'_>) -> Result<Work, SemanticError> {
    apply(call, &[("model", "strength_model"), ("clip", "strength_clip")])
}

fn lora_loader_model_only(call: &Call<'_>) -> Result<Work, SemanticError> {
    apply(call, &[("model", "strength_model")])
}

/// Parts with the patches of a file behind their own. What has a strength of 0 stays as it is.
fn apply(call: &Call<'_>, parts: &[(&'static str, &'static str)]) -> Result<Work, SemanticError> {
    let as_given = |gap| {
        let facts: Vec<Fact> = parts.iter().map(|(input, _)| call.fact(input).clone()).collect();
        Work::gives(facts).lacking(gap)
    };
    let file =
        match call.model_file("lora_name", "loras", "a LoRA", |file| file.contents.kind == Kind::Lora)? {
            Opened::Seen(file) => file,
            Opened::Unseen(gap) => return Ok(as_given(gap)),
        };
    let mut outputs = Vec::new();
    let mut fits = false;
    for &(input, strength) in parts {
        let (Some(loaded), Some(strength)) = (call.part(input), call.float(strength)) else {
            return Ok(as_given(Gap::Unknown));
        };
        family(loaded, &file)?;
        let pair = loaded.network(Role::ClipL).is_some();
        let mut patched = (**loaded).clone();
        for network in &mut patched.networks {
            let second = pair && network.role == Role::ClipG;
            if !touches(&file, network.component(), second) {
                continue;
            }
            fits = true;
            if strength != 0.0 {
                network.patches.push(Patch::Adapter { file: file.clone(), strength, second });
            }
            if !patch::within_limits(&network.patches) {
                return Err(too_many(input));
            }
        }
        outputs.push(Fact::Part(Arc::new(patched)));
    }
    if !fits {
        let count = file.contents.lora.as_ref().map_or(0, |lora| lora.modules.len());
        return Err(SemanticError::Facet {
            input: "lora_name",
            reason: format!("none of the {count} patches in `{}` has a layer here", file.name),
            help: "use a LoRA that was made for this model".to_owned(),
        });
    }
    Ok(Work::gives(outputs))
}

/// More patches than a network may have.
pub(super) fn too_many(input: &'static str) -> SemanticError {
    SemanticError::Value {
        input,
        reason: "too many patches lie one upon another".to_owned(),
        help: format!(
            "a network has at most {} patches, and merges at most {} deep",
            patch::MOST_PATCHES,
            patch::MOST_NESTED
        ),
    }
}

fn touches(file: &ModelFile, component: &floe_formats::Component, second: bool) -> bool {
    file.contents.lora.as_ref().is_some_and(|lora| !lora.targets_in(component, second).found.is_empty())
}

/// A file of patches for another family is an error, told by names alone.
fn family(loaded: &Loaded, file: &ModelFile) -> Result<(), SemanticError> {
    let families = file.contents.lora.as_ref().map_or(&[][..], |lora| &lora.families);
    match loaded.file.contents.family() {
        Some(family) if !families.contains(&family) => {
            let names: Vec<String> = families.iter().map(Family::to_string).collect();
            Err(SemanticError::Facet {
                input: "lora_name",
                reason: format!(
                    "`{}` is {}, and the {} in `{}` is of {family}",
                    file.name,
                    file.what(),
                    loaded.part,
                    loaded.file.name
                ),
                help: format!("use a LoRA for {family}, or a model of {}", names.join(" or ")),
            })
        }
        _ => Ok(()),
    }
}
