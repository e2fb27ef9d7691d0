//! Linear multistep methods: directions of earlier steps are remembered.
//!
//! Sources: E. Hairer et al., "Solving Ordinary Differential Equations I", III.1 and III.5 (Adams-Bashforth with even
//! and uneven steps); Q. Zhang and Y. Chen, "Fast Sampling of Diffusion Models with Exponential Integrator" (2022)
//! for iPNDM.

use super::math::to_direction;
use super::{Denoiser, Frame, Outcome};

/// Highest order of iPNDM and DEIS.
pub(super) const MAX_ORDER: usize = 4;

/// Directions, the newest first. Cuts the working memory into `order` buffers.
pub(super) fn history(work: &mut [f32], len: usize, order: usize) -> Vec<&mut [f32]> {
    work.chunks_exact_mut(len).take(order).collect()
}

/// `x + scale * sum of weight * direction`, the newest first.
fn advance(x: &mut [f32], scale: f32, weights: &[f32], history: &[&mut [f32]]) {
    for (i, x) in x.iter_mut().enumerate() {
        let parts = weights.iter().zip(history).map(|(weight, direction)| weight * direction[i]);
        *x += scale * parts.reduce(|sum, part| sum + part).unwrap_or(0.0);
    }
}

/// Goes along the last directions. `weigh` fills in the weights of those that are known, the newest first, for the step of
/// an index, and says what their sum is multiplied by.
fn multistep<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    order: usize,
    weigh: impl Fn(&[f32], usize, &mut [f32]) -> f32,
) -> Outcome<D> {
    let mut history = history(work, x.len(), order);
    let mut weights = vec![0.0; history.len()];
    for index in 0..frame.steps() {
        history.rotate_right(1);
        if frame.predict_or_end(index, x, history[0])? {
            continue;
        }
        to_direction(history[0], x, frame.sigmas[index]);
        let known = history.len().min(index + 1);
        let scale = weigh(frame.sigmas, index, &mut weights[..known]);
        advance(x, scale, &weights[..known], &history);
    }
    Ok(())
}

/// Integrates the polynomial through the last directions over sigma.
pub(super) fn lms<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    order: usize,
) -> Outcome<D> {
    multistep(frame, x, work, order.max(1), |sigmas, index, weights| {
        let known = weights.len();
        for (back, weight) in weights.iter_mut().enumerate() {
            *weight = lagrange_integral(sigmas, index, known, back) as f32;
        }
        1.0
    })
}

/// The integral from `sigmas[index]` to the next of the polynomial that is 1 at the sigma `back` steps ago and 0 at the
/// other `order - 1`: exact, by Gauss-Legendre with as many points as needed, in panels that keep it so.
fn lagrange_integral(sigmas: &[f32], index: usize, order: usize, back: usize) -> f64 {
    let at = |back: usize| f64::from(sigmas[index - back]);
    let value = |tau: f64| {
        let others = (0..order).filter(|&k| k != back);
        others.map(|k| (tau - at(k)) / (at(back) - at(k))).product::<f64>()
    };
    let (from, to) = (at(0), f64::from(sigmas[index + 1]));
    // Eight panels of four points: exact to degree 7, and beyond that far below f32's resolution.
    const PANELS: usize = 8;
    let width = (to - from) / PANELS as f64;
    (0..PANELS)
        .map(|panel| {
            let middle = from + width * (panel as f64 + 0.5);
            let points = GAUSS_4.iter().map(|(point, weight)| {
                weight * (value(middle - point * width / 2.0) + value(middle + point * width / 2.0))
            });
            points.sum::<f64>() * width / 2.0
        })
        .sum()
}

/// Points and weights of Gauss-Legendre quadrature of four points on [-1, 1], one of each pair.
const GAUSS_4: [(f64, f64); 2] = [
    (0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
    (0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
];

/// Weights of the last directions, the newest first, for a step of the given index.
pub(super) type Weights = fn(sigmas: &[f32], index: usize, order: usize) -> [f32; MAX_ORDER];

pub(super) fn ipndm<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    order: usize,
    weights: Weights,
) -> Outcome<D> {
    multistep(frame, x, work, order.clamp(1, MAX_ORDER), |sigmas, index, known| {
        known.copy_from_slice(&weights(sigmas, index, known.len())[..known.len()]);
        sigmas[index + 1] - sigmas[index]
    })
}

/// Adams-Bashforth as if all steps were of one size.
pub(super) fn even(_sigmas: &[f32], _index: usize, order: usize) -> [f32; MAX_ORDER] {
    match order {
        1 => [1.0, 0.0, 0.0, 0.0],
        2 => [1.5, -0.5, 0.0, 0.0],
        3 => [23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0, 0.0],
        _ => [55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
    }
}

/// The weights for the real sizes of the steps. From order 3 on they are not those of Adams-Bashforth but what the
/// authors' code makes of them, which the reference computes: a factor of the second difference is
/// `(1 - a b) / 2` in place of `(1 - a) b / 2`, and the oldest weight has another ratio of steps.
pub(super) fn uneven(sigmas: &[f32], index: usize, order: usize) -> [f32; MAX_ORDER] {
    let step = |back: usize| sigmas[index + 1 - back] - sigmas[index - back];
    if order == 1 {
        return [1.0, 0.0, 0.0, 0.0];
    }
    let (h, h_1) = (step(0), step(1));
    let first = h / h_1 / 2.0;
    if order == 2 {
        return [1.0 + first, -first, 0.0, 0.0];
    }
    let h_2 = step(2);
    let ratio = h_1 / h_2;
    let second = (1.0 - h / (3.0 * (h + h_1)) * (h * (h + h_1)) / (h_1 * (h_1 + h_2))) / 2.0;
    if order == 3 {
        return [1.0 + first + second, -first - (1.0 + ratio) * second, ratio * second, 0.0];
    }
    let h_3 = step(3);
    let spread = (h * (h + h_1) * (h + h_1 + h_2)) / (h_1 * (h_1 + h_2) * (h_1 + h_2 + h_3));
    let third = ((1.0 - h / (3.0 * (h + h_1))) / 2.0
        + (1.0 - h / (2.0 * (h + h_1))) * h / (6.0 * (h + h_1 + h_2)))
        * spread;
    let far = h_1 * (h_1 + h_2) / (h_2 * (h_2 + h_3));
    [
        1.0 + first + second + third,
        -first - (1.0 + ratio) * second - (1.0 + ratio + far) * third,
        ratio * second + (ratio + far * (1.0 + h_2 / h_3)) * third,
        -third * far * ratio,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_steps_have_the_classical_weights() {
        let sigmas = [5.0, 4.0, 3.0, 2.0, 1.0];
        for order in 1..=4 {
            let exact = |back| -(lagrange_integral(&sigmas, 3, order, back) as f32);
            let even = even(&sigmas, 3, order);
            assert!(
                (0..order).all(|back| (even[back] - exact(back)).abs() < 1e-6),
                "order {order}: {even:?}"
            );
        }
    }

    #[test]
    fn up_to_order_two_uneven_steps_are_exact() {
        let sigmas = [5.0, 4.5, 3.0, 2.0];
        let weights = uneven(&sigmas, 2, 2);
        for (back, weight) in weights[..2].iter().enumerate() {
            assert!((weight + lagrange_integral(&sigmas, 2, 2, back) as f32).abs() < 1e-6);
        }
    }
}
