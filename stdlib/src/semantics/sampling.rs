use std::sync::Arc;

use floe_formats::Part;
use floe_nets::ProgramSpec;
use floe_nets::arch::UnetOptions;

use super::{Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, differs, dim, unable};
use crate::facts::{Fact, ModelFile};

/// Samplers that the runtime has; a test compares.
pub const SAMPLERS: [&str; 1] = ["euler"];

/// Schedules that the runtime has; a test compares.
pub const SCHEDULERS: [&str; 4] = ["normal", "sgm_uniform", "simple", "karras"];

pub(super) const ALL: &[Semantics] = &[Semantics::seeded("KSampler", ksampler).batchable()];

/// One network, executed once per step; with guidance on two prompts. Where their lengths are equal and
/// executions may share a batch, both go through it together. A prompt of another length goes through by itself:
/// repeating it to a common length, as ComfyUI does, gives the same weighted means.
fn ksampler(call: &Call<'_>) -> Result<Work, SemanticError> {
    let [batch, channels, height, width] = call.latent("latent_image");
    let work = Work::gives([Fact::Latent { batch, channels, height, width }]);
    let Some(file) = call.network("model", Part::Model)? else { return Ok(work.lacking(Gap::Unknown)) };
    if let Some(gap) = unable("model", file) {
        return Ok(work.lacking(gap));
    }
    let wanted = dim("model", file, Part::Model, "input_blocks.0.0.weight", 1)?;
    if let Some((channels, wanted)) = differs(channels, Some(wanted)) {
        return Err(SemanticError::Facet {
            input: "latent_image",
            reason: format!(
                "this latent has {channels} channels, but the model of `{}` works on {wanted}",
                file.name
            ),
            help: "make the latent with the VAE of the model that denoises it".to_owned(),
        });
    }
    let positive = conditioning(call, "positive", file)?;
    let negative = conditioning(call, "negative", file)?;
    let gap = implemented(call, "sampler_name", "the sampler", &SAMPLERS)
        .or_else(|| implemented(call, "scheduler", "the schedule", &SCHEDULERS));
    if let Some(gap) = gap {
        return Ok(work.lacking(gap));
    }
    let denoise = call.float("denoise");
    // Without denoising the latent is handed on; with a guidance of 1 the negative prompt has no part.
    if denoise.is_some_and(|denoise| denoise <= 0.0) {
        return Ok(work);
    }
    let known = (|| {
        let sizes = (batch?, channels?, height?, width?);
        let prompts = (positive?, negative?);
        denoise?;
        Some((sizes, prompts, call.int("steps")? as u64, call.float("cfg")?))
    })();
    let Some(((batch, channels, height, width), (positive, negative), steps, cfg)) = known else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let unet = |batch: usize, tokens: usize| ProgramUse {
        spec: ProgramSpec::Unet { batch, height, width, tokens, options: UnetOptions::default() },
        file: file.clone(),
        executions: steps,
    };
    let guided = cfg != 1.0;
    let together = guided && call.batched && positive.tokens == negative.tokens;
    let programs = match (guided, together) {
        (false, _) => vec![unet(batch, positive.tokens)],
        (true, true) => vec![unet(2 * batch, positive.tokens)],
        (true, false) => vec![unet(batch, positive.tokens), unet(batch, negative.tokens)],
    };
    let items = if together { 2 * batch } else { batch };
    let shape = |shape: &[usize]| shape.iter().copied().map(Some).collect::<Vec<_>>();
    let latents = |items: usize| shape(&[items, channels, height, width]);
    let tokens = positive.tokens.max(if guided { negative.tokens } else { 0 });
    let scratch = vec![
        Scratch { name: "denoised", shape: latents(batch) },
        Scratch { name: "input", shape: latents(items) },
        Scratch { name: "timesteps", shape: shape(&[items]) },
        Scratch { name: "context", shape: shape(&[items, tokens, positive.channels]) },
        Scratch { name: "prediction", shape: latents(if guided { 2 * batch } else { batch }) },
    ];
    Ok(Work { scratch, programs, ..work })
}

/// What is missing where a choice is none of those that can run.
fn implemented(call: &Call<'_>, input: &'static str, what: &str, names: &[&str]) -> Option<Gap> {
    let name = call.string(input)?;
    if names.contains(&name) {
        return None;
    }
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    Some(Gap::NoKernel {
        input: Some(input),
        what: format!("{what} `{name}`"),
        instead: format!("use {}", names.join(" or ")),
    })
}

/// Sizes of a prompt.
#[derive(Clone, Copy)]
struct Prompt {
    tokens: usize,
    channels: usize,
}

/// A prompt, which must come from a text encoder that fits the model; `None` where that is not known.
fn conditioning(
    call: &Call<'_>,
    input: &'static str,
    model: &Arc<ModelFile>,
) -> Result<Option<Prompt>, SemanticError> {
    let conditioning = match call.fact(input) {
        Fact::Conditioning(conditioning) => conditioning,
        Fact::Unknown(_) => return Ok(None),
        other => panic!("`{input}` is a Conditioning, not {other:?}"),
    };
    let key = "middle_block.1.transformer_blocks.0.attn2.to_k.weight";
    let wanted = dim("model", model, Part::Model, key, 1)?;
    let encoder = conditioning.encoder.as_ref();
    let other = encoder.is_some_and(|encoder| encoder.layout.family != model.layout.family);
    if other || differs(conditioning.channels, Some(wanted)).is_some() {
        let encoder = encoder
            .map_or(String::new(), |encoder| format!("by `{}` ({}", encoder.name, encoder.layout.family));
        let channels =
            conditioning.channels.map_or(")".to_owned(), |channels| format!(", {channels} channels)"));
        return Err(SemanticError::Facet {
            input,
            reason: format!(
                "this prompt was encoded {encoder}{channels}, but the model of `{}` is {} and reads {wanted}",
                model.name, model.layout.family
            ),
            help: "encode prompts with the text encoder of the model that reads them".to_owned(),
        });
    }
    Ok(conditioning.tokens.zip(conditioning.channels).map(|(tokens, channels)| Prompt { tokens, channels }))
}
