use super::BROWNIAN_BUFFERS;

/// A sampler with its settings. `eta` says how much fresh noise a step adds (0 none, 1 as much as the exact process),
/// `s_noise` multiplies that noise; both are 1 by name alone unless said otherwise. `order` is a number of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampler {
    /// Euler's method (Karras et al. 2022, algorithm 2, without churn).
    Euler,
    /// Euler's method to a lower sigma, then noise up to the wanted one.
    EulerAncestral {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
    },
    /// CFG++ (Chung et al. 2024): the direction comes from the unconditional prediction.
    EulerCfgPp {
        /// 0 by the name `euler_cfg_pp`.
        eta: f64,
        /// 0 by the name `euler_cfg_pp`.
        s_noise: f64,
    },
    /// Heun's method of second order (Karras et al. 2022, algorithm 2).
    Heun,
    /// Heun's method with a third evaluation ahead, weighted by sigma (R. Li, 2023).
    HeunPp2,
    /// DPM-Solver-2: one evaluation halfway in the logarithm of sigma.
    Dpm2,
    /// The same to a lower sigma, then noise.
    Dpm2Ancestral {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
    },
    /// Linear multistep (Adams-Bashforth with uneven steps).
    Lms {
        /// 1 to 100; 4 by name.
        order: usize,
    },
    /// DPM-Solver-fast (Lu et al. 2022): a fixed number of evaluations spread over steps of order 3.
    DpmFast {
        /// 0 by name.
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
    },
    /// DPM-Solver-12 and -23 with step sizes chosen by their difference (Lu et al. 2022).
    DpmAdaptive(AdaptiveSteps),
    /// DPM-Solver++(2S) (Lu et al. 2022) to a lower sigma, then noise.
    Dpmpp2sAncestral {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
    },
    /// The same with the direction of CFG++.
    Dpmpp2sAncestralCfgPp {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
    },
    /// DPM-Solver++ as a stochastic equation with one evaluation in between.
    DpmppSde {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
        /// Where in a step the model is asked once more; 0.5 by name.
        r: f64,
    },
    /// DPM-Solver++(2M).
    Dpmpp2m,
    /// The same with the direction of CFG++.
    Dpmpp2mCfgPp,
    /// DPM-Solver++(2M) as a stochastic equation.
    Dpmpp2mSde {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
        /// The formula of second order.
        solver: SdeSolver,
    },
    /// DPM-Solver++(3M) as a stochastic equation.
    Dpmpp3mSde {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
    },
    /// The ancestral step of DDPM (Ho et al. 2020).
    Ddpm,
    /// Latent consistency models (Luo et al. 2023): to the end, then noise up again.
    Lcm,
    /// Improved pseudo numerical methods (Zhang and Chen 2022): Adams-Bashforth as if steps were even.
    Ipndm {
        /// 1 to 4; 4 by name.
        order: usize,
    },
    /// The same with the coefficients of uneven steps.
    IpndmV {
        /// 1 to 4; 4 by name.
        order: usize,
    },
    /// DEIS with tabulated integrals (Zhang and Chen 2022).
    Deis {
        /// 1 to 4; 3 by name.
        order: usize,
    },
    /// Exponential multistep of second order (Zhang et al. 2023, "Improved Order Analysis").
    ResMultistep {
        /// 0 for the names without `ancestral`.
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
        /// Whether the unconditional prediction gives the direction.
        cfg_pp: bool,
    },
    /// Euler with the gradient corrected by its change (Permenter and Yuan 2023).
    GradientEstimation {
        /// 2 by name.
        gamma: f64,
        /// Whether the unconditional prediction gives the direction.
        cfg_pp: bool,
    },
    /// Extended reverse-time stochastic equations (Cui et al. 2023).
    ErSde {
        /// How noise is scaled.
        scaler: Scaler,
        /// 0 solves the ordinary equation.
        s_noise: f64,
        /// Highest order, 1 to 3; 3 by name.
        max_stage: usize,
    },
    /// SEEDS-2 (Gonzalez et al. 2023).
    Seeds2 {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
        /// Where in a step the model is asked once more, above 0 to 1; 0.5 by name.
        r: f64,
        /// The formula of second order.
        solver: SeedsSolver,
    },
    /// SEEDS-3 (Gonzalez et al. 2023).
    Seeds3 {
        /// See [`Sampler`].
        eta: f64,
        /// See [`Sampler`].
        s_noise: f64,
        /// Where in a step the model is asked the second time; a third by name.
        r_1: f64,
        /// And the third time; two thirds by name.
        r_2: f64,
    },
    /// Stochastic Adams (Xue et al. 2023).
    SaSolver(SaSolver),
    /// UniPC (Zhao et al. 2023) of order 3 with a corrector.
    UniPc {
        /// B(h) = e^h - 1 instead of h.
        bh2: bool,
    },
}

/// How [`Sampler::DpmAdaptive`] chooses its steps: a step is kept when the proportional-integral-derivative controller
/// grants it at least `accept_safety`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveSteps {
    /// 2 or 3.
    pub order: usize,
    /// Relative error that is allowed.
    pub rtol: f64,
    /// Absolute error that is allowed.
    pub atol: f64,
    /// First step, in the logarithm of sigma.
    pub h_init: f64,
    /// Proportional part.
    pub pcoeff: f64,
    /// Integral part.
    pub icoeff: f64,
    /// Derivative part.
    pub dcoeff: f64,
    /// How good a step must be to be kept.
    pub accept_safety: f64,
    /// See [`Sampler`]; 0 by name.
    pub eta: f64,
    /// See [`Sampler`].
    pub s_noise: f64,
}

impl Default for AdaptiveSteps {
    fn default() -> AdaptiveSteps {
        AdaptiveSteps {
            order: 3,
            rtol: 0.05,
            atol: 0.0078,
            h_init: 0.05,
            pcoeff: 0.0,
            icoeff: 1.0,
            dcoeff: 0.0,
            accept_safety: 0.81,
            eta: 0.0,
            s_noise: 1.0,
        }
    }
}

/// Settings of [`Sampler::SaSolver`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaSolver {
    /// Noise within the range below; see [`Sampler`].
    pub eta: f64,
    /// Where noise begins, as a share of denoising.
    pub start_percent: f64,
    /// Where noise ends, as a share of denoising.
    pub end_percent: f64,
    /// See [`Sampler`].
    pub s_noise: f64,
    /// Order of the predictor, 1 to 6.
    pub predictor_order: usize,
    /// Order of the corrector, 0 (none) to 6.
    pub corrector_order: usize,
    /// Whether the model is asked again after each correction.
    pub pece: bool,
    /// Whether order 2 uses the paper's simplified coefficients.
    pub simple_order_2: bool,
}

impl Default for SaSolver {
    fn default() -> SaSolver {
        SaSolver {
            eta: 1.0,
            start_percent: 0.2,
            end_percent: 0.8,
            s_noise: 1.0,
            predictor_order: 3,
            corrector_order: 4,
            pece: false,
            simple_order_2: false,
        }
    }
}

/// The formula of second order of [`Sampler::Dpmpp2mSde`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdeSolver {
    /// The derivative counts half.
    Midpoint,
    /// The derivative is integrated exactly.
    Heun,
}

/// The formula of second order of [`Sampler::Seeds2`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedsSolver {
    /// A weighted mean of both predictions.
    Phi1,
    /// The line through both predictions is integrated exactly.
    Phi2,
}

/// How [`Sampler::ErSde`] scales noise at a noise level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scaler {
    /// `x (exp(x^0.3) + 10)`, the paper's choice.
    ErSde,
    /// `x^(eta + 1)`: the reverse-time equation; with `eta` = 0 the ordinary one.
    ReverseTime {
        /// See [`Sampler`].
        eta: f64,
    },
}

/// Where a sampler's noise comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseKind {
    /// It draws none.
    None,
    /// A stream: each call draws a tensor.
    Stream,
    /// Brownian motion between sigmas: the order of calls does not matter.
    Brownian,
}

/// How often a sampler asks the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluations {
    /// Number of calls.
    pub calls: u64,
    /// False where the sampler chooses its steps by what it sees, so that the number is a guess.
    pub exact: bool,
}

/// What `dpm_adaptive` usually takes with its default tolerances: about 16 steps of three calls each.
const ADAPTIVE_CALLS: u64 = 48;

impl Sampler {
    /// Buffers of the latent's size that it works in, those of its noise included.
    #[must_use]
    pub fn buffers(&self) -> usize {
        self.own_buffers() + if self.noise() == NoiseKind::Brownian { BROWNIAN_BUFFERS } else { 0 }
    }

    /// Buffers of the latent's size that the steps themselves use.
    #[must_use]
    pub fn own_buffers(&self) -> usize {
        match *self {
            Sampler::Euler => 1,
            Sampler::EulerAncestral { .. } | Sampler::Ddpm | Sampler::Lcm | Sampler::Dpmpp2m => 2,
            Sampler::Dpm2 | Sampler::Dpm2Ancestral { .. } | Sampler::Dpmpp2sAncestral { .. } => 2,
            Sampler::EulerCfgPp { .. } | Sampler::Dpmpp2mCfgPp | Sampler::Dpmpp2mSde { .. } => 3,
            Sampler::Heun | Sampler::DpmppSde { .. } => 3,
            Sampler::HeunPp2 | Sampler::Dpmpp3mSde { .. } | Sampler::Dpmpp2sAncestralCfgPp { .. } => 4,
            Sampler::DpmFast { .. } | Sampler::ErSde { .. } | Sampler::Seeds2 { .. } => 4,
            Sampler::DpmAdaptive(_) | Sampler::Seeds3 { .. } | Sampler::UniPc { .. } => 5,
            Sampler::Lms { order } => order.max(1),
            Sampler::Ipndm { order } | Sampler::IpndmV { order } | Sampler::Deis { order } => {
                order.clamp(1, 4)
            }
            Sampler::ResMultistep { cfg_pp, .. } => 3 + usize::from(cfg_pp),
            Sampler::GradientEstimation { cfg_pp, .. } => 2 + usize::from(cfg_pp),
            Sampler::SaSolver(SaSolver { predictor_order, corrector_order, .. }) => {
                2 + predictor_order.max(corrector_order).max(1)
            }
        }
    }

    /// How often it asks the model on `steps` steps whose last sigma is zero (`to_zero`) or not.
    #[must_use]
    pub fn evaluations(&self, steps: u64, to_zero: bool) -> Evaluations {
        let saved = u64::from(to_zero && steps > 0);
        let calls = match *self {
            Sampler::Heun
            | Sampler::Dpm2
            | Sampler::Dpm2Ancestral { .. }
            | Sampler::Dpmpp2sAncestral { .. }
            | Sampler::Dpmpp2sAncestralCfgPp { .. }
            | Sampler::DpmppSde { .. }
            | Sampler::Seeds2 { .. } => steps.saturating_mul(2) - saved,
            Sampler::Seeds3 { .. } => steps.saturating_mul(3) - 2 * saved,
            // The last step asks once, the one before twice.
            Sampler::HeunPp2 => {
                if steps < 2 {
                    steps
                } else {
                    steps.saturating_mul(3) - 3
                }
            }
            Sampler::SaSolver(SaSolver { pece: true, corrector_order: 1.., .. }) => {
                steps.saturating_mul(2).saturating_sub(1)
            }
            Sampler::DpmAdaptive(_) => return Evaluations { calls: ADAPTIVE_CALLS, exact: false },
            _ => steps,
        };
        Evaluations { calls, exact: true }
    }

    /// Where its noise comes from with these settings.
    #[must_use]
    pub fn noise(&self) -> NoiseKind {
        match *self {
            Sampler::EulerAncestral { eta, s_noise }
            | Sampler::EulerCfgPp { eta, s_noise }
            | Sampler::Dpm2Ancestral { eta, s_noise }
            | Sampler::DpmFast { eta, s_noise }
            | Sampler::DpmAdaptive(AdaptiveSteps { eta, s_noise, .. })
            | Sampler::Dpmpp2sAncestral { eta, s_noise }
            | Sampler::Dpmpp2sAncestralCfgPp { eta, s_noise }
            | Sampler::ResMultistep { eta, s_noise, .. }
            | Sampler::Seeds2 { eta, s_noise, .. }
            | Sampler::Seeds3 { eta, s_noise, .. }
            | Sampler::SaSolver(SaSolver { eta, s_noise, .. })
                if eta > 0.0 && s_noise > 0.0 =>
            {
                NoiseKind::Stream
            }
            Sampler::ErSde { s_noise, .. } if s_noise > 0.0 => NoiseKind::Stream,
            Sampler::Ddpm | Sampler::Lcm => NoiseKind::Stream,
            Sampler::DpmppSde { eta, s_noise, .. }
            | Sampler::Dpmpp2mSde { eta, s_noise, .. }
            | Sampler::Dpmpp3mSde { eta, s_noise }
                if eta > 0.0 && s_noise > 0.0 =>
            {
                NoiseKind::Brownian
            }
            _ => NoiseKind::None,
        }
    }

    /// Whether it reads the unconditional prediction, so that the negative prompt counts whatever the guidance is.
    #[must_use]
    pub fn reads_unconditional(&self) -> bool {
        matches!(
            self,
            Sampler::EulerCfgPp { .. }
                | Sampler::Dpmpp2sAncestralCfgPp { .. }
                | Sampler::Dpmpp2mCfgPp
                | Sampler::ResMultistep { cfg_pp: true, .. }
                | Sampler::GradientEstimation { cfg_pp: true, .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::SamplerName;
    use super::*;

    #[test]
    fn every_sampler_has_needs() {
        for name in SamplerName::ALL {
            let sampler = name.sampler();
            assert!(sampler.buffers() >= 1, "{}", name.name());
            assert_eq!(sampler.evaluations(0, true).calls == 0, name != SamplerName::DpmAdaptive);
            assert_eq!(sampler.reads_unconditional(), name.name().ends_with("_cfg_pp"), "{}", name.name());
        }
    }

    #[test]
    fn without_noise_no_tree_is_needed() {
        let quiet = Sampler::Dpmpp3mSde { eta: 0.0, s_noise: 1.0 };
        let noisy = Sampler::Dpmpp3mSde { eta: 1.0, s_noise: 1.0 };
        assert_eq!(quiet.noise(), NoiseKind::None);
        assert_eq!(noisy.buffers() - quiet.buffers(), BROWNIAN_BUFFERS);
    }
}
