use std::sync::Arc;

use floe_formats::Part;
use floe_nets::ProgramSpec;
use floe_nets::sampling::{SamplerName, SchedulerName, ksampler_steps};

use super::latent::latent;
use super::{Call, ProgramUse, Purity, Scratch, SemanticError, Semantics, Work, dim};
use crate::facts::{Conditioning, Fact, ModelFile};

pub(super) const KSAMPLER: Semantics =
    Semantics { name: "KSampler", purity: Purity::Seeded, loader: None, batchable: true, infer: ksampler };

pub(super) const KSAMPLER_ADVANCED: Semantics = Semantics {
    name: "KSamplerAdvanced",
    purity: Purity::Seeded,
    loader: None,
    batchable: true,
    infer: ksampler_advanced,
};

fn ksampler(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (sampler, scheduler) = names(call)?;
    let steps = ksampler_steps(sampler, scheduler, call.int("steps"), call.float("denoise"));
    denoising(call, sampler, Steps { count: steps, to_zero: true })
}

fn ksampler_advanced(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (sampler, scheduler) = names(call)?;
    let all = ksampler_steps(sampler, scheduler, call.int("steps"), 1.0);
    let end = call.int("end_at_step").min(all);
    let to_zero = end == all || call.string("return_with_leftover_noise") != "enable";
    let count = end.saturating_sub(call.int("start_at_step"));
    denoising(call, sampler, Steps { count, to_zero })
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
fn denoising(call: &Call<'_>, sampler: SamplerName, steps: Steps) -> Result<Work, SemanticError> {
    let file = call.network("model", Part::Model)?;
    let (batch, channels, height, width) = latent(call, "latent_image");
    let wanted = dim("model", file, Part::Model, "input_blocks.0.0.weight", 1)?;
    if channels != wanted {
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
    let output = Fact::Latent { batch, channels, height, width };
    // Without steps the latent is handed on.
    if steps.count == 0 {
        return Ok(Work { outputs: vec![output], ..Work::default() });
    }
    let sampler = sampler.sampler();
    let executions = sampler.evaluations(steps.count as u64, steps.to_zero).calls;
    let unet = |batch: usize, tokens: usize| ProgramUse {
        spec: ProgramSpec::Unet { batch, height, width, tokens },
        file: file.clone(),
        executions,
    };
    // With a guidance of 1 the negative prompt has no part, unless the sampler reads its prediction.
    let guided = call.float("cfg") != 1.0 || sampler.reads_unconditional();
    let together = guided && call.batched && positive.tokens == negative.tokens;
    let programs = match (guided, together) {
        (false, _) => vec![unet(batch, positive.tokens)],
        (true, true) => vec![unet(2 * batch, positive.tokens)],
        (true, false) => vec![unet(batch, positive.tokens), unet(batch, negative.tokens)],
    };
    let items = if together { 2 * batch } else { batch };
    let latents = |items: usize| vec![items, channels, height, width];
    let tokens = positive.tokens.max(if guided { negative.tokens } else { 0 });
    let scratch = vec![
        Scratch { name: "sampler", shape: vec![sampler.buffers(), batch, channels, height, width] },
        Scratch { name: "input", shape: latents(items) },
        Scratch { name: "timesteps", shape: vec![items] },
        Scratch { name: "context", shape: vec![items, tokens, positive.channels] },
        Scratch { name: "prediction", shape: latents(if guided { 2 * batch } else { batch }) },
    ];
    Ok(Work { outputs: vec![output], scratch, programs })
}

fn names(call: &Call<'_>) -> Result<(SamplerName, SchedulerName), SemanticError> {
    let unknown = |input: &'static str, what: &str, known: &str| SemanticError::NoKernel {
        input,
        what: format!("{what} `{}`", call.string(input)),
        instead: format!("use one of {known}"),
    };
    let sampler = SamplerName::find(call.string("sampler_name"))
        .ok_or_else(|| unknown("sampler_name", "the sampler", &SamplerName::NAMES.join(", ")))?;
    let scheduler = SchedulerName::find(call.string("scheduler"))
        .ok_or_else(|| unknown("scheduler", "the schedule", &SchedulerName::NAMES.join(", ")))?;
    Ok((sampler, scheduler))
}

/// A prompt, which must come from a text encoder that fits the model.
fn conditioning<'a>(
    call: &Call<'a>,
    input: &'static str,
    model: &Arc<ModelFile>,
) -> Result<&'a Conditioning, SemanticError> {
    let Fact::Conditioning(conditioning) = call.fact(input) else {
        panic!("`{input}` is a Conditioning, not {:?}", call.fact(input));
    };
    let encoder = &conditioning.encoder;
    let key = "middle_block.1.transformer_blocks.0.attn2.to_k.weight";
    let wanted = dim("model", model, Part::Model, key, 1)?;
    if encoder.layout.family != model.layout.family || conditioning.channels != wanted {
        return Err(SemanticError::Facet {
            input,
            reason: format!(
                "this prompt was encoded by `{}` ({}, {} channels), but the model of `{}` is {} and reads {wanted}",
                encoder.name, encoder.layout.family, conditioning.channels, model.name, model.layout.family
            ),
            help: "encode prompts with the text encoder of the model that reads them".to_owned(),
        });
    }
    Ok(conditioning)
}
