//! Values of widgets: stored by position, in the order of the class.

use super::file::Node;
use super::log::Log;
use crate::Span;
use crate::comfy::error::ImportWarning;
use crate::comfy::json::{Kind, Value};
use crate::comfy::prompt::Json;
use crate::comfy::values;
use crate::decl::{ChoiceValue, InputDecl, Literal, NodeDecl, Type};
use crate::text::js;

/// A widget and its value.
pub(super) struct Widget<'v> {
    pub(super) name: String,
    /// Its declaration; the editor adds some widgets that are not declared.
    pub(super) decl: Option<&'v InputDecl>,
    /// Its value; none where the file has none and the class no default.
    pub(super) value: Option<Json>,
    /// Where the value is written, else the node.
    pub(super) span: Span,
}

/// The widgets of a node whose class is declared.
pub(super) fn widgets<'v>(node: &Node<'v>, decl: &'v NodeDecl, log: &mut Log) -> Vec<Widget<'v>> {
    let stored = stored(node, log);
    let mut reader = Reader {
        values: without_dummies(decl, stored),
        at: 0,
        node_span: node.span,
        log,
        widgets: Vec::new(),
    };
    reader.inputs(decl.visible_inputs(), "", 0);
    reader.extras(node.class);
    let mut widgets = reader.widgets;
    if matches!(node.class, "KSampler" | "KSamplerAdvanced") {
        rename_samplers(&mut widgets);
    }
    widgets
}

/// Values in an object are ignored, as the editor does: it would not know which widget each belongs to.
fn stored<'v>(node: &Node<'v>, log: &mut Log) -> &'v [Value<'v>] {
    let Some(values) = node.stored() else { return &[] };
    if !values.is_array() {
        let class = node.class.to_owned();
        log.warn(ImportWarning::NamedValues { class, found: values.words(), span: values.span });
    }
    values.items()
}

/// Before inputs could force a socket, such inputs stored a value; their number tells whether a file is that old.
fn without_dummies<'v>(decl: &NodeDecl, stored: &'v [Value<'v>]) -> Vec<&'v Value<'v>> {
    let slots: Vec<bool> = decl
        .visible_inputs()
        .filter(|input| input.has_widget() || input.marks.force_input)
        .flat_map(|input| {
            let control = has_control(input, "").then_some(false);
            std::iter::once(input.marks.force_input).chain(control)
        })
        .collect();
    let old = slots.len() == stored.len();
    let kept = stored.iter().enumerate().filter(|&(at, _)| !(old && slots[at]));
    kept.map(|(_, value)| value).collect()
}

/// Whether a widget follows that says what happens to the value after a run. Seeds have it unless a class denies it,
/// but not those that come with a dynamic choice, whose name is the `prefix`: their whole name is not `seed`.
pub fn has_control(input: &InputDecl, prefix: &str) -> bool {
    let seed =
        input.ty == Type::Int && prefix.is_empty() && matches!(input.name.as_ref(), "seed" | "noise_seed");
    let denied = input.marks.denied.iter().any(|mark| mark == "control_after_generate");
    input.marks.control_after_generate || (seed && !denied)
}

struct Reader<'r, 'v> {
    values: Vec<&'v Value<'v>>,
    at: usize,
    node_span: Span,
    log: &'r mut Log,
    widgets: Vec<Widget<'v>>,
}

impl<'v> Reader<'_, 'v> {
    fn take(&mut self) -> Option<&'v Value<'v>> {
        self.at += 1;
        self.values.get(self.at - 1).copied()
    }

    /// Recursion is as deep as declarations nest dynamic choices.
    fn inputs(&mut self, inputs: impl Iterator<Item = &'v InputDecl>, prefix: &str, depth: usize) {
        const DEEPEST: usize = 16;
        for input in inputs.filter(|input| input.has_widget()) {
            let name = format!("{prefix}{}", input.name);
            let written = self.take();
            let value = self.value(input, written);
            let span = written.map_or(self.node_span, |written| written.span);
            let choice = match (&input.ty, &value) {
                (Type::Dynamic(choices), Some(Json::String(key))) if depth < DEEPEST => {
                    choices.iter().find(|choice| choice.key == key.as_str())
                }
                _ => None,
            };
            let inner = choice.map(|_| format!("{name}."));
            self.widgets.push(Widget { name, decl: Some(input), value, span });
            if let (Some(choice), Some(prefix)) = (choice, inner) {
                self.inputs(choice.inputs.iter(), &prefix, depth + 1);
            }
            if has_control(input, prefix) {
                self.take();
            }
        }
    }

    /// The value that the editor shows for what is written.
    fn value(&mut self, input: &InputDecl, written: Option<&Value<'_>>) -> Option<Json> {
        // What a comparison of pictures stores are the pictures of the last run.
        let written = written.filter(|_| !compares(&input.ty));
        let Some(written) = written else { return default(input) };
        let value = values::json(written, &mut self.log.warnings);
        match &input.ty {
            Type::Choice { .. } | Type::File { .. } | Type::Dynamic(_) if value == Json::Null => {
                first_choice(&input.ty).or(Some(value))
            }
            Type::String if input.marks.multiline => Some(Json::String(multiline(&value))),
            Type::String | Type::Int | Type::Float | Type::Bool if value == Json::Null => {
                let name = input.name.to_string();
                self.log.warn(ImportWarning::NullValue { name, span: written.span });
                Some(value)
            }
            _ => Some(value),
        }
    }

    /// Widgets that the editor adds to some classes, and sends.
    fn extras(&mut self, class: &str) {
        match class {
            "CustomCombo" => {
                let number = |at: usize| if at == 0 { "index".to_owned() } else { format!("option{at}") };
                let mut at = 0;
                while let Some(written) = self.take() {
                    let value = values::json(written, &mut self.log.warnings);
                    self.extra(number(at), value, written.span);
                    at += 1;
                }
            }
            "SaveGLB" | "Preview3D" => {
                self.extra("image".to_owned(), Json::String(String::new()), self.node_span)
            }
            "LoadImageOutput" => {
                self.extra("refresh".to_owned(), Json::String("refresh".to_owned()), self.node_span);
            }
            _ => {}
        }
    }

    fn extra(&mut self, name: String, value: Json, span: Span) {
        self.widgets.push(Widget { name, decl: None, value: Some(value), span });
    }
}

/// What a text area makes of a value.
pub(super) fn multiline(value: &Json) -> String {
    if *value == Json::Null { String::new() } else { js::text(value) }
}

/// The value of a widget where the file has none.
pub fn default(input: &InputDecl) -> Option<Json> {
    if let Some(default) = &input.default {
        return Some(literal(default));
    }
    match &input.ty {
        Type::Int | Type::Float => Some(Json::Int(0)),
        Type::Bool => Some(Json::Bool(false)),
        Type::String => Some(Json::String(String::new())),
        ty if compares(ty) => {
            Some(Json::Array(vec![Json::String(String::new()), Json::String(String::new())]))
        }
        ty => first_choice(ty),
    }
}

fn compares(ty: &Type) -> bool {
    matches!(ty, Type::Data { comfy, .. } if comfy == "IMAGECOMPARE")
}

fn first_choice(ty: &Type) -> Option<Json> {
    let text = |text: &str| Json::String(text.to_owned());
    match ty {
        Type::Choice { values, .. } => values.first().map(|value| match value {
            ChoiceValue::Str(value) => text(value),
            ChoiceValue::Int(value) => Json::Int(*value),
        }),
        Type::File { builtin, .. } => builtin.first().map(|name| text(name)),
        Type::Dynamic(choices) => choices.first().map(|choice| text(&choice.key)),
        _ => None,
    }
}

/// A declared value as JSON.
fn literal(value: &Literal) -> Json {
    match value {
        Literal::Int(value) => Json::Int(*value),
        Literal::Float(value) => Json::Float(*value),
        Literal::Bool(value) => Json::Bool(*value),
        Literal::String(value) => Json::String(value.to_string()),
        Literal::List(items) => Json::Array(items.iter().map(literal).collect()),
        Literal::Record(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.to_string(), literal(value))).collect())
        }
    }
}

/// The first versions of ComfyUI called samplers `sample_euler`.
fn rename_samplers(widgets: &mut [Widget<'_>]) {
    for widget in widgets.iter_mut().filter(|widget| widget.name == "sampler_name") {
        if let Some(Json::String(name)) = &mut widget.value
            && let Some(short) = name.strip_prefix("sample_")
        {
            *name = short.to_owned();
        }
    }
}

/// Values of a class that nobody declares: by name as far as the file tells, and the others.
#[derive(Default)]
pub(super) struct Guessed {
    /// Name, value, where it is written.
    pub(super) named: Vec<(String, Json, Span)>,
    pub(super) unnamed: Vec<Json>,
}

/// The values of an unknown class. Newer files list a socket for each widget, so that they have the names; a word of
/// the widget that changes seeds may stand between.
pub(super) fn guess(node: &Node<'_>, log: &mut Log) -> Guessed {
    if let Some(named) = node.value.some("widgets_values_named").filter(|named| named.is_object()) {
        return by_name(named, log);
    }
    let Some(values) = node.stored() else { return Guessed::default() };
    match &values.kind {
        Kind::Object(_) => by_name(values, log),
        Kind::Array(items) => by_place(node, items, log),
        _ => Guessed { named: Vec::new(), unnamed: vec![values::json(values, &mut log.warnings)] },
    }
}

fn by_name(values: &Value<'_>, log: &mut Log) -> Guessed {
    let named = values.members().iter().map(|member| {
        (member.key.to_string(), values::json(&member.value, &mut log.warnings), member.value.span)
    });
    Guessed { named: named.collect(), unnamed: Vec::new() }
}

fn by_place(node: &Node<'_>, items: &[Value<'_>], log: &mut Log) -> Guessed {
    let names: Vec<&str> = node.inputs.iter().filter_map(|socket| socket.widget).collect();
    let control = |value: &Value<'_>| {
        matches!(value.text(), Some("fixed" | "increment" | "decrement" | "randomize" | "increment-wrap"))
    };
    let follows_seed = |at: usize| at > 0 && items[at - 1].int().is_some() && control(&items[at]);
    let plain: Vec<&Value<'_>> = if names.len() == items.len() {
        items.iter().collect()
    } else {
        items.iter().enumerate().filter(|&(at, _)| !follows_seed(at)).map(|(_, value)| value).collect()
    };
    if !names.is_empty() && names.len() == plain.len() {
        let named = names.iter().zip(plain);
        let named = named
            .map(|(name, value)| ((*name).to_owned(), values::json(value, &mut log.warnings), value.span));
        return Guessed { named: named.collect(), unnamed: Vec::new() };
    }
    let unnamed = items.iter().map(|value| values::json(value, &mut log.warnings));
    Guessed { named: Vec::new(), unnamed: unnamed.collect() }
}
