use std::collections::BTreeMap;

use floe_formats::{Family, Prediction, Role, UnetFacts};
use floe_nets::ProgramSpec;
use floe_nets::arch::{SIZE_CHANNELS, UnetOptions};
use floe_nets::guidance::{Evaluation, Prompt};
use floe_nets::sampling::{SamplerName, SchedulerName, ksampler_steps};

use super::beside::{self, Beside};
use super::guidance::{SIDES, guidance, prompts};
use super::{Attribute, Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, differs};
use crate::data::Entry;
use crate::facts::{Fact, Scalar, Size};
use crate::part::{ModelFile, Network};

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
    let latent = call.latent("latent_image");
    let [batch, channels, height, width] = latent.sizes();
    let masked = latent.noise_mask.is_some();
    let work = Work::gives([Fact::Latent(latent)]);
    let Some(model) = Model::of(call)? else { return Ok(work.lacking(Gap::Unknown)) };
    let channels = model.channels(channels)?;
    let sides = [entries(call, SIDES[0], &model)?, entries(call, SIDES[1], &model)?];
    let (vector, beside) = match model.runs() {
        Ok(reads) => reads,
        Err(gap) => return Ok(work.lacking(gap)),
    };
    let (sampler, scheduler) = match names(call) {
        Ok(Some(names)) => names,
        Ok(None) => return Ok(work.lacking(Gap::Unknown)),
        Err(gap) => return Ok(work.lacking(gap)),
    };
    let Some(steps) = steps(sampler, scheduler) else { return Ok(work.lacking(Gap::Unknown)) };
    // Without steps the latent is handed on.
    if steps.count == 0 {
        let attributes = model.attributes((None, None), [0; 2], &[]);
        return Ok(Work { attributes, ..work });
    }
    let known = (|| Some((batch?, height?, width?, sides[0]?, sides[1]?, call.float("cfg")?)))();
    let Some((batch, height, width, positive, negative, cfg)) = known else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let sampler = sampler.sampler();
    let executions = sampler.evaluations(steps.count as u64, steps.to_zero).calls;
    // With a guidance of 1 the negative prompt has no part, unless the sampler reads its prediction.
    let guided = cfg != 1.0 || sampler.reads_unconditional();
    let sides = if guided { vec![positive, negative] } else { vec![positive] };
    let prompts = sides.iter().map(|side| prompts(side, [height, width])).collect::<Result<Vec<_>, _>>();
    let prompts = match prompts.map(|sides| sides.into_iter().collect::<Option<Vec<_>>>()) {
        Ok(Some(prompts)) => prompts,
        Ok(None) => return Ok(work.lacking(Gap::Unknown)),
        Err(gap) => return Ok(work.lacking(gap)),
    };
    let prompts: Vec<&[Prompt]> = prompts.iter().map(Vec::as_slice).collect();
    let guidance = guidance(&prompts, [batch, channels, height, width], call.batched)?;
    let unet = |evaluation: &Evaluation| ProgramUse {
        spec: ProgramSpec::Unet {
            batch: evaluation.items.len() * batch,
            height: evaluation.size[0],
            width: evaluation.size[1],
            tokens: evaluation.tokens,
            options: UnetOptions::default(),
        },
        network: model.network.clone(),
        executions,
    };
    let mut programs: Vec<ProgramUse> = guidance.evaluations.iter().map(unet).collect();
    let items = guidance.items * batch;
    let shape = |shape: &[usize]| shape.iter().copied().map(Some).collect::<Vec<_>>();
    let latents = |items: usize| shape(&[items, channels, height, width]);
    let mut scratch = vec![
        Scratch { name: "sampler", shape: shape(&[sampler.buffers(), batch, channels, height, width]) },
        Scratch { name: "input", shape: latents(items) },
        Scratch { name: "timesteps", shape: shape(&[items]) },
        Scratch { name: "context", shape: shape(&[batch, guidance.tokens, model.facts.context_width]) },
        Scratch { name: "prediction", shape: latents(sides.len() * batch) },
    ];
    scratch.extend(guidance.scratch);
    if masked {
        scratch.extend([
            Scratch { name: "latent", shape: latents(batch) },
            Scratch { name: "noise", shape: latents(batch) },
            Scratch { name: "mask", shape: shape(&[batch, height, width]) },
            Scratch { name: "masked", shape: latents(batch) },
        ]);
    }
    if let Some(beside) = beside {
        let prompts = sides.iter().map(|side| side.len()).sum();
        scratch.extend(beside.scratch(prompts, items, [batch, channels, height, width]));
    }
    if let Some(vector) = vector {
        let all: Vec<&Entry> = sides.iter().copied().flatten().collect();
        if all.iter().any(|entry| entry.pooled() != Some(vector.pooled)) {
            return Ok(work.lacking(model.gap("without pooled prompts of its width")));
        }
        let spec =
            ProgramSpec::SizeEmbedding { batch: all.len(), width: vector.pooled, numbers: vector.numbers };
        programs.push(ProgramUse { spec, network: model.network.clone(), executions: 1 });
        scratch.extend([
            Scratch { name: "pooled", shape: shape(&[all.len(), vector.pooled]) },
            Scratch { name: "sizes", shape: shape(&[all.len(), vector.numbers]) },
            Scratch { name: "vectors", shape: shape(&[all.len(), vector.channels()]) },
            Scratch { name: "vector", shape: shape(&[items, vector.channels()]) },
        ]);
    }
    let attributes = model.attributes((vector, beside), [height, width], &sides);
    Ok(Work { scratch, programs, attributes, ..work })
}

/// The vector that a model of Stable Diffusion XL reads beside the prompt.
#[derive(Clone, Copy)]
struct Vector {
    /// Channels of the pooled prompt.
    pooled: usize,
    /// Numbers behind it.
    numbers: usize,
}

impl Vector {
    fn channels(self) -> usize {
        self.pooled + self.numbers * SIZE_CHANNELS
    }
}

/// Pixels of a latent pixel, each way.
const FACTOR: usize = 8;

/// The aesthetic scores that the refiner is told of both prompts where nothing else says them.
const SCORES: [f64; 2] = [6.0, 2.5];

/// The denoising network of a call.
struct Model<'a> {
    network: &'a Network,
    facts: &'a UnetFacts,
}

impl<'a> Model<'a> {
    fn of(call: &Call<'a>) -> Result<Option<Model<'a>>, SemanticError> {
        let network = call.network("model", Role::Unet)?;
        Ok(network.and_then(|network| Some(Model { network, facts: network.file.contents.unet()? })))
    }

    fn file(&self) -> &'a ModelFile {
        &self.network.file
    }

    /// The gap of a network that is of no kind that runs.
    fn gap(&self, what: &str) -> Gap {
        Gap::NoKernel {
            input: Some("model"),
            what: format!("`{}`, {what},", self.file().name),
            instead: "use a model that makes pictures from text alone".to_owned(),
        }
    }

    /// The channels that it works on, which a latent must have.
    fn channels(&self, channels: Size) -> Result<usize, SemanticError> {
        let wanted = self.facts.out_channels;
        match differs(channels, Some(wanted)) {
            None => Ok(wanted),
            Some((channels, wanted)) => Err(SemanticError::Facet {
                input: "latent_image",
                reason: format!(
                    "this latent has {channels} channels, but the model of `{}` works on {wanted}",
                    self.file().name
                ),
                help: "make the latent with the VAE of the model that denoises it".to_owned(),
            }),
        }
    }

    /// What it reads beside latents and text: a vector, pictures; what is missing where it cannot run.
    fn runs(&self) -> Result<(Option<Vector>, Option<Beside>), Gap> {
        let facts = self.facts;
        let beside = Beside::of(facts)
            .map_err(|more| self.gap(&format!("a model that reads {more} further channels")))?;
        if facts.prediction == Prediction::InValues {
            return Err(Gap::Unknown);
        }
        let numbers = match (facts.family, facts.adm_width) {
            (_, None) => return Ok((None, beside)),
            (Family::Sdxl, _) => 6,
            (Family::SdxlRefiner, _) => 5,
            (_, Some(_)) => return Err(self.gap("a model that reads pictures as prompts")),
        };
        let width = facts.adm_width.unwrap_or(0);
        match width.checked_sub(numbers * SIZE_CHANNELS) {
            Some(pooled) if pooled > 0 => Ok((Some(Vector { pooled, numbers }), beside)),
            _ => Err(self.gap(&format!("whose vector of {width} channels is that of no family"))),
        }
    }

    /// What the kernel is told of it: what it predicts, its noise levels, the scale of its latents, and the numbers of
    /// its vector for both prompts.
    fn attributes(
        &self,
        (vector, beside): (Option<Vector>, Option<Beside>),
        latent: [usize; 2],
        sides: &[&[Entry]],
    ) -> BTreeMap<&'static str, Attribute> {
        let text = |text: &str| Attribute::One(Scalar::String(text.to_owned()));
        let (prediction, levels) = match self.facts.prediction {
            Prediction::Velocity { zero_terminal: true } => ("velocity", "zero-terminal"),
            Prediction::Velocity { zero_terminal: false } => ("velocity", "scaled-linear"),
            _ => ("epsilon", "scaled-linear"),
        };
        let mut attributes = BTreeMap::from([
            ("prediction", text(prediction)),
            ("levels", text(levels)),
            ("latent_scale", Attribute::One(Scalar::Float(self.facts.family.latent_scale()))),
        ]);
        if let Some(beside) = beside {
            attributes.insert("beside", beside.attribute());
        }
        if let Some(vector) = vector {
            let prompts = SCORES
                .iter()
                .zip(sides)
                .flat_map(|(&score, side)| side.iter().map(move |entry| (score, entry)));
            let numbers = prompts.flat_map(|(score, entry)| sizes(vector, latent, score, entry));
            attributes.insert("sizes", Attribute::Many(numbers.map(Scalar::Float).collect()));
        }
        attributes
    }
}

/// The numbers behind a pooled prompt: the picture's height and width, top and left of its crop, then the height and
/// width that are wanted, or the aesthetic score.
fn sizes(vector: Vector, latent: [usize; 2], score: f64, entry: &Entry) -> Vec<f64> {
    let or = |name: &str, other: f64| entry.number(name).unwrap_or(other);
    let [high, wide] = latent.map(|size| (size * FACTOR) as f64);
    let (height, width) = (or("height", high), or("width", wide));
    let mut numbers = vec![height, width, or("crop_h", 0.0), or("crop_w", 0.0)];
    if vector.numbers == 6 {
        numbers.extend([or("target_height", height), or("target_width", width)]);
    } else {
        numbers.push(or("aesthetic_score", score));
    }
    numbers
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

/// The entries of a prompt, which must come from a text encoder that fits the model; `None` where that is not known.
fn entries<'a>(
    call: &Call<'a>,
    input: &'static str,
    model: &Model<'_>,
) -> Result<Option<&'a [Entry]>, SemanticError> {
    let Some(entries) = call.conditioning(input) else { return Ok(None) };
    entries.iter().try_for_each(|entry| fits(entry, input, model))?;
    if matches!(Beside::of(model.facts), Ok(Some(_))) {
        let channels = model.facts.out_channels;
        entries.iter().try_for_each(|entry| beside::fits(entry, input, channels))?;
    }
    Ok(Some(entries))
}

fn fits(entry: &Entry, input: &'static str, model: &Model<'_>) -> Result<(), SemanticError> {
    let wanted = model.facts.context_width;
    let encoder = entry.encoder.as_ref();
    let family = encoder.and_then(|encoder| encoder.contents.family());
    let other = family.is_some_and(|family| family != model.facts.family);
    if !other && differs(entry.channels(), Some(wanted)).is_none() {
        return Ok(());
    }
    let family = family.map_or("a text encoder".to_owned(), |family| family.to_string());
    let encoder = encoder.map_or(String::new(), |encoder| format!("by `{}` ({family}", encoder.name));
    let channels = entry.channels().map_or(")".to_owned(), |channels| format!(", {channels} channels)"));
    Err(SemanticError::Facet {
        input,
        reason: format!(
            "this prompt was encoded {encoder}{channels}, but the model of `{}` is {} and reads {wanted}",
            model.file().name,
            model.facts.family
        ),
        help: "encode prompts with the text encoder of the model that reads them".to_owned(),
    })
}
