//! Nodes of pictures and masks at sizes that nobody thought of: one pixel, one row, masks of another size, batches of
//! different lengths. What comes out has the planned size, and is the same with and without the compiler's passes.

use std::ops::ControlFlow;

use floe_driver::{Folders, Isa, Machine, Options, PassList, Pool, RunOptions, Source};

/// Pictures of 1x1, 7x1 and 5x6 pixels, three masks of other sizes.
const START: &str = r#"edition 1
let dot = EmptyImage(width: 1, height: 1, batch_size: 1, color: 16711935)
let row = EmptyImage(width: 7, height: 1, batch_size: 2, color: 3368652)
let some = ImagePadForOutpaint(
    EmptyImage(width: 3, height: 5, batch_size: 3, color: 8421504),
    left: 2, top: 1, right: 0, bottom: 0, feathering: 1,
).IMAGE
let point = SolidMask(value: 0.25, width: 1, height: 1)
let column = SolidMask(value: 0.75, width: 1, height: 9)
let patch = MaskComposite(
    destination: SolidMask(value: 0.0, width: 6, height: 4), source: column, x: 3, y: 2, operation: "add",
)
"#;

/// A picture of each kind in the place of `$`.
const PICTURES: [(&str, &str); 38] = [
    (r#"ImageScaleBy($, upscale_method: "lanczos", scale_by: 0.1)"#, "RGB"),
    (r#"ImageScaleBy($, upscale_method: "bicubic", scale_by: 2.5)"#, "RGB"),
    (
        r#"ImageScaleToTotalPixels($, upscale_method: "bilinear", megapixels: 0.01, resolution_steps: 8)"#,
        "RGB",
    ),
    (r#"ImageScaleToMaxDimension($, upscale_method: "area", largest_size: 0)"#, "RGB"),
    (
        r#"ResizeAndPadImage($, target_width: 3, target_height: 40, padding_color: "white", interpolation: "area")"#,
        "RGB",
    ),
    (
        r#"ResizeAndPadImage($, target_width: 1, target_height: 1, padding_color: "black", interpolation: "lanczos")"#,
        "RGB",
    ),
    (
        r#"ResizeImageMaskNode($, resize_type: "scale shorter dimension" { shorter_size: 3 }, scale_method: "bicubic")"#,
        "RGB",
    ),
    (
        r#"ResizeImageMaskNode($, resize_type: "match size" { match: patch, crop: "center" }, scale_method: "lanczos")"#,
        "RGB",
    ),
    (r#"ImageCrop($, width: 4, height: 9, x: 3, y: 2)"#, "RGB"),
    (r#"ImageCrop($, width: 4, height: 9, x: 1000, y: 1000)"#, "RGB"),
    (r#"CenterCropImages($, width: 2, height: 2)"#, "RGB"),
    (r#"ImageFlip($, flip_method: "x-axis: vertically")"#, "RGB"),
    (r#"ImageRotate(ImageRotate($, rotation: "90 degrees"), rotation: "180 degrees")"#, "RGB"),
    (r#"ImagePadForOutpaint($, left: 0, top: 3, right: 0, bottom: 0, feathering: 40).IMAGE"#, "RGB"),
    (
        r#"MaskToImage(ImagePadForOutpaint($, left: 0, top: 3, right: 0, bottom: 0, feathering: 40).MASK)"#,
        "RGB",
    ),
    (
        r#"ImageStitch($, image2: row, direction: "up", match_image_size: true, spacing_width: 3, spacing_color: "red")"#,
        "RGB",
    ),
    (
        r#"ImageStitch($, image2: some, direction: "left", match_image_size: false, spacing_width: 2, spacing_color: "white")"#,
        "RGB",
    ),
    (r#"ImageStitch($, direction: "right")"#, "RGB"),
    (
        r#"ImageStitch(JoinImageWithAlpha(dot, alpha: point), image2: $, direction: "down", match_image_size: true)"#,
        "RGBA",
    ),
    (
        r#"ImageCompositeMasked(destination: some, source: $, x: 4, y: 3, resize_source: false, mask: column)"#,
        "RGB",
    ),
    (r#"ImageCompositeMasked(destination: $, source: some, x: 1, y: 0, resize_source: true)"#, "RGB"),
    (
        r#"ImageCompositeMasked(destination: $, source: row, x: 16384, y: 16384, resize_source: false, mask: patch)"#,
        "RGB",
    ),
    (r#"JoinImageWithAlpha($, alpha: patch)"#, "RGBA"),
    (r#"SplitImageWithAlpha(JoinImageWithAlpha($, alpha: point)).IMAGE"#, "RGB"),
    (r#"ImageBlend(image1: $, image2: dot, blend_factor: 0.5, blend_mode: "soft_light")"#, "RGB"),
    (
        r#"ImageBlend(image1: JoinImageWithAlpha(dot, alpha: point), image2: $, blend_factor: 0.5, blend_mode: "overlay")"#,
        "RGBA",
    ),
    (r#"ImageBlur($, blur_radius: 31, sigma: 10.0)"#, "RGB"),
    (r#"ImageSharpen($, sharpen_radius: 3, sigma: 0.1, alpha: 5.0)"#, "RGB"),
    (r#"ImageQuantize($, colors: 1, dither: "floyd-steinberg")"#, "RGB"),
    (r#"ImageQuantize($, colors: 256, dither: "bayer-16")"#, "RGB"),
    (r#"Morphology($, operation: "top_hat", kernel_size: 999)"#, "RGB"),
    (r#"Morphology($, operation: "gradient", kernel_size: 4)"#, "RGB"),
    (r#"Canny($, low_threshold: 0.01, high_threshold: 0.99)"#, "RGB"),
    (
        r#"PorterDuffImageComposite(source: $, source_alpha: column, destination: some, destination_alpha: point, mode: "XOR").IMAGE"#,
        "RGB",
    ),
    (r#"ImageBatch(image1: $, image2: JoinImageWithAlpha(some, alpha: point))"#, "RGBA"),
    (r#"BatchImagesNode(images: [dot, $, row])"#, "RGB"),
    (r#"RepeatImageBatch(ImageFromBatch($, batch_index: -1, length: 9), amount: 2)"#, "RGB"),
    (r#"MaskToImage(ImageColorToMask($, color: 3368652))"#, "RGB"),
];

/// A mask of each kind in the place of `$`.
const MASKS: [&str; 9] = [
    "InvertMask($)",
    "ThresholdMask($, value: 0.5)",
    "FeatherMask($, left: 100, top: 1, right: 3, bottom: 100)",
    "GrowMask($, expand: 16384, tapered_corners: true)",
    "GrowMask($, expand: -3, tapered_corners: false)",
    "CropMask($, x: 0, y: 0, width: 16384, height: 1)",
    r#"MaskComposite(destination: $, source: patch, x: 9, y: 9, operation: "xor")"#,
    r#"MaskComposite(destination: patch, source: $, x: 1, y: 1, operation: "subtract")"#,
    r#"ResizeImageMaskNode($, resize_type: "scale by multiplier" { multiplier: 0.3 }, scale_method: "bilinear")"#,
];

/// Files that a program writes.
fn run(text: &str, passes: PassList) -> Vec<Vec<u8>> {
    let output = tempfile::tempdir().expect("a folder for results");
    let folders = Folders::new(Vec::new(), Vec::new(), output.path().to_path_buf());
    let options = Options { passes, ..floe_tests::options() };
    let compilation = floe_driver::compile(&Source::flow("pixels.flow", text), &folders, &options)
        .unwrap_or_else(|failure| panic!("{text}\n{:?}", failure.reports));
    let machine = Machine { pool: Pool::new(1).expect("a thread"), isa: Isa::detect() };
    let run = RunOptions { source: None, file: None, progress: &|_, _| ControlFlow::Continue(()) };
    let outputs = floe_driver::run(&compilation.compiled.plan, &machine, &folders, &run, &mut |_| {})
        .unwrap_or_else(|failure| panic!("{text}\n{failure}"));
    outputs.files.iter().map(|path| std::fs::read(path).expect("a picture was written")).collect()
}

/// Runs a program with all passes and with none.
fn check(text: &str) -> Vec<Vec<u8>> {
    let files = run(text, PassList::all());
    assert!(!files.is_empty(), "{text}");
    assert!(files == run(text, PassList::none()), "{text}\nthe passes change what comes out");
    files
}

#[test]
fn pictures_of_any_size_go_through_every_node() {
    for (node, kind) in PICTURES {
        let calls = ["dot", "row", "some"].map(|start| format!("SaveImage({})\n", node.replace('$', start)));
        let calls = calls.concat();
        for file in check(&format!("{START}{calls}")) {
            let picture = image::load_from_memory(&file).expect("a picture");
            assert_eq!(picture.color().has_alpha(), kind == "RGBA", "{node}");
        }
    }
}

#[test]
fn masks_of_any_size_go_through_every_node() {
    for node in MASKS {
        let calls = ["point", "column", "patch"]
            .map(|start| format!("SaveImage(MaskToImage({}))\n", node.replace('$', start)));
        check(&format!("{START}{}", calls.concat()));
    }
}

#[test]
fn animations_and_previews_are_files() {
    let files = check(&format!(
        "{START}SaveAnimatedPNG(some, fps: 12.0)\nSaveAnimatedWEBP(some, method: \"default\")\nPreviewImage(row)\nMaskPreview(patch)\nImageCompare(image_a: dot, compare_view: [])\n"
    ));
    let kinds: Vec<_> = files.iter().map(|file| image::guess_format(file).expect("a picture")).collect();
    use image::ImageFormat::{Png, WebP};
    assert_eq!(kinds, [Png, WebP, Png, Png, Png, Png]);
}

#[test]
fn sizes_are_values() {
    let files = check(&format!(
        "{START}let size = GetImageSize(some)\nSaveImage(EmptyImage(width: size.height, height: size.width, batch_size: 1))\n"
    ));
    let picture = image::load_from_memory(&files[0]).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (6, 5));
}
