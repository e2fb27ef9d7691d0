//! Torch's archives around the tensors of a recipe: a zip of stored entries, whose pickle is written opcode by opcode.

use serde_json::Value;

use crate::recipes::{Frame, Tensor};

/// What stands around the tensors.
pub(crate) fn frame(spec: &Value, tensors: &[Tensor]) -> Frame {
    let root = spec["zip_root"].as_str().unwrap_or("archive");
    let mut directory = Directory::default();
    let mut before = Vec::new();
    for (name, bytes) in [("data.pkl", pickle(spec, tensors)), ("byteorder", b"little".to_vec())] {
        before.extend(directory.record(&format!("{root}/{name}"), bytes.len() as u64));
        before.extend(bytes);
    }
    let records = tensors.iter().enumerate();
    let records =
        records.map(|(key, tensor)| directory.record(&format!("{root}/data/{key}"), tensor.bytes()));
    let records = records.collect();
    let mut after = directory.record(&format!("{root}/version"), 2);
    after.extend(b"3\n");
    after.extend(directory.end());
    Frame { before, records, after }
}

/// The directory of a zip archive that grows.
#[derive(Default)]
struct Directory {
    bytes: Vec<u8>,
    entries: u16,
    at: u64,
}

impl Directory {
    /// The record before an entry. Checksums are left out: no reader of tensors looks at them.
    fn record(&mut self, name: &str, bytes: u64) -> Vec<u8> {
        let size = u32::try_from(bytes).expect("recipes are small").to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0];
        common.extend(size);
        common.extend(size);
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        let record = [b"PK\x03\x04", common.as_slice(), name.as_bytes()].concat();
        self.bytes.extend(b"PK\x01\x02\x14\x03");
        self.bytes.extend(&common);
        self.bytes.extend([0; 10]);
        self.bytes.extend((self.at as u32).to_le_bytes());
        self.bytes.extend(name.as_bytes());
        self.entries += 1;
        self.at += record.len() as u64 + bytes;
        record
    }

    fn end(self) -> Vec<u8> {
        let mut end = self.bytes.clone();
        end.extend(b"PK\x05\x06\0\0\0\0");
        end.extend(self.entries.to_le_bytes());
        end.extend(self.entries.to_le_bytes());
        end.extend((self.bytes.len() as u32).to_le_bytes());
        end.extend((self.at as u32).to_le_bytes());
        end.extend([0; 2]);
        end
    }
}

/// The dictionary of tensors, inside of another under the recipe's key.
fn pickle(spec: &Value, tensors: &[Tensor]) -> Vec<u8> {
    let mut out = b"\x80\x02}(".to_vec();
    for (key, value) in spec["extra_scalars"].as_object().into_iter().flatten() {
        text(&mut out, key);
        number(&mut out, value.as_u64().expect("numbers beside the weights are whole"));
    }
    text(&mut out, spec["wrap"][0].as_str().unwrap_or("state_dict"));
    out.extend(b"}(");
    for (key, tensor) in tensors.iter().enumerate() {
        text(&mut out, &tensor.name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{}\n", storage(&tensor.dtype)).as_bytes());
        text(&mut out, &key.to_string());
        text(&mut out, "cpu");
        number(&mut out, tensor.elements());
        out.extend(b"tQ");
        number(&mut out, 0);
        tuple(&mut out, &tensor.shape);
        tuple(&mut out, &strides(&tensor.shape));
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"uu.");
    out
}

fn storage(dtype: &str) -> &'static str {
    match dtype {
        "F32" => "FloatStorage",
        "F16" => "HalfStorage",
        "BF16" => "BFloat16Storage",
        "I64" => "LongStorage",
        other => panic!("archives of {other} are not made here"),
    }
}

fn strides(shape: &[u64]) -> Vec<u64> {
    (0..shape.len()).map(|dimension| shape[dimension + 1..].iter().product()).collect()
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, number: u64) {
    match number {
        0..256 => out.extend([b'K', number as u8]),
        256..65536 => out.extend([&b"M"[..], &(number as u16).to_le_bytes()].concat()),
        _ => out.extend([&b"J"[..], &(number as u32).to_le_bytes()].concat()),
    }
}

fn tuple(out: &mut Vec<u8>, numbers: &[u64]) {
    if numbers.is_empty() {
        out.push(b')');
        return;
    }
    out.push(b'(');
    numbers.iter().for_each(|&size| number(out, size));
    out.push(b't');
}
