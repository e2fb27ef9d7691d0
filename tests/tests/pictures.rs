//! Pictures as people share them give the workflow that they carry; pictures of Floe give its program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use floe_driver::{DEFAULT_LIMIT, DriverError, Form, ImportOptions, Source, import, read_source};
use floe_lang::comfy::picture::CODES;
use floe_testing::shared;
use miette::Diagnostic;

fn text(source: &Source) -> String {
    import(source, ImportOptions::default()).expect("the workflow imports").text
}

fn read(path: &Path) -> Source {
    read_source(path, DEFAULT_LIMIT).expect("a program")
}

/// The manifest's rows: a picture, and where its workflow stands in the corpus.
fn manifest() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(shared("images/manifest.csv")).expect("readable");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let workflows = fields.last().expect("a last field").split('|').map(str::to_owned).collect();
        (fields[0].to_owned(), workflows)
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn a_picture_gives_what_the_editor_saved_in_it() {
    let rows = manifest();
    assert!(rows.len() >= 7, "{} pictures", rows.len());
    for (picture, workflows) in rows {
        let source = read(&shared(&format!("images/{picture}")));
        assert_eq!(source.form(), Form::Json, "{picture}");
        let program = text(&source);
        // Both may be there; the editor's has what people wrote beside the nodes.
        match workflows.iter().find(|workflow| workflow.starts_with("ui/")) {
            Some(workflow) => {
                assert_eq!(program, text(&read(&shared(&format!("corpus/{workflow}")))), "{picture}");
            }
            None => assert!(program.contains("SaveAnimatedWEBP("), "{picture}\n{program}"),
        }
    }
}

#[test]
fn a_picture_of_floe_gives_its_program() {
    let examples = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
    let source = read(&examples.join("lake.png"));
    assert_eq!(source.form(), Form::Flow);
    assert_eq!(text(&source), fs::read_to_string(examples.join("lake.flow")).expect("readable"));
    assert!(source.params().contains_key("seed"), "{:?}", source.params());
}

/// A picture of one pixel with a text.
fn png(keyword: &str, content: &str, packed: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    let added = match packed {
        true => encoder.add_ztxt_chunk(keyword.to_owned(), content.to_owned()),
        false => encoder.add_text_chunk(keyword.to_owned(), content.to_owned()),
    };
    added.expect("a text");
    let mut writer = encoder.write_header().expect("memory takes it");
    writer.write_image_data(&[0]).expect("memory takes it");
    writer.finish().expect("memory takes it");
    bytes
}

/// Each code, and a picture that raises it.
fn wrong() -> BTreeMap<&'static str, Vec<u8>> {
    let whole = png("parameters", "a lake", false);
    BTreeMap::from([
        ("import::unsupported_picture", b"GIF89a\x01\0\x01\0".to_vec()),
        ("import::no_workflow", whole.clone()),
        ("import::broken_picture", whole[..whole.len() - 20].to_vec()),
        ("import::text_too_large", png("workflow", &"{}".repeat(1 << 20), true)),
    ])
}

#[test]
fn each_error_has_a_case_and_a_page() {
    let wrong = wrong();
    assert_eq!(wrong.keys().copied().collect::<Vec<_>>(), {
        let mut codes = CODES.to_vec();
        codes.sort_unstable();
        codes
    });
    for (code, bytes) in wrong {
        let error = Source::of_bytes("lake.png", bytes, 1 << 20).expect_err("no program");
        assert_eq!(error.code().expect("a code").to_string(), code);
        assert!(error.to_string().starts_with("`lake.png`: "), "{error}");
        assert!(matches!(error, DriverError::Picture(_)));
        let page = floe_driver::page(code).expect("a page");
        assert!(
            page.starts_with(&format!("# {code}\n\n"))
                && page.contains("## Wrong")
                && page.contains("## Right")
        );
    }
}
