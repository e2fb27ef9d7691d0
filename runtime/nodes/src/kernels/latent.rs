use floe_tensor::Input;
use serde_json::{Value, json};

use super::latent_shape::{hand_mask_on, take_latent};
use super::{Call, KernelError, TensorMut, copy, dimensions};
use crate::png_meta::PngText;

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
    let [mut cropped, slab] = call.take_scratch()?;
    let program = call.program(0)?;
    let (item, latent) = (pixels.data.len() / batch, latents.data.len() / batch);
    for (picture, latent) in pixels.data.chunks_exact(item).zip(latents.data.chunks_exact_mut(latent)) {
        crop(picture, [height, width, channels], &mut cropped)?;
        program.run(call.pool, slab.data, &[Input::F32(cropped.data)], &mut [latent])?;
    }
    Ok(())
}

/// Cuts the middle out of a picture of `[height, width, channels]`; of its channels, as many as the cut has.
pub(super) fn crop(
    picture: &[f32],
    [height, width, channels]: [usize; 3],
    cropped: &mut TensorMut<'_>,
) -> Result<(), KernelError> {
    let [_, rows, columns, colours] = dimensions(cropped.shape)?;
    if rows > height || columns > width || colours > channels {
        return Err(KernelError::Plan(format!(
            "a picture of {:?} cut out of {height}x{width}",
            cropped.shape
        )));
    }
    let (top, left) = ((height - rows) / 2, (width - columns) / 2);
    let lines = picture.chunks_exact(width * channels).skip(top);
    for (line, cut) in lines.zip(cropped.data.chunks_exact_mut(columns * colours)) {
        let pixels = line[left * channels..].chunks_exact(channels);
        for (pixel, cut) in pixels.zip(cut.chunks_exact_mut(colours)) {
            cut.copy_from_slice(&pixel[..colours]);
        }
    }
    Ok(())
}

/// Writes the samples as ComfyUI does: a safetensors file whose empty second tensor says that they are not scaled.
pub(super) fn save_latent(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, shape) = call.latent("samples")?;
    let file = latent_file(latent.samples.data, &shape, call.host.texts());
    call.host.save_latent(call.string("filename_prefix")?, &file)?;
    if call.outputs.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let written = take_latent(call)?;
    copy(latent.samples.data, written.samples.data)?;
    hand_mask_on(&latent, written.noise_mask)
}

/// The length of the header, the header in JSON, the values.
fn latent_file(samples: &[f32], shape: &[usize], texts: &[PngText]) -> Vec<u8> {
    let bytes = size_of_val(samples);
    let tensor = |shape: &[usize], start: usize| {
        let places = [start, bytes];
        json!({ "dtype": "F32", "shape": shape, "data_offsets": places })
    };
    let mut header = serde_json::Map::new();
    if !texts.is_empty() {
        let texts = texts.iter().map(|text| (text.keyword.clone(), Value::from(text.text.as_str())));
        header.insert("__metadata__".to_owned(), Value::Object(texts.collect()));
    }
    header.insert("latent_format_version_0".to_owned(), tensor(&[0], bytes));
    header.insert("latent_tensor".to_owned(), tensor(shape, 0));
    let mut header = Value::Object(header).to_string();
    // Values begin at a multiple of 8.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    let mut file = Vec::with_capacity(8 + header.len() + bytes);
    file.extend_from_slice(&(header.len() as u64).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    file.extend(samples.iter().flat_map(|value| value.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::latent_file;
    use crate::png_meta::PngText;

    #[test]
    fn a_latent_file_is_read_back() {
        let texts = [PngText::new("prompt", "a \"fox\"\n")];
        let file = latent_file(&[1.0, -2.5, 0.0, 4.0], &[1, 4, 1, 1], &texts);
        let read = safetensors::SafeTensors::deserialize(&file).expect("a safetensors file");
        let samples = read.tensor("latent_tensor").expect("the samples");
        assert_eq!(samples.shape(), [1, 4, 1, 1]);
        assert_eq!(samples.data()[4..8], (-2.5_f32).to_le_bytes());
        assert_eq!(read.tensor("latent_format_version_0").expect("the mark").shape(), [0]);
        let (_, header) = safetensors::SafeTensors::read_metadata(&file).expect("a header");
        assert_eq!(header.metadata().as_ref().expect("texts")["prompt"], "a \"fox\"\n");
    }
}
