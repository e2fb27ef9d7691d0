//! `floe models` lists what lies in the folders and shows what is in a file, and fails in words.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn floe(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_floe")).current_dir(folder).args(args).output().expect("floe runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The examples' models, which are part of the project.
fn examples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"))
}

#[test]
fn models_are_listed_by_folder_with_what_they_are() {
    let listed = floe(examples(), &["models"]);
    assert!(listed.status.success(), "{}", err(&listed));
    // Names are padded to one width.
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = out(&listed).lines().map(words).collect();
    assert_eq!(lines[0], "checkpoints");
    assert!(lines[1].starts_with("demo-sd1.safetensors checkpoint, sd1, "), "{}", lines[1]);
    assert_eq!(lines[2], "loras");
    assert!(lines[3].starts_with("demo-lora.safetensors lora, sd1"), "{}", lines[3]);
}

#[test]
fn a_file_is_shown_by_its_path_or_its_place() {
    let shown = floe(examples(), &["models", "inspect", "checkpoints/demo-sd1.safetensors"]);
    assert!(shown.status.success(), "{}", err(&shown));
    let text = out(&shown);
    for part in [
        "demo-sd1.safetensors: checkpoint, sd1\n",
        "\n  unet: 4 channels to 4, context of 64, 8 heads, predicts epsilon; original names\n",
        "\n  clip-l: ",
        "\n  vae: 4 latent channels, 8 pixels each, both ways; original names\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let path = "models/loras/demo-lora.safetensors";
    let shown = floe(examples(), &["models", "inspect", "--tensors", path]);
    let text = out(&shown);
    assert!(text.starts_with("models/loras/demo-lora.safetensors: lora, sd1"), "{text}");
    assert!(text.contains(" layers by lora\n") && text.contains(".lora_down.weight f16 ["), "{text}");
}

#[test]
fn files_that_are_no_models_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = floe(folder.path(), &["models", "inspect", "x.ckpt"]);
    assert_eq!(missing.status.code(), Some(3));
    assert!(err(&missing).starts_with("`x.ckpt` cannot be read: "), "{}", err(&missing));
    assert_eq!(floe(folder.path(), &["models"]).status.code(), Some(3));

    fs::create_dir_all(folder.path().join("models/vae")).expect("writable");
    let page = folder.path().join("models/vae/page.safetensors");
    fs::write(&page, "<!doctype html><title>Log in</title>").expect("writable");
    let shown = floe(folder.path(), &["models", "inspect", "vae/page.safetensors"]);
    assert_eq!(shown.status.code(), Some(1));
    assert!(err(&shown).contains("this is a web page (a download that needed a login?)"), "{}", err(&shown));
    let listed = floe(folder.path(), &["models"]);
    assert!(out(&listed).starts_with("vae\n  page.safetensors  this is a web page"), "{}", out(&listed));
}
