//! Gaussian blur. Beyond the edge a picture is mirrored at its outermost pixels, as torch's `reflect` does; what is
//! wider than the picture is mirrored again.

/// The index of a pixel beyond the edge.
fn mirrored(index: isize, len: usize) -> usize {
    let last = len as isize - 1;
    if last <= 0 {
        return 0;
    }
    let at = index.rem_euclid(2 * last);
    at.min(2 * last - at) as usize
}

/// Weights of a Gaussian from `-radius` to `radius`, with a sum of 1.
pub(crate) fn gaussian(radius: usize, deviation: f64) -> Vec<f32> {
    let exact: Vec<f64> = (0..=2 * radius)
        .map(|at| at as f64 - radius as f64)
        .map(|x| libm::exp(-(x * x) / (2.0 * deviation * deviation)))
        .collect();
    let sum: f64 = exact.iter().sum();
    exact.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// Blurs a picture of `[width, height, channels]`, rows first. `columns` is working memory of its size; `weights` an odd
/// number of weights.
///
/// # Panics
/// If a slice is shorter than the picture.
pub(crate) fn blur(
    from: &[f32],
    to: &mut [f32],
    columns: &mut [f32],
    [width, height, channels]: [usize; 3],
    weights: &[f32],
) {
    let (row, radius) = (width * channels, (weights.len() / 2) as isize);
    let near = |at: usize, len: usize| -> Vec<usize> {
        (0..weights.len()).map(|tap| mirrored(at as isize + tap as isize - radius, len)).collect()
    };
    for x in 0..width {
        let taps = near(x, width);
        for y in 0..height {
            let from = &from[y * row..(y + 1) * row];
            for c in 0..channels {
                let values = taps.iter().zip(weights);
                columns[y * row + x * channels + c] =
                    values.fold(0.0, |sum, (&x, weight)| sum + from[x * channels + c] * weight);
            }
        }
    }
    for (y, out) in to.chunks_exact_mut(row).take(height).enumerate() {
        out.fill(0.0);
        for (from, weight) in near(y, height).into_iter().zip(weights) {
            let values = &columns[from * row..(from + 1) * row];
            out.iter_mut().zip(values).for_each(|(out, value)| *out += value * weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_have_no_double_edge() {
        let mirror: Vec<usize> = (-4..8).map(|at| mirrored(at, 4)).collect();
        assert_eq!(mirror, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirrored(-3, 1), 0);
    }

    #[test]
    fn an_even_picture_stays_as_it_is() {
        for (width, height) in [(1, 1), (1, 5), (3, 2)] {
            let even = vec![0.5f32; width * height * 3];
            let (mut out, mut memory) = (vec![9.0; even.len()], vec![9.0; even.len()]);
            blur(&even, &mut out, &mut memory, [width, height, 3], &gaussian(31, 20.0));
            assert!(out.iter().all(|value| (value - 0.5).abs() < 1e-5), "{out:?}");
        }
    }

    #[test]
    fn a_dot_becomes_the_weights() {
        let weights = gaussian(1, 1.0);
        let mut dot = vec![0.0; 25];
        dot[12] = 1.0;
        let (mut out, mut memory) = (vec![9.0; 25], vec![9.0; 25]);
        blur(&dot, &mut out, &mut memory, [5, 5, 1], &weights);
        assert_eq!(out[6..9], [0, 1, 2].map(|x| weights[x] * weights[0]));
        assert_eq!(out.iter().filter(|&&value| value != 0.0).count(), 9);
    }
}
