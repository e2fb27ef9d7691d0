//! From the names that networks are described in to the names that files have.
//!
//! # The contract
//!
//! Every kind of network has one set of **canonical names**; descriptions of networks ask for these alone, below an
//! empty prefix:
//!
//! | network | canonical names | examples |
//! |---|---|---|
//! | U-Net | those of latent diffusion, below `model.diffusion_model.` | `input_blocks.1.0.in_layers.2.weight`, `label_emb.0.0.weight` |
//! | autoencoder | those of latent diffusion, below `first_stage_model.` | `encoder.down.0.block.0.norm1.weight`, `quant_conv.weight` |
//! | text encoder | those of Hugging Face's CLIP, below `text_model.` | `embeddings.token_embedding.weight`, `encoder.layers.0.self_attn.q_proj.weight`, `text_projection.weight` |
//! | vision encoder | those of Hugging Face's CLIP, below `vision_model.` | `pre_layrnorm.weight`, `visual_projection.weight` |
//! | ControlNet | those of its authors, below `control_model.` | `zero_convs.0.0.weight`, `input_hint_block.14.weight`, `middle_block_out.0.weight` |
//! | T2I-Adapter | those of its authors | `body.0.block1.weight`, `conv_in.weight` |
//! | TAESD | those of its authors, encoder and decoder each alone | `1.weight`, `3.conv.0.weight` |
//! | RRDBNet | those of BasicSR | `conv_first.weight`, `body.0.rdb1.conv1.weight` |
//!
//! A [`KeyMap`] says for each canonical name which tensor of the file that is. Mostly it is a whole tensor. Where the
//! file has several in one (OpenCLIP keeps query, key and value in one `in_proj_weight`), it is some of its rows; where
//! the file keeps a matrix the other way round (OpenCLIP's `text_projection`), it is that matrix transposed.
//!
//! [`KeyMap::view`] turns the header of a file into one with canonical names. Such a header is as good as that of a
//! file: places are byte ranges of the same file, slices of rows are ranges like all others, and a transposed matrix
//! says so ([`TensorInfo::transposed`](crate::TensorInfo::transposed)). Programs are built against it, weights are read
//! through it. So two files of one network in two layouts give the same program.
//!
//! Shapes are the file's: linear layers and 1x1 convolutions are one product, `[o, i]` and `[o, i, 1, 1]` are both
//! found under the name of either.

pub(crate) mod clip;
pub(crate) mod small;
pub(crate) mod unet;
pub(crate) mod vae;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::{FormatError, Header};

/// Which tensor of a file a canonical name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in the file.
    pub tensor: String,
    /// Only these of its rows (indices of the first dimension).
    pub rows: Option<Range<usize>>,
    /// The matrix is stored the other way round.
    pub transposed: bool,
}

/// The tensors of one network by their canonical names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyMap {
    entries: BTreeMap<String, Source>,
}

impl KeyMap {
    /// The tensors below `prefix`, named canonically already.
    pub fn below(header: &Header, prefix: &str) -> KeyMap {
        KeyMap::renamed(header, prefix, |name| Some(name.to_owned()))
    }

    /// The tensors below `prefix`, each by the canonical name that `name` gives to the rest of its name. Tensors without
    /// one belong to something else; of two with the same name the first counts.
    pub(crate) fn renamed(header: &Header, prefix: &str, name: impl Fn(&str) -> Option<String>) -> KeyMap {
        let mut map = KeyMap::default();
        for (rest, _) in header.below(prefix) {
            if let Some(key) = name(rest) {
                map.add(key, Source { tensor: format!("{prefix}{rest}"), rows: None, transposed: false });
            }
        }
        map
    }

    pub(crate) fn add(&mut self, key: String, source: Source) {
        self.entries.entry(key).or_insert(source);
    }

    /// Which tensor of the file this canonical name stands for.
    pub fn source(&self, key: &str) -> Option<&Source> {
        self.entries.get(key)
    }

    /// All canonical names, sorted, with what they stand for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.entries.iter().map(|(key, source)| (key.as_str(), source))
    }

    /// Whether there is no tensor at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The header of the file, with canonical names, and only the tensors of this network.
    ///
    /// # Errors
    /// If a tensor does not have the rows, or the two dimensions, that its source asks for.
    pub fn view(&self, header: &Header) -> Result<Header, FormatError> {
        let mut tensors = BTreeMap::new();
        for (key, source) in &self.entries {
            let stored = header.tensors.get(&source.tensor);
            let part = stored.and_then(|info| match &source.rows {
                Some(rows) => info.rows(rows.clone()),
                None => Some(info.clone()),
            });
            let turned = part.and_then(|info| if source.transposed { info.transpose() } else { Some(info) });
            let info = turned.ok_or_else(|| FormatError::Misfit {
                tensor: source.tensor.clone(),
                reason: format!("its shape does not hold `{key}`"),
            })?;
            tensors.insert(key.clone(), info);
        }
        let (hash, file_bytes) = (header.hash.clone(), header.file_bytes);
        Ok(Header { tensors, hash, file_bytes, metadata: header.metadata.clone() })
    }
}

/// A number at the start of a name, and what follows its dot.
pub(crate) fn index(name: &str) -> Option<(usize, &str)> {
    let (number, rest) = name.split_once('.')?;
    let digits = number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| number.parse().ok()).flatten().map(|number| (number, rest))
}

/// The name with one beginning in place of another.
pub(crate) fn swap(name: &str, from: &str, to: &str) -> Option<String> {
    name.strip_prefix(from).map(|rest| format!("{to}{rest}"))
}
