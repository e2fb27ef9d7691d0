//! ComfyUI's description of node classes, as its server gives at `/object_info`: rendered from the declarations.
//!
//! ComfyUI describes a class in one of three forms, which clients tell apart by the keys that are there: the first form
//! of its node interface (`@v1`), the newer one, and the newer one as it was when a class was retired (`@retired`).

use std::collections::BTreeMap;

use floe_lang::decl::{
    ChoiceValue, DynamicChoice, GrowNames, InputDecl, Literal, NodeDecl, OutputDecl, Text, Type,
};
use serde_json::{Map, Number, Value, json};

/// Which files there are.
pub trait FileLists {
    /// The names of the files in a folder, as declarations name it: `loras`, `input/image`.
    fn files(&self, folder: &str) -> Vec<String>;
}

/// No files at all.
impl FileLists for () {
    fn files(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The description of some classes, by name.
pub fn object_info<'a>(nodes: impl IntoIterator<Item = &'a NodeDecl>, files: &dyn FileLists) -> Value {
    let nodes = nodes.into_iter().map(|node| (node.name.to_string(), node_info(node, files)));
    Value::Object(nodes.collect())
}

/// The description of one class.
pub fn node_info(node: &NodeDecl, files: &dyn FileLists) -> Value {
    let render = Render { form: Form::of(node), files };
    let mut info = Map::new();
    let mut say = |key: &str, value: Value| info.insert(key.to_owned(), value);
    let sections = sections(&node.inputs);
    say("input", render.inputs(&sections));
    say("input_order", order(&sections));
    if render.form == Form::V3 {
        say("is_input_list", node.takes_lists.into());
    }
    outputs(node, render.form, &mut say);
    say("name", node.name.as_ref().into());
    say("display_name", title(node, render.form));
    say("description", node.docs.as_ref().into());
    say("python_module", if node.marks.partner_api { "comfy_api_nodes" } else { "nodes" }.into());
    say("category", node.category.as_ref().into());
    say("output_node", node.output_node.into());
    marks(node, render.form, &mut say);
    Value::Object(info)
}

/// In which form a class is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    V1,
    RetiredV3,
    V3,
}

impl Form {
    fn of(node: &NodeDecl) -> Form {
        match (node.marks.v1, node.marks.retired) {
            (true, _) => Form::V1,
            (false, true) => Form::RetiredV3,
            (false, false) => Form::V3,
        }
    }
}

/// The first form gives the class name where there is no title, the newer one nothing.
fn title(node: &NodeDecl, form: Form) -> Value {
    match form {
        Form::V1 => node.title().into(),
        Form::RetiredV3 | Form::V3 => node.display.as_deref().into(),
    }
}

fn outputs(node: &NodeDecl, form: Form, say: &mut impl FnMut(&str, Value) -> Option<Value>) {
    let each = |value: fn(&OutputDecl) -> Value| Value::Array(node.outputs.iter().map(value).collect());
    say("output", each(|output| comfy_name(&output.ty).into()));
    say(
        "output_is_list",
        each(|output| if output.list_unsaid { Value::Null } else { output.is_list.into() }),
    );
    say("output_name", each(|output| output.name.as_ref().into()));
    if node.outputs.iter().any(|output| !output.docs.is_empty()) {
        say("output_tooltips", each(|output| output.docs.as_ref().into()));
    }
    if form == Form::V3 {
        let template = |output: &OutputDecl| match &output.ty {
            Type::Match { template, .. } => Value::from(template.as_ref()),
            _ => Value::Null,
        };
        let any = node.outputs.iter().any(|output| matches!(output.ty, Type::Match { .. }));
        say("output_matchtypes", if any { each(template) } else { Value::Null });
    }
}

/// The newer form says everything, the first one only what holds.
fn marks(node: &NodeDecl, form: Form, say: &mut impl FnMut(&str, Value) -> Option<Value>) {
    let marks = &node.marks;
    if form == Form::V1 {
        for (key, holds) in [("deprecated", marks.deprecated), ("experimental", marks.experimental)] {
            if holds {
                say(key, true.into());
            }
        }
        return;
    }
    say("deprecated", marks.deprecated.into());
    say("experimental", marks.experimental.into());
    say("api_node", marks.partner_api.into());
    if form == Form::V3 {
        say("dev_only", false.into());
        say("has_intermediate_output", marks.intermediate_output.into());
        say("essentials_category", marks.essential.as_deref().into());
        // What a remote service costs is for the service to say.
        say("price_badge", Value::Null);
    }
}

/// Inputs by the section that they are described in.
struct Sections<'a> {
    required: Vec<&'a InputDecl>,
    optional: Vec<&'a InputDecl>,
    hidden: Vec<&'a InputDecl>,
}

impl<'a> Sections<'a> {
    /// Those that are described: an empty one only where it is the required one.
    fn described(&self) -> impl Iterator<Item = (&'static str, &[&'a InputDecl])> {
        let all = [
            ("required", self.required.as_slice()),
            ("optional", self.optional.as_slice()),
            ("hidden", self.hidden.as_slice()),
        ];
        all.into_iter().filter(|(name, inputs)| *name == "required" || !inputs.is_empty())
    }
}

fn sections(inputs: &[InputDecl]) -> Sections<'_> {
    let (hidden, shown): (Vec<_>, Vec<_>) = inputs.iter().partition(|input| input.hidden);
    let (optional, required) = shown.into_iter().partition(|input: &&InputDecl| input.optional);
    Sections { required, optional, hidden }
}

fn order(sections: &Sections<'_>) -> Value {
    let names = |inputs: &[&InputDecl]| -> Value { inputs.iter().map(|input| input.name.as_ref()).collect() };
    sections.described().map(|(section, inputs)| (section.to_owned(), names(inputs))).collect()
}

/// What is written, and what it needs to know.
struct Render<'a> {
    form: Form,
    files: &'a dyn FileLists,
}

impl Render<'_> {
    fn inputs(&self, sections: &Sections<'_>) -> Value {
        sections
            .described()
            .map(|(section, inputs)| {
                let inputs: Map<String, Value> =
                    inputs.iter().map(|input| (input.name.to_string(), self.input(input))).collect();
                (section.to_owned(), Value::Object(inputs))
            })
            .collect()
    }

    fn input(&self, input: &InputDecl) -> Value {
        let name = comfy_name(&input.ty);
        if input.hidden {
            return if self.form == Form::V1 { name.into() } else { json!([name]) };
        }
        let mut options = self.options(input);
        self.typed(input, &mut options);
        let ty = match options.remove("options") {
            // The first form has the choices in place of the type.
            Some(choices) if self.form == Form::V1 => choices,
            Some(choices) => {
                options.insert("options", choices);
                if is_combo(input) { COMBO.into() } else { name.into() }
            }
            None => name.into(),
        };
        if self.form == Form::V1 && options.is_empty() {
            return json!([ty]);
        }
        let options: Map<String, Value> =
            options.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        json!([ty, options])
    }

    /// Options that do not depend on the type.
    fn options(&self, input: &InputDecl) -> BTreeMap<&'static str, Value> {
        let marks = &input.marks;
        let (lo, hi) = input.bounds();
        let text = |text: &Option<Text>| text.as_deref().map(Value::from);
        let flag = |holds: bool| holds.then_some(Value::Bool(true));
        let docs = (!input.docs.is_empty()).then(|| input.docs.as_ref().into());
        let control = match &marks.control_start {
            Some(start) => Some(start.as_ref().into()),
            None => flag(marks.control_after_generate),
        };
        let mut options: BTreeMap<&'static str, Value> = [
            ("tooltip", docs),
            ("display_name", text(&marks.label)),
            ("default", input.default.as_ref().map(literal)),
            ("min", lo.map(literal)),
            ("max", hi.map(literal)),
            ("step", marks.step.as_ref().map(literal)),
            ("round", marks.round.as_ref().map(literal)),
            ("display", text(&marks.display)),
            ("multiline", flag(marks.multiline)),
            ("dynamicPrompts", flag(marks.dynamic_prompts)),
            ("forceInput", flag(marks.force_input)),
            ("control_after_generate", control),
            ("advanced", flag(marks.advanced)),
            ("lazy", flag(marks.lazy)),
            ("socketless", flag(marks.socketless)),
            ("hidden", flag(marks.invisible)),
            ("widgetType", text(&marks.widget_type).filter(|kind| kind != COMBO)),
            ("component", text(&marks.component)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
        for denied in marks.denied.iter() {
            if let Some(key) = DENIABLE.iter().find(|key| **key == denied) {
                options.insert(key, false.into());
            }
        }
        options
    }

    /// Options that follow from the type.
    fn typed(&self, input: &InputDecl, options: &mut BTreeMap<&'static str, Value>) {
        if input.marks.upload {
            options.insert(upload_key(&input.ty), true.into());
        }
        let combo = is_combo(input);
        match &input.ty {
            Type::Choice { values, .. } => {
                self.choices(values.iter().map(choice).collect(), options);
            }
            Type::File { folder, builtin } => self.file(folder, builtin, options),
            Type::String if combo => self.choices(Vec::new(), options),
            Type::Dynamic(choices) => {
                let choices = choices.iter().map(|choice| self.dynamic(choice)).collect();
                options.insert("options", Value::Array(choices));
            }
            Type::Grow { names, min, element } => {
                options.insert("template", self.grow(names, *min, element));
            }
            Type::Match { template, allowed } => {
                let allowed = if allowed.is_empty() { "*".to_owned() } else { joined(allowed) };
                options.insert(
                    "template",
                    json!({ "template_id": template.as_ref(), "allowed_types": allowed }),
                );
            }
            _ => {}
        }
        // The newer form says of every text whether it has several lines.
        let is_text = matches!(input.ty, Type::String) && !combo;
        if self.form != Form::V1 && (is_text || input.marks.widget_type.as_deref() == Some("STRING")) {
            options.entry("multiline").or_insert(Value::Bool(false));
        }
    }

    fn choices(&self, choices: Vec<Value>, options: &mut BTreeMap<&'static str, Value>) {
        options.insert("options", Value::Array(choices));
        if self.form != Form::V1 {
            options.insert("multiselect", false.into());
        }
    }

    fn file(&self, folder: &str, builtin: &[Text], options: &mut BTreeMap<&'static str, Value>) {
        // Results may be many and change: a client asks for them when it needs them.
        if folder.starts_with("output/") {
            options.insert("image_folder", "output".into());
            let route = "/internal/files/output";
            options.insert(
                "remote",
                json!({ "route": route, "refresh_button": true, "control_after_refresh": "first" }),
            );
            return;
        }
        let files = self.files.files(folder).into_iter().map(Value::String);
        let builtin = builtin.iter().map(|name| Value::from(name.as_ref()));
        self.choices(builtin.chain(files).collect(), options);
    }

    fn dynamic(&self, choice: &DynamicChoice) -> Value {
        json!({ "key": choice.key.as_ref(), "inputs": self.inputs(&sections(&choice.inputs)) })
    }

    fn grow(&self, names: &GrowNames, min: u32, element: &[InputDecl]) -> Value {
        let mut template = Map::new();
        template.insert("input".to_owned(), self.inputs(&sections(element)));
        match names {
            GrowNames::Prefix(prefix, max) => {
                template.insert("prefix".to_owned(), prefix.as_ref().into());
                template.insert("max".to_owned(), (*max).into());
            }
            GrowNames::Listed(names) => {
                let names: Value = names.iter().map(AsRef::as_ref).collect();
                template.insert("names".to_owned(), names);
            }
        }
        template.insert("min".to_owned(), min.into());
        Value::Object(template)
    }
}

/// ComfyUI's type of choices.
const COMBO: &str = "COMBO";

/// Whether an input is a choice whose values an editor collects from other widgets: any text for us.
fn is_combo(input: &InputDecl) -> bool {
    input.marks.widget_type.as_deref() == Some(COMBO)
}

/// Options that may be said to be false where leaving them out means the same.
const DENIABLE: [&str; 3] = ["multiline", "socketless", "control_after_generate"];

/// How an upload button says what it is for.
fn upload_key(ty: &Type) -> &'static str {
    match ty {
        Type::File { folder, .. } if folder.starts_with("input/audio") => "audio_upload",
        Type::File { folder, .. } if folder == "input/video" => "video_upload",
        Type::File { folder, .. } if folder == "input/3d" => "file_upload",
        _ => "image_upload",
    }
}

/// What ComfyUI calls a type.
fn comfy_name(ty: &Type) -> String {
    let name = match ty {
        Type::Int => "INT",
        Type::Float => "FLOAT",
        Type::Bool => "BOOLEAN",
        Type::String => "STRING",
        Type::Any => "*",
        Type::Choice { .. } | Type::File { .. } => COMBO,
        Type::Dynamic(_) => "COMFY_DYNAMICCOMBO_V3",
        Type::Grow { .. } => "COMFY_AUTOGROW_V3",
        Type::Match { .. } => "COMFY_MATCHTYPE_V3",
        Type::Data { comfy, .. } => comfy,
        Type::Union(types) | Type::List(types) => return joined(types),
    };
    name.to_owned()
}

fn joined(types: &[Type]) -> String {
    types.iter().map(comfy_name).collect::<Vec<_>>().join(",")
}

fn choice(value: &ChoiceValue) -> Value {
    match value {
        ChoiceValue::Str(text) => text.as_ref().into(),
        ChoiceValue::Int(number) => whole(*number),
    }
}

fn literal(value: &Literal) -> Value {
    match value {
        Literal::Int(value) => whole(*value),
        Literal::Float(value) => (*value).into(),
        Literal::Bool(value) => (*value).into(),
        Literal::String(value) => value.as_ref().into(),
        Literal::List(items) => Value::Array(items.iter().map(literal).collect()),
        Literal::Record(fields) => {
            fields.iter().map(|(name, value)| (name.to_string(), literal(value))).collect()
        }
    }
}

/// A whole number; beyond 64 bits JSON has only the nearest float.
fn whole(number: i128) -> Value {
    Number::from_i128(number).map_or_else(|| (number as f64).into(), Value::Number)
}
