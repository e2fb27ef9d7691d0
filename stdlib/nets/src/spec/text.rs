//! The text form of names: a word for the network, then `key=value` in a fixed order; what has its default is left out.

use std::fmt::{self, Display, Formatter};
use std::iter::Peekable;
use std::str::SplitWhitespace;

use super::ProgramSpec;
use crate::arch::{
    AdapterKind, Downscale, FreeU, MiddleAttention, Pooled, TextEncoder, TextOptions, UnetOptions,
};
use crate::ir::Resample;
use crate::real::Real;

/// Items and pixels a side beyond this are none that a plan can have, and would overflow the arithmetic of shapes.
const MOST: usize = 1 << 16;

/// The same for tokens, of which a prompt may have many.
const MOST_TOKENS: usize = 1 << 24;

/// Names of choices, in the order of their text forms.
const ENCODERS: [(&str, TextEncoder); 3] =
    [("l", TextEncoder::L), ("h", TextEncoder::H), ("g", TextEncoder::G)];
const POOLED: [(&str, Pooled); 3] =
    [("none", Pooled::None), ("plain", Pooled::Plain), ("projected", Pooled::Projected)];
const ADAPTERS: [(&str, AdapterKind); 2] = [("sd", AdapterKind::Sd), ("sdxl", AdapterKind::Sdxl)];
const MIDDLES: [(&str, MiddleAttention); 3] = [
    ("plain", MiddleAttention::Plain),
    ("identity", MiddleAttention::Identity),
    ("recorded", MiddleAttention::Recorded),
];
const RESAMPLES: [(&str, Resample); 4] = [
    ("bilinear", Resample::Bilinear),
    ("bicubic", Resample::Bicubic),
    ("nearest-exact", Resample::NearestExact),
    ("area", Resample::Area),
];
const FREEUS: [(&str, bool); 2] = [("1", false), ("2", true)];
const PLACES: [(&str, bool); 2] = [("before", false), ("after", true)];

fn name<T: PartialEq>(choices: &[(&'static str, T)], choice: &T) -> &'static str {
    choices.iter().find(|(_, known)| known == choice).map_or("?", |(name, _)| name)
}

fn choice<T: Copy>(choices: &[(&str, T)], name: &str) -> Option<T> {
    choices.iter().find(|(known, _)| *known == name).map(|&(_, choice)| choice)
}

impl ProgramSpec {
    /// Reads the text form that `Display` writes; `None` for any other text, and for sizes that no plan can have.
    pub fn parse(text: &str) -> Option<ProgramSpec> {
        let mut words = Words(text.split_whitespace().peekable());
        let network = words.0.next()?;
        let spec = words.spec(network)?;
        words.0.next().is_none().then_some(spec)
    }
}

/// The words of a text form that are left.
struct Words<'a>(Peekable<SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn spec(&mut self, network: &str) -> Option<ProgramSpec> {
        if network == "clip-text" {
            return Some(ProgramSpec::ClipText { rows: self.number("rows")?, options: self.text_options()? });
        }
        let batch = self.number("batch")?;
        match network {
            "clip-vision" => return Some(ProgramSpec::ClipVision { batch }),
            "size-embedding" => {
                let (width, numbers) = (self.number("width")?, self.number("numbers")?);
                return Some(ProgramSpec::SizeEmbedding { batch, width, numbers });
            }
            _ => {}
        }
        let (height, width) = (self.number("height")?, self.number("width")?);
        Some(match network {
            "unet" => {
                let (tokens, options) = (self.number("tokens")?, self.unet_options()?);
                ProgramSpec::Unet { batch, height, width, tokens, options }
            }
            "controlnet" => ProgramSpec::ControlNet { batch, height, width, tokens: self.number("tokens")? },
            "t2i-adapter" => ProgramSpec::T2iAdapter { batch, height, width },
            "vae-decode" => ProgramSpec::VaeDecode { batch, height, width },
            "vae-encode" => ProgramSpec::VaeEncode { batch, height, width },
            "taesd-decode" => ProgramSpec::TaesdDecode { batch, height, width, scale: self.scale()? },
            "taesd-encode" => ProgramSpec::TaesdEncode { batch, height, width, scale: self.scale()? },
            "upscale" => ProgramSpec::Upscale { batch, height, width },
            _ => return None,
        })
    }

    fn text_options(&mut self) -> Option<TextOptions> {
        let default = TextOptions::default();
        Some(TextOptions {
            encoder: self.choice("encoder", &ENCODERS)?.unwrap_or_default(),
            layer: self.optional("layer")?.unwrap_or(default.layer),
            norm: !self.flag("no-norm"),
            pooled: self.choice("pooled", &POOLED)?.unwrap_or_default(),
            extra: self.optional("extra")?.unwrap_or(0),
        })
    }

    fn unet_options(&mut self) -> Option<UnetOptions> {
        Some(UnetOptions {
            control: self.flag("control"),
            adapter: self.choice("adapter", &ADAPTERS)?,
            freeu: match self.value("freeu") {
                Some(value) => Some(freeu(value)?),
                None => None,
            },
            downscale: match self.value("downscale") {
                Some(value) => Some(downscale(value)?),
                None => None,
            },
            middle: self.choice("middle", &MIDDLES)?.unwrap_or_default(),
        })
    }

    /// The value of the next word, if its key is this one.
    fn value(&mut self, key: &str) -> Option<&'a str> {
        let value = self.0.peek()?.strip_prefix(key)?.strip_prefix('=')?;
        self.0.next();
        Some(value)
    }

    fn flag(&mut self, name: &str) -> bool {
        self.0.next_if(|word| *word == name).is_some()
    }

    fn number(&mut self, key: &str) -> Option<usize> {
        let number = self.value(key)?.parse().ok()?;
        let limit = if key == "tokens" { MOST_TOKENS } else { MOST };
        (1..=limit).contains(&number).then_some(number)
    }

    /// A number that may be left out; `None` if it is there and wrong.
    fn optional(&mut self, key: &str) -> Option<Option<usize>> {
        let has_key = |word: &&str| word.strip_prefix(key).is_some_and(|rest| rest.starts_with('='));
        if self.0.peek().is_some_and(has_key) { self.number(key).map(Some) } else { Some(None) }
    }

    /// A choice that may be left out; `None` if it is there and wrong.
    fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<Option<T>> {
        match self.value(key) {
            Some(value) => choice(choices, value).map(Some),
            None => Some(None),
        }
    }

    fn scale(&mut self) -> Option<Real> {
        Real::parse(self.value("scale")?).filter(|scale| scale.get() > 0.0)
    }
}

fn freeu(value: &str) -> Option<FreeU> {
    let mut parts = value.split(':');
    let by_mean = choice(&FREEUS, parts.next()?)?;
    let numbers: Vec<Real> = parts.map(Real::parse).collect::<Option<_>>()?;
    let &[b1, b2, s1, s2] = numbers.as_slice() else { return None };
    Some(FreeU { by_mean, backbone: [b1, b2], skip: [s1, s2] })
}

fn downscale(value: &str) -> Option<Downscale> {
    let parts: Vec<&str> = value.split(':').collect();
    let &[block, factor, place, down, up] = parts.as_slice() else { return None };
    Some(Downscale {
        block: block.parse().ok()?,
        factor: Real::parse(factor)?,
        after_skip: choice(&PLACES, place)?,
        down: choice(&RESAMPLES, down)?,
        up: choice(&RESAMPLES, up)?,
    })
}

impl Display for TextOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let default = TextOptions::default();
        if self.encoder != default.encoder {
            write!(f, " encoder={}", name(&ENCODERS, &self.encoder))?;
        }
        if self.layer != default.layer {
            write!(f, " layer={}", self.layer)?;
        }
        if !self.norm {
            f.write_str(" no-norm")?;
        }
        if self.pooled != default.pooled {
            write!(f, " pooled={}", name(&POOLED, &self.pooled))?;
        }
        if self.extra > 0 {
            write!(f, " extra={}", self.extra)?;
        }
        Ok(())
    }
}

impl Display for UnetOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str(" control")?;
        }
        if let Some(kind) = self.adapter {
            write!(f, " adapter={}", name(&ADAPTERS, &kind))?;
        }
        if let Some(FreeU { by_mean, backbone: [b1, b2], skip: [s1, s2] }) = self.freeu {
            write!(f, " freeu={}:{b1}:{b2}:{s1}:{s2}", name(&FREEUS, &by_mean))?;
        }
        if let Some(Downscale { block, factor, after_skip, down, up }) = self.downscale {
            write!(f, " downscale={block}:{factor}:{}:{down}:{up}", name(&PLACES, &after_skip))?;
        }
        if self.middle != MiddleAttention::Plain {
            write!(f, " middle={}", name(&MIDDLES, &self.middle))?;
        }
        Ok(())
    }
}

impl Display for ProgramSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            ProgramSpec::ClipText { rows, options } => write!(f, "clip-text rows={rows}{options}"),
            ProgramSpec::ClipVision { batch } => write!(f, "clip-vision batch={batch}"),
            ProgramSpec::Unet { batch, height, width, tokens, options } => {
                write!(f, "unet batch={batch} height={height} width={width} tokens={tokens}{options}")
            }
            ProgramSpec::ControlNet { batch, height, width, tokens } => {
                write!(f, "controlnet batch={batch} height={height} width={width} tokens={tokens}")
            }
            ProgramSpec::T2iAdapter { batch, height, width } => {
                picture(f, "t2i-adapter", [batch, height, width])
            }
            ProgramSpec::VaeDecode { batch, height, width } => {
                picture(f, "vae-decode", [batch, height, width])
            }
            ProgramSpec::VaeEncode { batch, height, width } => {
                picture(f, "vae-encode", [batch, height, width])
            }
            ProgramSpec::TaesdDecode { batch, height, width, scale } => {
                picture(f, "taesd-decode", [batch, height, width])?;
                write!(f, " scale={scale}")
            }
            ProgramSpec::TaesdEncode { batch, height, width, scale } => {
                picture(f, "taesd-encode", [batch, height, width])?;
                write!(f, " scale={scale}")
            }
            ProgramSpec::Upscale { batch, height, width } => picture(f, "upscale", [batch, height, width]),
            ProgramSpec::SizeEmbedding { batch, width, numbers } => {
                write!(f, "size-embedding batch={batch} width={width} numbers={numbers}")
            }
        }
    }
}

fn picture(f: &mut Formatter<'_>, network: &str, [batch, height, width]: [usize; 3]) -> fmt::Result {
    write!(f, "{network} batch={batch} height={height} width={width}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real(value: f64) -> Real {
        Real::new(value).unwrap()
    }

    fn specs() -> Vec<ProgramSpec> {
        let (batch, height, width, tokens, scale) = (2, 16, 24, 77, real(0.18215));
        let plain = UnetOptions::default();
        let freeu = FreeU { by_mean: true, backbone: [real(1.1), real(1.2)], skip: [real(0.9), real(0.2)] };
        let downscale = Downscale {
            block: 4,
            factor: real(1.5),
            after_skip: false,
            down: Resample::Bilinear,
            up: Resample::NearestExact,
        };
        let all = UnetOptions {
            control: true,
            adapter: Some(AdapterKind::Sdxl),
            freeu: Some(freeu),
            downscale: Some(downscale),
            middle: MiddleAttention::Recorded,
        };
        let sdxl = TextOptions {
            encoder: TextEncoder::G,
            layer: 2,
            norm: false,
            pooled: Pooled::Projected,
            extra: 3,
        };
        vec![
            ProgramSpec::ClipText { rows: 2, options: TextOptions::default() },
            ProgramSpec::ClipText { rows: 2, options: sdxl },
            ProgramSpec::ClipVision { batch },
            ProgramSpec::Unet { batch, height, width, tokens, options: plain },
            ProgramSpec::Unet { batch, height, width, tokens, options: all },
            ProgramSpec::ControlNet { batch, height, width, tokens },
            ProgramSpec::T2iAdapter { batch, height, width },
            ProgramSpec::VaeDecode { batch, height, width },
            ProgramSpec::VaeEncode { batch, height, width },
            ProgramSpec::TaesdDecode { batch, height, width, scale },
            ProgramSpec::TaesdEncode { batch, height, width, scale },
            ProgramSpec::Upscale { batch, height, width },
            ProgramSpec::SizeEmbedding { batch, width, numbers: 6 },
        ]
    }

    #[test]
    fn the_text_form_reads_back() {
        let texts: Vec<String> = specs().iter().map(ProgramSpec::to_string).collect();
        for (spec, text) in specs().into_iter().zip(&texts) {
            assert_eq!(ProgramSpec::parse(text), Some(spec), "{text}");
        }
        insta::assert_snapshot!(texts.join("\n"), @r"
        clip-text rows=2
        clip-text rows=2 encoder=g layer=2 no-norm pooled=projected extra=3
        clip-vision batch=2
        unet batch=2 height=16 width=24 tokens=77
        unet batch=2 height=16 width=24 tokens=77 control adapter=sdxl freeu=2:1.1:1.2:0.9:0.2 downscale=4:1.5:before:bilinear:nearest-exact middle=recorded
        controlnet batch=2 height=16 width=24 tokens=77
        t2i-adapter batch=2 height=16 width=24
        vae-decode batch=2 height=16 width=24
        vae-encode batch=2 height=16 width=24
        taesd-decode batch=2 height=16 width=24 scale=0.18215
        taesd-encode batch=2 height=16 width=24 scale=0.18215
        upscale batch=2 height=16 width=24
        size-embedding batch=2 width=24 numbers=6
        ");
    }

    #[test]
    fn other_texts_are_no_names() {
        for text in [
            "",
            "unet",
            "unet batch=2",
            "unet batch=2 height=3 width=4 tokens=5 controls",
            "unet batch=2 height=3 width=4 tokens=5 freeu=1:2",
            "unet batch=2 height=3 width=4 tokens=5 freeu=3:1.0:1.0:1.0:1.0",
            "unet batch=2 height=3 width=4 tokens=5 middle=left",
            "clip-text rows=0",
            "clip-text rows=99999999999",
            "clip-text rows=2 rows=3",
            "clip-text rows=2 layer=0",
            "clip-text rows=2 encoder=z",
            "taesd-decode batch=1 height=2 width=2 scale=0.0",
            "taesd-decode batch=1 height=2 width=2 scale=nan",
        ] {
            assert_eq!(ProgramSpec::parse(text), None, "{text}");
        }
    }
}
