//! What samplers and schedules cost: known to the compiler, which plans their memory and network calls, and to the
//! runtime, which computes them. The arithmetic is the runtime's; names, settings and needs have their one home here.

mod names;
mod settings;

pub use names::{SamplerName, SchedulerName};
pub use settings::{
    AdaptiveSteps, Evaluations, NoiseKind, SaSolver, Sampler, Scaler, SdeSolver, SeedsSolver,
};

/// Training steps of every discrete noise table: Stable Diffusion's models have a thousand.
pub const TRAIN_STEPS: usize = 1000;

/// Latents that the tree of Brownian motion may hold at once while it answers: one per level below the root.
///
/// The grid of times is 1e-6 wide, so an interval of 1e5, the widest allowed, ends after 37 halvings.
pub const BROWNIAN_BUFFERS: usize = 40;

/// How many steps `KSampler` goes: mostly `steps`, see [`SchedulerName::steps`].
#[must_use]
pub fn ksampler_steps(sampler: SamplerName, scheduler: SchedulerName, steps: usize, denoise: f64) -> usize {
    if denoise <= 0.0 {
        return 0;
    }
    let dropped = usize::from(sampler.discards_penultimate());
    // The cast saturates: such a denoise is an error of the runtime's.
    let uncut = if denoise > 0.9999 { steps } else { (steps as f64 / denoise) as usize };
    let whole = scheduler.steps(uncut.saturating_add(dropped)) - dropped.min(uncut);
    if denoise > 0.9999 { whole } else { whole.min(steps) }
}
