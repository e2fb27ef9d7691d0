//! What a picture goes through before CLIP's vision encoder, in double precision: the shorter side becomes as long as the
//! encoder's, the middle is cut out, numbers are rounded to 8 bits and normalised.

const MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const DEVIATION: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// The picture `[height, width, 3]`, 0 to 1, as `[side, side, 3]`; it must not be larger than that.
pub(crate) fn centre(pixels: &[f64], [height, width]: [usize; 2], side: usize) -> Vec<f32> {
    let scale = side as f64 / height.min(width) as f64;
    let [rows, columns] = [height, width].map(|size| (scale * size as f64).round() as usize);
    let [top, left] = [(rows - side) / 2, (columns - side) / 2];
    let at = |i: usize| {
        let (channel, x, y) = (i % 3, i / 3 % side + left, i / (3 * side) + top);
        let mut sum = 0.0;
        for (row, of_row) in taps(y, height, rows) {
            for (column, of_column) in taps(x, width, columns) {
                sum += of_row * of_column * pixels[(row * width + column) * 3 + channel];
            }
        }
        let rounded = (sum * 255.0).clamp(0.0, 255.0).round_ties_even() / 255.0;
        ((rounded - MEAN[channel]) / DEVIATION[channel]) as f32
    };
    (0..side * side * 3).map(at).collect()
}

/// Cubic convolution (Keys 1981) with `a = -0.5`; outside of the picture there is nothing, and weights sum to one.
fn taps(to: usize, from_size: usize, to_size: usize) -> Vec<(usize, f64)> {
    let centre = (to as f64 + 0.5) * from_size as f64 / to_size as f64 - 0.5;
    let kernel = |x: f64| {
        let (a, x) = (-0.5, x.abs());
        if x <= 1.0 {
            (a + 2.0) * x.powi(3) - (a + 3.0) * x.powi(2) + 1.0
        } else {
            a * (x.powi(3) - 5.0 * x.powi(2) + 8.0 * x - 4.0)
        }
    };
    let inside = (-1..=2).map(|offset| centre.floor() + f64::from(offset));
    let inside = inside.filter(|&position| position >= 0.0 && position < from_size as f64);
    let taps: Vec<(usize, f64)> =
        inside.map(|position| (position as usize, kernel(centre - position))).collect();
    let total: f64 = taps.iter().map(|(_, weight)| weight).sum();
    taps.into_iter().map(|(position, weight)| (position, weight / total)).collect()
}
