//! Programs of small workflows, each to be read as a person would read it.

use super::{Options, program};
use crate::ast::File;
use crate::comfy::prompt::{
    Disabled, Group, InputValue, Instance, InstanceInput, InstanceOutput, Json, NamePiece, Note, Prompt,
    PromptInput, PromptNode,
};
use crate::comfy::{Limits, read};
use crate::decl::{Declarations, NamedTypes, NodeDecl, Type, declare};
use crate::{SourceFile, Span, format, parse};
use insta::assert_snapshot;
use std::collections::BTreeMap;

const DECLARATIONS: &str = r#"
edition 1
node CheckpointLoaderSimple(ckpt_name: File<"checkpoints">) -> (MODEL: Model, CLIP: Clip, VAE: Vae)
node LoraLoader(
    model: Model, clip: Clip, lora_name: File<"loras">,
    strength_model: Float = 1.0, strength_clip: Float = 1.0,
) -> (MODEL: Model, CLIP: Clip)
node CLIPTextEncode(text: String @multiline @dynamic_prompts, clip: Clip) -> (CONDITIONING: Conditioning)
node EmptyLatentImage(
    /// Pixels.
    width: Int in 16..=16384 = 512, height: Int in 16..=16384 = 512, batch_size: Int in 1..=4096 = 1,
) -> (LATENT: Latent)
node KSampler(
    model: Model, seed: Int = 0 @control_after_generate, steps: Int in 1..=10000 = 20, cfg: Float = 8.0,
    sampler_name: "euler" | "heun", positive: Conditioning, negative: Conditioning, latent_image: Latent,
) -> (LATENT: Latent)
node VAEDecode(samples: Latent, vae: Vae) -> (IMAGE: Image)
node LoadImage(image: File<"input/image">) -> (IMAGE: Image, MASK: Mask)
node ImageInvert(image: Image) -> (IMAGE: Image)
node ImageBlend(image1: Image, image2: Image, factor: Float = 0.5) -> (IMAGE: Image)
node BatchImages(images: [Image] @grow("image", min: 1, max: 50)) -> (IMAGE: Image)
node Math(expression: String, values: [Float | Int] @grow(names: ["a", "b", "c"], min: 1)) -> (FLOAT: Float, INT: Int)
node Resize(
    input: Image,
    resize_type: "by factor" { factor: Float = 2.0 } | "to size" { width: Int = 512, height: Int = 512 },
) -> (resized: Image)
node LoadFolder(folder: String) -> (images: [Image])
@takes_lists node Count(images: Image) -> (count: Int)
@output node SaveImage(images: Image, filename_prefix: String = "ComfyUI")
"#;

struct Known {
    nodes: BTreeMap<String, NodeDecl>,
}

/// The data types of the declarations above.
struct Types;

impl NamedTypes for Types {
    fn named_type(&self, name: &str) -> Option<Type> {
        let comfy = name.to_ascii_uppercase();
        Some(Type::Data { name: name.to_owned().into(), comfy: comfy.into(), widget: false })
    }

    fn comfy_type(&self, _: &str) -> Option<Type> {
        None
    }
}

impl Known {
    fn new() -> Self {
        let parsed = parse(&SourceFile::new("nodes.flow".to_owned(), DECLARATIONS.to_owned()));
        assert_eq!(parsed.errors, []);
        let declared = declare(&parsed.ast.statements, &Types);
        assert_eq!(declared.errors, []);
        Self { nodes: declared.nodes.into_iter().map(|(_, node)| (node.name.to_string(), node)).collect() }
    }
}

impl Declarations for Known {
    fn node(&self, class: &str) -> Option<&NodeDecl> {
        self.nodes.get(class)
    }

    fn type_name(&self, comfy: &str) -> Option<&str> {
        ["Model", "Clip", "Vae", "Conditioning", "Latent", "Image", "Mask"]
            .into_iter()
            .find(|name| name.to_ascii_uppercase() == comfy)
    }
}

fn prompt(text: &str) -> Prompt {
    let read = read(text, &Known::new(), Limits::default());
    assert_eq!(read.errors, []);
    read.prompt.unwrap()
}

fn made(prompt: &Prompt, options: Options) -> File {
    program(prompt, &Known::new(), options).unwrap()
}

/// The text of a program, which parses to the same program.
#[track_caller]
fn text_with(prompt: &Prompt, options: Options) -> String {
    let mut file = made(prompt, options);
    let text = format(&file);
    let mut parsed = parse(&SourceFile::new("x.flow".to_owned(), text.clone()));
    assert_eq!(parsed.errors, [], "{text}");
    assert_eq!(format(&parsed.ast), text);
    assert_eq!(file.strip_layout(), parsed.ast.strip_layout());
    assert_eq!(file, parsed.ast, "{text}");
    text
}

#[track_caller]
fn text(json: &str) -> String {
    text_with(&prompt(json), Options::default())
}

const TXT2IMG: &str = r#"{
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "3": {"class_type": "KSampler", "inputs": {
        "seed": 5, "steps": 20, "cfg": 8, "sampler_name": "euler",
        "model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "10": {"class_type": "LoraLoader", "inputs": {"model": ["4", 0], "clip": ["4", 1], "lora_name": "a.safetensors",
        "strength_model": 0.5, "strength_clip": 1}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lake", "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["10", 1]}}
}"#;

#[test]
fn a_picture_from_text() {
    assert_snapshot!(text(TXT2IMG));
}

#[test]
fn what_a_person_edits_is_a_param() {
    let options = Options { params: true, ..Options::default() };
    assert_snapshot!(text_with(&prompt(TXT2IMG), options));
}

#[test]
fn every_call_says_its_id_and_place() {
    let mut prompt = prompt(TXT2IMG);
    prompt.nodes[0].place = Some((120.0, 80.5));
    prompt.nodes[0].title = Some("The result".to_owned());
    let options = Options { ids: true, layout: true, params: false };
    assert_snapshot!(text_with(&prompt, options));
}

#[test]
fn lists_that_a_run_makes_are_mapped_over() {
    let json = r#"{
        "1": {"class_type": "LoadFolder", "inputs": {"folder": "in"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "ImageBlend", "inputs": {"image1": ["2", 0], "image2": ["1", 0]}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
        "5": {"class_type": "Count", "inputs": {"images": ["3", 0]}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn choices_and_growing_inputs_are_nested() {
    let json = r#"{
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "Resize", "inputs": {"input": ["1", 0], "resize_type": "to size",
            "resize_type.width": 512, "resize_type.height": 256}},
        "3": {"class_type": "Resize", "inputs": {"input": ["1", 0], "resize_type": "by factor", "resize_type.factor": 2}},
        "4": {"class_type": "BatchImages", "inputs": {"images.image0": ["2", 0], "images.image2": ["3", 0]}},
        "5": {"class_type": "BatchImages", "inputs": {"images.image40": ["4", 0], "images.other": ["1", 0]}},
        "6": {"class_type": "Math", "inputs": {"expression": "a + b", "values.a": 1, "values.b": 2.5}},
        "7": {"class_type": "Resize", "inputs": {"input": ["5", 0], "resize_type.factor": ["6", 0]}},
        "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0]}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn classes_that_nobody_declared_are_declared() {
    let json = r#"{
        "1": {"class_type": "Image Maker (x)", "inputs": {"size": 3, "odd name": "x", "list": [1, 2]}},
        "2": {"class_type": "KSampler", "inputs": {"latent_image": ["1", 2], "seed": ["1", 1], "negative": ["1", 0]}},
        "3": {"class_type": "Show", "inputs": {"any": ["2", 0]}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn declarations_name_the_pack_that_a_class_comes_from() {
    let json = r#"{"nodes": [
        {"id": 1, "type": "Grain", "properties": {"cnr_id": "film-grain"}, "outputs": [{"name": "image", "type": "IMAGE"}]},
        {"id": 2, "type": "Show", "properties": {"aux_id": "somebody/show"}, "inputs": [{"name": "image", "type": "IMAGE", "link": 1}]},
        {"id": 3, "type": "Grain"}
    ], "links": [[1, 1, 0, 2, 0, "IMAGE"]], "version": 0.4}"#;
    assert_snapshot!(text(json));
}

#[test]
fn odd_values_stay_as_they_are() {
    let json = r#"{
        "1": {"class_type": "KSampler", "inputs": {"seed": null, "steps": "20", "cfg": NaN, "sampler_name": "unheard of",
            "model": ["77", 0], "positive": {"a": {"b": [1, true]}}, "extra": -1.5, "latent_image": [1, 2, 3]}},
        "2": {"class_type": "EmptyLatentImage", "inputs": {"width": 20000000000000000000000, "height": 8.0}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn names_are_unique_and_take_no_others_place() {
    let json = r#"{
        "1": {"class_type": "samples", "inputs": {}},
        "2": {"class_type": "KSampler", "inputs": {"latent_image": ["1", 0]}, "_meta": {"title": "KSampler"}},
        "3": {"class_type": "KSampler", "inputs": {"latent_image": ["2", 0], "positive": ["2", 0]}, "_meta": {"title": "抽样"}},
        "4": {"class_type": "KSampler", "inputs": {"latent_image": ["2", 0], "positive": ["3", 0]}, "_meta": {"title": "Min"}},
        "5": {"class_type": "KSampler", "inputs": {"latent_image": ["3", 0], "positive": ["4", 0]}, "_meta": {"title": "2nd pass"}},
        "6": {"class_type": "ImageInvert", "inputs": {"image": ["5", 0]}, "_meta": {"title": "true"}},
        "7": {"class_type": "ImageBlend", "inputs": {"image1": ["6", 0], "image2": ["6", 0]}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn what_nobody_reads_stays() {
    let json = r#"{
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "EmptyLatentImage", "inputs": {}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn outputs_beyond_those_declared_are_taken_by_place() {
    let json = r#"{
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "ImageBlend", "inputs": {"image1": ["1", 0], "image2": ["1", 7]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 3]}}
    }"#;
    assert_snapshot!(text(json));
}

#[test]
fn circles_are_refused() {
    let mut prompt = prompt(
        r#"{"1": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}},
        "2": {"class_type": "ImageInvert", "inputs": {}}, "3": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}}}"#,
    );
    prompt.nodes[1].inputs.push(link("image", 0, 0));
    let error = program(&prompt, &Known::new(), Options::default()).unwrap_err();
    assert_eq!(error.nodes, [0, 1], "the third node only follows the circle");
}

#[test]
fn long_chains_are_no_deep_ones() {
    let nodes = 20_000;
    let mut prompt = Prompt::default();
    prompt.nodes.push(node("0", "EmptyLatentImage", vec![], None));
    for index in 1..nodes {
        prompt.nodes.push(node(&index.to_string(), "ImageInvert", vec![link("image", index - 1, 0)], None));
    }
    let file = made(&prompt, Options::default());
    assert_eq!(file.statements.len(), nodes.div_ceil(3));
}

fn span() -> Span {
    Span::new(0, 0)
}

fn link(name: &str, node: usize, slot: u32) -> PromptInput {
    given(name, InputValue::Link { node, slot })
}

fn given(name: &str, value: InputValue) -> PromptInput {
    PromptInput { name: name.to_owned(), value, ty: None, through: Vec::new(), span: span() }
}

fn through(input: PromptInput, place: usize) -> PromptInput {
    PromptInput { through: vec![place], ..input }
}

fn number(value: i128) -> InputValue {
    InputValue::Json(Json::Int(value))
}

fn string(text: &str) -> InputValue {
    InputValue::Json(Json::String(text.to_owned()))
}

fn node(id: &str, class: &str, inputs: Vec<PromptInput>, instance: Option<usize>) -> PromptNode {
    PromptNode {
        pack: None,
        id: id.to_owned(),
        class: class.to_owned(),
        title: None,
        inputs,
        outputs: Vec::new(),
        unnamed: Vec::new(),
        instance,
        place: None,
        span: span(),
    }
}

fn instance(
    id: &str,
    name: &str,
    parent: Option<usize>,
    inputs: &[(&str, &str)],
    from: &[(usize, u32)],
) -> Instance {
    let input = |(name, ty): &(&str, &str)| InstanceInput { name: (*name).to_owned(), ty: (*ty).to_owned() };
    Instance {
        id: id.to_owned(),
        definition: name.to_owned(),
        name: name.to_owned(),
        title: None,
        parent,
        inputs: inputs.iter().map(input).collect(),
        outputs: from
            .iter()
            .map(|&from| InstanceOutput {
                name: "IMAGE".to_owned(),
                ty: "IMAGE".to_owned(),
                from: Some(from),
            })
            .collect(),
        place: None,
        span: span(),
    }
}

/// Two pictures blended in two instances, the second of which takes what the first one gives.
fn two_instances() -> Prompt {
    let inputs = [("base", "IMAGE"), ("opacity", "FLOAT")];
    let blend = |id: &str, base: usize, factor: InputValue, at: usize| {
        let inputs = vec![
            through(link("image1", base, 0), 0),
            link("image2", base + 1, 0),
            through(given("factor", factor), 1),
        ];
        node(id, "ImageBlend", inputs, Some(at))
    };
    let invert = |id: &str, image: usize, at: usize| {
        node(id, "ImageInvert", vec![through(link("image", image, 0), 0)], Some(at))
    };
    Prompt {
        nodes: vec![
            node("1", "LoadImage", vec![given("image", string("a.png"))], None),
            invert("5:1", 0, 0),
            blend("5:2", 0, InputValue::Json(Json::Float(0.25)), 0),
            invert("6:1", 2, 1),
            blend("6:2", 2, InputValue::Json(Json::Float(0.75)), 1),
            node("7", "SaveImage", vec![link("images", 4, 0)], None),
        ],
        instances: vec![
            instance("5", "Ghost image", None, &inputs, &[(2, 0)]),
            instance("6", "Ghost image", None, &inputs, &[(4, 0)]),
        ],
        ..Prompt::default()
    }
}

#[test]
fn instances_of_a_subgraph_are_calls_of_a_flow() {
    assert_snapshot!(text_with(&two_instances(), Options::default()));
}

#[test]
fn values_that_all_instances_share_are_defaults_if_they_were_promoted() {
    let mut prompt = two_instances();
    prompt.nodes[4].inputs[2].value = prompt.nodes[2].inputs[2].value.clone();
    prompt.nodes[3].class = "Other".to_owned();
    prompt.nodes[1].class = "Other".to_owned();
    let options = Options { ids: true, ..Options::default() };
    assert_snapshot!(text_with(&prompt, options));
}

#[test]
fn instances_that_differ_in_structure_are_flows_of_their_own() {
    let mut prompt = two_instances();
    // Switched off in the second instance.
    prompt.nodes[4].inputs.remove(1);
    prompt.nodes.remove(3);
    for node in &mut prompt.nodes {
        for input in &mut node.inputs {
            if let InputValue::Link { node, .. } = &mut input.value
                && *node > 3
            {
                *node -= 1;
            }
        }
    }
    prompt.instances[1].outputs[0].from = Some((3, 0));
    assert_snapshot!(text_with(&prompt, Options::default()));
}

#[test]
fn an_instance_with_independent_parts_between_which_something_stands_is_written_in_place() {
    let mut prompt = Prompt {
        nodes: vec![
            node("5:1", "LoadImage", vec![given("image", string("a.png"))], Some(0)),
            node("2", "ImageInvert", vec![link("image", 0, 0)], None),
            node("5:2", "SaveImage", vec![through(link("images", 1, 0), 0)], Some(0)),
        ],
        instances: vec![instance("5", "Both ends", None, &[("images", "IMAGE")], &[(0, 0)])],
        ..Prompt::default()
    };
    prompt.nodes[0].outputs = vec![("IMAGE".to_owned(), "IMAGE".to_owned())];
    let options = Options { ids: true, ..Options::default() };
    assert_snapshot!(text_with(&prompt, options));
}

#[test]
fn flows_call_flows() {
    let inner = |id: &str, image: usize, at| {
        node(id, "ImageInvert", vec![through(link("image", image, 0), 0)], Some(at))
    };
    let inputs = [("image", "IMAGE")];
    let prompt = Prompt {
        nodes: vec![
            node("1", "LoadImage", vec![given("image", string("a.png"))], None),
            inner("5:3:1", 0, 1),
            inner("5:4:1", 1, 2),
            node("5:9", "SaveImage", vec![link("images", 1, 0)], Some(0)),
            node("7", "SaveImage", vec![link("images", 2, 0)], None),
        ],
        instances: vec![
            instance("5", "Outer", None, &inputs, &[(2, 0)]),
            instance("5:3", "Inner", Some(0), &inputs, &[(1, 0)]),
            instance("5:4", "Inner", Some(0), &inputs, &[(2, 0)]),
        ],
        ..Prompt::default()
    };
    let options = Options { ids: true, ..Options::default() };
    assert_snapshot!(text_with(&prompt, options));
}

/// A file with two instances inside of one another, the inner one's node given everything through both.
fn nested() -> Prompt {
    let through_both =
        |input: PromptInput, places: [usize; 2]| PromptInput { through: places.to_vec(), ..input };
    let blend = vec![
        through_both(link("image1", 0, 0), [0, 0]),
        through_both(link("image2", 0, 0), [0, 0]),
        through_both(given("factor", InputValue::Json(Json::Float(0.25))), [1, 1]),
    ];
    let inner = [("base", "IMAGE"), ("opacity", "FLOAT")];
    let outer = [("picture", "IMAGE"), ("strength", "FLOAT")];
    Prompt {
        nodes: vec![
            node("1", "LoadImage", vec![given("image", string("a.png"))], None),
            node("5:3:1", "ImageBlend", blend, Some(1)),
            node("7", "SaveImage", vec![link("images", 1, 0)], None),
        ],
        instances: vec![
            instance("5", "Outer", None, &outer, &[(1, 0)]),
            instance("5:3", "Inner", Some(0), &inner, &[(1, 0)]),
        ],
        ..Prompt::default()
    }
}

#[test]
fn what_comes_through_two_instances_is_a_parameter_of_both_flows() {
    assert_snapshot!(text_with(&nested(), Options::default()));
}

#[test]
fn an_id_that_has_to_be_kept_keeps_those_of_the_instances_around() {
    let mut prompt = nested();
    prompt.pinned.insert("5:3:1".to_owned());
    let text = text_with(&prompt, Options::default());
    assert!(text.contains("@id(\"1\") ImageBlend(base"), "{text}");
    assert!(text.contains("@id(\"3\") inner(picture"), "{text}");
    assert!(text.contains("@id(\"5\") let image_2 = outer(image)"), "{text}");
}

#[test]
fn what_is_switched_off_says_what_it_was_linked_to() {
    let mut prompt = nested();
    let links = [("images", "Decode  twice"), ("odd name", "VAEDecode")];
    prompt.disabled.push(Disabled {
        id: "9".to_owned(),
        class: "SaveImage".to_owned(),
        title: Some("Draft".to_owned()),
        bypassed: false,
        links: links.map(|(name, from)| (name.to_owned(), from.to_owned())).to_vec(),
        values: vec![("filename_prefix".to_owned(), Json::String("draft".to_owned()))],
        instance: None,
    });
    let text = text_with(&prompt, Options::default());
    let said = text.split_whitespace().filter(|word| *word != "//").collect::<Vec<_>>().join(" ");
    let node = "- muted SaveImage \"Draft\" (images: Decode twice, `odd name`: VAEDecode, filename_prefix: \"draft\")";
    assert!(said.contains(node), "{text}");
}

#[test]
fn values_in_file_names_have_a_name() {
    let pieces = vec![
        NamePiece::Text("run ".to_owned()),
        NamePiece::Date("yyyy-MM-dd".to_owned()),
        NamePiece::Widget(0, "steps".to_owned()),
        NamePiece::Text("-".to_owned()),
        NamePiece::Widget(0, "sampler_name".to_owned()),
        NamePiece::Widget(0, "cfg".to_owned()),
        NamePiece::Widget(0, "nowhere".to_owned()),
    ];
    let inputs = vec![
        given("steps", number(7)),
        given("sampler_name", string("a/b:c")),
        given("cfg", InputValue::Json(Json::Float(4.0))),
    ];
    let prompt = Prompt {
        nodes: vec![
            node("1", "KSampler", inputs, None),
            node(
                "2",
                "SaveImage",
                vec![link("images", 0, 0), given("filename_prefix", InputValue::FileName(pieces))],
                None,
            ),
        ],
        ..Prompt::default()
    };
    assert_snapshot!(text_with(&prompt, Options::default()));
    let options = Options { params: true, ..Options::default() };
    assert_snapshot!(text_with(&prompt, options));
}

#[test]
fn prompts_that_are_resolved_later_say_so() {
    let mut prompt = prompt(TXT2IMG);
    prompt.nodes[6].inputs[0].value = InputValue::DynamicPrompt("a {red|blue} lake // calm".to_owned());
    let text = text_with(&prompt, Options::default());
    assert!(text.contains(r#"dynamic("a {red|blue} lake // calm")"#), "{text}");
}

#[test]
fn notes_and_frames_stand_where_they_stood() {
    let mut prompt = prompt(TXT2IMG);
    for (index, place) in
        [(3, (0.0, 0.0)), (6, (400.0, 0.0)), (7, (400.0, 200.0)), (2, (800.0, 0.0)), (0, (1600.0, 0.0))]
    {
        prompt.nodes[index].place = Some(place);
    }
    let note = |text: &str, title: Option<&str>, place| Note {
        title: title.map(str::to_owned),
        text: text.to_owned(),
        place: Some(place),
        size: None,
        definition: None,
    };
    let frame = |title: &str, bounds| Group { title: title.to_owned(), bounds, definition: None };
    prompt.notes = vec![
        note("Saved beside\nthe others.", Some("Where it goes"), (1650.0, 50.0)),
        note(
            "- a bullet that is so long that it goes on in a second line, which stands below the words of the first\n\n\n```\n  code   stays\n```",
            Some("Note"),
            (410.0, 100.0),
        ),
        note("   ", None, (0.0, 0.0)),
    ];
    prompt.groups = vec![
        frame("Prompts", (380.0, -50.0, 300.0, 500.0)),
        frame("Nothing here", (9000.0, 0.0, 10.0, 10.0)),
        frame("All", (-100.0, -100.0, 1000.0, 1000.0)),
    ];
    assert_snapshot!(text_with(&prompt, Options::default()));
}
