//! What a model reads in channels behind those of the latent: a mask and a picture to paint into, or a picture to edit.

use std::borrow::Cow;

use floe_nets::guidance::Evaluation;

use super::guidance::Entry;
use super::latent_ops::fitted;
use super::network::area_of;
use super::{KernelError, TensorMut, copy, dimensions};
use crate::resize::{Crop, ScaleMethod};

/// Channels of latents of Stable Diffusion that stand for grey, which a painting model reads where nothing is masked.
const GREY: [f32; 4] = [0.8223, -0.6876, 0.6364, 0.1380];

/// What each prompt has beside the latent, and room to join both.
pub(super) struct Beside<'a> {
    /// Prompt by prompt, both sides after one another: `[prompts, batch, channels, height, width]`.
    prompts: TensorMut<'a>,
    joined: TensorMut<'a>,
    /// Channels beside the latent's.
    more: usize,
    /// Batch, channels, rows and columns of the latent.
    latent: [usize; 4],
}

/// What is known of the latent that is denoised.
pub(super) struct Latents<'a> {
    /// Batch, channels, rows and columns.
    pub(super) sizes: [usize; 4],
    /// What the model's latents are multiplied with.
    pub(super) scale: f32,
    /// The latents, scaled.
    pub(super) scaled: &'a [f32],
    /// Where they are denoised, at their size.
    pub(super) mask: Option<&'a [f32]>,
}

impl<'a> Beside<'a> {
    /// Prepares what all prompts have; it stays for all steps.
    pub(super) fn new(
        kind: &str,
        [prompts, joined]: [TensorMut<'a>; 2],
        sides: &[Vec<Entry<'_>>],
        latents: &Latents<'_>,
    ) -> Result<Beside<'a>, KernelError> {
        let [_, batch, more, height, width] = dimensions(prompts.shape)?;
        let places = prompts.data.chunks_exact_mut((batch * more * height * width).max(1));
        for (entry, place) in sides.iter().flatten().zip(places) {
            match kind {
                "mask and picture" => paint(entry, latents, place)?,
                "picture" => edit(entry, latents, place)?,
                other => return Err(KernelError::Plan(format!("no model reads `{other}` beside latents"))),
            }
        }
        Ok(Beside { prompts, joined, more, latent: latents.sizes })
    }

    /// The latents of an execution as the network reads them.
    pub(super) fn join(
        &mut self,
        input: &[f32],
        evaluation: &Evaluation,
        sides: &[Vec<Entry<'_>>],
    ) -> Result<&[f32], KernelError> {
        let [batch, channels, height, width] = self.latent;
        let [rows, columns] = evaluation.size;
        let (own, all) = (channels * rows * columns, (channels + self.more) * rows * columns);
        let length = batch * self.more * height * width;
        let mut latents = input.chunks_exact(own).zip(self.joined.data.chunks_exact_mut(all));
        for item in &evaluation.items {
            let area = area_of(sides, item, self.latent)?;
            let prompt = sides[..item.text.0].iter().map(Vec::len).sum::<usize>() + item.text.1;
            let beside = self.prompts.data.chunks_exact(length).nth(prompt).ok_or_else(misfit)?;
            for beside in beside.chunks_exact(self.more * height * width) {
                let (latent, joined) = latents.next().ok_or_else(misfit)?;
                let (first, rest) = joined.split_at_mut(own);
                copy(latent, first)?;
                for (plane, out) in
                    beside.chunks_exact(height * width).zip(rest.chunks_exact_mut(rows * columns))
                {
                    let lines = plane.chunks_exact(width).skip(area.top);
                    for (line, out) in lines.zip(out.chunks_exact_mut(columns)) {
                        copy(&line[area.left..area.left + columns], out)?;
                    }
                }
            }
        }
        Ok(&self.joined.data[..evaluation.items.len() * batch * all])
    }
}

fn misfit() -> KernelError {
    KernelError::Plan("working memory does not fit what is read beside latents".to_owned())
}

/// The mask, rounded, and the latent of the picture outside of it. Without a mask all is masked, and the picture grey.
fn paint(entry: &Entry<'_>, latents: &Latents<'_>, place: &mut [f32]) -> Result<(), KernelError> {
    let [batch, channels, height, width] = latents.sizes;
    let plane = height * width;
    let items = place.chunks_exact_mut((channels + 1) * plane);
    let masks = match (entry.concat_mask, latents.mask) {
        (Some(mask), _) => fitted(mask, latents.sizes, ScaleMethod::Bilinear, Crop::Center)?,
        (None, Some(mask)) => Cow::Borrowed(mask),
        (None, None) => {
            for item in items {
                let (mask, picture) = item.split_at_mut(plane);
                mask.fill(1.0);
                for (channel, values) in picture.chunks_exact_mut(plane).enumerate() {
                    values.fill(GREY.get(channel).copied().unwrap_or(1.0));
                }
            }
            return Ok(());
        }
    };
    let picture = match entry.concat_image {
        Some(image) => {
            let image = fitted(image, latents.sizes, ScaleMethod::Bilinear, Crop::Center)?;
            Cow::Owned(image.iter().map(|value| value * latents.scale).collect())
        }
        None => Cow::Borrowed(latents.scaled),
    };
    for (index, item) in items.enumerate() {
        let (mask, values) = item.split_at_mut(plane);
        copy(of_batch(&masks, plane, index, batch)?, mask)?;
        mask.iter_mut().for_each(|value| *value = value.round_ties_even());
        copy(of_batch(&picture, channels * plane, index, batch)?, values)?;
    }
    Ok(())
}

/// The latent of the picture, not scaled: so these models were trained. Without one, zeros.
fn edit(entry: &Entry<'_>, latents: &Latents<'_>, place: &mut [f32]) -> Result<(), KernelError> {
    let [batch, channels, height, width] = latents.sizes;
    let Some(image) = entry.concat_image else {
        place.fill(0.0);
        return Ok(());
    };
    let image = fitted(image, latents.sizes, ScaleMethod::Bilinear, Crop::Center)?;
    let item = channels * height * width;
    for (index, values) in place.chunks_exact_mut(item).enumerate() {
        copy(of_batch(&image, item, index, batch)?, values)?;
    }
    Ok(())
}

/// The item that goes with one of a batch.
fn of_batch(items: &[f32], length: usize, index: usize, batch: usize) -> Result<&[f32], KernelError> {
    let count = items.len() / length.max(1);
    items.chunks_exact(length.max(1)).nth(spread(index, count, batch)).ok_or_else(misfit)
}

/// Which of `count` items goes with one of a batch of another length: they are spread evenly over it.
fn spread(index: usize, count: usize, batch: usize) -> usize {
    let last = count.saturating_sub(1);
    if count == batch || batch <= 1 {
        return index.min(last);
    }
    if batch < count {
        let step = last as f64 / (batch - 1) as f64;
        return ((index as f64 * step).round_ties_even() as usize).min(last);
    }
    let step = count as f64 / batch as f64;
    (((index as f64 + 0.5) * step).floor() as usize).min(last)
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn items_are_spread_over_a_batch() {
        let places = |count, batch| (0..batch).map(|index| spread(index, count, batch)).collect::<Vec<_>>();
        assert_eq!(places(1, 3), [0, 0, 0]);
        assert_eq!(places(2, 5), [0, 0, 1, 1, 1]);
        assert_eq!(places(3, 3), [0, 1, 2]);
        assert_eq!(places(5, 3), [0, 2, 4]);
        assert_eq!(places(4, 1), [0]);
    }
}
