//! What the kernels of pictures and masks share.

use super::{Call, KernelError, Tensor, TensorMut};
use crate::resize::{Crop, ScaleMethod, Source, Target, resize};

/// Pictures to read. Masks are pictures of one channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures<'a> {
    data: &'a [f32],
    pub(super) batch: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'a> {
    pub(super) data: &'a [f32],
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

/// Pictures to write; they hold anything before.
#[derive(Debug)]
pub(super) struct PicturesMut<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

/// One of them.
#[derive(Debug)]
pub(super) struct PictureMut<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
}

impl<'a> Pictures<'a> {
    /// A tensor of pictures or masks. None has a size of zero.
    fn new(Tensor { shape, data }: Tensor<'a>) -> Result<Pictures<'a>, KernelError> {
        let [batch, height, width, channels] = sizes(shape)?;
        let len = shape.iter().try_fold(1usize, |len, &size| len.checked_mul(size));
        match len {
            Some(len) if len > 0 && len == data.len() => {
                Ok(Pictures { data, batch, height, width, channels })
            }
            _ => Err(KernelError::Plan(format!("a picture of shape {shape:?}"))),
        }
    }

    /// Batch, height, width and channels.
    pub(super) fn shape(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    /// One picture; after the last comes the first again.
    pub(super) fn one(&self, index: usize) -> Picture<'a> {
        let len = self.data.len() / self.batch;
        let data = &self.data[index % self.batch * len..][..len];
        Picture { data, height: self.height, width: self.width, channels: self.channels }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Picture<'a>> {
        let whole = *self;
        (0..self.batch).map(move |index| whole.one(index))
    }

    /// All values.
    pub(super) fn values(&self) -> &'a [f32] {
        self.data
    }
}

impl<'a> Picture<'a> {
    pub(super) fn row(&self, y: usize) -> &'a [f32] {
        let len = self.width * self.channels;
        &self.data[y * len..(y + 1) * len]
    }

    pub(super) fn pixel(&self, x: usize, y: usize) -> &'a [f32] {
        &self.data[(y * self.width + x) * self.channels..][..self.channels]
    }

    fn source(&self) -> Source<'a> {
        let Picture { data, height, width, channels } = *self;
        Source { data, width, height, channels }
    }

    /// Scales the picture to fill another.
    pub(super) fn scale(
        &self,
        to: &mut PictureMut<'_>,
        wide: &mut [f32],
        method: ScaleMethod,
        crop: Crop,
    ) -> Result<(), KernelError> {
        let mut target = Target::whole(to.data, to.width, to.height, to.channels);
        Ok(resize(self.source(), &mut target, wide, method, crop)?)
    }

    /// Scales the picture into a section of another.
    pub(super) fn scale_into(
        &self,
        mut target: Target<'_>,
        wide: &mut [f32],
        method: ScaleMethod,
    ) -> Result<(), KernelError> {
        Ok(resize(self.source(), &mut target, wide, method, Crop::Disabled)?)
    }

    /// Scales the picture in working memory, where it has another size already.
    pub(super) fn scaled<'t>(
        &self,
        memory: &'t mut [f32],
        (width, height): (usize, usize),
        wide: &mut [f32],
        (method, crop): (ScaleMethod, Crop),
    ) -> Result<Picture<'t>, KernelError> {
        let data = section(memory, width * height * self.channels)?;
        let mut to = PictureMut { data, width, height, channels: self.channels };
        self.scale(&mut to, wide, method, crop)?;
        Ok(to.read())
    }
}

impl<'a> PicturesMut<'a> {
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = PictureMut<'_>> {
        let &mut PicturesMut { height, width, channels, .. } = self;
        let pictures = self.data.chunks_exact_mut((height * width * channels).max(1));
        pictures.map(move |data| PictureMut { data, width, height, channels })
    }
}

impl<'a> PictureMut<'a> {
    pub(super) fn row(&mut self, y: usize) -> &mut [f32] {
        let len = self.width * self.channels;
        &mut self.data[y * len..(y + 1) * len]
    }

    pub(super) fn pixels(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.data.chunks_exact_mut(self.channels)
    }

    pub(super) fn pixel(&mut self, x: usize, y: usize) -> &mut [f32] {
        &mut self.data[(y * self.width + x) * self.channels..][..self.channels]
    }

    /// The picture that was written.
    fn read(self) -> Picture<'a> {
        let PictureMut { data, width, height, channels } = self;
        Picture { data, height, width, channels }
    }

    /// Puts a picture at a place; what does not fit is cut off. Channels that the picture lacks are left alone.
    pub(super) fn put(&mut self, picture: &Picture<'_>, left: usize, top: usize) {
        let columns = picture.width.min(self.width.saturating_sub(left));
        for y in 0..picture.height.min(self.height.saturating_sub(top)) {
            for x in 0..columns {
                let from = picture.pixel(x, y);
                self.pixel(left + x, top + y).iter_mut().zip(from).for_each(|(to, &value)| *to = value);
            }
        }
    }
}

/// Batch, height, width and channels; a mask has one.
fn sizes(shape: &[usize]) -> Result<[usize; 4], KernelError> {
    match *shape {
        [batch, height, width] => Ok([batch, height, width, 1]),
        [batch, height, width, channels] => Ok([batch, height, width, channels]),
        _ => Err(KernelError::Plan(format!("a tensor of shape {shape:?} is no picture"))),
    }
}

/// The first values of working memory.
pub(super) fn section(memory: &mut [f32], len: usize) -> Result<&mut [f32], KernelError> {
    let has = memory.len();
    memory
        .get_mut(..len)
        .ok_or_else(|| KernelError::Plan(format!("working memory of {has} values, not {len}")))
}

impl<'a> Call<'a> {
    pub(super) fn pictures(&self, input: &str) -> Result<Pictures<'a>, KernelError> {
        let shaped = match self.inputs.get(input) {
            Some(super::Operand::Tensors(tensors)) => tensors.first().copied(),
            _ => None,
        };
        Pictures::new(shaped.ok_or_else(|| KernelError::Plan(format!("input `{input}` has no picture")))?)
    }

    /// The same, of an optional socket.
    pub(super) fn pictures_if_given(&self, input: &str) -> Result<Option<Pictures<'a>>, KernelError> {
        if self.is_open(input) { Ok(None) } else { self.pictures(input).map(Some) }
    }

    /// Takes an output of known sizes out of the call; `None` where nothing reads it.
    pub(super) fn wanted(
        &mut self,
        slot: usize,
        wanted: [usize; 4],
    ) -> Result<Option<PicturesMut<'a>>, KernelError> {
        let Some(TensorMut { shape, data }) = self.take_output(slot).and_then(|mut tensors| tensors.pop())
        else {
            return Ok(None);
        };
        if sizes(shape)? != wanted {
            return Err(KernelError::Plan(format!("an output of shape {shape:?}, not {wanted:?}")));
        }
        let [_, height, width, channels] = wanted;
        Ok(Some(PicturesMut { data, height, width, channels }))
    }

    /// The same of the only output.
    pub(super) fn picture_output(&mut self, wanted: [usize; 4]) -> Result<PicturesMut<'a>, KernelError> {
        self.wanted(0, wanted)?.ok_or_else(|| KernelError::Plan("nothing reads the output".to_owned()))
    }

    /// The only output in the size of the plan, where the size is the semantics' to say.
    pub(super) fn planned_output(&mut self) -> Result<([usize; 4], PicturesMut<'a>), KernelError> {
        let TensorMut { shape, data } = self.only_output()?;
        let shape @ [_, height, width, channels] = sizes(shape)?;
        if data.is_empty() {
            return Err(KernelError::Plan(format!("a picture of shape {shape:?}")));
        }
        Ok((shape, PicturesMut { data, height, width, channels }))
    }
}
