//! Noise levels that a model knows.
//!
//! Sources: J. Ho et al., DDPM (2020) for the table of betas; S. Lin et al., "Common Diffusion Noise Schedules" (2023),
//! algorithm 1, for tables that end without signal; S. Luo et al., "Latent Consistency Models" (2023) for tables of which
//! every n-th entry is left; T. Karras et al. (2022), table 1, and T. Salimans and J. Ho, "Progressive Distillation"
//! (2022), for continuous levels.

use floe_nets::sampling::TRAIN_STEPS;

use super::linspace;

/// The noise levels a model was trained with: sigma and timestep, either from the other.
#[derive(Debug, Clone)]
pub struct ModelSampling {
    sigmas: Vec<f32>,
    log_sigmas: Vec<f32>,
    time: Time,
}

/// How timesteps are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Time {
    /// Indices of the table, times a stride, plus one less than it.
    Table { stride: usize },
    /// A quarter of the logarithm of sigma.
    QuarterLog,
    /// Two over pi times the arc tangent of sigma.
    ArcTangent,
}

impl ModelSampling {
    /// The table of SD 1, SD 2 and SDXL, for eps and v prediction alike: 1000 betas whose square roots
    /// go evenly from that of 0.00085 to that of 0.012 ("scaled linear").
    #[must_use]
    pub fn scaled_linear() -> ModelSampling {
        ModelSampling::from_alphas_cumprod(&scaled_linear_alphas())
    }

    /// The same table stretched until its last entry has no signal left, as models trained with zero
    /// terminal SNR need. sigma_max is then about 4519: the last alpha is kept at 4.9e-8 instead of 0.
    #[must_use]
    pub fn zero_terminal_snr() -> ModelSampling {
        let mut alphas = scaled_linear_alphas();
        let (first, last) = (libm::sqrt(alphas[0]), libm::sqrt(alphas[TRAIN_STEPS - 1]));
        let scale = first / (first - last);
        for alpha in &mut alphas {
            let shifted = (libm::sqrt(*alpha) - last) * scale;
            *alpha = shifted * shifted;
        }
        alphas[TRAIN_STEPS - 1] = 4.897_345_189_085_343_5e-8;
        ModelSampling::from_alphas_cumprod(&alphas)
    }

    /// What a latent consistency model knows of this table: `kept` of its entries, evenly from the top.
    ///
    /// `kept` is 1 to the length of the table; 50 for the models there are.
    #[must_use]
    pub fn distilled(&self, kept: usize) -> ModelSampling {
        let kept = kept.clamp(1, self.sigmas.len());
        let stride = self.sigmas.len() / kept;
        let pick = |table: &[f32]| -> Vec<f32> {
            (0..kept).map(|i| table[table.len() - 1 - (kept - 1 - i) * stride]).collect()
        };
        ModelSampling {
            sigmas: pick(&self.sigmas),
            log_sigmas: pick(&self.log_sigmas),
            time: Time::Table { stride },
        }
    }

    /// Continuous levels of Karras et al.'s models, told to the network as a quarter of their logarithm.
    #[must_use]
    pub fn continuous_edm(sigma_min: f64, sigma_max: f64) -> ModelSampling {
        ModelSampling::continuous(sigma_min, sigma_max, Time::QuarterLog)
    }

    /// Continuous levels told to the network as an angle between 0 and 1.
    #[must_use]
    pub fn continuous_v(sigma_min: f64, sigma_max: f64) -> ModelSampling {
        ModelSampling::continuous(sigma_min, sigma_max, Time::ArcTangent)
    }

    /// A table for schedules that step through one.
    fn continuous(sigma_min: f64, sigma_max: f64, time: Time) -> ModelSampling {
        let ends = (libm::log(sigma_min) as f32, libm::log(sigma_max) as f32);
        let sigmas: Vec<f32> =
            linspace(ends.0, ends.1, TRAIN_STEPS).map(|log| libm::exp(f64::from(log)) as f32).collect();
        let log_sigmas = sigmas.iter().map(|&sigma| libm::log(f64::from(sigma)) as f32).collect();
        ModelSampling { sigmas, log_sigmas, time }
    }

    fn from_alphas_cumprod(alphas: &[f64]) -> ModelSampling {
        let sigmas: Vec<f64> = alphas.iter().map(|alpha| libm::sqrt((1.0 - alpha) / alpha)).collect();
        ModelSampling {
            log_sigmas: sigmas.iter().map(|&sigma| libm::log(sigma) as f32).collect(),
            sigmas: sigmas.iter().map(|&sigma| sigma as f32).collect(),
            time: Time::Table { stride: 1 },
        }
    }

    /// The table of sigmas by timestep, ascending.
    #[must_use]
    pub fn sigmas(&self) -> &[f32] {
        &self.sigmas
    }

    /// The lowest sigma of the table.
    #[must_use]
    pub fn sigma_min(&self) -> f32 {
        self.sigmas.first().copied().unwrap_or(0.0)
    }

    /// The highest sigma of the table.
    #[must_use]
    pub fn sigma_max(&self) -> f32 {
        self.sigmas.last().copied().unwrap_or(0.0)
    }

    /// The timestep that the network is told for a sigma. Of a table that whose sigma is nearest by logarithm, the lower
    /// one of two; 0 for sigma = 0 or less.
    #[must_use]
    pub fn timestep(&self, sigma: f32) -> f32 {
        match self.time {
            Time::Table { stride } => (self.nearest(sigma) * stride + stride - 1) as f32,
            Time::QuarterLog => 0.25 * libm::log(f64::from(sigma)) as f32,
            Time::ArcTangent => (libm::atan(f64::from(sigma)) as f32) / std::f32::consts::PI * 2.0,
        }
    }

    fn nearest(&self, sigma: f32) -> usize {
        let log = libm::log(f64::from(sigma)) as f32;
        let mut best = (f32::INFINITY, 0);
        for (step, &known) in self.log_sigmas.iter().enumerate() {
            let distance = (log - known).abs();
            if distance < best.0 {
                best = (distance, step);
            }
        }
        best.1
    }

    /// The sigma of a timestep. In a table fractions are interpolated by logarithm, and what lies beyond is clamped.
    #[must_use]
    pub fn sigma(&self, timestep: f32) -> f32 {
        match self.time {
            Time::Table { stride: 1 } => self.interpolated(timestep),
            Time::Table { stride } => self.interpolated((timestep - (stride - 1) as f32) / stride as f32),
            Time::QuarterLog => libm::exp(f64::from(timestep / 0.25)) as f32,
            Time::ArcTangent => libm::tan(f64::from(timestep * std::f32::consts::PI / 2.0)) as f32,
        }
    }

    fn interpolated(&self, index: f32) -> f32 {
        let top = self.log_sigmas.len() - 1;
        let index = index.clamp(0.0, top as f32);
        // NaN clamps to NaN and casts to 0.
        let low = index as usize;
        let weight = index - low as f32;
        let high = if weight > 0.0 { low + 1 } else { low };
        let log = (1.0 - weight) * self.log_sigmas[low.min(top)] + weight * self.log_sigmas[high.min(top)];
        libm::exp(f64::from(log)) as f32
    }

    /// The sigma at a share of the way from full noise (0) to none (1), as `start_percent` and
    /// `end_percent` mean it: 999999999.9 for 0 and less, 0 for 1 and more.
    #[must_use]
    pub fn percent_to_sigma(&self, percent: f64) -> f64 {
        if percent <= 0.0 {
            return 999_999_999.9;
        }
        if percent >= 1.0 {
            return 0.0;
        }
        let share = 1.0 - percent;
        match self.time {
            Time::Table { .. } => f64::from(self.sigma((share * (TRAIN_STEPS - 1) as f64) as f32)),
            Time::QuarterLog | Time::ArcTangent => {
                let low = libm::log(f64::from(self.sigma_min()));
                libm::exp((libm::log(f64::from(self.sigma_max())) - low) * share + low)
            }
        }
    }
}

/// Products of 1 - beta.
fn scaled_linear_alphas() -> Vec<f64> {
    let (first, last) = (libm::sqrt(0.00085f64), libm::sqrt(0.012f64));
    let step = (last - first) / (TRAIN_STEPS - 1) as f64;
    let mut product = 1.0;
    let mut next = |i: usize| {
        // From both ends, as torch's linspace does.
        let root = if i < TRAIN_STEPS / 2 {
            first + step * i as f64
        } else {
            last - step * (TRAIN_STEPS - 1 - i) as f64
        };
        product *= 1.0 - root * root;
        product
    };
    (0..TRAIN_STEPS).map(&mut next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_and_timestep_are_inverse() {
        let table = ModelSampling::scaled_linear();
        for model in [table.clone(), table.distilled(50), ModelSampling::zero_terminal_snr()] {
            for &sigma in model.sigmas() {
                let back = model.sigma(model.timestep(sigma));
                assert!((back / sigma - 1.0).abs() < 1e-6, "{sigma} {back}");
            }
        }
        for model in [ModelSampling::continuous_edm(0.002, 120.0), ModelSampling::continuous_v(0.03, 500.0)] {
            for sigma in [0.05, 1.0, 30.0] {
                let back = model.sigma(model.timestep(sigma));
                assert!((back / sigma - 1.0).abs() < 1e-4, "{sigma} {back}");
            }
        }
    }

    #[test]
    fn a_distilled_table_keeps_every_twentieth_timestep() {
        let table = ModelSampling::scaled_linear();
        let kept = table.distilled(50);
        assert_eq!(kept.sigmas().len(), 50);
        assert_eq!(kept.timestep(kept.sigma_max()), 999.0);
        assert_eq!(kept.timestep(kept.sigma_min()), 19.0);
        assert_eq!(kept.sigmas()[0], table.sigmas()[19]);
    }

    #[test]
    fn odd_sigmas_have_timesteps() {
        let model = ModelSampling::scaled_linear();
        assert_eq!(model.timestep(f32::NAN), 0.0);
        assert_eq!(model.timestep(0.0), 0.0);
        assert_eq!(model.percent_to_sigma(-1.0), 999_999_999.9);
        assert_eq!(model.percent_to_sigma(2.0), 0.0);
    }
}
