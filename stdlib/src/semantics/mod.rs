//! What nodes mean to the compiler, beside their declarations: one file per category, one function per class.

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
mod loaders;
mod loras;
mod mask;
mod math;
mod merges;
mod numbers;
mod pixels;
mod sampling;
mod text;
mod values;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use floe_formats::{Family, FormatError, Role};
use floe_nets::ProgramSpec;
use thiserror::Error;

use floe_lang::decl::{OutputDecl, Text};

use crate::data::{Entry, Latent};
use crate::facts::{Fact, FileError, Scalar, Size, World};
use crate::part::{Loaded, ModelFile, Network, Part};

/// What a node does besides computing its outputs from its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purity {
    /// Nothing: the same inputs give the same outputs.
    Pure,
    /// Draws noise from a seed among its inputs: the same inputs give the same outputs.
    Seeded,
    /// Reads files, which do not change during a run.
    ReadsFiles,
    /// Writes files: each call counts.
    WritesFiles,
}

/// How the outputs, programs and working memory of a call follow from its inputs.
pub type Infer = fn(&Call<'_>) -> Result<Work, SemanticError>;

/// What the compiler knows of a node class.
#[derive(Debug)]
pub struct Semantics {
    /// Its class.
    pub name: &'static str,
    /// Its effects.
    pub purity: Purity,
    /// Of a class that gives parts of models, opened or changed: what each of its outputs is. Such a class has no kernel.
    pub parts: &'static [Part],
    /// Whether it runs one network on several inputs that may share a batch.
    pub batchable: bool,
    /// Whether all that it gives is known before a run, or handed on: it has no kernel.
    pub folds: bool,
    /// Outputs, programs and working memory of a call.
    pub infer: Infer,
}

impl Semantics {
    /// A class without effects.
    const fn pure(name: &'static str, infer: Infer) -> Semantics {
        Semantics { name, purity: Purity::Pure, parts: &[], batchable: false, folds: false, infer }
    }

    /// A class without effects that gives known values, or its inputs as they are.
    const fn folds(name: &'static str, infer: Infer) -> Semantics {
        Semantics { folds: true, ..Semantics::pure(name, infer) }
    }

    /// A class whose calls each write files.
    const fn writes(name: &'static str, infer: Infer) -> Semantics {
        Semantics { purity: Purity::WritesFiles, ..Semantics::pure(name, infer) }
    }

    /// A class that reads files other than models.
    const fn reads(name: &'static str, infer: Infer) -> Semantics {
        Semantics { purity: Purity::ReadsFiles, ..Semantics::pure(name, infer) }
    }

    /// A class that opens model files.
    const fn loads(name: &'static str, parts: &'static [Part], infer: Infer) -> Semantics {
        Semantics { parts, ..Semantics::reads(name, infer) }
    }

    /// A class that makes one part of a model from another: what it changes is part of what is loaded or run later.
    const fn part(name: &'static str, part: &'static [Part], infer: Infer) -> Semantics {
        Semantics { parts: part, ..Semantics::pure(name, infer) }
    }

    /// Whether it opens model files.
    pub fn is_loader(&self) -> bool {
        !self.parts.is_empty() && self.purity == Purity::ReadsFiles
    }

    /// A class that draws noise from a seed.
    const fn seeded(name: &'static str, infer: Infer) -> Semantics {
        Semantics { purity: Purity::Seeded, ..Semantics::pure(name, infer) }
    }

    /// The same class, whose executions of a network may share a batch.
    const fn batchable(self) -> Semantics {
        Semantics { batchable: true, ..self }
    }
}

/// A call whose inputs are known as far as they can be.
pub struct Call<'a> {
    /// What is known of each input, by name. Inputs of dynamic choices and growing inputs are called `name.input`.
    pub inputs: BTreeMap<&'a str, &'a Fact>,
    /// Whether executions of one network share a batch.
    pub batched: bool,
    /// Where files are asked for.
    pub world: &'a dyn World,
}

/// A tensor program that a step runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramUse {
    /// Which network at which sizes.
    pub spec: ProgramSpec,
    /// The network.
    pub network: Network,
    /// How often it is executed.
    pub executions: u64,
}

/// Working memory of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// What it is for.
    pub name: &'static str,
    /// Outermost dimension first.
    pub shape: Vec<Size>,
}

/// Why a call can be planned but not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Floe cannot run it yet.
    NoKernel {
        /// The input that asks for what is missing; none where it is the class.
        input: Option<&'static str>,
        /// What is missing.
        what: String,
        /// What there is instead.
        instead: String,
    },
    /// It depends on a file that was not looked at.
    File,
    /// It depends on a size or a value that nothing tells before a run, or on something of which that is true.
    Unknown,
}

/// Something that a kernel is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// One value.
    One(Scalar),
    /// Several, in order.
    Many(Vec<Scalar>),
}

/// What a call comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Work {
    /// Outputs by slot.
    pub outputs: Vec<Fact>,
    /// Outputs that are an input as it is: the slot and the name of the input. Nothing is computed for them.
    pub same: Vec<(usize, Text)>,
    /// Working memory, in the order in which the kernel takes it.
    pub scratch: Vec<Scratch>,
    /// Tensor programs, in the order in which the kernel takes them.
    pub programs: Vec<ProgramUse>,
    /// What the kernel is told besides its inputs, by name: facts of the models that it runs.
    pub attributes: BTreeMap<&'static str, Attribute>,
    /// Why it cannot run as it is, if it cannot. Working memory and programs are not complete then.
    pub gap: Option<Gap>,
}

impl Work {
    /// A call that only gives these.
    fn gives(outputs: impl Into<Vec<Fact>>) -> Work {
        Work { outputs: outputs.into(), ..Work::default() }
    }

    /// A call whose only output is an input as it is.
    fn hands_on(call: &Call<'_>, input: &str) -> Work {
        let same = vec![(0, Text::Owned(input.to_owned()))];
        Work { same, ..Work::gives([call.fact(input).clone()]) }
    }

    /// A call whose only output is a known value.
    fn value(scalar: Scalar) -> Work {
        Work::gives([Fact::Scalar(scalar)])
    }

    /// A call of which nothing is known before a run but the type of its only output, by ComfyUI's name.
    fn unknown(comfy: &'static str) -> Work {
        Work::gives([Fact::Unknown(comfy.into())]).lacking(Gap::Unknown)
    }

    /// The same call, which cannot run.
    fn lacking(self, gap: Gap) -> Work {
        Work { gap: Some(gap), ..self }
    }

    /// What is known of a call by its declaration alone.
    pub fn declared(outputs: &[OutputDecl], gap: Gap) -> Work {
        let outputs = outputs.iter().map(|output| Fact::of_type(&output.ty));
        Work::gives(outputs.collect::<Vec<_>>()).lacking(gap)
    }
}

/// Why a call cannot be planned; `input` is the one to look at.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SemanticError {
    /// A file that an input names gives no facts.
    #[error("{error}")]
    File {
        /// The input.
        input: &'static str,
        /// Why.
        error: FileError,
    },
    /// Two inputs do not fit one another.
    #[error("{reason}")]
    Facet {
        /// The input.
        input: &'static str,
        /// Which two facts differ.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A file is of another kind than the one that is wanted.
    #[error("`{file}` is {what}; {wanted} is wanted here")]
    WrongKind {
        /// The input.
        input: &'static str,
        /// The file.
        file: String,
        /// What it is, with its article.
        what: String,
        /// What it should be, with its article.
        wanted: &'static str,
    },
    /// A part is used that is not in its file.
    #[error("`{file}` holds no {part}")]
    NoPart {
        /// The input.
        input: &'static str,
        /// The file.
        file: String,
        /// The part.
        part: Part,
    },
    /// A value is none that the class can work on.
    #[error("{reason}")]
    Value {
        /// The input.
        input: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The prompt cannot be read.
    #[error("{reason}")]
    Prompt {
        /// The input.
        input: &'static str,
        /// Why.
        reason: String,
    },
}

impl SemanticError {
    /// The input to look at.
    pub fn input(&self) -> &'static str {
        match self {
            SemanticError::File { input, .. }
            | SemanticError::Facet { input, .. }
            | SemanticError::WrongKind { input, .. }
            | SemanticError::NoPart { input, .. }
            | SemanticError::Value { input, .. }
            | SemanticError::Prompt { input, .. } => input,
        }
    }
}

/// The semantics of a class; `None` for one that is declared only.
pub fn semantics(name: &str) -> Option<&'static Semantics> {
    static BY_NAME: LazyLock<BTreeMap<&str, &Semantics>> = LazyLock::new(|| {
        let all = [
            loaders::ALL,
            loras::ALL,
            merges::ALL,
            conditioning::ALL,
            conditioning_ops::ALL,
            latent::ALL,
            latent_ops::ALL,
            sampling::ALL,
            image::ALL,
            image_filter::ALL,
            image_place::ALL,
            image_scale::ALL,
            inpaint::ALL,
            mask::ALL,
            values::ALL,
            numbers::ALL,
            text::ALL,
        ];
        all.into_iter().flatten().map(|semantics| (semantics.name, semantics)).collect()
    });
    BY_NAME.get(name).copied()
}

/// Inputs of a checked call have their declared types; these take them apart. What is not known yet is `None`.
///
/// # Panics
/// If the check let something else through: a bug.
impl<'a> Call<'a> {
    fn fact(&self, input: &str) -> &'a Fact {
        self.inputs.get(input).unwrap_or_else(|| panic!("a checked call has its input `{input}`"))
    }

    fn scalar(&self, input: &str) -> Option<&'a Scalar> {
        match self.fact(input) {
            Fact::Scalar(scalar) => Some(scalar),
            Fact::Unknown(_) | Fact::Open => None,
            other => panic!("`{input}` is one value, not {other:?}"),
        }
    }

    /// A whole number; 0 for a negative one.
    fn int(&self, input: &str) -> Size {
        self.signed(input).map(|value| usize::try_from(value).unwrap_or(0))
    }

    /// A whole number, which may be negative.
    fn signed(&self, input: &str) -> Option<i128> {
        match self.scalar(input)? {
            Scalar::Int(value) => Some(*value),
            other => panic!("`{input}` is an Int, not {other:?}"),
        }
    }

    fn float(&self, input: &str) -> Option<f64> {
        match self.scalar(input)? {
            Scalar::Float(value) => Some(*value),
            // Where a link brings it; a written one has become a Float before.
            Scalar::Int(value) => Some(*value as f64),
            other => panic!("`{input}` is a Float, not {other:?}"),
        }
    }

    fn bool(&self, input: &str) -> Option<bool> {
        match self.scalar(input)? {
            Scalar::Bool(value) => Some(*value),
            other => panic!("`{input}` is a Bool, not {other:?}"),
        }
    }

    /// Whether an optional socket is linked, or given a value.
    fn is_given(&self, input: &str) -> bool {
        !matches!(self.inputs.get(input), None | Some(Fact::Open))
    }

    /// The sockets of a growing input with what is given to them, in the order in which ComfyUI counts them.
    fn grown(&self, input: &str) -> Vec<(&'a str, &'a Fact)> {
        let mut sockets: Vec<(&'a str, &'a str, &'a Fact)> = self
            .inputs
            .iter()
            .filter_map(|(&name, &fact)| Some((name.strip_prefix(input)?.strip_prefix('.')?, name, fact)))
            .collect();
        let number = |name: &str| {
            let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.parse::<u64>().ok()
        };
        sockets.sort_by_key(|&(below, ..)| (number(below), below));
        sockets.into_iter().map(|(below, _, fact)| (below, fact)).collect()
    }

    fn string(&self, input: &str) -> Option<&'a str> {
        match self.scalar(input)? {
            Scalar::String(value) => Some(value),
            other => panic!("`{input}` is a String, not {other:?}"),
        }
    }

    /// Batch, height, width and channels of pictures.
    fn image(&self, input: &str) -> [Size; 4] {
        match *self.fact(input) {
            Fact::Image { batch, height, width, channels } => [batch, height, width, channels],
            Fact::Unknown(_) => [None; 4],
            ref other => panic!("`{input}` is an Image, not {other:?}"),
        }
    }

    /// Number, rows and columns of masks.
    fn mask(&self, input: &str) -> [Size; 3] {
        match *self.fact(input) {
            Fact::Mask { batch, height, width } => [batch, height, width],
            Fact::Unknown(_) => [None; 3],
            ref other => panic!("`{input}` is a Mask, not {other:?}"),
        }
    }

    /// Latents.
    fn latent(&self, input: &str) -> Latent {
        match self.fact(input) {
            Fact::Latent(latent) => latent.clone(),
            Fact::Unknown(_) => Latent::default(),
            other => panic!("`{input}` is a Latent, not {other:?}"),
        }
    }

    /// The entries of a conditioning, where they are known.
    fn conditioning(&self, input: &str) -> Option<&'a [Entry]> {
        match self.fact(input) {
            Fact::Conditioning(entries) => Some(entries),
            Fact::Unknown(_) => None,
            other => panic!("`{input}` is a Conditioning, not {other:?}"),
        }
    }

    /// A part of a model, where it is known.
    fn part(&self, input: &str) -> Option<&'a Arc<Loaded>> {
        match self.fact(input) {
            Fact::Part(loaded) => Some(loaded),
            Fact::Unseen { .. } | Fact::Unknown(_) | Fact::Open => None,
            other => panic!("`{input}` is a part of a model, not {other:?}"),
        }
    }

    /// The same, of a part that must be in its file.
    fn loaded(&self, input: &'static str) -> Result<Option<&'a Arc<Loaded>>, SemanticError> {
        match self.part(input) {
            Some(loaded) if loaded.networks.is_empty() => {
                let (file, part) = (loaded.file.name.clone(), loaded.part);
                Err(SemanticError::NoPart { input, file, part })
            }
            part => Ok(part),
        }
    }

    /// The network of this role of a part, which must be in its file.
    fn network(&self, input: &'static str, role: Role) -> Result<Option<&'a Network>, SemanticError> {
        Ok(self.loaded(input)?.and_then(|loaded| loaded.network(role)))
    }

    /// The model file that an input names, of a kind that is wanted here.
    fn model_file(
        &self,
        input: &'static str,
        folder: &'static str,
        wanted: &'static str,
        fits: impl Fn(&ModelFile) -> bool,
    ) -> Result<Opened, SemanticError> {
        let Some(name) = self.string(input) else { return Ok(Opened::Unseen(Gap::Unknown)) };
        let found = match self.world.model(folder, name) {
            Err(FileError::Format { error: FormatError::Unsupported { what }, .. }) => {
                return Ok(Opened::Unseen(foreign(input, name, what)));
            }
            found => looked_at(input, found)?,
        };
        match found {
            None => Ok(Opened::Unseen(Gap::File)),
            Some(file) if fits(&file) => Ok(Opened::Seen(file)),
            Some(file) => {
                let what = file.what();
                Err(SemanticError::WrongKind { input, file: file.name.clone(), what, wanted })
            }
        }
    }
}

/// What became of opening a model file.
enum Opened {
    /// It is of the wanted kind.
    Seen(Arc<ModelFile>),
    /// Nothing is known of it; why.
    Unseen(Gap),
}

/// The gap of a model of a family that is known by name only.
fn foreign(input: &'static str, name: &str, what: &str) -> Gap {
    let families =
        [Family::Sd1, Family::Sd2, Family::Sdxl, Family::SdxlRefiner].map(|family| family.to_string());
    Gap::NoKernel {
        input: Some(input),
        what: format!("`{name}`, {what},"),
        instead: format!(
            "it can be planned; to run, use a model of one of the families {}",
            families.join(", ")
        ),
    }
}

/// What a file says, if somebody looked.
fn looked_at<T>(input: &'static str, found: Result<T, FileError>) -> Result<Option<T>, SemanticError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(FileError::NotAsked { .. }) => Ok(None),
        Err(error) => Err(SemanticError::File { input, error }),
    }
}

/// A size of two that must be equal: a contradiction only where both are known.
fn differs(a: Size, b: Size) -> Option<(usize, usize)> {
    a.zip(b).filter(|(a, b)| a != b)
}
