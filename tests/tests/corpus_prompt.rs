//! Every workflow of the corpus as a prompt: those with a reference equal it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use floe_lang::comfy::{Format, Limits, Read, read};
use floe_testing::flat::{differences, from_api, from_prompt};
use floe_testing::object_info::ObjectInfo;
use floe_testing::shared;

/// All files of a folder of the corpus, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(shared(folder)).expect("the corpus can be listed");
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the corpus is text")
}

fn stem(path: &Path) -> String {
    let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
    name.trim_end_matches(".json").trim_end_matches(".ui").trim_end_matches(".api").to_owned()
}

fn import(path: &Path, info: &ObjectInfo) -> Read {
    read(&text(path), info, Limits::default())
}

/// Compares every file of a folder with its reference, as far as it has one; gives how many have, and what differs.
fn compare(folder: &str, expected: &str, info: &ObjectInfo) -> (usize, BTreeMap<String, Vec<String>>) {
    let mut count = 0;
    let mut different = BTreeMap::new();
    for path in files(folder) {
        let reference = shared(expected).join(format!("{}.api.json", stem(&path)));
        if !reference.exists() {
            continue;
        }
        count += 1;
        let read = import(&path, info);
        let told = match &read.prompt {
            None => vec![format!("no prompt: {:?}", read.errors)],
            Some(prompt) => differences(&from_api(&text(&reference)), &from_prompt(prompt), info),
        };
        if !told.is_empty() {
            different.insert(stem(&path), told);
        }
    }
    (count, different)
}

fn report(different: &BTreeMap<String, Vec<String>>) -> String {
    let mut report = String::new();
    for (file, told) in different {
        report.push_str(&format!("{file}: {} differences\n", told.len()));
        told.iter().take(6).for_each(|line| report.push_str(&format!("    {line}\n")));
    }
    report
}

#[test]
fn workflows_are_what_the_editor_makes_of_them() {
    let info = ObjectInfo::load();
    let (count, different) = compare("corpus/ui", "corpus/expected", &info);
    println!("{count} workflows with a reference, {} equal", count - different.len());
    assert_eq!(count, 246);
    assert!(different.is_empty(), "\n{}", report(&different));
}

#[test]
fn cases_of_one_feature_are_what_the_editor_makes_of_them() {
    let info = ObjectInfo::load();
    let (count, different) = compare("corpus/micro/ui", "corpus/micro/expected", &info);
    println!("{count} cases with a reference, {} equal", count - different.len());
    assert_eq!(count, 88);
    assert!(different.is_empty(), "\n{}", report(&different));
}

#[test]
fn prompts_are_read_as_they_are() {
    let info = ObjectInfo::load();
    let mut different = BTreeMap::new();
    let files = files("corpus/api");
    for path in &files {
        let read = import(path, &info);
        assert_eq!((read.format, &read.errors[..]), (Some(Format::Api), &[][..]), "{}", path.display());
        let prompt = read.prompt.expect("a prompt");
        let told = differences(&from_api(&text(path)), &from_prompt(&prompt), &info);
        if !told.is_empty() {
            different.insert(stem(path), told);
        }
    }
    println!("{} prompts, {} equal", files.len(), files.len() - different.len());
    assert!(different.is_empty(), "\n{}", report(&different));
}
