//! `docs/nodes.md` is what the library says.

use std::fs;
use std::path::Path;

#[test]
fn the_page_of_nodes_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/nodes.md");
    let page = fs::read_to_string(path).expect("the page is there");
    assert!(page == floe_driver::nodes_page(), "make it anew: `floe nodes --markdown > docs/nodes.md`");
}
