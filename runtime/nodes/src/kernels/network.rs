//! The denoising network with everything around it: guidance, prompts of its own areas, times and masks, a mask on the
//! latent.

use std::sync::Arc;

use floe_nets::guidance::{Area, Evaluation, Item};
use floe_tensor::{Executable, Input, Pool};

use super::beside::Beside;
use super::guidance::{Entry, Mixture, resized_mask};
use super::{Call, KernelError, Tensor, TensorMut};
use crate::noise::base_noise;
use crate::samplers::Denoiser;
use crate::sampling::{Prediction, guide};
use crate::schedule::ModelSampling;

/// What keeps the latent where its mask says so: the model sees the latent there with its noise, and its own latent
/// is what it is said to predict.
pub(super) struct Inpaint<'a> {
    /// The scaled latent.
    latent: TensorMut<'a>,
    /// Unit noise.
    noise: TensorMut<'a>,
    /// At the size of the latent, item by item.
    mask: TensorMut<'a>,
    /// What the model is given.
    masked: TensorMut<'a>,
    channels: usize,
    plane: usize,
}

impl<'a> Inpaint<'a> {
    /// Of a scaled latent and the unit noise that is added to it.
    pub(super) fn new(
        [latent, noise, place, masked]: [TensorMut<'a>; 4],
        mask: Tensor<'_>,
        [batch, channels, height, width]: [usize; 4],
        scaled: &[f32],
        unit: &[f32],
    ) -> Result<Inpaint<'a>, KernelError> {
        super::copy(scaled, latent.data)?;
        super::copy(unit, noise.data)?;
        resized_mask(mask, [batch, height, width], place.data)?;
        Ok(Inpaint { latent, noise, mask: place, masked, channels, plane: height * width })
    }

    /// Other noise for what is kept, as one sampler has it: that of the next seed.
    pub(super) fn redraw(&mut self, seed: u64) -> Result<(), KernelError> {
        let next = seed.checked_add(1);
        let next =
            next.ok_or_else(|| KernelError::Sampler("there is no seed behind the largest".to_owned()))?;
        base_noise(next, self.noise.data);
        Ok(())
    }

    /// The mask at the size of the latent, item by item.
    pub(super) fn mask(&self) -> &[f32] {
        self.mask.data
    }

    /// What the model is given in place of `x`.
    fn before(&mut self, x: &[f32], sigma: f32) -> &[f32] {
        let planes = self.masked.data.chunks_exact_mut(self.plane).zip(x.chunks_exact(self.plane));
        let own = self.noise.data.chunks_exact(self.plane).zip(self.latent.data.chunks_exact(self.plane));
        for (index, ((out, x), (noise, latent))) in planes.zip(own).enumerate() {
            let mask = &self.mask.data[index / self.channels * self.plane..][..self.plane];
            let kept = noise.iter().zip(latent).map(|(&noise, &latent)| noise * sigma + latent);
            for (((out, &x), kept), &mask) in out.iter_mut().zip(x).zip(kept).zip(mask) {
                *out = x * mask + kept * (1.0 - mask);
            }
        }
        self.masked.data
    }

    /// What it is said to predict in place of `out`.
    fn after(&self, out: &mut [f32]) {
        let planes = out.chunks_exact_mut(self.plane).zip(self.latent.data.chunks_exact(self.plane));
        for (index, (out, latent)) in planes.enumerate() {
            let mask = &self.mask.data[index / self.channels * self.plane..][..self.plane];
            for ((out, &latent), &mask) in out.iter_mut().zip(latent).zip(mask) {
                *out = *out * mask + latent * (1.0 - mask);
            }
        }
    }
}

/// The vector that a model of Stable Diffusion XL reads beside each prompt.
pub(super) struct Vector<'a> {
    /// Pooled states of the prompts.
    pub(super) pooled: TensorMut<'a>,
    /// Numbers beside them.
    pub(super) sizes: TensorMut<'a>,
    /// Of each prompt.
    pub(super) vectors: TensorMut<'a>,
    /// Of each item of an execution.
    pub(super) vector: TensorMut<'a>,
}

impl<'a> Vector<'a> {
    /// Makes it from the prompts' pooled states and the numbers that the kernel is told, prompt by prompt.
    pub(super) fn fill(
        self,
        call: &Call<'_>,
        embedding: &Arc<Executable>,
        sides: &[Vec<Entry<'_>>],
        slab: &mut [f32],
    ) -> Result<Vectors<'a>, KernelError> {
        let numbers: Vec<f32> = call.numbers("sizes")?.iter().map(|&number| number as f32).collect();
        super::copy(&numbers, self.sizes.data)?;
        let mut rest = &mut self.pooled.data[..];
        for entry in sides.iter().flatten() {
            let sentence = entry.pooled.ok_or_else(misfit)?;
            let (place, after) = rest.split_at_mut_checked(sentence.len()).ok_or_else(misfit)?;
            place.copy_from_slice(sentence);
            rest = after;
        }
        let inputs = [Input::F32(self.pooled.data), Input::F32(self.sizes.data)];
        embedding.run(call.pool, slab, &inputs, &mut [&mut *self.vectors.data])?;
        let prompts = sides.iter().map(Vec::len).sum::<usize>().max(1);
        Ok(Vectors {
            width: self.vectors.data.len() / prompts,
            prompts: self.vectors.data,
            items: self.vector,
        })
    }
}

/// Vectors of all prompts, and where those of an execution go.
pub(super) struct Vectors<'a> {
    width: usize,
    prompts: &'a [f32],
    items: TensorMut<'a>,
}

impl Vectors<'_> {
    /// Those of the items of an evaluation, each for all latents.
    fn of(
        &mut self,
        evaluation: &Evaluation,
        sides: &[Vec<Entry<'_>>],
        batch: usize,
    ) -> Result<&[f32], KernelError> {
        let mut places = self.items.data.chunks_exact_mut(self.width);
        for item in &evaluation.items {
            let before: usize = sides[..item.text.0].iter().map(Vec::len).sum();
            let from = self.prompts.chunks_exact(self.width).nth(before + item.text.1).ok_or_else(misfit)?;
            for _ in 0..batch {
                super::copy(from, places.next().ok_or_else(misfit)?)?;
            }
        }
        Ok(&self.items.data[..evaluation.items.len() * batch * self.width])
    }
}

fn misfit() -> KernelError {
    KernelError::Plan("working memory does not fit the prompts".to_owned())
}

/// Where a prediction lies in a latent.
pub(super) fn area_of(
    sides: &[Vec<Entry<'_>>],
    item: &Item,
    [_, _, height, width]: [usize; 4],
) -> Result<Area, KernelError> {
    let whole = Area { height, width, top: 0, left: 0 };
    let area = sides[item.place.0][item.place.1].prompt.area.unwrap_or(whole);
    area.inside([height, width]).ok_or_else(misfit)
}

/// The latents of an area: all of them as they are, or the area cut out.
fn piece<'p>(x: &'p [f32], sizes: [usize; 4], area: Area, mixture: &'p mut Option<Mixture<'_>>) -> &'p [f32] {
    match mixture {
        Some(mixture) if [area.height, area.width] != [sizes[2], sizes[3]] => mixture.cut(x, area),
        _ => x,
    }
}

/// The denoising network with guidance around it.
pub(super) struct Network<'a> {
    /// Its noise levels.
    pub(super) model: &'a ModelSampling,
    pub(super) predicts: Prediction,
    /// What it reads beside the prompts.
    pub(super) vector: Option<Vectors<'a>>,
    /// One for each evaluation.
    pub(super) programs: &'a [Arc<Executable>],
    pub(super) evaluations: Vec<Evaluation>,
    /// The prompts of each side.
    pub(super) sides: &'a [Vec<Entry<'a>>],
    /// Batch, channels, rows and columns of the latent.
    pub(super) sizes: [usize; 4],
    /// Where a side is more than one prediction, or weighted.
    pub(super) mixture: Option<Mixture<'a>>,
    /// Where a part of the latent is kept.
    pub(super) inpaint: Option<Inpaint<'a>>,
    /// What the network reads in channels behind those of the latent.
    pub(super) beside: Option<Beside<'a>>,
    /// Guidance; `None` where only the positive prompt counts.
    pub(super) cfg: Option<f32>,
    /// Threads.
    pub(super) pool: &'a Pool,
    /// Latents as the network reads them.
    pub(super) input: TensorMut<'a>,
    /// One for each of them.
    pub(super) timesteps: TensorMut<'a>,
    /// Texts of their prompts.
    pub(super) context: TensorMut<'a>,
    /// Latents without noise, side by side.
    pub(super) prediction: TensorMut<'a>,
    /// The slab of its programs.
    pub(super) slab: TensorMut<'a>,
}

impl Network<'_> {
    /// Predicts for both sides: latents without noise, side by side.
    fn predict(&mut self, x: &[f32], sigma: f32) -> Result<(), KernelError> {
        self.timesteps.data.fill(self.model.timestep(sigma));
        if let Some(mixture) = &mut self.mixture {
            mixture.begin(self.prediction.data);
        }
        let mut done = 0;
        for index in 0..self.evaluations.len() {
            let items = self.evaluations[index].items.len();
            let acts = |item: &Item| self.sides[item.place.0][item.place.1].acts(sigma);
            // What is limited in time goes alone.
            if self.evaluations[index].items.iter().any(acts) {
                self.evaluate(index, x, sigma, done)?;
            }
            done += items * x.len();
        }
        if let Some(mixture) = &self.mixture {
            mixture.finish(self.prediction.data);
        }
        Ok(())
    }

    /// Runs one evaluation; without a mixture its predictions go to `place`.
    fn evaluate(&mut self, index: usize, x: &[f32], sigma: f32, place: usize) -> Result<(), KernelError> {
        let evaluation = &self.evaluations[index];
        let [batch, channels, ..] = self.sizes;
        let [rows, columns] = evaluation.size;
        let length = batch * channels * rows * columns;
        let items = evaluation.items.len();
        let mut context = &mut self.context.data[..];
        let mut tokens = 0;
        for (item, input) in evaluation.items.iter().zip(self.input.data.chunks_exact_mut(length)) {
            let area = area_of(self.sides, item, self.sizes)?;
            let piece = piece(x, self.sizes, area, &mut self.mixture);
            self.predicts.scale_input(piece, sigma, input);
            let text = self.sides[item.text.0][item.text.1].text;
            for _ in 0..batch {
                let (place, after) = context.split_at_mut_checked(text.len()).ok_or_else(misfit)?;
                place.copy_from_slice(text);
                context = after;
                tokens += text.len();
            }
        }
        let vector = match &mut self.vector {
            Some(vectors) => vectors.of(evaluation, self.sides, batch)?,
            None => &[],
        };
        let latents = &self.input.data[..items * length];
        let read = match &mut self.beside {
            Some(beside) => beside.join(latents, evaluation, self.sides)?,
            None => latents,
        };
        let inputs = [
            Input::F32(read),
            Input::F32(&self.timesteps.data[..items * batch]),
            Input::F32(&self.context.data[..tokens]),
            Input::F32(vector),
        ];
        let inputs = if vector.is_empty() { &inputs[..3] } else { &inputs[..] };
        let output = match &mut self.mixture {
            Some(mixture) => &mut mixture.output.data[..items * length],
            None => &mut self.prediction.data[place..place + items * length],
        };
        self.programs[index].run(self.pool, self.slab.data, inputs, &mut [&mut *output])?;
        let Some(mut mixture) = self.mixture.take() else {
            let outputs = &mut self.prediction.data[place..place + items * length];
            for output in outputs.chunks_exact_mut(length) {
                self.predicts.to_denoised(self.model, x, sigma, output);
            }
            return Ok(());
        };
        for (position, item) in evaluation.items.iter().enumerate() {
            let area = area_of(self.sides, item, self.sizes)?;
            let (piece, output) =
                mixture.piece_and_output(x, area, position * length..(position + 1) * length);
            self.predicts.to_denoised(self.model, piece, sigma, output);
            let entry = &self.sides[item.place.0][item.place.1];
            mixture.add(item, entry, area, position, self.prediction.data);
        }
        self.mixture = Some(mixture);
        Ok(())
    }

    /// The last prediction with guidance.
    fn guided(&mut self, len: usize, out: &mut [f32]) -> Result<(), KernelError> {
        let (cond, uncond) = self.prediction.data.split_at_mut(len);
        if let Some(cfg) = self.cfg {
            guide(cond, uncond, cfg);
        }
        super::copy(cond, out)
    }
}
impl Denoiser for Network<'_> {
    type Error = KernelError;

    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), KernelError> {
        let Some(mut inpaint) = self.inpaint.take() else {
            self.predict(x, sigma)?;
            return self.guided(x.len(), out);
        };
        self.predict(inpaint.before(x, sigma), sigma)?;
        self.guided(x.len(), out)?;
        inpaint.after(out);
        self.inpaint = Some(inpaint);
        Ok(())
    }

    fn denoise_both(
        &mut self,
        x: &[f32],
        sigma: f32,
        out: &mut [f32],
        unconditional: &mut [f32],
    ) -> Result<(), KernelError> {
        self.denoise(x, sigma, out)?;
        super::copy(&self.prediction.data[x.len()..], unconditional)
    }
}
