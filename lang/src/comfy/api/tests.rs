//! What is read of prompts, and what is said of odd ones.

use crate::comfy::error::{ImportError, ImportWarning};
use crate::comfy::prompt::{InputValue, Json, Prompt};
use crate::comfy::testing::Nothing;
use crate::comfy::{Format, Limits, Read, read};

fn import(text: &str) -> Read {
    let read = read(text, &Nothing, Limits::default());
    assert_eq!(read.format, Some(Format::Api), "{:?}", read.errors);
    read
}

fn prompt(text: &str) -> Prompt {
    let read = import(text);
    assert_eq!((read.errors, read.warnings), (vec![], vec![]));
    read.prompt.unwrap()
}

#[test]
fn links_name_nodes_wherever_they_stand() {
    let text = r#"{
        "save": {"class_type": "Save", "inputs": {"images": ["5:11", 1]}, "_meta": {"title": "Result"}},
        "5:11": {"class_type": "Make", "inputs": {"size": [512, 512], "name": "x"}, "is_changed": [null]}
    }"#;
    let prompt = prompt(text);
    assert_eq!(prompt.nodes[0].title.as_deref(), Some("Result"));
    assert_eq!(prompt.nodes[0].inputs[0].value, InputValue::Link { node: 1, slot: 1 });
    let size = Json::Array(vec![Json::Int(512), Json::Int(512)]);
    assert_eq!(prompt.nodes[1].inputs[0].value, InputValue::Json(size), "two numbers are no link");
    assert_eq!(&text[prompt.nodes[1].inputs[1].span.range()], r#""name": "x""#);
}

#[test]
fn ids_and_slots_may_be_numbers_of_any_kind() {
    let prompt = prompt(
        r#"{"prompt": {"1": {"class_type": "A", "inputs": {}}, "2": {"class_type": "B", "inputs": {"x": [1, 0.0]}}}}"#,
    );
    assert_eq!(prompt.nodes[1].inputs[0].value, InputValue::Link { node: 0, slot: 0 });
}

#[test]
fn a_wrapped_list_is_a_value_even_if_it_looks_like_a_link() {
    let prompt = prompt(r#"{"1": {"class_type": "A", "inputs": {"x": {"__value__": ["1", 0]}}}}"#);
    let list = Json::Array(vec![Json::String("1".into()), Json::Int(0)]);
    assert_eq!(prompt.nodes[0].inputs[0].value, InputValue::Json(list));
}

#[test]
fn a_link_to_nowhere_is_kept() {
    let read = import(r#"{"1": {"class_type": "A", "inputs": {"x": ["96", 0]}}}"#);
    assert!(matches!(read.warnings[..], [ImportWarning::DanglingLink { .. }]));
    let value = &read.prompt.unwrap().nodes[0].inputs[0].value;
    assert_eq!(*value, InputValue::Dangling { id: "96".into(), slot: 0 });
}

#[test]
fn one_bad_node_does_not_hide_the_next() {
    let read =
        import(r#"{"v": 1, "1": {"inputs": {}}, "2": {"class_type": "A", "inputs": {"x": ["2", -1]}}}"#);
    assert!(matches!(read.warnings[..], [ImportWarning::NotANode { .. }]));
    assert!(matches!(read.errors[..], [ImportError::NoClass { .. }, ImportError::BadLink { .. }]));
}

#[test]
fn a_circle_is_told_from_what_gives_to_what_takes() {
    let read = import(
        r#"{"a": {"class_type": "A", "inputs": {"x": ["b", 0]}}, "b": {"class_type": "A", "inputs": {"x": ["c", 0]}},
            "c": {"class_type": "A", "inputs": {"x": ["a", 0]}}}"#,
    );
    let [ImportWarning::Cycle { nodes, .. }] = &read.warnings[..] else { panic!("{:?}", read.warnings) };
    assert_eq!(nodes, &["c", "b", "a"]);
}

#[test]
fn a_chain_of_many_nodes_needs_no_stack() {
    let count = 100_000;
    let node = |id: usize| {
        let link = if id + 1 < count { format!(r#""x": ["{}", 0]"#, id + 1) } else { String::new() };
        format!(r#""{id}": {{"class_type": "A", "inputs": {{{link}}}}}"#)
    };
    let text = format!("{{{}}}", (0..count).map(node).collect::<Vec<_>>().join(","));
    assert_eq!(prompt(&text).nodes.len(), count);
}
