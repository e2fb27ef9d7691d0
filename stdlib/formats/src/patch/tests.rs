use super::*;
use crate::{Contents, DType, TensorInfo};

fn header(tensors: &[(&str, &[usize])]) -> Header {
    let info = |shape: &[usize]| TensorInfo::new(DType::F16, shape.to_vec(), 0).unwrap();
    let tensors = tensors.iter().map(|&(name, shape)| (name.to_owned(), info(shape))).collect();
    Header { tensors, ..Header::default() }
}

fn lora(tensors: &[(&str, &[usize])]) -> Lora {
    Lora::of(&header(tensors)).unwrap().unwrap()
}

/// A patch of one layer by two matrices.
fn pair(layer: &str, rank: usize) -> Vec<Family> {
    let shape = [4, 4, 1, 1];
    let (down, up) = (format!("{layer}.lora_down.weight"), format!("{layer}.lora_up.weight"));
    lora(&[(&down, &shape[..rank]), (&up, &shape[..rank])]).families
}

#[test]
fn families_are_those_with_the_patched_layers() {
    use Family::{Sd1, Sd2, Sdxl, SdxlRefiner};
    assert_eq!(pair("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", 2), [Sd1, Sd2]);
    assert_eq!(pair("lora_unet_down_blocks_0_attentions_0_proj_in", 4), [Sd1]);
    assert_eq!(pair("lora_unet_down_blocks_0_attentions_0_proj_in", 2), [Sd2]);
    assert_eq!(pair("lora_unet_up_blocks_0_attentions_0_proj_in", 4), [Sd1], "of a model with fewer levels");
    assert_eq!(pair("unet.up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", 2), [Sdxl]);
    assert_eq!(pair("lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_q", 2), [Sdxl, SdxlRefiner]);
    assert_eq!(pair("lora_unet_output_blocks_2_1_transformer_blocks_0_attn1_to_q", 2), [Sdxl]);
    assert_eq!(pair("lora_unet_output_blocks_6_1_transformer_blocks_3_attn1_to_q", 2), [SdxlRefiner]);
    assert_eq!(pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 2), [Sdxl]);
    assert_eq!(pair("lora_te_text_model_encoder_layers_0_mlp_fc1", 2).len(), 4);
}

#[test]
fn methods_are_told_by_their_tensors() {
    let method = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("lora_unet_conv_in.{name}")).collect();
        let tensors: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), &[4, 4][..])).collect();
        lora(&tensors).modules[0].method().unwrap()
    };
    assert_eq!(method(&["lora_down.weight", "lora_up.weight", "alpha", "dora_scale"]), Method::LowRank);
    assert_eq!(method(&["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"]), Method::Hadamard);
    assert_eq!(method(&["lokr_w1", "lokr_w2_a", "lokr_w2_b"]), Method::Kronecker);
    assert_eq!(method(&["diff_b"]), Method::Difference);
    assert_eq!(method(&["w_norm", "b_norm"]), Method::Difference);
}

#[test]
fn half_a_patch_is_an_error() {
    let error = Lora::of(&header(&[
        ("lora_unet_conv_in.diff", &[4]),
        ("lora_unet_conv_out.lora_down.weight", &[4, 4]),
    ]));
    assert_eq!(
        error.unwrap_err().to_string(),
        "tensor `lora_unet_conv_out.lora_down.weight` does not fit: the other tensors of this patch are missing"
    );
    assert_eq!(Lora::of(&header(&[("x.alpha", &[])])).unwrap(), None);
}

#[test]
fn patches_of_other_families_are_named() {
    for (layer, what) in [
        ("lora_unet_double_blocks_0_img_attn_qkv", "a LoRA for a Flux model"),
        (
            "transformer.single_transformer_blocks.0.attn.to_q",
            "a LoRA for a model with a diffusion transformer",
        ),
        ("lora_unet_pathways_0_x", "a LoRA for a model of another family"),
    ] {
        let (down, up) = (format!("{layer}.lora_A.weight"), format!("{layer}.lora_B.weight"));
        let error = Contents::of(&header(&[(&down, &[4, 4]), (&up, &[4, 4])])).unwrap_err();
        assert_eq!(error, FormatError::Unsupported { what });
    }
}
