//! `/object_info` as it is rendered from the declarations, field by field against ComfyUI's own.

use std::collections::BTreeSet;

use floe_stdlib::{nodes, object_info};
use floe_testing::json;
use serde_json::Value;

/// Keys of ours that the reference leaves out, because their words are not to be copied.
const OURS: [&str; 3] = ["description", "python_module", "tooltip"];

/// The key of the reference that ComfyUI itself does not have.
const THEIRS: &str = "partner_api";

/// All other differences, and why they are.
const KNOWN: [(&str, &str); 10] = [
    // The reference was made with one folder below `input`; which there are is for an installation to say.
    ("LoadImageDataSetFromFolder.input.required.folder[1].options", "no folder is declared"),
    ("LoadImageSetFromFolderNode.input.required.folder[0]", "no folder is declared"),
    ("LoadImageTextDataSetFromFolder.input.required.folder[1].options", "no folder is declared"),
    ("LoadImageTextSetFromFolderNode.input.required.folder[0]", "no folder is declared"),
    ("LoadVideoDataSetFromFolder.input.required.folder[1].options", "no folder is declared"),
    ("LoadVideoTextDataSetFromFolder.input.required.folder[1].options", "no folder is declared"),
    ("VAELoader.input.required.vae_name[0]", "taesd and its like are offered before their files are there"),
    (
        "ImageScaleToMaxDimension.input.required.upscale_method[1].options",
        "`bilinear` is listed once, not twice",
    ),
    ("IdeogramV2.input.optional.style_type[1].default", "`NONE` is not one of its choices, so no default"),
    ("*.price_badge", "what a remote service costs is not ours to say"),
];

/// The places where two values differ; objects are the same in any order, except of inputs.
fn differences(path: &str, ours: &Value, reference: &Value, found: &mut BTreeSet<String>) {
    match (ours, reference) {
        (Value::Object(ours), Value::Object(reference)) => {
            let keys: BTreeSet<&String> = ours.keys().chain(reference.keys()).collect();
            for key in keys {
                let path = format!("{path}.{key}");
                match (ours.get(key), reference.get(key)) {
                    (Some(ours), Some(reference)) => differences(&path, ours, reference, found),
                    (Some(_), None) if OURS.contains(&key.as_str()) => {}
                    (None, Some(_)) if key == THEIRS => {}
                    _ => {
                        found.insert(path);
                    }
                }
            }
        }
        (Value::Array(ours), Value::Array(reference)) if ours.len() == reference.len() => {
            for (index, (ours, reference)) in ours.iter().zip(reference).enumerate() {
                differences(&format!("{path}[{index}]"), ours, reference, found);
            }
        }
        // The reference has lost its tooltips: where they were all that was said of an input, `{}` is left. Ours are
        // elsewhere, so one of the two may have nothing more to say than the type.
        (Value::Array(one), Value::Array(other)) if one.len().abs_diff(other.len()) == 1 => {
            let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
            let silent =
                |value: &Value| value.as_object().is_some_and(|all| all.keys().all(|key| key == "tooltip"));
            match (short.as_slice(), long.as_slice()) {
                ([_], [_, options]) if silent(options) => {
                    differences(&format!("{path}[0]"), &ours[0], &reference[0], found);
                }
                _ => {
                    found.insert(path.to_owned());
                }
            }
        }
        _ if ours == reference => {}
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_class_is_described_as_comfyui_does() {
    let (ours, reference) = (object_info(nodes(), &()), json("nodes/object_info.json"));
    let (ours, reference) = (ours.as_object().expect("an object"), reference.as_object().expect("an object"));
    let classes = |info: &serde_json::Map<String, Value>| info.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(classes(ours), classes(reference));
    assert_eq!(ours.len(), 846);
    let mut found = BTreeSet::new();
    for (class, description) in ours {
        differences(class, description, &reference[class], &mut found);
    }
    let badges = found.iter().filter(|path| path.ends_with(".price_badge")).count();
    found.retain(|path| !path.ends_with(".price_badge"));
    if badges > 0 {
        found.insert("*.price_badge".to_owned());
    }
    let known: BTreeSet<String> = KNOWN.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(known, found, "differences that are known on the left, those that are there on the right");
    println!("{} classes, {} differences, prices of {badges} classes", ours.len(), found.len());
}

#[test]
fn inputs_stand_in_their_order() {
    let ours = object_info(nodes(), &());
    let reference = json("nodes/object_info.json");
    for node in nodes() {
        let class = node.name.as_ref();
        for section in ["required", "optional", "hidden"] {
            let keys = |info: &Value| -> Vec<String> {
                let inputs = info[class]["input"][section].as_object();
                inputs.into_iter().flat_map(|inputs| inputs.keys().cloned()).collect()
            };
            assert_eq!(keys(&ours), keys(&reference), "{class}, {section}");
            let order = &ours[class]["input_order"][section];
            let order: Vec<String> = order
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap_or_default().to_owned())
                .collect();
            assert_eq!(keys(&ours), order, "{class}, {section}");
        }
    }
}

#[test]
fn a_difference_is_found_wherever_it_is() {
    let reference = json("nodes/object_info.json");
    let changed = |change: &dyn Fn(&mut Value)| {
        let (mut ours, mut found) = (reference["KSampler"].clone(), BTreeSet::new());
        change(&mut ours);
        differences("KSampler", &ours, &reference["KSampler"], &mut found);
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(changed(&|_| {}), "");
    assert_eq!(changed(&|ours| ours["category"] = "elsewhere".into()), "KSampler.category");
    assert_eq!(
        changed(&|ours| ours["input"]["required"]["cfg"][1]["default"] = 8.into()),
        "KSampler.input.required.cfg[1].default"
    );
    assert_eq!(
        changed(&|ours| ours["input"]["required"]["scheduler"][0][3] = "beta".into()),
        "KSampler.input.required.scheduler[0][3]"
    );
    assert_eq!(changed(&|ours| ours["output_is_list"] = Value::Array(Vec::new())), "KSampler.output_is_list");
    assert_eq!(changed(&|ours| ours["display_name"] = Value::Null), "KSampler.display_name");
}
