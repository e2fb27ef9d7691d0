use floe_formats::Part;

use super::{Call, Gap, Loader, SemanticError, Semantics, Work, looked_at, unable};
use crate::facts::Fact;

pub(super) const ALL: &[Semantics] = &[
    Semantics::loads("CheckpointLoaderSimple", CHECKPOINT, |call| model_parts(call, CHECKPOINT)),
    Semantics::reads("LoadImage", load_image),
    Semantics::reads("LoadImageMask", load_image_mask),
];

const CHECKPOINT: Loader = Loader { file: "ckpt_name", folder: "checkpoints", parts: &Part::ALL };

/// The parts of a model file.
fn model_parts(call: &Call<'_>, loader: Loader) -> Result<Work, SemanticError> {
    let (input, folder) = (loader.file, loader.folder);
    let Some(file) = call.model_file(input, folder)? else {
        let name = call.string(input).unwrap_or_default();
        let unseen = |&part| Fact::Unseen { part, folder: folder.into(), file: name.to_owned() };
        return Ok(Work::gives(loader.parts.iter().map(unseen).collect::<Vec<_>>()).lacking(Gap::File));
    };
    let parts = loader.parts.iter().map(|&part| Fact::Part(part, file.clone()));
    Ok(Work { gap: unable(input, &file), ..Work::gives(parts.collect::<Vec<_>>()) })
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

/// A channel of a picture has its size. Unlike `LoadImage`, ComfyUI gives every picture an alpha channel here.
fn load_image_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "image";
    let size = call.string(input).map(|name| looked_at(input, call.world.picture(name))).transpose()?;
    let (height, width) = size.flatten().map(|size| (size.height, size.width)).unzip();
    let work = Work::gives([Fact::Mask { batch: Some(1), height, width }]);
    Ok(if height.is_some() { work } else { work.lacking(Gap::File) })
}
