//! Text encoders of Stable Diffusion 2 and XL, layer by layer.

use std::collections::BTreeMap;

use floe_formats::Role;
use floe_nets::ProgramSpec;
use floe_nets::arch::{Pooled, TextEncoder, TextOptions};
use floe_nets::text::{CHUNK, Chunk, END, Tokenizer};
use floe_testing::{assert_close, json, tensors, tolerance};

use crate::run::{Given, Network, Tensors, network};

/// What pads prompts for OpenCLIP.
const PAD: u32 = 0;

/// A part of SDXL's or SD2's encoding of a prompt.
struct Encoder {
    network: Network,
    options: TextOptions,
}

impl Encoder {
    fn new(recipe: &str, role: Role, encoder: TextEncoder, pooled: Pooled) -> Encoder {
        let norm = encoder == TextEncoder::H;
        let options = TextOptions { encoder, layer: 2, norm, pooled, extra: 0 };
        Encoder { network: network(recipe, role), options }
    }

    /// Outputs for a prompt; the layers' results are outputs, too.
    fn encode(&self, chunks: &[Chunk], options: TextOptions) -> Tensors {
        let tokens: Vec<i32> = chunks.iter().flat_map(|chunk| chunk.ids.map(u32::cast_signed)).collect();
        let end =
            chunks.iter().map(|chunk| chunk.ids.iter().position(|&id| id == END).unwrap() as i32).collect();
        let mut program = self.network.program(ProgramSpec::ClipText { rows: chunks.len(), options });
        (0..).take_while(|layer| program.expose(&format!("encoder.layers.{layer}"))).count();
        let inputs = BTreeMap::from([("tokens", Given::I32(tokens)), ("end", Given::I32(end))]);
        self.network.run(program, &inputs)
    }
}

fn chunks(text: &str, pad: u32) -> Vec<Chunk> {
    Tokenizer::clip().encode_prompt(text, pad).unwrap()
}

/// The reference stacks layers inside of each item.
fn stacked(got: &Tensors, items: usize) -> Vec<f32> {
    let layers: Vec<&Vec<f32>> = (0..)
        .map_while(|layer| got.get(&format!("encoder.layers.{layer}")))
        .map(|(_, values)| values)
        .collect();
    let of_item = |layer: &&Vec<f32>, item: usize| {
        let len = layer.len() / items;
        layer[item * len..(item + 1) * len].to_vec()
    };
    (0..items).flat_map(|item| layers.iter().flat_map(move |layer| of_item(layer, item))).collect()
}

/// Compares what the encoder gives with its last layer normed, and pooled states plain and projected.
fn layers(case: &str, encoder: &Encoder, pad: u32, projected: bool) {
    let expected = tensors(&format!("parity/dev/components/{case}/expected.safetensors"));
    let prompts = json(&format!("parity/dev/components/{case}/expected.json"));
    let mut compared = 0;
    for (key, prompt) in prompts.as_object().unwrap() {
        let chunks = chunks(prompt["text"].as_str().unwrap(), pad);
        let mut check = |name: &str, got: &[f32]| {
            if let Some((_, want)) = expected.get(&format!("{key}.{name}")) {
                let (rel, abs) = (tolerance(case, "rel"), tolerance(case, "abs"));
                assert_close(&format!("{key}.{name}"), got, want, rel, abs);
                compared += 1;
            }
        };
        let last = TextOptions { layer: 1, norm: true, pooled: Pooled::Plain, ..encoder.options };
        let got = encoder.encode(&chunks, last);
        check("last_ln", &got["hidden"].1);
        check("pooled", &got["pooled"].1);
        check("layers", &stacked(&got, chunks.len()));
        if projected {
            let got = encoder.encode(&chunks, TextOptions { pooled: Pooled::Projected, ..last });
            check("pooled_projected", &got["pooled"].1);
        }
    }
    assert!(compared >= 7, "only {compared} tensors were compared");
}

#[test]
fn the_text_encoder_of_stable_diffusion_2_is_the_references() {
    let case = "clip_sd21v-tiny_clip_h";
    let encoder = Encoder::new("sd21v-tiny", Role::ClipH, TextEncoder::H, Pooled::Projected);
    layers(case, &encoder, PAD, true);
    conditioning(case, &[(&encoder, PAD)]);
}

#[test]
fn the_text_encoders_of_stable_diffusion_xl_are_the_references() {
    let case = "clip_sdxl-tiny_clip_l";
    let l = Encoder::new("sdxl-tiny", Role::ClipL, TextEncoder::L, Pooled::None);
    let g = Encoder::new("sdxl-tiny", Role::ClipG, TextEncoder::G, Pooled::Projected);
    layers(case, &l, END, false);
    conditioning(case, &[(&l, END), (&g, PAD)]);
}

/// What the samplers get: states of all encoders side by side, the last one's pooled state. Prompts with weights are
/// more than what an encoder gives, and are not compared.
fn conditioning(case: &str, encoders: &[(&Encoder, u32)]) {
    let expected = tensors(&format!("parity/dev/components/{case}/expected.safetensors"));
    let prompts = json(&format!("parity/dev/components/{case}/expected.json"));
    let (rel, abs) = (tolerance(case, "rel"), tolerance(case, "abs"));
    let mut compared = 0;
    for (key, prompt) in prompts.as_object().unwrap() {
        let text = prompt["text"].as_str().unwrap();
        if chunks(text, END).iter().any(|chunk| chunk.weights.iter().any(|&weight| weight != 1.0)) {
            continue;
        }
        let parts: Vec<Tensors> = encoders
            .iter()
            .map(|(encoder, pad)| encoder.encode(&chunks(text, *pad), encoder.options))
            .collect();
        let rows = chunks(text, END).len() * CHUNK;
        let row = |part: &Tensors, row: usize| {
            let (shape, values) = &part["hidden"];
            values[row * shape[2]..(row + 1) * shape[2]].to_vec()
        };
        let hidden: Vec<f32> =
            (0..rows).flat_map(|index| parts.iter().flat_map(move |part| row(part, index))).collect();
        assert_close(&format!("{key}.cond"), &hidden, &expected[&format!("{key}.cond")].1, rel, abs);
        let (shape, pooled) = &parts.last().unwrap()["pooled"];
        let want = &expected[&format!("{key}.cond_pooled")].1;
        assert_close(&format!("{key}.cond_pooled"), &pooled[..shape[1]], want, rel, abs);
        compared += 1;
    }
    assert!(compared >= 1, "no prompt of {case} is without weights");
}

/// Layers beyond the wanted one are not computed where nothing needs them.
#[test]
fn without_a_pooled_state_later_layers_are_left_out() {
    let l = Encoder::new("sdxl-tiny", Role::ClipL, TextEncoder::L, Pooled::None);
    let layers = |layer: usize| {
        let options = TextOptions { layer, ..l.options };
        let program = l.network.program(ProgramSpec::ClipText { rows: 1, options });
        program.labels.len()
    };
    assert_eq!([1, 2, 4, 5, 99].map(layers), [4, 3, 1, 4, 4]);
}

/// A vector that the prompt brings along stands where its token is.
#[test]
fn a_learned_word_equal_to_a_token_changes_nothing() {
    let l = Encoder::new("sdxl-tiny", Role::ClipL, TextEncoder::L, Pooled::None);
    let chunk = &chunks("a cat", END)[0];
    let plain = l.encode(std::slice::from_ref(chunk), l.options);
    let (vocabulary, row) = l.network.row("embeddings.token_embedding.weight", chunk.ids[1] as usize);
    let mut tokens = chunk.ids.map(u32::cast_signed);
    tokens[1] = i32::try_from(vocabulary).unwrap();
    let options = TextOptions { extra: 1, ..l.options };
    let program = l.network.program(ProgramSpec::ClipText { rows: 1, options });
    let inputs = BTreeMap::from([("tokens", Given::I32(tokens.to_vec())), ("extra", Given::F32(row))]);
    assert_eq!(l.network.run(program, &inputs)["hidden"].1, plain["hidden"].1);
}
