//! Programs as ComfyUI's server takes them: the program above, the prompt below.

use floe_tests::world::TestWorld;
use floe_tests::{export, options};

#[track_caller]
fn exported(source: &str) -> String {
    let (text, outcome) = export(source, &options(), &TestWorld::new());
    let text = text.unwrap_or_else(|| panic!("{}", outcome.report));
    format!("---- program\n{source}---- prompt\n{text}")
}

#[test]
fn every_default_is_spelled_out() {
    insta::assert_snapshot!(exported(
        r#"edition 1
param seed: Int = 18446744073709551615
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let samples = KSampler(
    model, seed:, sampler_name: "euler", scheduler: "normal",
    positive: CLIPTextEncode(clip, text: "a lake"), negative: CLIPTextEncode(clip, text: ""),
    latent_image: EmptyLatentImage(),
)
@label("the lake") SaveImage(VAEDecode(samples, vae:))
"#
    ));
}

#[test]
fn values_keep_what_they_are() {
    insta::assert_snapshot!(exported(
        r#"edition 1
node Odd(
    any: Any?,
    list: Any = [1, 2],
    place: Any = { x: 0 },
) -> (out: Any)
Odd(any: float("nan"), list: [0.5, "a\n", true, none], place: { x: -1, y: [1] }, `more.of it`: none)
let a = Odd(any: "20", unknown: float("-inf"))
Odd(any: a)
"#
    ));
}

#[test]
fn dynamic_choices_and_growing_inputs_have_names_with_points() {
    insta::assert_snapshot!(exported(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let small = ResizeImageMaskNode(image, resize_type: "scale dimensions" { width: 64 }, scale_method: "area")
SaveImage(BatchImagesNode(images: { image0: image, image2: small }))
"#
    ));
}

#[test]
fn ids_are_those_given_else_names() {
    insta::assert_snapshot!(exported(
        r#"edition 1
fn negative(image: Image) -> Image {
    @id("31") let first = ImageInvert(image)
    ImageInvert(first)
}
let image = LoadImage(image: "lake.png").IMAGE
@id("5") let one = negative(image)
let two = negative(one)
for picture in [one, two] { SaveImage(picture) }
"#
    ));
}

/// `each` is how ComfyUI treats lists anyway; what is switched off is not sent.
#[test]
fn each_mute_and_bypass_leave_no_trace() {
    insta::assert_snapshot!(exported(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let list = each ImageInvert(RebatchImages(image))
each SaveImage(@bypass ImageInvert(list))
@mute SaveImage(image)
"#
    ));
}

/// The same program gives the same text; another line does not move the ids of the others.
#[test]
fn ids_stay_when_other_lines_change() {
    let source =
        "edition 1\nlet image = LoadImage(image: \"lake.png\").IMAGE\nSaveImage(ImageInvert(image))\n";
    let before = exported(source);
    assert_eq!(before, exported(source));
    let more = source.replace("SaveImage", "let other = ImageInvert(image)\nSaveImage");
    let (_, after) =
        exported(&more).split_once("---- prompt").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for id in ["\"image\"", "\"SaveImage\"", "\"SaveImage.images\"", "\"other\""] {
        assert!(after.contains(id), "{after}");
    }
}
