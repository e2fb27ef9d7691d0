//! Networks against the reference implementation, one by one: U-Nets of all families, text and vision encoders,
//! ControlNets, adapters, tiny autoencoder, upscalers; and their options against what they mean.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

mod preprocess;
mod run;
mod sampled;
mod text;
mod unet;

use std::collections::BTreeMap;

use floe_formats::Role;
use floe_nets::{ProgramSpec, Real};
use floe_testing::{assert_close, shared, tensors, tolerance};
use run::{Given, case, network, nhwc};

/// ControlNet's hint, channels last.
fn control(name: &'static str, recipe: &str) {
    let case = case(name);
    let [batch, _, height, width] = case.shape("x");
    let tokens = case.given["context"].0[1];
    let network = network(recipe, Role::ControlNet);
    let program = network.program(ProgramSpec::ControlNet { batch, height, width, tokens });
    let mut inputs = case.inputs();
    inputs.insert("hint", Given::F32(nhwc(&case.given["hint"].1, case.shape("hint"))));
    let got = network.run(program, &inputs);
    assert_eq!(got.len(), case.expected.len());
    for (port, value) in &got {
        let name = match port.strip_prefix("control.").unwrap() {
            "middle" => "middle.0".to_owned(),
            block => format!("output.{block}"),
        };
        case.check(&name, value);
    }
}

#[test]
fn controlnets_of_stable_diffusion_1_are_the_references() {
    control("controlnet_control-sd15-diffusers-tiny", "control-sd15-diffusers-tiny");
}

#[test]
fn controlnets_of_stable_diffusion_xl_are_the_references() {
    control("controlnet_control-sdxl-diffusers-tiny", "control-sdxl-diffusers-tiny");
}

/// The reference lists features from the last block to the first, of which there are twelve.
#[test]
fn adapters_are_the_references() {
    let case = case("t2iadapter_sd15");
    let [batch, _, height, width] = case.shape("hint");
    let network = network("t2iadapter-sd15-tiny", Role::T2iAdapter);
    let program = network.program(ProgramSpec::T2iAdapter { batch, height, width });
    let hint = Given::F32(nhwc(&case.given["hint"].1, case.shape("hint")));
    let got = network.run(program, &BTreeMap::from([("hint", hint)]));
    assert_eq!(got.len(), case.expected.len());
    for (port, value) in &got {
        let block: usize = port.strip_prefix("adapter.").unwrap().parse().unwrap();
        case.check(&format!("input.{}", 11 - block), value);
    }
}

#[test]
fn the_tiny_autoencoder_is_the_references() {
    let case = case("vae_taesd");
    let scale = Real::new(0.18215).unwrap();
    let [batch, _, height, width] = case.shape("z");
    let decoder = network("taesd_decoder", Role::TaesdDecoder);
    let program = decoder.program(ProgramSpec::TaesdDecode { batch, height, width, scale });
    let latent = Given::F32(case.given["z"].1.clone());
    case.check("image", &decoder.run(program, &BTreeMap::from([("latent", latent)]))["image"]);

    let [batch, height, width, _] = case.shape("pixels");
    let encoder = network("taesd_encoder", Role::TaesdEncoder);
    let program = encoder.program(ProgramSpec::TaesdEncode { batch, height, width, scale });
    let image = Given::F32(case.given["pixels"].1.clone());
    case.check("latent", &encoder.run(program, &BTreeMap::from([("image", image)]))["latent"]);
}

fn upscaler(name: &'static str, recipe: &str) {
    let case = case(name);
    let [batch, _, height, width] = case.shape("x");
    let network = network(recipe, Role::Upscaler);
    let program = network.program(ProgramSpec::Upscale { batch, height, width });
    let image = Given::F32(nhwc(&case.given["x"].1, case.shape("x")));
    case.check("y", &network.run(program, &BTreeMap::from([("image", image)]))["image"]);
}

#[test]
fn upscalers_are_the_references() {
    upscaler("rrdb_4x-tiny", "4x-tiny");
    upscaler("rrdb_2x-tiny-unshuffle", "2x-tiny-unshuffle");
}

/// Networks whose names are those of ESRGAN's first release; that with one doubling gives pictures twice as large.
#[test]
fn upscalers_with_old_names_can_be_built() {
    for (recipe, scale) in [("4x-tiny-old", 4), ("2x-tiny-old", 2)] {
        let network = network(recipe, Role::Upscaler);
        let program = network.program(ProgramSpec::Upscale { batch: 1, height: 5, width: 6 });
        let got = network.run(program, &BTreeMap::from([("image", Given::F32(vec![0.5; 90]))]));
        assert_eq!(got["image"].0, [1, 5 * scale, 6 * scale, 3]);
    }
}

#[test]
fn the_vision_encoder_is_the_references() {
    let case = "clipvision_center";
    let picture = image::open(shared("parity/inputs/photo_96x64.png")).unwrap().into_rgb8();
    let size = [picture.height() as usize, picture.width() as usize];
    let pixels: Vec<f64> = picture.as_raw().iter().map(|&byte| f64::from(byte) / 255.0).collect();
    let network = network("clip-vision-tiny", Role::ClipVision);
    let program = network.program(ProgramSpec::ClipVision { batch: 1 });
    let image = Given::F32(preprocess::centre(&pixels, size, 224));
    let got = network.run(program, &BTreeMap::from([("image", image)]));
    let expected = tensors(&format!("parity/dev/cases/{case}/clip_vision_output.safetensors"));
    assert_eq!(got.len(), 3);
    for (name, (shape, values)) in &got {
        assert_eq!(shape, &expected[name].0);
        let (rel, abs) = (tolerance(case, "rel"), tolerance(case, "abs"));
        assert_close(name, values, &expected[name].1, rel, abs);
    }
}

/// Sizes as the nodes for Stable Diffusion XL give them; the refiner's negative prompt has a score of 2.5.
#[test]
fn sizes_are_embedded_as_in_the_reference() {
    let case = case("adm_sdxl");
    let (shape, pooled) = &case.given["pooled"];
    let network = network("sdxl-tiny", Role::Unet);
    for (name, numbers) in [
        ("sdxl", vec![768.0, 1024.0, 16.0, 8.0, 1152.0, 896.0]),
        ("refiner_pos", vec![768.0, 1024.0, 0.0, 0.0, 6.5]),
        ("refiner_neg_default", vec![768.0, 1024.0, 0.0, 0.0, 2.5]),
    ] {
        let count = numbers.len();
        let program =
            network.program(ProgramSpec::SizeEmbedding { batch: 1, width: shape[1], numbers: count });
        let inputs =
            BTreeMap::from([("pooled", Given::F32(pooled.clone())), ("numbers", Given::F32(numbers))]);
        case.check(name, &network.run(program, &inputs)["y"]);
    }
}
