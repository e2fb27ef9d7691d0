use floe_formats::Role;

use super::{Call, Gap, Opened, SemanticError, Semantics, Work, looked_at};
use crate::facts::Fact;
use crate::part::{Loaded, Part};

pub(super) const ALL: &[Semantics] = &[
    Semantics::loads("CheckpointLoaderSimple", CHECKPOINT, checkpoint_loader_simple),
    Semantics::reads("LoadImage", load_image),
];

/// Parts of a checkpoint, in the order of the loader's outputs.
const CHECKPOINT: &[Part] = &[Part::Model, Part::Clip, Part::Vae];

fn checkpoint_loader_simple(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (input, folder) = ("ckpt_name", "checkpoints");
    let opened =
        call.model_file(input, folder, "a checkpoint", |file| file.contents.component(Role::Unet).is_some())?;
    Ok(parts(call, input, folder, CHECKPOINT, opened))
}

/// Parts of the file that an input names.
fn parts(
    call: &Call<'_>,
    input: &'static str,
    folder: &'static str,
    parts: &'static [Part],
    opened: Opened,
) -> Work {
    match opened {
        Opened::Seen(file) => Work::gives(
            parts.iter().map(|&part| Fact::Part(Loaded::of(part, &file).into())).collect::<Vec<_>>(),
        ),
        Opened::Unseen(gap) => {
            let name = call.string(input).unwrap_or_default();
            let unseen = |&part| Fact::Unseen { part, folder: folder.into(), file: name.to_owned() };
            Work::gives(parts.iter().map(unseen).collect::<Vec<_>>()).lacking(gap)
        }
    }
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
