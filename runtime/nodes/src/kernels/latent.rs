use floe_tensor::Input;

use super::{Call, KernelError, dimensions};

/// Zeros.
pub(super) fn empty_latent_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    call.only_output()?.data.fill(0.0);
    Ok(())
}

/// Decodes latent by latent.
pub(super) fn vae_decode(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latents, [batch, ..]) = call.tensor::<4>("samples")?;
    let images = call.only_output()?;
    let [slab] = call.take_scratch()?;
    let program = call.program(0)?;
    let (item, picture) = (latents.data.len() / batch, images.data.len() / batch);
    for (latent, image) in latents.data.chunks_exact(item).zip(images.data.chunks_exact_mut(picture)) {
        program.run(call.pool, slab.data, &[Input::F32(latent)], &mut [image])?;
    }
    Ok(())
}

/// Encodes picture by picture; what exceeds whole latent pixels is cut off evenly on both sides.
pub(super) fn vae_encode(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (pixels, [batch, height, width, channels]) = call.tensor::<4>("pixels")?;
    let latents = call.only_output()?;
    let [cropped, slab] = call.take_scratch()?;
    let [_, cut_height, cut_width, _] = dimensions(cropped.shape)?;
    let program = call.program(0)?;
    let (top, left) = ((height - cut_height) / 2, (width - cut_width) / 2);
    let (item, latent) = (pixels.data.len() / batch, latents.data.len() / batch);
    for (picture, latent) in pixels.data.chunks_exact(item).zip(latents.data.chunks_exact_mut(latent)) {
        let rows = picture.chunks_exact(width * channels).skip(top);
        for (row, cut) in rows.zip(cropped.data.chunks_exact_mut(cut_width * channels)) {
            cut.copy_from_slice(&row[left * channels..(left + cut_width) * channels]);
        }
        program.run(call.pool, slab.data, &[Input::F32(cropped.data)], &mut [latent])?;
    }
    Ok(())
}
