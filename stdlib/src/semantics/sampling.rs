use std::sync::Arc;

use floe_formats::Part;
use floe_nets::ProgramSpec;
use floe_nets::arch::UnetOptions;
use floe_nets::sampling::{SamplerName, SchedulerName, ksampler_steps};

use super::{Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, differs, dim, unable};
use crate::facts::{Fact, ModelFile, Size};

pub(super) const ALL: &[Semantics] = &[
    Semantics::seeded("KSampler", ksampler).batchable(),
    Semantics::seeded("KSamplerAdvanced", ksampler_advanced).batchable(),
];

fn ksampler(call: &Call<'_>) -> Result<Work, SemanticError> {
    let steps = |sampler, scheduler| {
        let count = ksampler_steps(sampler, scheduler, call.int("steps")?, call.float("denoise")?);
        Some(Steps { count, to_zero: true })
    };
    denoising(call, steps)
}

fn ksampler_advanced(call: &Call<'_>) -> Result<Work, SemanticError> {
    let steps = |sampler, scheduler| {
        let all = ksampler_steps(sampler, scheduler, call.int("steps")?, 1.0);
        let end = call.int("end_at_step")?.min(all);
        let to_zero = end == all || call.string("return_with_leftover_noise")? != "enable";
        Some(Steps { count: end.saturating_sub(call.int("start_at_step")?), to_zero })
    };
    denoising(call, steps)
}

/// How far a sampler goes.
#[derive(Clone, Copy)]
struct Steps {
    count: usize,
    /// Whether the last sigma is zero.
    to_zero: bool,
}

/// One network, executed once or more per step; with guidance on two prompts. Where their lengths are equal and
/// executions may share a batch, both go through it together. A prompt of another length goes through by itself:
/// repeating it to a common length, as ComfyUI does, gives the same weighted means.
fn denoising(
    call: &Call<'_>,
    steps: impl Fn(SamplerName, SchedulerName) -> Option<Steps>,
) -> Result<Work, SemanticError> {
    let [batch, channels, height, width] = call.latent("latent_image");
    let work = Work::gives([Fact::Latent { batch, channels, height, width }]);
    let Some(file) = call.network("model", Part::Model)? else { return Ok(work.lacking(Gap::Unknown)) };
    if let Some(gap) = unable("model", file) {
        return Ok(work.lacking(gap));
    }
    let channels = channels_of(file, channels)?;
    let positive = conditioning(call, "positive", file)?;
    let negative = conditioning(call, "negative", file)?;
    let (sampler, scheduler) = match names(call) {
        Ok(Some(names)) => names,
        Ok(None) => return Ok(work.lacking(Gap::Unknown)),
        Err(gap) => return Ok(work.lacking(gap)),
    };
    let Some(steps) = steps(sampler, scheduler) else { return Ok(work.lacking(Gap::Unknown)) };
    // Without steps the latent is handed on.
    if steps.count == 0 {
        return Ok(work);
    }
    let known = (|| Some(((batch?, height?, width?), (positive?, negative?), call.float("cfg")?)))();
    let Some(((batch, height, width), (positive, negative), cfg)) = known else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let sampler = sampler.sampler();
    let executions = sampler.evaluations(steps.count as u64, steps.to_zero).calls;
    let unet = |batch: usize, tokens: usize| ProgramUse {
        spec: ProgramSpec::Unet { batch, height, width, tokens, options: UnetOptions::default() },
        file: file.clone(),
        executions,
    };
    // With a guidance of 1 the negative prompt has no part, unless the sampler reads its prediction.
    let guided = cfg != 1.0 || sampler.reads_unconditional();
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
        Scratch { name: "sampler", shape: shape(&[sampler.buffers(), batch, channels, height, width]) },
        Scratch { name: "input", shape: latents(items) },
        Scratch { name: "timesteps", shape: shape(&[items]) },
        Scratch { name: "context", shape: shape(&[items, tokens, positive.channels]) },
        Scratch { name: "prediction", shape: latents(if guided { 2 * batch } else { batch }) },
    ];
    Ok(Work { scratch, programs, ..work })
}

/// The channels that a model works on, which a latent must have.
fn channels_of(model: &ModelFile, channels: Size) -> Result<usize, SemanticError> {
    let wanted = dim("model", model, Part::Model, "input_blocks.0.0.weight", 1)?;
    match differs(channels, Some(wanted)) {
        None => Ok(wanted),
        Some((channels, wanted)) => Err(SemanticError::Facet {
            input: "latent_image",
            reason: format!(
                "this latent has {channels} channels, but the model of `{}` works on {wanted}",
                model.name
            ),
            help: "make the latent with the VAE of the model that denoises it".to_owned(),
        }),
    }
}

/// Sampler and schedule, where they are known; what is missing where they cannot run.
fn names(call: &Call<'_>) -> Result<Option<(SamplerName, SchedulerName)>, Gap> {
    let unknown = |input: &'static str, what: &str, name: &str, known: &str| Gap::NoKernel {
        input: Some(input),
        what: format!("{what} `{name}`"),
        instead: format!("use one of {known}"),
    };
    let (Some(sampler), Some(scheduler)) = (call.string("sampler_name"), call.string("scheduler")) else {
        return Ok(None);
    };
    let sampler = SamplerName::find(sampler)
        .ok_or_else(|| unknown("sampler_name", "the sampler", sampler, &SamplerName::NAMES.join(", ")))?;
    let scheduler = SchedulerName::find(scheduler)
        .ok_or_else(|| unknown("scheduler", "the schedule", scheduler, &SchedulerName::NAMES.join(", ")))?;
    Ok(Some((sampler, scheduler)))
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
