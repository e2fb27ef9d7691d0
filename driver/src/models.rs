//! Model files as text for people: what lies in the folders, and what is in one file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use floe_formats::{
    Component, Contents, FormatError, Header, Heads, Network, Prediction, ReadError, UnetFacts, Words,
};
use thiserror::Error;

use crate::Folders;

/// Why a file cannot be shown.
#[derive(Debug, Error)]
pub enum InspectError {
    /// There is none, or the system does not let it be read.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// It is no file of tensors, or a broken one.
    #[error("`{path}`: {error}")]
    Format {
        /// The file.
        path: String,
        /// What is wrong with its bytes.
        error: FormatError,
    },
}

/// A list of all model files, by folder: kind, family, size.
pub fn list_models(folders: &Folders) -> String {
    let files = folders.model_files();
    let width = files.iter().map(|(_, name, _)| name.chars().count()).max().unwrap_or_default();
    let (mut text, mut last) = (String::new(), None);
    for (folder, name, path) in &files {
        if last != Some(folder) {
            let _ = writeln!(text, "{folder}");
            last = Some(folder);
        }
        let what = match open(path).and_then(|(_, header)| Ok((Contents::of(&header)?, header.file_bytes))) {
            Ok((contents, bytes)) => format!("{contents}, {}", size(bytes)),
            Err(error) => error.to_string(),
        };
        let _ = writeln!(text, "  {name:width$}  {what}");
    }
    text
}

/// What is in a model file; with `tensors`, all of them.
///
/// # Errors
/// If it cannot be read, or is no file of tensors.
pub fn inspect_model(path: &Path, tensors: bool) -> Result<String, InspectError> {
    let shown = path.display().to_string();
    let (mut file, header) = open(path).map_err(|error| match error {
        ReadError::Io(error) => InspectError::Unreadable { path: shown.clone(), reason: error.to_string() },
        ReadError::Format(error) => InspectError::Format { path: shown.clone(), error },
    })?;
    let mut text = String::new();
    let contents = Contents::of(&header);
    let what = contents.as_ref().map_or_else(ToString::to_string, ToString::to_string);
    let _ = writeln!(text, "{shown}: {what}");
    let _ = writeln!(text, "  {}, {}", size(header.file_bytes), count(&header));
    if let Ok(contents) = &contents {
        for component in &contents.components {
            let facts = facts(component, &mut file);
            let _ = writeln!(text, "  {}: {facts}; {} names", component.network.role(), component.naming);
        }
        patches(&mut text, contents);
        for word in &contents.words {
            let _ = writeln!(text, "  {}", words(word));
        }
    }
    for (key, note) in &header.metadata {
        let _ = writeln!(text, "  note {key}: {}", short(note));
    }
    if tensors {
        for (name, info) in &header.tensors {
            let _ = writeln!(text, "  {name} {} {:?}", info.dtype, info.shape);
        }
    }
    Ok(text)
}

fn open(path: &Path) -> Result<(File, Header), ReadError> {
    let mut file = File::open(path)?;
    let header = Header::read(&mut file)?;
    Ok((file, header))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = (bytes.max(1).ilog2() / 10).min(4) as usize;
    let number = bytes as f64 / f64::from(1_u32 << 10).powi(step as i32);
    if step == 0 { format!("{bytes} B") } else { format!("{number:.1} {}", units[step]) }
}

/// How many tensors, and of which types.
fn count(header: &Header) -> String {
    let mut types = BTreeMap::new();
    for info in header.tensors.values() {
        *types.entry(info.dtype).or_insert(0_usize) += 1;
    }
    let types: Vec<String> = types.iter().map(|(dtype, count)| format!("{count} {dtype}")).collect();
    format!("{} tensors ({})", header.tensors.len(), types.join(", "))
}

fn facts(component: &Component, file: &mut File) -> String {
    match &component.network {
        Network::Unet(facts) => unet(facts, prediction(facts, component, file)),
        Network::Text(_, facts) => {
            let projection =
                facts.projection.map_or_else(String::new, |width| format!(", projects to {width}"));
            format!("{} layers of {} channels{projection}", facts.layers, facts.width)
        }
        Network::Vae(facts) => {
            let halves = match (facts.encoder, facts.decoder) {
                (true, true) => "both ways",
                (true, false) => "encoder only",
                _ => "decoder only",
            };
            format!("{} latent channels, {} pixels each, {halves}", facts.latent_channels, facts.downscale)
        }
        Network::TaesdEncoder(channels) | Network::TaesdDecoder(channels) => {
            format!("{channels} latent channels")
        }
        Network::Vision(facts) => format!(
            "{} layers of {} channels, pictures of {} pixels in patches of {}",
            facts.layers, facts.width, facts.picture, facts.patch
        ),
        Network::Control(facts) => {
            format!("{}, hint of {} channels", unet(&facts.unet, None), facts.hint_channels)
        }
        Network::Adapter(facts) => {
            let light = if facts.light { ", light" } else { "" };
            format!("hint of {} channels, {} pixels as one{light}", facts.hint_channels, facts.unshuffle)
        }
        Network::Upscaler(facts) => format!("{} times larger, {} blocks", facts.scale, facts.blocks),
    }
}

fn unet(facts: &UnetFacts, prediction: Option<Prediction>) -> String {
    let heads = match facts.heads {
        Heads::Count(count) => format!("{count} heads"),
        Heads::Width(width) => format!("heads of {width}"),
    };
    let mut text = format!(
        "{} channels to {}, context of {}, {heads}",
        facts.in_channels, facts.out_channels, facts.context_width
    );
    if let Some(width) = facts.adm_width {
        let _ = write!(text, ", vector of {width}");
    }
    if let Some(prediction) = prediction {
        let _ = write!(text, ", predicts {prediction}");
    }
    text
}

/// What a U-Net predicts; where its values say it, from them.
fn prediction(facts: &UnetFacts, component: &Component, file: &mut File) -> Option<Prediction> {
    let info = component.tensors.tensors.get(Prediction::TENSOR);
    match (facts.prediction, info) {
        (Prediction::InValues, Some(info)) => {
            let measured = info.read(file).ok().map(|values| Prediction::measured(&values));
            measured.or(Some(facts.prediction))
        }
        (prediction, _) => Some(prediction),
    }
}

/// How many layers are patched in which way.
fn patches(text: &mut String, contents: &Contents) {
    let Some(lora) = &contents.lora else { return };
    let mut methods = BTreeMap::new();
    for method in lora.modules.iter().filter_map(|module| module.method()) {
        *methods.entry(method).or_insert(0_usize) += 1;
    }
    for (method, count) in methods {
        let _ = writeln!(text, "  {count} layers by {method}");
    }
}

fn words(word: &Words) -> String {
    let encoder = word.role.map_or_else(String::new, |role| format!(" for {role}"));
    format!("{} tokens of {} channels{encoder}", word.tokens, word.width)
}

/// A note on one line.
fn short(note: &str) -> String {
    const MOST: usize = 100;
    let line: String = note.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if note.chars().nth(MOST).is_some() { format!("{line}…") } else { line }
}

impl Folders {
    /// The path of a model file that is named by its path, or by its folder and its name there.
    pub fn model_named(&self, name: &Path) -> PathBuf {
        let inside = self.models.iter().map(|root| root.join(name));
        std::iter::once(name.to_path_buf())
            .chain(inside)
            .find(|path| path.is_file())
            .unwrap_or(name.to_path_buf())
    }
}
