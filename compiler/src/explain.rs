//! The pages that `floe explain` prints, by code. A test holds each page against what it says.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of an error's or warning's code, in Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.binary_search_by(|(known, _)| known.cmp(&code)).ok().map(|index| PAGES[index].1)
}
