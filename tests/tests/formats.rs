//! Every model file of the reference results is what its folder and `models.json` say, by its header alone.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::collections::BTreeMap;
use std::fs::File;

use floe_formats::{
    Component, Contents, DType, Family, Header, Kind, Network, Piece, Prediction, Role, TensorInfo, element,
};
use floe_testing::{json, model, recipe_tensor, recipes};

/// The header of a recipe, without its file.
fn header(recipe: &str) -> Header {
    let spec = json(&format!("parity/specs/{recipe}.json"));
    let mut start = 0;
    let mut place = |tensor: &serde_json::Value| {
        let dtype = DType::ALL.into_iter().find(|dtype| tensor[1] == dtype.safetensors()).unwrap();
        let shape = tensor[2].as_array().unwrap().iter().map(|size| size.as_u64().unwrap() as usize);
        let info = TensorInfo::new(dtype, shape.collect(), start).unwrap();
        start = info.end();
        (tensor[0].as_str().unwrap().to_owned(), info)
    };
    let tensors = spec["tensors"].as_array().unwrap().iter().map(&mut place).collect();
    Header { tensors, file_bytes: start, ..Header::default() }
}

fn contents(recipe: &str) -> Contents {
    Contents::of(&header(recipe)).unwrap_or_else(|error| panic!("{recipe}: {error}"))
}

/// What `models.json` says of the file of a recipe, and its folder.
fn said(recipe: &str) -> (String, serde_json::Value) {
    let file = json(&format!("parity/specs/{recipe}.json"))["file"].as_str().unwrap().to_owned();
    let said = json("parity/models.json")["files"][&file].clone();
    (file.split_once('/').unwrap().0.to_owned(), said)
}

#[test]
fn every_recipe_is_what_its_folder_and_models_json_say() {
    let all = recipes();
    assert!(all.len() >= 36, "{} recipes", all.len());
    for recipe in &all {
        let (folder, said) = said(recipe);
        let contents = contents(recipe);
        let kinds: &[Kind] = match folder.as_str() {
            "checkpoints" => &[Kind::Checkpoint],
            "diffusion_models" => &[Kind::DiffusionModel],
            "vae" => &[Kind::Vae],
            "vae_approx" => &[Kind::Taesd],
            "clip_vision" => &[Kind::ClipVision],
            "controlnet" => &[Kind::ControlNet, Kind::T2iAdapter],
            "loras" => &[Kind::Lora],
            "embeddings" => &[Kind::Embedding],
            "upscale_models" => &[Kind::Upscaler],
            other => panic!("{other}"),
        };
        assert!(kinds.contains(&contents.kind), "{recipe}: {}", contents.kind);
        let family = match said["family"].as_str() {
            Some("sd15" | "sd15_inpaint") => Some(Family::Sd1),
            Some("sd21") => Some(Family::Sd2),
            Some("sdxl") => Some(Family::Sdxl),
            Some("refiner") => Some(Family::SdxlRefiner),
            Some(other) => panic!("{other}"),
            None => None,
        };
        if folder != "loras" {
            assert_eq!(contents.family(), family, "{recipe}");
        }
        let clips: Vec<String> = [Role::ClipL, Role::ClipH, Role::ClipG]
            .into_iter()
            .filter(|role| contents.component(*role).is_some())
            .map(|role| role.to_string().replace('-', "_"))
            .collect();
        let expected = said["clip"].as_array().into_iter().flatten();
        let expected: Vec<&str> = expected.map(|clip| clip.as_str().unwrap()).collect();
        assert_eq!(clips, expected, "{recipe}");
    }
}

/// The numbers of `models.json` for networks, by the names of its sections.
#[test]
fn facts_are_those_of_models_json() {
    let models = json("parity/models.json");
    let number =
        |section: &str, name: &str, key: &str| models[section][name][key].as_u64().map(|n| n as usize);
    for (recipe, name) in [
        ("sd15-tiny", "sd15"),
        ("sd15-inpaint-tiny", "sd15_inpaint"),
        ("sd21v-tiny", "sd21"),
        ("sdxl-tiny", "sdxl"),
        ("sdxl-refiner-tiny", "refiner"),
        ("sd15-tiny-unet-fp8_e4m3fn", "sd15"),
    ] {
        let contents = contents(recipe);
        let Network::Unet(facts) = &contents.component(Role::Unet).unwrap().network else {
            panic!("a U-Net")
        };
        assert_eq!(Some(facts.in_channels), number("unet", name, "in_channels"), "{recipe}");
        assert_eq!(Some(facts.out_channels), number("unet", name, "out_channels"), "{recipe}");
        assert_eq!(Some(facts.context_width), number("unet", name, "context_dim"), "{recipe}");
        assert_eq!(facts.adm_width, number("unet", name, "adm_in_channels"), "{recipe}");
        let heads = match facts.heads {
            floe_formats::Heads::Count(count) => (count as i64, -1),
            floe_formats::Heads::Width(width) => (-1, width as i64),
        };
        let [count, width] = ["num_heads", "num_head_channels"].map(|key| models["unet"][name][key].as_i64());
        assert_eq!(Some(heads.0), count, "{recipe}");
        assert_eq!(Some(heads.1), width, "{recipe}");
        for (role, section) in [(Role::ClipL, "clip_l"), (Role::ClipH, "clip_h"), (Role::ClipG, "clip_g")] {
            let Some(component) = contents.component(role) else { continue };
            let Network::Text(_, facts) = &component.network else { panic!("a text encoder") };
            assert_eq!(Some(facts.width), number("clip", section, "hidden_size"), "{recipe}");
            assert_eq!(Some(facts.layers), number("clip", section, "num_hidden_layers"), "{recipe}");
        }
        if let Some(Network::Vae(facts)) = contents.component(Role::Vae).map(|component| &component.network) {
            assert_eq!((facts.latent_channels, facts.downscale), (4, 8), "{recipe}");
            assert!(facts.encoder && facts.decoder, "{recipe}");
        }
    }
    let vision = contents("clip-vision-tiny");
    let Network::Vision(facts) = &vision.components[0].network else { panic!("a vision encoder") };
    let said = &models["clip_vision"];
    for (fact, key) in [
        (facts.width, "hidden_size"),
        (facts.layers, "num_hidden_layers"),
        (facts.picture, "image_size"),
        (facts.patch, "patch_size"),
    ] {
        assert_eq!(Some(fact as u64), said[key].as_u64(), "{key}");
    }
}

/// Scales are in the names of the files, families of adapters and counts of words in their recipes.
#[test]
fn small_networks_and_words_say_what_they_do() {
    for (recipe, scale) in
        [("2x-tiny-old", 2), ("2x-tiny-unshuffle", 2), ("4x-tiny", 4), ("4x-tiny-old", 4), ("4x-tiny-pth", 4)]
    {
        let contents = contents(recipe);
        let Network::Upscaler(facts) = &contents.components[0].network else { panic!("an upscaler") };
        assert_eq!(facts.scale, scale, "{recipe}");
    }
    let adapter = contents("t2iadapter-sd15-tiny");
    let Network::Adapter(facts) = &adapter.components[0].network else { panic!("an adapter") };
    assert_eq!((facts.hint_channels, facts.unshuffle, facts.light), (3, 8, false));
    let words = |recipe: &str| -> Vec<_> {
        contents(recipe).words.iter().map(|words| (words.role, words.tokens, words.width)).collect()
    };
    assert_eq!(words("emb-sd15"), [(None, 3, 64)]);
    assert_eq!(words("emb-sd15-long"), [(None, 9, 64)]);
    assert_eq!(words("emb-sdxl"), [(Some(Role::ClipL), 2, 64), (Some(Role::ClipG), 2, 128)]);
    for (recipe, role) in [("taesd_encoder", Role::TaesdEncoder), ("taesd_decoder", Role::TaesdDecoder)] {
        assert_eq!(contents(recipe).components[0].network.role(), role);
    }
}

/// Shapes by canonical name; a convolution of one pixel is a linear layer.
fn shapes(component: &Component) -> BTreeMap<&str, Vec<usize>> {
    let tensors = component.tensors.tensors.iter();
    tensors
        .map(|(name, info)| match info.shape.as_slice() {
            [out, inputs, 1, 1] => (name.as_str(), vec![*out, *inputs]),
            shape => (name.as_str(), shape.to_vec()),
        })
        .collect()
}

#[test]
fn layouts_of_one_network_have_the_same_canonical_names() {
    let control = [contents("control-sd15-tiny"), contents("control-sd15-diffusers-tiny")];
    assert_eq!(shapes(&control[0].components[0]), shapes(&control[1].components[0]));
    let upscaler = [contents("4x-tiny-pth"), contents("4x-tiny-old")];
    assert_eq!(shapes(&upscaler[0].components[0]), shapes(&upscaler[1].components[0]));
    let unet = [contents("sd15-tiny"), contents("sd15-tiny-unet-bf16")]
        .map(|mut contents| contents.components.remove(0));
    assert_eq!(shapes(&unet[0]), shapes(&unet[1]));
    let vae = [contents("vae-tiny"), contents("sd15-tiny")];
    let vae = vae.each_ref().map(|contents| contents.component(Role::Vae).unwrap());
    assert_eq!(shapes(vae[0]), shapes(vae[1]));
    // A ControlNet is the first half of its U-Net, hint and outputs aside.
    for (control, model) in [("control-sd15-tiny", "sd15-tiny"), ("control-sdxl-diffusers-tiny", "sdxl-tiny")]
    {
        let (control, model) = (contents(control), contents(model));
        let unet = shapes(model.component(Role::Unet).unwrap());
        let own = ["zero_convs.", "input_hint_block.", "middle_block_out."];
        for (name, shape) in shapes(&control.components[0]) {
            if !own.iter().any(|start| name.starts_with(start)) {
                assert_eq!(unet.get(name), Some(&shape), "{name}");
            }
        }
    }
    // All text encoders have the same names, however many layers.
    let names = |recipe: &str, role: Role| -> Vec<String> {
        let contents = contents(recipe);
        let tensors = &contents.component(role).unwrap().tensors;
        let names = tensors
            .tensors
            .keys()
            .filter(|name| !name.contains(".layers.") && *name != "text_projection.weight");
        names.chain(tensors.tensors.keys().filter(|name| name.contains(".layers.0."))).cloned().collect()
    };
    assert_eq!(names("sdxl-tiny", Role::ClipL), names("sdxl-tiny", Role::ClipG));
    assert_eq!(names("sd21v-tiny", Role::ClipH), names("sdxl-refiner-tiny", Role::ClipG));
}

#[test]
fn every_patch_finds_its_layer_and_fits_it() {
    let mut all = 0;
    for recipe in recipes() {
        let (folder, said) = said(&recipe);
        if folder != "loras" {
            continue;
        }
        let (header, contents) = (header(&recipe), contents(&recipe));
        let lora = contents.lora.as_ref().unwrap();
        let model = self::contents(said["for"].as_str().unwrap());
        assert!(lora.families.contains(&model.family().unwrap()), "{recipe}: {:?}", lora.families);
        let networks: Vec<&Component> = model.components.iter().collect();
        let targets = lora.targets(&networks);
        assert!(targets.left.is_empty(), "{recipe}: {:?}", targets.left[0]);
        for target in &targets.found {
            let weights = &model.component(target.role).unwrap().tensors;
            let weight = weights.shape(&format!("{}.weight", target.layer)).unwrap();
            let shape = |piece| target.module.pieces.get(&piece).map(|name| header.shape(name).unwrap());
            if let (Some(up), Some(down)) = (shape(Piece::Up), shape(Piece::Down)) {
                assert_eq!((up[0], down[1]), (weight[0], weight[1]), "{recipe}: {}", target.layer);
            }
            if let Some(diff) = shape(Piece::Diff) {
                assert_eq!(diff, weight, "{recipe}: {}", target.layer);
            }
            if let (Some(a), Some(b)) = (shape(Piece::HadaW1A), shape(Piece::HadaW1B)) {
                assert_eq!((a[0], b[1]), (weight[0], weight[1]), "{recipe}: {}", target.layer);
            }
        }
        all += targets.found.len();
    }
    assert!(all > 1500, "{all} patches");
}

#[test]
fn what_a_model_predicts_shows_in_one_small_tensor() {
    let mut seen = Vec::new();
    for recipe in recipes() {
        let (_, said) = said(&recipe);
        let Some(expected) = said["prediction"].as_str() else { continue };
        let contents = contents(&recipe);
        let component = contents.component(Role::Unet).unwrap();
        let Network::Unet(facts) = &component.network else { panic!("a U-Net") };
        let prediction = match facts.prediction {
            Prediction::InValues => {
                let source = component.map.source(Prediction::TENSOR).unwrap();
                let info = &component.tensors.tensors[Prediction::TENSOR];
                Prediction::measured(&info.values(&recipe_tensor(&recipe, &source.tensor)).unwrap())
            }
            prediction => prediction,
        };
        let found = match prediction {
            Prediction::Epsilon => "eps",
            Prediction::Velocity { .. } => "v_prediction",
            Prediction::InValues => panic!("measured"),
        };
        assert_eq!(found, expected, "{recipe}");
        seen.push(found);
    }
    assert!(seen.contains(&"eps") && seen.contains(&"v_prediction"));
}

/// The archive and the safetensors file of one recipe hold the same tensors, byte by byte.
#[test]
fn a_legacy_archive_has_the_tensors_of_its_safetensors_twin() {
    let read = |recipe: &str| {
        let path = model(recipe);
        (std::fs::read(&path).unwrap(), Header::read(&mut File::open(&path).unwrap()).unwrap())
    };
    let ((archive, old), (plain, new)) = (read("sd15-tiny-ckpt"), read("sd15-tiny"));
    let said = json("parity/models.json")["files"]["checkpoints/sd15-tiny-legacy.ckpt"]["bytes"].as_u64();
    assert_eq!(Some(archive.len() as u64), said);
    assert_eq!(old.tensors.len(), new.tensors.len());
    for (name, a) in &old.tensors {
        let b = &new.tensors[name];
        assert_eq!((a.dtype, &a.shape, a.transposed), (b.dtype, &b.shape, false), "{name}");
        let bytes = |file: &[u8], info: &TensorInfo| file[info.start as usize..info.end() as usize].to_vec();
        assert!(bytes(&archive, a) == bytes(&plain, b), "{name}");
    }
    let contents = Contents::of(&old).unwrap();
    assert_eq!((contents.kind, contents.family()), (Kind::Checkpoint, Some(Family::Sd1)));
    assert_eq!(Contents::of(&read("4x-tiny-pth").1).unwrap().kind, Kind::Upscaler);
}

/// Eight bits keep a number to a sixteenth of it, or to half of the smallest.
#[test]
fn numbers_of_eight_bits_are_those_of_sixteen_nearly() {
    for name in ["time_embed.0.weight", "input_blocks.0.0.weight", "out.2.bias"] {
        let (eight, sixteen) =
            (recipe_tensor("sd15-tiny-unet-fp8_e4m3fn", name), recipe_tensor("sd15-tiny-unet-fp16", name));
        assert_eq!(eight.len() * 2, sixteen.len());
        for (a, b) in eight.chunks(1).zip(sixteen.chunks(2)) {
            let (a, b) = (element(DType::F8E4M3, a), element(DType::F16, b));
            assert!((a - b).abs() <= (b.abs() / 15.9).max(2_f32.powi(-10) * 1.01), "{name}: {a} {b}");
        }
    }
}
