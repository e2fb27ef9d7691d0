use super::{Call, KernelError, copy, dimensions};
use crate::image_io::{Limits, encode_png, load_image as decode};
use crate::resize::{Size, resize};

pub(super) fn load_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let name = call.string("image")?;
    let bytes =
        call.host.read_picture(name).map_err(|error| KernelError::Read { name: name.to_owned(), error })?;
    let loaded = decode(&bytes, Limits::default())
        .map_err(|error| KernelError::Decode { name: name.to_owned(), error })?;
    let changed =
        |width: usize, height: usize, [_, planned_height, planned_width]: [usize; 3]| KernelError::Changed {
            name: name.to_owned(),
            now: format!("{width}x{height} pixels"),
            planned: format!("{planned_width}x{planned_height}"),
        };
    for image in call.take_output(0).unwrap_or_default() {
        let [batch, height, width, _] = dimensions(image.shape)?;
        if (height, width) != (loaded.height, loaded.width) {
            return Err(changed(loaded.width, loaded.height, [batch, height, width]));
        }
        copy(&loaded.pixels, image.data)?;
    }
    for mask in call.take_output(1).unwrap_or_default() {
        let planned @ [_, height, width] = dimensions(mask.shape)?;
        if (height, width) != (loaded.mask.height, loaded.mask.width) {
            return Err(changed(loaded.mask.width, loaded.mask.height, planned));
        }
        copy(&loaded.mask.values, mask.data)?;
    }
    Ok(())
}

pub(super) fn save_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (images, [batch, height, width, _]) = call.tensor::<4>("images")?;
    let prefix = call.string("filename_prefix")?;
    for picture in images.data.chunks_exact(images.data.len() / batch) {
        let png = encode_png(picture, width, height, call.host.texts())?;
        call.host.save_picture(prefix, &png)?;
    }
    for output in call.take_output(0).unwrap_or_default() {
        copy(images.data, output.data)?;
    }
    Ok(())
}

pub(super) fn image_invert(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (image, _) = call.tensor::<4>("image")?;
    let output = call.only_output()?;
    for (out, &value) in output.data.iter_mut().zip(image.data) {
        *out = 1.0 - value;
    }
    Ok(())
}

pub(super) fn image_scale(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (images, [batch, height, width, channels]) = call.tensor::<4>("image")?;
    let method = call.string("upscale_method")?.parse()?;
    let crop = call.string("crop")?.parse()?;
    let output = call.only_output()?;
    let [_, new_height, new_width, _] = dimensions(output.shape)?;
    let item = images.data.len() / batch;
    let pictures = output.data.chunks_exact_mut(output.shape.iter().skip(1).product());
    for (picture, scaled) in images.data.chunks_exact(item).zip(pictures) {
        let size = Size { width, height, channels };
        copy(&resize(picture, size, new_width, new_height, method, crop)?, scaled)?;
    }
    Ok(())
}
