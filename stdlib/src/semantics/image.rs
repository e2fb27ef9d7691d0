use super::{Call, Purity, SemanticError, Semantics, Work};
use crate::facts::Fact;

pub(super) const SAVE_IMAGE: Semantics = Semantics {
    name: "SaveImage",
    purity: Purity::WritesFiles,
    loader: None,
    batchable: false,
    infer: save_image,
};

/// The output is the input, handed on.
fn save_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work { outputs: vec![call.fact("images").clone()], ..Work::default() })
}

pub(super) const IMAGE_INVERT: Semantics = Semantics {
    name: "ImageInvert",
    purity: Purity::Pure,
    loader: None,
    batchable: false,
    infer: image_invert,
};

fn image_invert(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work { outputs: vec![call.fact("image").clone()], ..Work::default() })
}

pub(super) const IMAGE_SCALE: Semantics = Semantics {
    name: "ImageScale",
    purity: Purity::Pure,
    loader: None,
    batchable: false,
    infer: image_scale,
};

fn image_scale(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (batch, height, width) = image(call, "image");
    let (height, width) = scaled((height, width), call.int("height"), call.int("width"));
    Ok(Work { outputs: vec![Fact::Image { batch, height, width }], ..Work::default() })
}

/// Height and width of a scaled picture: a size of 0 follows from the other one, to the nearest pixel; two of them
/// leave the picture as it is.
fn scaled((height, width): (usize, usize), wanted_height: usize, wanted_width: usize) -> (usize, usize) {
    let follow = |size: usize, from: usize, to: usize| {
        ((size as f64 * to as f64 / from.max(1) as f64).round_ties_even() as usize).max(1)
    };
    match (wanted_height, wanted_width) {
        (0, 0) => (height, width),
        (0, wide) => (follow(height, width, wide), wide),
        (high, 0) => (high, follow(width, height, high)),
        size => size,
    }
}

/// Batch, height and width of a picture.
pub(super) fn image(call: &Call<'_>, input: &str) -> (usize, usize, usize) {
    match *call.fact(input) {
        Fact::Image { batch, height, width } => (batch, height, width),
        ref other => panic!("`{input}` is an Image, not {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn a_size_of_zero_keeps_the_proportions() {
        assert_eq!(scaled((48, 64), 0, 0), (48, 64));
        assert_eq!(scaled((48, 64), 0, 32), (24, 32));
        assert_eq!(scaled((48, 64), 96, 0), (96, 128));
        assert_eq!(scaled((1, 1000), 0, 10), (1, 10));
        // Halves go to the even number.
        assert_eq!(scaled((2, 5), 1, 0), (1, 2));
    }
}
