//! What programs look like: the source, and what becomes of it.

use super::{format, parsed};

/// A program before and after; formatting it again must change nothing.
#[track_caller]
fn shown(source: &str) -> String {
    let text = format(&parsed(source));
    assert_eq!(format(&parsed(&text)), text, "a second time");
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    format!("---- source\n{source}\n---- formatted, longest line {longest}\n{text}")
}

macro_rules! look {
    ($($name:ident: $source:expr)*) => {
        $(#[test] fn $name() { insta::assert_snapshot!(shown($source)); })*
    };
}

look! {
calls_fit_or_have_a_line_for_each_argument_that_is_no_scalar: r#"
let a = CheckpointLoaderSimple( ckpt_name : "demo-sd1.safetensors" , )
let samples = KSampler(model, seed: seed, steps: steps, cfg: 5.0, sampler_name: "euler", scheduler: "normal", positive: CLIPTextEncode(clip, text: prompt), negative: CLIPTextEncode(clip, text: ""), latent_image: EmptyLatentImage(width: width, height: height, batch_size: 1), denoise: 1.0)
SaveImage(VAEDecode(samples, vae: vae), filename_prefix: f"lake-{seed}")
PreviewImage(VAEDecode(KSampler(model, seed:, steps: 20, cfg: 5.0, sampler_name: "euler", scheduler: "normal", positive:, negative:, latent_image:)))
let many = Node(model, `choose file to upload`: "image", longer_name_of_an_input_than_others: "with a value that is long as well", x: -1, y: width / 2, z: loaded.MODEL, list: [1, 2, 3])
let merged = each ImageScaleBy(@id("5:31") GetVideoComponents(video, with_a_long_argument: 12345678901234567).frames, upscale_method: "area")
"#

numbers_are_canonical: r#"
const N = [1_000, 007, -0, 18446744073709551615, 1e3, 1.50, 2.0e-7, -1_0.5, 1e300, 0.1]
const M = [100000000, 200000000, 300000000, 400000000, 500000000, 600000000, 700000000, 800000000, 900000000, 1000000000]
"#

strings_take_their_shortest_form: r####"
const A = ["plain", "a \"quote\"", "{\"json\": [\"a\", \"b\"], \"c\": \"d\"}", "(word:1.2) \( {a|b}", "\u{7}\t\\n", "ends in \\", ", \n", "\n\n"]
const B = "first line\nsecond line"
const C = "trailing blank \nwould be cut"
const D = "    all lines\n    are indented"
const E = """
   kept as it is,
     with its indent

   and \n no escapes "at all"
"""
const F = f"plain {a}, {{braces}}, \"quotes\" {b + 1} and \u{7}"
const G = f"first {a}\nsecond {{{b}}} {if c { "x" } else { "y" }}"
const H = f"{ { x: 1 } } {[1, 2][0]}"
param text: String = "a prompt that is far too long for its line, and that stays on it, because a string is one thing to read"
let encoded = CLIPTextEncode(clip, text: "a prompt\nof two lines")
let picked = dynamic("a {red|blue}\nhouse")
"####

if_and_for: r#"
let latent = if hires { refine(model, first: first) } else { first }
let one = if a { 1 } else if b { 2 } else { 3 }
let long = if condition_with_a_long_name && another_condition { first_alternative(with, 1) } else { second(alternative) }
let pictures = for s in SEEDS { render(model, clip: clip, vae: vae, prompt: styles::oil("a lighthouse"), seed: s) }
for (i, name) in enumerate(["oil", "ink"]) { SaveImage(render(name), filename_prefix: f"{i}-{name}") }
for a in as { for b in bs { SaveImage(render(a, b)) } }
if save { SaveImage(x) }
let n = (if a { 1 } else { 2 }) + 1
let e = if a {} else {
}
"#

operators: r#"
let a = (1 + 2) * 3 - (4 - (5 - 6)) / (7 * 8) % 9
let b = !(a == 1) && (b || c) && !d || -(x + y) > -5 && (a < b) == (c < d)
let c = (((redundant))) + -(-5) + (-x).abs() + (5).max(2) + (a + b).len()
let long = first_operand_with_a_long_name + second_operand_with_a_long_name * (third_operand + fourth) - fifth_operand
let call = f(width: first_operand_with_a_long_name + second_operand_with_a_long_name * third_operand_of_it)
assert first_operand_with_a_long_name == second_operand_with_a_long_name || third_operand, "and so on"
let chain = names.split(",").join("; ").replace("something that is quite long", "something else that is long").len()
let short = xs.len().max(3)[0].field.1
"#

declarations: r#"
type ClipVision = "CLIP_VISION"
choices Small = | "a" | "b"
choices Resize = "nearest-exact" | "bilinear" | "area" | "bicubic" | "lanczos" | "another-method" | "and-one-more" | 1 | 2
/// Docs.
@category("sampling") @deprecated node Short(a: Image, b: Mask?) -> (IMAGE: Image)
@category("a/long/category/of/nodes") @display("A title that is long enough to need a line") @output @takes_lists
node ResizeImageMaskNode(
    input: Match<"input_type", Image | Mask>,
    /// How.
    /// Two lines.
    resize_type: "scale dimensions" { width: Int in 0..=16384 = 512 @step(1), height: Int in 0..=16384 = 512, crop: "disabled" | "center" = "center" } | "scale by multiplier" { multiplier: Float in 0.01..=8.0 = 1.0 } | "keep" {},
    scale_method: "nearest-exact" | "bilinear" | "area" | "bicubic" | "lanczos" | "some-other-method" | "another" = "area", images: [Image] @grow("image", min: 1, max: 50), hidden prompt: Prompt,
    file: File<"vae"> | "pixel_space", value: (Int | Float)? = 1) -> (resized: Match<"input_type">, /// Docs of an output.
    list: [Image])
node Output(image: Image)
node ManyOutputs(a: Int) -> (first_output: Conditioning, second_output: Conditioning, third_output: Latent, d: Int)
param sampler: String in ["euler", "heun", "dpmpp_2m", "dpmpp_2m_sde", "euler_ancestral", "ddim", "uni_pc", "lcm"] = "euler"
"#

flows_and_modules: r#"
use std::sampling
use std::sampling::{sample_simple,  refine as  again,}
use "./styles.flow" as styles
use "./render.flow"::{render, alpha, beta, gamma as delta, epsilon, zeta, eta, theta, iota, kappa}
fn empty() {}
fn short(p: String) -> String { f"oil, {p}" }
fn render(model: Model, clip: Clip, vae: Vae, prompt: String, seed: Int, hires: Bool = false) -> Image { VAEDecode(latent, vae: vae) }
fn many(
    /// What to paint.
    prompt: String, seed: Int = 1) -> (image: Image, mask: Mask) {

    const N = 2

    let (image, _, mask) = f(prompt)
    assert N > 1
    (image, mask)

}
fn effects() -> () { SaveImage(x) }
"#

annotations: r#"
@label("contact sheet") SaveImage(std::batch(pictures), filename_prefix: "sheet")
@mute let (a, b) = f(1)
@label("contact sheet with a longer name") @id("5:31") @pos(100, 200) SaveImage(std::batch(pictures), filename_prefix: "sheet")
@nocache
@device("cuda:1") let samples = KSampler(model, seed:, steps: 20, cfg: 5.0, sampler_name: "euler", scheduler: "normal")
let detailed = @bypass LoraLoaderModelOnly(model, lora_name: "detail.safetensors", strength_model: 0.8)
@mute() (a.b).c()
f(@mute each @id("1") g(x))
@widgets([1, "a", { x: 1, y: [2, 3] }]) Unknown(image)
"#

names_in_backticks: r#"
let `größe` = `Image Resize (rgthree)`(`image`, `choose file to upload`: "a", `plain`: 1, seed: `seed`, `a b`: `a b`)
let `let` = `if`.`if` + `node`
`node`(x)
`in`.f()
let x = std::`mix up`(a)
param `none`: `A,B` = 1
"#

remarks_stay_at_their_places: r#"
// at the top
//! Docs.
// before the edition
edition 1 // behind it

// a group


// another
/// docs
// between docs and statement
param a: Int = 1 // behind
@label("x") // behind an annotation
// below it
let b = f( // behind the parenthesis
    x, // behind x
    // above y
    y: 1 // behind y
    // at the end
) // behind the call
let c = [ // none
]
let d = 1 + // one
    2 // two
    + 3
let e = // value
    g(x)
let f = xs // xs
    .len() // len
fn g( // params
    a: Int, // a
    // b
    b: Int
) -> Image { // body
    // first

    // second
    let x = 1 // x

    x // value

    // end
}
let h = if a { // then
    b
} // after then
else { // otherwise
    // c
    c
}
choices I = "a" | // a
    // b
    "b"
node J(
    // above
    a: Int, // behind a
    /// docs
    // between
    b: "x" | // x
       "y" = "x" @step(1) // behind b
) -> ( // outputs
    c: Int // c
)
assert ( // odd
    a
), "message"
// the end

// after the end
"#

only_remarks: "\n\n// a\n\n\n// b\n\n"

only_docs: "//! Docs.\n//!\n//!  indented\n"

lists: r#"
let a = [f(1), g(2)]
let b = [a_function(with, 1), another_function(with, 2), and_one_more_function(with, 3), the_last(one, 4)]
let c = { x: 0, y: 0, width: 512 }
let d = { description: "a text that is rather long for a line", width: 512, height: 512, x: 0, y: 0, z: [1, 2] }
let (first_output_of_it, second_output_of_it, _, third_output_of_it, _, fourth_output_of_it) = split_image(image)
let e = [[1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1]]
let f = [("oil", 3), ("ink", 4)]
let g = BatchImagesNode(images: [first_picture_of_the_batch, second_picture_of_the_batch, third_picture_of_it])
let h = BatchImagesNode(images: { image0: first_picture_of_the_batch, image2: second_picture_of_the_batch, image3: x })
let i = []
let j = {}
"#
}

#[test]
fn line_ends_and_marks_of_other_systems_go() {
    let text = format(&parsed("\u{feff}let a = 1\r\n\r\nlet b = \"\"\"\r\n  x\r\n  y\r\n  \"\"\"\r\n"));
    assert_eq!(text, "let a = 1\n\nlet b = \"\"\"\n    x\n    y\n    \"\"\"\n");
}
