//! What a pickle is made of: plain data, and tensors that say where their numbers lie.
//!
//! Values live in a list and name one another by their place in it. A pickle may tie knots; here these cost nothing, and
//! nothing recurses when values are dropped.

use crate::DType;

/// A value's place in the list of all.
pub(super) type Id = u32;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// `None`, and what has no meaning for tensors: floats, bytes, sets, numbers of more than 64 bits.
    Other,
    Bool(bool),
    Int(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Box<Storage>),
    Tensor(Box<Tensor>),
}

/// A name that a pickle may use. Names are never looked up anywhere: each has one fixed meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// A dictionary.
    OrderedDict,
    /// A tensor over a storage: how many arguments there are before the type, if one follows.
    Rebuild { typed: bool },
    /// A tensor as it is.
    RebuildParameter,
    /// A type of storages.
    Storage(DType),
    /// Storages of bytes.
    UntypedStorage,
    /// A number type.
    DType(DType),
    /// A tuple as it is.
    Size,
    /// Gives something that is no tensor: numbers and types of numpy, bytes, sets.
    Plain,
    /// The class of something; never called.
    Class,
}

/// Numbers in a row, in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    /// Its name among the storages of the file.
    pub(super) key: String,
    /// Number type, unless it is bytes.
    pub(super) dtype: Option<DType>,
    /// Elements; bytes, if there is no type.
    pub(super) elements: u64,
}

/// Some of the numbers of a storage.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    /// The storage's place in the list of values.
    pub(super) storage: Id,
    pub(super) dtype: DType,
    /// Elements before the first.
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    /// Elements between neighbours in each dimension.
    pub(super) strides: Vec<usize>,
}

/// The meaning of a name, if it has one.
pub(super) fn global(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::Rebuild { typed: false },
        ("torch._utils", "_rebuild_tensor_v3") => Global::Rebuild { typed: true },
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", "Size") => Global::Size,
        ("torch.storage" | "torch", "UntypedStorage") => Global::UntypedStorage,
        ("torch", name) => storage(name).map(Global::Storage).or_else(|| dtype(name).map(Global::DType))?,
        // Trainers note their best score, a number of numpy's, beside the weights.
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Global::Plain,
        ("numpy", "dtype") | ("_codecs", "encode") => Global::Plain,
        ("__builtin__" | "builtins", "set") => Global::Plain,
        // The first Stable Diffusion checkpoints have it as a key.
        ("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint") => Global::Class,
        _ => return None,
    })
}

fn storage(name: &str) -> Option<DType> {
    Some(match name.strip_suffix("Storage")? {
        "Double" => DType::F64,
        "Float" => DType::F32,
        "Half" => DType::F16,
        "BFloat16" => DType::Bf16,
        "Long" => DType::I64,
        "Int" => DType::I32,
        "Short" => DType::I16,
        "Char" => DType::I8,
        "Byte" => DType::U8,
        "Bool" => DType::Bool,
        _ => return None,
    })
}

fn dtype(name: &str) -> Option<DType> {
    Some(match name {
        "float64" => DType::F64,
        "float32" => DType::F32,
        "float16" => DType::F16,
        "bfloat16" => DType::Bf16,
        "float8_e4m3fn" => DType::F8E4M3,
        "float8_e5m2" => DType::F8E5M2,
        "int64" => DType::I64,
        "int32" => DType::I32,
        "int16" => DType::I16,
        "int8" => DType::I8,
        "uint64" => DType::U64,
        "uint32" => DType::U32,
        "uint16" => DType::U16,
        "uint8" => DType::U8,
        "bool" => DType::Bool,
        _ => return None,
    })
}
