//! Networks made of names and shapes alone, in every layout that files have.

use std::collections::BTreeMap;

use super::foreign::MARKS;
use super::*;
use crate::keys::unet::{Blocks, to_diffusers};
use crate::{DType, TensorInfo};

type Tensors = BTreeMap<String, Vec<usize>>;

fn header(tensors: &Tensors) -> Header {
    let mut start = 0;
    let mut place = |(name, shape): (&String, &Vec<usize>)| {
        let info = TensorInfo::new(DType::F16, shape.clone(), start).unwrap();
        start = info.end();
        (name.clone(), info)
    };
    let tensors = tensors.iter().map(&mut place).collect();
    Header { tensors, file_bytes: start, ..Header::default() }
}

fn named(tensors: &[(&str, &[usize])]) -> Header {
    header(&tensors.iter().map(|&(name, shape)| (name.to_owned(), shape.to_vec())).collect())
}

fn prefixed(tensors: &Tensors, prefix: &str) -> Tensors {
    tensors.iter().map(|(name, shape)| (format!("{prefix}{name}"), shape.clone())).collect()
}

/// A U-Net: blocks of transformers for each level from fine to coarse, 0 for none.
#[derive(Clone, Copy)]
struct Unet {
    depths: &'static [usize],
    linear: bool,
    vector: bool,
    channels: usize,
}

const SD1: Unet = Unet { depths: &[1, 1, 1, 0], linear: false, vector: false, channels: 4 };
const SD2: Unet = Unet { linear: true, ..SD1 };
const SDXL: Unet = Unet { depths: &[0, 2, 10], linear: true, vector: true, channels: 4 };
const REFINER: Unet = Unet { depths: &[0, 4, 4, 0], linear: true, vector: true, channels: 4 };

impl Unet {
    fn tensors(self) -> Tensors {
        let mut tensors = Tensors::new();
        let mut add = |name: String, shape: &[usize]| drop(tensors.insert(name, shape.to_vec()));
        add("time_embed.0.weight".into(), &[16, 4]);
        add("input_blocks.0.0.weight".into(), &[4, self.channels, 3, 3]);
        add("out.2.weight".into(), &[4, 4, 3, 3]);
        if self.vector {
            add("label_emb.0.0.weight".into(), &[16, 6]);
        }
        let levels = self.depths.len();
        let mut layer = |block: String, depth: usize| {
            add(format!("{block}.0.in_layers.2.weight"), &[4, 4, 3, 3]);
            let matrix: &[usize] = if self.linear { &[4, 4] } else { &[4, 4, 1, 1] };
            for index in 0..depth {
                add(format!("{block}.1.proj_in.weight"), matrix);
                add(format!("{block}.1.transformer_blocks.{index}.attn2.to_k.weight"), &[4, 3]);
                add(format!("{block}.1.transformer_blocks.{index}.norm1.bias"), &[4]);
            }
        };
        for (level, &depth) in self.depths.iter().enumerate() {
            let up = self.depths[levels - 1 - level];
            (0..2).for_each(|block| layer(format!("input_blocks.{}", 3 * level + block + 1), depth));
            (0..3).for_each(|block| layer(format!("output_blocks.{}", 3 * level + block), up));
        }
        layer("middle_block".into(), 1);
        for level in 1..levels {
            add(format!("input_blocks.{}.0.op.weight", 3 * level), &[4, 4, 3, 3]);
            let place = if self.depths[levels - level] == 0 { 1 } else { 2 };
            add(format!("output_blocks.{}.{place}.conv.weight", 3 * level - 1), &[4, 4, 3, 3]);
        }
        tensors
    }

    fn diffusers(self) -> Tensors {
        let tensors = self.tensors();
        let blocks = Blocks::of_canonical(&header(&tensors));
        let renamed =
            tensors.iter().map(|(name, shape)| (to_diffusers(name, &blocks).unwrap(), shape.clone()));
        renamed.collect()
    }
}

#[track_caller]
fn facts(contents: &Contents) -> &UnetFacts {
    match &contents.component(Role::Unet).unwrap().network {
        Network::Unet(facts) => facts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn unets_are_of_their_family_in_every_layout() {
    // The last two are smaller than any that was published, and of their family all the same.
    for (unet, family) in [
        (SD1, Family::Sd1),
        (SD2, Family::Sd2),
        (SDXL, Family::Sdxl),
        (REFINER, Family::SdxlRefiner),
        (Unet { depths: &[0, 1], ..SD1 }, Family::Sd1),
        (Unet { depths: &[1, 0, 1], ..SD2 }, Family::Sd2),
    ] {
        let canonical = unet.tensors();
        for (file, naming) in [
            (prefixed(&canonical, "model.diffusion_model."), Naming::Original),
            (canonical.clone(), Naming::Original),
            (unet.diffusers(), Naming::Diffusers),
            (prefixed(&unet.diffusers(), "unet."), Naming::Diffusers),
        ] {
            let contents = Contents::of(&header(&file)).unwrap();
            assert_eq!((contents.kind, contents.family()), (Kind::DiffusionModel, Some(family)));
            let component = contents.component(Role::Unet).unwrap();
            assert_eq!(component.naming, naming);
            let names: Vec<&String> = component.tensors.tensors.keys().collect();
            assert_eq!(names, canonical.keys().collect::<Vec<_>>());
        }
    }
}

#[test]
fn facts_of_unets_come_from_their_tensors() {
    let sd1 = Contents::of(&header(&SD1.tensors())).unwrap();
    let expected = UnetFacts {
        family: Family::Sd1,
        in_channels: 4,
        out_channels: 4,
        context_width: 3,
        adm_width: None,
        heads: Heads::Count(8),
        prediction: Prediction::Epsilon,
    };
    assert_eq!(facts(&sd1), &expected);
    for channels in [8, 9] {
        let contents = Contents::of(&header(&Unet { channels, ..SD1 }.tensors())).unwrap();
        assert_eq!((facts(&contents).in_channels, facts(&contents).out_channels), (channels, 4));
    }
    let sdxl = Contents::of(&header(&SDXL.tensors())).unwrap();
    assert_eq!((facts(&sdxl).adm_width, facts(&sdxl).heads), (Some(6), Heads::Width(64)));
}

#[test]
fn what_is_predicted_is_marked_or_measured() {
    let prediction = |unet: Unet, marks: &[&str]| {
        let mut tensors = prefixed(&unet.tensors(), "model.diffusion_model.");
        tensors.extend(marks.iter().map(|mark| ((*mark).to_owned(), vec![])));
        facts(&Contents::of(&header(&tensors)).unwrap()).prediction
    };
    let velocity = |zero_terminal| Prediction::Velocity { zero_terminal };
    assert_eq!(prediction(SDXL, &[]), Prediction::Epsilon);
    assert_eq!(prediction(SDXL, &["v_pred"]), velocity(false));
    assert_eq!(prediction(SDXL, &["v_pred", "ztsnr"]), velocity(true));
    assert_eq!(
        prediction(SD1, &["v_pred"]),
        Prediction::Epsilon,
        "its reference implementation does not look"
    );
    assert_eq!(prediction(SD2, &[]), Prediction::InValues);
    assert_eq!(prediction(Unet { channels: 9, ..SD2 }, &[]), Prediction::Epsilon);
    assert_eq!(Prediction::measured(&[0.1, -0.1, 0.1, -0.1]), velocity(false));
    assert_eq!(Prediction::measured(&[0.05, -0.05, 0.05, -0.05]), Prediction::Epsilon);
    assert_eq!(Prediction::measured(&[]), Prediction::Epsilon);
}

/// A text encoder of so many layers in Hugging Face's names, below `text_model.`.
fn text(layers: usize) -> Tensors {
    let mut tensors = Tensors::new();
    tensors.insert("text_model.embeddings.token_embedding.weight".into(), vec![9, 4]);
    for layer in 0..layers {
        tensors.insert(format!("text_model.encoder.layers.{layer}.mlp.fc1.weight"), vec![8, 4]);
    }
    tensors.insert("text_projection.weight".into(), vec![5, 4]);
    tensors
}

/// The same in OpenCLIP's names.
fn open_clip(layers: usize) -> Tensors {
    let mut tensors = Tensors::new();
    tensors.insert("token_embedding.weight".into(), vec![9, 4]);
    for layer in 0..layers {
        tensors.insert(format!("transformer.resblocks.{layer}.mlp.c_fc.weight"), vec![8, 4]);
    }
    tensors.insert("text_projection".into(), vec![4, 5]);
    tensors
}

#[test]
fn text_encoders_are_told_by_their_place_or_their_depth() {
    let roles = |tensors: &Tensors| {
        let contents = Contents::of(&header(tensors)).unwrap();
        assert_eq!(contents.kind, Kind::TextEncoder);
        let roles = contents.components.iter().map(|component| match &component.network {
            Network::Text(role, facts) => {
                assert_eq!((facts.width, facts.projection), (4, Some(5)));
                *role
            }
            other => panic!("{other:?}"),
        });
        roles.collect::<Vec<_>>()
    };
    for (layers, role) in [(12, Role::ClipL), (23, Role::ClipH), (24, Role::ClipH), (32, Role::ClipG)] {
        assert_eq!(roles(&text(layers)), [role]);
        assert_eq!(roles(&open_clip(layers)), [role]);
    }
    for (prefix, role) in [
        ("cond_stage_model.transformer.", Role::ClipL),
        ("conditioner.embedders.0.transformer.", Role::ClipL),
        ("clip_g.transformer.", Role::ClipG),
    ] {
        assert_eq!(roles(&prefixed(&text(2), prefix)), [role]);
    }
    for (prefix, role) in [
        ("cond_stage_model.model.", Role::ClipH),
        ("conditioner.embedders.0.model.", Role::ClipG),
        ("conditioner.embedders.1.model.", Role::ClipG),
    ] {
        assert_eq!(roles(&prefixed(&open_clip(2), prefix)), [role]);
    }
    let mut both = prefixed(&text(2), "conditioner.embedders.0.transformer.");
    both.extend(prefixed(&open_clip(2), "conditioner.embedders.1.model."));
    assert_eq!(roles(&both), [Role::ClipL, Role::ClipG]);
    // Written before `text_model.` came into the names.
    let old =
        prefixed(&text(2), "").into_iter().map(|(name, shape)| (name.replace("text_model.", ""), shape));
    assert_eq!(roles(&prefixed(&old.collect(), "cond_stage_model.transformer.")), [Role::ClipL]);
}

#[test]
fn autoencoders_are_whole_or_halves_in_either_layout() {
    let vae = |tensors: &[(&str, &[usize])]| {
        let contents = Contents::of(&named(tensors)).unwrap();
        assert_eq!(contents.kind, Kind::Vae);
        match contents.components.into_iter().next() {
            Some(Component { network: Network::Vae(facts), naming, tensors, .. }) => (facts, naming, tensors),
            other => panic!("{other:?}"),
        }
    };
    let (facts, naming, _) = vae(&[
        ("decoder.conv_in.weight", &[8, 16, 3, 3]),
        ("decoder.up.1.upsample.conv.weight", &[8, 8, 3, 3]),
        ("encoder.conv_in.weight", &[8, 3, 3, 3]),
    ]);
    assert_eq!((facts.latent_channels, facts.downscale, naming), (16, 2, Naming::Original));
    let (facts, naming, tensors) = vae(&[
        ("encoder.conv_in.weight", &[8, 3, 3, 3]),
        ("encoder.conv_out.weight", &[8, 8, 3, 3]),
        ("encoder.mid_block.attentions.0.to_q.weight", &[8, 8]),
        ("encoder.down_blocks.0.downsamplers.0.conv.weight", &[8, 8, 3, 3]),
    ]);
    let halves = VaeFacts { latent_channels: 4, downscale: 2, encoder: true, decoder: false };
    assert_eq!((facts, naming), (halves, Naming::Diffusers));
    assert!(
        tensors.has("encoder.mid.attn_1.q.weight") && tensors.has("encoder.down.0.downsample.conv.weight")
    );
}

#[test]
fn vision_encoders_have_two_layouts() {
    for (tensors, naming) in [
        (
            named(&[
                ("vision_model.embeddings.class_embedding", &[4]),
                ("vision_model.embeddings.patch_embedding.weight", &[4, 3, 14, 14]),
                ("vision_model.embeddings.position_embedding.weight", &[257, 4]),
                ("visual_projection.weight", &[5, 4]),
            ]),
            Naming::HuggingFace,
        ),
        (
            named(&[
                ("embedder.model.visual.class_embedding", &[4]),
                ("embedder.model.visual.conv1.weight", &[4, 3, 14, 14]),
                ("embedder.model.visual.positional_embedding", &[257, 4]),
                ("embedder.model.visual.proj", &[4, 5]),
            ]),
            Naming::OpenClip,
        ),
    ] {
        let contents = Contents::of(&tensors).unwrap();
        let [Component { network: Network::Vision(facts), naming: found, .. }] =
            contents.components.as_slice()
        else {
            panic!("{:?}", contents.components)
        };
        assert_eq!((facts.patch, facts.picture, facts.projection, *found), (14, 224, Some(5), naming));
    }
}

#[test]
fn checkpoints_have_more_than_a_unet() {
    let mut tensors = prefixed(&SD1.tensors(), "model.diffusion_model.");
    tensors.extend(prefixed(&text(2), "cond_stage_model.transformer."));
    tensors.insert("first_stage_model.decoder.conv_in.weight".into(), vec![8, 4, 3, 3]);
    tensors.insert("alphas_cumprod".into(), vec![1000]);
    let roles = |tensors: &Tensors| {
        let contents = Contents::of(&header(tensors)).unwrap();
        assert_eq!(contents.to_string(), "checkpoint, sd1");
        contents.components.iter().map(|component| component.network.role()).collect::<Vec<_>>()
    };
    assert_eq!(roles(&tensors), [Role::Unet, Role::ClipL, Role::Vae]);
    // A ControlNet as its trainer saved it.
    tensors.extend(prefixed(&SD1.tensors(), "control_model."));
    tensors.insert("control_model.input_hint_block.0.weight".into(), vec![16, 3, 3, 3]);
    assert_eq!(roles(&tensors), [Role::Unet, Role::ControlNet, Role::ClipL, Role::Vae]);
}

#[test]
fn small_networks_are_told_by_their_first_layers() {
    let adapter =
        |tensors: &[(&str, &[usize])]| match Contents::of(&named(tensors)).unwrap().components.remove(0) {
            Component { network: Network::Adapter(facts), tensors, .. } => (facts, tensors),
            other => panic!("{other:?}"),
        };
    let (facts, _) = adapter(&[("conv_in.weight", &[8, 768, 3, 3]), ("body.0.block1.weight", &[8, 8, 3, 3])]);
    assert_eq!((facts.family, facts.hint_channels, facts.unshuffle), (Family::Sdxl, 3, 16));
    let (facts, _) = adapter(&[("body.0.in_conv.weight", &[8, 192, 1, 1])]);
    assert!(facts.light);
    let (_, tensors) = adapter(&[
        ("adapter.conv_in.weight", &[8, 64, 3, 3]),
        ("adapter.body.0.resnets.0.block1.weight", &[8, 8, 3, 3]),
        ("adapter.body.1.in_conv.weight", &[8, 8, 1, 1]),
        ("adapter.body.1.resnets.1.block2.weight", &[8, 8, 1, 1]),
    ]);
    let names: Vec<&String> = tensors.tensors.keys().collect();
    assert_eq!(
        names,
        ["body.0.block1.weight", "body.2.in_conv.weight", "body.3.block2.weight", "conv_in.weight"]
    );

    let both = named(&[
        ("taesd_decoder.1.weight", &[64, 16, 3, 3]),
        ("taesd_decoder.3.conv.0.weight", &[64, 64, 3, 3]),
        ("taesd_encoder.0.weight", &[64, 3, 3, 3]),
        ("taesd_encoder.1.conv.0.weight", &[64, 64, 3, 3]),
        ("taesd_encoder.14.weight", &[16, 64, 3, 3]),
    ]);
    let contents = Contents::of(&both).unwrap();
    assert_eq!(contents.kind, Kind::Taesd);
    let networks: Vec<&Network> = contents.components.iter().map(|component| &component.network).collect();
    assert_eq!(networks, [&Network::TaesdEncoder(16), &Network::TaesdDecoder(16)]);

    let odd = named(&[
        ("body.0.rdb1.conv1.weight", &[8, 8, 3, 3]),
        ("conv_first.weight", &[8, 5, 3, 3]),
        ("conv_last.weight", &[3, 8, 3, 3]),
    ]);
    let error = Contents::of(&odd).unwrap_err().to_string();
    assert_eq!(
        error,
        "tensor `conv_first.weight` does not fit: 5 channels in, 3 out and 0 doublings make no scale"
    );
}

#[test]
fn words_are_vectors_for_one_encoder_or_two() {
    let words = |tensors: &[(&str, &[usize])]| {
        let contents = Contents::of(&named(tensors)).unwrap();
        assert_eq!(contents.kind, Kind::Embedding);
        contents.words.into_iter().map(|words| (words.role, words.tokens, words.width)).collect::<Vec<_>>()
    };
    assert_eq!(words(&[("<my-cat>", &[768])]), [(None, 1, 768)]);
    assert_eq!(words(&[("string_to_param.*", &[2, 768]), ("string_to_token.*", &[])]), [(None, 2, 768)]);
    assert_eq!(
        words(&[("clip_g", &[3, 1280]), ("clip_l", &[3, 768])]),
        [(Some(Role::ClipL), 3, 768), (Some(Role::ClipG), 3, 1280)]
    );
    assert!(Contents::of(&named(&[("x", &[2, 2, 2])])).is_err());
}

#[test]
fn models_known_by_name_only_are_named() {
    for (mark, what) in MARKS {
        for prefix in ["", "model.diffusion_model."] {
            let name = format!("{prefix}{}", mark.replace('*', "x.weight"));
            assert_eq!(
                Contents::of(&named(&[(&name, &[4, 4])])).unwrap_err(),
                FormatError::Unsupported { what },
                "{name}"
            );
        }
    }
    let error = Contents::of(&named(&[("768.0.linear.0.weight", &[4, 4])])).unwrap_err();
    assert_eq!(error.to_string(), "this is a hypernetwork, which Floe cannot run");
    let error = Contents::of(&named(&[("a", &[4]), ("b", &[4])])).unwrap_err();
    assert_eq!(error, FormatError::UnknownFamily { tensors: 2, first: "a".to_owned() });
    assert!(Contents::of(&Header::default()).is_err());
}

#[test]
fn half_a_network_says_what_is_missing() {
    let mut tensors = SD1.tensors();
    tensors.retain(|name, _| !name.ends_with("attn2.to_k.weight"));
    let error = Contents::of(&header(&tensors)).unwrap_err().to_string();
    assert!(error.starts_with("tensor `….attn2.to_k.weight` does not fit: it is missing"), "{error}");
    let tower = named(&[("vision_model.embeddings.class_embedding", &[4])]);
    assert!(matches!(Contents::of(&tower).unwrap_err(), FormatError::Misfit { .. }));
}
