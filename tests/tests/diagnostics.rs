//! What people read when a program is wrong: the source above, the verdict below, as on a terminal of 80 columns.

use floe_tests::verdict::{rejected, rejected_by, verdict, warned};
use floe_tests::world::TestWorld;
use floe_tests::{compile, options};

/// A whole program around the arguments of its sampler.
fn sampling(arguments: &str) -> String {
    format!(
        r#"edition 1

let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let empty = CLIPTextEncode(clip, text: "")
let lake = CLIPTextEncode(clip, text: "a calm lake")
let start = EmptyLatentImage(width: 192, height: 128)
let samples = KSampler(
    model, {arguments},
    positive: lake, negative: empty, latent_image: start,
)
SaveImage(VAEDecode(samples, vae:))
"#
    )
}

/// A whole program around the name of its checkpoint.
fn painting(file: &str) -> String {
    sampling(r#"sampler_name: "euler", scheduler: "normal""#).replace("demo-sd1.safetensors", file)
}

// ---- names

#[test]
fn a_misspelt_node() {
    insta::assert_snapshot!(rejected(
        "edition 1\nSaveImage(ImageInverted(LoadImage(image: \"lake.png\").IMAGE))\n"
    ));
}

#[test]
fn a_node_that_resembles_none() {
    insta::assert_snapshot!(rejected(
        "edition 1\nSaveImage(UltimateSDUpscale(LoadImage(image: \"lake.png\").IMAGE))\n"
    ));
}

#[test]
fn a_misspelt_input() {
    insta::assert_snapshot!(rejected(&sampling(r#"sampler_nam: "euler", scheduler: "normal""#)));
}

#[test]
fn a_misspelt_input_does_not_hide_a_missing_one() {
    insta::assert_snapshot!(rejected(&sampling(r#"sampler: "euler", sampler_nam: "euler""#)));
}

#[test]
fn a_missing_input() {
    insta::assert_snapshot!(rejected(&sampling(r#"sampler_name: "euler""#)));
}

#[test]
fn missing_inputs_are_one_message() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let (model, _, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
SaveImage(VAEDecode(KSampler(model, latent_image: EmptyLatentImage()), vae:))
"#
    ));
}

#[test]
fn an_input_given_twice() {
    insta::assert_snapshot!(rejected(&sampling(
        r#"steps: 20, steps: 30, sampler_name: "euler", scheduler: "normal""#
    )));
}

#[test]
fn a_second_positional_argument() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let vae = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors").VAE
SaveImage(VAEDecode(VAEEncode(LoadImage(image: "lake.png").IMAGE, vae), vae:))
"#
    ));
}

#[test]
fn positional_arguments_that_say_nothing() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
SaveImage(ImageScale(LoadImage(image: "lake.png").IMAGE, "area", 96, 64, "disabled"))
"#
    ));
}

#[test]
fn an_unknown_name() {
    insta::assert_snapshot!(rejected(
        "edition 1\nlet lake = LoadImage(image: \"lake.png\").IMAGE\nSaveImage(ImageInvert(laek))\n"
    ));
}

#[test]
fn a_name_used_before_it_is_defined() {
    insta::assert_snapshot!(rejected(
        "edition 1\nSaveImage(negative)\nlet negative = ImageInvert(LoadImage(image: \"lake.png\").IMAGE)\n"
    ));
}

#[test]
fn text_without_quotes() {
    insta::assert_snapshot!(rejected(&sampling(r#"sampler_name: euler, scheduler: "normal""#)));
}

/// Which of the two is meant further down is not known, so nothing is said about that.
#[test]
fn a_name_defined_twice() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let vae = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors").VAE
let image = LoadImage(image: "lake.png").IMAGE
let image = VAEEncode(image, vae:)
SaveImage(VAEDecode(image, vae:))
"#
    ));
}

#[test]
fn an_unknown_output() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let loaded = LoadImage(image: "lake.png")
SaveImage(loaded.image)
SaveImage(loaded.3)
SaveImage(ImageInvert(loaded.IMAGE).PICTURE)
"#
    ));
}

#[test]
fn more_names_than_outputs() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let (image, mask, alpha, _) = LoadImage(image: "lake.png")
SaveImage(image)
"#
    ));
}

// ---- types

#[test]
fn a_latent_where_an_image_is_wanted() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
SaveImage(EmptyLatentImage(width: 192, height: 128), filename_prefix: "lake")
"#
    ));
}

#[test]
fn text_where_a_conditioning_is_wanted() {
    insta::assert_snapshot!(rejected(
        &sampling(r#"sampler_name: "euler", scheduler: "normal""#)
            .replace("positive: lake", r#"positive: "a calm lake""#)
    ));
}

#[test]
fn three_outputs_where_one_is_wanted() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let loaded = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let latent = VAEEncode(LoadImage(image: "lake.png").IMAGE, vae: loaded)
SaveImage(VAEDecode(latent, vae: loaded.VAE))
"#
    ));
}

#[test]
fn scalars_of_other_types() {
    insta::assert_snapshot!(rejected(&sampling(
        r#"steps: 20.5, seed: "42", cfg: true, sampler_name: 3, scheduler: none"#
    )));
}

#[test]
fn a_file_name_where_a_model_is_wanted() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
SaveImage(VAEDecode(EmptyLatentImage(), vae: "demo-sd1.safetensors"))
"#
    ));
}

#[test]
fn params_of_the_wrong_type() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
param steps: Int = "twenty"
param picture: Image
param name: String in 1..=5 = "lake"
SaveImage(LoadImage(image: "lake.png").IMAGE, filename_prefix: f"{steps}-{name}")
"#
    ));
}

#[test]
fn a_list_and_a_picture_in_places_for_scalars() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage([image, image], filename_prefix: f"lake-{image}")
"#
    ));
}

// ---- values

#[test]
fn a_number_out_of_range() {
    insta::assert_snapshot!(rejected(&sampling(
        r#"steps: 0, cfg: 250, sampler_name: "euler", scheduler: "normal""#
    )));
}

#[test]
fn a_param_beyond_the_range_of_the_input_it_feeds() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
param width: Int = 20000
SaveImage(ImageScale(LoadImage(image: "lake.png").IMAGE, upscale_method: "area", width:, crop: "disabled"))
"#
    ));
}

#[test]
fn a_misspelt_choice() {
    insta::assert_snapshot!(rejected(&sampling(r#"sampler_name: "euler", scheduler: "karas""#)));
}

#[test]
fn not_one_of_few_choices() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(ImageScale(image, upscale_method: "area", crop: "left"))
"#
    ));
}

#[test]
fn not_one_of_many_choices() {
    insta::assert_snapshot!(rejected(&sampling(r#"sampler_name: "best", scheduler: "normal""#)));
}

#[test]
fn an_embedding_without_a_name() {
    insta::assert_snapshot!(rejected(
        &painting("demo-sd1.safetensors").replace("a calm lake", "a calm lake, embedding:")
    ));
}

// ---- files

#[test]
fn a_misspelt_file() {
    insta::assert_snapshot!(rejected(&painting("demo-sd15.safetensors")));
}

#[test]
fn a_file_that_resembles_none() {
    insta::assert_snapshot!(rejected(
        "edition 1\nSaveImage(LoadImage(image: \"holiday/beach.jpg\").IMAGE)\n"
    ));
}

#[test]
fn a_file_where_no_folder_is_searched() {
    let source = painting("demo-sd1.safetensors");
    let outcome = compile(&source, &options(), &TestWorld::without_folders());
    insta::assert_snapshot!(verdict(&source, None, &outcome));
}

#[test]
fn a_file_outside_of_its_folder() {
    insta::assert_snapshot!(rejected(&painting("../secret.safetensors")));
}

#[test]
fn a_download_that_stopped() {
    insta::assert_snapshot!(rejected(&painting("half-downloaded.safetensors")));
}

#[test]
fn a_lora_given_as_a_checkpoint() {
    insta::assert_snapshot!(rejected(&painting("demo-lora.safetensors")));
}

#[test]
fn a_checkpoint_without_the_part_that_is_used() {
    insta::assert_snapshot!(rejected(&painting("no-vae.safetensors")));
}

#[test]
fn a_text_that_calls_itself_a_picture() {
    insta::assert_snapshot!(rejected("edition 1\nSaveImage(LoadImage(image: \"notes.png\").IMAGE)\n"));
}

// ---- what does not fit

#[test]
fn a_prompt_encoded_for_another_model() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let (model, _, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let (_, clip) = CheckpointLoaderSimple(ckpt_name: "wide-sd1.safetensors")
let samples = KSampler(
    model, sampler_name: "euler", scheduler: "normal",
    positive: CLIPTextEncode(clip, text: "a calm lake"), negative: CLIPTextEncode(clip, text: ""),
    latent_image: EmptyLatentImage(),
)
SaveImage(VAEDecode(samples, vae:))
"#
    ));
}

#[test]
fn a_latent_with_other_channels_than_the_vae() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let (_, _, vae) = CheckpointLoaderSimple(ckpt_name: "sixteen-sd1.safetensors")
SaveImage(VAEDecode(EmptyLatentImage(width: 192, height: 128), vae:))
"#
    ));
}

#[test]
fn a_latent_with_other_channels_than_the_model() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let (model, clip, _) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let (_, _, vae) = CheckpointLoaderSimple(ckpt_name: "sixteen-sd1.safetensors")
let empty = CLIPTextEncode(clip, text: "")
let samples = KSampler(
    model, sampler_name: "euler", scheduler: "normal", positive: empty, negative: empty,
    latent_image: VAEEncode(LoadImage(image: "lake.png").IMAGE, vae:),
)
SaveImage(VAEDecode(samples, vae:))
"#
    ));
}

#[test]
fn a_picture_smaller_than_a_latent_pixel() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let vae = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors").VAE
SaveImage(VAEDecode(VAEEncode(LoadImage(image: "icon.png").IMAGE, vae:), vae:))
"#
    ));
}

#[test]
fn a_family_that_is_known_by_name_only() {
    insta::assert_snapshot!(rejected(&painting("flux.safetensors")));
}

/// What a check says of a program that is right.
fn examined(source: &str) -> String {
    let outcome = floe_tests::check(source, &options(), &TestWorld::new());
    assert!(outcome.errors.is_empty() && !outcome.warnings.is_empty(), "{}", outcome.report);
    verdict(source, Some("floe check"), &outcome)
}

#[test]
fn classes_of_packs_are_named_once_each() {
    insta::assert_snapshot!(examined(
        r#"edition 1

let grainy = FilmGrain(LoadImage(image: "lake.png").IMAGE)
SaveImage(FilmGrain(Vignette(grainy)))
SaveImage(Relight(grainy))
@mute ShowText(grainy)

@pack("comfyui-film-grain")
node FilmGrain(image: Image) -> (image: Image)
node Vignette(image: Image) -> (image: Image)
@pack("comfy-core")
node Relight(image: Image) -> (image: Image)
@pack("comfyui-show") @output
node ShowText(image: Image)
"#
    ));
}

#[test]
fn a_declaration_in_a_program() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
node Sharpen(image: Image) -> (IMAGE: Image)
SaveImage(Sharpen(LoadImage(image: "lake.png").IMAGE))
"#
    ));
}

// ---- params and targets

const SETTABLE: &str = r#"edition 1
param steps: Int in 1..=150 = 20
param prefix: String in ["lake", "sea"] = "lake"
SaveImage(LoadImage(image: "lake.png").IMAGE, filename_prefix: f"{prefix}-{steps}")
"#;

#[test]
fn an_unknown_param() {
    insta::assert_snapshot!(rejected_by("floe plan program.flow --set step=30 --set seed=1", SETTABLE));
}

#[test]
fn a_param_where_there_is_none() {
    insta::assert_snapshot!(rejected_by(
        "floe plan program.flow --set steps=30",
        "edition 1\nSaveImage(LoadImage(image: \"lake.png\").IMAGE)\n"
    ));
}

#[test]
fn a_value_that_is_no_number() {
    insta::assert_snapshot!(rejected_by("floe plan program.flow --set steps=many", SETTABLE));
}

#[test]
fn values_that_the_params_refuse() {
    insta::assert_snapshot!(rejected_by("floe plan program.flow --set steps=500 --set prefix=see", SETTABLE));
}

#[test]
fn a_param_without_a_value() {
    insta::assert_snapshot!(rejected(
        "edition 1\nparam picture: String\nSaveImage(LoadImage(image: picture).IMAGE)\n"
    ));
}

#[test]
fn too_little_memory() {
    let command = "floe plan program.flow --memory 1MiB";
    insta::assert_snapshot!(rejected_by(command, &painting("demo-sd1.safetensors")));
}

// ---- whole programs

#[test]
fn nothing_is_written() {
    insta::assert_snapshot!(rejected(
        "edition 1\nlet image = LoadImage(image: \"lake.png\").IMAGE\nImageInvert(image)\n"
    ));
}

#[test]
fn an_edition_of_the_future() {
    insta::assert_snapshot!(rejected("edition 12\nSaveImage(LoadImage(image: \"lake.png\").IMAGE)\n"));
}

/// What a damaged statement defines is missing further down: only the damage is reported.
#[test]
fn syntax_errors_come_before_everything_else() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImage(image "lake.png").IMAGE
let negative = ImagInvert(image)
SaveImage(negative, filename_prefix: "lake)
"#
    ));
}

/// Every mistake once, none of what follows from it.
#[test]
fn many_mistakes_at_once() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
param steps: Int in 1..=150 = 200
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensor")
let lake = CLIPTextEncode(clip, txt: "a calm lake")
let empty = ClipTextEncode(clip, text: "")
let samples = KSampler(
    modle, steps:, cfg: "five", sampler_name: "euler", scheduler: "normal",
    positive: lake, negative: empty, latent_image: EmptyLatentImage(width: 8, height: 128),
)
let picture = VAEDecode(samples, vae:)
SaveImage(picture, filename_prefix: f"lake-{seed}")
"#
    ));
}

#[test]
fn one_mistake_is_not_repeated_by_what_depends_on_it() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImag(image: "lake.png").IMAGE
let small = ImageScale(image, upscale_method: "area", width: 96, height: 64, crop: "disabled")
let negative = ImageInvert(small)
SaveImage(negative, filename_prefix: f"{image}")
SaveImage(small)
"#
    ));
}

// ---- pictures and masks

#[test]
fn batches_that_do_not_go_together() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let two = EmptyImage(width: 64, height: 64, batch_size: 2)
let three = EmptyImage(width: 64, height: 64, batch_size: 3)
SaveImage(ImageBlend(image1: two, image2: three, blend_factor: 0.5, blend_mode: "screen"))
"#
    ));
}

#[test]
fn a_section_outside_of_a_mask() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let mask = SolidMask(value: 1.0, width: 64, height: 48)
SaveImage(MaskToImage(CropMask(mask, x: 10, y: 48, width: 20, height: 20)))
"#
    ));
}

#[test]
fn alpha_of_a_picture_that_has_none() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(MaskToImage(ImageToMask(image, channel: "alpha")))
"#
    ));
}

#[test]
fn a_picture_with_alpha_over_one_without() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let (image, mask) = LoadImage(image: "lake.png")
SaveImage(PorterDuffImageComposite(
    source: JoinImageWithAlpha(image, alpha: mask), source_alpha: mask,
    destination: image, destination_alpha: mask, mode: "SRC_OVER",
).IMAGE)
"#
    ));
}

#[test]
fn an_animation_with_losses() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
SaveAnimatedWEBP(EmptyImage(batch_size: 3), lossless: false, method: "default")
"#
    ));
}

#[test]
fn a_list_through_a_switch_where_one_value_is_wanted() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let width = ComfySwitchNode(switch: false, on_true: [64], on_false: [128])
SaveImage(ImageScale(image, upscale_method: "area", width:, height: 64, crop: "disabled"))
"#
    ));
}

#[test]
fn pictures_through_a_switch_where_one_picture_is_wanted() {
    insta::assert_snapshot!(rejected(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(ComfySwitchNode(switch: true, on_true: [image, image], on_false: [image]))
"#
    ));
}

// ---- warnings

#[test]
fn names_that_are_not_used() {
    insta::assert_snapshot!(warned(
        r#"edition 1
let (image, mask) = LoadImage(image: "lake.png")
let negative = ImageInvert(image)
let _later = ImageInvert(image)
let colour = "red"
SaveImage(image)
"#
    ));
}

#[test]
fn a_call_for_nothing_and_an_extra_input() {
    insta::assert_snapshot!(warned(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
ImageInvert(image)
SaveImage(image, quality: 95)
"#
    ));
}

#[test]
fn no_edition() {
    insta::assert_snapshot!(warned("SaveImage(LoadImage(image: \"lake.png\").IMAGE)\n"));
}
