//! The command takes programs of any form, from files and from standard input, and keeps files that it should not replace.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const PROMPT: &str = r#"{"1": {"class_type": "LoadImage", "inputs": {"image": "lake.png"}},
"2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
"3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "lake"}}}"#;

const PROGRAM: &str = r#"edition 1

let (image, _) = LoadImage(image: "lake.png")
SaveImage(ImageInvert(image), filename_prefix: "lake")
"#;

fn floe(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floe"));
    command.current_dir(folder).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("floe runs");
    let mut stdin = child.stdin.take().expect("it has an input");
    // A command that fails early does not read it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("floe ends")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("lake.json"), PROMPT).expect("writable");
    folder
}

#[test]
fn a_workflow_becomes_a_program_that_exports_to_it() {
    let folder = folder();
    let imported = floe(folder.path(), &["import", "--ids", "lake.json"], "");
    assert!(imported.status.success(), "{}", err(&imported));
    let exported = floe(folder.path(), &["export", "--format", "api", "-"], &out(&imported));
    assert!(exported.status.success(), "{}", err(&exported));
    for part in ["\"1\": {", "\"class_type\": \"ImageInvert\"", "\"filename_prefix\": \"lake\""] {
        assert!(out(&exported).contains(part), "{}", out(&exported));
    }
    let drawn = floe(folder.path(), &["export", "--format", "ui", "lake.json"], "");
    assert!(out(&drawn).contains("\"last_node_id\": 3"), "{}{}", out(&drawn), err(&drawn));
}

#[test]
fn standard_input_is_told_by_its_content() {
    let folder = folder();
    let from_json = floe(folder.path(), &["import", "-"], PROMPT);
    assert!(from_json.status.success() && out(&from_json).starts_with("edition 1\n"), "{}", err(&from_json));
    let from_flow = floe(folder.path(), &["import", "-"], PROGRAM);
    assert_eq!(out(&from_flow), PROGRAM);
    let damaged = floe(folder.path(), &["check", "-"], "{\"1\": ");
    assert_eq!(damaged.status.code(), Some(1));
    assert!(err(&damaged).contains("<stdin>:1:"), "{}", err(&damaged));
}

#[test]
fn messages_about_workflows_point_into_the_json() {
    let folder = folder();
    fs::write(folder.path().join("wrong.json"), PROMPT.replace("\"image\": [\"1\", 0]", "\"image\": 5"))
        .expect("writable");
    let checked = floe(folder.path(), &["check", "wrong.json"], "");
    assert!(err(&checked).contains("wrong.json:2:"), "{}", err(&checked));
}

#[test]
fn a_file_that_is_there_is_kept_unless_it_is_forced() {
    let folder = folder();
    let path = folder.path().join("lake.flow");
    let import = |args: &[&str]| {
        floe(folder.path(), &[&["import", "lake.json", "-o", "lake.flow"], args].concat(), "")
    };
    assert!(import(&[]).status.success());
    fs::write(&path, "// mine\n").expect("writable");
    let refused = import(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("source::exists"), "{}", err(&refused));
    assert_eq!(fs::read_to_string(&path).expect("readable"), "// mine\n");
    assert!(import(&["--force"]).status.success());
    assert!(fs::read_to_string(&path).expect("readable").starts_with("edition 1\n"));
}

#[test]
fn formatting_leaves_workflows_alone() {
    let folder = folder();
    let formatted = floe(folder.path(), &["fmt", "lake.json"], "");
    assert_eq!(formatted.status.code(), Some(1));
    assert!(err(&formatted).contains("source::not_flow"), "{}", err(&formatted));
    assert_eq!(fs::read_to_string(folder.path().join("lake.json")).expect("readable"), PROMPT);
}

#[test]
fn large_files_are_refused_unless_they_are_allowed() {
    let folder = folder();
    let refused = floe(folder.path(), &["import", "--max-size", "100B", "lake.json"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("source::too_large"), "{}", err(&refused));
    let piped = floe(folder.path(), &["import", "--max-size", "100B", "-"], PROMPT);
    assert!(err(&piped).contains("source::too_large"), "{}", err(&piped));
    assert!(floe(folder.path(), &["import", "--max-size", "1KiB", "lake.json"], "").status.success());
}

#[test]
fn a_check_writes_its_messages_as_data() {
    let folder = folder();
    fs::write(folder.path().join("wrong.flow"), "edition 1\n\nSaveImage(LoadImge(image: \"lake.png\"))\n")
        .expect("writable");
    let checked = |format| {
        let checked = floe(folder.path(), &["check", "--format", format, "wrong.flow", "none.flow"], "");
        assert_eq!((checked.status.code(), err(&checked).as_str()), (Some(1), ""));
        out(&checked)
    };
    let json: serde_json::Value = serde_json::from_str(&checked("json")).expect("JSON");
    assert_eq!(json[0]["code"], "check::unknown_node");
    let place = &json[0]["places"][0];
    assert_eq!(
        (&place["file"], &place["line"], &place["column"]),
        (&"wrong.flow".into(), &3.into(), &11.into())
    );
    assert_eq!(json[1]["code"], "source::unreadable");
    let sarif: serde_json::Value = serde_json::from_str(&checked("sarif")).expect("JSON");
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(2));
    let github = checked("github");
    assert!(github.starts_with("::error file=wrong.flow,line=3,col=11,"), "{github}");
    assert_eq!(github.lines().count(), 2);
}
