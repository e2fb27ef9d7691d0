use floe_formats::{Network as Facts, Role, TextFacts};
use floe_nets::ProgramSpec;
use floe_nets::arch::{Pooled, TextEncoder, TextOptions};
use floe_nets::text::{CHUNK, Tokenizer, embedding_names, has_weights};

use super::{Attribute, Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work};
use crate::data::Entry;
use crate::facts::{Fact, Scalar};
use crate::part::{Loaded, Network, Part};

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("CLIPTextEncode", clip_text_encode),
    Semantics::pure("CLIPTextEncodeSDXL", clip_text_encode_sdxl),
    Semantics::pure("CLIPTextEncodeSDXLRefiner", clip_text_encode_sdxl_refiner),
    Semantics::part("CLIPSetLastLayer", &[Part::Clip], clip_set_last_layer),
];

fn clip_text_encode(call: &Call<'_>) -> Result<Work, SemanticError> {
    encode(call, |_| "text")
}

/// A text for each encoder, and the sizes that the picture is to look as if it had.
fn clip_text_encode_sdxl(call: &Call<'_>) -> Result<Work, SemanticError> {
    let work = encode(call, |encoder| if encoder == TextEncoder::L { "text_l" } else { "text_g" })?;
    let sizes = ["width", "height", "crop_w", "crop_h", "target_width", "target_height"];
    let sizes = sizes.map(|name| (name, call.signed(name).map(|size| size as f64)));
    Ok(with_settings(work, &sizes))
}

/// A text, the picture's size, and how beautiful it is to be.
fn clip_text_encode_sdxl_refiner(call: &Call<'_>) -> Result<Work, SemanticError> {
    let work = encode(call, |_| "text")?;
    let size = |name| (name, call.signed(name).map(|size| size as f64));
    let score = ("aesthetic_score", call.float("ascore"));
    Ok(with_settings(work, &[score, size("width"), size("height")]))
}

/// The same prompt with numbers beside it.
fn with_settings(mut work: Work, numbers: &[(&'static str, Option<f64>)]) -> Work {
    for fact in &mut work.outputs {
        let Fact::Conditioning(entries) = fact else { continue };
        for &(name, number) in numbers {
            let Some(number) = number else {
                work.gap.get_or_insert(Gap::Unknown);
                continue;
            };
            for entry in entries.iter_mut() {
                entry.settings.insert(name, Attribute::One(Scalar::Float(number)));
            }
        }
    }
    work
}

/// The same text encoder, which gives the states of another layer.
fn clip_set_last_layer(call: &Call<'_>) -> Result<Work, SemanticError> {
    let fact = call.fact("clip");
    let Fact::Part(loaded) = fact else { return Ok(Work::gives([fact.clone()]).lacking(Gap::Unknown)) };
    let Some(layer) = call.signed("stop_at_clip_layer") else {
        return Ok(Work::gives([fact.clone()]).lacking(Gap::Unknown));
    };
    let layer = usize::try_from(-layer).ok().filter(|&layer| layer > 0);
    Ok(Work::gives([Fact::Part(Loaded { layer, ..(**loaded).clone() }.into())]))
}

/// A text encoder of a part, and what is wanted of it.
struct Encoder<'a> {
    network: &'a Network,
    facts: &'a TextFacts,
    options: TextOptions,
}

impl Encoder<'_> {
    /// Channels of the pooled state; none where there is none.
    fn pooled(&self) -> Option<usize> {
        match self.options.pooled {
            Pooled::None => None,
            Pooled::Plain => Some(self.facts.width),
            Pooled::Projected => self.facts.projection,
        }
    }
}

/// The text encoders of a part with what the family reads of them: Stable Diffusion 1 the last layer, 2 the one before
/// it, both normed; XL the one before the last as it is, of both encoders or, the refiner, of the second alone, whose
/// pooled state it reads projected. `None` for a set that no family has.
fn encoders(loaded: &Loaded) -> Option<Vec<Encoder<'_>>> {
    let roles: Vec<Role> = loaded.networks.iter().map(|network| network.role).collect();
    let is_xl = roles.contains(&Role::ClipG);
    if roles.len() > 1 && roles != [Role::ClipL, Role::ClipG] {
        return None;
    }
    loaded
        .networks
        .iter()
        .map(|network| {
            let Facts::Text(_, facts) = &network.component().network else { return None };
            let encoder = TextEncoder::of(network.role)?;
            let (layer, norm, pooled) = match (encoder, is_xl) {
                (TextEncoder::L, false) => (1, true, Pooled::Plain),
                (TextEncoder::L, true) => (2, false, Pooled::None),
                (TextEncoder::H, _) => (2, true, Pooled::Projected),
                (TextEncoder::G, _) => (2, false, Pooled::Projected),
            };
            let pooled = match pooled {
                Pooled::Projected if facts.projection.is_none() => Pooled::Plain,
                pooled => pooled,
            };
            let layer = loaded.layer.unwrap_or(layer);
            Some(Encoder { network, facts, options: TextOptions { encoder, layer, norm, pooled, extra: 0 } })
        })
        .collect()
}

/// The first embedding of a text that has a file; ComfyUI ignores names without one.
fn learned(call: &Call<'_>, input: &'static str, text: &str) -> Result<Option<String>, SemanticError> {
    let names =
        embedding_names(text).map_err(|error| SemanticError::Prompt { input, reason: error.to_string() })?;
    let there = |name: &String| {
        let endings = ["", ".safetensors", ".pt", ".bin"];
        endings.iter().any(|ending| call.world.model("embeddings", &format!("{name}{ending}")).is_ok())
    };
    Ok(names.into_iter().find(there))
}

/// Encodes texts, for each encoder the one that `input` names, chunk by chunk; of encoders with fewer chunks, empty ones
/// follow. What the encoders give stands side by side in every token.
fn encode(call: &Call<'_>, input: impl Fn(TextEncoder) -> &'static str) -> Result<Work, SemanticError> {
    let gives = |entry: Entry| Work::gives([Fact::Conditioning(vec![entry])]);
    let Some(loaded) = call.loaded("clip")? else {
        return Ok(gives(Entry::encoded(None, None, None, None)).lacking(Gap::Unknown));
    };
    let file = Some(loaded.file.clone());
    let Some(encoders) = encoders(loaded) else {
        let gap = Gap::NoKernel {
            input: Some("clip"),
            what: format!("this set of text encoders, of `{}` and others,", loaded.file.name),
            instead: "use the text encoder of one family, or CLIP L and G for sdxl".to_owned(),
        };
        return Ok(gives(Entry::encoded(None, None, None, file)).lacking(gap));
    };
    let channels = Some(encoders.iter().map(|encoder| encoder.facts.width).sum());
    let pooled = encoders.iter().find_map(Encoder::pooled);
    let mut chunks = Vec::new();
    for Encoder { options, .. } in &encoders {
        let input = input(options.encoder);
        let Some(text) = call.string(input) else {
            return Ok(gives(Entry::encoded(None, channels, pooled, file)).lacking(Gap::Unknown));
        };
        if let Some(name) = learned(call, input, text)? {
            let gap = Gap::NoKernel {
                input: Some(input),
                what: format!("the learned words of `embedding:{name}`"),
                instead: "describe what they stand for in plain words".to_owned(),
            };
            return Ok(gives(Entry::encoded(None, channels, pooled, file)).lacking(gap));
        }
        let of_text = Tokenizer::clip().encode_prompt(text, options.encoder.pad());
        chunks.push(of_text.map_err(|error| SemanticError::Prompt { input, reason: error.to_string() })?);
    }
    let count = chunks.iter().map(Vec::len).max().unwrap_or(0);
    let mut scratch = Vec::new();
    let mut programs = Vec::new();
    for (encoder, chunks) in encoders.iter().zip(&chunks) {
        // Weighted tokens move away from what the empty prompt gives, which is one more row.
        let rows = count + usize::from(has_weights(chunks));
        scratch.push(Scratch {
            name: "hidden",
            shape: vec![Some(rows), Some(CHUNK), Some(encoder.facts.width)],
        });
        if let Some(channels) = encoder.pooled() {
            scratch.push(Scratch { name: "pooled", shape: vec![Some(rows), Some(channels)] });
        }
        programs.push(ProgramUse {
            spec: ProgramSpec::ClipText { rows, options: encoder.options },
            network: encoder.network.clone(),
            executions: 1,
        });
    }
    let entry = Entry::encoded(Some(count * CHUNK), channels, pooled, file);
    Ok(Work { scratch, programs, ..gives(entry) })
}
