//! Pictures that are changed in part, or edited: encoded with what is to be made anew in grey.

use std::sync::Arc;

use floe_tensor::{Executable, Input, Pool};

use super::conditioning_ops::write_with;
use super::latent::crop;
use super::{Call, Kernel, KernelError, Tensor, TensorMut, copy, dimensions};
use crate::morphology::{Extremum, square};
use crate::resize::{Crop, ScaleMethod, resized_plane};

pub(super) const ALL: &[(&str, Kernel)] = &[
    ("InpaintModelConditioning", inpaint_model_conditioning),
    ("InstructPixToPixConditioning", instruct_pix_to_pix_conditioning),
    ("VAEEncodeForInpaint", vae_encode_for_inpaint),
];

/// What masked pixels become before a picture is encoded.
const GREY: f32 = 0.5;

/// Pictures and the encoder for them.
struct Pictures<'a> {
    pixels: Tensor<'a>,
    /// Height, width, channels.
    size: [usize; 3],
    /// One picture, cut to whole latent pixels.
    cropped: TensorMut<'a>,
    slab: TensorMut<'a>,
    program: &'a Arc<Executable>,
    pool: &'a Pool,
}

impl<'a> Pictures<'a> {
    fn of(call: &Call<'a>, cropped: TensorMut<'a>, slab: TensorMut<'a>) -> Result<Pictures<'a>, KernelError> {
        let (pixels, [_, height, width, channels]) = call.tensor("pixels")?;
        let (program, pool) = (call.program(0)?, call.pool);
        Ok(Pictures { pixels, size: [height, width, channels], cropped, slab, program, pool })
    }

    /// Encodes all pictures, changed by `change` after they are cut.
    fn encode(&mut self, latents: &mut [f32], change: impl Fn(usize, &mut [f32])) -> Result<(), KernelError> {
        let item = self.size.iter().product::<usize>().max(1);
        let count = (self.pixels.data.len() / item).max(1);
        let places = latents.chunks_exact_mut((latents.len() / count).max(1));
        for (index, (picture, latent)) in self.pixels.data.chunks_exact(item).zip(places).enumerate() {
            crop(picture, self.size, &mut self.cropped)?;
            change(index, self.cropped.data);
            let inputs = [Input::F32(self.cropped.data)];
            self.program.run(self.pool, self.slab.data, &inputs, &mut [latent])?;
        }
        Ok(())
    }

    /// The same, grey where a mask rounds to 1: one mask is for all pictures.
    fn encode_masked(&mut self, mask: &TensorMut<'_>, latents: &mut [f32]) -> Result<(), KernelError> {
        let [count, height, width] = dimensions(mask.shape)?;
        let plane = height * width;
        self.encode(latents, |index, picture| {
            let mask = &mask.data[index % count * plane..][..plane];
            let colours = picture.len() / plane;
            for (pixel, &mask) in picture.chunks_exact_mut(colours).zip(mask) {
                let kept = 1.0 - mask.round_ties_even();
                pixel.iter_mut().for_each(|value| *value = (*value - GREY) * kept + GREY);
            }
        })
    }

    /// The masks at the size of the pictures, cut as these are.
    fn masks(&self, mask: Tensor<'_>, out: &mut TensorMut<'_>) -> Result<(), KernelError> {
        let [_, from_height, from_width] = dimensions(mask.shape)?;
        let [_, height, width] = dimensions(out.shape)?;
        let size @ [rows, columns] = [self.size[0], self.size[1]];
        let from = [from_height, from_width];
        let places = out.data.chunks_exact_mut(height * width);
        for (mask, place) in mask.data.chunks_exact(from_height * from_width).zip(places) {
            let resized = resized_plane(mask, from, size, ScaleMethod::Bilinear, Crop::Disabled)?;
            crop(
                &resized,
                [rows, columns, 1],
                &mut TensorMut { shape: &[1, height, width, 1], data: place },
            )?;
        }
        Ok(())
    }
}

/// The mask is grown by a square: with an even number of pixels one further up and left than down and right.
fn vae_encode_for_inpaint(call: &mut Call<'_>) -> Result<(), KernelError> {
    let grow = call.int::<usize>("grow_mask_by")?.max(1);
    let (mask, _) = call.tensor::<3>("mask")?;
    let [cropped, mut resized, columns, slab] = call.take_scratch()?;
    let mut pictures = Pictures::of(call, cropped, slab)?;
    let [samples, noise_mask] = two(call.take_output(0))?;
    pictures.masks(mask, &mut resized)?;
    pictures.encode_masked(&resized, samples.data)?;
    let [_, height, width] = dimensions(resized.shape)?;
    for value in resized.data.iter_mut() {
        *value = value.round_ties_even().clamp(0.0, 1.0);
    }
    let reach = [grow / 2, grow - 1 - grow / 2];
    let masks = resized.data.chunks_exact(height * width);
    for (mask, grown) in masks.zip(noise_mask.data.chunks_exact_mut(height * width)) {
        square(mask, grown, columns.data, [width, height, 1], reach, Extremum::Most);
    }
    Ok(())
}

fn inpaint_model_conditioning(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (mask, _) = call.tensor::<3>("mask")?;
    let [cropped, mut resized, encoded, slab] = call.take_scratch()?;
    let mut pictures = Pictures::of(call, cropped, slab)?;
    pictures.masks(mask, &mut resized)?;
    if let Some(latent) = call.take_output(2) {
        let mut tensors = latent.into_iter();
        if let Some(samples) = tensors.next() {
            pictures.encode(samples.data, |_, _| {})?;
        }
        if let Some(noise_mask) = tensors.next() {
            copy(resized.data, noise_mask.data)?;
        }
    }
    pictures.encode_masked(&resized, encoded.data)?;
    let beside = [("concat_latent_image", read(&encoded)), ("concat_mask", read(&resized))];
    write_both(call, &beside)
}

fn instruct_pix_to_pix_conditioning(call: &mut Call<'_>) -> Result<(), KernelError> {
    let [cropped, encoded, slab] = call.take_scratch()?;
    Pictures::of(call, cropped, slab)?.encode(encoded.data, |_, _| {})?;
    for samples in call.take_output(2).into_iter().flatten() {
        samples.data.fill(0.0);
    }
    write_both(call, &[("concat_latent_image", read(&encoded))])
}

/// Both conditionings, each entry with these tensors.
fn write_both(call: &mut Call<'_>, tensors: &[(&'static str, Tensor<'_>)]) -> Result<(), KernelError> {
    for (slot, input) in ["positive", "negative"].into_iter().enumerate() {
        write_with(call, input, slot, tensors)?;
    }
    Ok(())
}

fn read<'t>(tensor: &'t TensorMut<'_>) -> Tensor<'t> {
    Tensor { shape: &[], data: tensor.data }
}

/// The samples and the noise mask of a latent to write.
fn two(tensors: Option<Vec<TensorMut<'_>>>) -> Result<[TensorMut<'_>; 2], KernelError> {
    let tensors = tensors.unwrap_or_default();
    tensors.try_into().map_err(|_| KernelError::Plan("a latent without a noise mask".to_owned()))
}
