//! Weights with a LoRA and its kin against those that the reference implementation computes.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use floe_formats::{Contents, Header, Module, Role};
use floe_tensor::{Change, MappedFile, Patched, Pool};
use floe_testing::{assert_close, json, model, tensors, tolerance};

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
