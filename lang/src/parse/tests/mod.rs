mod any_text;
mod comments;
mod foreign;
mod limits;
mod meaning;
mod pages;
mod wrong_arguments;
mod wrong_blocks;
mod wrong_declarations;
mod wrong_operators;
mod wrong_statements;
mod wrong_text;

use super::*;
use crate::ast::*;
use crate::error::CODES;
use crate::{Span, names};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

fn read(source: &str) -> Parsed {
    parse(&SourceFile::new("main.flow", source))
}

/// The source above, the verdict below.
#[track_caller]
fn rejected(source: &str) -> String {
    let file = SourceFile::new("main.flow", source);
    let errors = parse(&file).errors;
    assert!(!errors.is_empty(), "this should have been rejected:\n{source}");
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(80);
    let mut out = format!("---- source\n{}\n---- errors\n", source.trim_end());
    for error in errors {
        let report = miette::Report::new(error).with_source_code(file.clone());
        handler.render_report(&mut out, report.as_ref()).unwrap();
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Many programs with what is told of each, shortly: where, what, and the help.
#[track_caller]
fn told(sources: &[&str]) -> String {
    let mut out = String::new();
    for source in sources {
        let errors = read(source).errors;
        assert!(!errors.is_empty(), "this should have been rejected:\n{source}");
        out.push_str(&format!("---- {}\n", source.trim_end().replace('\n', "\n     ")));
        for error in errors {
            let code = error.code().trim_start_matches("parse::");
            let place = source.get(error.span().range()).unwrap_or("");
            let place = if place.is_empty() { "the end".to_owned() } else { format!("`{place}`") };
            let labels: Vec<String> =
                error.labels().unwrap().filter_map(|label| label.label().map(str::to_owned)).collect();
            let (labels, help) = (labels.join("; "), error.help().unwrap());
            out.push_str(&format!("{code}: {error}\n  at {place}: {labels}\n  help: {help}\n"));
        }
    }
    out
}

#[track_caller]
fn accepted(source: &str) -> File {
    let Parsed { ast, errors } = read(source);
    assert_eq!(errors, [], "{source}");
    ast
}

#[track_caller]
fn codes(source: &str) -> Vec<&'static str> {
    read(source).errors.iter().map(SyntaxError::code).collect()
}

#[track_caller]
fn value(source: &str) -> ExprKind {
    match accepted(&format!("let x = {source}")).statements.remove(0).kind {
        StatementKind::Let(Let { value, .. }) => value.kind,
        other => panic!("{other:?}"),
    }
}

/// The first program of the design.
const LAKE: &str = r#"//! A picture from a sentence.
edition 1

/// What to paint.
param prompt: String = "snowy mountains, a calm lake, blue sky with clouds"
param seed: Int = 42
param steps: Int in 1..=150 = 20
param width: Int = 192
param height: Int = 128

let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")

let samples = KSampler(
    model, seed:, steps:, cfg: 5.0, sampler_name: "euler", scheduler: "normal",
    positive: CLIPTextEncode(clip, text: prompt),
    negative: CLIPTextEncode(clip, text: ""),
    latent_image: EmptyLatentImage(width:, height:, batch_size: 1),
    denoise: 1.0,
)

SaveImage(VAEDecode(samples, vae:), filename_prefix: f"lake-{seed}")
"#;

/// The second: what the full language adds.
const RENDER: &str = r#"//! Reuse, loops and choices: evaluated away, what remains is a static graph.
edition 1
use std::sampling::{sample_simple}
use "./styles.flow" as styles

/// Renders one prompt.
fn render(model: Model, clip: Clip, vae: Vae, prompt: String, seed: Int, hires: Bool = false) -> Image {
    let first = sample_simple(model, clip:, prompt:, seed:, width: 512, height: 512)
    let latent = if hires { refine(model, clip:, prompt:, first:) } else { first }
    VAEDecode(latent, vae:)
}

const SEEDS = [1, 2, 3, 4]
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "sd15.safetensors")
let pictures = for s in SEEDS { render(model, clip:, vae:, prompt: styles::oil("a lighthouse"), seed: s) }
assert SEEDS.len() <= 16, "more than 16 pictures do not fit one contact sheet"
@label("contact sheet") SaveImage(std::batch(pictures), filename_prefix: "sheet")
"#;

const DECLARATIONS: &str = r#"/// Samplers of k-diffusion and ComfyUI.
choices SamplerName = "euler" | "euler_cfg_pp"
choices Factor =
    | 1 // as it is
    // twice
    | 2

/// Denoises a latent with classifier-free guidance.
@category("model/sampling") @display("KSampler")
node KSampler(
    /// What predicts the noise.
    /// Any family.
    model: Model,
    seed: Int in 0..=18446744073709551615 = 0 @control_after_generate,
    cfg: Float in 0.0..=100.0 = 8.0 @step(0.1) @round(0.01),
    sampler_name: SamplerName,
    ckpt_name: File<"checkpoints">,
    text: String @multiline @dynamic_prompts,
    crop: "disabled" | "center" = "center",
    mask: Mask?, // optional socket
    either: (Image | Mask)?,
    lists: [Image | [Mask]],
    shift: Int in -9223372036854775808..=-1 = - 1,
    size: Int in [1, 2, 4],
    `t_embedder.`: Float = 1.0,
    hidden prompt: Prompt,
    hidden: Int,
) -> (
    /// The result.
    LATENT: Latent,
    `model task_id`: String @list,
)

@output node SaveImage(images: Image)
@output
node PreviewImage(
    images: Image,
) -> ()
"#;

/// A little of everything.
const EVERYTHING: &str = r#"// licence
edition 1
use std::a as b
const SIZE: Int = 4 * -2 + 1 // eight
type ClipVision = "CLIP_VISION"

/// A flow.
fn f(a: Image = none, /// one
    b: [Int]?) -> (x: Image, Mask) {
    // first
    let (c, _) = each F(a, mode: "m" { n: 1, o: { p: [1, 2][0] } })
    assert !c && b.len() >= 2 || c != a.0, f"no {c}"

    if b[0] % 2 == 0 {
        G(c) // second
    } else if c { a } else {
        for (i, y) in enumerate(b) { (i, y) }
        // end
    }
}

let text = f"""
    a {text} {{b}}
      c {f"{SIZE + 1}"}
    """
    + "d"
@label("x")
@mute
b::f(text)
"#;
