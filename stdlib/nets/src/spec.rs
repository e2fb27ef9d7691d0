//! Names of programs: what a plan writes down, and what the runtime rebuilds them from.

use std::fmt;

use floe_formats::{Family, Header, Layout, Part};

use crate::arch;
use crate::builder::{BuildError, Builder, Weights};
use crate::ir::Program;
use crate::passes;

/// Items and pixels a side beyond this are none that a plan can have, and would overflow the arithmetic of shapes.
const MOST: usize = 1 << 16;

/// The same for tokens, of which a prompt may have many.
const MOST_TOKENS: usize = 1 << 24;

/// Which network at which sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProgramSpec {
    /// The text encoder.
    ClipText {
        /// Chunks of 77 tokens.
        rows: usize,
    },
    /// The denoising network; sizes in latent pixels.
    Unet {
        /// Latents at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Tokens of context.
        tokens: usize,
    },
    /// The image decoder; sizes in latent pixels.
    VaeDecode {
        /// Latents at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The image encoder; sizes in pixels.
    VaeEncode {
        /// Pictures at once.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl ProgramSpec {
    /// The part of a checkpoint that holds its weights.
    pub fn part(self) -> Part {
        match self {
            ProgramSpec::ClipText { .. } => Part::Clip,
            ProgramSpec::Unet { .. } => Part::Model,
            ProgramSpec::VaeDecode { .. } | ProgramSpec::VaeEncode { .. } => Part::Vae,
        }
    }

    /// Reads the text form that `Display` writes.
    pub fn parse(text: &str) -> Option<ProgramSpec> {
        let mut words = text.split(' ');
        let name = words.next()?;
        let mut number = |key: &str| {
            let number: usize = words.next()?.strip_prefix(key)?.strip_prefix('=')?.parse().ok()?;
            let limit = if matches!(key, "rows" | "tokens") { MOST_TOKENS } else { MOST };
            (1..=limit).contains(&number).then_some(number)
        };
        let spec = match name {
            "clip-text" => ProgramSpec::ClipText { rows: number("rows")? },
            "unet" => ProgramSpec::Unet {
                batch: number("batch")?,
                height: number("height")?,
                width: number("width")?,
                tokens: number("tokens")?,
            },
            "vae-decode" | "vae-encode" => {
                let (batch, height, width) = (number("batch")?, number("height")?, number("width")?);
                if name == "vae-decode" {
                    ProgramSpec::VaeDecode { batch, height, width }
                } else {
                    ProgramSpec::VaeEncode { batch, height, width }
                }
            }
            _ => return None,
        };
        words.next().is_none().then_some(spec)
    }
}

impl fmt::Display for ProgramSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ProgramSpec::ClipText { rows } => write!(f, "clip-text rows={rows}"),
            ProgramSpec::Unet { batch, height, width, tokens } => {
                write!(f, "unet batch={batch} height={height} width={width} tokens={tokens}")
            }
            ProgramSpec::VaeDecode { batch, height, width } => {
                write!(f, "vae-decode batch={batch} height={height} width={width}")
            }
            ProgramSpec::VaeEncode { batch, height, width } => {
                write!(f, "vae-encode batch={batch} height={height} width={width}")
            }
        }
    }
}

/// Which passes a program goes through before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassSet {
    /// `fuse`: bias, residual and activation join the operation before them.
    pub fuse: bool,
    /// `in-place`: results overwrite what is read for the last time.
    pub in_place: bool,
    /// `offsets`: the slab's bytes are reused; otherwise every value has bytes of its own.
    pub offsets: bool,
}

/// Builds the program of a checkpoint, without its passes.
///
/// # Errors
/// If the file lacks the part, a tensor is missing or does not fit, or its family has no description yet.
pub fn build_program(spec: ProgramSpec, header: &Header, layout: &Layout) -> Result<Program, BuildError> {
    if layout.family != Family::Sd1 {
        return Err(BuildError::Family(layout.family.to_string()));
    }
    let part = spec.part();
    let prefix =
        layout.prefix(part).ok_or_else(|| BuildError::Size(format!("the file has no {part} part")))?;
    let b = Builder::new(spec.to_string(), Weights { header, prefix });
    let b = match spec {
        ProgramSpec::ClipText { rows } => arch::clip_text(b, rows)?,
        ProgramSpec::Unet { batch, height, width, tokens } => arch::unet(b, batch, [height, width], tokens)?,
        ProgramSpec::VaeDecode { batch, height, width } => arch::vae_decoder(b, batch, [height, width])?,
        ProgramSpec::VaeEncode { batch, height, width } => arch::vae_encoder(b, batch, [height, width])?,
    };
    Ok(b.finish())
}

impl PassSet {
    /// All passes.
    pub const DEFAULT: PassSet = PassSet { fuse: true, in_place: true, offsets: true };

    /// No pass: what every other set must equal bit for bit.
    pub const NAIVE: PassSet = PassSet { fuse: false, in_place: false, offsets: false };

    /// Names of the passes, in the order in which they run.
    pub const NAMES: [&'static str; 3] = ["fuse", "in-place", "offsets"];

    /// The set of the passes whose [`NAMES`](Self::NAMES) satisfy `wanted`.
    pub fn select(wanted: impl Fn(&str) -> bool) -> PassSet {
        let [fuse, in_place, offsets] = Self::NAMES.map(wanted);
        PassSet { fuse, in_place, offsets }
    }

    /// Runs the passes, then gives every value its place; each is verified.
    pub fn run(self, program: &mut Program) {
        if self.fuse {
            passes::run(passes::fuse, program);
        }
        if self.in_place {
            passes::run(passes::in_place, program);
        }
        passes::run(if self.offsets { passes::offsets } else { passes::spread }, program);
    }

    /// Reads the text form that `Display` writes.
    pub fn parse(text: &str) -> Option<PassSet> {
        let names: Vec<&str> = if text == "none" { Vec::new() } else { text.split(',').collect() };
        let known = names.iter().all(|name| Self::NAMES.contains(name));
        known.then(|| Self::select(|name| names.contains(&name)))
    }
}

impl fmt::Display for PassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = [self.fuse, self.in_place, self.offsets];
        let names: Vec<&str> =
            Self::NAMES.into_iter().zip(on).filter_map(|(name, on)| on.then_some(name)).collect();
        f.write_str(if names.is_empty() { "none".to_owned() } else { names.join(",") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back() {
        for spec in [
            ProgramSpec::ClipText { rows: 2 },
            ProgramSpec::Unet { batch: 2, height: 16, width: 24, tokens: 77 },
            ProgramSpec::VaeDecode { batch: 1, height: 16, width: 24 },
            ProgramSpec::VaeEncode { batch: 1, height: 128, width: 192 },
        ] {
            assert_eq!(ProgramSpec::parse(&spec.to_string()), Some(spec));
        }
        for set in [PassSet::DEFAULT, PassSet::NAIVE, PassSet { in_place: false, ..PassSet::DEFAULT }] {
            assert_eq!(PassSet::parse(&set.to_string()), Some(set));
        }
        assert_eq!(PassSet::parse("fuse,nothing"), None);
        assert_eq!(ProgramSpec::parse("unet batch=2"), None);
        assert_eq!(ProgramSpec::parse("clip-text rows=0"), None);
        assert_eq!(ProgramSpec::parse("clip-text rows=99999999999"), None);
        assert_eq!(ProgramSpec::parse("clip-text rows=2 rows=3"), None);
    }
}
