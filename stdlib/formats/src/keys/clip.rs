//! Names of CLIP's encoders: Hugging Face's, which are the canonical ones, and OpenCLIP's.

use super::{KeyMap, Source, index, swap};
use crate::Header;

/// Names inside of a layer, canonical first.
const LAYER: [(&str, &str); 5] = [
    ("layer_norm1.", "ln_1."),
    ("layer_norm2.", "ln_2."),
    ("self_attn.out_proj.", "attn.out_proj."),
    ("mlp.fc1.", "mlp.c_fc."),
    ("mlp.fc2.", "mlp.c_proj."),
];

/// Names of the text encoder outside of its layers.
const TEXT: [(&str, &str); 3] = [
    ("embeddings.token_embedding.", "token_embedding."),
    ("embeddings.position_embedding.weight", "positional_embedding"),
    ("final_layer_norm.", "ln_final."),
];

/// Names of the vision encoder outside of its layers.
const VISION: [(&str, &str); 5] = [
    ("embeddings.class_embedding", "class_embedding"),
    ("embeddings.patch_embedding.", "conv1."),
    ("embeddings.position_embedding.weight", "positional_embedding"),
    ("pre_layrnorm.", "ln_pre."),
    ("post_layernorm.", "ln_post."),
];

/// The text encoder whose tensors lie below `prefix` in Hugging Face's names, with the projection that lies below
/// `outer`.
pub(crate) fn text(header: &Header, prefix: &str, outer: &str) -> KeyMap {
    hugging_face(header, prefix, outer, "text_projection")
}

/// The same for the vision encoder.
pub(crate) fn vision(header: &Header, prefix: &str, outer: &str) -> KeyMap {
    hugging_face(header, prefix, outer, "visual_projection")
}

fn hugging_face(header: &Header, prefix: &str, outer: &str, projection: &str) -> KeyMap {
    let known = ["embeddings.", "encoder.", "final_layer_norm.", "pre_layrnorm.", "post_layernorm."];
    let mut map = KeyMap::renamed(header, prefix, |name| {
        let wanted = known.iter().any(|start| name.starts_with(start)) && !name.ends_with("position_ids");
        wanted.then(|| name.to_owned())
    });
    let tensor = format!("{outer}{projection}.weight");
    if header.has(&tensor) {
        map.add(format!("{projection}.weight"), Source { tensor, rows: None, transposed: false });
    }
    map
}

/// The text encoder whose tensors lie below `prefix` in OpenCLIP's names.
pub(crate) fn open_clip_text(header: &Header, prefix: &str) -> KeyMap {
    open_clip(header, prefix, &TEXT, "text_projection", "text_projection")
}

/// The vision encoder whose tensors lie below `prefix` in OpenCLIP's names.
pub(crate) fn open_clip_vision(header: &Header, prefix: &str) -> KeyMap {
    open_clip(header, prefix, &VISION, "proj", "visual_projection")
}

fn open_clip(header: &Header, prefix: &str, top: &[(&str, &str)], theirs: &str, ours: &str) -> KeyMap {
    let mut map = KeyMap::renamed(header, prefix, |name| {
        if let Some(name) = top.iter().find_map(|(ours, theirs)| swap(name, theirs, ours)) {
            return Some(name);
        }
        let (layer, rest) = index(name.strip_prefix("transformer.resblocks.")?)?;
        let rest = LAYER.iter().find_map(|(ours, theirs)| swap(rest, theirs, ours))?;
        Some(format!("encoder.layers.{layer}.{rest}"))
    });
    for (name, info) in header.below(prefix) {
        let Some((layer, rest)) = name.strip_prefix("transformer.resblocks.").and_then(index) else {
            continue;
        };
        let Some(kind) = rest.strip_prefix("attn.in_proj_") else { continue };
        // One tensor holds the rows of query, key and value, in this order.
        let rows = info.shape.first().copied().unwrap_or(0) / 3;
        for (place, part) in ["q_proj", "k_proj", "v_proj"].iter().enumerate() {
            let rows = Some(place * rows..(place + 1) * rows);
            let source = Source { tensor: format!("{prefix}{name}"), rows, transposed: false };
            map.add(format!("encoder.layers.{layer}.self_attn.{part}.{kind}"), source);
        }
    }
    // A bare matrix multiplies from the right, a layer's weight from the left.
    for (tensor, transposed) in
        [(format!("{prefix}{theirs}"), true), (format!("{prefix}{theirs}.weight"), false)]
    {
        if header.has(&tensor) {
            map.add(format!("{ours}.weight"), Source { tensor, rows: None, transposed });
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{DType, TensorInfo};

    fn header(tensors: &[(&str, &[usize])]) -> Header {
        let mut start = 0;
        let mut place = |&(name, shape): &(&str, &[usize])| {
            let info = TensorInfo::new(DType::F16, shape.to_vec(), start).unwrap();
            start = info.end();
            (name.to_owned(), info)
        };
        let tensors: BTreeMap<_, _> = tensors.iter().map(&mut place).collect();
        Header { tensors, file_bytes: start, ..Header::default() }
    }

    #[test]
    fn query_key_and_value_are_rows_of_one_tensor() {
        let file = header(&[
            ("m.transformer.resblocks.0.attn.in_proj_weight", &[6, 2]),
            ("m.transformer.resblocks.0.attn.in_proj_bias", &[6]),
            ("m.transformer.resblocks.0.mlp.c_fc.weight", &[8, 2]),
            ("m.text_projection", &[2, 3]),
            ("m.logit_scale", &[]),
        ]);
        let view = open_clip_text(&file, "m.").view(&file).unwrap();
        let places = view.tensors.iter().map(|(name, info)| {
            let turned = if info.transposed { " transposed" } else { "" };
            format!("{name} {:?} {}..{}{turned}", info.shape, info.start, info.end())
        });
        assert_eq!(
            places.collect::<Vec<_>>(),
            [
                "encoder.layers.0.mlp.fc1.weight [8, 2] 36..68",
                "encoder.layers.0.self_attn.k_proj.bias [2] 28..32",
                "encoder.layers.0.self_attn.k_proj.weight [2, 2] 8..16",
                "encoder.layers.0.self_attn.q_proj.bias [2] 24..28",
                "encoder.layers.0.self_attn.q_proj.weight [2, 2] 0..8",
                "encoder.layers.0.self_attn.v_proj.bias [2] 32..36",
                "encoder.layers.0.self_attn.v_proj.weight [2, 2] 16..24",
                "text_projection.weight [3, 2] 68..80 transposed",
            ]
        );
    }

    #[test]
    fn hugging_faces_names_are_canonical_without_indices() {
        let file = header(&[
            ("text_model.embeddings.position_ids", &[1, 77]),
            ("text_model.embeddings.token_embedding.weight", &[9, 2]),
            ("text_model.encoder.layers.0.mlp.fc1.bias", &[8]),
            ("text_projection.weight", &[2, 2]),
            ("vision_model.pre_layrnorm.bias", &[2]),
        ]);
        let map = text(&file, "text_model.", "");
        let keys: Vec<&str> = map.iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            ["embeddings.token_embedding.weight", "encoder.layers.0.mlp.fc1.bias", "text_projection.weight"]
        );
    }
}
