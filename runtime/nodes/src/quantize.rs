//! Palettes of few colours, and pictures made of them, as Pillow does it.
//!
//! The palette is P. Heckbert's median cut (Color image quantization for frame buffer display, 1982): the box with most
//! pixels is cut at the median of its widest side, the sides weighted by their part of brightness. Errors are spread as
//! by R. Floyd and L. Steinberg (1976), patterns are B. Bayer's (1973).

use std::collections::BTreeMap;

/// Colours that are told apart; of pictures with more the last bits of each are put together.
const MOST_COLORS: usize = 65536;

/// Weights of red, green and blue in the choice of the side to cut.
const WEIGHTS: [u32; 3] = [77, 150, 29];

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// Pixels of one colour.
#[derive(Debug, Clone, Copy)]
struct Color {
    /// Without its last bits, where there are too many colours.
    key: Rgb,
    count: u64,
    sum: [u64; 3],
}

struct Node {
    colors: Vec<Color>,
    count: u64,
    /// Brighter and darker part.
    parts: Option<(usize, usize)>,
}

/// At most `most` colours, at least one: means of the boxes, the brighter box of each cut first.
#[must_use]
pub fn palette(pixels: &[Rgb], most: usize) -> Vec<Rgb> {
    let colors = histogram(pixels);
    if colors.is_empty() {
        return Vec::new();
    }
    let mut nodes = vec![Node { colors, count: pixels.len() as u64, parts: None }];
    let mut heap = Heap::default();
    heap.push(0, &nodes);
    for _ in 1..most {
        let next = std::iter::from_fn(|| heap.pop(&nodes)).find(|&node| nodes[node].colors.len() > 1);
        let Some(node) = next else { break };
        let (bright, dark) = cut(std::mem::take(&mut nodes[node].colors));
        let first = nodes.len();
        nodes[node].parts = Some((first, first + 1));
        for colors in [bright, dark] {
            let count = colors.iter().map(|color| color.count).sum();
            nodes.push(Node { colors, count, parts: None });
            heap.push(nodes.len() - 1, &nodes);
        }
    }
    let mut palette = Vec::new();
    let mut open = vec![0];
    while let Some(node) = open.pop() {
        match nodes[node].parts {
            Some((bright, dark)) => open.extend([dark, bright]),
            None => palette.push(mean(&nodes[node].colors)),
        }
    }
    palette
}

/// Each colour once, with as many of its bits as give no more than [`MOST_COLORS`].
fn histogram(pixels: &[Rgb]) -> Vec<Color> {
    let count = |shift: u32| {
        let mut colors = BTreeMap::new();
        for &pixel in pixels {
            let key = pixel.map(|value| value >> shift);
            let color = colors.entry(key).or_insert(Color { key, count: 0, sum: [0; 3] });
            color.count += 1;
            color.sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value));
            if colors.len() > MOST_COLORS {
                return None;
            }
        }
        Some(colors.into_values().collect())
    };
    (0..8).find_map(count).unwrap_or_default()
}

/// Two parts of more than one colour. The first has at least half of the pixels; equal values stay together.
fn cut(mut colors: Vec<Color>) -> (Vec<Color>, Vec<Color>) {
    let range = |axis: usize| {
        let values = || colors.iter().map(|color| color.key[axis]);
        let (least, most) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
        u32::from(most - least) * WEIGHTS[axis]
    };
    let axis = (1..3).fold(0, |best, axis| if range(axis) > range(best) { axis } else { best });
    colors.sort_by_key(|color| std::cmp::Reverse(color.key[axis]));
    let all: u64 = colors.iter().map(|color| color.count).sum();
    let mut left = 0;
    let median = colors.iter().position(|color| {
        left += color.count;
        left * 2 > all
    });
    let value = colors[median.unwrap_or(0)].key[axis];
    let mut end = colors.partition_point(|color| color.key[axis] >= value);
    if end == colors.len() {
        // The darkest value is the median: it becomes a part by itself.
        end = colors.partition_point(|color| color.key[axis] > value);
    }
    let dark = colors.split_off(end);
    (colors, dark)
}

fn mean(colors: &[Color]) -> Rgb {
    let count: u64 = colors.iter().map(|color| color.count).sum();
    [0, 1, 2].map(|axis| {
        let sum: u64 = colors.iter().map(|color| color.sum[axis]).sum();
        (0.5 + sum as f64 / count as f64) as u8
    })
}

/// Nodes by their pixels, the most first. Which of two equal ones comes first is part of the result, so the heap is our
/// own.
#[derive(Default)]
struct Heap(Vec<usize>);

impl Heap {
    fn push(&mut self, node: usize, nodes: &[Node]) {
        self.0.push(node);
        let mut at = self.0.len() - 1;
        while at > 0 && nodes[self.0[at]].count > nodes[self.0[(at - 1) / 2]].count {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn pop(&mut self, nodes: &[Node]) -> Option<usize> {
        let count = |node: usize| nodes[node].count;
        let last = self.0.pop()?;
        let Some(&first) = self.0.first() else { return Some(last) };
        let mut at = 0;
        loop {
            let child = 2 * at + 1;
            let Some(&left) = self.0.get(child) else { break };
            let right = self.0.get(child + 1).is_some_and(|&right| count(left) < count(right));
            let child = child + usize::from(right);
            if count(last) > count(self.0[child]) {
                break;
            }
            self.0[at] = self.0[child];
            at = child;
        }
        self.0[at] = last;
        Some(first)
    }
}

/// Finds the nearest colour of a palette. Colours are looked up without their last two bits, as Pillow does.
pub struct Lookup<'a> {
    palette: &'a [Rgb],
    /// The index of each colour looked up so far, plus one.
    known: Vec<u16>,
}

impl<'a> Lookup<'a> {
    /// A lookup of at most 256 colours.
    #[must_use]
    pub fn new(palette: &'a [Rgb]) -> Lookup<'a> {
        Lookup { palette, known: vec![0; 64 * 64 * 64] }
    }

    /// The first of the nearest colours; black of an empty palette.
    pub fn nearest(&mut self, color: Rgb) -> Rgb {
        let [r, g, b] = color.map(|value| usize::from(value >> 2));
        let known = &mut self.known[(r * 64 + g) * 64 + b];
        if *known == 0 {
            let distance = |other: &Rgb| -> i32 {
                let differences = color.iter().zip(other).map(|(&a, &b)| i32::from(a & !3) - i32::from(b));
                differences.map(|difference| difference * difference).sum()
            };
            let best = (0..self.palette.len()).min_by_key(|&index| distance(&self.palette[index]));
            *known = best.map_or(0, |best| best as u16 + 1);
        }
        self.palette.get(usize::from(*known).wrapping_sub(1)).copied().unwrap_or_default()
    }
}

/// Replaces each pixel by the nearest colour.
pub fn replace(pixels: &mut [Rgb], lookup: &mut Lookup<'_>) {
    pixels.iter_mut().for_each(|pixel| *pixel = lookup.nearest(*pixel));
}

/// The same, with a pattern of `order` x `order` pixels added first.
pub fn bayer(pixels: &mut [Rgb], width: usize, order: usize, lookup: &mut Lookup<'_>) {
    let matrix = bayer_matrix(order);
    let spread = (512.0 / lookup.palette.len().max(1) as f64) as f32;
    for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let offset = spread * matrix[y % order * order + x % order] + 0.5;
            *pixel = lookup.nearest(pixel.map(|value| (f32::from(value) + offset).clamp(0.0, 255.0) as u8));
        }
    }
}

/// Thresholds around 0, `order` x `order`, a power of two.
fn bayer_matrix(order: usize) -> Vec<f32> {
    let (mut matrix, mut side, mut levels) = (vec![0.0f32], 1, 1.0f32);
    while side < order {
        levels *= 4.0;
        let mut next = vec![0.0; 4 * side * side];
        for y in 0..2 * side {
            for x in 0..2 * side {
                let offset = match (y < side, x < side) {
                    (true, true) => -1.5,
                    (true, false) => 0.5,
                    (false, true) => 1.5,
                    (false, false) => -0.5,
                };
                next[y * 2 * side + x] = (levels * matrix[y % side * side + x % side] + offset) / levels;
            }
        }
        (matrix, side) = (next, side * 2);
    }
    matrix
}

/// The same, with the error of each pixel spread over those after it: 7/16 to the right, 3, 5 and 1 below.
pub fn floyd_steinberg(pixels: &mut [Rgb], width: usize, lookup: &mut Lookup<'_>) {
    // Sixteenths of the errors for the row, and one place more.
    let mut errors = vec![[0i32; 3]; width + 1];
    for row in pixels.chunks_exact_mut(width) {
        // What goes to the right, and what goes below in front of it and below.
        let (mut right, mut below, mut corner) = ([0i32; 3], [0i32; 3], [0i32; 3]);
        for (x, pixel) in row.iter_mut().enumerate() {
            let mut wanted = [0i32; 3];
            for c in 0..3 {
                let error = (right[c] + errors[x + 1][c]) / 16;
                wanted[c] = (i32::from(pixel[c]) + error).clamp(0, 255);
            }
            *pixel = lookup.nearest(wanted.map(|value| value as u8));
            for c in 0..3 {
                let error = wanted[c] - i32::from(pixel[c]);
                errors[x][c] = 3 * error + below[c];
                below[c] = 5 * error + corner[c];
                corner[c] = error;
                right[c] = 7 * error;
            }
        }
        // Pillow gives all three channels of the last place the numbers of blue.
        errors[width] = [below[2], corner[2], right[2] / 7];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colors_stay_as_they_are() {
        let pixels = [[10, 20, 30], [200, 100, 0], [10, 20, 30]];
        assert_eq!(palette(&pixels, 8), [[200, 100, 0], [10, 20, 30]]);
        assert_eq!(palette(&pixels, 1), [[73, 47, 20]]);
        assert!(palette(&[], 4).is_empty());
    }

    #[test]
    fn a_picture_of_all_colors_is_counted_with_fewer_bits() {
        let value = |number: u32| (number % 64 * 4) as u8 + 1;
        let pixels: Vec<Rgb> = (0..1u32 << 18).map(|i| [value(i >> 12), value(i >> 6), value(i)]).collect();
        let colors = histogram(&pixels);
        assert!(colors.len() <= MOST_COLORS, "{}", colors.len());
        assert_eq!(palette(&pixels, 4).len(), 4);
    }

    #[test]
    fn patterns_are_even_around_zero() {
        assert_eq!(bayer_matrix(2), [-0.375, 0.125, 0.375, -0.125]);
        let matrix = bayer_matrix(8);
        assert!(matrix.iter().sum::<f32>().abs() < 1e-4, "{matrix:?}");
        let mut sorted = matrix.clone();
        sorted.sort_by(f32::total_cmp);
        sorted.dedup();
        assert_eq!(sorted.len(), 64);
    }

    #[test]
    fn a_row_of_one_pixel_is_dithered() {
        let colors = [[0, 0, 0], [255, 255, 255]];
        let mut pixels = vec![[100, 100, 100]; 4];
        floyd_steinberg(&mut pixels, 1, &mut Lookup::new(&colors));
        assert!(pixels.iter().all(|pixel| colors.contains(pixel)), "{pixels:?}");
    }
}
