//! Files that tests compile against: the demo model as it ships, and headers of others, made up from it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use floe_formats::{Contents, FormatError, Header, PictureSize, TensorInfo, header_len, picture_size};
use floe_stdlib::{FileError, ModelFile, World};

/// Folders of models and pictures, in memory.
///
/// | file | what it is |
/// |---|---|
/// | `demo-sd1.safetensors` | the demo model, its real header |
/// | `half-downloaded.safetensors` | the demo model, its second half missing |
/// | `demo-lora.safetensors` | a LoRA that lies among the checkpoints |
/// | `sd2.safetensors` | a Stable Diffusion 2 checkpoint |
/// | `flux.safetensors` | a model of another family |
/// | `wide-sd1.safetensors` | a Stable Diffusion 1 checkpoint with text of 128 channels, not 64 |
/// | `sixteen-sd1.safetensors` | a Stable Diffusion 1 checkpoint whose VAE has latents of 16 channels, not 4 |
/// | `no-vae.safetensors` | a Stable Diffusion 1 checkpoint without its VAE |
/// | `lake.png` | a picture of 192x128 pixels |
/// | `icon.png` | a picture of 4x4 pixels |
/// | `notes.png` | a text under a wrong name |
/// | `styles.flow` | a flow `oil`, a constant `STYLES` and a param |
/// | `circle.flow`, `back.flow` | files that use one another |
/// | `broken.flow` | a file with a syntax error |
/// | `wrong.flow` | a file with a flow that is wrong |
#[derive(Debug)]
pub struct TestWorld {
    models: BTreeMap<(String, String), Result<Arc<ModelFile>, FormatError>>,
    pictures: BTreeMap<String, Result<PictureSize, FormatError>>,
    folders: bool,
}

/// Files that programs use.
const PROGRAMS: [(&str, &str); 5] = [
    (
        "styles.flow",
        "edition 1\nparam strength: Int\nconst STYLES = [\"oil\", \"ink\"]\nfn oil(text: String) -> String { f\"oil, {text}\" }\n",
    ),
    ("circle.flow", "edition 1\nuse \"./back.flow\" as back\n"),
    ("back.flow", "edition 1\nuse \"./circle.flow\" as circle\n"),
    ("broken.flow", "edition 1\nconst A = [1, 2\n"),
    (
        "wrong.flow",
        "edition 1\n\nfn double(image: Image) -> Image {\n    ImageScaleBy(image, upscale_method: \"area\", scale_by: 20.0)\n}\n",
    ),
];

impl Default for TestWorld {
    fn default() -> Self {
        Self::new()
    }
}

impl TestWorld {
    /// The usual folders.
    ///
    /// # Panics
    /// If the demo model is not in `examples/models`.
    pub fn new() -> TestWorld {
        let (prefix, file_bytes) = read_header("checkpoints/demo-sd1.safetensors");
        let demo = Header::parse(&prefix, file_bytes).expect("the demo model is whole");
        let half = Header::parse(&prefix, file_bytes / 2);
        let (lora, lora_bytes) = read_header("loras/demo-lora.safetensors");
        let lora = Header::parse(&lora, lora_bytes).expect("the demo LoRA is whole");
        let sd2 = changed(&demo, "sd2", |name, shape| {
            if name.ends_with(".proj_in.weight") || name.ends_with(".proj_out.weight") {
                shape.truncate(2);
            }
            Some(name.replace("cond_stage_model.transformer.text_model.", "cond_stage_model.model."))
        });
        let wide = changed(&demo, "wide", |name, shape| {
            let cross_attention =
                name.ends_with(".attn2.to_k.weight") || name.ends_with(".attn2.to_v.weight");
            if name.starts_with("cond_stage_model.") {
                shape.iter_mut().filter(|size| **size == 64).for_each(|size| *size = 128);
            } else if cross_attention {
                shape[1] = 128;
            }
            Some(name.to_owned())
        });
        let sixteen = changed(&demo, "sixteen", |name, shape| {
            let name = name.strip_prefix("first_stage_model.").unwrap_or_default();
            match (name, shape.as_mut_slice()) {
                ("post_quant_conv.weight", [outputs, inputs, ..]) => (*outputs, *inputs) = (16, 16),
                ("quant_conv.weight", [outputs, inputs, ..]) => (*outputs, *inputs) = (32, 32),
                ("post_quant_conv.bias", [size]) | ("decoder.conv_in.weight", [_, size, ..]) => *size = 16,
                ("quant_conv.bias" | "encoder.conv_out.bias", [size])
                | ("encoder.conv_out.weight", [size, ..]) => *size = 32,
                _ => {}
            }
            None
        });
        let no_vae = {
            let mut header = demo.clone();
            header.tensors.retain(|name, _| !name.starts_with("first_stage_model."));
            header
        };
        let checkpoints = [
            ("demo-sd1", Ok(demo)),
            ("half-downloaded", half),
            ("demo-lora", Ok(lora.clone())),
            ("sd2", Ok(sd2)),
            ("flux", Err(FormatError::Unsupported { what: "a Flux model" })),
            ("wide-sd1", Ok(wide)),
            ("sixteen-sd1", Ok(sixteen)),
            ("no-vae", Ok(no_vae)),
        ];
        let models = checkpoints.into_iter().map(|(name, header)| model("checkpoints", name, header));
        let size = |width, height| Ok(PictureSize { width, height, alpha: false });
        let pictures = [
            ("lake.png", size(192, 128)),
            ("icon.png", size(4, 4)),
            ("notes.png", picture_size(b"Buy bread.")),
        ];
        TestWorld {
            models: models.collect(),
            pictures: pictures.map(|(name, picture)| (name.to_owned(), picture)).into(),
            folders: true,
        }
    }

    /// No folder was named, so there is no file.
    pub fn without_folders() -> TestWorld {
        TestWorld { models: BTreeMap::new(), pictures: BTreeMap::new(), folders: false }
    }

    fn missing(&self, folder: &str, name: &str, available: Vec<String>) -> FileError {
        let place = if folder == "input" { folder.to_owned() } else { format!("models/{folder}") };
        let searched = if self.folders { vec![place] } else { Vec::new() };
        FileError::Missing { folder: folder.to_owned(), name: name.to_owned(), available, searched }
    }
}

impl World for TestWorld {
    fn model(&self, folder: &str, name: &str) -> Result<Arc<ModelFile>, FileError> {
        if name.split('/').any(|part| part == "..") {
            return Err(FileError::Outside { folder: folder.to_owned(), name: name.to_owned() });
        }
        match self.models.get(&(folder.to_owned(), name.to_owned())) {
            Some(Ok(file)) => Ok(file.clone()),
            Some(Err(error)) => Err(FileError::Format { name: name.to_owned(), error: error.clone() }),
            None => {
                let here = self.models.keys().filter(|(other, _)| other == folder);
                Err(self.missing(folder, name, here.map(|(_, name)| name.clone()).collect()))
            }
        }
    }

    fn picture(&self, name: &str) -> Result<PictureSize, FileError> {
        match self.pictures.get(name) {
            Some(Ok(size)) => Ok(*size),
            Some(Err(error)) => Err(FileError::Format { name: name.to_owned(), error: error.clone() }),
            None => Err(self.missing("input", name, self.pictures.keys().cloned().collect())),
        }
    }

    fn source(&self, path: &str) -> Result<String, FileError> {
        let found = PROGRAMS.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| FileError::Missing {
            folder: ".".to_owned(),
            name: path.to_owned(),
            available: PROGRAMS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            searched: vec![".".to_owned()],
        })
    }
}

/// The bytes of a header in `examples/models`, and the size of its file.
fn read_header(name: &str) -> (Vec<u8>, u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models").join(name);
    let mut file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let size = file.metadata().expect("an open file has a size").len();
    let mut bytes = vec![0; 8];
    file.read_exact(&mut bytes).expect("a model begins with the length of its header");
    let len = header_len(&bytes).expect("the demo files are safetensors");
    bytes.resize(usize::try_from(len).expect("headers are small"), 0);
    file.read_exact(&mut bytes[8..]).expect("the header is whole");
    (bytes, size)
}

/// Another header with other shapes and names: `change` alters a shape and may give a new name.
fn changed(header: &Header, hash: &str, change: impl Fn(&str, &mut Vec<usize>) -> Option<String>) -> Header {
    let tensors = header.tensors.iter().map(|(name, info)| {
        let mut shape = info.shape.clone();
        let name = change(name, &mut shape).unwrap_or_else(|| name.clone());
        let bytes = (shape.iter().product::<usize>() * info.dtype.bytes()) as u64;
        (name, TensorInfo { shape, bytes, ..info.clone() })
    });
    Header { tensors: tensors.collect(), hash: hash.to_owned(), ..header.clone() }
}

type Entry = ((String, String), Result<Arc<ModelFile>, FormatError>);

fn model(folder: &str, name: &str, header: Result<Header, FormatError>) -> Entry {
    let (folder, name) = (folder.to_owned(), format!("{name}.safetensors"));
    let file = header.and_then(|header| {
        let mut contents = Contents::of(&header)?;
        // There are no values; these are of a model that predicts noise.
        contents.measure(|_| Ok(vec![0.0; 2]))?;
        Ok(Arc::new(ModelFile { folder: folder.clone(), name: name.clone(), header, contents }))
    });
    ((folder, name), file)
}
