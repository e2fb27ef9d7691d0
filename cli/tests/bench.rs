//! `floe bench offsets` places lists of buffers and says how well.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Two whose lives follow each other, and one beside them; 12 bytes are alive at most, so that 12 suffice.
const LIST: &str = "id,lower,upper,size\na,0,3,8\nb,3,9,8\nc,0,9,4\nnothing,2,4,0\n";

fn floe(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floe"));
    command.current_dir(folder).args(["bench", "offsets"]).args(args);
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
    fs::write(folder.path().join("list.csv"), LIST).expect("writable");
    folder
}

/// What is printed, by its name.
fn figures(output: &Output) -> BTreeMap<String, String> {
    let line =
        |line: &str| line.split_once("  ").map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    out(output).lines().filter_map(line).collect()
}

#[test]
fn what_fits_is_placed_and_written() {
    let folder = folder();
    let placed = floe(folder.path(), &["list.csv", "--capacity", "12", "-o", "placed.csv"], "");
    assert_eq!(placed.status.code(), Some(0), "{}", err(&placed));
    let figures = figures(&placed);
    let figure = |name: &str| figures.get(name).map(String::as_str);
    assert_eq!(
        (figure("buffers"), figure("height"), figure("lower bound")),
        (Some("4"), Some("12"), Some("12"))
    );
    assert!(figure("time").is_some_and(|time| time.ends_with(" s")), "{}", out(&placed));
    let text = fs::read_to_string(folder.path().join("placed.csv")).expect("readable");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["id", "lower", "upper", "size", "offset"]);
    let offset = |row: usize| rows[row][4].parse::<u64>().expect("a number");
    assert_eq!(offset(1), offset(2), "one takes the place of the other");
    assert!(offset(3) + 4 <= offset(1) || offset(1) + 8 <= offset(3), "{text}");
    // Offsets of a list that has some are passed over.
    let again = floe(folder.path(), &["placed.csv", "--capacity", "12", "-o", "again.csv"], "");
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert_eq!(fs::read_to_string(folder.path().join("again.csv")).expect("readable"), text);
}

#[test]
fn above_the_capacity_it_fails_and_still_says_how_high() {
    let folder = folder();
    let refused = floe(folder.path(), &["list.csv", "--capacity", "11", "-o", "placed.csv"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(figures(&refused).get("height").map(String::as_str), Some("12"));
    assert!(err(&refused).contains("need 1 byte more than the capacity"), "{}", err(&refused));
    assert!(folder.path().join("placed.csv").exists(), "the best that was found is written");
}

#[test]
fn lists_may_be_empty_or_come_from_standard_input() {
    let folder = folder();
    let piped = floe(folder.path(), &["-", "--capacity", "12"], LIST);
    assert_eq!(piped.status.code(), Some(0), "{}", err(&piped));
    let none = floe(folder.path(), &["-", "--capacity", "0"], "id,lower,upper,size\n");
    assert_eq!(none.status.code(), Some(0), "{}", err(&none));
    assert_eq!(figures(&none).get("height").map(String::as_str), Some("0"));
}

#[test]
fn bad_lists_are_refused_with_their_line() {
    let folder = folder();
    let refused = |input: &str, parts: &[&str]| {
        let output = floe(folder.path(), &["-", "--capacity", "12"], input);
        assert_eq!(output.status.code(), Some(1), "{input}");
        let message = err(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["source::bad_buffers"].iter().chain(parts) {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(out(&output).is_empty());
    };
    refused("", &["line 1", "`id`"]);
    refused("id,lower,upper,size\na,0,3,8\nb,0,x,8\n", &["line 3, column 3", "`x`"]);
    refused("id,lower,upper,size\na,0,3\n", &["line 2", "3 fields"]);
    refused("id,lower,upper,size\na,3,3,4\n", &["line 2", "ends at 3"]);
    refused("id,lower,upper,size\na,0,3,-4\n", &["line 2, column 4", "`-4`"]);
}

#[test]
fn a_missing_list_and_a_list_that_no_machine_holds_are_errors() {
    let folder = folder();
    let missing = floe(folder.path(), &["none.csv", "--capacity", "12"], "");
    assert_eq!(missing.status.code(), Some(3));
    assert!(err(&missing).contains("source::unreadable"), "{}", err(&missing));
    let most = u64::MAX;
    let list = format!("id,lower,upper,size\na,0,3,{most}\nb,2,3,{most}\n");
    let huge = floe(folder.path(), &["-", "--capacity", &most.to_string(), "-o", "placed.csv"], &list);
    assert_eq!(huge.status.code(), Some(1));
    assert!(err(&huge).contains("source::endless_buffers"), "{}", err(&huge));
    assert!(!folder.path().join("placed.csv").exists());
}

#[test]
fn offsets_that_cannot_be_written_are_an_error_of_the_machine() {
    let folder = folder();
    let output = floe(folder.path(), &["list.csv", "--capacity", "12", "-o", "none/placed.csv"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("source::unwritable"), "{}", err(&output));
}
