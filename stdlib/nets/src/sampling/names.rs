use super::TRAIN_STEPS;
use super::settings::{AdaptiveSteps, SaSolver, Sampler, Scaler, SdeSolver, SeedsSolver};

/// Samplers by the names of k-diffusion and ComfyUI.
///
/// `ExpHeun2X0` and `ExpHeun2X0Sde` are younger than the reference release that results are compared with: they are
/// [`SamplerName::Seeds2`] with other settings, and no reference numbers exist for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the sampler of its name; `Sampler` says what it does")]
pub enum SamplerName {
    Euler,
    EulerCfgPp,
    EulerAncestral,
    EulerAncestralCfgPp,
    Heun,
    HeunPp2,
    ExpHeun2X0,
    ExpHeun2X0Sde,
    Dpm2,
    Dpm2Ancestral,
    Lms,
    DpmFast,
    DpmAdaptive,
    Dpmpp2sAncestral,
    Dpmpp2sAncestralCfgPp,
    DpmppSde,
    DpmppSdeGpu,
    Dpmpp2m,
    Dpmpp2mCfgPp,
    Dpmpp2mSde,
    Dpmpp2mSdeGpu,
    Dpmpp2mSdeHeun,
    Dpmpp2mSdeHeunGpu,
    Dpmpp3mSde,
    Dpmpp3mSdeGpu,
    Ddpm,
    Lcm,
    Ipndm,
    IpndmV,
    Deis,
    ResMultistep,
    ResMultistepCfgPp,
    ResMultistepAncestral,
    ResMultistepAncestralCfgPp,
    GradientEstimation,
    GradientEstimationCfgPp,
    ErSde,
    Seeds2,
    Seeds3,
    SaSolver,
    SaSolverPece,
    Ddim,
    UniPc,
    UniPcBh2,
}

impl SamplerName {
    /// All of them, in the order in which nodes offer them.
    pub const ALL: [SamplerName; 44] = [
        SamplerName::Euler,
        SamplerName::EulerCfgPp,
        SamplerName::EulerAncestral,
        SamplerName::EulerAncestralCfgPp,
        SamplerName::Heun,
        SamplerName::HeunPp2,
        SamplerName::ExpHeun2X0,
        SamplerName::ExpHeun2X0Sde,
        SamplerName::Dpm2,
        SamplerName::Dpm2Ancestral,
        SamplerName::Lms,
        SamplerName::DpmFast,
        SamplerName::DpmAdaptive,
        SamplerName::Dpmpp2sAncestral,
        SamplerName::Dpmpp2sAncestralCfgPp,
        SamplerName::DpmppSde,
        SamplerName::DpmppSdeGpu,
        SamplerName::Dpmpp2m,
        SamplerName::Dpmpp2mCfgPp,
        SamplerName::Dpmpp2mSde,
        SamplerName::Dpmpp2mSdeGpu,
        SamplerName::Dpmpp2mSdeHeun,
        SamplerName::Dpmpp2mSdeHeunGpu,
        SamplerName::Dpmpp3mSde,
        SamplerName::Dpmpp3mSdeGpu,
        SamplerName::Ddpm,
        SamplerName::Lcm,
        SamplerName::Ipndm,
        SamplerName::IpndmV,
        SamplerName::Deis,
        SamplerName::ResMultistep,
        SamplerName::ResMultistepCfgPp,
        SamplerName::ResMultistepAncestral,
        SamplerName::ResMultistepAncestralCfgPp,
        SamplerName::GradientEstimation,
        SamplerName::GradientEstimationCfgPp,
        SamplerName::ErSde,
        SamplerName::Seeds2,
        SamplerName::Seeds3,
        SamplerName::SaSolver,
        SamplerName::SaSolverPece,
        SamplerName::Ddim,
        SamplerName::UniPc,
        SamplerName::UniPcBh2,
    ];

    /// Their names, in the same order.
    pub const NAMES: [&str; 44] = {
        let mut names = [""; SamplerName::ALL.len()];
        let mut i = 0;
        while i < names.len() {
            names[i] = SamplerName::ALL[i].name();
            i += 1;
        }
        names
    };

    /// The name as nodes spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SamplerName::Euler => "euler",
            SamplerName::EulerCfgPp => "euler_cfg_pp",
            SamplerName::EulerAncestral => "euler_ancestral",
            SamplerName::EulerAncestralCfgPp => "euler_ancestral_cfg_pp",
            SamplerName::Heun => "heun",
            SamplerName::HeunPp2 => "heunpp2",
            SamplerName::ExpHeun2X0 => "exp_heun_2_x0",
            SamplerName::ExpHeun2X0Sde => "exp_heun_2_x0_sde",
            SamplerName::Dpm2 => "dpm_2",
            SamplerName::Dpm2Ancestral => "dpm_2_ancestral",
            SamplerName::Lms => "lms",
            SamplerName::DpmFast => "dpm_fast",
            SamplerName::DpmAdaptive => "dpm_adaptive",
            SamplerName::Dpmpp2sAncestral => "dpmpp_2s_ancestral",
            SamplerName::Dpmpp2sAncestralCfgPp => "dpmpp_2s_ancestral_cfg_pp",
            SamplerName::DpmppSde => "dpmpp_sde",
            SamplerName::DpmppSdeGpu => "dpmpp_sde_gpu",
            SamplerName::Dpmpp2m => "dpmpp_2m",
            SamplerName::Dpmpp2mCfgPp => "dpmpp_2m_cfg_pp",
            SamplerName::Dpmpp2mSde => "dpmpp_2m_sde",
            SamplerName::Dpmpp2mSdeGpu => "dpmpp_2m_sde_gpu",
            SamplerName::Dpmpp2mSdeHeun => "dpmpp_2m_sde_heun",
            SamplerName::Dpmpp2mSdeHeunGpu => "dpmpp_2m_sde_heun_gpu",
            SamplerName::Dpmpp3mSde => "dpmpp_3m_sde",
            SamplerName::Dpmpp3mSdeGpu => "dpmpp_3m_sde_gpu",
            SamplerName::Ddpm => "ddpm",
            SamplerName::Lcm => "lcm",
            SamplerName::Ipndm => "ipndm",
            SamplerName::IpndmV => "ipndm_v",
            SamplerName::Deis => "deis",
            SamplerName::ResMultistep => "res_multistep",
            SamplerName::ResMultistepCfgPp => "res_multistep_cfg_pp",
            SamplerName::ResMultistepAncestral => "res_multistep_ancestral",
            SamplerName::ResMultistepAncestralCfgPp => "res_multistep_ancestral_cfg_pp",
            SamplerName::GradientEstimation => "gradient_estimation",
            SamplerName::GradientEstimationCfgPp => "gradient_estimation_cfg_pp",
            SamplerName::ErSde => "er_sde",
            SamplerName::Seeds2 => "seeds_2",
            SamplerName::Seeds3 => "seeds_3",
            SamplerName::SaSolver => "sa_solver",
            SamplerName::SaSolverPece => "sa_solver_pece",
            SamplerName::Ddim => "ddim",
            SamplerName::UniPc => "uni_pc",
            SamplerName::UniPcBh2 => "uni_pc_bh2",
        }
    }

    /// The sampler of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<SamplerName> {
        SamplerName::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether nodes compute one step more for it and drop the last sigma before zero.
    #[must_use]
    pub fn discards_penultimate(self) -> bool {
        matches!(
            self,
            SamplerName::Dpm2 | SamplerName::Dpm2Ancestral | SamplerName::UniPc | SamplerName::UniPcBh2
        )
    }

    /// The sampler with the settings that it has by name alone. Names with `_gpu` draw their noise on the device of the
    /// model in the reference; here noise is always the processor's, and they are the same as those without.
    #[must_use]
    pub fn sampler(self) -> Sampler {
        let (eta, s_noise) = (1.0, 1.0);
        match self {
            SamplerName::Euler | SamplerName::Ddim => Sampler::Euler,
            SamplerName::EulerCfgPp => Sampler::EulerCfgPp { eta: 0.0, s_noise: 0.0 },
            SamplerName::EulerAncestral => Sampler::EulerAncestral { eta, s_noise },
            SamplerName::EulerAncestralCfgPp => Sampler::EulerCfgPp { eta, s_noise },
            SamplerName::Heun => Sampler::Heun,
            SamplerName::HeunPp2 => Sampler::HeunPp2,
            SamplerName::ExpHeun2X0 => {
                Sampler::Seeds2 { eta: 0.0, s_noise: 0.0, r: 1.0, solver: SeedsSolver::Phi2 }
            }
            SamplerName::ExpHeun2X0Sde => Sampler::Seeds2 { eta, s_noise, r: 1.0, solver: SeedsSolver::Phi2 },
            SamplerName::Dpm2 => Sampler::Dpm2,
            SamplerName::Dpm2Ancestral => Sampler::Dpm2Ancestral { eta, s_noise },
            SamplerName::Lms => Sampler::Lms { order: 4 },
            SamplerName::DpmFast => Sampler::DpmFast { eta: 0.0, s_noise },
            SamplerName::DpmAdaptive => Sampler::DpmAdaptive(AdaptiveSteps::default()),
            SamplerName::Dpmpp2sAncestral => Sampler::Dpmpp2sAncestral { eta, s_noise },
            SamplerName::Dpmpp2sAncestralCfgPp => Sampler::Dpmpp2sAncestralCfgPp { eta, s_noise },
            SamplerName::DpmppSde | SamplerName::DpmppSdeGpu => Sampler::DpmppSde { eta, s_noise, r: 0.5 },
            SamplerName::Dpmpp2m => Sampler::Dpmpp2m,
            SamplerName::Dpmpp2mCfgPp => Sampler::Dpmpp2mCfgPp,
            SamplerName::Dpmpp2mSde | SamplerName::Dpmpp2mSdeGpu => {
                Sampler::Dpmpp2mSde { eta, s_noise, solver: SdeSolver::Midpoint }
            }
            SamplerName::Dpmpp2mSdeHeun | SamplerName::Dpmpp2mSdeHeunGpu => {
                Sampler::Dpmpp2mSde { eta, s_noise, solver: SdeSolver::Heun }
            }
            SamplerName::Dpmpp3mSde | SamplerName::Dpmpp3mSdeGpu => Sampler::Dpmpp3mSde { eta, s_noise },
            SamplerName::Ddpm => Sampler::Ddpm,
            SamplerName::Lcm => Sampler::Lcm,
            SamplerName::Ipndm => Sampler::Ipndm { order: 4 },
            SamplerName::IpndmV => Sampler::IpndmV { order: 4 },
            SamplerName::Deis => Sampler::Deis { order: 3 },
            SamplerName::ResMultistep => Sampler::ResMultistep { eta: 0.0, s_noise, cfg_pp: false },
            SamplerName::ResMultistepCfgPp => Sampler::ResMultistep { eta: 0.0, s_noise, cfg_pp: true },
            SamplerName::ResMultistepAncestral => Sampler::ResMultistep { eta, s_noise, cfg_pp: false },
            SamplerName::ResMultistepAncestralCfgPp => Sampler::ResMultistep { eta, s_noise, cfg_pp: true },
            SamplerName::GradientEstimation => Sampler::GradientEstimation { gamma: 2.0, cfg_pp: false },
            SamplerName::GradientEstimationCfgPp => Sampler::GradientEstimation { gamma: 2.0, cfg_pp: true },
            SamplerName::ErSde => Sampler::ErSde { scaler: Scaler::ErSde, s_noise, max_stage: 3 },
            SamplerName::Seeds2 => Sampler::Seeds2 { eta, s_noise, r: 0.5, solver: SeedsSolver::Phi1 },
            SamplerName::Seeds3 => Sampler::Seeds3 { eta, s_noise, r_1: 1.0 / 3.0, r_2: 2.0 / 3.0 },
            SamplerName::SaSolver => Sampler::SaSolver(SaSolver::default()),
            SamplerName::SaSolverPece => Sampler::SaSolver(SaSolver { pece: true, ..SaSolver::default() }),
            SamplerName::UniPc => Sampler::UniPc { bh2: false },
            SamplerName::UniPcBh2 => Sampler::UniPc { bh2: true },
        }
    }
}

/// Schedules by the names of k-diffusion and ComfyUI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchedulerName {
    /// Every n-th entry of the model's table.
    Simple,
    /// Equal distances in timesteps, the lower end left out.
    SgmUniform,
    /// Karras et al., equation 5, with rho = 7.
    Karras,
    /// Equal distances in the logarithm of sigma.
    Exponential,
    /// Every n-th entry of the model's table, counted from its lower end.
    DdimUniform,
    /// Timesteps at quantiles of a beta distribution, dense at both ends.
    Beta,
    /// Equal distances in timesteps, both ends included.
    Normal,
    /// First linear, then quadratic.
    LinearQuadratic,
    /// Equal distances in the arc tangent of sigma.
    KlOptimal,
}

impl SchedulerName {
    /// All of them, in the order in which nodes offer them.
    pub const ALL: [SchedulerName; 9] = [
        SchedulerName::Simple,
        SchedulerName::SgmUniform,
        SchedulerName::Karras,
        SchedulerName::Exponential,
        SchedulerName::DdimUniform,
        SchedulerName::Beta,
        SchedulerName::Normal,
        SchedulerName::LinearQuadratic,
        SchedulerName::KlOptimal,
    ];

    /// Their names, in the same order.
    pub const NAMES: [&str; 9] = {
        let mut names = [""; SchedulerName::ALL.len()];
        let mut i = 0;
        while i < names.len() {
            names[i] = SchedulerName::ALL[i].name();
            i += 1;
        }
        names
    };

    /// The name as nodes spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SchedulerName::Simple => "simple",
            SchedulerName::SgmUniform => "sgm_uniform",
            SchedulerName::Karras => "karras",
            SchedulerName::Exponential => "exponential",
            SchedulerName::DdimUniform => "ddim_uniform",
            SchedulerName::Beta => "beta",
            SchedulerName::Normal => "normal",
            SchedulerName::LinearQuadratic => "linear_quadratic",
            SchedulerName::KlOptimal => "kl_optimal",
        }
    }

    /// The schedule of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<SchedulerName> {
        SchedulerName::ALL.into_iter().find(|known| known.name() == name)
    }

    /// How many steps a list has that is asked for `steps`. `ddim_uniform` gives more where its stride leaves a rest;
    /// `beta` gives fewer where quantiles meet in one timestep, which this does not count (from about 100 steps on).
    #[must_use]
    pub fn steps(self, steps: usize) -> usize {
        match self {
            SchedulerName::DdimUniform if steps > 0 => {
                let stride = (TRAIN_STEPS / steps).max(1);
                (TRAIN_STEPS - 2) / stride + 1
            }
            _ => steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_differ() {
        for (name, known) in SamplerName::NAMES.into_iter().zip(SamplerName::ALL) {
            assert_eq!(SamplerName::find(name), Some(known));
        }
        for (name, known) in SchedulerName::NAMES.into_iter().zip(SchedulerName::ALL) {
            assert_eq!(SchedulerName::find(name), Some(known));
        }
        assert_eq!(SamplerName::find("eulr"), None);
        assert_eq!(SchedulerName::find("Karras"), None);
    }

    #[test]
    fn a_stride_that_leaves_a_rest_gives_more_steps() {
        assert_eq!(SchedulerName::DdimUniform.steps(7), 8);
        assert_eq!(SchedulerName::DdimUniform.steps(20), 20);
        assert_eq!(SchedulerName::DdimUniform.steps(5000), 999);
        assert_eq!(SchedulerName::Karras.steps(7), 7);
    }
}
