//! What people read when a workflow file is wrong: the file above, the verdict below, as on a terminal of 80 columns;
//! and the pages of these messages.

use std::fs;
use std::path::PathBuf;

use floe_lang::SourceFile;
use floe_lang::comfy::error::CODES;
use floe_lang::comfy::{Limits, Read, read};
use floe_stdlib::Library;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Report, ReportHandler};

/// Columns of the terminal that messages are rendered for.
const COLUMNS: usize = 80;

fn import(text: &str, limits: Limits) -> Read {
    read(text, &Library, limits)
}

/// Renders a message as it is shown.
fn rendered(file: &SourceFile, diagnostic: impl Diagnostic + Send + Sync + 'static) -> String {
    struct Plain(Report);
    impl std::fmt::Display for Plain {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(COLUMNS);
            handler.with_links(false).debug(self.0.as_ref(), f)
        }
    }
    let text = Plain(Report::new(diagnostic).with_source_code(file.clone())).to_string();
    // Trailing blanks are nothing that anybody sees.
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn codes<D: Diagnostic>(told: &[D]) -> Vec<String> {
    told.iter().filter_map(|told| told.code().map(|code| code.to_string())).collect()
}

fn report(text: &str, read: Read) -> String {
    let file = SourceFile::new("workflow.json", text);
    let errors = read.errors.into_iter().map(|error| rendered(&file, error));
    let warnings = read.warnings.into_iter().map(|warning| rendered(&file, warning));
    errors.chain(warnings).collect()
}

// ---- pages

/// The JSON under a heading of a page.
fn example<'p>(page: &'p str, heading: &str) -> Option<&'p str> {
    let (_, after) = page.split_once(&format!("\n## {heading}\n"))?;
    let (_, json) = after.split("\n## ").next()?.split_once("```json\n")?;
    json.split_once("\n```").map(|(json, _)| json)
}

/// The limits that a page sets for its examples.
fn limits(page: &str) -> Limits {
    let mut limits = Limits::default();
    if let Some((_, after)) = page.split_once("<!-- limit: ") {
        let words: Vec<&str> = after.split_whitespace().take(2).collect();
        let number = words[1].parse().expect("a limit is a number");
        match words[0] {
            "bytes" => limits.bytes = number,
            "nodes" => limits.nodes = number,
            "depth" => limits.depth = number,
            "steps" => limits.steps = number,
            "expanded" => limits.expanded = number,
            other => panic!("no limit is called {other}"),
        }
    }
    limits
}

fn check_page(code: &str, page: &str) -> Result<(), String> {
    if !page.starts_with(&format!("# {code}\n\n")) {
        return Err(format!("does not begin with `# {code}`"));
    }
    let wrong = example(page, "Wrong").ok_or("has no JSON under `## Wrong`")?;
    let right = example(page, "Right").ok_or("has no JSON under `## Right`")?;
    let outcome = import(wrong, limits(page));
    let told = [codes(&outcome.errors), codes(&outcome.warnings)].concat();
    if told != [code] {
        return Err(format!("the wrong example raises {told:?}:\n{}", report(wrong, outcome)));
    }
    let outcome = import(right, limits(page));
    if !outcome.errors.is_empty() || !outcome.warnings.is_empty() {
        return Err(format!("the right example raises\n{}", report(right, outcome)));
    }
    Ok(())
}

#[test]
fn every_page_is_what_it_says() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors/import"));
    let mut failures = String::new();
    for code in CODES {
        let name = code.trim_start_matches("import::");
        let page = fs::read_to_string(folder.join(format!("{name}.md")));
        let checked = page.map_err(|error| error.to_string()).and_then(|page| check_page(code, &page));
        if let Err(reason) = checked {
            failures.push_str(&format!("{code}: {reason}\n"));
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

// ---- messages

/// A file and all that is said about it; there is an error.
#[track_caller]
fn rejected(text: &str) -> String {
    let read = import(text, Limits::default());
    assert!(!read.errors.is_empty(), "this file is accepted");
    verdict(text, read)
}

/// A file that is read with warnings.
#[track_caller]
fn warned(text: &str) -> String {
    let read = import(text, Limits::default());
    assert!(read.errors.is_empty() && !read.warnings.is_empty(), "{:?}", read.errors);
    assert!(read.prompt.is_some(), "a warning is no error");
    verdict(text, read)
}

fn verdict(text: &str, read: Read) -> String {
    let counts = format!("errors: {}, warnings: {}", read.errors.len(), read.warnings.len());
    format!("---- file\n{text}\n---- {counts}\n{}", report(text, read))
}

/// A workflow of the editor: a picture is loaded, and shown by what is given.
fn shown_by(node: &str) -> String {
    format!(
        r#"{{"nodes": [
  {{"id": 1, "type": "LoadImage", "widgets_values": ["lake.png", "image"]}},
  {node}
], "links": [[1, 1, 0, 2, 0, "IMAGE"]], "version": 0.4}}"#
    )
}

/// A workflow of the editor: a picture is loaded and shown, with a table of links.
fn linked_by(links: &str) -> String {
    format!(
        r#"{{"nodes": [
  {{"id": 1, "type": "LoadImage", "widgets_values": ["lake.png", "image"]}},
  {{"id": 2, "type": "PreviewImage", "inputs": [{{"name": "images", "type": "IMAGE", "link": 1}}]}}
], "links": [
  {links}
], "version": 0.4}}"#
    )
}

/// A workflow of the editor: a picture goes through one instance of a subgraph, the inside of which is given.
fn through(inside: &str) -> String {
    format!(
        r#"{{"nodes": [
  {{"id": 1, "type": "LoadImage", "widgets_values": ["lake.png", "image"]}},
  {{"id": 2, "type": "5a1b", "inputs": [{{"name": "image", "type": "IMAGE", "link": 1}}]}},
  {{"id": 3, "type": "PreviewImage", "inputs": [{{"name": "images", "type": "IMAGE", "link": 2}}]}}
], "links": [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]],
"definitions": {{"subgraphs": [{{"id": "5a1b", "name": "Invert",
  "inputs": [{{"name": "image", "type": "IMAGE", "linkIds": [1]}}],
  "outputs": [{{"name": "IMAGE", "type": "IMAGE", "linkIds": [2]}}],
  {inside}
}}]}}, "version": 0.4}}"#
    )
}

macro_rules! told {
    ($($name:ident: $verdict:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!($verdict);
        })*
    };
}

told! {
    an_empty_file: rejected("");
    a_file_that_was_cut_off: rejected("{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": ");
    a_text_that_was_cut_off: rejected("{\"1\": {\"class_type\": \"LoadIm");
    a_comma_before_a_bracket: rejected("{\"1\": {\"class_type\": \"LoadImage\",\n  \"inputs\": {\"image\": \"lake.png\",}}}");
    a_missing_comma: rejected("{\"1\": {\"class_type\": \"LoadImage\"\n  \"inputs\": {}}}");
    a_missing_colon: rejected("{\"1\": {\"class_type\" \"LoadImage\"}}");
    a_name_without_quotes: rejected("{class_type: \"LoadImage\"}");
    single_quotes: rejected("{'1': {'class_type': 'LoadImage'}}");
    a_comment: rejected("{\"1\": {\"class_type\": \"LoadImage\" // loads\n}}");
    words_of_python: rejected("{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": None}}}");
    a_number_with_zeros: rejected("{\"1\": {\"class_type\": \"EmptyImage\", \"inputs\": {\"width\": 0512}}}");
    a_windows_path: rejected("{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"pictures\\lake.png\"}}}");
    a_line_break_in_a_text: rejected("{\"1\": {\"class_type\": \"CLIPTextEncode\", \"inputs\": {\"text\": \"a lake,\nat dawn\"}}}");
    a_flow_program: rejected("edition 1\n\nlet image = LoadImage(image: \"lake.png\")");
    two_workflows: rejected("{\"1\": {\"class_type\": \"LoadImage\"}}\n{\"2\": {\"class_type\": \"LoadImage\"}}");
    a_list: rejected("[1, 2, 3]");
    a_text: rejected("\"lake\"");
    another_kind_of_json: rejected("{\"name\": \"lake\", \"steps\": 20, \"sampler\": \"euler\", \"seed\": 1}");
    a_node_without_a_class: rejected("{\n  \"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"lake.png\"}},\n  \"2\": {\"inputs\": {\"images\": [\"1\", 0]}}\n}");
    a_node_of_the_editor_without_a_class: rejected(&shown_by(r#"{"id": 2, "inputs": [{"name": "images", "link": 1}]}"#));
    a_link_to_a_negative_output: rejected("{\n  \"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"lake.png\"}},\n  \"2\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"1\", -1]}}\n}");
    three_nodes_in_a_circle: warned("{\n  \"a\": {\"class_type\": \"ImageInvert\", \"inputs\": {\"image\": [\"b\", 0]}},\n  \"b\": {\"class_type\": \"ImageInvert\", \"inputs\": {\"image\": [\"c\", 0]}},\n  \"c\": {\"class_type\": \"ImageInvert\", \"inputs\": {\"image\": [\"a\", 0]}}\n}");
    a_reroute_of_itself: rejected(r#"{"nodes": [
  {"id": 1, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": 1}]},
  {"id": 2, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 2}]}
], "links": [[1, 1, 0, 1, 0, "*"], [2, 1, 0, 2, 0, "*"]], "version": 0.4}"#);
    a_subgraph_that_hands_its_input_on: rejected(&through(r#""nodes": [], "links": [[1, -10, 0, -20, 0, "IMAGE"]]"#));
    a_subgraph_in_itself: rejected(&through(
        r#""nodes": [{"id": 11, "type": "5a1b", "inputs": [{"name": "image", "type": "IMAGE", "link": 1}]}],
  "links": [[1, -10, 0, 11, 0, "IMAGE"], [2, 11, 0, -20, 0, "IMAGE"]]"#
    ));

    an_entry_that_is_no_node: warned("{\n  \"version\": 0.4,\n  \"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"lake.png\"}}\n}");
    inputs_in_a_list: warned("{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": [\"lake.png\"]}}");
    a_link_to_nowhere: warned("{\"2\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"1\", 0]}}}");
    a_link_to_an_output_that_a_class_lacks: warned("{\n  \"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"lake.png\"}},\n  \"2\": {\"class_type\": \"PreviewImage\", \"inputs\": {\"images\": [\"1\", 2]}}\n}");
    the_largest_seed_as_javascript_writes_it: warned("{\"1\": {\"class_type\": \"RandomNoise\", \"inputs\": {\"noise_seed\": 18446744073709552000}}}");
    a_number_of_python: warned("{\"1\": {\"class_type\": \"ImageBlur\", \"inputs\": {\"blur_radius\": 3, \"sigma\": NaN}}}");
    an_input_twice: warned("{\"1\": {\"class_type\": \"LoadImage\",\n  \"inputs\": {\"image\": \"lake.png\",\n             \"image\": \"sea.png\"}}}");
    half_of_an_emoji: warned("{\"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"\\ud83d.png\"}}}");
    a_node_twice: warned("{\n  \"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"lake.png\"}},\n  \"1\": {\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"sea.png\"}}\n}");
    a_class_with_a_space: warned(&shown_by(r#"{"id": 2, "type": "PreviewImage ", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]}"#));
    two_nodes_with_one_id: warned(&shown_by(r#"{"id": 2, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]},
  {"id": 2, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": null}]}"#));
    a_node_without_an_id: warned(&shown_by(r#"{"id": 2, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]},
  {"type": "LoadImage", "widgets_values": ["sea.png", "image"]}"#));
    a_group_node: warned(&shown_by(r#"{"id": 2, "type": "workflow/Sharpen", "inputs": [{"name": "image", "type": "IMAGE", "link": 1}]}"#));
    values_in_an_object: warned(&shown_by(r#"{"id": 2, "type": "ImageScale", "inputs": [{"name": "image", "type": "IMAGE", "link": 1}],
   "widgets_values": {"width": 512, "height": 512}}"#));
    a_value_that_is_null: warned(&shown_by(r#"{"id": 2, "type": "ImageScale", "inputs": [{"name": "image", "type": "IMAGE", "link": 1}],
   "widgets_values": ["bilinear", null, 512, "disabled"]}"#));
    two_links_to_one_input: warned(&linked_by(r#"[1, 1, 0, 2, 0, "IMAGE"],
  [2, 1, 1, 2, 0, "MASK"]"#));
    a_row_that_is_no_link: warned(&linked_by(r#"[1, 1, 0, 2, 0, "IMAGE"],
  ["IMAGE", 1, 2]"#));
    a_link_from_nowhere: warned(&linked_by(r#"[1, 9, 0, 2, 0, "IMAGE"]"#));
    a_link_that_leads_nowhere: warned(&linked_by(r#"[1, 1, 0, 2, 0, "IMAGE"],
  [2, 1, 0, 9, 0, "IMAGE"]"#));
    a_link_to_an_input_that_a_node_lacks: warned(&linked_by(r#"[1, 1, 0, 2, 7, "IMAGE"]"#));
    a_link_that_is_not_in_the_table: warned(&linked_by(""));
    a_version_of_the_future: warned(&linked_by(r#"[1, 1, 0, 2, 0, "IMAGE"]"#).replace("0.4", "3"));
}
