//! Programs of small networks as text: every kind of block once.

use std::collections::BTreeMap;

use floe_formats::{DType, Header, TensorInfo};

use super::{AdapterKind, Downscale, FreeU, MiddleAttention, Pooled, TextEncoder, TextOptions, UnetOptions};
use crate::ir::Resample;
use crate::{ProgramSpec, Real, Weights};

/// Tensors of a small network.
#[derive(Default)]
struct Tensors(Vec<(String, Vec<usize>)>);

impl Tensors {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.push((name.to_owned(), shape.to_vec()));
    }

    /// A layer's weight of this shape, and its bias.
    fn layer(&mut self, path: &str, shape: &[usize]) {
        self.add(&format!("{path}.weight"), shape);
        self.add(&format!("{path}.bias"), &shape[..1]);
    }

    fn conv(&mut self, path: &str, out: usize, channels: usize) {
        self.layer(path, &[out, channels, 3, 3]);
    }

    fn residual_block(&mut self, path: &str, out: usize, channels: usize, time: usize) {
        self.layer(&format!("{path}.in_layers.0"), &[channels]);
        self.conv(&format!("{path}.in_layers.2"), out, channels);
        self.layer(&format!("{path}.emb_layers.1"), &[out, time]);
        self.layer(&format!("{path}.out_layers.0"), &[out]);
        self.conv(&format!("{path}.out_layers.3"), out, out);
        if out != channels {
            self.layer(&format!("{path}.skip_connection"), &[out, channels, 1, 1]);
        }
    }

    fn transformer(&mut self, path: &str, channels: usize, context: usize) {
        self.layer(&format!("{path}.norm"), &[channels]);
        self.layer(&format!("{path}.proj_in"), &[channels, channels]);
        self.layer(&format!("{path}.proj_out"), &[channels, channels]);
        let path = format!("{path}.transformer_blocks.0");
        for (attention, source) in [("attn1", channels), ("attn2", context)] {
            self.add(&format!("{path}.{attention}.to_q.weight"), &[channels, channels]);
            self.add(&format!("{path}.{attention}.to_k.weight"), &[channels, source]);
            self.add(&format!("{path}.{attention}.to_v.weight"), &[channels, source]);
            self.layer(&format!("{path}.{attention}.to_out.0"), &[channels, channels]);
        }
        for norm in ["norm1", "norm2", "norm3"] {
            self.layer(&format!("{path}.{norm}"), &[channels]);
        }
        self.layer(&format!("{path}.ff.net.0.proj"), &[8 * channels, channels]);
        self.layer(&format!("{path}.ff.net.2"), &[channels, 4 * channels]);
    }

    /// The input half of a U-Net of two levels with one block each, and its middle: 32 channels, then 64.
    fn input_half(&mut self) {
        self.layer("time_embed.0", &[8, 32]);
        self.layer("time_embed.2", &[8, 8]);
        self.layer("label_emb.0.0", &[8, 20]);
        self.layer("label_emb.0.2", &[8, 8]);
        self.conv("input_blocks.0.0", 32, 4);
        self.residual_block("input_blocks.1.0", 32, 32, 8);
        self.conv("input_blocks.2.0.op", 32, 32);
        self.residual_block("input_blocks.3.0", 64, 32, 8);
        self.transformer("input_blocks.3.1", 64, 12);
        self.residual_block("middle_block.0", 64, 64, 8);
        self.transformer("middle_block.1", 64, 12);
        self.residual_block("middle_block.2", 64, 64, 8);
    }

    fn text(&self, spec: ProgramSpec) -> String {
        let info = |shape: &[usize]| TensorInfo::new(DType::F16, shape.to_vec(), 0).unwrap();
        let tensors: BTreeMap<_, _> =
            self.0.iter().map(|(name, shape)| (name.clone(), info(shape))).collect();
        let header = Header { tensors, ..Header::default() };
        let program = spec.build(Weights { header: &header, prefix: "" }).unwrap();
        program.verify().unwrap();
        assert_eq!(ProgramSpec::parse(&program.name), Some(spec));
        program.to_string()
    }
}

fn clip_layers(tensors: &mut Tensors, layers: usize, width: usize) {
    for layer in 0..layers {
        let path = format!("encoder.layers.{layer}");
        for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            tensors.layer(&format!("{path}.self_attn.{projection}"), &[width, width]);
        }
        tensors.layer(&format!("{path}.layer_norm1"), &[width]);
        tensors.layer(&format!("{path}.layer_norm2"), &[width]);
        tensors.layer(&format!("{path}.mlp.fc1"), &[4 * width, width]);
        tensors.layer(&format!("{path}.mlp.fc2"), &[width, 4 * width]);
    }
}

fn text_encoder() -> Tensors {
    let mut tensors = Tensors::default();
    tensors.add("embeddings.token_embedding.weight", &[100, 8]);
    tensors.add("embeddings.position_embedding.weight", &[5, 8]);
    clip_layers(&mut tensors, 2, 8);
    tensors.layer("final_layer_norm", &[8]);
    tensors.add("text_projection.weight", &[6, 8]);
    tensors
}

#[test]
fn text_encoders() {
    let g =
        TextOptions { encoder: TextEncoder::G, layer: 2, norm: false, pooled: Pooled::Projected, extra: 3 };
    let l = TextOptions { layer: 2, norm: true, pooled: Pooled::None, ..TextOptions::default() };
    let texts = [TextOptions::default(), g, l]
        .map(|options| text_encoder().text(ProgramSpec::ClipText { rows: 2, options }));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn vision_encoder() {
    let mut tensors = Tensors::default();
    tensors.add("embeddings.class_embedding", &[8]);
    tensors.add("embeddings.patch_embedding.weight", &[8, 3, 4, 4]);
    tensors.add("embeddings.position_embedding.weight", &[5, 8]);
    tensors.layer("pre_layrnorm", &[8]);
    clip_layers(&mut tensors, 2, 8);
    tensors.layer("post_layernorm", &[8]);
    tensors.add("visual_projection.weight", &[6, 8]);
    insta::assert_snapshot!(tensors.text(ProgramSpec::ClipVision { batch: 2 }));
}

fn unet() -> Tensors {
    let mut tensors = Tensors::default();
    tensors.input_half();
    tensors.residual_block("output_blocks.0.0", 64, 128, 8);
    tensors.residual_block("output_blocks.1.0", 64, 96, 8);
    tensors.conv("output_blocks.1.1.conv", 64, 64);
    tensors.residual_block("output_blocks.2.0", 32, 96, 8);
    tensors.residual_block("output_blocks.3.0", 32, 64, 8);
    tensors.layer("out.0", &[32]);
    tensors.conv("out.2", 4, 32);
    tensors
}

#[test]
fn unets() {
    let real = |value| Real::new(value).unwrap();
    let patched = UnetOptions {
        control: true,
        adapter: Some(AdapterKind::Sd),
        freeu: Some(FreeU { by_mean: false, backbone: [real(1.1), real(1.2)], skip: [real(0.9), real(0.2)] }),
        downscale: Some(Downscale {
            block: 1,
            factor: real(2.0),
            after_skip: false,
            down: Resample::Bicubic,
            up: Resample::Area,
        }),
        middle: MiddleAttention::Recorded,
    };
    let texts = [UnetOptions::default(), patched]
        .map(|options| unet().text(ProgramSpec::Unet { batch: 2, height: 5, width: 6, tokens: 7, options }));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn control_net() {
    let mut tensors = Tensors::default();
    tensors.input_half();
    for (index, (out, channels)) in
        [(4, 3), (4, 4), (4, 4), (4, 4), (8, 4), (8, 8), (8, 8), (32, 8)].into_iter().enumerate()
    {
        tensors.conv(&format!("input_hint_block.{}", 2 * index), out, channels);
    }
    for (block, channels) in [32, 32, 32, 64].into_iter().enumerate() {
        tensors.layer(&format!("zero_convs.{block}.0"), &[channels, channels, 1, 1]);
    }
    tensors.layer("middle_block_out.0", &[64, 64, 1, 1]);
    insta::assert_snapshot!(tensors.text(ProgramSpec::ControlNet {
        batch: 1,
        height: 3,
        width: 4,
        tokens: 7
    }));
}

fn adapter(deep: usize) -> Tensors {
    let mut tensors = Tensors::default();
    tensors.conv("conv_in", 4, deep);
    for block in 0..8 {
        tensors.conv(&format!("body.{block}.block1"), 4, 4);
        tensors.layer(&format!("body.{block}.block2"), &[4, 4, 1, 1]);
    }
    tensors.layer("body.2.in_conv", &[4, 4, 1, 1]);
    tensors
}

#[test]
fn adapters() {
    let spec = ProgramSpec::T2iAdapter { batch: 1, height: 48, width: 16 };
    let mut light = Tensors::default();
    for level in 0..4 {
        light.layer(&format!("body.{level}.in_conv"), &[2, if level == 0 { 64 } else { 4 }, 1, 1]);
        light.conv(&format!("body.{level}.body.0.block1"), 2, 2);
        light.conv(&format!("body.{level}.body.0.block2"), 2, 2);
        light.layer(&format!("body.{level}.out_conv"), &[4, 2, 1, 1]);
    }
    let texts = [adapter(192).text(spec), adapter(256).text(spec), light.text(spec)];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn tiny_autoencoder() {
    let mut tensors = Tensors::default();
    let block = |tensors: &mut Tensors, position: usize| {
        for conv in [0, 2, 4] {
            tensors.conv(&format!("{position}.conv.{conv}"), 8, 8);
        }
    };
    tensors.conv("1", 8, 4);
    block(&mut tensors, 3);
    tensors.add("5.weight", &[8, 8, 3, 3]);
    tensors.conv("6", 3, 8);
    let scale = Real::new(0.5).unwrap();
    let decoder = tensors.text(ProgramSpec::TaesdDecode { batch: 1, height: 2, width: 3, scale });

    let mut tensors = Tensors::default();
    tensors.conv("0", 8, 3);
    block(&mut tensors, 1);
    tensors.add("2.weight", &[8, 8, 3, 3]);
    tensors.conv("3", 4, 8);
    let encoder = tensors.text(ProgramSpec::TaesdEncode { batch: 1, height: 4, width: 6, scale });
    insta::assert_snapshot!([decoder, encoder].join("\n"));
}

/// No convolution between the network and the latent, no attention, two levels.
#[test]
fn autoencoder() {
    let mut tensors = Tensors::default();
    let block = |tensors: &mut Tensors, path: &str| {
        tensors.layer(&format!("{path}.norm1"), &[32]);
        tensors.conv(&format!("{path}.conv1"), 32, 32);
        tensors.layer(&format!("{path}.norm2"), &[32]);
        tensors.conv(&format!("{path}.conv2"), 32, 32);
    };
    for half in ["encoder", "decoder"] {
        block(&mut tensors, &format!("{half}.mid.block_1"));
        block(&mut tensors, &format!("{half}.mid.block_2"));
        tensors.layer(&format!("{half}.norm_out"), &[32]);
        let levels = if half == "encoder" { "down" } else { "up" };
        block(&mut tensors, &format!("{half}.{levels}.0.block.0"));
        block(&mut tensors, &format!("{half}.{levels}.1.block.0"));
    }
    tensors.conv("encoder.conv_in", 32, 3);
    tensors.conv("encoder.conv_out", 32, 32);
    tensors.conv("encoder.down.0.downsample.conv", 32, 32);
    tensors.conv("decoder.up.1.upsample.conv", 32, 32);
    tensors.conv("decoder.conv_in", 32, 16);
    tensors.conv("decoder.conv_out", 3, 32);
    let encoder = tensors.text(ProgramSpec::VaeEncode { batch: 1, height: 4, width: 6 });
    let decoder = tensors.text(ProgramSpec::VaeDecode { batch: 1, height: 2, width: 3 });
    insta::assert_snapshot!([encoder, decoder].join("\n"));
}

#[test]
fn upscaler() {
    let mut tensors = Tensors::default();
    tensors.conv("conv_first", 4, 12);
    for block in ["rdb1", "rdb2", "rdb3"] {
        for (index, out) in [2, 2, 2, 2, 4].into_iter().enumerate() {
            tensors.conv(&format!("body.0.{block}.conv{}", index + 1), out, 4 + 2 * index);
        }
    }
    for conv in ["conv_body", "conv_up1", "conv_up2", "conv_hr"] {
        tensors.conv(conv, 4, 4);
    }
    tensors.conv("conv_last", 3, 4);
    insta::assert_snapshot!(tensors.text(ProgramSpec::Upscale { batch: 1, height: 3, width: 4 }));
}

#[test]
fn sizes() {
    let tensors = Tensors::default();
    insta::assert_snapshot!(tensors.text(ProgramSpec::SizeEmbedding { batch: 2, width: 8, numbers: 6 }), @r"
    program size-embedding batch=2 width=8 numbers=6
      in %0 = pooled: f32[2, 8]
      in %1 = numbers: f32[2, 6]
      %2 = timestep-embedding channels=256 max-period=10000.0 %1 : f32[2, 1536]
      %3 = concat %0 %2 : f32[2, 1544]
      out y = %3
    ");
}
