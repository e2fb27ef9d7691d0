//! Programs as files of ComfyUI's editor: the program above, the file below; and what holds of every such file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use floe_driver::{ImportOptions, Source, import};
use floe_testing::shared;
use floe_tests::world::TestWorld;
use floe_tests::{export_ui, options};
use serde_json::Value;

fn file(program: &str) -> String {
    let (text, outcome) = export_ui(program, &options(), &TestWorld::new());
    text.unwrap_or_else(|| panic!("{}", outcome.report))
}

fn json(program: &str) -> Value {
    serde_json::from_str(&file(program)).expect("JSON")
}

/// A graph in short: nodes with what they store, links by names, frames.
fn drawn(graph: &Value) -> String {
    let nodes: BTreeMap<i64, &Value> =
        list(graph, "nodes").iter().map(|node| (int(&node["id"]), node)).collect();
    let mut text = String::new();
    for node in nodes.values() {
        let title = node["title"].as_str().map_or(String::new(), |title| format!(" {title:?}"));
        text.push_str(&format!(
            "{}: {}{title} at {} {} mode {}\n",
            node["id"], node["type"], node["pos"], node["widgets_values"], node["mode"]
        ));
    }
    for [_, from, slot, to, input, ty] in links(graph) {
        let input =
            nodes.get(&int(&to)).map_or(input.clone(), |node| node["inputs"][index(&input)]["name"].clone());
        text.push_str(&format!("{from}.{slot} -> {to}.{input}: {ty}\n"));
    }
    for group in list(graph, "groups") {
        text.push_str(&format!("frame {} {}\n", group["title"], group["bounding"]));
    }
    text
}

#[track_caller]
fn exported(program: &str) -> String {
    let json = json(program);
    let mut text = format!("---- program\n{program}---- graph\n{}", drawn(&json));
    for subgraph in list(&json["definitions"], "subgraphs") {
        let plugs = |key: &str| -> Vec<String> {
            list(subgraph, key).iter().map(|plug| format!("{}: {}", plug["name"], plug["type"])).collect()
        };
        text.push_str(&format!(
            "---- subgraph {} {}\n({}) -> ({})\n{}",
            subgraph["name"],
            subgraph["id"],
            plugs("inputs").join(", "),
            plugs("outputs").join(", "),
            drawn(subgraph)
        ));
    }
    text
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

fn index(value: &Value) -> usize {
    usize::try_from(int(value)).expect("a slot")
}

/// Links of either form: id, from, slot, to, slot, type.
fn links(graph: &Value) -> Vec<[Value; 6]> {
    let keys = ["id", "origin_id", "origin_slot", "target_id", "target_slot", "type"];
    let link = |link: &Value| match link.as_array() {
        Some(parts) => parts.clone().try_into().expect("six parts"),
        None => keys.map(|key| link[key].clone()),
    };
    list(graph, "links").iter().map(link).collect()
}

#[test]
fn a_plain_program() {
    insta::assert_snapshot!(exported(
        r#"edition 1
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let samples = KSampler(
    model, seed: 7, sampler_name: "euler", scheduler: "normal",
    positive: CLIPTextEncode(clip, text: "a {red} lake"), negative: CLIPTextEncode(clip, text: ""),
    latent_image: EmptyLatentImage(),
)
@label("the lake") SaveImage(VAEDecode(samples, vae:))
"#
    ));
}

#[test]
fn flows_are_subgraphs_and_what_differs_between_their_uses_is_on_the_instances() {
    insta::assert_snapshot!(exported(
        r#"edition 1
fn encode(clip: Clip, text: String) -> Conditioning { CLIPTextEncode(clip, text:) }
fn both(clip: Clip, good: String, bad: String) -> (positive: Conditioning, negative: Conditioning) {
    (encode(clip, text: good), encode(clip, text: bad))
}
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")
let (positive, negative) = both(clip, good: "a lake", bad: "fog")
let samples = KSampler(
    model, seed: 7, sampler_name: "euler", scheduler: "normal", positive:, negative:,
    latent_image: EmptyLatentImage(),
)
SaveImage(VAEDecode(samples, vae:))
"#
    ));
}

#[test]
fn headings_are_frames_and_decided_ids_and_places_are_kept() {
    insta::assert_snapshot!(exported(
        r#"edition 1
// --- Load ---
@id("12") @pos(300, -40) let image = LoadImage(image: "lake.png").IMAGE

// --- Change and save ---
let inverted = ImageInvert(image)
SaveImage(inverted)
"#
    ));
}

#[test]
fn comments_are_notes_and_flows_have_frames_of_their_own() {
    insta::assert_snapshot!(exported(
        r#"//! What it is for.
edition 1

/// No note.
fn invert(image: Image) -> Image {
    // --- Inside ---

    // Twice.
    let once = ImageInvert(image)
    ImageInvert(once)
}

// --- Load ---

// First.
// Still the first.

// Second.
let image = LoadImage(image: "lake.png").IMAGE
SaveImage(invert(image))

// At the end.
"#
    ));
}

#[test]
fn what_a_flow_hands_on_as_it_is_is_an_input_of_its_subgraph() {
    insta::assert_snapshot!(exported(
        r#"edition 1
fn size(side: Int, half: Int, plain: Int = 64) -> Image {
    EmptyImage(width: side, height: half / 2, batch_size: 1, color: plain)
}
fn both(side: Int = 32) -> Image { ImageInvert(size(side, half: side)) }
SaveImage(both())
"#
    ));
}

#[test]
fn packs_stay_with_their_nodes() {
    let program = r#"edition 1
SaveImage(Grain(Blur(LoadImage(image: "lake.png").IMAGE)))
@pack("film-grain")
node Grain(image: Image) -> (image: Image)
@pack("somebody/blur")
node Blur(image: Image) -> (image: Image)
"#;
    let source = Source::json("workflow.json", file(program));
    let again = import(&source, ImportOptions::default()).expect("it imports").text;
    assert!(again.contains("@pack(\"film-grain\")\nnode Grain"), "{again}");
    assert!(again.contains("@pack(\"somebody/blur\")\nnode Blur"), "{again}");
}

#[test]
fn choices_with_inputs_growing_inputs_and_links_to_widgets() {
    insta::assert_snapshot!(exported(
        r#"edition 1
let image = LoadImage(image: "lake.png").IMAGE
let size = PrimitiveInt(value: 64)
let resized = ResizeImageMaskNode(
    image, resize_type: "scale dimensions" { width: size, height: 32 }, scale_method: "area",
)
SaveImage(BatchImagesNode(images: [image, none, resized]))
"#
    ));
}

/// Left, upper edge, right, lower edge.
type Edges = (f64, f64, f64, f64);

fn edges(left_top: &Value, size: &Value) -> Edges {
    let at = |value: &Value, index: usize| value[index].as_f64().expect("a number");
    let (x, y) = (at(left_top, 0), at(left_top, 1));
    (x, y, x + at(size, 0), y + at(size, 1))
}

fn overlap(a: Edges, b: Edges) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

/// What must hold of a graph whatever the program was.
fn verify(graph: &Value, ids: &mut BTreeSet<i64>) -> Result<(), String> {
    let nodes = list(graph, "nodes");
    let boxes: Vec<Edges> = nodes.iter().map(|node| edges(&node["pos"], &node["size"])).collect();
    for (at, node) in nodes.iter().enumerate() {
        if !ids.insert(int(&node["id"])) {
            return Err(format!("two nodes {}", node["id"]));
        }
        if let Some(other) = (0..at).find(|&other| overlap(boxes[at], boxes[other])) {
            return Err(format!("{} lies over {}", node["id"], nodes[other]["id"]));
        }
    }
    let node = |id: &Value| nodes.iter().find(|node| node["id"] == *id);
    for [id, from, slot, to, input, _] in links(graph) {
        if let Some(node) = node(&from) {
            let fastened = list(&node["outputs"][index(&slot)], "links");
            if !fastened.contains(&id) {
                return Err(format!("output {slot} of {from} does not know link {id}"));
            }
        } else if list(graph, "inputs").get(index(&slot)).is_none() {
            return Err(format!("link {id} begins nowhere"));
        }
        if let Some(node) = node(&to) {
            if node["inputs"][index(&input)]["link"] != id {
                return Err(format!("input {input} of {to} does not know link {id}"));
            }
        } else if list(graph, "outputs").get(index(&input)).is_none() {
            return Err(format!("link {id} ends nowhere"));
        }
    }
    Ok(())
}

#[test]
fn no_file_of_the_corpus_draws_nodes_over_each_other_or_has_loose_links() {
    let mut wrong = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(shared("corpus/ui")).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = Source::of_bytes(&name, fs::read(&path).expect("readable"), 1 << 30).expect("text");
        let program = import(&source, ImportOptions::default()).expect("the corpus imports").text;
        let json = json(&program);
        let mut ids = BTreeSet::new();
        let graphs = std::iter::once(&json).chain(list(&json["definitions"], "subgraphs"));
        let verdicts: Vec<String> = graphs.filter_map(|graph| verify(graph, &mut ids).err()).collect();
        wrong.extend(verdicts.into_iter().map(|verdict| format!("{name}: {verdict}")));
        if int(&json["last_node_id"]) < ids.last().copied().unwrap_or(0) {
            wrong.push(format!("{name}: a node is above the last id"));
        }
        files += 1;
    }
    assert!(files > 300 && wrong.is_empty(), "{files} files\n{}", wrong.join("\n"));
}

#[test]
fn ten_thousand_nodes_are_drawn() {
    let mut program = "edition 1\nlet a0 = LoadImage(image: \"lake.png\").IMAGE\n".to_owned();
    for at in 1..10_000 {
        program.push_str(&format!("let a{at} = ImageInvert(a{})\n", at - 1));
    }
    program.push_str("SaveImage(a9999)\n");
    assert_eq!(list(&json(&program), "nodes").len(), 10_001);
}
