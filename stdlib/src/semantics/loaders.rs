use floe_formats::Part;

use super::{Call, Gap, Loader, SemanticError, Semantics, Work, looked_at, unable};
use crate::facts::Fact;

pub(super) const ALL: &[Semantics] = &[
    Semantics::loads(
        "CheckpointLoaderSimple",
        Loader { file: "ckpt_name", folder: "checkpoints", parts: &Part::ALL },
        checkpoint_loader_simple,
    ),
    Semantics::reads("LoadImage", load_image),
];

fn checkpoint_loader_simple(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "ckpt_name";
    let Some(file) = call.model_file(input, "checkpoints")? else {
        let parts = ["MODEL", "CLIP", "VAE"].map(|name| Fact::Unknown(name.into()));
        return Ok(Work::gives(parts).lacking(Gap::File));
    };
    let gap = unable(input, &file);
    Ok(Work { gap, ..Work::gives(Part::ALL.map(|part| Fact::Part(part, file.clone()))) })
}

fn load_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "image";
    let size = call.string(input).map(|name| looked_at(input, call.world.picture(name))).transpose()?;
    let Some(size) = size.flatten() else {
        let (height, width) = (None, None);
        let image = Fact::Image { batch: Some(1), height, width, channels: Some(3) };
        return Ok(Work::gives([image, Fact::Mask { batch: Some(1), height, width }]).lacking(Gap::File));
    };
    let (height, width) = (size.height, size.width);
    // ComfyUI gives a mask of 64x64 zeros for a picture without transparency.
    let (mask_height, mask_width) = if size.alpha { (height, width) } else { (64, 64) };
    Ok(Work::gives([
        Fact::Image { batch: Some(1), height: Some(height), width: Some(width), channels: Some(3) },
        Fact::Mask { batch: Some(1), height: Some(mask_height), width: Some(mask_width) },
    ]))
}
