use std::collections::BTreeMap;

use floe_formats::{Family, Prediction, Role, UnetFacts};
use floe_nets::ProgramSpec;
use floe_nets::arch::{SIZE_CHANNELS, UnetOptions};
use floe_nets::sampling::{SamplerName, SchedulerName, ksampler_steps};

use super::{Attribute, Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, differs};
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
    let [batch, channels, height, width] = call.latent("latent_image");
    let work = Work::gives([Fact::Latent { batch, channels, height, width }]);
    let Some(model) = Model::of(call)? else { return Ok(work.lacking(Gap::Unknown)) };
    let channels = model.channels(channels)?;
    let positive = conditioning(call, "positive", &model)?;
    let negative = conditioning(call, "negative", &model)?;
    let vector = match model.runs() {
        Ok(vector) => vector,
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
        let attributes = model.attributes(None, [0; 2], [None; 2]);
        return Ok(Work { attributes, ..work });
    }
    let known = (|| Some(((batch?, height?, width?), (positive?, negative?), call.float("cfg")?)))();
    let Some(((batch, height, width), (positive, negative), cfg)) = known else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let sampler = sampler.sampler();
    let executions = sampler.evaluations(steps.count as u64, steps.to_zero).calls;
    let unet = |batch: usize, tokens: usize| ProgramUse {
        spec: ProgramSpec::Unet { batch, height, width, tokens, options: UnetOptions::default() },
        network: model.network.clone(),
        executions,
    };
    // With a guidance of 1 the negative prompt has no part, unless the sampler reads its prediction.
    let guided = cfg != 1.0 || sampler.reads_unconditional();
    let together = guided && call.batched && positive.tokens == negative.tokens;
    let mut programs = match (guided, together) {
        (false, _) => vec![unet(batch, positive.tokens)],
        (true, true) => vec![unet(2 * batch, positive.tokens)],
        (true, false) => vec![unet(batch, positive.tokens), unet(batch, negative.tokens)],
    };
    let items = if together { 2 * batch } else { batch };
    let shape = |shape: &[usize]| shape.iter().copied().map(Some).collect::<Vec<_>>();
    let latents = |items: usize| shape(&[items, channels, height, width]);
    let tokens = positive.tokens.max(if guided { negative.tokens } else { 0 });
    let mut scratch = vec![
        Scratch { name: "sampler", shape: shape(&[sampler.buffers(), batch, channels, height, width]) },
        Scratch { name: "input", shape: latents(items) },
        Scratch { name: "timesteps", shape: shape(&[items]) },
        Scratch { name: "context", shape: shape(&[items, tokens, positive.channels]) },
        Scratch { name: "prediction", shape: latents(if guided { 2 * batch } else { batch }) },
    ];
    if let Some(vector) = vector {
        let items = if guided { 2 * batch } else { batch };
        if differs(Some(positive.pooled), Some(vector.pooled)).is_some() {
            return Ok(work.lacking(model.gap("without pooled prompts of its width")));
        }
        let spec = ProgramSpec::SizeEmbedding { batch: items, width: vector.pooled, numbers: vector.numbers };
        programs.push(ProgramUse { spec, network: model.network.clone(), executions: 1 });
        scratch.extend([
            Scratch { name: "pooled", shape: shape(&[items, vector.pooled]) },
            Scratch { name: "sizes", shape: shape(&[items, vector.numbers]) },
            Scratch { name: "vector", shape: shape(&[items, vector.channels()]) },
        ]);
    }
    let settings = [conditioning_settings(call, "positive"), conditioning_settings(call, "negative")];
    let attributes = model.attributes(vector, [height, width], settings);
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

    /// Which vector it reads, if any; what is missing where it cannot run.
    fn runs(&self) -> Result<Option<Vector>, Gap> {
        let facts = self.facts;
        if facts.in_channels != facts.out_channels {
            return Err(self.gap("a model that also reads a picture"));
        }
        if facts.prediction == Prediction::InValues {
            return Err(Gap::Unknown);
        }
        let numbers = match (facts.family, facts.adm_width) {
            (_, None) => return Ok(None),
            (Family::Sdxl, _) => 6,
            (Family::SdxlRefiner, _) => 5,
            (_, Some(_)) => return Err(self.gap("a model that reads pictures as prompts")),
        };
        let width = facts.adm_width.unwrap_or(0);
        match width.checked_sub(numbers * SIZE_CHANNELS) {
            Some(pooled) if pooled > 0 => Ok(Some(Vector { pooled, numbers })),
            _ => Err(self.gap(&format!("whose vector of {width} channels is that of no family"))),
        }
    }

    /// What the kernel is told of it: what it predicts, its noise levels, the scale of its latents, and the numbers of
    /// its vector for both prompts.
    fn attributes(
        &self,
        vector: Option<Vector>,
        latent: [usize; 2],
        settings: [Option<&Settings>; 2],
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
        if let Some(vector) = vector {
            let none = Settings::new();
            let prompts = SCORES.iter().zip(settings);
            let numbers = prompts
                .flat_map(|(&score, settings)| sizes(vector, latent, score, settings.unwrap_or(&none)));
            attributes.insert("sizes", Attribute::Many(numbers.map(Scalar::Float).collect()));
        }
        attributes
    }
}

/// Numbers beside a prompt.
type Settings = BTreeMap<&'static str, f64>;

fn conditioning_settings<'a>(call: &Call<'a>, input: &str) -> Option<&'a Settings> {
    match call.fact(input) {
        Fact::Conditioning(conditioning) => Some(&conditioning.settings),
        _ => None,
    }
}

/// The numbers behind a pooled prompt: the picture's height and width, top and left of its crop, then the height and
/// width that are wanted, or the aesthetic score.
fn sizes(vector: Vector, latent: [usize; 2], score: f64, settings: &Settings) -> Vec<f64> {
    let or = |name: &str, other: f64| settings.get(name).copied().unwrap_or(other);
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

/// Sizes of a prompt.
#[derive(Clone, Copy)]
struct Prompt {
    tokens: usize,
    channels: usize,
    pooled: usize,
}

/// A prompt, which must come from a text encoder that fits the model; `None` where that is not known.
fn conditioning(
    call: &Call<'_>,
    input: &'static str,
    model: &Model<'_>,
) -> Result<Option<Prompt>, SemanticError> {
    let conditioning = match call.fact(input) {
        Fact::Conditioning(conditioning) => conditioning,
        Fact::Unknown(_) => return Ok(None),
        other => panic!("`{input}` is a Conditioning, not {other:?}"),
    };
    let wanted = model.facts.context_width;
    let encoder = conditioning.encoder.as_ref();
    let family = encoder.and_then(|encoder| encoder.contents.family());
    let other = family.is_some_and(|family| family != model.facts.family);
    if other || differs(conditioning.channels, Some(wanted)).is_some() {
        let family = family.map_or("a text encoder".to_owned(), |family| family.to_string());
        let encoder = encoder.map_or(String::new(), |encoder| format!("by `{}` ({family}", encoder.name));
        let channels =
            conditioning.channels.map_or(")".to_owned(), |channels| format!(", {channels} channels)"));
        return Err(SemanticError::Facet {
            input,
            reason: format!(
                "this prompt was encoded {encoder}{channels}, but the model of `{}` is {} and reads {wanted}",
                model.file().name,
                model.facts.family
            ),
            help: "encode prompts with the text encoder of the model that reads them".to_owned(),
        });
    }
    let known = || {
        let (tokens, channels) = (conditioning.tokens?, conditioning.channels?);
        Some(Prompt { tokens, channels, pooled: conditioning.pooled? })
    };
    Ok(known())
}
