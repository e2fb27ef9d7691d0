//! `floe fmt` as it is called.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const UGLY: &str = "let x=f( a )  // remark\n\n\n\nSaveImage(x:x)\n";
const PRETTY: &str = "let x = f(a) // remark\n\nSaveImage(x:)\n";

fn fmt(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floe"));
    command.arg("fmt").args(args).current_dir(folder).env("NO_COLOR", "1");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn assert_says(output: &Output, code: i32, stdout: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{errors}");
}

#[test]
fn files_are_written_only_if_that_changes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("ugly.flow"), UGLY).unwrap();
    fs::write(path("pretty.flow"), PRETTY).unwrap();
    let before = fs::metadata(path("pretty.flow")).unwrap().modified().unwrap();
    assert_says(&fmt(folder.path(), &["ugly.flow", "pretty.flow"], ""), 0, "");
    assert_eq!(fs::read_to_string(path("ugly.flow")).unwrap(), PRETTY);
    assert_eq!(fs::metadata(path("pretty.flow")).unwrap().modified().unwrap(), before);
}

#[test]
fn check_lists_what_would_change_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ugly.flow"), UGLY).unwrap();
    fs::write(folder.path().join("pretty.flow"), PRETTY).unwrap();
    assert_says(&fmt(folder.path(), &["--check", "ugly.flow", "pretty.flow"], ""), 1, "ugly.flow\n");
    assert_says(&fmt(folder.path(), &["--check", "pretty.flow"], ""), 0, "");
    assert_eq!(fs::read_to_string(folder.path().join("ugly.flow")).unwrap(), UGLY);
}

#[test]
fn a_file_with_errors_stays_and_the_others_do_not_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = "let x = (1\nlet  y = 2\n";
    fs::write(folder.path().join("wrong.flow"), wrong).unwrap();
    fs::write(folder.path().join("ugly.flow"), UGLY).unwrap();
    let output = fmt(folder.path(), &["wrong.flow", "ugly.flow"], "");
    assert_says(&output, 1, "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("parse::") && errors.contains("wrong.flow:1"), "{errors}");
    assert_eq!(fs::read_to_string(folder.path().join("wrong.flow")).unwrap(), wrong);
    assert_eq!(fs::read_to_string(folder.path().join("ugly.flow")).unwrap(), PRETTY);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    assert_says(&fmt(folder.path(), &["-"], UGLY), 0, PRETTY);
    assert_says(&fmt(folder.path(), &["-"], "let ="), 1, "");
    assert_says(&fmt(folder.path(), &["missing.flow"], ""), 3, "");
}
