//! What results of nodes are called, by their type, their class and what they are used for.

use super::words;

/// The noun for a type of ComfyUI's.
pub(super) fn noun(comfy: &str) -> Option<String> {
    match comfy {
        "" | "*" | "COMBO" => None,
        "INT" => Some("number".to_owned()),
        "FLOAT" => Some("number".to_owned()),
        "BOOLEAN" => Some("flag".to_owned()),
        "STRING" => Some("text".to_owned()),
        name if name.contains(',') => None,
        name => words::identifier(name),
    }
}

/// Whether a word is that of a kind of data, but not of the one that is meant.
pub(super) fn is_other_noun(word: &str, noun: Option<&str>) -> bool {
    let nouns =
        ["model", "clip", "vae", "latent", "image", "mask", "conditioning", "video", "audio", "prompt"];
    noun.is_some_and(|noun| noun != word && nouns.contains(&noun))
        && nouns.contains(&word)
        && !(noun == Some("conditioning") && word == "prompt")
}

/// Whether values of a type are numbers, texts and the like.
pub(super) fn is_scalar(comfy: &str) -> bool {
    matches!(comfy, "INT" | "FLOAT" | "BOOLEAN" | "STRING" | "COMBO")
}

/// What a class does to pictures, latents or masks, as an adjective: `upscaled`.
pub(super) fn deed(class: &[String]) -> Option<&'static str> {
    class.iter().find_map(|word| {
        Some(match word.as_str() {
            "upscale" | "upscaler" | "supir" => "upscaled",
            "downscale" => "downscaled",
            "scale" | "rescale" => "scaled",
            "resize" | "resizer" => "resized",
            "crop" | "cropper" => "cropped",
            "invert" => "inverted",
            "blur" => "blurred",
            "sharpen" => "sharpened",
            "pad" | "outpaint" | "extend" => "padded",
            "composite" | "compositor" | "overlay" => "composited",
            "blend" | "blending" => "blended",
            "remap" => "remapped",
            "adjust" => "adjusted",
            "filter" => "filtered",
            "average" => "averaged",
            "colorize" => "colorized",
            "tonemap" => "tonemapped",
            "equalize" => "equalized",
            "denoise" => "denoised",
            "inpaint" | "inpainting" => "inpainted",
            "translate" => "moved",
            "set" => "masked",
            "flip" => "flipped",
            "rotate" => "rotated",
            "combine" | "combination" => "combined",
            "concat" | "concatenate" | "join" => "joined",
            "stitch" => "stitched",
            "batch" | "rebatch" => "batch",
            "repeat" => "repeated",
            "grow" | "expand" => "grown",
            "feather" => "feathered",
            "threshold" => "thresholded",
            "quantize" => "quantized",
            "posterize" => "posterized",
            "interpolate" | "interpolation" | "rife" | "vfi" => "interpolated",
            "detailer" | "detail" => "detailed",
            "restore" | "restoration" => "restored",
            "reverse" => "reversed",
            "trim" => "trimmed",
            "cut" => "cut",
            "merge" => "merged",
            "mix" => "mixed",
            "match" => "matched",
            "remove" | "removal" | "rembg" => "cleaned",
            _ => return None,
        })
    })
}

/// What a preprocessor finds in a picture.
pub(super) fn finding(class: &[String]) -> Option<&'static str> {
    class.iter().find_map(|word| {
        Some(match word.as_str() {
            "canny" => "edges",
            "depth" | "midas" | "zoe" | "leres" => "depth",
            "pose" | "openpose" | "dwpose" | "dwpreprocessor" => "pose",
            "lineart" => "lineart",
            "scribble" => "scribble",
            "hed" | "softedge" | "pidinet" => "soft_edges",
            "normal" => "normals",
            "segmentation" | "segment" | "sam" | "sam2" | "sam3" => "segments",
            _ => return None,
        })
    })
}

/// What a class adds to a model, a text encoder or a conditioning, as an ending: `model_lora`.
pub(super) fn addition(class: &[String], ty: &str) -> Option<&'static str> {
    class.iter().find_map(|word| {
        Some(match word.as_str() {
            "lora" | "loras" | "lycoris" => "lora",
            "controlnet" | "control" => "control",
            "adapter" | "ipadapter" => "ip_adapter",
            "guidance" => "guided",
            "combine" => "combined",
            "concat" => "joined",
            "average" => "averaged",
            "zero" if ty == "CONDITIONING" => "zeroed",
            "area" => "area",
            "mask" => "masked",
            "reference" => "referenced",
            "style" => "styled",
            "vision" | "unclip" => "vision",
            "inpaint" => "inpaint",
            "sampling" => "shifted",
            "skip" | "layer" => "skip",
            "patch" | "patcher" => "patched",
            "compile" => "compiled",
            "cache" | "teacache" => "cached",
            "merge" => "merged",
            "freeu" => "freeu",
            "hypernetwork" => "hypernetwork",
            "hook" | "hooks" => "hooked",
            "rescale" => "rescaled",
            "perturbed" | "pag" => "perturbed",
            "gligen" => "boxes",
            _ => return None,
        })
    })
}

/// What a class adds that no list knows: the first of its words that says something.
pub(super) fn any_addition(class: &[String]) -> Option<String> {
    const NOTHING: [&str; 14] = [
        "model",
        "clip",
        "unet",
        "conditioning",
        "apply",
        "node",
        "only",
        "set",
        "add",
        "text",
        "encode",
        "comfy",
        "switch",
        "simple",
    ];
    let says = |word: &&String| {
        word.len() > 2 && word.bytes().all(|at| at.is_ascii_alphabetic()) && !NOTHING.contains(&word.as_str())
    };
    class.iter().find(says).cloned()
}

/// Whether a class makes latents by denoising.
pub(super) fn samples(class: &[String]) -> bool {
    class.iter().any(|word| {
        let sampler = word.contains("sampler") && !matches!(class.last().map(String::as_str), Some("select"));
        sampler || word == "sample"
    })
}

/// The parts of prompts that a result is used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Polarity {
    pub(super) positive: bool,
    pub(super) negative: bool,
}

impl Polarity {
    /// As the name of an input says it.
    pub(super) fn of_input(input: &str) -> Self {
        Self { positive: input.contains("positive"), negative: input.contains("negative") }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { positive: self.positive || other.positive, negative: self.negative || other.negative }
    }

    pub(super) fn is_none(self) -> bool {
        !self.positive && !self.negative
    }

    /// The one word for it, if there is one.
    pub(super) fn word(self) -> Option<&'static str> {
        match (self.positive, self.negative) {
            (true, false) => Some("positive"),
            (false, true) => Some("negative"),
            _ => None,
        }
    }
}
