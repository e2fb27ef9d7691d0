//! The project's own programs: formatted, and a source of texts that people write.

use super::laws::obeys;
use super::{format, parsed};
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::path::{Path, PathBuf};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files with an ending below a folder, in a fixed order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn programs() -> Vec<PathBuf> {
    ["stdlib", "examples"].into_iter().flat_map(|folder| files(&project().join(folder), "flow")).collect()
}

/// The programs of the documentation.
fn examples() -> Vec<String> {
    let pages = files(&project().join("docs"), "md");
    let texts = pages.iter().map(|page| fs::read_to_string(page).unwrap());
    let blocks = |text: String| -> Vec<String> {
        let blocks = text.split("```flow\n").skip(1);
        blocks.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
    };
    texts.flat_map(blocks).collect()
}

#[test]
fn programs_have_the_style() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut other = Vec::new();
    for path in programs() {
        let source = fs::read_to_string(&path).unwrap();
        let text = format(&parsed(&source));
        if text != source && update {
            fs::write(&path, text).unwrap();
        } else if text != source {
            other.push(path.display().to_string());
        }
    }
    assert!(other.is_empty(), "run `floe fmt` or set UPDATE=1: {}", other.join(", "));
}

#[test]
fn examples_of_the_documentation_are_read_back() {
    let right = examples().into_iter().filter_map(|text| super::laws::read(&text));
    let count = right.map(|ast| obeys(ast).unwrap()).count();
    assert!(count > 20, "{count}");
}

proptest! {
    /// Texts as people leave them: lines are missing, doubled, joined, broken, commented.
    #[test]
    fn damaged_programs_are_read_back(which: Index, cuts in proptest::collection::vec(any::<(Index, u8)>(), 0..6)) {
        let mut sources = examples();
        sources.extend(programs().iter().map(|path| fs::read_to_string(path).unwrap()));
        let mut lines: Vec<String> = which.get(&sources).lines().map(str::to_owned).collect();
        lines.extend([String::new(), String::new()]);
        for (place, how) in cuts {
            let at = place.index(lines.len().max(2) - 1);
            match how % 6 {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => {
                    let next = lines.remove(at + 1);
                    lines[at].push_str(next.trim_start());
                }
                3 => lines[at].push_str(" // remark"),
                4 => lines.insert(at, "  // remark".to_owned()),
                _ => lines[at] = lines[at].replace(", ", ",\n\n"),
            }
            lines = format!("{}\n\n.", lines.join("\n")).lines().map(str::to_owned).collect();
            lines.pop();
        }
        // What was damaged is left out of the AST.
        let text = lines.join("\n");
        obeys(crate::parse(&crate::SourceFile::new("test.flow", text)).ast)?;
    }
}
