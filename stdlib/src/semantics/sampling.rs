use std::sync::Arc;

use floe_formats::Part;
use floe_nets::ProgramSpec;
use floe_nets::arch::UnetOptions;

use super::latent::latent;
use super::{Call, ProgramUse, Purity, Scratch, SemanticError, Semantics, Work, dim};
use crate::facts::{Conditioning, Fact, ModelFile};

/// Samplers that the runtime has; a test compares.
pub const SAMPLERS: [&str; 1] = ["euler"];

/// Schedules that the runtime has; a test compares.
pub const SCHEDULERS: [&str; 4] = ["normal", "sgm_uniform", "simple", "karras"];

pub(super) const KSAMPLER: Semantics =
    Semantics { name: "KSampler", purity: Purity::Seeded, loader: None, batchable: true, infer: ksampler };

/// One network, executed once per step; with guidance on two prompts. Where their lengths are equal and
/// executions may share a batch, both go through it together. A prompt of another length goes through by itself:
/// repeating it to a common length, as ComfyUI does, gives the same weighted means.
fn ksampler(call: &Call<'_>) -> Result<Work, SemanticError> {
    implemented(call, "sampler_name", "the sampler", &SAMPLERS)?;
    implemented(call, "scheduler", "the schedule", &SCHEDULERS)?;
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
    // Without denoising the latent is handed on; with a guidance of 1 the negative prompt has no part.
    if call.float("denoise") <= 0.0 {
        return Ok(Work { outputs: vec![output], ..Work::default() });
    }
    let steps = call.int("steps") as u64;
    let unet = |batch: usize, tokens: usize| ProgramUse {
        spec: ProgramSpec::Unet { batch, height, width, tokens, options: UnetOptions::default() },
        file: file.clone(),
        executions: steps,
    };
    let guided = call.float("cfg") != 1.0;
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
        Scratch { name: "denoised", shape: latents(batch) },
        Scratch { name: "input", shape: latents(items) },
        Scratch { name: "timesteps", shape: vec![items] },
        Scratch { name: "context", shape: vec![items, tokens, positive.channels] },
        Scratch { name: "prediction", shape: latents(if guided { 2 * batch } else { batch }) },
    ];
    Ok(Work { outputs: vec![output], scratch, programs })
}

fn implemented(
    call: &Call<'_>,
    input: &'static str,
    what: &str,
    names: &[&str],
) -> Result<(), SemanticError> {
    let name = call.string(input);
    if names.contains(&name) {
        return Ok(());
    }
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    Err(SemanticError::NoKernel {
        input,
        what: format!("{what} `{name}`"),
        instead: format!("use {}", names.join(" or ")),
    })
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
