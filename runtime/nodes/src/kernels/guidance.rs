//! The prompts of a guided sampler, and how their predictions are weighed against one another.

use std::collections::BTreeMap;
use std::ops::Range;

use floe_nets::guidance::{Area, Item, Prompt};
use floe_plan::Scalar;

use super::{Call, Fields, KernelError, Operand, Tensor, TensorMut, copy, dimensions, field};
use crate::resize::{Crop, ScaleMethod, resized_plane};
use crate::schedule::ModelSampling;

/// Latent pixels over which the edges of an area fade.
const FADE: usize = 8;

/// What weights start from, so that nothing is divided by zero where no prompt acts.
const NO_WEIGHT: f32 = 1e-37;

/// A prompt of one side.
pub(super) struct Entry<'a> {
    /// How it takes part.
    pub(super) prompt: Prompt,
    /// The encoded text, `[1, tokens, channels]`.
    pub(super) text: &'a [f32],
    /// The pooled text, where there is one.
    pub(super) pooled: Option<&'a [f32]>,
    /// A picture that the model reads beside the latent, as a latent.
    pub(super) concat_image: Option<Tensor<'a>>,
    /// Where a model that paints into it does so.
    pub(super) concat_mask: Option<Tensor<'a>>,
    strength: f32,
    mask_strength: f32,
    mask: Option<Tensor<'a>>,
    /// Noise levels between which it acts, the higher first.
    range: (f64, f64),
}

/// The prompts of an input, for a latent of so many rows and columns.
pub(super) fn entries<'a>(
    call: &Call<'a>,
    input: &str,
    latent: [usize; 2],
    model: &ModelSampling,
) -> Result<Vec<Entry<'a>>, KernelError> {
    call.entries(input)?.into_iter().map(|fields| entry(fields, latent, model)).collect()
}

fn entry<'a>(
    fields: &Fields<'a>,
    latent: [usize; 2],
    model: &ModelSampling,
) -> Result<Entry<'a>, KernelError> {
    let text = field(fields, "cond").ok_or_else(|| KernelError::Plan("a prompt without text".to_owned()))?;
    let [_, tokens, _] = dimensions(text.shape)?;
    let number = |name: &str| match fields.get(name) {
        Some(Operand::Scalar(Scalar::Float(value))) => Some(*value),
        _ => None,
    };
    let is_set = |name: &str| matches!(fields.get(name), Some(Operand::Scalar(Scalar::Bool(true))));
    let (start, end) = (number("start_percent"), number("end_percent"));
    let mask = field(fields, "mask");
    let strength = number("strength");
    Ok(Entry {
        prompt: Prompt {
            tokens,
            area: area(fields.get("area"), latent)?,
            timed: start.is_some() || end.is_some(),
            plain: mask.is_none() && strength.is_none(),
            default: is_set("default"),
        },
        text: text.data,
        pooled: field(fields, "pooled_output").map(|pooled| pooled.data),
        concat_image: field(fields, "concat_latent_image"),
        concat_mask: field(fields, "concat_mask"),
        strength: strength.unwrap_or(1.0) as f32,
        mask_strength: number("mask_strength").unwrap_or(1.0) as f32,
        mask,
        range: (
            start.map_or(f64::INFINITY, |start| model.percent_to_sigma(start)),
            end.map_or(0.0, |end| model.percent_to_sigma(end)),
        ),
    })
}

fn area(operand: Option<&Operand<'_>>, latent: [usize; 2]) -> Result<Option<Area>, KernelError> {
    let Some(operand) = operand else { return Ok(None) };
    let wrong = || KernelError::Plan(format!("{operand:?} is no area"));
    let Operand::List(items) = operand else { return Err(wrong()) };
    let pixels = |item: &Operand<'_>| match item {
        Operand::Scalar(Scalar::Int(value)) => usize::try_from(*value).ok(),
        _ => None,
    };
    let share = |item: &Operand<'_>| match item {
        Operand::Scalar(Scalar::Float(value)) => Some(*value),
        _ => None,
    };
    if let Some(pixels) = items.iter().map(pixels).collect::<Option<Vec<_>>>() {
        let [height, width, top, left] = pixels.try_into().map_err(|_| wrong())?;
        return Ok(Some(Area { height, width, top, left }));
    }
    let shares: Option<Vec<f64>> = items.iter().map(share).collect();
    let shares: [f64; 4] = shares.and_then(|shares| shares.try_into().ok()).ok_or_else(wrong)?;
    Ok(Some(Area::of_shares(shares, latent)))
}

impl Entry<'_> {
    /// Whether it acts at a noise level.
    pub(super) fn acts(&self, sigma: f32) -> bool {
        let sigma = f64::from(sigma);
        sigma <= self.range.0 && sigma >= self.range.1
    }
}

/// Masks at the size of a latent, item by item of a batch: masks are repeated, and cut off at its length.
pub(super) fn resized_mask(
    mask: Tensor<'_>,
    [batch, height, width]: [usize; 3],
    out: &mut [f32],
) -> Result<(), KernelError> {
    let [from_height, from_width] = match *mask.shape {
        [.., height, width] => [height, width],
        _ => return Err(KernelError::Plan("a mask has rows and columns".to_owned())),
    };
    let from = [from_height, from_width];
    let masks: Vec<&[f32]> = mask.data.chunks_exact(from_height * from_width).take(batch).collect();
    for (item, out) in out.chunks_exact_mut(height * width).enumerate() {
        let Some(mask) = masks.get(item % masks.len().max(1)) else { continue };
        if from == [height, width] {
            copy(mask, out)?;
        } else {
            copy(&resized_plane(mask, from, [height, width], ScaleMethod::Bilinear, Crop::Disabled)?, out)?;
        }
    }
    Ok(())
}

/// Predictions of both sides, each the mean of those of its prompts, weighted place by place.
pub(super) struct Mixture<'a> {
    /// Predictions of one execution.
    pub(super) output: TensorMut<'a>,
    /// Sums of weights of each side, then what is left to prompts that act where no other does.
    weights: TensorMut<'a>,
    masks: TensorMut<'a>,
    /// What an area holds.
    piece: TensorMut<'a>,
    /// Which mask is whose.
    masked: BTreeMap<(usize, usize), usize>,
    latent: [usize; 4],
    defaults: bool,
}

impl<'a> Mixture<'a> {
    /// Resizes the masks; they stay for all steps.
    pub(super) fn new(
        [output, weights, masks, piece]: [TensorMut<'a>; 4],
        sides: &[Vec<Entry<'_>>],
        latent: [usize; 4],
    ) -> Result<Mixture<'a>, KernelError> {
        let [batch, _, height, width] = latent;
        let mut masked = BTreeMap::new();
        let mut places = masks.data.chunks_exact_mut(batch * height * width);
        for (side, entries) in sides.iter().enumerate() {
            for (index, entry) in entries.iter().enumerate() {
                let Some(mask) = entry.mask else { continue };
                let place =
                    places.next().ok_or_else(|| KernelError::Plan("no room for a mask".to_owned()))?;
                resized_mask(mask, [batch, height, width], place)?;
                masked.insert((side, index), masked.len());
            }
        }
        Ok(Mixture { output, weights, masks, piece, masked, latent, defaults: false })
    }

    /// Before the first prediction of a step.
    pub(super) fn begin(&mut self, prediction: &mut [f32]) {
        prediction.fill(0.0);
        self.weights.data.fill(NO_WEIGHT);
        self.defaults = false;
    }

    /// The latents of an area, cut out of all.
    pub(super) fn cut(&mut self, x: &[f32], area: Area) -> &[f32] {
        let [batch, channels, height, width] = self.latent;
        let rows = (0..batch * channels).flat_map(|plane| {
            (0..area.height).map(move |y| (plane * height + area.top + y) * width + area.left)
        });
        let length = batch * channels * area.height * area.width;
        for (start, place) in rows.zip(self.piece.data[..length].chunks_exact_mut(area.width)) {
            place.copy_from_slice(&x[start..start + area.width]);
        }
        &self.piece.data[..length]
    }

    /// The latents of an area, and a part of the output.
    pub(super) fn piece_and_output<'m>(
        &'m mut self,
        x: &'m [f32],
        area: Area,
        part: Range<usize>,
    ) -> (&'m [f32], &'m mut [f32]) {
        let [.., height, width] = self.latent;
        let is_whole = (area.height, area.width) == (height, width);
        let length = if is_whole { 0 } else { self.cut(x, area).len() };
        let piece = if is_whole { x } else { &self.piece.data[..length] };
        (piece, &mut self.output.data[part])
    }

    /// Adds a prediction of all items of the batch, `[batch, channels, rows, columns]` of its area: that at this
    /// position of the output.
    pub(super) fn add(
        &mut self,
        item: &Item,
        entry: &Entry<'_>,
        area: Area,
        position: usize,
        prediction: &mut [f32],
    ) {
        let [batch, channels, height, width] = self.latent;
        let plane = height * width;
        let length = batch * channels * area.height * area.width;
        let predicted = &self.output.data[position * length..(position + 1) * length];
        let sides = self.weights.data.len() / (2 * batch * plane);
        if entry.prompt.default && !self.defaults {
            leave(self.weights.data, sides * batch * plane);
            self.defaults = true;
        }
        let weigher = Weigher {
            entry,
            area,
            latent: [height, width],
            mask: self.masked.get(&item.place).map(|&index| &self.masks.data[index * batch * plane..]),
        };
        for index in 0..batch {
            for y in 0..area.height {
                for x in 0..area.width {
                    let place = (area.top + y) * width + area.left + x;
                    let weights = (item.side * batch + index) * plane + place;
                    let weight = if entry.prompt.default {
                        self.weights.data[sides * batch * plane + weights]
                    } else {
                        weigher.weight(index, y, x)
                    };
                    self.weights.data[weights] += weight;
                    for channel in 0..channels {
                        let from = ((index * channels + channel) * area.height + y) * area.width + x;
                        let to = ((item.side * batch + index) * channels + channel) * plane + place;
                        prediction[to] += predicted[from] * weight;
                    }
                }
            }
        }
    }

    /// After the last prediction of a step.
    pub(super) fn finish(&self, prediction: &mut [f32]) {
        let [_, channels, height, width] = self.latent;
        let plane = height * width;
        let items = prediction.chunks_exact_mut(channels * plane).zip(self.weights.data.chunks_exact(plane));
        // Behind the weights of all sides lies what is left to defaults, which no prediction stands for.
        for (item, weights) in items {
            for values in item.chunks_exact_mut(plane) {
                values.iter_mut().zip(weights).for_each(|(value, &weight)| *value /= weight);
            }
        }
    }
}

/// What the prompts so far, whose weights come first, leave to those that act where no other does.
fn leave(weights: &mut [f32], length: usize) {
    let (sums, left) = weights.split_at_mut(length);
    for (left, &sum) in left.iter_mut().zip(sums.iter()) {
        *left = (1.0 - sum).max(0.0);
    }
}

/// How much a prediction counts.
struct Weigher<'a> {
    entry: &'a Entry<'a>,
    area: Area,
    latent: [usize; 2],
    /// The prompt's masks, at the size of the latent.
    mask: Option<&'a [f32]>,
}

impl Weigher<'_> {
    /// The weight at a place of the area: strength, times that of the mask, or fading towards the edges of the area.
    fn weight(&self, item: usize, y: usize, x: usize) -> f32 {
        let [height, width] = self.latent;
        let Area { height: rows, width: columns, top, left } = self.area;
        if let Some(mask) = self.mask {
            let mask = mask[(item * height + top + y) * width + left + x];
            return mask * self.entry.mask_strength * self.entry.strength;
        }
        let strength = self.entry.strength;
        if self.entry.prompt.area.is_none() {
            return strength;
        }
        faded(faded(strength, y, rows, top, height), x, columns, left, width)
    }
}

/// A weight that falls towards the ends of an area that are not those of the latent.
fn faded(mut weight: f32, place: usize, size: usize, start: usize, all: usize) -> f32 {
    let steps = FADE.min(size / 4);
    let step = |from_end: usize| (1.0 / steps as f64 * (from_end + 1) as f64) as f32;
    if start != 0 && place < steps {
        weight *= step(place);
    }
    if size + start < all && size - 1 - place < steps {
        weight *= step(size - 1 - place);
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_fade_towards_the_inside_of_the_picture() {
        let weights = |size, start, all| {
            (0..size).map(|place| faded(1.0, place, size, start, all)).collect::<Vec<f32>>()
        };
        assert_eq!(weights(8, 3, 12), [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5]);
        assert_eq!(weights(8, 0, 8), [1.0; 8]);
        assert_eq!(weights(4, 8, 12), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(weights(3, 1, 12), [1.0; 3]);
    }

    fn plain(strength: f32, default: bool) -> Entry<'static> {
        Entry {
            prompt: Prompt { tokens: 1, area: None, timed: false, plain: false, default },
            text: &[],
            pooled: None,
            concat_image: None,
            concat_mask: None,
            strength,
            mask_strength: 1.0,
            mask: None,
            range: (f64::INFINITY, 0.0),
        }
    }

    /// Adds predictions of two values to one side.
    fn mixed(entries: &[(Entry<'_>, [f32; 2])]) -> Vec<f32> {
        let (mut output, mut weights, mut masks, mut piece) = ([0.0; 2], [0.0; 4], [0.0; 2], [0.0; 2]);
        let tensor = |data| TensorMut { shape: &[], data };
        let places = [&mut output[..], &mut weights[..], &mut masks[..], &mut piece[..]].map(tensor);
        let mut mixture = Mixture::new(places, &[], [1, 1, 1, 2]).expect("no masks");
        let mut prediction = vec![9.0; 2];
        mixture.begin(&mut prediction);
        for (index, (entry, predicted)) in entries.iter().enumerate() {
            let item = Item { side: 0, place: (0, index), text: (0, index) };
            let area = Area { height: 1, width: 2, top: 0, left: 0 };
            mixture.output.data.copy_from_slice(predicted);
            mixture.add(&item, entry, area, 0, &mut prediction);
        }
        mixture.finish(&mut prediction);
        prediction
    }

    #[test]
    fn predictions_are_averaged_by_their_weights() {
        let result = mixed(&[(plain(1.0, false), [1.0, 2.0]), (plain(3.0, false), [5.0, 2.0])]);
        assert_eq!(result, [4.0, 2.0]);
    }

    #[test]
    fn a_default_takes_what_the_others_leave() {
        let result = mixed(&[(plain(0.25, false), [4.0, 0.0]), (plain(7.0, true), [0.0, 4.0])]);
        assert_eq!(result, [1.0, 3.0]);
        // Nothing is left.
        let result = mixed(&[(plain(2.0, false), [4.0, 0.0]), (plain(1.0, true), [0.0, 4.0])]);
        assert_eq!(result, [4.0, 0.0]);
    }

    #[test]
    fn where_no_prompt_acts_the_prediction_is_zero() {
        assert_eq!(mixed(&[]), [0.0, 0.0]);
    }
}
