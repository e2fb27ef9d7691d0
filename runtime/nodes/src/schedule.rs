//! Noise levels: the discrete model sampling of SD 1, SD 2 and SDXL, and ComfyUI's schedulers.
//!
//! Sources: J. Ho et al., DDPM (2020) for the table of betas; T. Karras et al., "Elucidating the Design
//! Space" (2022), equation 5, for `karras`; S. Lin et al., "Common Diffusion Noise Schedules" (2023),
//! algorithm 1, for tables that end without signal. Sigma is the standard deviation of the noise beside an
//! unscaled latent, f32, from about 0.029 to 14.6 for these models; timesteps run from 0 to 999.
//!
//! Arithmetic follows torch's: tables in f64, sums of a list in f32 with one rounding for `start + step
//! * i`. `ln`, `exp` and `pow` are those of the `libm` crate in f64, rounded once to f32, so lists are
//! the same on every machine. torch's own f32 `exp` is not correctly rounded: about one sigma in 200 of
//! `normal` and `sgm_uniform` differs from ComfyUI's in its last bit (see the tests).

use std::str::FromStr;

use thiserror::Error;

/// Most steps that a list is made for; ComfyUI's node allows 10,000.
pub const MAX_STEPS: usize = 10_000;

/// A list of sigmas that cannot be made.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum ScheduleError {
    /// A scheduler that ComfyUI has and Floe has not yet, or nobody has.
    #[error("scheduler `{name}` is {}; implemented: {}", fault(*.known), names(SchedulerName::IMPLEMENTED))]
    Scheduler {
        /// The name as given.
        name: String,
        /// Whether ComfyUI knows it.
        known: bool,
    },
    /// A sampler that ComfyUI has and Floe has not yet, or nobody has.
    #[error("sampler `{name}` is {}; implemented: {}", fault(*.known), names(SamplerName::IMPLEMENTED))]
    Sampler {
        /// The name as given.
        name: String,
        /// Whether ComfyUI knows it.
        known: bool,
    },
    /// No steps, or more than [`MAX_STEPS`] of them after denoise is taken into account.
    #[error("{steps} steps cannot be scheduled: 1 to {MAX_STEPS} can, counted before denoise cuts them")]
    Steps {
        /// Steps asked for.
        steps: usize,
    },
    /// Denoise is no number.
    #[error("denoise is not a number")]
    Denoise,
}

fn fault(known: bool) -> &'static str {
    if known { "not implemented yet" } else { "unknown" }
}

fn names<T: Copy + AsRef<str>>(all: &[T]) -> String {
    all.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// ComfyUI's schedulers that Floe computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchedulerName {
    /// Equal distances in timesteps, both ends included.
    Normal,
    /// Equal distances in timesteps, the lower end left out.
    SgmUniform,
    /// Every n-th entry of the model's table.
    Simple,
    /// Karras et al. with rho = 7.
    Karras,
}

impl SchedulerName {
    /// Every scheduler that can be asked for.
    pub const IMPLEMENTED: &[SchedulerName] =
        &[SchedulerName::Normal, SchedulerName::SgmUniform, SchedulerName::Simple, SchedulerName::Karras];
    /// Names that ComfyUI knows and Floe does not compute yet.
    const MISSING: &[&str] = &["exponential", "ddim_uniform", "beta", "linear_quadratic", "kl_optimal"];
}

impl AsRef<str> for SchedulerName {
    fn as_ref(&self) -> &str {
        match self {
            SchedulerName::Normal => "normal",
            SchedulerName::SgmUniform => "sgm_uniform",
            SchedulerName::Simple => "simple",
            SchedulerName::Karras => "karras",
        }
    }
}

impl FromStr for SchedulerName {
    type Err = ScheduleError;

    /// Reads ComfyUI's name of a scheduler.
    fn from_str(name: &str) -> Result<SchedulerName, ScheduleError> {
        let found = SchedulerName::IMPLEMENTED.iter().find(|known| known.as_ref() == name);
        let error = || ScheduleError::Scheduler {
            name: name.to_string(),
            known: SchedulerName::MISSING.contains(&name),
        };
        found.copied().ok_or_else(error)
    }
}

/// ComfyUI's samplers that Floe computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SamplerName {
    /// Euler's method: [`crate::sampling::euler`].
    Euler,
}

impl SamplerName {
    /// Every sampler that can be asked for.
    pub const IMPLEMENTED: &[SamplerName] = &[SamplerName::Euler];
    /// Names that ComfyUI knows and Floe does not compute yet.
    const MISSING: &[&str] = &[
        "euler_cfg_pp",
        "euler_ancestral",
        "euler_ancestral_cfg_pp",
        "heun",
        "heunpp2",
        "dpm_2",
        "dpm_2_ancestral",
        "lms",
        "dpm_fast",
        "dpm_adaptive",
        "dpmpp_2s_ancestral",
        "dpmpp_2s_ancestral_cfg_pp",
        "dpmpp_sde",
        "dpmpp_sde_gpu",
        "dpmpp_2m",
        "dpmpp_2m_cfg_pp",
        "dpmpp_2m_sde",
        "dpmpp_2m_sde_gpu",
        "dpmpp_2m_sde_heun",
        "dpmpp_2m_sde_heun_gpu",
        "dpmpp_3m_sde",
        "dpmpp_3m_sde_gpu",
        "ddpm",
        "lcm",
        "ipndm",
        "ipndm_v",
        "deis",
        "res_multistep",
        "res_multistep_cfg_pp",
        "res_multistep_ancestral",
        "res_multistep_ancestral_cfg_pp",
        "gradient_estimation",
        "gradient_estimation_cfg_pp",
        "er_sde",
        "seeds_2",
        "seeds_3",
        "sa_solver",
        "sa_solver_pece",
        "ddim",
        "uni_pc",
        "uni_pc_bh2",
    ];
}

impl AsRef<str> for SamplerName {
    fn as_ref(&self) -> &str {
        match self {
            SamplerName::Euler => "euler",
        }
    }
}

impl FromStr for SamplerName {
    type Err = ScheduleError;

    /// Reads ComfyUI's name of a sampler.
    fn from_str(name: &str) -> Result<SamplerName, ScheduleError> {
        let found = SamplerName::IMPLEMENTED.iter().find(|known| known.as_ref() == name);
        let error =
            || ScheduleError::Sampler { name: name.to_string(), known: SamplerName::MISSING.contains(&name) };
        found.copied().ok_or_else(error)
    }
}

/// Whether `KSampler` computes one step more for a sampler (by ComfyUI's name) and drops the last sigma
/// before zero.
#[must_use]
pub fn discards_penultimate(sampler: &str) -> bool {
    matches!(sampler, "dpm_2" | "dpm_2_ancestral" | "uni_pc" | "uni_pc_bh2")
}

/// The noise levels a model was trained with: sigma and timestep, either from the other.
#[derive(Debug, Clone)]
pub struct ModelSampling {
    sigmas: Vec<f32>,
    log_sigmas: Vec<f32>,
}

/// Number of training steps of every model here.
const TRAIN_STEPS: usize = 1000;
/// Karras et al.'s exponent.
const RHO: f64 = 7.0;

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

    fn from_alphas_cumprod(alphas: &[f64]) -> ModelSampling {
        let sigmas: Vec<f64> = alphas.iter().map(|alpha| libm::sqrt((1.0 - alpha) / alpha)).collect();
        ModelSampling {
            log_sigmas: sigmas.iter().map(|&sigma| libm::log(sigma) as f32).collect(),
            sigmas: sigmas.iter().map(|&sigma| sigma as f32).collect(),
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

    /// The timestep whose sigma is nearest by logarithm, the lower one of two; 0 for sigma = 0 or less.
    #[must_use]
    pub fn timestep(&self, sigma: f32) -> u32 {
        let log = libm::log(f64::from(sigma)) as f32;
        let mut best = (f32::INFINITY, 0);
        for (step, &known) in (0u32..).zip(&self.log_sigmas) {
            let distance = (log - known).abs();
            if distance < best.0 {
                best = (distance, step);
            }
        }
        best.1
    }

    /// The sigma of a timestep, fractions interpolated by logarithm; clamped to the table.
    #[must_use]
    pub fn sigma(&self, timestep: f32) -> f32 {
        let top = self.log_sigmas.len() - 1;
        let timestep = timestep.clamp(0.0, top as f32);
        // NaN clamps to NaN and casts to 0.
        let low = timestep as usize;
        let weight = timestep - low as f32;
        let high = if weight > 0.0 { low + 1 } else { low };
        let log = (1.0 - weight) * self.log_sigmas[low.min(top)] + weight * self.log_sigmas[high.min(top)];
        libm::exp(f64::from(log)) as f32
    }

    /// The sigma at a share of the way from full noise (0) to none (1), as `start_percent` and
    /// `end_percent` mean it: 999999999.9 for 0 and less, 0 for 1 and more.
    #[must_use]
    pub fn percent_to_sigma(&self, percent: f64) -> f64 {
        if percent <= 0.0 {
            999_999_999.9
        } else if percent >= 1.0 {
            0.0
        } else {
            f64::from(self.sigma(((1.0 - percent) * (self.sigmas.len() - 1) as f64) as f32))
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

/// `torch.linspace` in f32: both halves are counted from their own end.
fn linspace(start: f32, end: f32, count: usize) -> impl Iterator<Item = f32> {
    let step = if count > 1 { (end - start) / (count - 1) as f32 } else { 0.0 };
    (0..count).map(move |i| {
        if count == 1 || i < count / 2 {
            step.mul_add(i as f32, start)
        } else {
            (-step).mul_add((count - 1 - i) as f32, end)
        }
    })
}

/// The sigmas of a scheduler, descending, ending with 0: `steps + 1` values.
///
/// # Errors
/// [`ScheduleError::Steps`] for no steps or more than [`MAX_STEPS`].
pub fn scheduler_sigmas(
    model: &ModelSampling,
    scheduler: SchedulerName,
    steps: usize,
) -> Result<Vec<f32>, ScheduleError> {
    if steps == 0 || steps > MAX_STEPS {
        return Err(ScheduleError::Steps { steps });
    }
    let start = model.timestep(model.sigma_max()) as f32;
    let end = model.timestep(model.sigma_min()) as f32;
    let mut sigmas: Vec<f32> = match scheduler {
        SchedulerName::Normal => linspace(start, end, steps).map(|t| model.sigma(t)).collect(),
        SchedulerName::SgmUniform => {
            linspace(start, end, steps + 1).take(steps).map(|t| model.sigma(t)).collect()
        }
        SchedulerName::Simple => {
            let table = model.sigmas();
            let stride = table.len() as f64 / steps as f64;
            (0..steps).map(|i| table[table.len() - 1 - (i as f64 * stride) as usize]).collect()
        }
        SchedulerName::Karras => {
            let root = |sigma: f32| libm::pow(f64::from(sigma), 1.0 / RHO);
            let (low, high) = (root(model.sigma_min()), root(model.sigma_max()));
            let mix = |ramp: f32| high as f32 + ramp * (low - high) as f32;
            linspace(0.0, 1.0, steps).map(|ramp| libm::pow(f64::from(mix(ramp)), RHO) as f32).collect()
        }
    };
    sigmas.push(0.0);
    Ok(sigmas)
}

/// The sigmas that `KSampler` runs for a sampler (by ComfyUI's name): the last `steps + 1` of the
/// scheduler's list for `steps / denoise` steps. Empty when `denoise` is 0 or less: the latent is then
/// returned as it is. `denoise` above 0.9999 counts as 1.
///
/// # Errors
/// [`ScheduleError::Steps`] when the uncut list is empty or longer than [`MAX_STEPS`];
/// [`ScheduleError::Denoise`] for NaN.
pub fn ksampler_sigmas(
    model: &ModelSampling,
    sampler: &str,
    scheduler: SchedulerName,
    steps: usize,
    denoise: f64,
) -> Result<Vec<f32>, ScheduleError> {
    if denoise.is_nan() {
        return Err(ScheduleError::Denoise);
    }
    if denoise <= 0.0 {
        return Ok(Vec::new());
    }
    // The cast saturates, so a tiny denoise gives an error instead of a long list.
    let uncut = if denoise > 0.9999 { steps } else { (steps as f64 / denoise) as usize };
    let mut sigmas = if discards_penultimate(sampler) {
        let mut sigmas = scheduler_sigmas(model, scheduler, uncut.saturating_add(1))?;
        sigmas.remove(sigmas.len() - 2);
        sigmas
    } else {
        scheduler_sigmas(model, scheduler, uncut)?
    };
    let cut = sigmas.len().saturating_sub(steps.saturating_add(1));
    sigmas.drain(..cut);
    Ok(sigmas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use floe_testing::{assert_close, different_bits, tensors};

    fn expected(component: &str) -> std::collections::BTreeMap<String, (Vec<usize>, Vec<f32>)> {
        tensors(&format!("parity/dev/components/{component}/expected.safetensors"))
    }

    fn model(key: &str) -> ModelSampling {
        if key == "zsnr" { ModelSampling::zero_terminal_snr() } else { ModelSampling::scaled_linear() }
    }

    #[test]
    fn model_sampling_components() {
        for (component, key) in [
            ("model_sampling_sdxl-tiny", "sd15"),
            ("model_sampling_sd21v-tiny", "sd15"),
            ("model_sampling_sd15-zsnr", "zsnr"),
        ] {
            let (want, model) = (expected(component), model(key));
            let inputs = tensors(&format!("parity/dev/components/{component}/inputs.safetensors"));
            assert_eq!(different_bits(model.sigmas(), &want["sigmas"].1), 0, "{component}");
            let steps: Vec<f32> = inputs["sigma"].1.iter().map(|&s| model.timestep(s) as f32).collect();
            assert_eq!(steps, want["timestep_of_sigma"].1, "{component}");
            let sigmas: Vec<f32> = inputs["timestep"].1.iter().map(|&t| model.sigma(t)).collect();
            assert_eq!(different_bits(&sigmas, &want["sigma_of_timestep"].1), 0, "{component}");
            let percent = [0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.999, 1.0];
            let sigmas = percent.map(|p| model.percent_to_sigma(p) as f32);
            // One of the zero-SNR table differs in its last bit.
            let different = different_bits(&sigmas, &want["percent_to_sigma"].1);
            assert!(different <= usize::from(key == "zsnr"), "{component}: {different}");
        }
    }

    /// Manifest tolerance, and how many sigmas may differ in their last bit.
    fn check_scheduler(scheduler: SchedulerName, last_bits: usize) {
        let mut different = 0;
        for (name, (_, want)) in expected(&format!("scheduler_{}", scheduler.as_ref())) {
            let (key, steps) = name.split_once('.').expect("model and steps");
            let steps = steps.parse().expect("a number of steps");
            let got = scheduler_sigmas(&model(key), scheduler, steps).expect("a list");
            assert_close(&name, &got, &want, 1e-6, 0.0);
            let here = different_bits(&got, &want);
            assert!(got.iter().zip(&want).all(|(g, w)| g.to_bits().abs_diff(w.to_bits()) <= 1), "{name}");
            if here > 0 {
                println!("{} {name}: {here} sigmas differ by one unit in the last place", scheduler.as_ref());
            }
            different += here;
        }
        assert!(different <= last_bits, "{different} sigmas differ in the last bit");
    }

    #[test]
    fn scheduler_normal() {
        check_scheduler(SchedulerName::Normal, 14);
    }

    #[test]
    fn scheduler_sgm_uniform() {
        check_scheduler(SchedulerName::SgmUniform, 25);
    }

    #[test]
    fn scheduler_karras() {
        check_scheduler(SchedulerName::Karras, 38);
    }

    #[test]
    fn ksampler_lists() {
        let model = ModelSampling::scaled_linear();
        let mut checked = 0;
        for (name, (_, want)) in expected("ksampler_sigmas") {
            let mut parts = name.splitn(4, '.');
            let mut next = || parts.next().expect("four parts");
            let (sampler, scheduler, steps, denoise) = (next(), next(), next(), next());
            let Ok(scheduler) = scheduler.parse() else { continue };
            let (steps, denoise) = (steps.parse().expect("steps"), denoise.parse().expect("denoise"));
            let got = ksampler_sigmas(&model, sampler, scheduler, steps, denoise).expect("a list");
            assert_close(&name, &got, &want, 1e-6, 0.0);
            assert_eq!(different_bits(&got, &want), 0, "{name}");
            checked += 1;
        }
        assert_eq!(checked, 105);
    }

    #[test]
    fn odd_arguments_do_not_panic() {
        let model = ModelSampling::scaled_linear();
        let normal = SchedulerName::Normal;
        assert_eq!(ksampler_sigmas(&model, "euler", normal, 20, 0.0), Ok(vec![]));
        assert_eq!(ksampler_sigmas(&model, "euler", normal, 20, f64::NAN), Err(ScheduleError::Denoise));
        assert!(ksampler_sigmas(&model, "euler", normal, 20, 1e-300).is_err());
        assert!(ksampler_sigmas(&model, "dpm_2", normal, usize::MAX, 1.0).is_err());
        assert!(ksampler_sigmas(&model, "euler", normal, 0, 1.0).is_err());
        assert_eq!(model.timestep(f32::NAN), 0);
        assert_eq!(model.timestep(0.0), 0);
        assert!(model.sigma(f32::NAN).is_finite() || model.sigma(f32::NAN).is_nan());
        assert_eq!(
            "beta".parse::<SchedulerName>().unwrap_err().to_string(),
            "scheduler `beta` is not implemented yet; implemented: `normal`, `sgm_uniform`, `simple`, `karras`"
        );
        assert_eq!(
            "eulr".parse::<SamplerName>().unwrap_err().to_string(),
            "sampler `eulr` is unknown; implemented: `euler`"
        );
    }
}
