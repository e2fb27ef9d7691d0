//! Files as `torch.save` writes them, byte by byte, and what is refused in them.

use std::io::Cursor;

use super::opcode::REFUSED;
use crate::{DType, FormatError, Header, ReadError};

/// Writes pickles opcode by opcode.
#[derive(Default)]
struct Pickle(Vec<u8>);

impl Pickle {
    fn new() -> Pickle {
        Pickle(b"\x80\x02".to_vec())
    }

    fn raw(mut self, bytes: &[u8]) -> Pickle {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Pickle {
        self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
    }

    fn int(self, value: i32) -> Pickle {
        self.raw(b"J").raw(&value.to_le_bytes())
    }

    fn ints(self, values: &[i32]) -> Pickle {
        values.iter().fold(self.raw(b"("), |pickle, &value| pickle.int(value)).raw(b"t")
    }

    fn global(self, module: &str, name: &str) -> Pickle {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    fn storage(self, ty: &str, key: &str, elements: i32) -> Pickle {
        self.raw(b"(").text("storage").global("torch", ty).text(key).text("cpu").int(elements).raw(b"tQ")
    }

    fn tensor(
        self,
        ty: &str,
        key: &str,
        elements: i32,
        offset: i32,
        shape: &[i32],
        strides: &[i32],
    ) -> Pickle {
        let tensor = self.global("torch._utils", "_rebuild_tensor_v2").raw(b"(").storage(ty, key, elements);
        tensor
            .int(offset)
            .ints(shape)
            .ints(strides)
            .raw(b"\x89")
            .global("collections", "OrderedDict")
            .raw(b")RtR")
    }

    fn end(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

/// A zip archive of entries, compressed if `method` says so.
fn zip(entries: &[(&str, &[u8])], method: u16) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let at = file.len() as u32;
        let mut middle = vec![20, 0, 0, 0];
        middle.extend(method.to_le_bytes());
        middle.extend([0; 8]);
        middle.extend((bytes.len() as u32).to_le_bytes());
        middle.extend((bytes.len() as u32).to_le_bytes());
        middle.extend((name.len() as u16).to_le_bytes());
        middle.extend([0; 2]);
        file.extend(b"PK\x03\x04");
        file.extend_from_slice(&middle);
        file.extend(name.as_bytes());
        file.extend_from_slice(bytes);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&middle);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, count) = (file.len() as u32, entries.len() as u16);
    file.extend_from_slice(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(at.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// An archive around a pickle, with a storage `0` of sixteen bytes.
fn archive(pickle: &[u8]) -> Vec<u8> {
    zip(&[("archive/data.pkl", pickle), ("archive/byteorder", b"little"), ("archive/data/0", &[7; 16])], 0)
}

fn read(file: &[u8]) -> Result<Header, FormatError> {
    match Header::read(&mut Cursor::new(file)) {
        Ok(header) => Ok(header),
        Err(ReadError::Format(error)) => Err(error),
        Err(ReadError::Io(error)) => panic!("memory is always readable: {error}"),
    }
}

/// Why an archive around this pickle is refused.
#[track_caller]
fn refused(pickle: Pickle) -> String {
    read(&archive(&pickle.end())).unwrap_err().to_string()
}

/// A dictionary of one tensor `t`.
fn one(shape: &[i32], strides: &[i32]) -> Vec<u8> {
    Pickle::new().raw(b"}").text("t").tensor("HalfStorage", "0", 8, 0, shape, strides).raw(b"s").end()
}

#[test]
fn tensors_lie_in_stored_entries() {
    let pickle = Pickle::new()
        .raw(b"}(")
        .text("global_step")
        .int(470_000)
        .text("state_dict")
        .raw(b"}(")
        .text("a.weight")
        .tensor("FloatStorage", "0", 4, 1, &[1, 3], &[3, 1])
        .text("a.bias")
        .tensor("HalfStorage", "0", 8, 0, &[2], &[1])
        .raw(b"uu");
    let file = archive(&pickle.end());
    let header = read(&file).unwrap();
    assert_eq!(header.tensors.keys().collect::<Vec<_>>(), ["a.bias", "a.weight"]);
    let (bias, weight) = (&header.tensors["a.bias"], &header.tensors["a.weight"]);
    assert_eq!((weight.dtype, weight.shape.as_slice(), weight.bytes), (DType::F32, &[1, 3][..], 12));
    assert_eq!(weight.start, bias.start + 4);
    assert_eq!(file[bias.start as usize..][..16], [7; 16]);
    assert_ne!(file[bias.start as usize - 1], 7);
}

#[test]
fn the_old_form_has_its_storages_behind_its_pickles() {
    let mut file = Pickle::new().raw(&super::MAGIC).end();
    file.extend(Pickle::new().raw(b"M\xe9\x03").end());
    let facts = Pickle::new()
        .raw(b"}(")
        .text("protocol_version")
        .raw(b"M\xe9\x03")
        .text("little_endian")
        .raw(b"\x88u");
    file.extend(facts.end());
    file.extend(
        Pickle::new()
            .raw(b"}(")
            .text("x")
            .tensor("HalfStorage", "94", 3, 0, &[3], &[1])
            .text("y")
            .tensor("DoubleStorage", "12", 2, 1, &[1], &[1])
            .raw(b"u")
            .end(),
    );
    file.extend(Pickle::new().raw(b"](").text("12").text("94").raw(b"e").end());
    let data = file.len() as u64;
    file.extend(2_u64.to_le_bytes());
    file.extend([1; 16]);
    file.extend(3_u64.to_le_bytes());
    file.extend([2; 6]);
    let header = read(&file).unwrap();
    let place =
        |name: &str| (header.tensors[name].dtype, header.tensors[name].start, header.tensors[name].bytes);
    assert_eq!(place("y"), (DType::F64, data + 16, 8));
    assert_eq!(place("x"), (DType::F16, data + 32, 6));
    let error = read(&file[..file.len() - 1]).unwrap_err();
    assert_eq!(error, FormatError::Truncated { needed: data + 38, found: data + 37 });
    let error = read(&file[..data as usize + 3]).unwrap_err();
    assert!(matches!(error, FormatError::Truncated { .. }), "{error}");
}

#[test]
fn every_other_opcode_is_refused_by_name() {
    for (opcode, name) in REFUSED {
        let error = refused(Pickle::new().raw(b"N").raw(&[opcode]));
        assert!(error.starts_with(&format!("the pickle uses the opcode {name}, ")), "{error}");
    }
    let known: Vec<u8> = b"(.JKMNQRTUXGabc}ehj]qrst)uBC"
        .iter()
        .copied()
        .chain([0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x8d, 0x93, 0x94, 0x95])
        .collect();
    for opcode in 0..=255_u8 {
        let found = read(&archive(&Pickle::new().raw(&[opcode]).raw(&[b'N'; 300]).end()));
        let is_refused =
            matches!(&found, Err(FormatError::RefusedPickle { what }) if what.contains("opcode"));
        assert_eq!(is_refused, !known.contains(&opcode), "{opcode:#x}: {found:?}");
    }
}

#[test]
fn every_other_global_is_refused_by_name() {
    for (module, name) in [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("__builtin__", "getattr"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("torch", "QInt8Storage"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("numpy", "fromfile"),
        ("torch.jit", "load"),
        ("pytorch_lightning.callbacks.model_checkpoint", "os"),
        ("collections", "defaultdict"),
    ] {
        let error = refused(Pickle::new().global(module, name));
        let want = format!(
            "the pickle uses `{module}.{name}`, which no tensor needs: a model file is data, and is not executed"
        );
        assert_eq!(error, want);
        let stacked = refused(Pickle::new().text(module).text(name).raw(b"\x93"));
        assert_eq!(stacked, want);
    }
}

#[test]
fn nothing_is_called_but_what_makes_tensors() {
    let class = "pytorch_lightning.callbacks.model_checkpoint";
    assert!(refused(Pickle::new().global(class, "ModelCheckpoint").raw(b")R")).contains("a call of a class"));
    assert!(refused(Pickle::new().global("torch", "FloatStorage").raw(b")R")).contains("a call of a class"));
    assert!(refused(Pickle::new().raw(b"N)R")).contains("a call of what is no name"));
    let attributes = Pickle::new().global(class, "ModelCheckpoint").raw(b"}b");
    assert!(refused(attributes).contains("attributes of an object"));
}

#[test]
fn what_trainers_note_beside_the_weights_is_skipped() {
    let pickle = Pickle::new()
        .raw(b"}(")
        .text("callbacks")
        .raw(b"}")
        .global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
        .raw(b"}")
        .text("best_model_score")
        .global("numpy.core.multiarray", "scalar")
        .global("numpy", "dtype")
        .text("f8")
        .raw(b"\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        .global("_codecs", "encode")
        .text("\u{0}")
        .text("latin1")
        .raw(b"\x86R\x86Rss")
        .text("state_dict")
        .global("collections", "OrderedDict")
        .raw(b")R")
        .text("w")
        .global("torch._utils", "_rebuild_parameter")
        .raw(b"(")
        .tensor("FloatStorage", "0", 4, 0, &[2, 2], &[2, 1])
        .raw(b"\x88")
        .global("collections", "OrderedDict")
        .raw(b")RtRs}")
        .text("_metadata")
        .raw(b"}sbu");
    let header = read(&archive(&pickle.end())).unwrap();
    assert_eq!(header.tensors.keys().collect::<Vec<_>>(), ["w"]);
}

#[test]
fn tensors_of_eight_bits_name_their_type() {
    let pickle = Pickle::new()
        .raw(b"}")
        .text("t")
        .global("torch._utils", "_rebuild_tensor_v3")
        .raw(b"((")
        .text("storage")
        .global("torch.storage", "UntypedStorage")
        .text("0")
        .text("cpu")
        .int(16)
        .raw(b"tQ")
        .int(2)
        .ints(&[3])
        .ints(&[1])
        .raw(b"\x89")
        .global("collections", "OrderedDict")
        .raw(b")R")
        .global("torch", "float8_e4m3fn")
        .raw(b"tRs");
    let header = read(&archive(&pickle.end())).unwrap();
    assert_eq!((header.tensors["t"].dtype, header.tensors["t"].bytes), (DType::F8E4M3, 3));
}

#[test]
fn strides_are_rows_or_columns_or_refused() {
    let info =
        |shape: &[i32], strides: &[i32]| read(&archive(&one(shape, strides))).map(|h| h.tensors["t"].clone());
    assert!(!info(&[2, 4], &[4, 1]).unwrap().transposed);
    let turned = info(&[2, 4], &[1, 2]).unwrap();
    assert!(turned.transposed && turned.shape == [2, 4]);
    assert!(!info(&[1, 8], &[1, 1]).unwrap().transposed, "one row is a row");
    assert_eq!(
        info(&[2, 2], &[4, 1]).unwrap_err(),
        FormatError::Strided { tensor: "t".to_owned(), shape: vec![2, 2], strides: vec![4, 1] }
    );
    assert!(matches!(info(&[4], &[0]).unwrap_err(), FormatError::Strided { .. }));
    assert!(matches!(info(&[1, 2, 2], &[4, 1, 2]).unwrap_err(), FormatError::Strided { .. }));
    assert_eq!(
        info(&[9], &[1]).unwrap_err().to_string(),
        "tensor `t` does not fit: it lies outside of its storage"
    );
    assert!(info(&[-1], &[1]).unwrap_err().to_string().contains("a size is negative"));
}

#[test]
fn storages_must_be_as_large_as_they_say() {
    let pickle = Pickle::new().raw(b"}").text("t").tensor("HalfStorage", "0", 9, 0, &[2], &[1]).raw(b"s");
    assert_eq!(refused(pickle), "tensor `t` does not fit: its storage is larger than the file says");
    let pickle = Pickle::new().raw(b"}").text("t").tensor("HalfStorage", "1", 9, 0, &[2], &[1]).raw(b"s");
    assert_eq!(refused(pickle), "the zip archive cannot be read: there is no entry `archive/data/1`");
}

#[test]
fn archives_must_be_stored_whole_and_little_endian() {
    let pickle = one(&[8], &[1]);
    let entries: [(&str, &[u8]); 3] =
        [("a/data.pkl", &pickle), ("a/byteorder", b"big"), ("a/data/0", &[0; 16])];
    assert!(read(&zip(&entries, 0)).unwrap_err().to_string().contains("not little-endian"));
    let packed = read(&zip(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 16])], 8)).unwrap_err();
    assert_eq!(
        packed.to_string(),
        "the zip archive cannot be read: entry `a/data.pkl` is compressed; only stored entries can be mapped"
    );
    let other = read(&zip(&[("word/document.xml", b"<x/>")], 0)).unwrap_err();
    assert!(matches!(other, FormatError::NotTensors { .. }), "{other}");
    let whole = archive(&pickle);
    for cut in 4..whole.len() {
        assert!(read(&whole[..cut]).is_err(), "{cut}");
    }
    let mut moved = whole.clone();
    moved[0] = b'Q';
    assert!(read(&moved).is_err());
    let twice = zip(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 16]), ("a/data/0", &[0; 16])], 0);
    assert!(read(&twice).unwrap_err().to_string().contains("entry `a/data/0` is there twice"));
}

#[test]
fn broken_pickles_are_errors() {
    for (pickle, reason) in [
        (Pickle::new().raw(b"X\xff\xff\xff\x7f"), "larger than"),
        (Pickle::new().raw(b"X\xff\xff\0\0"), "ends early"),
        (Pickle::new(), "its stack is empty"),
        (Pickle::new().raw(b"t"), "ends that did not begin"),
        (Pickle::new().raw(b"h\x07"), "its memo lacks a value"),
        (Pickle::new().raw(b"Na"), "its stack is empty"),
        (Pickle::new().raw(b"NNa"), "appended to what is no list"),
        (Pickle::new().raw(b"]NNs"), "no dictionary"),
        (Pickle::new().raw(b"}(Nu"), "no dictionary"),
        (Pickle::new().raw(&[b'('; 300]), "collections are open at once"),
        (Pickle::new().raw(b"c").raw(&[b'x'; 300]), "a name is too long"),
        (Pickle::new().raw(b"NQ"), "a persistent id is no tuple"),
        (Pickle::new().raw(b")Q"), "a persistent id is no storage"),
        (Pickle::new().global("torch._utils", "_rebuild_tensor_v2").raw(b")R"), "a tensor lacks arguments"),
    ] {
        let error = refused(pickle);
        assert!(error.contains(reason), "{error}");
    }
}

/// A list that holds itself, many times.
#[test]
fn knots_end() {
    let knot = Pickle::new().raw(b"]q\x00(").raw(&b"h\x00".repeat(100)).raw(b"e").end();
    let error = read(&archive(&knot)).unwrap_err();
    assert!(error.to_string().contains("its collections hold more than"), "{error}");
    let knot = Pickle::new().raw(b"]q\x00h\x00a").end();
    assert!(read(&archive(&knot)).unwrap().tensors.is_empty());
}
