//! Least and most values of neighbourhoods, as erosion and dilation of grey pictures take them.
//!
//! Pixels outside of the picture do not count. Sliding windows take constant time per pixel whatever their size: D.
//! Lemire, Streaming maximum-minimum filter using no more than three comparisons per element (2006).

use std::collections::VecDeque;

/// Which value of a neighbourhood is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extremum {
    /// Erosion.
    Least,
    /// Dilation.
    Most,
}

impl Extremum {
    fn of(self, a: f32, b: f32) -> f32 {
        match self {
            Extremum::Least => a.min(b),
            Extremum::Most => a.max(b),
        }
    }

    /// Whether a value makes another one superfluous that leaves the window earlier.
    fn beats(self, new: f32, old: f32) -> bool {
        match self {
            Extremum::Least => new <= old,
            Extremum::Most => new >= old,
        }
    }
}

/// Values of a line at equal distances.
#[derive(Clone, Copy)]
struct Line {
    start: usize,
    step: usize,
    len: usize,
}

/// The extremum of each value with `before` values in front of it and `after` behind.
fn slide(
    (from, to): (&[f32], &mut [f32]),
    line: Line,
    [before, after]: [usize; 2],
    which: Extremum,
    window: &mut VecDeque<usize>,
) {
    let at = |index: usize| line.start + index * line.step;
    window.clear();
    let mut next = 0;
    for index in 0..line.len {
        let end = index.saturating_add(after).min(line.len - 1);
        while next <= end {
            while window.back().is_some_and(|&back| which.beats(from[at(next)], from[at(back)])) {
                window.pop_back();
            }
            window.push_back(next);
            next += 1;
        }
        while window.front().is_some_and(|&front| front + before < index) {
            window.pop_front();
        }
        if let Some(&front) = window.front() {
            to[at(index)] = from[at(front)];
        }
    }
}

/// The extremum over a square around each pixel of a picture (`H, W, C`), by channel: so many pixels before it in each
/// direction, and so many after it. `columns` is working memory of the picture's size.
///
/// # Panics
/// If a slice is shorter than the picture of `[width, height, channels]`.
pub fn square(
    from: &[f32],
    to: &mut [f32],
    columns: &mut [f32],
    [width, height, channels]: [usize; 3],
    reach: [usize; 2],
    which: Extremum,
) {
    let mut window = VecDeque::new();
    let row = width * channels;
    for y in 0..height {
        for c in 0..channels {
            let line = Line { start: y * row + c, step: channels, len: width };
            slide((from, columns), line, reach, which, &mut window);
        }
    }
    for x in 0..row {
        slide((columns, to), Line { start: x, step: row, len: height }, reach, which, &mut window);
    }
}

/// The extremum over a diamond around each pixel: what can be reached in so many steps to a side, up or down. Takes
/// time for each step, until nothing changes any more. `other` is working memory of the picture's size.
///
/// # Panics
/// If a slice is shorter than the picture of `[width, height, channels]`.
pub fn diamond(
    from: &[f32],
    to: &mut [f32],
    other: &mut [f32],
    [width, height, channels]: [usize; 3],
    steps: usize,
    which: Extremum,
) {
    let row = width * channels;
    to.copy_from_slice(from);
    for _ in 0..steps.min(width + height) {
        other.copy_from_slice(to);
        for (index, out) in to.iter_mut().enumerate() {
            let (x, y) = (index % row / channels, index / row);
            let sides = [
                (x > 0).then(|| index - channels),
                (x + 1 < width).then(|| index + channels),
                (y > 0).then(|| index - row),
                (y + 1 < height).then(|| index + row),
            ];
            *out = sides.into_iter().flatten().fold(*out, |best, side| which.of(best, other[side]));
        }
        if to == other {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one channel, as rows of digits.
    fn picture(rows: &[&str]) -> Vec<f32> {
        rows.iter().flat_map(|row| row.bytes()).map(|digit| f32::from(digit - b'0')).collect()
    }

    #[test]
    fn a_pixel_grows_to_a_square_and_to_a_diamond() {
        let dot = picture(&["00000", "00000", "00090", "00000"]);
        let (mut out, mut memory) = (vec![7.0; 20], vec![7.0; 20]);
        square(&dot, &mut out, &mut memory, [5, 4, 1], [1, 1], Extremum::Most);
        assert_eq!(out, picture(&["00000", "00999", "00999", "00999"]));
        // An even square reaches further to one side.
        square(&dot, &mut out, &mut memory, [5, 4, 1], [2, 1], Extremum::Most);
        assert_eq!(out, picture(&["00000", "00999", "00999", "00999"]));
        diamond(&dot, &mut out, &mut memory, [5, 4, 1], 2, Extremum::Most);
        assert_eq!(out, picture(&["00090", "00999", "09999", "00999"]));
        diamond(&dot, &mut out, &mut memory, [5, 4, 1], usize::MAX, Extremum::Most);
        assert_eq!(out, vec![9.0; 20]);
    }

    #[test]
    fn the_outside_does_not_erode() {
        let full = vec![1.0; 6];
        let (mut out, mut memory) = (vec![7.0; 6], vec![7.0; 6]);
        square(&full, &mut out, &mut memory, [3, 2, 1], [9, 9], Extremum::Least);
        assert_eq!(out, full);
        diamond(&full, &mut out, &mut memory, [3, 2, 1], 3, Extremum::Least);
        assert_eq!(out, full);
    }

    #[test]
    fn a_window_is_what_looking_at_each_neighbour_gives() {
        let values: Vec<f32> = (0..42).map(|i| ((i * 37) % 19) as f32).collect();
        let (mut out, mut memory) = (vec![0.0; 42], vec![0.0; 42]);
        for reach in [[0, 0], [1, 1], [2, 1], [3, 2], [50, 50]] {
            square(&values, &mut out, &mut memory, [7, 3, 2], reach, Extremum::Least);
            for (index, &got) in out.iter().enumerate() {
                let (c, x, y) = (index % 2, index / 2 % 7, index / 14);
                let near = |at: usize, len: usize| at.saturating_sub(reach[0])..(at + reach[1] + 1).min(len);
                let neighbours = near(y, 3).flat_map(|y| near(x, 7).map(move |x| (y * 7 + x) * 2 + c));
                let want = neighbours.map(|at| values[at]).fold(f32::MAX, f32::min);
                assert_eq!(got, want, "{reach:?} {index}");
            }
        }
    }
}
