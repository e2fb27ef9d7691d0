//! The pages of `docs/errors/parse`.

use super::*;

/// The fenced blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    page.split("```flow\n").skip(1).map(|rest| rest.split("```").next().unwrap_or("").to_owned()).collect()
}

#[test]
fn every_code_has_a_page_whose_examples_are_what_they_say() {
    for code in CODES {
        let name = code.strip_prefix("parse::").unwrap();
        let path = format!("{}/../docs/errors/parse/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(page.starts_with(&format!("# {code}\n")), "{path}");
        let [wrong, right] = <[String; 2]>::try_from(blocks(&page)).unwrap();
        assert_eq!(codes(&wrong), [code], "{path}");
        accepted(&right);
    }
}
