//! Weights with a LoRA and its kin against those that the reference implementation computes.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use floe_driver::{Folders, Source};
use floe_formats::{Contents, Header, Module, Piece, Role};
use floe_tensor::{Change, MappedFile, Patched, Pool};
use floe_testing::{assert_close, json, model, models, tensors, tolerance};

struct Open {
    map: Arc<MappedFile>,
    header: Header,
    contents: Contents,
}

fn open(recipe: &str) -> Open {
    let map = MappedFile::open(&model(recipe)).unwrap();
    let header = Header::read(&mut Cursor::new(map.bytes())).unwrap();
    let contents = Contents::of(&header).unwrap();
    Open { map, header, contents }
}

/// The network that a name of the reference is in, and its canonical name.
fn canonical(name: &str) -> (Role, &str) {
    for (start, role) in [
        ("diffusion_model.", Role::Unet),
        ("clip_l.transformer.text_model.", Role::ClipL),
        ("clip_g.transformer.text_model.", Role::ClipG),
    ] {
        if let Some(rest) = name.strip_prefix(start) {
            return (role, rest);
        }
    }
    panic!("{name} is in no network");
}

fn patched(checkpoint: &Open, lora: &Open, role: Role, strength: f32) -> Patched {
    let component = checkpoint.contents.component(role).unwrap();
    let mut layers: BTreeMap<String, Vec<Module>> = BTreeMap::new();
    for target in lora.contents.lora.as_ref().unwrap().targets_in(component, role == Role::ClipG).found {
        layers.entry(target.layer).or_default().push(target.module.clone());
    }
    let (file, header) = (lora.map.clone(), Arc::new(lora.header.clone()));
    let changes = vec![Change::Adapter { file, header, layers, strength }];
    Patched { file: checkpoint.map.clone(), header: component.tensors.clone(), changes }
}

#[test]
fn patched_weights_are_the_references() {
    let pool = Pool::new(2).unwrap();
    let mut compared = 0;
    for lora in [
        "diff-sd15",
        "lokr-sd15",
        "locon-sd15-kohya",
        "locon-sdxl-kohya",
        "lora-sd15-diffusers-attnproc",
        "lora-sd15-peft",
        "lora-sdxl-kohya",
    ] {
        let case = format!("lora_weights_{lora}");
        let params = &json(&format!("parity/dev/components/{case}/case.json"))["params"];
        let checkpoint = open(params["checkpoint"].as_str().unwrap().trim_end_matches(".safetensors"));
        let file = open(lora);
        let strength = |name: &str| params[name].as_f64().unwrap() as f32;
        let networks: BTreeMap<Role, Patched> = [Role::Unet, Role::ClipL, Role::ClipG]
            .into_iter()
            .filter(|&role| checkpoint.contents.component(role).is_some())
            .map(|role| {
                let which = if role == Role::Unet { "strength_model" } else { "strength_clip" };
                (role, patched(&checkpoint, &file, role, strength(which)))
            })
            .collect();
        let (rel, abs) = (tolerance(&case, "rel"), tolerance(&case, "abs"));
        for (name, (_, want)) in tensors(&format!("parity/dev/components/{case}/expected.safetensors")) {
            let (role, key) = canonical(&name);
            let (_, got) = networks[&role].read(key, &pool).unwrap().unwrap();
            assert_close(&format!("{case} {name}"), &got, &want, rel, abs);
            compared += 1;
        }
        // Of every weight that the reference patches: sum, norm, norm of the change.
        let facts = json(&format!("parity/dev/components/{case}/expected.json"));
        for (name, numbers) in facts.as_object().unwrap() {
            let (role, key) = canonical(name);
            let (_, got) = networks[&role].read(key, &pool).unwrap().unwrap();
            let norm = got.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
            let want = numbers[1].as_f64().unwrap();
            assert!((norm - want).abs() <= 2e-5 * want, "{case} {name}: {norm}, not {want}");
            compared += 1;
        }
    }
    assert!(compared > 700, "only {compared} weights were compared");
}

#[test]
fn a_lora_for_another_family_is_an_error_before_anything_runs() {
    for recipe in ["sd15-tiny", "lora-sdxl-kohya"] {
        model(recipe);
    }
    let text = r#"edition 1
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "sd15-tiny.safetensors")
let strong = LoraLoaderModelOnly(model, lora_name: "lora-sdxl-kohya.safetensors")
let latent = EmptyLatentImage(width: 64, height: 64, batch_size: 1)
let text = CLIPTextEncode(clip, text: "")
let samples = KSampler(
    model: strong, sampler_name: "euler", scheduler: "normal", positive: text, negative: text, latent_image: latent
)
SaveImage(VAEDecode(samples, vae:), filename_prefix: "x")
"#;
    let source = Source::flow("wrong.flow".to_owned(), text.to_owned());
    let folders = Folders::new(vec![models()], Vec::new(), "output".into());
    let failure = floe_driver::compile(&source, &folders, &floe_tests::options()).err().unwrap();
    let messages: Vec<String> =
        failure.reports.iter().take(failure.errors).map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "`lora-sdxl-kohya.safetensors` is a LoRA for sdxl, and the model in `sd15-tiny.safetensors` is of sd1"
        ]
    );
}

/// No reference case has LoHa: its difference is compared with the definition, element by element in double precision.
#[test]
fn loha_is_two_products_multiplied() {
    let (checkpoint, file) = (open("sd15-tiny"), open("loha-sd15"));
    let pool = Pool::new(2).unwrap();
    let network = patched(&checkpoint, &file, Role::Unet, 0.5);
    let lora = file.contents.lora.as_ref().unwrap();
    let target =
        lora.targets_in(checkpoint.contents.component(Role::Unet).unwrap(), false).found.swap_remove(0);
    let key = format!("{}.weight", target.layer);
    let plain = Patched {
        file: checkpoint.map.clone(),
        header: checkpoint.contents.component(Role::Unet).unwrap().tensors.clone(),
        changes: Vec::new(),
    };
    let raw = Patched { file: file.map.clone(), header: file.header.clone(), changes: Vec::new() };
    let piece = |piece| raw.read(&target.module.pieces[&piece], &pool).unwrap().unwrap();
    let [(_, a1), (shape, b1), (_, a2), (_, b2)] =
        [Piece::HadaW1A, Piece::HadaW1B, Piece::HadaW2A, Piece::HadaW2B].map(piece);
    let alpha = f64::from(piece(Piece::Alpha).1[0]);
    let [rank, columns] = shape[..] else { panic!("a matrix") };
    let product = |a: &[f32], b: &[f32], row: usize, column: usize| -> f64 {
        (0..rank).map(|k| f64::from(a[row * rank + k]) * f64::from(b[k * columns + column])).sum()
    };
    let (_, before) = plain.read(&key, &pool).unwrap().unwrap();
    let (_, after) = network.read(&key, &pool).unwrap().unwrap();
    let want: Vec<f32> = (0..before.len())
        .map(|index| {
            let (row, column) = (index / columns, index % columns);
            let delta = product(&a1, &b1, row, column) * product(&a2, &b2, row, column);
            (f64::from(before[index]) + 0.5 * alpha / rank as f64 * delta) as f32
        })
        .collect();
    assert_close(&key, &after, &want, 1e-6, 1e-7);
    assert_ne!(before, after);
}
