//! Edges of grey pictures: J. Canny, A computational approach to edge detection (1986), with the arithmetic of the
//! kornia library, which ComfyUI uses.

use crate::blur::{blur, gaussian};

/// Pixels on each side of one that is blurred; the standard deviation is one pixel.
const BLUR: usize = 2;

/// Added to squared strengths before their root.
const EPSILON: f32 = 1e-6;

/// The eight neighbours, by the direction of the gradient in eighths of a turn: to the right, right and down, down, …
const NEIGHBOURS: [(isize, isize); 8] =
    [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)];

/// A grey picture and working memory of its size.
pub struct Planes<'a> {
    /// The picture; afterwards 1 on edges, 0 elsewhere.
    pub grey: &'a mut [f32],
    /// Anything.
    pub blurred: &'a mut [f32],
    /// Anything.
    pub strength: &'a mut [f32],
    /// Anything.
    pub direction: &'a mut [f32],
}

/// Finds edges that are stronger than `high`, and those stronger than `low` that join them.
///
/// # Panics
/// If a plane is smaller than the picture.
pub fn edges(planes: Planes<'_>, width: usize, height: usize, low: f32, high: f32) {
    let Planes { grey, blurred, strength, direction } = planes;
    let size = (width, height);
    blur(grey, blurred, direction, [width, height, 1], &gaussian(BLUR, 1.0));
    gradients(blurred, strength, direction, size);
    // The blurred picture is done with: it takes 0.5 for weak edges and 1 for strong ones.
    thin(strength, direction, blurred, size, (low, high));
    follow(blurred, size);
    for (edge, &found) in grey.iter_mut().zip(blurred.iter()) {
        *edge = if found == 1.0 { 1.0 } else { 0.0 };
    }
}

/// Strength and direction of the gradient by I. Sobel's operator. Edges of the picture are repeated.
fn gradients(from: &[f32], strength: &mut [f32], direction: &mut [f32], (width, height): (usize, usize)) {
    for y in 0..height {
        for x in 0..width {
            let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)];
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
            let at = |row: usize, column: usize| from[rows[row] * width + columns[column]];
            let dx = (at(0, 2) - at(0, 0)) + 2.0 * (at(1, 2) - at(1, 0)) + (at(2, 2) - at(2, 0));
            let dy = (at(2, 0) - at(0, 0)) + 2.0 * (at(2, 1) - at(0, 1)) + (at(2, 2) - at(0, 2));
            strength[y * width + x] = (dx * dx + dy * dy + EPSILON).sqrt();
            let degrees = 180.0 * libm::atan2f(dy, dx) / std::f32::consts::PI;
            direction[y * width + x] = (degrees / 45.0).round_ties_even().rem_euclid(8.0);
        }
    }
}

/// Keeps what is stronger than its neighbours on both sides along the gradient. Outside there is nothing.
fn thin(
    strength: &[f32],
    direction: &[f32],
    edges: &mut [f32],
    (width, height): (usize, usize),
    (low, high): (f32, f32),
) {
    for y in 0..height {
        for x in 0..width {
            let own = strength[y * width + x];
            let ahead = direction[y * width + x] as usize % 8;
            let weaker =
                |ahead: usize| own > neighbour(x, y, ahead, (width, height)).map_or(0.0, |at| strength[at]);
            let kept = if weaker(ahead) && weaker((ahead + 4) % 8) { own } else { 0.0 };
            edges[y * width + x] = if kept > low { 0.5 } else { 0.0 } + if kept > high { 0.5 } else { 0.0 };
        }
    }
}

fn neighbour(x: usize, y: usize, ahead: usize, (width, height): (usize, usize)) -> Option<usize> {
    let (dx, dy) = NEIGHBOURS[ahead];
    let (x, y) = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
    (x < width && y < height).then_some(y * width + x)
}

/// Makes weak edges strong that join strong ones. What is still to be looked at is a list within the edges: each pixel
/// is on it once.
fn follow(edges: &mut [f32], (width, height): (usize, usize)) {
    let mut open: Vec<usize> = (0..edges.len()).filter(|&at| edges[at] == 1.0).collect();
    while let Some(at) = open.pop() {
        for ahead in 0..8 {
            if let Some(other) = neighbour(at % width, at / width, ahead, (width, height))
                && edges[other] == 0.5
            {
                edges[other] = 1.0;
                open.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(grey: &[f32], width: usize, height: usize) -> Vec<f32> {
        let mut grey = grey.to_vec();
        let [mut blurred, mut strength, mut direction] = [(); 3].map(|()| vec![9.0; grey.len()]);
        let planes = Planes {
            grey: &mut grey,
            blurred: &mut blurred,
            strength: &mut strength,
            direction: &mut direction,
        };
        edges(planes, width, height, 0.2, 0.5);
        grey
    }

    #[test]
    fn a_step_has_one_line() {
        let grey: Vec<f32> = (0..8 * 6).map(|i| if i % 8 < 4 { 0.0 } else { 1.0 }).collect();
        let lines = found(&grey, 8, 6);
        for row in lines.chunks_exact(8) {
            assert!(row.iter().sum::<f32>() <= 2.0 && row[0] + row[7] == 0.0, "{row:?}");
        }
    }

    #[test]
    fn small_and_even_pictures_have_no_edges() {
        assert_eq!(found(&[0.5], 1, 1), [0.0]);
        assert_eq!(found(&[0.5; 3], 3, 1), [0.0; 3]);
        assert_eq!(found(&[0.25; 30], 5, 6), [0.0; 30]);
    }
}
