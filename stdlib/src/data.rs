//! What is known of latents and conditionings: values of several tensors, with settings beside them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::facts::{Fact, Scalar, Size, Tensor};
use crate::part::ModelFile;
use crate::semantics::Attribute;

/// Latents: `samples` of `[batch, channels, height, width]`, and what some nodes add.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Latent {
    /// How many.
    pub batch: Size,
    /// Channels.
    pub channels: Size,
    /// Rows.
    pub height: Size,
    /// Columns.
    pub width: Size,
    /// Where to denoise, 1 fully and 0 not at all: number, rows and columns of masks, which may be of another
    /// resolution and fewer than the latents. None is everywhere.
    pub noise_mask: Option<[Size; 3]>,
    /// The place in the noise of a seed that each latent takes, from 0. None is the latent's place in its batch.
    pub batch_index: Option<Vec<usize>>,
}

impl Latent {
    /// Latents of `[batch, channels, height, width]`, and nothing besides.
    pub fn of([batch, channels, height, width]: [Size; 4]) -> Latent {
        Latent { batch, channels, height, width, ..Latent::default() }
    }

    /// Batch, channels, height and width.
    pub fn sizes(&self) -> [Size; 4] {
        [self.batch, self.channels, self.height, self.width]
    }

    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        let samples = Tensor { name: "samples".into(), shape: self.sizes().to_vec() };
        let mask = self.noise_mask.map(|[count, height, width]| Tensor {
            name: "noise_mask".into(),
            shape: vec![count, Some(1), height, width],
        });
        [samples].into_iter().chain(mask).collect()
    }

    fn form(&self) -> Form {
        if self.noise_mask.is_none() && self.batch_index.is_none() {
            return Form::Tensors(1);
        }
        let mask = self.noise_mask.map(|_| ("noise_mask", Form::Tensors(1)));
        let index = self.batch_index.as_ref().map(|index| {
            let numbers = index.iter().map(|&number| Form::Scalar(Scalar::Int(number as i128)));
            ("batch_index", Form::Items(numbers.collect()))
        });
        Form::Fields([("samples", Form::Tensors(1))].into_iter().chain(mask).chain(index).collect())
    }
}

/// One entry of a conditioning, which is a list of them: an encoded prompt, and where, when and how strongly it acts.
/// Tensors and settings have ComfyUI's names.
///
/// | tensor | shape | |
/// |---|---|---|
/// | `cond` | `[1, tokens, channels]` | always |
/// | `pooled_output` | `[1, channels]` | |
/// | `mask` | `[items, rows, columns]`, in any resolution | where it acts |
/// | `concat_latent_image` | `[items, channels, rows, columns]` | a picture for models that read one beside the latent |
/// | `concat_mask` | `[items, 1, rows, columns]`, in any resolution | where those that paint into it do so |
///
/// | setting | |
/// |---|---|
/// | `area` | height, width, top and left: in latent pixels as Ints, as fractions of the latent as Floats |
/// | `strength`, `mask_strength` | weights against others at the same place |
/// | `set_area_to_bounds` | whether its area is the rectangle around its mask |
/// | `start_percent`, `end_percent` | the part of the denoising in which it acts, from 0 to 1 |
/// | `default` | whether it acts where no other entry does |
/// | `width`, `height`, `crop_w`, `crop_h`, `target_width`, `target_height` | pixels that the picture is to look as if it had |
/// | `aesthetic_score` | how beautiful it is to be |
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    /// Tensors with their shapes.
    pub tensors: BTreeMap<&'static str, Vec<Size>>,
    /// Everything else.
    pub settings: BTreeMap<&'static str, Attribute>,
    /// The file whose text encoder made it, where that is known.
    pub encoder: Option<Arc<ModelFile>>,
}

impl Entry {
    /// An encoded prompt with its pooled output.
    pub fn encoded(tokens: Size, channels: Size, pooled: Size, encoder: Option<Arc<ModelFile>>) -> Entry {
        let tensors = BTreeMap::from([
            ("cond", vec![Some(1), tokens, channels]),
            ("pooled_output", vec![Some(1), pooled]),
        ]);
        Entry { tensors, settings: BTreeMap::new(), encoder }
    }

    /// Tokens.
    pub fn tokens(&self) -> Size {
        self.dimension("cond", 1)
    }

    /// Channels of a token.
    pub fn channels(&self) -> Size {
        self.dimension("cond", 2)
    }

    /// Channels of the pooled output.
    pub fn pooled(&self) -> Size {
        self.dimension("pooled_output", 1)
    }

    fn dimension(&self, tensor: &str, index: usize) -> Size {
        self.tensors.get(tensor)?.get(index).copied().flatten()
    }

    /// A setting of one value.
    pub fn setting(&self, name: &str) -> Option<&Scalar> {
        match self.settings.get(name)? {
            Attribute::One(scalar) => Some(scalar),
            Attribute::Many(_) => None,
        }
    }

    /// A setting that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.setting(name)? {
            Scalar::Float(value) => Some(*value),
            Scalar::Int(value) => Some(*value as f64),
            Scalar::Bool(_) | Scalar::String(_) => None,
        }
    }

    fn form(&self) -> Form {
        let tensors = self.tensors.keys().map(|&name| (name, Form::Tensors(1)));
        let settings = self.settings.iter().map(|(&name, setting)| (name, setting.form()));
        Form::Fields(tensors.chain(settings).collect())
    }
}

impl Attribute {
    pub(crate) fn form(&self) -> Form {
        match self {
            Attribute::One(scalar) => Form::Scalar(scalar.clone()),
            Attribute::Many(scalars) => Form::Items(scalars.iter().cloned().map(Form::Scalar).collect()),
        }
    }
}

/// The tensors of all entries: `0.cond`, `0.pooled_output`, `1.cond`, ….
pub(crate) fn tensors(entries: &[Entry]) -> Vec<Tensor> {
    let numbered = |(index, entry): (usize, &Entry)| {
        let tensor = move |(name, shape): (&&str, &Vec<Size>)| Tensor {
            name: Cow::Owned(format!("{index}.{name}")),
            shape: shape.clone(),
        };
        entry.tensors.iter().map(tensor).collect::<Vec<_>>()
    };
    entries.iter().enumerate().flat_map(numbered).collect()
}

/// How a value is given to a kernel: which of its tensors, in the order of [`Fact::tensors`], is what.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// A known value.
    Scalar(Scalar),
    /// The next so many tensors.
    Tensors(usize),
    /// Several values in order.
    Items(Vec<Form>),
    /// Several values by name, in the order of their tensors.
    Fields(Vec<(&'static str, Form)>),
}

impl Fact {
    /// How a value is given to a kernel.
    pub fn form(&self) -> Form {
        match self {
            Fact::Scalar(scalar) => Form::Scalar(scalar.clone()),
            Fact::Conditioning(entries) => Form::Items(entries.iter().map(Entry::form).collect()),
            Fact::Latent(latent) => latent.form(),
            Fact::List(items) => Form::Items(items.iter().map(Fact::form).collect()),
            other => Form::Tensors(other.tensors().len()),
        }
    }
}
