//! Stable Diffusion 1 in its real size, as the shapes of its file: what passes do to the programs that people run.

use std::collections::BTreeMap;

use floe_formats::{DType, Header, Role, TensorInfo};

use crate::ir::Program;
use crate::spec::{PassSet, ProgramSpec};
use crate::weights::Weights;

/// Widths of the levels, in units of the first.
const MULTIPLES: [usize; 4] = [1, 2, 4, 4];

/// Width of the network at its first level.
const WIDTH: usize = 320;

/// Width of the time embedding.
const TIME: usize = 1280;

/// Width of the prompt.
const CONTEXT: usize = 768;

/// Width of the autoencoder at its first level.
const PICTURE: usize = 128;

/// The program of a network after all passes.
pub(super) fn program(spec: ProgramSpec) -> Program {
    let mut tensors = Tensors::default();
    tensors.unet();
    tensors.autoencoder();
    let header = Header { tensors: tensors.0, ..Header::default() };
    let prefix = if spec.role() == Role::Unet { "unet." } else { "vae." };
    let mut program = spec.build(Weights { header: &header, prefix }).expect("the file is whole");
    PassSet::DEFAULT.run(&mut program);
    program
}

#[derive(Default)]
struct Tensors(BTreeMap<String, TensorInfo>);

impl Tensors {
    fn add(&mut self, key: String, shape: &[usize]) {
        let info = TensorInfo::new(DType::F16, shape.to_vec(), 0).expect("no tensor is that large");
        self.0.insert(key, info);
    }

    fn weights(&mut self, path: &str, weight: &[usize]) {
        self.add(format!("{path}.weight"), weight);
        self.add(format!("{path}.bias"), &weight[..1]);
    }

    fn conv(&mut self, path: &str, from: usize, to: usize, side: usize) {
        self.weights(path, &[to, from, side, side]);
    }

    fn unet(&mut self) {
        self.weights("unet.time_embed.0", &[TIME, WIDTH]);
        self.weights("unet.time_embed.2", &[TIME, TIME]);
        self.conv("unet.input_blocks.0.0", 4, WIDTH, 3);
        let (mut width, mut block, mut skips) = (WIDTH, 1, vec![WIDTH]);
        for (level, multiple) in MULTIPLES.into_iter().enumerate() {
            if level > 0 {
                self.conv(&format!("unet.input_blocks.{block}.0.op"), width, width, 3);
                skips.push(width);
                block += 1;
            }
            for _ in 0..2 {
                self.block(&format!("unet.input_blocks.{block}"), width, WIDTH * multiple, level < 3);
                width = WIDTH * multiple;
                skips.push(width);
                block += 1;
            }
        }
        self.block("unet.middle_block", width, width, true);
        self.residual("unet.middle_block.2", width, width);
        for (block, skip) in skips.into_iter().rev().enumerate() {
            let level = 3 - block / 3;
            let path = format!("unet.output_blocks.{block}");
            self.block(&path, width + skip, WIDTH * MULTIPLES[level], level < 3);
            width = WIDTH * MULTIPLES[level];
            if block % 3 == 2 && level > 0 {
                self.conv(&format!("{path}.{}.conv", if level < 3 { 2 } else { 1 }), width, width, 3);
            }
        }
        self.weights("unet.out.0", &[width]);
        self.conv("unet.out.2", width, 4, 3);
    }

    /// A residual block, and a transformer where there is one.
    fn block(&mut self, path: &str, from: usize, to: usize, attends: bool) {
        self.residual(&format!("{path}.0"), from, to);
        if attends {
            self.transformer(&format!("{path}.1"), to);
        }
    }

    fn residual(&mut self, path: &str, from: usize, to: usize) {
        self.weights(&format!("{path}.in_layers.0"), &[from]);
        self.conv(&format!("{path}.in_layers.2"), from, to, 3);
        self.weights(&format!("{path}.emb_layers.1"), &[to, TIME]);
        self.weights(&format!("{path}.out_layers.0"), &[to]);
        self.conv(&format!("{path}.out_layers.3"), to, to, 3);
        if from != to {
            self.conv(&format!("{path}.skip_connection"), from, to, 1);
        }
    }

    fn transformer(&mut self, path: &str, width: usize) {
        self.weights(&format!("{path}.norm"), &[width]);
        self.conv(&format!("{path}.proj_in"), width, width, 1);
        self.conv(&format!("{path}.proj_out"), width, width, 1);
        let block = format!("{path}.transformer_blocks.0");
        for (attention, from) in [("attn1", width), ("attn2", CONTEXT)] {
            self.add(format!("{block}.{attention}.to_q.weight"), &[width, width]);
            self.add(format!("{block}.{attention}.to_k.weight"), &[width, from]);
            self.add(format!("{block}.{attention}.to_v.weight"), &[width, from]);
            self.weights(&format!("{block}.{attention}.to_out.0"), &[width, width]);
        }
        for norm in ["norm1", "norm2", "norm3"] {
            self.weights(&format!("{block}.{norm}"), &[width]);
        }
        self.weights(&format!("{block}.ff.net.0.proj"), &[8 * width, width]);
        self.weights(&format!("{block}.ff.net.2"), &[width, 4 * width]);
    }

    fn autoencoder(&mut self) {
        self.conv("vae.quant_conv", 8, 8, 1);
        self.conv("vae.post_quant_conv", 4, 4, 1);
        self.conv("vae.encoder.conv_in", 3, PICTURE, 3);
        let mut width = PICTURE;
        for (level, multiple) in MULTIPLES.into_iter().enumerate() {
            let path = format!("vae.encoder.down.{level}");
            width = self.picture_level(&path, 2, width, PICTURE * multiple);
            if level < 3 {
                self.conv(&format!("{path}.downsample.conv"), width, width, 3);
            }
        }
        self.picture_ends("vae.encoder", width, width, 8);
        self.conv("vae.decoder.conv_in", 4, width, 3);
        let widest = width;
        for (level, multiple) in MULTIPLES.into_iter().enumerate().rev() {
            let path = format!("vae.decoder.up.{level}");
            width = self.picture_level(&path, 3, width, PICTURE * multiple);
            if level > 0 {
                self.conv(&format!("{path}.upsample.conv"), width, width, 3);
            }
        }
        self.picture_ends("vae.decoder", widest, width, 3);
    }

    /// The blocks of one level; the width after them.
    fn picture_level(&mut self, path: &str, blocks: usize, from: usize, to: usize) -> usize {
        for block in 0..blocks {
            self.picture_residual(&format!("{path}.block.{block}"), if block == 0 { from } else { to }, to);
        }
        to
    }

    /// The middle of a half and its last layers.
    fn picture_ends(&mut self, path: &str, middle: usize, width: usize, channels: usize) {
        self.picture_residual(&format!("{path}.mid.block_1"), middle, middle);
        self.picture_residual(&format!("{path}.mid.block_2"), middle, middle);
        self.weights(&format!("{path}.mid.attn_1.norm"), &[middle]);
        for name in ["q", "k", "v", "proj_out"] {
            self.conv(&format!("{path}.mid.attn_1.{name}"), middle, middle, 1);
        }
        self.weights(&format!("{path}.norm_out"), &[width]);
        self.conv(&format!("{path}.conv_out"), width, channels, 3);
    }

    fn picture_residual(&mut self, path: &str, from: usize, to: usize) {
        self.weights(&format!("{path}.norm1"), &[from]);
        self.conv(&format!("{path}.conv1"), from, to, 3);
        self.weights(&format!("{path}.norm2"), &[to]);
        self.conv(&format!("{path}.conv2"), to, to, 3);
        if from != to {
            self.conv(&format!("{path}.nin_shortcut"), from, to, 1);
        }
    }
}
