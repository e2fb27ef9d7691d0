use floe_formats::Part;

use super::{Call, Loader, Purity, SemanticError, Semantics, Work, runnable};
use crate::facts::Fact;

pub(super) const CHECKPOINT_LOADER_SIMPLE: Semantics = Semantics {
    name: "CheckpointLoaderSimple",
    purity: Purity::ReadsFiles,
    loader: Some(Loader { file: "ckpt_name", folder: "checkpoints", parts: &Part::ALL }),
    batchable: false,
    infer: checkpoint_loader_simple,
};

fn checkpoint_loader_simple(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "ckpt_name";
    let file = call
        .world
        .model("checkpoints", call.string(input))
        .map_err(|error| SemanticError::File { input, error })?;
    runnable(input, &file)?;
    let outputs = Part::ALL.map(|part| Fact::Part(part, file.clone())).to_vec();
    Ok(Work { outputs, ..Work::default() })
}

pub(super) const LOAD_IMAGE: Semantics = Semantics {
    name: "LoadImage",
    purity: Purity::ReadsFiles,
    loader: None,
    batchable: false,
    infer: load_image,
};

fn load_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "image";
    let size =
        call.world.picture(call.string(input)).map_err(|error| SemanticError::File { input, error })?;
    let (height, width) = (size.height, size.width);
    // ComfyUI gives a mask of 64x64 zeros for a picture without transparency.
    let (mask_height, mask_width) = if size.alpha { (height, width) } else { (64, 64) };
    let outputs = vec![
        Fact::Image { batch: 1, height, width },
        Fact::Mask { batch: 1, height: mask_height, width: mask_width },
    ];
    Ok(Work { outputs, ..Work::default() })
}
