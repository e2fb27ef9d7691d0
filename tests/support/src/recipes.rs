//! Tiny models from recipes: names, shapes and an integer hash per element, so that no weights are kept anywhere.
//! The law is that of `parity/tools/mkmodels.py`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use half::{bf16, f16};
use serde_json::Value;

use crate::archive;

/// Makes the file of a recipe, safetensors or torch's archive, unless it is there already with the size it must have. Written aside and
/// renamed: processes that make the same file at the same time do not disturb one another.
pub(crate) fn make(spec: &Value, to: &Path) -> io::Result<()> {
    let tensors: Vec<Tensor> = list(&spec["tensors"]).iter().map(Tensor::read).collect();
    let frame = match string(&spec["format"]) {
        "safetensors" => Frame::plain(header(spec, &tensors)),
        _ => archive::frame(spec, &tensors),
    };
    let bytes = frame.bytes() + tensors.iter().map(Tensor::bytes).sum::<u64>();
    if fs::metadata(to).is_ok_and(|found| found.len() == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let aside = to.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    let mut out = BufWriter::new(File::create(&aside)?);
    out.write_all(&frame.before)?;
    let seed = seed(spec);
    for (index, tensor) in tensors.iter().enumerate() {
        frame.records.get(index).map_or(Ok(()), |record| out.write_all(record))?;
        tensor.write(&seed, &mut out)?;
    }
    out.write_all(&frame.after)?;
    out.into_inner()?.sync_all()?;
    fs::rename(&aside, to)
}

/// The stored bytes of one tensor of a recipe.
pub(crate) fn tensor(spec: &Value, name: &str) -> Vec<u8> {
    let found =
        list(&spec["tensors"]).iter().find(|tensor| tensor[0] == name).expect("the recipe has the tensor");
    let mut bytes = Vec::new();
    Tensor::read(found).write(&seed(spec), &mut bytes).expect("memory is writable");
    bytes
}

fn seed(spec: &Value) -> String {
    format!("{}/{}", string(&spec["seed"]), spec["hash_prefix"].as_str().unwrap_or(""))
}

/// What stands around the tensors of a file.
pub(crate) struct Frame {
    pub(crate) before: Vec<u8>,
    /// Before each tensor, if there is anything.
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) after: Vec<u8>,
}

impl Frame {
    fn plain(before: Vec<u8>) -> Frame {
        Frame { before, records: Vec::new(), after: Vec::new() }
    }

    fn bytes(&self) -> u64 {
        let records: usize = self.records.iter().map(Vec::len).sum();
        (self.before.len() + records + self.after.len()) as u64
    }
}

/// FNV-1a (Fowler, Noll, Vo).
pub(crate) fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// Numbers in [-1, 1): splitmix64's finaliser of `hash + (i + 1) * golden`.
pub(crate) fn uniform(hash: u64) -> impl Iterator<Item = f64> {
    (1_u64..).map(move |index| {
        let z = hash.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        ((z >> 40) as f64 - 8_388_608.0) / 8_388_608.0
    })
}

pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<u64>,
    scale: f64,
    offset: f64,
    fills: Vec<[f64; 3]>,
    sets: Vec<[f64; 2]>,
}

impl Tensor {
    fn read(value: &Value) -> Tensor {
        let numbers = |value: &Value| list(value).iter().map(number).collect::<Vec<_>>();
        Tensor {
            name: string(&value[0]).to_owned(),
            dtype: string(&value[1]).to_owned(),
            shape: numbers(&value[2]).into_iter().map(|size| size as u64).collect(),
            scale: number(&value[3]),
            offset: number(&value[4]),
            fills: list(&value[5])
                .iter()
                .map(|fill| [number(&fill[0]), number(&fill[1]), number(&fill[2])])
                .collect(),
            sets: list(&value[6]).iter().map(|set| [number(&set[0]), number(&set[1])]).collect(),
        }
    }

    pub(crate) fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    pub(crate) fn bytes(&self) -> u64 {
        let size = match self.dtype.as_str() {
            "F8_E4M3" => 1,
            "F32" => 4,
            "F16" | "BF16" => 2,
            "I64" => 8,
            other => panic!("recipes of {other} are not made here"),
        };
        self.elements() * size
    }

    fn write(&self, seed: &str, out: &mut impl Write) -> io::Result<()> {
        if self.dtype == "I64" {
            return (0..self.elements()).try_for_each(|index| out.write_all(&index.to_le_bytes()));
        }
        let hash = fnv1a64(format!("{seed}{}", self.name).as_bytes());
        let count = self.elements() as usize;
        let mut values: Vec<f64> = uniform(hash).take(count).map(|u| self.offset + self.scale * u).collect();
        for &[start, count, value] in &self.fills {
            values[start as usize..][..count as usize].fill(value);
        }
        for &[index, value] in &self.sets {
            values[index as usize] = value;
        }
        for value in values {
            let value = value as f32;
            match self.dtype.as_str() {
                "F16" => out.write_all(&f16::from_f32(value).to_le_bytes())?,
                "BF16" => out.write_all(&bf16::from_f32(value).to_le_bytes())?,
                "F8_E4M3" => out.write_all(&[e4m3(value)])?,
                _ => out.write_all(&value.to_le_bytes())?,
            }
        }
        Ok(())
    }
}

/// The header as Python's `json.dumps` writes it, padded with spaces to eight bytes.
fn header(spec: &Value, tensors: &[Tensor]) -> Vec<u8> {
    let mut entries = Vec::new();
    if spec["metadata"].is_object() {
        entries.push(format!("\"__metadata__\":{}", spec["metadata"]));
    }
    let mut offset = 0;
    for tensor in tensors {
        let shape: Vec<_> = tensor.shape.iter().map(u64::to_string).collect();
        let end = offset + tensor.bytes();
        let (name, dtype, shape) = (&tensor.name, &tensor.dtype, shape.join(","));
        entries.push(format!(
            "\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{offset},{end}]}}"
        ));
        offset = end;
    }
    let mut json = format!("{{{}}}", entries.join(","));
    json.extend(std::iter::repeat_n(' ', json.len().next_multiple_of(8) - json.len()));
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(json.as_bytes());
    bytes
}

/// The nearest number of four bits of exponent and three of fraction; the even one of two that are equally near.
fn e4m3(value: f32) -> u8 {
    let size = |code: u8| {
        let (exponent, fraction) = (i32::from(code >> 3), f64::from(code & 7) / 8.0);
        if exponent == 0 { fraction * 2_f64.powi(-6) } else { (1.0 + fraction) * 2_f64.powi(exponent - 7) }
    };
    let wanted = f64::from(value.abs());
    // Codes grow with their numbers; 0x7f is no number.
    let above = (0..0x7e).position(|code| size(code) >= wanted).map_or(0x7e, |code| code as u8);
    let below = above.saturating_sub(1);
    let (up, down) = ((size(above) - wanted).abs(), (wanted - size(below)).abs());
    let nearest = if down < up || down == up && below % 2 == 0 { below } else { above };
    nearest | if value.is_sign_negative() { 0x80 } else { 0 }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn string(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}
