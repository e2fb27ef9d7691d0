//! Kernels by name, one file per category, and what a kernel is given.

mod beside;
mod conditioning;
mod conditioning_ops;
mod guidance;
mod image;
mod image_filter;
mod image_place;
mod image_scale;
mod inpaint;
mod latent;
mod latent_ops;
mod latent_shape;
mod mask;
mod network;
mod pixels;
mod sampling;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use floe_plan::Scalar;
use floe_tensor::{EngineError, Executable, Pool};
use thiserror::Error;

use crate::image_io::{LoadError, SaveError, SavedFile};
use crate::png_meta::PngText;
use crate::resize::ResizeError;
use crate::schedule::ScheduleError;

/// A tensor to read.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a> {
    /// Outermost dimension first.
    pub shape: &'a [usize],
    /// Its elements, row-major.
    pub data: &'a [f32],
}

/// A tensor to write; holds anything before.
#[derive(Debug)]
pub struct TensorMut<'a> {
    /// Outermost dimension first.
    pub shape: &'a [usize],
    /// Its elements, row-major.
    pub data: &'a mut [f32],
}

/// An input of a step.
#[derive(Debug)]
pub enum Operand<'a> {
    /// A known value.
    Scalar(&'a Scalar),
    /// The tensors of a value.
    Tensors(Vec<Tensor<'a>>),
    /// A model part, which the step's programs use.
    Part,
    /// An optional socket left open.
    Open,
    /// Several values in order.
    List(Vec<Operand<'a>>),
    /// Several values by name.
    Record(BTreeMap<&'a str, Operand<'a>>),
}

/// What a kernel works on.
pub struct Call<'a> {
    /// Inputs by name.
    pub inputs: BTreeMap<&'a str, Operand<'a>>,
    /// What else it is told, by name: known values, and lists of them.
    pub attributes: BTreeMap<&'a str, Operand<'a>>,
    /// Tensors of each output slot; none where nothing reads it.
    pub outputs: Vec<Vec<TensorMut<'a>>>,
    /// Working memory as the class's semantics asked for it, the slab of its programs last.
    pub scratch: Vec<TensorMut<'a>>,
    /// Tensor programs as the class's semantics asked for them.
    pub programs: &'a [Arc<Executable>],
    /// Threads.
    pub pool: &'a Pool,
    /// The world outside.
    pub host: &'a dyn Host,
}

/// What kernels may ask of the world outside.
pub trait Host {
    /// The bytes of a picture in the `input` folder.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read_picture(&self, name: &str) -> Result<Vec<u8>, std::io::Error>;

    /// Writes a picture, whose file name ends with the extension, under the next free number of a prefix below the
    /// `output` folder.
    ///
    /// # Errors
    /// If it cannot be written; nothing is left behind then.
    fn save_picture(&self, prefix: &str, extension: &str, file: &[u8]) -> Result<SavedFile, SaveError>;

    /// Writes a latent, a safetensors file, under the next free number of a prefix below the `output` folder.
    ///
    /// # Errors
    /// If it cannot be written; nothing is left behind then.
    fn save_latent(&self, prefix: &str, bytes: &[u8]) -> Result<SavedFile, SaveError>;

    /// Texts for every PNG: the program it comes from.
    fn texts(&self) -> &[PngText];

    /// Bytes of memory that are free; `None` where that cannot be known.
    fn available_memory(&self) -> Option<u64>;

    /// Told after each step of a sampler; may ask to stop.
    fn progress(&self, done: usize, total: usize) -> ControlFlow<()>;
}

/// Why a kernel fails.
#[derive(Debug, Error)]
pub enum KernelError {
    /// The engine refuses a program.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A picture cannot be read.
    #[error("`{name}` cannot be read: {error}")]
    Read {
        /// Its name.
        name: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A picture cannot be decoded.
    #[error("`{name}`: {error}")]
    Decode {
        /// Its name.
        name: String,
        /// What is wrong with it.
        error: LoadError,
    },
    /// A picture is not what it was when the plan was made.
    #[error("`{name}` is now {now}, but was planned as {planned}")]
    Changed {
        /// Its name.
        name: String,
        /// Its size.
        now: String,
        /// The size in the plan.
        planned: String,
    },
    /// A picture cannot be written.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A picture cannot be scaled.
    #[error(transparent)]
    Resize(#[from] ResizeError),
    /// No noise levels can be made.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The sampler cannot go along these noise levels.
    #[error("{0}")]
    Sampler(String),
    /// The prompt cannot be read.
    #[error(transparent)]
    Prompt(#[from] floe_nets::text::PromptError),
    /// A number that is none came out.
    #[error("the model gave values that are not numbers at sampling step {step}")]
    NotANumber {
        /// Step of the sampler, from 1.
        step: usize,
    },
    /// The run was asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// The plan gives the kernel something else than it takes: a bug, or a plan of another version.
    #[error("the plan does not fit the kernel: {0}")]
    Plan(String),
}

/// The work of one class.
pub type Kernel = fn(&mut Call<'_>) -> Result<(), KernelError>;

/// Kernels by name, beside those that their modules list.
const KERNELS: &[(&str, Kernel)] = &[
    ("CLIPTextEncode", conditioning::clip_text_encode),
    ("CLIPTextEncodeSDXL", conditioning::clip_text_encode_sdxl),
    ("CLIPTextEncodeSDXLRefiner", conditioning::clip_text_encode),
    ("ConditioningAverage", conditioning_ops::average),
    ("ConditioningCombine", conditioning_ops::combine),
    ("ConditioningConcat", conditioning_ops::concat),
    ("ConditioningSetArea", conditioning_ops::hand_on),
    ("ConditioningSetAreaPercentage", conditioning_ops::hand_on),
    ("ConditioningSetAreaStrength", conditioning_ops::hand_on),
    ("ConditioningSetDefaultCombine", conditioning_ops::set_default_combine),
    ("ConditioningSetMask", conditioning_ops::set_mask),
    ("ConditioningSetTimestepRange", conditioning_ops::hand_on),
    ("ConditioningZeroOut", conditioning_ops::zero_out),
    ("EmptyLatentImage", latent::empty_latent_image),
    ("KSampler", sampling::ksampler),
    ("KSamplerAdvanced", sampling::ksampler_advanced),
    ("LatentAdd", latent_ops::add),
    ("LatentBatch", latent_shape::batch),
    ("LatentBatchSeedBehavior", latent_shape::hand_on),
    ("LatentBlend", latent_ops::blend),
    ("LatentComposite", latent_ops::composite),
    ("LatentCompositeMasked", latent_ops::composite_masked),
    ("LatentConcat", latent_shape::concat),
    ("LatentCrop", latent_shape::crop),
    ("LatentCut", latent_shape::cut),
    ("LatentFlip", latent_shape::flip),
    ("LatentFromBatch", latent_shape::from_batch),
    ("LatentInterpolate", latent_ops::interpolate),
    ("LatentMultiply", latent_ops::multiply),
    ("LatentRotate", latent_shape::rotate),
    ("LatentSubtract", latent_ops::subtract),
    ("LatentUpscale", latent_ops::upscale),
    ("LatentUpscaleBy", latent_ops::upscale),
    ("RepeatLatentBatch", latent_shape::repeat),
    ("SaveLatent", latent::save_latent),
    ("SetLatentNoiseMask", latent_shape::set_noise_mask),
    ("VAEDecode", latent::vae_decode),
    ("VAEEncode", latent::vae_encode),
];

/// The kernel of a class.
pub fn kernel(name: &str) -> Option<Kernel> {
    all().find(|(known, _)| *known == name).map(|&(_, kernel)| kernel)
}

/// The names of all kernels.
pub fn kernels() -> impl Iterator<Item = &'static str> {
    all().map(|&(name, _)| name)
}

fn all() -> impl Iterator<Item = &'static (&'static str, Kernel)> {
    [KERNELS, image::ALL, image_filter::ALL, image_place::ALL, image_scale::ALL, inpaint::ALL, mask::ALL]
        .into_iter()
        .flatten()
}

/// Inputs taken apart; a plan that lacks one is an error, not a panic: plans may come from files.
impl<'a> Call<'a> {
    fn scalar(&self, input: &str) -> Result<&'a Scalar, KernelError> {
        match self.inputs.get(input) {
            Some(Operand::Scalar(scalar)) => Ok(scalar),
            _ => Err(KernelError::Plan(format!("input `{input}` is not a known value"))),
        }
    }

    fn int<T: TryFrom<i128>>(&self, input: &str) -> Result<T, KernelError> {
        match self.scalar(input)? {
            Scalar::Int(value) => T::try_from(*value)
                .map_err(|_| KernelError::Plan(format!("{value} is out of the range of `{input}`"))),
            other => Err(KernelError::Plan(format!("`{input}` is {other:?}, not an Int"))),
        }
    }

    fn float(&self, input: &str) -> Result<f64, KernelError> {
        match self.scalar(input)? {
            Scalar::Float(value) => Ok(*value),
            Scalar::Int(value) => Ok(*value as f64),
            other => Err(KernelError::Plan(format!("`{input}` is {other:?}, not a Float"))),
        }
    }

    fn bool(&self, input: &str) -> Result<bool, KernelError> {
        match self.scalar(input)? {
            Scalar::Bool(value) => Ok(*value),
            other => Err(KernelError::Plan(format!("`{input}` is {other:?}, not a Bool"))),
        }
    }

    /// Whether an optional socket is left open.
    fn is_open(&self, input: &str) -> bool {
        matches!(self.inputs.get(input), None | Some(Operand::Open))
    }

    fn string(&self, input: &str) -> Result<&'a str, KernelError> {
        match self.scalar(input)? {
            Scalar::String(value) => Ok(value),
            other => Err(KernelError::Plan(format!("`{input}` is {other:?}, not a String"))),
        }
    }

    /// A text that the kernel is told.
    fn told(&self, attribute: &str) -> Result<&'a str, KernelError> {
        match self.attributes.get(attribute) {
            Some(Operand::Scalar(Scalar::String(value))) => Ok(value),
            _ => Err(KernelError::Plan(format!("attribute `{attribute}` is not a text"))),
        }
    }

    /// Numbers that the kernel is told.
    fn numbers(&self, attribute: &str) -> Result<Vec<f64>, KernelError> {
        let number = |operand: &Operand<'_>| match operand {
            Operand::Scalar(Scalar::Float(value)) => Some(*value),
            _ => None,
        };
        let found = match self.attributes.get(attribute) {
            Some(Operand::List(items)) => items.iter().map(number).collect(),
            Some(one) => number(one).map(|number| vec![number]),
            None => None,
        };
        found.ok_or_else(|| KernelError::Plan(format!("attribute `{attribute}` is not a list of numbers")))
    }

    /// The first tensor of a value, with its dimensions; of a latent its samples.
    fn tensor<const N: usize>(&self, input: &str) -> Result<(Tensor<'a>, [usize; N]), KernelError> {
        let tensor = match self.inputs.get(input) {
            Some(Operand::Tensors(tensors)) => tensors.first().copied(),
            Some(Operand::Record(fields)) => field(fields, SAMPLES),
            _ => None,
        };
        let tensor = tensor.ok_or_else(|| KernelError::Plan(format!("input `{input}` has no tensor")))?;
        Ok((tensor, dimensions(tensor.shape)?))
    }

    /// Takes an output out of the call, if it is wanted.
    fn take_output(&mut self, slot: usize) -> Option<Vec<TensorMut<'a>>> {
        self.outputs.get_mut(slot).map(std::mem::take).filter(|tensors| !tensors.is_empty())
    }

    /// Takes the only tensor of an output that is always wanted.
    fn only_output(&mut self) -> Result<TensorMut<'a>, KernelError> {
        self.take_output(0)
            .and_then(|tensors| tensors.into_iter().next())
            .ok_or_else(|| KernelError::Plan("nothing reads the output".to_owned()))
    }

    /// A latent, with the dimensions of its samples.
    fn latent(&self, input: &str) -> Result<(Latent<'a>, [usize; 4]), KernelError> {
        let (samples, dimensions) = self.tensor(input)?;
        let Some(Operand::Record(fields)) = self.inputs.get(input) else {
            return Ok((Latent { samples, noise_mask: None, batch_index: None }, dimensions));
        };
        let batch_index = match fields.get("batch_index") {
            None => None,
            Some(Operand::List(items)) => Some(items.iter().map(place).collect::<Result<_, _>>()?),
            Some(_) => return Err(KernelError::Plan(format!("places in the noise of `{input}`"))),
        };
        Ok((Latent { samples, noise_mask: field(fields, "noise_mask"), batch_index }, dimensions))
    }

    /// The entries of a conditioning.
    fn entries(&self, input: &str) -> Result<Vec<&Fields<'a>>, KernelError> {
        let wrong = || KernelError::Plan(format!("input `{input}` is no conditioning"));
        let Some(Operand::List(items)) = self.inputs.get(input) else { return Err(wrong()) };
        items
            .iter()
            .map(|item| match item {
                Operand::Record(fields) => Ok(fields),
                _ => Err(wrong()),
            })
            .collect()
    }

    /// Takes working memory out of the call.
    fn take_scratch<const N: usize>(&mut self) -> Result<[TensorMut<'a>; N], KernelError> {
        let scratch = std::mem::take(&mut self.scratch);
        let count = scratch.len();
        scratch
            .try_into()
            .map_err(|_| KernelError::Plan(format!("{count} pieces of working memory, not {N}")))
    }

    fn program(&self, index: usize) -> Result<&'a Arc<Executable>, KernelError> {
        self.programs.get(index).ok_or_else(|| KernelError::Plan(format!("there is no program {index}")))
    }
}

/// The name of a latent's tensor of values.
const SAMPLES: &str = "samples";

/// Values by name, such as an entry of a conditioning.
type Fields<'a> = BTreeMap<&'a str, Operand<'a>>;

/// A latent among the inputs.
struct Latent<'a> {
    samples: Tensor<'a>,
    noise_mask: Option<Tensor<'a>>,
    /// The place in the noise of each latent of the batch.
    batch_index: Option<Vec<usize>>,
}

/// A tensor among values by name.
fn field<'a>(fields: &Fields<'a>, name: &str) -> Option<Tensor<'a>> {
    match fields.get(name) {
        Some(Operand::Tensors(tensors)) => tensors.first().copied(),
        _ => None,
    }
}

fn place(operand: &Operand<'_>) -> Result<usize, KernelError> {
    match operand {
        Operand::Scalar(Scalar::Int(value)) => usize::try_from(*value).ok(),
        _ => None,
    }
    .ok_or_else(|| KernelError::Plan(format!("{operand:?} is no place in the noise")))
}

fn dimensions<const N: usize>(shape: &[usize]) -> Result<[usize; N], KernelError> {
    shape
        .try_into()
        .map_err(|_| KernelError::Plan(format!("a tensor of shape {shape:?}, not of {N} dimensions")))
}

/// Copies a tensor into one of the same size.
fn copy(from: &[f32], to: &mut [f32]) -> Result<(), KernelError> {
    if from.len() != to.len() {
        return Err(KernelError::Plan(format!("{} values for a tensor of {}", from.len(), to.len())));
    }
    to.copy_from_slice(from);
    Ok(())
}
