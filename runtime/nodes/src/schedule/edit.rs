//! Changes of lists of sigmas.

use super::curves::checked;
use super::{ScheduleError, linspace};

/// Cuts a list at a step; the level there is in both parts.
#[must_use]
pub fn split(sigmas: &[f32], step: usize) -> (Vec<f32>, Vec<f32>) {
    let upper = step.saturating_add(1).min(sigmas.len());
    (sigmas[..upper].to_vec(), sigmas[step.min(sigmas.len())..].to_vec())
}

/// Cuts a list so that the second part has a share `denoise` in 0..=1 of the steps; with none of them, the first part is
/// empty and the second the last level, as in the reference.
#[must_use]
pub fn split_denoise(sigmas: &[f32], denoise: f64) -> (Vec<f32>, Vec<f32>) {
    let steps = sigmas.len().saturating_sub(1);
    let kept = (steps as f64 * denoise).round_ties_even() as usize;
    let kept = kept.min(steps);
    let upper = if kept == 0 { 0 } else { sigmas.len() - kept };
    (sigmas[..upper].to_vec(), sigmas[sigmas.len() - (kept + 1).min(sigmas.len())..].to_vec())
}

/// From clean to noisy; a first level of 0 becomes 0.0001.
#[must_use]
pub fn flip(sigmas: &[f32]) -> Vec<f32> {
    let mut flipped: Vec<f32> = sigmas.iter().rev().copied().collect();
    if let Some(first) = flipped.first_mut()
        && *first == 0.0
    {
        *first = 0.0001;
    }
    flipped
}

/// Replaces the first level, if there is one.
#[must_use]
pub fn set_first(sigmas: &[f32], sigma: f64) -> Vec<f32> {
    let mut sigmas = sigmas.to_vec();
    if let Some(first) = sigmas.first_mut() {
        *first = sigma as f32;
    }
    sigmas
}

/// How added levels are spaced between two old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Evenly.
    Linear,
    /// Dense at the lower one: a quarter of a sine.
    Cosine,
    /// Dense at the upper one: a quarter of one minus a cosine.
    Sine,
}

/// Cuts each step that begins between `low` and `high`, ends included, into `parts`. A `high` below 0 is no limit.
///
/// # Errors
/// [`ScheduleError::Steps`] when `parts` is 0, or the list grows beyond all steps.
pub fn extend(
    sigmas: &[f32],
    parts: usize,
    (low, high): (f64, f64),
    spacing: Spacing,
) -> Result<Vec<f32>, ScheduleError> {
    checked(parts)?;
    checked(sigmas.len().saturating_mul(parts).max(1))?;
    let high = if high < 0.0 { f64::INFINITY } else { high };
    let quarter = |x: f32| f64::from(x * std::f32::consts::FRAC_PI_2);
    let share = |x: f32| match spacing {
        Spacing::Linear => x,
        Spacing::Cosine => libm::sin(quarter(x)) as f32,
        Spacing::Sine => 1.0 - libm::cos(quarter(x)) as f32,
    };
    let shares: Vec<f32> = linspace(0.0, 1.0, parts + 1).skip(1).take(parts - 1).map(share).collect();
    let mut extended = Vec::new();
    for pair in sigmas.windows(2) {
        extended.push(pair[0]);
        if (low..=high).contains(&f64::from(pair[0])) {
            extended.extend(shares.iter().map(|share| share * (pair[1] - pair[0]) + pair[0]));
        }
    }
    extended.extend(sigmas.last());
    Ok(extended)
}

/// Reads levels from a text: every decimal number in it, whatever stands between them.
#[must_use]
pub fn manual(text: &str) -> Vec<f32> {
    let part_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    text.split(|c| !part_of_number(c)).filter_map(|word| word.parse::<f64>().ok()).map(|v| v as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [f32; 4] = [10.0, 4.0, 1.0, 0.0];

    #[test]
    fn parts_share_a_level() {
        assert_eq!(split(&LIST, 1), (vec![10.0, 4.0], vec![4.0, 1.0, 0.0]));
        assert_eq!(split(&LIST, 0), (vec![10.0], LIST.to_vec()));
        assert_eq!(split(&LIST, 9), (LIST.to_vec(), vec![]));
        assert_eq!(split(&[], usize::MAX), (vec![], vec![]));
        assert_eq!(split_denoise(&LIST, 0.6), (vec![10.0, 4.0], vec![4.0, 1.0, 0.0]));
        assert_eq!(split_denoise(&LIST, 0.0), (vec![], vec![0.0]));
        assert_eq!(split_denoise(&LIST, 1.0), (vec![10.0], LIST.to_vec()));
        assert_eq!(split_denoise(&[], 0.5), (vec![], vec![]));
    }

    #[test]
    fn flipped_lists_begin_above_zero() {
        assert_eq!(flip(&LIST), [0.0001, 1.0, 4.0, 10.0]);
        assert_eq!(flip(&[]), [0.0; 0]);
        assert_eq!(set_first(&LIST, 136.0), [136.0, 4.0, 1.0, 0.0]);
    }

    #[test]
    fn levels_are_added_between() {
        let linear = |range| extend(&LIST, 2, range, Spacing::Linear).expect("a list");
        assert_eq!(linear((0.0, -1.0)), [10.0, 7.0, 4.0, 2.5, 1.0, 0.5, 0.0]);
        assert_eq!(linear((4.0, 4.0)), [10.0, 4.0, 2.5, 1.0, 0.0]);
        assert_eq!(extend(&LIST, 1, (0.0, -1.0), Spacing::Sine), Ok(LIST.to_vec()));
        assert_eq!(extend(&[], 3, (0.0, -1.0), Spacing::Sine), Ok(vec![]));
        assert!(extend(&LIST, 0, (0.0, -1.0), Spacing::Sine).is_err());
        let of = |spacing| extend(&[1.0, 0.0], 2, (0.0, -1.0), spacing).expect("a list")[1];
        assert!(of(Spacing::Cosine) < 0.5 && of(Spacing::Sine) > 0.5);
    }

    #[test]
    fn numbers_are_found_in_text() {
        assert_eq!(manual("1, 0.5"), [1.0, 0.5]);
        assert_eq!(manual("[14.6; .25 / -3] and 7"), [14.6, 0.25, -3.0, 7.0]);
        assert_eq!(manual("none"), [0.0; 0]);
    }
}
