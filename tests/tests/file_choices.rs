//! Inputs that name files, against the list of those that ComfyUI has.

use std::collections::BTreeMap;

use floe_stdlib::{InputDecl, Type, nodes};
use floe_testing::shared;

/// Inputs that list files or folders, but are not in the reference.
const UNLISTED: [(&str, &str, &str); 9] = [
    ("GeminiInputFiles", "file", "input/text+pdf"),
    ("Load3DAnimation", "model_file", "input/3d"),
    ("LoadImageDataSetFromFolder", "folder", "input/folder"),
    ("LoadImageSetFromFolderNode", "folder", "input/folder"),
    ("LoadImageTextDataSetFromFolder", "folder", "input/folder"),
    ("LoadImageTextSetFromFolderNode", "folder", "input/folder"),
    ("LoadVideoDataSetFromFolder", "folder", "input/folder"),
    ("LoadVideoTextDataSetFromFolder", "folder", "input/folder"),
    ("OpenAIInputFiles", "file", "input/text+pdf"),
];

/// `none` stands for no file; the reference leaves it out.
const NONE: [&str; 2] = ["Load3D", "Load3DAdvanced"];

type Files = BTreeMap<(String, String), (String, Vec<String>, bool)>;

fn declared() -> Files {
    let mut files = Files::new();
    for node in nodes() {
        node.inputs.iter().for_each(|input| declared_in(&node.name, input, &mut files));
    }
    files
}

fn declared_in(class: &str, input: &InputDecl, files: &mut Files) {
    match &input.ty {
        Type::File { folder, builtin } => {
            let builtin = builtin.iter().map(ToString::to_string).collect();
            files.insert(
                (class.to_owned(), input.name.to_string()),
                (folder.to_string(), builtin, input.marks.upload),
            );
        }
        Type::Dynamic(choices) => {
            choices
                .iter()
                .flat_map(|choice| choice.inputs.iter())
                .for_each(|input| declared_in(class, input, files));
        }
        Type::Grow { element, .. } => element.iter().for_each(|input| declared_in(class, input, files)),
        _ => {}
    }
}

/// The rows of the reference: class, input, folder, built-in choices, kind of upload.
fn reference() -> Files {
    let text = std::fs::read_to_string(shared("nodes/folders.csv")).expect("the reference is readable");
    let mut files = Files::new();
    for row in text.lines().skip(1) {
        let [class, input, folder, builtin, upload] =
            row.split(',').collect::<Vec<_>>().try_into().expect("five columns");
        let mut builtin: Vec<String> =
            builtin.split('|').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if NONE.contains(&class) {
            builtin.push("none".to_owned());
        }
        let folder = folder.strip_prefix("models/").unwrap_or(folder).to_owned();
        // An upload button of a 3D viewer is the viewer's; the reference lists the others.
        let upload = !upload.is_empty() || folder == "input/3d";
        files.insert((class.to_owned(), input.to_owned()), (folder, builtin, upload));
    }
    // A widget of its own draws the mask: a text that names a file, not a choice of files.
    files.remove(&("Painter".to_owned(), "mask".to_owned())).expect("the reference lists it");
    for (class, input, folder) in UNLISTED {
        let upload = folder == "input/3d";
        files.insert((class.to_owned(), input.to_owned()), (folder.to_owned(), Vec::new(), upload));
    }
    files
}

#[test]
fn every_file_comes_from_the_folder_that_comfyui_lists() {
    assert_eq!(declared(), reference());
}
