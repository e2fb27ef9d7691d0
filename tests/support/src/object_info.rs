//! Declarations of ComfyUI's classes made from `nodes/object_info.json`, for tests of what reads declarations: a source
//! independent of the library's own.

use std::collections::BTreeMap;

use floe_lang::comfy::json::{Kind, Value, parse};
use floe_lang::decl::{
    ChoiceValue, Declarations, DynamicChoice, GrowNames, InputDecl, InputMarks, Items, Literal, NodeDecl,
    NodeMarks, OutputDecl, Text, Type,
};

use crate::shared;

/// Types of data for which ComfyUI's editor has a widget.
const WIDGETS: [&str; 10] = [
    "AUDIO_RECORD",
    "BOUNDING_BOX",
    "BOUNDING_BOXES",
    "COLOR",
    "COLORS",
    "CURVE",
    "IMAGECOMPARE",
    "LOAD_3D",
    "LOAD_3D_ANIMATION",
    "WEBCAM",
];

/// ComfyUI's classes.
pub struct ObjectInfo {
    nodes: BTreeMap<String, NodeDecl>,
}

impl Declarations for ObjectInfo {
    fn node(&self, class: &str) -> Option<&NodeDecl> {
        self.nodes.get(class)
    }

    fn type_name(&self, _: &str) -> Option<&str> {
        None
    }
}

/// Folder and built-in choices by class and input.
type Folders = BTreeMap<(String, String), (String, Vec<String>)>;

impl ObjectInfo {
    /// Reads all classes.
    ///
    /// # Panics
    /// If the reference data is not there or not as it should be.
    pub fn load() -> ObjectInfo {
        let text = std::fs::read_to_string(shared("nodes/object_info.json")).expect("reference is readable");
        let root = parse(&text).expect("reference is JSON").value;
        let folders = folders();
        let nodes = root.members().iter().map(|member| {
            let name = member.key.to_string();
            let decl = node(&name, &member.value, &folders);
            (name, decl)
        });
        ObjectInfo { nodes: nodes.collect() }
    }

    /// All classes by name.
    pub fn classes(&self) -> impl Iterator<Item = &NodeDecl> {
        self.nodes.values()
    }
}

fn folders() -> Folders {
    let text = std::fs::read_to_string(shared("nodes/folders.csv")).expect("reference is readable");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let [class, input, folder, builtin, _] = cells[..] else { panic!("five cells: {line}") };
        let builtin = builtin.split('|').filter(|name| !name.is_empty()).map(str::to_owned);
        ((class.to_owned(), input.to_owned()), (folder.to_owned(), builtin.collect()))
    };
    text.lines().skip(1).map(row).collect()
}

fn node(class: &str, value: &Value<'_>, folders: &Folders) -> NodeDecl {
    let flag = |key| value.get(key).and_then(Value::bool).unwrap_or(false);
    let string = |key| value.get(key).and_then(Value::text).unwrap_or("").to_owned();
    let mut inputs = inputs(value.get("input"));
    for input in &mut inputs {
        let key = (class.to_owned(), input.name.to_string());
        if let (Some((folder, builtin)), Type::Choice { .. }) = (folders.get(&key), &input.ty) {
            let builtin: Vec<Text> = builtin.iter().map(|name| Text::from(name.clone())).collect();
            input.ty = Type::File { folder: folder.clone().into(), builtin: builtin.into() };
        }
    }
    NodeDecl {
        name: class.to_owned().into(),
        display: Some(string("display_name").into()),
        category: string("category").into(),
        docs: Text::default(),
        output_node: flag("output_node"),
        takes_lists: flag("input_is_list"),
        inputs: inputs.into(),
        outputs: outputs(value).into(),
        marks: NodeMarks::default(),
    }
}

fn outputs(value: &Value<'_>) -> Vec<OutputDecl> {
    let list = |key: &str| value.get(key).map(Value::items).unwrap_or_default();
    let output = |(at, ty): (usize, &Value<'_>)| OutputDecl {
        name: list("output_name").get(at).and_then(Value::text).unwrap_or("").to_owned().into(),
        docs: Text::default(),
        ty: ty.text().map_or(choices(ty), |name| named(name, None)),
        is_list: list("output_is_list").get(at).and_then(Value::bool).unwrap_or(false),
        list_unsaid: false,
    };
    list("output").iter().enumerate().map(output).collect()
}

/// The inputs of a class, or of one alternative of a dynamic choice.
fn inputs(value: Option<&Value<'_>>) -> Vec<InputDecl> {
    let mut inputs = Vec::new();
    for section in ["required", "optional", "hidden"] {
        let members = value.and_then(|value| value.get(section)).map(Value::members).unwrap_or_default();
        inputs.extend(members.iter().map(|member| input(&member.key, &member.value, section)));
    }
    inputs
}

fn input(name: &str, spec: &Value<'_>, section: &str) -> InputDecl {
    let options = spec.at(1);
    let option = |key: &str| options.and_then(|options| options.get(key));
    let literal_of = |key: &str| option(key).map(literal);
    let flag = |key: &str| option(key).and_then(Value::bool).unwrap_or(false);
    let said = |key: &str| option(key).is_some_and(|value| value.bool() != Some(false));
    let denied: Vec<Text> = ["control_after_generate"]
        .into_iter()
        .filter(|key| option(key).and_then(Value::bool) == Some(false))
        .map(Text::from)
        .collect();
    let upload = ["image_upload", "audio_upload", "video_upload", "file_upload"];
    InputDecl {
        name: name.to_owned().into(),
        docs: Text::default(),
        ty: spec.at(0).map_or(Type::Any, |ty| ty.text().map_or(choices(ty), |name| named(name, options))),
        optional: section == "optional",
        hidden: section == "hidden",
        default: literal_of("default"),
        range: literal_of("min").zip(literal_of("max")),
        marks: InputMarks {
            multiline: flag("multiline"),
            dynamic_prompts: flag("dynamicPrompts"),
            force_input: flag("forceInput"),
            control_after_generate: said("control_after_generate"),
            upload: upload.into_iter().any(flag),
            socketless: flag("socketless"),
            invisible: flag("hidden"),
            widget_type: option("widgetType").and_then(Value::text).map(|name| name.to_owned().into()),
            denied: denied.into(),
            ..InputMarks::default()
        },
    }
}

/// A type by ComfyUI's name, with the options of an input.
fn named(name: &str, options: Option<&Value<'_>>) -> Type {
    let option = |key: &str| options.and_then(|options| options.get(key));
    match name {
        "INT" => Type::Int,
        "FLOAT" => Type::Float,
        "BOOLEAN" => Type::Bool,
        "STRING" => Type::String,
        "*" => Type::Any,
        "COMBO" => option("options").map_or(Type::Choice { set: None, values: Items::default() }, choices),
        "COMFY_DYNAMICCOMBO_V3" => dynamic(option("options")),
        "COMFY_AUTOGROW_V3" => grow(option("template")),
        "COMFY_MATCHTYPE_V3" => Type::Match {
            template: option("template")
                .and_then(|template| template.get("template_id"))
                .and_then(Value::text)
                .unwrap_or("")
                .to_owned()
                .into(),
            allowed: Items::default(),
        },
        union if union.contains(',') => {
            Type::Union(union.split(',').map(|name| named(name, None)).collect::<Vec<_>>().into())
        }
        data => Type::Data {
            name: data.to_owned().into(),
            comfy: data.to_owned().into(),
            widget: WIDGETS.contains(&data),
        },
    }
}

fn choices(value: &Value<'_>) -> Type {
    let choice = |value: &Value<'_>| match value.text() {
        Some(text) => Some(ChoiceValue::Str(text.to_owned().into())),
        None => value.int().map(ChoiceValue::Int),
    };
    let values: Vec<ChoiceValue> = value.items().iter().filter_map(choice).collect();
    Type::Choice { set: None, values: values.into() }
}

fn dynamic(options: Option<&Value<'_>>) -> Type {
    let choice = |value: &Value<'_>| DynamicChoice {
        key: value.get("key").and_then(Value::id).map_or_else(String::new, |key| key.into_owned()).into(),
        inputs: inputs(value.get("inputs")).into(),
    };
    let options = options.map(Value::items).unwrap_or_default();
    Type::Dynamic(options.iter().map(choice).collect::<Vec<_>>().into())
}

fn grow(template: Option<&Value<'_>>) -> Type {
    let part = |key: &str| template.and_then(|template| template.get(key));
    let number = |key: &str| part(key).and_then(Value::int).and_then(|number| u32::try_from(number).ok());
    let names = match part("names") {
        Some(names) => {
            let names = names.items().iter().filter_map(Value::text);
            GrowNames::Listed(names.map(|name| Text::from(name.to_owned())).collect::<Vec<_>>().into())
        }
        None => {
            let prefix = part("prefix").and_then(Value::text).unwrap_or("").to_owned();
            GrowNames::Prefix(prefix.into(), number("max").unwrap_or(0))
        }
    };
    Type::Grow { names, min: number("min").unwrap_or(0), element: inputs(part("input")).into() }
}

fn literal(value: &Value<'_>) -> Literal {
    match &value.kind {
        Kind::Bool(value) => Literal::Bool(*value),
        Kind::Int(value) => Literal::Int(i128::from(*value)),
        Kind::Long(value) => Literal::Int(**value),
        Kind::Float(value) => Literal::Float(*value),
        Kind::String(text) => Literal::String(text.to_string().into()),
        Kind::Array(items) => Literal::List(items.iter().map(literal).collect::<Vec<_>>().into()),
        Kind::Object(members) => {
            let fields =
                members.iter().map(|member| (Text::from(member.key.to_string()), literal(&member.value)));
            Literal::Record(fields.collect::<Vec<_>>().into())
        }
        Kind::Null => Literal::String(Text::default()),
    }
}
