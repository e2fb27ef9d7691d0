//! Declarations as Rust constants. Sets of choices that have names are one static each, whatever uses them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use floe_lang::decl::{
    ChoiceValue, DynamicChoice, GrowNames, InputDecl, InputMarks, Items, Literal, NodeDecl, OutputDecl, Text,
    Type,
};

use crate::Named;

/// The statics of shared sets, and where they are.
struct Emit {
    statics: String,
    choices: BTreeMap<String, String>,
}

/// All tables.
pub(crate) fn tables(types: &[Named], nodes: &[NodeDecl]) -> String {
    let mut emit = Emit { statics: String::new(), choices: BTreeMap::new() };
    // Plain sets first: those that bring inputs refer to them.
    let is_plain = |named: &&Named| matches!(named.ty, Type::Choice { .. });
    types.iter().filter(is_plain).for_each(|named| emit.set(named));
    types.iter().filter(|named| !is_plain(named)).for_each(|named| emit.set(named));
    let mut text =
        String::from("/// Every data type and set of choices, by name.\nstatic TYPES: &[NamedType] = &[\n");
    for Named { name, docs, ty } in types {
        let _ = writeln!(text, "NamedType {{ name: {name:?}, docs: {docs:?}, ty: {} }},", emit.ty(ty));
    }
    text.push_str("];\n/// Every declared node, by name.\nstatic NODES: &[NodeDecl] = &[\n");
    for node in nodes {
        text.push_str(&emit.node(node));
    }
    text.push_str("];\n");
    let no_marks = emit.all_marks(&InputMarks::default());
    let _ = writeln!(text, "/// Marks of an input that has none.\nconst NO_MARKS: InputMarks = {no_marks};");
    text.push_str(&emit.statics);
    text
}

fn borrowed(text: &str) -> String {
    format!("Cow::Borrowed({text:?})")
}

fn option<T>(value: Option<T>, emit: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "None".to_owned(), |value| format!("Some({})", emit(value)))
}

fn texts(texts: &Items<Text>) -> String {
    let texts: String = texts.iter().map(|text| format!("{}, ", borrowed(text))).collect();
    format!("Cow::Borrowed(&[{texts}])")
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Int(value) => format!("Literal::Int({value})"),
        Literal::Float(value) => format!("Literal::Float({value:?})"),
        Literal::Bool(value) => format!("Literal::Bool({value})"),
        Literal::String(value) => format!("Literal::String({})", borrowed(value)),
        Literal::List(items) => {
            let items: String = items.iter().map(|item| format!("{}, ", literal(item))).collect();
            format!("Literal::List(Cow::Borrowed(&[{items}]))")
        }
        Literal::Record(fields) => {
            let field =
                |(name, value): &(Text, Literal)| format!("({}, {}), ", borrowed(name), literal(value));
            let fields: String = fields.iter().map(field).collect();
            format!("Literal::Record(Cow::Borrowed(&[{fields}]))")
        }
    }
}

fn choice_values(values: &[ChoiceValue]) -> String {
    let value = |value: &ChoiceValue| match value {
        ChoiceValue::Str(text) => format!("ChoiceValue::Str({}), ", borrowed(text)),
        ChoiceValue::Int(number) => format!("ChoiceValue::Int({number}), "),
    };
    values.iter().map(value).collect()
}

impl Emit {
    /// Makes the static of a named set, so that its users refer to it.
    fn set(&mut self, named: &Named) {
        let (ty, values) = match &named.ty {
            Type::Choice { values, .. } => ("ChoiceValue", choice_values(values)),
            Type::Dynamic(choices) => ("DynamicChoice", self.dynamic(choices)),
            _ => return,
        };
        if self.choices.contains_key(&values) {
            return;
        }
        let name = format!("SET_{}", self.choices.len());
        let _ =
            writeln!(self.statics, "/// Choices of `{}`.\nstatic {name}: &[{ty}] = &[{values}];", named.name);
        self.choices.insert(values, name);
    }

    /// A list of choices: a shared one where there is one.
    fn list(&self, values: String) -> String {
        match self.choices.get(&values) {
            Some(name) => format!("Cow::Borrowed({name})"),
            None => format!("Cow::Borrowed(&[{values}])"),
        }
    }

    fn node(&self, node: &NodeDecl) -> String {
        let NodeDecl { name, display, category, docs, output_node, takes_lists, inputs, outputs, marks } =
            node;
        let outputs: String = outputs.iter().map(|output| self.output(output)).collect();
        format!(
            "NodeDecl {{ name: {}, display: {}, category: {}, docs: {}, output_node: {output_node}, takes_lists: \
             {takes_lists}, inputs: {}, outputs: Cow::Borrowed(&[{outputs}]), marks: NodeMarks {{ deprecated: {}, \
             experimental: {}, partner_api: {}, v1: {}, retired: {}, intermediate_output: {}, essential: {}, pack: {} }} }},\n",
            borrowed(name),
            option(display.as_ref(), |text| borrowed(text)),
            borrowed(category),
            borrowed(docs),
            self.inputs(inputs),
            marks.deprecated,
            marks.experimental,
            marks.partner_api,
            marks.v1,
            marks.retired,
            marks.intermediate_output,
            option(marks.essential.as_ref(), |text| borrowed(text)),
            option(marks.pack.as_ref(), |text| borrowed(text)),
        )
    }

    fn output(&self, output: &OutputDecl) -> String {
        let OutputDecl { name, docs, ty, is_list, list_unsaid } = output;
        format!(
            "OutputDecl {{ name: {}, docs: {}, ty: {}, is_list: {is_list}, list_unsaid: {list_unsaid} }}, ",
            borrowed(name),
            borrowed(docs),
            self.ty(ty),
        )
    }

    fn inputs(&self, inputs: &[InputDecl]) -> String {
        let inputs: String = inputs.iter().map(|input| self.input(input)).collect();
        format!("Cow::Borrowed(&[{inputs}])")
    }

    fn input(&self, input: &InputDecl) -> String {
        let InputDecl { name, docs, ty, optional, hidden, default, range, marks } = input;
        format!(
            "InputDecl {{ name: {}, docs: {}, ty: {}, optional: {optional}, hidden: {hidden}, default: {}, range: {}, \
             marks: {} }}, ",
            borrowed(name),
            borrowed(docs),
            self.ty(ty),
            option(default.as_ref(), literal),
            option(range.as_ref(), |(lo, hi)| format!("({}, {})", literal(lo), literal(hi))),
            self.marks(marks),
        )
    }

    fn marks(&self, marks: &InputMarks) -> String {
        if *marks == InputMarks::default() { "NO_MARKS".to_owned() } else { self.all_marks(marks) }
    }

    fn all_marks(&self, marks: &InputMarks) -> String {
        let InputMarks {
            step,
            round,
            multiline,
            dynamic_prompts,
            force_input,
            control_after_generate,
            control_start,
            upload,
            advanced,
            lazy,
            socketless,
            invisible,
            label,
            display,
            widget_type,
            component,
            min,
            denied,
        } = marks;
        let text = |text: &Option<Text>| option(text.as_ref(), |text| borrowed(text));
        let number = |value: &Option<Literal>| option(value.as_ref(), literal);
        format!(
            "InputMarks {{ step: {}, round: {}, multiline: {multiline}, dynamic_prompts: {dynamic_prompts}, \
             force_input: {force_input}, control_after_generate: {control_after_generate}, control_start: {}, upload: \
             {upload}, advanced: {advanced}, lazy: {lazy}, socketless: {socketless}, invisible: {invisible}, label: \
             {}, display: {}, widget_type: {}, component: {}, min: {}, denied: {} }}",
            number(step),
            number(round),
            text(control_start),
            text(label),
            text(display),
            text(widget_type),
            text(component),
            number(min),
            texts(denied),
        )
    }

    fn ty(&self, ty: &Type) -> String {
        let types = |types: &[Type]| -> String {
            let types: String = types.iter().map(|ty| format!("{}, ", self.ty(ty))).collect();
            format!("Cow::Borrowed(&[{types}])")
        };
        match ty {
            Type::Int | Type::Float | Type::Bool | Type::String | Type::Any => format!("Type::{ty}"),
            Type::Choice { set, values } => {
                let set = option(set.as_ref(), |set| borrowed(set));
                format!("Type::Choice {{ set: {set}, values: {} }}", self.list(choice_values(values)))
            }
            Type::Dynamic(choices) => format!("Type::Dynamic({})", self.list(self.dynamic(choices))),
            Type::File { folder, builtin } => {
                format!("Type::File {{ folder: {}, builtin: {} }}", borrowed(folder), texts(builtin))
            }
            Type::Data { name, comfy, widget } => {
                let (name, comfy) = (borrowed(name), borrowed(comfy));
                format!("Type::Data {{ name: {name}, comfy: {comfy}, widget: {widget} }}")
            }
            Type::Union(alternatives) => format!("Type::Union({})", types(alternatives)),
            Type::List(element) => format!("Type::List({})", types(element)),
            Type::Grow { names, min, element } => {
                let (names, element) = (grow_names(names), self.inputs(element));
                format!("Type::Grow {{ names: {names}, min: {min}, element: {element} }}")
            }
            Type::Match { template, allowed } => {
                format!("Type::Match {{ template: {}, allowed: {} }}", borrowed(template), types(allowed))
            }
        }
    }

    fn dynamic(&self, choices: &[DynamicChoice]) -> String {
        let choice = |choice: &DynamicChoice| {
            let (key, inputs) = (borrowed(&choice.key), self.inputs(&choice.inputs));
            format!("DynamicChoice {{ key: {key}, inputs: {inputs} }}, ")
        };
        choices.iter().map(choice).collect()
    }
}

fn grow_names(names: &GrowNames) -> String {
    match names {
        GrowNames::Prefix(prefix, max) => format!("GrowNames::Prefix({}, {max})", borrowed(prefix)),
        GrowNames::Listed(names) => format!("GrowNames::Listed({})", texts(names)),
    }
}
