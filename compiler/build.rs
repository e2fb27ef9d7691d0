//! Gathers the pages of `docs/errors` into a table, so that the program carries its own explanations.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut pages: Vec<(String, PathBuf)> = Vec::new();
    for phase in entries(&root) {
        if phase.is_dir() {
            println!("cargo:rerun-if-changed={}", phase.display());
            let name = file_stem(&phase);
            pages.extend(
                entries(&phase).into_iter().map(|page| (format!("{name}::{}", file_stem(&page)), page)),
            );
        }
    }
    pages.sort();
    let mut table =
        String::from("/// Every page: its code, and its text.\npub static PAGES: &[(&str, &str)] = &[\n");
    for (code, path) in &pages {
        let path = path.canonicalize().expect("a page that was listed is there");
        let _ = writeln!(table, "    ({code:?}, include_str!({:?})),", path.display().to_string());
    }
    table.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("pages.rs"), table).expect("OUT_DIR can be written");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("docs/errors is part of the project");
    listed.map(|entry| entry.expect("docs/errors can be listed").path()).collect()
}

fn file_stem(path: &Path) -> String {
    path.file_stem().and_then(|stem| stem.to_str()).expect("pages have plain names").to_owned()
}
