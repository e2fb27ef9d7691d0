use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::PictureSize;
use floe_lang::text::CivilTime;
use floe_lang::{SourceFile, parse};
use floe_plan::{Device, Precision, Target};
use floe_stdlib::{FileError, ModelFile, World};

use super::*;
use crate::{PassList, modes};

/// Files that programs use, by path.
#[derive(Default)]
struct Sources(BTreeMap<&'static str, &'static str>);

impl World for Sources {
    fn model(&self, folder: &str, name: &str) -> Result<Arc<ModelFile>, FileError> {
        Err(FileError::Outside { folder: folder.to_owned(), name: name.to_owned() })
    }

    fn picture(&self, name: &str) -> Result<PictureSize, FileError> {
        Err(FileError::Outside { folder: "input".to_owned(), name: name.to_owned() })
    }

    fn source(&self, path: &str) -> Result<String, FileError> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| FileError::Missing {
            folder: ".".to_owned(),
            name: path.to_owned(),
            available: self.0.keys().map(|name| (*name).to_owned()).collect(),
            searched: vec![".".to_owned()],
        })
    }
}

fn options(params: &[(&str, &str)]) -> Options {
    let now = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    Options {
        passes: PassList::all(),
        target: Target { device: Device::Cpu, memory: None, precision: Precision::F32 },
        params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        binding: Binding { pick: Pick::First, ..Binding::at(now, 7) },
        to_run: true,
    }
}

#[track_caller]
fn evaluated(source: &str, params: &[(&str, &str)], files: &Sources) -> Evaluated {
    let parsed = parse(&SourceFile::new("test.flow", source));
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    evaluate(&parsed.ast, &options(params), files, Judge::Types)
}

/// The flat program of a source without errors; what is only looked at is left out.
#[track_caller]
fn flat(source: &str) -> String {
    flat_with(source, &[], &Sources::default())
}

#[track_caller]
fn flat_with(source: &str, params: &[(&str, &str)], files: &Sources) -> String {
    let Evaluated { mut flat, found, .. } = evaluated(source, params, files);
    assert_eq!(found.errors, []);
    modes::apply(&mut flat);
    let text = flat.to_string();
    text.lines().filter(|line| !line.contains("= shadow ")).map(|line| line.to_owned() + "\n").collect()
}

/// The value of an expression, as it is written; lists of them share a program.
#[track_caller]
fn value(expr: &str) -> String {
    let source = format!(
        "param shown: String = \"\"\nlet x = {expr}\nSaveImage(filename_prefix: f\"{{shown}}\", images: x)\n"
    );
    let Evaluated { flat, found, .. } = evaluated(&source, &[], &Sources::default());
    match found.errors.first() {
        Some(error) => error.to_string(),
        None => flat.calls[0].args[1].value.to_string(),
    }
}

#[test]
fn scalars_are_computed() {
    for (expr, shown) in [
        ("1 + 2 * 3", "7"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("7.0 / 2", "3.5"),
        ("1 < 2 && 2.0 >= 2", "true"),
        ("false || !false", "true"),
        ("\"a\" + \"b\" == \"ab\"", "true"),
        ("[1, 2] + [3]", "[1, 2, 3]"),
        ("[1, 2, 3][1]", "2"),
        ("(1, \"a\").1", "\"a\""),
        ("{ x: 1, y: [2] }", "{ x: 1, y: [2] }"),
        ("{ x: 1 }.x", "1"),
        ("f\"{1}-{2.5}-{true}-{\"a\"}\"", "\"1-2.5-true-a\""),
        ("if 1 < 2 { \"yes\" } else { \"no\" }", "\"yes\""),
        ("for i in range(3) { i * i }", "[0, 1, 4]"),
        ("for (i, s) in enumerate([\"a\", \"b\"]) { f\"{i}{s}\" }", "[\"0a\", \"1b\"]"),
        ("[3, 1, 2].len()", "3"),
        ("\"a,b\".split(\",\").join(\"-\")", "\"a-b\""),
        ("max(1, 2.5)", "2.5"),
        ("dynamic(\"a {red|blue} house\")", "\"a red house\""),
        ("now(\"yyyy-MM-dd\")", "\"2026-01-02\""),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(value(expr), shown, "{expr}");
    }
}

#[test]
fn both_sides_are_not_needed_where_one_decides() {
    assert_eq!(value("false && 1 / 0 == 1"), "false");
    assert_eq!(value("true || 1 / 0 == 1"), "true");
}

#[test]
fn sums_of_many_terms_are_walked_in_order() {
    assert_eq!(value(&vec!["1"; 250].join(" + ")), "250");
}

#[test]
fn calls_are_named_by_what_their_results_are_bound_to() {
    insta::assert_snapshot!(flat(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let (a, b) = (ImageInvert(image), ImageInvert(ImageInvert(image)))
let many = for i in range(2) { ImageInvert(a) }
let pair = [ImageInvert(b), ImageInvert(b)]
SaveImage(many[0])
SaveImage(pair[1])
"#
    ), @r#"
    %0 = LoadImage(image: "lake.png")  // image
    %1 = ImageInvert(image: %0.0)  // a
    %2 = ImageInvert(image: %0.0)  // b.image
    %3 = ImageInvert(image: %2.0)  // b
    %4 = ImageInvert(image: %1.0)  // many.0
    %5 = ImageInvert(image: %1.0)  // many.1
    %6 = ImageInvert(image: %3.0)  // pair.0
    %7 = ImageInvert(image: %3.0)  // pair.1
    %8 = SaveImage(images: %4.0)  // SaveImage
    %9 = SaveImage(images: %7.0)  // SaveImage#2
    effects %8, %9
    "#);
}

#[test]
fn flows_are_expanded_with_the_names_of_their_uses() {
    insta::assert_snapshot!(flat(
        r#"edition 1
fn twice(image: Image, name: String = "twice") -> (once: Image, again: Image) {
    let once = ImageInvert(image)
    let again = ImageInvert(once)
    SaveImage(again, filename_prefix: name)
    (once, again)
}
fn outer(image: Image) -> Image {
    let (_, again) = twice(image, name: "inner")
    again
}
let image = LoadImage(image: "lake.png").IMAGE
let both = twice(image)
SaveImage(both.once)
SaveImage(outer(both.1))
"#
    ), @r#"
    %0 = LoadImage(image: "lake.png")  // image
    %1 = ImageInvert(image: %0.0)  // both:once
    %2 = ImageInvert(image: %1.0)  // both:again
    %3 = SaveImage(images: %2.0, filename_prefix: "twice")  // both:SaveImage
    %4 = SaveImage(images: %1.0)  // SaveImage
    %5 = ImageInvert(image: %2.0)  // SaveImage#2.images:again:once
    %6 = ImageInvert(image: %5.0)  // SaveImage#2.images:again:again
    %7 = SaveImage(images: %6.0, filename_prefix: "inner")  // SaveImage#2.images:again:SaveImage
    %8 = SaveImage(images: %6.0)  // SaveImage#2
    effects %3, %4, %7, %8
    "#);
}

#[test]
fn params_are_bound_by_text_default_or_chance() {
    let source = r#"edition 1
param steps: Int in 1..=150 = 20
param cfg: Float = 5
param method: "area" | "bicubic" = "area"
param seed: Int in 10..=12 = random
param other: Int = 3
SaveImage(LoadImage(image: "lake.png").IMAGE, filename_prefix: f"{steps} {cfg} {method} {seed >= 10 && seed <= 12}")
"#;
    let text =
        flat_with(source, &[("steps", "7"), ("method", "bicubic"), ("other", "random")], &Sources::default());
    assert!(text.contains("filename_prefix: \"7 5.0 bicubic true\""), "{text}");
    assert_eq!(text.lines().filter(|line| line.ends_with("// drawn")).count(), 2, "{text}");
    assert_eq!(
        text,
        flat_with(source, &[("steps", "7"), ("method", "bicubic"), ("other", "random")], &Sources::default())
    );
}

#[test]
fn a_param_that_is_a_picture_names_a_file() {
    insta::assert_snapshot!(flat_with(
        "edition 1\nparam picture: Image = \"lake.png\"\nSaveImage(picture)\n",
        &[("picture", "sea.png")],
        &Sources::default(),
    ), @r#"
    param picture = "sea.png"
    %0 = LoadImage(image: "sea.png")  // picture
    %1 = SaveImage(images: %0.0)  // SaveImage
    effects %1
    "#);
}

#[test]
fn dynamic_choices_and_growing_inputs_are_spread_out() {
    insta::assert_snapshot!(flat(
        r#"edition 1
let a = LoadImage(image: "a.png").IMAGE
let pictures = [a, a]
SaveImage(ResizeImageMaskNode(a, resize_type: "scale by multiplier" { multiplier: 0.5 }, scale_method: "area"))
SaveImage(BatchImagesNode(images: [a, none, ImageInvert(a)]))
SaveImage(BatchImagesNode(images: pictures))
SaveImage(BatchImagesNode(images: { image3: a }))
"#
    ), @r#"
    %0 = LoadImage(image: "a.png")  // a
    %1 = ResizeImageMaskNode(input: %0.0, resize_type: "scale by multiplier", resize_type.multiplier: 0.5, scale_method: "area")  // SaveImage.images
    %2 = SaveImage(images: %1.0)  // SaveImage
    %3 = ImageInvert(image: %0.0)  // SaveImage#2.images.images.image2
    %4 = BatchImagesNode(images.image0: %0.0, images.image2: %3.0)  // SaveImage#2.images
    %5 = SaveImage(images: %4.0)  // SaveImage#2
    %6 = BatchImagesNode(images.image0: %0.0, images.image1: %0.0)  // SaveImage#3.images
    %7 = SaveImage(images: %6.0)  // SaveImage#3
    %8 = BatchImagesNode(images.image3: %0.0)  // SaveImage#4.images
    %9 = SaveImage(images: %8.0)  // SaveImage#4
    effects %2, %5, %7, %9
    "#);
}

#[test]
fn what_is_switched_off_passes_on_or_cuts() {
    insta::assert_snapshot!(flat(
        r#"edition 1
fn grey(image: Image, strength: Float = 1.0) -> Image { ImageInvert(image) }
let a = LoadImage(image: "a.png").IMAGE
let b = @bypass ImageInvert(a)
@bypass let c = ImageInvert(b)
let d = @mute ImageInvert(c)
@bypass let e = grey(c, 0.5)
@mute SaveImage(a)
SaveImage(ImageBlend(image1: c, image2: d))
SaveImage(e)
"#
    ), @r#"
    %0 = LoadImage(image: "a.png")  // a
    %1 = @bypass ImageInvert(image: %0.0)  // b
    %2 = @bypass ImageInvert(image: %1.0)  // c
    %3 = @mute ImageInvert(image: %2.0)  // d
    %4 = @bypass grey(image: %2.0, strength: 0.5)  // e
    %5 = @mute SaveImage(images: %0.0)  // SaveImage
    %6 = ImageBlend(image1: %0.0)  // SaveImage#2.images
    %7 = SaveImage(images: %6.0)  // SaveImage#2
    %8 = SaveImage(images: %0.0)  // SaveImage#3
    effects %7, %8
    "#);
}

#[test]
fn files_and_the_library_are_used() {
    let files = Sources(BTreeMap::from([
        (
            "styles.flow",
            "use \"./sub/words.flow\"::{WORD as STYLE}\nfn oil(text: String) -> String { f\"{STYLE}, {text}\" }\nlet unused = 1\nparam p: Int\n",
        ),
        ("sub/words.flow", "const WORD = \"oil\"\n"),
    ]));
    let source = r#"edition 1
use "./styles.flow" as styles
use "./styles.flow"::{oil as oily}
use std::sampling::{sample_simple}
use std::prompt
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
let samples = sample_simple(model, clip:, prompt: styles::oil(oily("a lake")), seed: 1)
let (positive, _) = prompt::encode(clip, "x")
let images = for i in range(2) { VAEDecode(samples, vae:) }
SaveImage(std::batch(images))
"#;
    insta::assert_snapshot!(flat_with(source, &[], &files), @r#"
    %0 = CheckpointLoaderSimple(ckpt_name: "a.safetensors")  // model
    %1 = CLIPTextEncode(clip: %0.1, text: "oil, oil, a lake")  // samples:KSampler.positive
    %2 = CLIPTextEncode(clip: %0.1, text: "")  // samples:KSampler.negative
    %3 = EmptyLatentImage(width: 512, height: 512)  // samples:KSampler.latent_image
    %4 = KSampler(model: %0.0, seed: 1, steps: 20, cfg: 8.0, sampler_name: "euler", scheduler: "normal", positive: %1.0, negative: %2.0, latent_image: %3.0)  // samples:KSampler
    %5 = CLIPTextEncode(clip: %0.1, text: "x")  // positive:positive
    %6 = CLIPTextEncode(clip: %0.1, text: "")  // positive:negative
    %7 = VAEDecode(samples: %4.0, vae: %0.2)  // images.0
    %8 = VAEDecode(samples: %4.0, vae: %0.2)  // images.1
    %9 = BatchImagesNode(images.image0: %7.0, images.image1: %8.0)  // SaveImage.images:BatchImagesNode
    %10 = SaveImage(images: %9.0)  // SaveImage
    effects %10
    "#);
}

/// The same thing in a loop is said once.
#[test]
fn an_error_in_a_loop_is_one_error() {
    let Evaluated { found, .. } =
        evaluated("let x = for i in range(100) { i / 0 }\n", &[], &Sources::default());
    assert_eq!(found.errors.len(), 1);
}

#[test]
fn values_that_would_not_fit_into_memory_are_refused() {
    let lines: Vec<String> = (1..40).map(|n| format!("const A{n} = A{} + A{}\n", n - 1, n - 1)).collect();
    let doubled = format!("const A0 = [1]\n{}", lines.concat());
    let nested = doubled.replace(" + ", ", ").replace("= A", "= [A").replace('\n', "]\n").replace("]]", "]");
    let text = doubled.replace("[1]", "\"a\"");
    for source in [doubled, nested, text] {
        let Evaluated { found, .. } = evaluated(&source, &[], &Sources::default());
        assert!(!found.errors.is_empty(), "{source}");
    }
}

#[test]
fn flows_that_call_many_flows_end() {
    let lines: Vec<String> =
        (1..60).map(|n| format!("fn f{n}(x: Int) -> Int {{ f{}(x) + f{}(x) }}\n", n - 1, n - 1)).collect();
    let source = format!("fn f0(x: Int) -> Int {{ x }}\n{}let y = f59(1)\n", lines.concat());
    let Evaluated { found, .. } = evaluated(&source, &[], &Sources::default());
    assert!(
        matches!(found.errors.as_slice(), [CompileError::Eval(EvalError::StepLimit { .. })]),
        "{:?}",
        found.errors
    );
}

#[test]
fn deep_chains_of_flows_are_refused_before_the_stack_ends() {
    let lines: Vec<String> =
        (1..1000).map(|n| format!("fn f{n}(x: Int) -> Int {{ (f{}(x)) }}\n", n - 1)).collect();
    let source = format!("fn f0(x: Int) -> Int {{ x }}\n{}let y = f999(1)\n", lines.concat());
    let Evaluated { found, .. } = evaluated(&source, &[], &Sources::default());
    assert!(
        matches!(found.errors.as_slice(), [CompileError::Eval(EvalError::TooDeep { .. })]),
        "{:?}",
        found.errors
    );
}

/// What a condition guards is not evaluated, only looked at, with nothing known of its values.
#[test]
fn a_branch_that_is_guarded_raises_nothing() {
    let source = r#"
const STYLES = []
const NONE = 0
let style = if STYLES.len() > 0 { STYLES[0] } else { "none" }
let share = if NONE > 0 { 12 / NONE } else { 0 }
fn nth(list: [String], n: Int) -> String { if n < list.len() { list[n] } else { "none" } }
let third = nth(["a"], 3)
for name in STYLES { f"{name}" }
"#;
    let Evaluated { found, .. } = evaluated(source, &[], &Sources::default());
    assert_eq!(found.errors, []);
}
