//! The format of ComfyUI's server.

use std::collections::HashSet;

use floe_lang::comfy::prompt::Json;
use floe_lang::decl::{InputDecl, Literal, Type};

use super::ids::{ids, is_exported};
use crate::error::ExportError;
use crate::flat::{Arg, Call, Flat, Value};
use crate::inputs::{Args, Found};
use crate::types::describe;

/// The prompt that a program is: an object of its nodes.
pub(super) fn prompt(flat: &Flat) -> (Json, Vec<ExportError>) {
    let mut exporter = Exporter { flat, ids: ids(flat), errors: Vec::new() };
    let mut nodes = Vec::with_capacity(flat.calls.len());
    for (index, call) in flat.calls.iter().enumerate() {
        if is_exported(call) {
            let id = exporter.ids[index].clone().unwrap_or_default();
            nodes.push((id, exporter.node(call)));
        }
    }
    (Json::Object(nodes), exporter.errors)
}

struct Exporter<'a> {
    flat: &'a Flat,
    ids: Vec<Option<String>>,
    errors: Vec<ExportError>,
}

/// The inputs of a node so far.
struct Inputs<'a> {
    fields: Vec<(String, Json)>,
    written: HashSet<&'a str>,
}

impl<'a> Exporter<'a> {
    fn node(&mut self, call: &'a Call) -> Json {
        let args = Args::of(call);
        let mut inputs = Inputs { fields: Vec::new(), written: HashSet::new() };
        self.declared(call, &args, &call.decl.inputs, "", &mut inputs);
        // Inputs that nobody declares, and those of a choice that is none.
        for arg in &call.args {
            if !inputs.written.contains(arg.name.as_ref()) {
                self.given(call, arg, &mut inputs, None);
            }
        }
        let title = call.marks.label.as_deref().unwrap_or_else(|| call.decl.title());
        let meta = vec![("title".to_owned(), Json::String(title.to_owned()))];
        Json::Object(vec![
            ("inputs".to_owned(), Json::Object(inputs.fields)),
            ("class_type".to_owned(), Json::String(call.decl.name.to_string())),
            ("_meta".to_owned(), Json::Object(meta)),
        ])
    }

    /// Declared inputs in their order: what is given, else the default. Choices nest no deeper than declarations.
    fn declared(
        &mut self,
        call: &'a Call,
        args: &Args<'a>,
        declared: &'a [InputDecl],
        outer: &str,
        inputs: &mut Inputs<'a>,
    ) {
        for input in declared.iter().filter(|input| !input.hidden) {
            let name = format!("{outer}{}", input.name);
            match (args.get(&name), &input.default) {
                (Some(arg), _) => self.given(call, arg, inputs, Some(input)),
                // A socket that may stay open has no value until something is linked to it.
                (None, Some(default)) if !(input.optional && input.marks.force_input) => {
                    let value = literal(default);
                    let value = if matches!(value, Json::Array(_)) { wrapped(value) } else { value };
                    inputs.fields.push((name.clone(), value));
                }
                (None, _) => {}
            }
            if let Some(choice) = args.choice(input, &name) {
                self.declared(call, args, &choice.inputs, &format!("{name}."), inputs);
            }
            if matches!(input.ty, Type::Grow { .. }) {
                for arg in args.grown(&name) {
                    if matches!(args.input(&arg.name), Found::Input(_)) {
                        self.given(call, arg, inputs, None);
                    }
                }
            }
        }
    }

    /// What an input is given.
    fn given(&mut self, call: &'a Call, arg: &'a Arg, inputs: &mut Inputs<'a>, input: Option<&InputDecl>) {
        inputs.written.insert(&arg.name);
        let list = input.is_some_and(|input| matches!(input.ty, Type::List(_)));
        if call.each && !list && matches!(arg.value, Value::List(_)) {
            let node = call.decl.name.to_string();
            self.errors.push(ExportError::KnownList { node, span: arg.place.into() });
            return;
        }
        if let Some(value) = self.value(&arg.value, arg) {
            let value = if matches!(arg.value, Value::List(_)) { wrapped(value) } else { value };
            inputs.fields.push((arg.name.to_string(), value));
        }
    }

    /// A value as JSON; none where there is none, which is reported.
    fn value(&mut self, value: &Value, arg: &Arg) -> Option<Json> {
        match value {
            Value::Int(value) => Some(Json::Int(*value)),
            Value::Float(value) => Some(Json::Float(*value)),
            Value::Bool(value) => Some(Json::Bool(*value)),
            Value::Str(text) => Some(Json::String(text.to_string())),
            Value::None => Some(Json::Null),
            Value::List(items) => {
                let items: Option<Vec<Json>> = items.iter().map(|item| self.inner(item, arg)).collect();
                Some(Json::Array(items?))
            }
            Value::Record(fields) => {
                let fields: Option<Vec<(String, Json)>> = fields
                    .iter()
                    .map(|(name, field)| Some((name.to_string(), self.inner(field, arg)?)))
                    .collect();
                Some(Json::Object(fields?))
            }
            Value::Link { call, slot } => {
                let id = self.ids[call.index()].clone()?;
                Some(Json::Array(vec![Json::String(id), Json::Int(i128::from(*slot))]))
            }
            Value::Dangling { id, slot } => {
                Some(Json::Array(vec![Json::String(id.to_string()), Json::Int(i128::from(*slot))]))
            }
            Value::Poison => None,
            value => self.no_value(value, arg),
        }
    }

    /// A value inside of another one: ComfyUI has links at the outermost level only.
    fn inner(&mut self, value: &Value, arg: &Arg) -> Option<Json> {
        match value {
            Value::Link { .. } | Value::Dangling { .. } => self.no_value(value, arg),
            value => self.value(value, arg),
        }
    }

    fn no_value(&mut self, value: &Value, arg: &Arg) -> Option<Json> {
        let (got, help) = match (value, &arg.value) {
            (Value::Link { .. }, Value::List(_)) => (
                "a list of outputs".to_owned(),
                "link one output, or join them with a node such as `BatchImagesNode`",
            ),
            (Value::Link { .. } | Value::Dangling { .. }, _) => {
                ("outputs inside of a value".to_owned(), "link the output itself")
            }
            (value, _) => (describe(self.flat, value), "give it one value, or one output of a node"),
        };
        let error = ExportError::NoValue { input: arg.name.to_string(), got, help, span: arg.place.into() };
        self.errors.push(error);
        None
    }
}

/// A list that is a value: a bare one would be read as a link.
fn wrapped(list: Json) -> Json {
    Json::Object(vec![("__value__".to_owned(), list)])
}

/// A default as JSON.
fn literal(literal: &Literal) -> Json {
    match literal {
        Literal::Int(value) => Json::Int(*value),
        Literal::Float(value) => Json::Float(*value),
        Literal::Bool(value) => Json::Bool(*value),
        Literal::String(text) => Json::String(text.to_string()),
        Literal::List(items) => Json::Array(items.iter().map(self::literal).collect()),
        Literal::Record(fields) => Json::Object(
            fields.iter().map(|(name, field)| (name.to_string(), self::literal(field))).collect(),
        ),
    }
}
