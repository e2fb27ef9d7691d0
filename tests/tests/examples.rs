//! What the repository shows is true: the examples of the language's reference, and the imported workflows.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::fs;
use std::path::{Path, PathBuf};

use floe_driver::{DEFAULT_LIMIT, ImportOptions, import, read_source};
use floe_lang::{SourceFile, format, parse};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The ```` ```flow ```` blocks of a page.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```flow\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(""))
}

#[test]
fn every_example_of_the_reference_is_floe() {
    let pages = ["docs/language.md", "docs/comfyui.md"];
    let pages = pages.map(|page| fs::read_to_string(root().join(page)).unwrap());
    let mut count = 0;
    for block in pages.iter().flat_map(|page| blocks(page)) {
        count += 1;
        let parsed = parse(&SourceFile::new("language.md", block));
        assert!(parsed.errors.is_empty(), "{block}\n{:?}", parsed.errors);
        let formatted = format(&parsed.ast);
        let again = parse(&SourceFile::new("language.md", formatted.as_str()));
        assert_eq!(format(&again.ast), formatted);
    }
    assert!(count >= 16, "{count} examples");
}

/// With `UPDATE=1` the programs are written anew.
#[test]
fn imported_workflows_are_the_programs_beside_them() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("examples/imported")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        count += 1;
        let source = read_source(&path, DEFAULT_LIMIT).unwrap();
        let imported =
            import(&source, ImportOptions::default()).unwrap_or_else(|failure| panic!("{failure:?}"));
        let program = path.with_extension("flow");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&program, &imported.text).unwrap();
        }
        assert_eq!(imported.text, fs::read_to_string(&program).unwrap_or_default(), "{}", path.display());
    }
    assert_eq!(count, 10);
}
