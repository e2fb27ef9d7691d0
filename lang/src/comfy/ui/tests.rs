//! What is flattened, without any class being declared; declared classes are tested with the corpus.

use crate::comfy::error::{ImportError, ImportWarning};
use crate::comfy::prompt::{InputValue, Json, Prompt, PromptNode};
use crate::comfy::testing::Nothing;
use crate::comfy::{Format, Limits, Read, read};

fn import(text: &str, limits: Limits) -> Read {
    let read = read(text, &Nothing, limits);
    assert_eq!(read.format, Some(Format::Ui), "{:?}", read.errors);
    read
}

#[track_caller]
fn prompt(text: &str) -> Prompt {
    let read = import(text, Limits::default());
    assert_eq!((read.errors, read.warnings), (vec![], vec![]));
    read.prompt.unwrap()
}

/// A node with one input and one output of a type; more members may follow.
fn node(id: usize, class: &str, ty: &str, more: &str) -> String {
    format!(
        r#"{{"id": {id}, "type": "{class}", "inputs": [{{"name": "x", "type": "{ty}", "link": null}}],
            "outputs": [{{"name": "y", "type": "{ty}"}}]{more}}}"#
    )
}

/// A row of the table: an output 0 to an input 0.
fn link(id: usize, from: i64, to: i64) -> String {
    format!(r#"[{id}, {from}, 0, {to}, 0, "T"]"#)
}

fn graph(nodes: &[String], links: &[String], more: &str) -> String {
    format!(r#"{{"nodes": [{}], "links": [{}], "version": 0.4{more}}}"#, nodes.join(",\n"), links.join(", "))
}

/// A definition with one input and one output.
fn definition(id: &str, nodes: &[String], links: &[String]) -> String {
    format!(
        r#"{{"id": "{id}", "name": "Sub {id}", "nodes": [{}], "links": [{}],
            "inputs": [{{"name": "in", "label": "Input", "type": "T"}}], "outputs": [{{"name": "out", "type": "T"}}]}}"#,
        nodes.join(",\n"),
        links.join(", ")
    )
}

fn definitions(all: &[String]) -> String {
    format!(r#", "definitions": {{"subgraphs": [{}]}}"#, all.join(",\n"))
}

fn find<'p>(prompt: &'p Prompt, id: &str) -> &'p PromptNode {
    prompt.nodes.iter().find(|node| node.id == id).unwrap_or_else(|| panic!("no node {id}"))
}

/// The id that an input is linked to.
fn origin<'p>(prompt: &'p Prompt, id: &str) -> Option<&'p str> {
    match find(prompt, id).inputs.iter().find(|input| input.name == "x")?.value {
        InputValue::Link { node, .. } => Some(&prompt.nodes[node].id),
        _ => None,
    }
}

/// A chain: a node, many of a class and mode, a node.
fn chain(count: usize, class: &str, mode: usize) -> String {
    let last = count - 1;
    let nodes: Vec<String> = (0..count)
        .map(|id| match id {
            _ if id == 0 || id == last => node(id, "Plain", "T", ""),
            _ => node(id, class, "T", &format!(r#", "mode": {mode}"#)),
        })
        .collect();
    let links: Vec<String> = (1..count).map(|id| link(id, id as i64 - 1, id as i64)).collect();
    graph(&nodes, &links, "")
}

#[test]
fn long_chains_of_any_kind_need_no_stack() {
    let count = 100_000;
    for (class, mode, nodes) in [("Plain", 0, count), ("Reroute", 0, 2), ("Plain", 4, 2), ("Reroute", 4, 2)] {
        let prompt = prompt(&chain(count, class, mode));
        assert_eq!(prompt.nodes.len(), nodes, "{class} {mode}");
        let before = if nodes == count { "99998" } else { "0" };
        assert_eq!(origin(&prompt, "99999"), Some(before), "{class} {mode}");
    }
}

#[test]
fn a_way_is_walked_once_however_many_hang_on_it() {
    let half = 20_000;
    let mut nodes: Vec<String> = (0..half).map(|id| node(id, "Reroute", "*", "")).collect();
    nodes[0] = node(0, "Plain", "T", "");
    nodes.extend((half..2 * half).map(|id| node(id, "Plain", "T", "")));
    let mut links: Vec<String> = (1..half).map(|id| link(id, id as i64 - 1, id as i64)).collect();
    links.extend((half..2 * half).map(|id| link(id, (id - half) as i64, id as i64)));
    let read = import(&graph(&nodes, &links, ""), Limits { steps: 1, ..Limits::default() });
    assert_eq!(read.errors, []);
    let prompt = read.prompt.unwrap();
    let first = InputValue::Link { node: 0, slot: 0 };
    assert_eq!(prompt.nodes.len(), half + 1);
    assert!(prompt.nodes[1..].iter().all(|node| node.inputs[0].value == first));
}

#[test]
fn chains_that_must_be_followed_for_very_many_types_are_refused() {
    let half = 3_000;
    let mut nodes: Vec<String> = (0..half).map(|id| node(id, "Pass", "*", r#", "mode": 4"#)).collect();
    nodes[0] = node(0, "Plain", "T", "");
    nodes.extend((half..2 * half).map(|id| node(id, "Plain", &format!("T{id}"), "")));
    let mut links: Vec<String> = (1..half).map(|id| link(id, id as i64 - 1, id as i64)).collect();
    links.extend((half..2 * half).map(|id| link(id, half as i64 - 1, id as i64)));
    let read = import(&graph(&nodes, &links, ""), Limits::default());
    assert!(matches!(read.errors[..], [ImportError::Tangled { .. }]), "{:?}", read.errors.len());
}

#[test]
fn a_muted_node_cuts_and_a_bypassed_one_hands_on_what_fits() {
    let nodes = [
        node(1, "A", "T", ""),
        node(2, "A", "T", r#", "mode": 2"#),
        node(3, "A", "T", ""),
        node(4, "A", "T", r#", "mode": 4"#),
        node(5, "A", "T", ""),
        node(6, "A", "U", ""),
    ];
    let links = [link(1, 1, 2), link(2, 2, 3), link(3, 1, 4), link(4, 4, 5), link(5, 4, 6)];
    let prompt = prompt(&graph(&nodes, &links, ""));
    assert_eq!(prompt.nodes.len(), 4);
    assert_eq!([origin(&prompt, "3"), origin(&prompt, "5"), origin(&prompt, "6")], [None, Some("1"), None]);
    let disabled: Vec<(&str, bool)> =
        prompt.disabled.iter().map(|node| (node.id.as_str(), node.bypassed)).collect();
    assert_eq!(disabled, [("2", false), ("4", true)]);
}

#[test]
fn what_is_kept_under_a_name_is_linked_to_those_that_get_it() {
    let named = |name: &str| format!(r#", "widgets_values": ["{name}"]"#);
    let nodes = [
        node(1, "A", "T", ""),
        node(2, "SetNode", "T", &format!(r#"{}, "mode": 2"#, named("model"))),
        node(3, "GetNode", "T", &named("model")),
        node(4, "B", "T", ""),
        node(5, "GetNode", "T", &named("nothing")),
        node(6, "B", "T", ""),
        node(7, "SetNode", "T", &named("other")),
        node(8, "B", "T", ""),
    ];
    let links = [link(1, 1, 2), link(2, 3, 4), link(3, 5, 6), link(4, 4, 7), link(5, 7, 8)];
    let prompt = prompt(&graph(&nodes, &links, ""));
    let ids: Vec<&str> = prompt.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["1", "4", "5", "6", "8"], "one whose name nobody keeps stays as it is");
    assert_eq!([origin(&prompt, "4"), origin(&prompt, "6")], [Some("1"), Some("5")]);
    assert_eq!(origin(&prompt, "8"), Some("4"), "through the node that keeps it");
}

#[test]
fn instances_know_what_comes_through_them() {
    // 1 → instance 2 of `a`, in which 11 → instance 12 of `b`, in which 21 → bypassed 22; → 3.
    let outer = definition(
        "a",
        &[node(11, "In", "T", ""), node(12, "b", "T", r#", "title": "Second""#)],
        &[link(1, -10, 11), link(2, 11, 12), link(3, 12, -20)],
    );
    let inner = definition(
        "b",
        &[node(21, "Deep", "T", ""), node(22, "Skip", "T", r#", "mode": 4"#)],
        &[link(1, -10, 21), link(2, 21, 22), link(3, 22, -20)],
    );
    let nodes = [node(1, "A", "T", ""), node(2, "a", "T", ""), node(3, "A", "T", "")];
    let prompt = prompt(&graph(&nodes, &[link(1, 1, 2), link(2, 2, 3)], &definitions(&[outer, inner])));

    let ids: Vec<&str> = prompt.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["1", "2:11", "2:12:21", "3"], "inside where the instance stands");
    assert_eq!(origin(&prompt, "2:11"), Some("1"));
    assert_eq!(origin(&prompt, "2:12:21"), Some("2:11"));
    assert_eq!(origin(&prompt, "3"), Some("2:12:21"));
    let through = |id| find(&prompt, id).inputs[0].through.clone();
    assert_eq!([through("2:11"), through("2:12:21"), through("3")], [vec![0], vec![0], vec![]]);

    let [outer, inner] = &prompt.instances[..] else { panic!("two instances") };
    assert_eq!((outer.id.as_str(), outer.parent, outer.name.as_str()), ("2", None, "Sub a"));
    assert_eq!((inner.id.as_str(), inner.parent, inner.title.as_deref()), ("2:12", Some(0), Some("Second")));
    assert_eq!(outer.inputs[0].name, "Input");
    assert_eq!([outer.outputs[0].from, inner.outputs[0].from], [Some((2, 0)); 2]);
    assert_eq!(prompt.nodes[2].instance, Some(1));
}

#[test]
fn a_way_through_two_edges_at_once_is_told_from_the_inner_one_outwards() {
    let outer = definition("a", &[node(11, "b", "T", "")], &[link(1, -10, 11), link(2, 11, -20)]);
    let inner = definition("b", &[node(21, "Deep", "T", "")], &[link(1, -10, 21), link(2, 21, -20)]);
    let nodes = [node(1, "A", "T", ""), node(2, "a", "T", "")];
    let prompt = prompt(&graph(&nodes, &[link(1, 1, 2)], &definitions(&[outer, inner])));
    assert_eq!(origin(&prompt, "2:11:21"), Some("1"));
    assert_eq!(find(&prompt, "2:11:21").inputs[0].through, [0, 0]);
}

#[test]
fn a_bomb_of_subgraphs_does_not_go_off() {
    // Each definition uses the next one ten times.
    let all: Vec<String> = (0..12)
        .map(|level| {
            let class = format!("d{}", level + 1);
            let nodes: Vec<String> =
                (0..10).map(|at| node(100 * level + 100 + at, &class, "T", "")).collect();
            definition(&format!("d{level}"), &nodes, &[])
        })
        .collect();
    let read = import(&graph(&[node(1, "d0", "T", "")], &[], &definitions(&all)), Limits::default());
    assert!(read.prompt.is_none());
    assert!(matches!(read.errors[..], [ImportError::TooManyNodes { .. }]), "{:?}", read.errors);
}

#[test]
fn nesting_of_subgraphs_has_a_limit() {
    let levels = |count: usize| {
        let all: Vec<String> = (0..count)
            .map(|level| {
                let class = if level + 1 < count { format!("d{}", level + 1) } else { "Deep".to_owned() };
                let links = [link(1, -10, level as i64 + 10), link(2, level as i64 + 10, -20)];
                definition(&format!("d{level}"), &[node(level + 10, &class, "T", "")], &links)
            })
            .collect();
        let nodes = [node(1, "A", "T", ""), node(2, "d0", "T", ""), node(3, "A", "T", "")];
        import(&graph(&nodes, &[link(1, 1, 2), link(2, 2, 3)], &definitions(&all)), Limits::default())
    };
    let prompt = levels(64).prompt.unwrap();
    let deep = prompt.nodes[1].id.clone();
    assert_eq!((prompt.instances.len(), origin(&prompt, &deep)), (64, Some("1")));
    assert!(matches!(levels(65).errors[..], [ImportError::SubgraphsTooDeep { .. }]));
    assert!(matches!(levels(20_000).errors[..], [ImportError::SubgraphsTooDeep { .. }]));
}

#[test]
fn an_id_that_is_taken_is_a_fresh_one_in_a_definition() {
    let inside = definition("a", &[node(2, "Deep", "T", "")], &[link(1, -10, 2), link(2, 2, -20)]);
    let nodes = [node(1, "A", "T", ""), node(2, "a", "T", ""), node(3, "A", "T", "")];
    let prompt = prompt(&graph(&nodes, &[link(1, 1, 2), link(2, 2, 3)], &definitions(&[inside])));
    assert_eq!(origin(&prompt, "3"), Some("2:4"));
    assert_eq!(origin(&prompt, "2:4"), Some("1"));
}

#[test]
fn two_nodes_with_one_id_are_two_nodes() {
    let nodes = [node(1, "A", "T", ""), node(2, "B", "T", ""), node(2, "C", "T", "")];
    let read = import(&graph(&nodes, &[link(1, 1, 2)], r#", "last_node_id": 7"#), Limits::default());
    assert!(matches!(&read.warnings[..], [ImportWarning::DuplicateId { given, .. }] if given == "8"));
    let prompt = read.prompt.unwrap();
    assert_eq!((origin(&prompt, "2"), origin(&prompt, "8")), (Some("1"), None));
}

#[test]
fn values_of_unknown_classes_have_the_names_that_the_file_gives() {
    let unknown = |more: &str| {
        let text = format!(
            r#"{{"id": 1, "type": "U", "inputs": [{{"name": "image", "type": "IMAGE", "link": null}},
                {{"name": "seed", "type": "INT", "widget": {{"name": "seed"}}, "link": null}},
                {{"name": "size", "type": "INT", "widget": {{"name": "size"}}, "link": null}}], {more}}}"#
        );
        let prompt = prompt(&graph(&[text], &[], ""));
        let node = prompt.nodes[0].clone();
        let named: Vec<(String, InputValue)> =
            node.inputs.into_iter().map(|input| (input.name, input.value)).collect();
        (named, node.unnamed)
    };
    let int = |name: &str, value| (name.to_owned(), InputValue::Json(Json::Int(value)));
    let both = (vec![int("seed", 5), int("size", 64)], vec![]);
    assert_eq!(unknown(r#""widgets_values": [5, 64]"#), both);
    assert_eq!(
        unknown(r#""widgets_values": [5, "randomize", 64]"#),
        both,
        "with the word of a seed's control"
    );
    assert_eq!(unknown(r#""widgets_values": {"seed": 5, "size": 64}"#), both);
    assert_eq!(unknown(r#""widgets_values": [1], "widgets_values_named": {"seed": 5, "size": 64}"#), both);
    let (named, unnamed) = unknown(r#""widgets_values": [5, 64, true]"#);
    assert_eq!((named.len(), unnamed.len()), (0, 3), "names of two of three values say nothing");
}

#[test]
fn the_pack_of_a_class_is_what_its_node_says() {
    let says = |properties: &str| {
        let more = format!(r#", "properties": {{{properties}}}"#);
        prompt(&graph(&[node(1, "A", "T", &more)], &[], "")).nodes[0].pack.clone()
    };
    assert_eq!(says(r#""cnr_id": "a-pack", "aux_id": "owner/name""#).as_deref(), Some("a-pack"));
    assert_eq!(says(r#""aux_id": "owner/name""#).as_deref(), Some("owner/name"));
    assert_eq!(says(r#""cnr_id": " ", "ver": "1.0""#), None);
    assert_eq!(says(r#""cnr_id": 7"#), None);
}

#[test]
fn what_people_wrote_is_kept() {
    let nodes = [
        r##"{"id": 1, "type": "Note", "pos": [10, 20], "size": {"0": 30, "1": 40}, "title": "Read me", "widgets_values": ["first\nsecond"]}"##.to_owned(),
        r#"{"id": 2, "type": "MarkdownNote", "title": "Markdown Note", "widgets_values": ["text"]}"#.to_owned(),
        node(3, "A", "T", r#", "title": "My node", "pos": {"0": 1, "1": 2.5}"#),
        node(4, "A", "T", r#", "title": "A""#),
    ];
    let groups = r#", "groups": [{"title": "Start", "bounding": [0, 1, 200, 100]}]"#;
    let prompt = prompt(&graph(&nodes, &[], groups));
    let [first, second] = &prompt.notes[..] else { panic!("two notes") };
    assert_eq!((first.title.as_deref(), first.text.as_str()), (Some("Read me"), "first\nsecond"));
    assert_eq!((first.place, first.size), (Some((10.0, 20.0)), Some((30.0, 40.0))));
    assert_eq!((second.title.as_deref(), second.place), (None, None));
    assert_eq!(prompt.groups[0].title, "Start");
    assert_eq!(prompt.groups[0].bounds, (0.0, 1.0, 200.0, 100.0));
    assert_eq!(prompt.nodes[0].title.as_deref(), Some("My node"));
    assert_eq!(prompt.nodes[0].place, Some((1.0, 2.5)));
    assert_eq!(prompt.nodes[1].title, None, "the usual title was not given by anybody");
    assert_eq!(prompt.nodes[0].outputs, [("y".to_owned(), "T".to_owned())]);
}

#[test]
fn what_programs_put_around_a_workflow_does_not_matter() {
    let workflow = graph(&[node(1, "A", "T", "")], &[], "");
    for text in
        [format!(r#"{{"workflow": {workflow}}}"#), format!(r#"{{"prompt": {{}}, "workflow": {workflow}}}"#)]
    {
        assert_eq!(prompt(&text).nodes.len(), 1);
    }
    let both =
        format!(r#"{{"prompt": {{"7": {{"class_type": "A", "inputs": {{}}}}}}, "workflow": {workflow}}}"#);
    let read = read(&both, &Nothing, Limits::default());
    assert_eq!(read.format, Some(Format::Api), "what is to run comes first");
}
