//! What people read when a program cannot be evaluated, names what is not there, or calls something wrongly: the source
//! above, the verdict below.

use floe_tests::verdict::rejected_by;

#[test]
fn a_flow_that_calls_itself() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
fn more(image: Image) -> Image { ImageInvert(more(image)) }
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(more(image))
"##
    ));
}

/// A flow sees what is above it, so there is no circle to report.
#[test]
fn flows_that_call_one_another() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
fn a(image: Image) -> Image { b(image) }
fn b(image: Image) -> Image { a(image) }
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(b(image))
"##
    ));
}

#[test]
fn a_loop_of_a_billion_turns() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
for a in range(1000000) { for b in range(1000) { SaveImage(image, filename_prefix: f"{a}-{b}") } }
"##
    ));
}

#[test]
fn a_range_of_a_billion() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
for a in range(1000000000) { SaveImage(image, filename_prefix: f"{a}") }
"##
    ));
}

#[test]
fn a_text_that_doubles_too_often() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
const A0 = "0123456789"
const A1 = A0 + A0
const A2 = A1 + A1
const A3 = A2 + A2
const A4 = A3 + A3
const A5 = A4 + A4
const A6 = A5 + A5
const A7 = A6 + A6
const A8 = A7 + A7
const A9 = A8 + A8
const A10 = A9 + A9
const A11 = A10 + A10
const A12 = A11 + A11
const A13 = A12 + A12
const A14 = A13 + A13
const A15 = A14 + A14
const A16 = A15 + A15
const A17 = A16 + A16
const A18 = A17 + A17
const A19 = A18 + A18
const A20 = A19 + A19
const A21 = A20 + A20
const A22 = A21 + A21
const A23 = A22 + A22
const A24 = A23 + A23
const A25 = A24 + A24
const A26 = A25 + A25
const A27 = A26 + A26
const A28 = A27 + A27
const A29 = A28 + A28
const A30 = A29 + A29
const A31 = A30 + A30
SaveImage(image, filename_prefix: A31)
"##
    ));
}

#[test]
fn sums_out_of_range() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param seed: Int = 18446744073709551615
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{seed + 1} {-seed} {1e300 * 1e300} {0 - 9223372036854775807 - 2}")
"##
    ));
}

#[test]
fn divisions_by_zero() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param zero: Int = 0
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{1 / zero} {1 % zero} {1.0 / zero}")
"##
    ));
}

#[test]
fn places_that_a_list_does_not_have() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
const STYLES = ["oil", "ink"]
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: STYLES[2] + STYLES[-1] + [][0] + STYLES["oil"] + "oil"[0])
"##
    ));
}

#[test]
fn operators_between_values_they_are_not_for() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param n: Int = 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{"a" + n} {n && true} {!n} {"a" < 1} {-"a"} {[1] * 2}")
"##
    ));
}

#[test]
fn functions_with_other_arguments() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{len(3)} {clamp(1, 2)} {int("four")} {[1, 2].join()} {round("a")} {format("{}", 1, 2)} {range(0, 9, 0)} {max(a: 1)}")
"##
    ));
}

#[test]
fn a_method_that_is_none() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
const STYLES = ["oil", "ink"]
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{STYLES.length()} {STYLES.first()}")
"##
    ));
}

#[test]
fn functions_that_are_none() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
const STYLES = ["oil", "ink"]
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{lenn(STYLES)} {upper("a")}")
"##
    ));
}

#[test]
fn what_only_a_run_knows() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let (width, height) = GetImageSize(image)
let list = RebatchImages(image)
if width > 10 { SaveImage(image) }
for one in list { SaveImage(one) }
let half = width / 2
let smallest = min(width, height)
SaveImage(list[0], filename_prefix: f"{width}")
"##
    ));
}

#[test]
fn a_condition_that_a_run_computes() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
node Ask(image: Image) -> (yes: Bool)
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(if Ask(image) { image } else { ImageInvert(image) })
"##
    ));
}

#[test]
fn conditions_and_loops_over_other_things() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param n: Int = 3
let image = LoadImage(image: "lake.png").IMAGE
let a = if n { 1 } else { 2 }
let b = for i in n { i }
let (c, d) = n
assert n
assert n > 2, n
SaveImage(image)
"##
    ));
}

#[test]
fn an_assertion_with_its_message() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param count: Int = 20
assert count <= 16, f"{count} pictures do not fit one contact sheet"
assert count % 2 == 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image)
"##
    ));
}

#[test]
fn an_assertion_that_a_set_param_breaks() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow --set count=17",
        r##"edition 1
param count: Int = 4
assert count <= 16, "more than 16 pictures do not fit one contact sheet"
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image)
"##
    ));
}

#[test]
fn both_branches_are_looked_at() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param large: Bool = false
let image = LoadImage(image: "lake.png").IMAGE
let shown = if large { ImageScaleBy(image, upscale_method: "cubic", scale_by: 2) } else { ImageInvert(imag) }
SaveImage(shown)
"##
    ));
}

#[test]
fn flows_that_nobody_calls_are_looked_at() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
fn enlarge(image: Image, times: Int, smooth: Bool) -> Latent {
    let method = if smooth { "bicubics" } else { 3 }
    for i in range(times) { ImageScaleBy(image, upscale_method: "area", scale_by: times + "x") }
    ImageScaleBy(image, upscale_method: method, scale_by: times)
}
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image)
"##
    ));
}

#[test]
fn arguments_of_flows() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
fn style(text: String, strength: Float = 1.0) -> String { f"({text}:{strength})" }
let image = LoadImage(image: "lake.png").IMAGE
let a = style()
let b = style("a", 1.0, 2)
let c = style("a", strenght: 2)
let d = style("a", colour: "red")
let e = style("a", text: "b")
let f = style(image, "strong")
SaveImage(image, filename_prefix: a + b + c + d + e + f)
"##
    ));
}

#[test]
fn results_of_flows() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
fn one(image: Image) -> Latent { image }
fn two(image: Image) -> (a: Image, b: Image) { image }
fn none_at_all(image: Image) -> Image { let inverted = ImageInvert(image) }
fn effect(image: Image) { SaveImage(image) }
let image = LoadImage(image: "lake.png").IMAGE
let (a, b, c) = two(image)
SaveImage(two(image).c)
SaveImage(effect(image))
"##
    ));
}

#[test]
fn flows_do_not_see_the_program() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param strength: Float = 1.0
let image = LoadImage(image: "lake.png").IMAGE
fn more(times: Int) -> Image { ImageScaleBy(image, upscale_method: "area", scale_by: strength) }
SaveImage(more(1))
"##
    ));
}

/// A node of the library is unknown as a value, as any name.
#[test]
fn names_are_no_values() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "./styles.flow" as styles
choices Method = "area" | "bicubic"
fn style() -> String { "oil" }
let image = LoadImage
SaveImage(image, filename_prefix: f"{style} {styles} {Method}")
"##
    ));
}

#[test]
fn values_are_not_called() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "./styles.flow" as styles
const style = "oil"
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: style("a") + styles("b"))
"##
    ));
}

#[test]
fn names_given_twice() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param name: String = "a"
const STYLE = "oil"
fn STYLE() -> String { "ink" }
fn style(text: String, text: String) -> String { let STYLE = text
 STYLE }
for name in ["a"] { SaveImage(LoadImage(image: "lake.png").IMAGE, filename_prefix: name) }
"##
    ));
}

#[test]
fn modules_that_are_not_there() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use std::samplng::{sample_simple}
use "./style.flow" as styles
use "./nothing/like/it.flow" as nothing
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: styles::oil("a") + stiles::ink("b") + std::nothing("c"))
"##
    ));
}

#[test]
fn files_that_cannot_be_used() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "../styles.flow" as a
use "/etc/styles.flow" as b
use "./workflow.json" as c
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image)
"##
    ));
}

#[test]
fn files_that_use_one_another() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "./circle.flow" as circle
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image)
"##
    ));
}

#[test]
fn a_used_file_with_a_syntax_error() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "./broken.flow"::{A, B}
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{A} {B}")
"##
    ));
}

#[test]
fn a_used_file_with_a_wrong_flow() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "./wrong.flow"::{double}
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(double(image))
"##
    ));
}

#[test]
fn names_that_a_module_does_not_have() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
use "./styles.flow"::{ois, strength}
use std::sampling
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: sampling::sample("a"))
"##
    ));
}

#[test]
fn each_and_lists() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let list = RebatchImages(image)
fn inverted(image: Image) -> Image { ImageInvert(image) }
SaveImage(list)
each SaveImage(image)
each SaveImage(each inverted(list))
SaveImage([image, image])
let sizes = each GetImageSize(list)
SaveImage(ImageScale(image, upscale_method: "area", width: sizes.width, height: 64, crop: "disabled"))
"##
    ));
}

#[test]
fn inputs_that_grow() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let latent = EmptyLatentImage()
let a = BatchImagesNode(images: image)
let b = BatchImagesNode(images: [image, latent])
let c = BatchImagesNode(images: [])
let d = BatchImagesNode(images: { image0: image, picture: image })
let e = BatchImagesNode()
let f = std::batch([image, latent])
SaveImage(a)
SaveImage(b)
SaveImage(c)
SaveImage(d)
SaveImage(e)
SaveImage(f)
"##
    ));
}

#[test]
fn choices_with_inputs() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let a = ResizeImageMaskNode(image, resize_type: "scale by" { multiplier: 0.5 }, scale_method: "area")
let b = ResizeImageMaskNode(image, resize_type: "scale by multiplier" { multipler: 0.5 }, scale_method: "area")
let c = ResizeImageMaskNode(image, resize_type: "scale by multiplier" { multiplier: "half" }, scale_method: "area")
let d = ResizeImageMaskNode(image, resize_type: 3, scale_method: area)
SaveImage(a)
SaveImage(b)
SaveImage(c)
SaveImage(d)
"##
    ));
}

#[test]
fn one_type_for_several_sockets() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let latent = EmptyLatentImage()
let a = ComfySwitchNode(switch: true, on_false: image, on_true: latent)
let b = ComfySwitchNode(switch: true, on_false: latent, on_true: latent)
SaveImage(a)
SaveImage(b)
SaveImage(ResizeImageMaskNode(latent, resize_type: "scale by multiplier" { multiplier: 0.5 }, scale_method: "area"))
"##
    ));
}

#[test]
fn annotations() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
@label(3) @mutee @pos(1) @bypass(true) @id SaveImage(image)
@mute const A = 1
@label("sum") let b = 1 + 2
@label("x") for i in range(2) { SaveImage(image, filename_prefix: f"{A}{b}") }
"##
    ));
}

#[test]
fn a_muted_node_takes_its_input_away() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let inverted = @mute ImageInvert(image)
SaveImage(inverted)
"##
    ));
}

#[test]
fn nodes_in_constants() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
param picture: String = LoadImage(image: "lake.png").IMAGE
const IMAGE = LoadImage(image: "lake.png").IMAGE
SaveImage(IMAGE, filename_prefix: picture)
"##
    ));
}

#[test]
fn constants_and_params_of_other_types() {
    insta::assert_snapshot!(rejected_by(
        "floe check program.flow",
        r##"edition 1
const STRENGTH: Float = "strong"
param model: Model
param method: "area" | "bicubic" = "areas"
param seed: Float = random
param limit: Int in 1..=5 = 2 * 3
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(image, filename_prefix: f"{STRENGTH} {method} {seed} {limit}")
"##
    ));
}

#[test]
fn what_comfyui_has_no_word_for() {
    insta::assert_snapshot!(rejected_by(
        "floe export program.flow --format api",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage([image, ImageInvert(image)])
SaveImage(LoadImage(image: "lake.png"))
each SaveImage([image])
SaveImage(image, filename_prefix: { name: image })
SaveImage(image, filename_prefix: ("a", 1))
"##
    ));
}

#[test]
fn export_evaluates_and_judges_no_types() {
    insta::assert_snapshot!(rejected_by(
        "floe export program.flow --format api",
        r##"edition 1
let image = LoadImage(image: "lake.png").IMAGE
fn half(n: Int) -> Int { n / 0 }
SaveImage(image, filename_prefix: f"{half("a")} {half(2)}")
"##
    ));
}
