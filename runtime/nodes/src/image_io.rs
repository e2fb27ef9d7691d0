//! Pictures from and to files, as ComfyUI's `LoadImage` and `SaveImage` treat them.
//!
//! Pictures are f32 in 0..1, rows of interleaved RGB (`H, W, 3`). PNG, JPEG and WebP are read, of an
//! animation the first frame. Files are written aside and renamed, so that there is never half a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use thiserror::Error;

use crate::image_io_jpeg;
pub use crate::image_io_jpeg::JpegError;
use crate::png_meta::{PngText, add_texts};

/// Side of the empty mask of pictures without alpha.
const EMPTY_MASK: usize = 64;

/// How large a picture may be once decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of width, and of height.
    pub side: u32,
    /// Bytes of the decoded pixels in the file's own precision.
    pub bytes: u64,
}

impl Default for Limits {
    /// What plans are made for.
    fn default() -> Limits {
        Limits { side: floe_formats::PICTURE_SIDE, bytes: floe_formats::PICTURE_BYTES }
    }
}

/// A picture that cannot be read.
#[derive(Debug, Error)]
pub enum LoadError {
    /// No PNG, JPEG or WebP.
    #[error("the file is no PNG, JPEG or WebP picture")]
    Format,
    /// Larger than the limits; nothing was decoded.
    #[error(
        "the picture is {width}x{height} pixels ({bytes} bytes); the limit is {} pixels a side and {} bytes",
        .limits.side,
        .limits.bytes
    )]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Bytes when decoded.
        bytes: u64,
        /// What was allowed.
        limits: Limits,
    },
    /// Truncated, corrupt, or a kind of the format that is not supported.
    #[error("the picture cannot be decoded: {0}")]
    Decode(#[from] ImageError),
    /// As `Decode`, for JPEG.
    #[error("the picture cannot be decoded: {0}")]
    Jpeg(#[from] JpegError),
}

/// A picture and its mask.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedImage {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// `H, W, 3`, 0..1.
    pub pixels: Vec<f32>,
    /// 1 minus alpha, or zeros.
    pub mask: Mask,
}

/// One value per pixel, `H, W`, 0..1.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Pixels; 64 for pictures without alpha.
    pub width: usize,
    /// Pixels; 64 for pictures without alpha.
    pub height: usize,
    /// 1 where the picture is transparent.
    pub values: Vec<f32>,
}

/// A decoder, the picture's size in the file and how it is to be turned.
struct Opened<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    orientation: image::metadata::Orientation,
    /// Whether Pillow sees alpha: a colour key of an RGB or grey PNG does not count.
    alpha: bool,
    format: ImageFormat,
}

fn open(bytes: &[u8], limits: Limits) -> Result<Opened<'_>, LoadError> {
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => format,
        _ => return Err(LoadError::Format),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut inner = image::Limits::default();
    // Decoders keep working memory beside the picture.
    inner.max_alloc = Some(limits.bytes.saturating_mul(2).max(64 << 20));
    reader.limits(inner);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let size = decoder.total_bytes();
    if width > limits.side || height > limits.side || size > limits.bytes {
        return Err(LoadError::TooLarge { width, height, bytes: size, limits });
    }
    let orientation = decoder.orientation()?;
    // The colour type is the tenth byte of a PNG's header: 0 grey, 2 RGB.
    let keyed = format == ImageFormat::Png && matches!(bytes.get(25), Some(0 | 2));
    let alpha = decoder.color_type().has_alpha() && !keyed;
    Ok(Opened { decoder: Box::new(decoder), orientation, alpha, format })
}

/// The picture as it is shown, and whether it has alpha.
fn decode(bytes: &[u8], limits: Limits) -> Result<(DynamicImage, bool), LoadError> {
    let Opened { decoder, orientation, alpha, format } = open(bytes, limits)?;
    let mut image = match format {
        ImageFormat::Jpeg => decode_jpeg(bytes, decoder)?,
        _ => DynamicImage::from_decoder(decoder)?,
    };
    image.apply_orientation(orientation);
    Ok((image, alpha))
}

/// Whether values have 16 bits.
fn is_deep(image: &DynamicImage) -> bool {
    image.color().bytes_per_pixel() / image.color().channel_count() > 1
}

/// Reads a channel of a picture as `LoadImageMask` does: 0 red, 1 green, 2 blue, 3 one minus alpha. A picture without
/// alpha is opaque; unlike for `LoadImage`, a colour that a PNG declares transparent counts.
///
/// # Errors
/// As [`load_image`].
pub fn load_channel(bytes: &[u8], channel: usize, limits: Limits) -> Result<Mask, LoadError> {
    let (image, _) = decode(bytes, limits)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let channel = channel.min(3);
    let value = |value: f32| if channel == 3 { 1.0 - value } else { value };
    let values = if is_deep(&image) {
        let image = image.into_rgba16();
        image.pixels().map(|pixel| value(f32::from(pixel.0[channel]) / 65535.0)).collect()
    } else {
        let image = image.into_rgba8();
        image.pixels().map(|pixel| value(f32::from(pixel.0[channel]) / 255.0)).collect()
    };
    Ok(Mask { width, height, values })
}

/// Reads a picture as `LoadImage` does: EXIF rotation applied, palette and grey turned into RGB, alpha
/// cut off and returned as mask. 8-bit values are divided by 255, 16-bit ones by 65535.
///
/// # Errors
/// [`LoadError`] for other formats, truncated or corrupt files, and pictures beyond `limits` (checked
/// before memory for pixels is taken).
pub fn load_image(bytes: &[u8], limits: Limits) -> Result<LoadedImage, LoadError> {
    let (image, alpha) = decode(bytes, limits)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut pixels = Vec::with_capacity(width * height * 3);
    let mut mask = Vec::with_capacity(if alpha { width * height } else { 0 });
    if is_deep(&image) {
        for [r, g, b, a] in image.into_rgba16().pixels().map(|pixel| pixel.0) {
            pixels.extend([r, g, b].map(|value| f32::from(value) / 65535.0));
            mask.extend(alpha.then(|| 1.0 - f32::from(a) / 65535.0));
        }
    } else if alpha {
        for [r, g, b, a] in image.into_rgba8().pixels().map(|pixel| pixel.0) {
            pixels.extend([r, g, b].map(|value| f32::from(value) / 255.0));
            mask.push(1.0 - f32::from(a) / 255.0);
        }
    } else {
        pixels.extend(image.into_rgb8().into_raw().into_iter().map(|value| f32::from(value) / 255.0));
    }
    let mask = if alpha {
        Mask { width, height, values: mask }
    } else {
        Mask { width: EMPTY_MASK, height: EMPTY_MASK, values: vec![0.0; EMPTY_MASK * EMPTY_MASK] }
    };
    Ok(LoadedImage { width, height, pixels, mask })
}

/// Decodes a JPEG as libjpeg does, or, kinds that only the `image` crate knows, as that does.
fn decode_jpeg<'a>(bytes: &[u8], other: Box<dyn ImageDecoder + 'a>) -> Result<DynamicImage, LoadError> {
    let rgb = match image_io_jpeg::decode(bytes) {
        Err(JpegError::Unsupported) => return Ok(DynamicImage::from_decoder(other)?),
        rgb => rgb?,
    };
    // The header allows 16 bits a side.
    let image = image::RgbImage::from_raw(rgb.width as u32, rgb.height as u32, rgb.data);
    Ok(image.map(DynamicImage::ImageRgb8).ok_or(JpegError::Corrupt("the size"))?)
}

/// A value of 0..1 as a byte: clipped, then cut off, not rounded, as `SaveImage` does. NaN becomes 0.
#[must_use]
pub fn to_byte(value: f32) -> u8 {
    (255.0 * value).clamp(0.0, 255.0) as u8
}

/// A picture that cannot be written.
#[derive(Debug, Error)]
pub enum SaveError {
    /// No pixels, more than 2^31 - 1 a side, or values of another number.
    #[error("a picture of {width}x{height} pixels cannot have {len} values")]
    Size {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
        /// Values given.
        len: usize,
    },
    /// The PNG encoder refused, for example a keyword that is not Latin-1 or longer than 79 characters.
    #[error("the PNG cannot be encoded: {0}")]
    Encode(#[from] png::EncodingError),
    /// The WebP encoder refused.
    #[error("the WebP cannot be encoded: {0}")]
    Webp(#[source] ImageError),
    /// The prefix leads out of the output folder.
    #[error("file name prefix `{prefix}` leads out of the output folder")]
    Outside {
        /// The prefix as given.
        prefix: String,
    },
    /// The file system refused.
    #[error("cannot write {}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Encodes a picture (`H, W, C`, clipped to 0..1; `size` is `[width, height, channels]`) as 8-bit PNG with texts before
/// the pixels: grey for one channel, RGB for three, RGBA for four.
///
/// Compression is at level 4, ComfyUI's choice. The same input gives the same bytes.
///
/// # Errors
/// [`SaveError::Size`] and [`SaveError::Encode`].
pub fn encode_png(pixels: &[f32], size: [usize; 3], texts: &[PngText]) -> Result<Vec<u8>, SaveError> {
    let mut info = picture_info(size, pixels.len())?;
    let [width, height, channels] = size;
    if Some(pixels.len()) != width.checked_mul(height).and_then(|len| len.checked_mul(channels)) {
        return Err(SaveError::Size { width, height, len: pixels.len() });
    }
    let data: Vec<u8> = pixels.iter().map(|&value| to_byte(value)).collect();
    add_texts(&mut info, texts);
    let mut out = Vec::with_capacity(data.len() / 2 + 1024);
    let mut encoder = png::Encoder::with_info(&mut out, info)?;
    encoder.set_deflate_compression(png::DeflateCompression::Level(4));
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(out)
}

/// The header of a PNG of `[width, height, channels]`, whose pixels have `len` values.
pub(crate) fn picture_info(
    [width, height, channels]: [usize; 3],
    len: usize,
) -> Result<png::Info<'static>, SaveError> {
    let side = |pixels: usize| i32::try_from(pixels).ok().and_then(|side| u32::try_from(side).ok());
    let color = match channels {
        1 => Some(png::ColorType::Grayscale),
        3 => Some(png::ColorType::Rgb),
        4 => Some(png::ColorType::Rgba),
        _ => None,
    };
    let (Some(columns @ 1..), Some(rows @ 1..), Some(color)) = (side(width), side(height), color) else {
        return Err(SaveError::Size { width, height, len });
    };
    let mut info = png::Info::with_size(columns, rows);
    info.color_type = color;
    info.bit_depth = png::BitDepth::Eight;
    Ok(info)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SaveError {
    let path = path.to_path_buf();
    |source| SaveError::File { path, source }
}

/// A finished and synced file beside its destination; removed unless it was moved there.
struct Aside {
    path: PathBuf,
}

impl Aside {
    fn write(folder: &Path, bytes: &[u8]) -> Result<Aside, SaveError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (mut file, aside) = loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".floe-{}-{number}.part", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break (file, Aside { path }),
                // Left over from a process of the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at(&path)(error)),
            }
        };
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(&aside.path))?;
        Ok(aside)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Gone already when it was renamed.
        _ = fs::remove_file(&self.path);
    }
}

/// Makes the entries of a folder durable, where the system can.
fn sync_folder(folder: &Path) -> Result<(), SaveError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file so that `path` is at any time the old file, or the new one complete: aside in the
/// same folder, synced, renamed. An existing file is replaced.
///
/// # Errors
/// [`SaveError::File`]; nothing is left behind.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    let folder = folder_of(path);
    let aside = Aside::write(folder, bytes)?;
    fs::rename(&aside.path, path).map_err(at(path))?;
    sync_folder(folder)
}

/// A file in the output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Name without folders.
    pub name: String,
    /// Folders under the output folder, joined with `/`; empty for none.
    pub subfolder: String,
    /// The whole path.
    pub path: PathBuf,
}

/// Writes `bytes` under the next free number, `{prefix}_{number:05}_.{extension}`, as ComfyUI names files.
///
/// The prefix may hold folders, which are created; the number is one more than the highest in use for
/// the name. Files are complete when they appear, and of several writers with one prefix, threads or
/// processes, each gets a number of its own. Placeholders such as `%width%` are the caller's.
///
/// # Errors
/// [`SaveError::Outside`] for absolute prefixes and those that climb out of `output`;
/// [`SaveError::File`].
pub fn save_numbered(
    output: &Path,
    prefix: &str,
    extension: &str,
    bytes: &[u8],
) -> Result<SavedFile, SaveError> {
    let (folders, name) = split_prefix(prefix)?;
    let folder = folders.iter().fold(output.to_path_buf(), |path, folder| path.join(folder));
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let aside = Aside::write(&folder, bytes)?;
    let mut number = highest_number(&folder, &name)?.saturating_add(1);
    loop {
        let file = format!("{name}_{number:05}_.{extension}");
        let path = folder.join(&file);
        if claim(&aside, &path)? {
            sync_folder(&folder)?;
            return Ok(SavedFile { name: file, subfolder: folders.join("/"), path });
        }
        number = number.saturating_add(1);
    }
}

/// Gives the finished file a name, unless the name is taken.
fn claim(aside: &Aside, path: &Path) -> Result<bool, SaveError> {
    match fs::hard_link(&aside.path, path) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        // Some file systems have no links: an empty file then holds the name until the rename.
        Err(_) => {}
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(at(path)(error)),
    }
    let renamed = fs::rename(&aside.path, path).map_err(at(path));
    if renamed.is_err() {
        _ = fs::remove_file(path);
    }
    renamed.map(|()| true)
}

/// The folders and the name of a prefix. `..` is resolved by name and may not leave the output folder.
fn split_prefix(prefix: &str) -> Result<(Vec<&str>, String), SaveError> {
    let outside = || SaveError::Outside { prefix: prefix.to_string() };
    let separator = |c: char| c == '/' || (cfg!(windows) && c == '\\');
    if prefix.starts_with(separator)
        || Path::new(prefix).has_root()
        || (cfg!(windows) && prefix.contains(':'))
    {
        return Err(outside());
    }
    let mut parts: Vec<&str> = prefix.split(separator).collect();
    let mut name = parts.pop().unwrap_or("");
    if matches!(name, "." | "..") {
        parts.push(name);
        name = "";
    }
    let mut folders = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            ".." => _ = folders.pop().ok_or_else(outside)?,
            part => folders.push(part),
        }
    }
    Ok((folders, name.to_string()))
}

/// The highest number in use for a name, 0 for none.
fn highest_number(folder: &Path, name: &str) -> Result<u64, SaveError> {
    let mut highest = 0;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let file = entry.map_err(at(folder))?.file_name();
        let Some(rest) = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('_')) else {
            continue;
        };
        let digits = rest.split('_').next().unwrap_or(rest);
        // Numbers beyond 18 digits are not ours.
        if digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            highest = highest.max(digits.parse().unwrap_or(0));
        }
    }
    Ok(highest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::png_meta::read_texts;
    use floe_testing::{assert_close, different_bits, json, shared, tensors};

    fn input(name: &str) -> Vec<u8> {
        std::fs::read(shared("parity/inputs").join(name)).expect("input is readable")
    }

    fn check(case: &str) {
        let folder = format!("parity/dev/cases/{case}");
        let workflow = json(&format!("{folder}/workflow.json"));
        let bytes = input(workflow["1"]["inputs"]["image"].as_str().expect("an input"));
        let got = load_image(&bytes, Limits::default()).expect("decodes");
        let (shape, want) = &tensors(&format!("{folder}/image.safetensors"))["value"];
        assert_eq!(*shape, [1, got.height, got.width, 3]);
        let planned = floe_formats::picture_size(&bytes).expect("has a header");
        assert_eq!((planned.width, planned.height), (got.width, got.height));
        let mask = if planned.alpha { (got.width, got.height) } else { (EMPTY_MASK, EMPTY_MASK) };
        assert_eq!((got.mask.width, got.mask.height), mask);
        println!("{case}: {} of {} values differ in bits", different_bits(&got.pixels, want), want.len());
        assert_close(case, &got.pixels, want, 1e-5, 2e-6);
        if shared(&folder).join("mask.safetensors").exists() {
            let (shape, want) = &tensors(&format!("{folder}/mask.safetensors"))["value"];
            assert_eq!(*shape, [1, got.mask.height, got.mask.width]);
            assert_close(&format!("{case} mask"), &got.mask.values, want, 1e-5, 2e-6);
        } else {
            assert_eq!(got.mask, Mask { width: 64, height: 64, values: vec![0.0; 4096] });
        }
        // Saved again, the picture is the PNG that ComfyUI saved.
        let png = std::fs::read(shared(&folder).join("png_0.png")).expect("readable");
        let again = encode_png(&got.pixels, [got.width, got.height, 3], &[]).expect("encodes");
        let decode = |bytes: &[u8]| load_image(bytes, Limits::default()).expect("decodes").pixels;
        assert_eq!(different_bits(&decode(&again), &decode(&png)), 0, "{case}");
    }

    #[test]
    fn load_png_cases() {
        check("imageop_load_alpha");
        check("imageop_load_gray_64x48_png");
        check("imageop_load_palette_64x48_png");
    }

    #[test]
    fn load_webp_case() {
        check("imageop_load_photo_64x48_webp");
    }

    #[test]
    fn load_jpeg_cases() {
        check("imageop_load_photo_64x48_jpg");
        check("imageop_load_exif_rot6_48x64_jpg");
    }

    #[test]
    fn sixteen_bits_keep_their_range() {
        let image = load_image(&input("gray16_64x48.png"), Limits::default()).expect("decodes");
        assert_eq!((image.width, image.height), (64, 48));
        let max = image.pixels.iter().copied().fold(0.0, f32::max);
        assert!((0.5..=1.0).contains(&max), "{max}");
    }

    #[test]
    fn broken_and_oversized_files_are_errors() {
        for name in ["photo_64x48.png", "photo_64x48.jpg", "photo_64x48.webp", "palette_64x48.png"] {
            let bytes = input(name);
            for cut in [0, 1, 8, 20, 33, 60, bytes.len() / 2] {
                assert!(load_image(&bytes[..cut], Limits::default()).is_err(), "{name} cut at {cut}");
            }
            // No flipped byte may panic; whether it is noticed is the format's matter.
            for at in (0..bytes.len()).step_by(97) {
                let mut bytes = bytes.clone();
                bytes[at] ^= 0x55;
                _ = load_image(&bytes, Limits::default());
            }
            let small = Limits { side: 63, bytes: 1 << 30 };
            assert!(
                matches!(load_image(&bytes, small), Err(LoadError::TooLarge { width: 64, .. })),
                "{name}"
            );
            let few = Limits { side: 64, bytes: 100 };
            assert!(matches!(load_image(&bytes, few), Err(LoadError::TooLarge { .. })), "{name}");
        }
        assert!(matches!(load_image(b"GIF89a..........", Limits::default()), Err(LoadError::Format)));
        // A header that promises a terabyte.
        let mut bomb = input("photo_64x48.png");
        bomb[16..24].copy_from_slice(&[0, 15, 255, 255, 0, 15, 255, 255]);
        assert!(load_image(&bomb, Limits::default()).is_err());
    }

    #[test]
    fn bytes_are_cut_off_not_rounded() {
        let values = [-1.0, 0.0, 0.9999 / 255.0, 1.0 / 255.0, 0.5, 1.0, 7.0, f32::NAN, f32::INFINITY];
        assert_eq!(values.map(to_byte), [0, 0, 0, 1, 127, 255, 255, 0, 255]);
    }

    #[test]
    fn texts_survive() {
        let texts = [
            PngText::new("prompt", "{\"a\": \"\u{e9}\"}"),
            PngText::new("flow", "prompt \u{2014} \u{732b}\n"),
        ];
        let png = encode_png(&[0.5; 2 * 3 * 3], [2, 3, 3], &texts).expect("encodes");
        assert_eq!(read_texts(&png).expect("reads"), texts);
        assert!(png.windows(4).any(|chunk| chunk == b"tEXt") && png.windows(4).any(|chunk| chunk == b"iTXt"));
        assert!(encode_png(&[0.5; 5], [2, 3, 3], &[]).is_err());
        assert!(encode_png(&[], [0, 0, 3], &[]).is_err());
        assert!(encode_png(&[0.5; 3], [1, 1, 3], &[PngText::new("\u{732b}", "")]).is_err());
    }

    #[test]
    fn numbers_continue_and_never_collide() {
        let folder = tempfile::tempdir().expect("a folder");
        let save = |prefix: &str| save_numbered(folder.path(), prefix, "png", b"x").map(|file| file.name);
        assert_eq!(save("a/b/pic").expect("saves"), "pic_00001_.png");
        assert_eq!(save("a/../a/b/pic").expect("saves"), "pic_00002_.png");
        write_file(&folder.path().join("a/b/pic_00041_.png"), b"y").expect("writes");
        write_file(&folder.path().join("a/b/pic_x_00099_.png"), b"y").expect("writes");
        assert_eq!(save("a/b/pic").expect("saves"), "pic_00042_.png");
        for bad in ["../pic", "/pic", "a/../../pic", "..", "a/../.."] {
            assert!(matches!(save(bad), Err(SaveError::Outside { .. })), "{bad}");
        }
        assert!(save("a/b\0c").is_err());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..8).for_each(|_| _ = save("many").expect("saves")));
            }
        });
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).expect("readable");
            let mut names: Vec<_> = entries.map(|entry| entry.expect("readable").file_name()).collect();
            names.sort();
            names
        };
        let all = names(folder.path());
        assert_eq!(all.len(), 65, "64 files, one folder, nothing else: {all:?}");
        assert!(fs::read(folder.path().join("many_00064_.png")).expect("readable") == b"x");
        assert!(write_file(&folder.path().join("none/x"), b"").is_err());
        write_file(&folder.path().join("a/b/pic_00041_.png"), b"z").expect("replaces");
        assert_eq!(fs::read(folder.path().join("a/b/pic_00041_.png")).expect("readable"), b"z");
    }
}
