use super::{Call, SemanticError, Semantics, Work};
use crate::facts::{Fact, Size};

pub(super) const ALL: &[Semantics] = &[
    Semantics::writes("SaveImage", save_image),
    Semantics::pure("ImageInvert", image_invert),
    Semantics::pure("ImageScale", image_scale),
];

/// The output is the input, handed on.
fn save_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.fact("images").clone()]))
}

fn image_invert(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.fact("image").clone()]))
}

fn image_scale(call: &Call<'_>) -> Result<Work, SemanticError> {
    let [batch, height, width, channels] = call.image("image");
    let (height, width) = scaled((height, width), call.int("height"), call.int("width"));
    Ok(Work::gives([Fact::Image { batch, height, width, channels }]))
}

/// Height and width of a scaled picture: a size of 0 follows from the other one, to the nearest pixel; two of them
/// leave the picture as it is.
fn scaled((height, width): (Size, Size), wanted_height: Size, wanted_width: Size) -> (Size, Size) {
    let follow = |size: Size, from: Size, to: usize| {
        let size = size? as f64 * to as f64 / from?.max(1) as f64;
        Some((size.round_ties_even() as usize).max(1))
    };
    match (wanted_height, wanted_width) {
        (Some(0), Some(0)) => (height, width),
        (Some(0), Some(wide)) => (follow(height, width, wide), Some(wide)),
        (Some(high), Some(0)) => (Some(high), follow(width, height, high)),
        // A size that is not known may be 0.
        (high, wide) => (high.filter(|&high| high > 0), wide.filter(|&wide| wide > 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn a_size_of_zero_keeps_the_proportions() {
        let scaled =
            |(height, width), high, wide| scaled((Some(height), Some(width)), Some(high), Some(wide));
        let size = |height, width| (Some(height), Some(width));
        assert_eq!(scaled((48, 64), 0, 0), size(48, 64));
        assert_eq!(scaled((48, 64), 0, 32), size(24, 32));
        assert_eq!(scaled((48, 64), 96, 0), size(96, 128));
        assert_eq!(scaled((1, 1000), 0, 10), size(1, 10));
        // Halves go to the even number.
        assert_eq!(scaled((2, 5), 1, 0), size(1, 2));
    }

    #[test]
    fn what_is_not_known_is_not_invented() {
        assert_eq!(scaled((None, Some(64)), Some(0), Some(32)), (None, Some(32)));
        assert_eq!(scaled((Some(48), Some(64)), None, Some(0)), (None, None));
        assert_eq!(scaled((None, None), Some(32), Some(16)), (Some(32), Some(16)));
    }
}
