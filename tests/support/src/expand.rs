//! What an imported program says, as a flattened prompt: flows are called, names looked up, nothing else is evaluated.
//!
//! It understands what the importer writes and panics at everything else. Calls that say no id get one.

use std::collections::{BTreeMap, HashMap};

use floe_lang::ast::{
    Annotation, Arg, Block, Call, Expr, ExprKind, FPart, File, Fn, Let, Member, Pattern, PatternItem,
    Statement, StatementKind,
};
use floe_lang::decl::{Declarations, InputDecl, NamedTypes, NodeDecl, Type, declare};
use floe_lang::text::{date_format, dynamic_prompt};

use crate::flat::{Flat, FlatNode, FlatValue, NOW, from_literal};

/// What an expression gives.
#[derive(Debug, Clone)]
enum Given {
    Value(FlatValue),
    /// An element of a list of growing inputs that is left open, or null.
    None,
    /// All outputs of a node: its id and class.
    Node(String, String),
    Tuple(Vec<(Option<String>, Given)>),
    Select(FlatValue, Vec<(String, Given)>),
    List(Vec<Given>),
    Record(Vec<(String, Given)>),
}

type Names = HashMap<String, Given>;

/// Expands a file.
///
/// # Panics
/// At everything that the importer does not write, or that has no meaning.
pub fn expand<D: Declarations + NamedTypes>(file: &File, library: &D) -> Flat {
    let declared = declare(&file.statements, library);
    assert!(declared.errors.is_empty(), "{:?}", declared.errors);
    let nodes = declared.nodes.into_iter().map(|(_, node)| (node.name.to_string(), node)).collect();
    let mut expander = Expander { library, nodes, flows: HashMap::new(), flat: Flat::new(), calls: 0 };
    let mut names = Names::new();
    expander.statements(&file.statements, &mut names, "");
    expander.flat
}

struct Expander<'a> {
    library: &'a dyn Declarations,
    nodes: HashMap<String, NodeDecl>,
    flows: HashMap<String, &'a Fn>,
    flat: Flat,
    calls: usize,
}

impl<'a> Expander<'a> {
    /// The value of the last one, if it is an expression.
    fn statements(&mut self, all: &'a [Statement], names: &mut Names, prefix: &str) -> Option<Given> {
        let mut last = None;
        for statement in all {
            last = None;
            match &statement.kind {
                StatementKind::Fn(flow) => {
                    assert!(
                        self.flows.insert(flow.name.name.clone(), flow).is_none(),
                        "two flows of one name"
                    );
                }
                StatementKind::Param(param) => {
                    let value = self.expr(param.default.as_ref().expect("a default"), names, prefix);
                    bind(names, &param.name.name, value);
                }
                StatementKind::Let(Let { pattern, value }) => {
                    let value = self.annotated(value, &statement.annotations, names, prefix);
                    self.bind_pattern(pattern, value, names);
                }
                StatementKind::Expr(value) => {
                    last = Some(self.annotated(value, &statement.annotations, names, prefix));
                }
                StatementKind::Node(_) => {}
                other => panic!("{other:?}"),
            }
        }
        last
    }

    fn bind_pattern(&self, pattern: &Pattern, value: Given, names: &mut Names) {
        match pattern {
            Pattern::Name(name) => bind(names, &name.name, value),
            Pattern::Tuple { items, .. } => {
                for (place, item) in items.iter().enumerate() {
                    if let PatternItem::Name(name) = item {
                        bind(names, &name.name, self.output(&value, place));
                    }
                }
            }
        }
    }

    fn output(&self, value: &Given, place: usize) -> Given {
        match value {
            Given::Node(id, class) => {
                let outputs = self.decl(class).outputs.len();
                assert!(outputs != 1 || place == 0, "{class} has one output");
                Given::Value(FlatValue::Link(id.clone(), place as i128))
            }
            Given::Tuple(items) => items[place].1.clone(),
            other => panic!("{other:?} has no outputs"),
        }
    }

    fn decl(&self, class: &str) -> &NodeDecl {
        self.nodes
            .get(class)
            .or_else(|| self.library.node(class))
            .unwrap_or_else(|| panic!("{class} is not declared"))
    }

    fn annotated(
        &mut self,
        expr: &'a Expr,
        annotations: &'a [Annotation],
        names: &Names,
        prefix: &str,
    ) -> Given {
        match &expr.kind {
            ExprKind::Call(call) if !annotations.is_empty() => self.call(call, annotations, names, prefix),
            _ => {
                assert!(annotations.is_empty(), "annotations of no call");
                self.expr(expr, names, prefix)
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr, names: &Names, prefix: &str) -> Given {
        let value = Given::Value;
        match &expr.kind {
            ExprKind::Int(number) => value(FlatValue::Number(*number as f64)),
            ExprKind::Float(number) => value(FlatValue::Number(*number)),
            ExprKind::Bool(yes) => value(FlatValue::Bool(*yes)),
            ExprKind::None => Given::None,
            ExprKind::Str(text) => value(FlatValue::String(text.clone())),
            ExprKind::FString(parts) => value(FlatValue::String(self.text(parts, names, prefix))),
            ExprKind::List(items) => {
                Given::List(items.iter().map(|item| self.expr(item, names, prefix)).collect())
            }
            ExprKind::Tuple(items) => {
                Given::Tuple(items.iter().map(|item| (None, self.expr(item, names, prefix))).collect())
            }
            ExprKind::Record(fields) => Given::Record(self.fields(fields, names, prefix)),
            ExprKind::Select { choice, inputs } => {
                let choice = flat(self.expr(choice, names, prefix));
                Given::Select(choice, self.fields(inputs, names, prefix))
            }
            ExprKind::Name(name) => {
                names.get(name).unwrap_or_else(|| panic!("{name} is not defined above its use")).clone()
            }
            ExprKind::Member { base, member } => {
                let base = self.expr(base, names, prefix);
                self.member(&base, member)
            }
            ExprKind::Call(call) => self.call(call, &call.annotations, names, prefix),
            ExprKind::Each(inner) => self.expr(inner, names, prefix),
            ExprKind::MethodCall { receiver, method, args } if method.name == "replace" => {
                let text = self.string(receiver, names, prefix);
                let args: Vec<String> = args
                    .iter()
                    .map(|arg| self.string(arg.value.as_ref().expect("a value"), names, prefix))
                    .collect();
                value(FlatValue::String(text.replace(&args[0], &args[1])))
            }
            other => panic!("{other:?}"),
        }
    }

    fn member(&self, base: &Given, member: &Member) -> Given {
        let place = match (base, member) {
            (_, Member::Index { index, .. }) => *index as usize,
            (Given::Node(_, class), Member::Name(name)) => {
                let outputs = &self.decl(class).outputs;
                outputs.iter().position(|output| output.name == name.name).expect("an output")
            }
            (Given::Tuple(items), Member::Name(name)) => {
                items.iter().position(|(of, _)| of.as_ref() == Some(&name.name)).expect("a result")
            }
            other => panic!("{other:?}"),
        };
        match base {
            // By place, also beyond what is declared.
            Given::Node(id, _) => Given::Value(FlatValue::Link(id.clone(), place as i128)),
            base => self.output(base, place),
        }
    }

    fn fields(&mut self, fields: &'a [Arg], names: &Names, prefix: &str) -> Vec<(String, Given)> {
        fields
            .iter()
            .map(|field| {
                let name = field.name.as_ref().expect("fields have names").name.clone();
                (name, self.arg(field, names, prefix))
            })
            .collect()
    }

    fn arg(&mut self, arg: &'a Arg, names: &Names, prefix: &str) -> Given {
        match (&arg.value, &arg.name) {
            (Some(value), _) => self.expr(value, names, prefix),
            (None, Some(name)) => {
                names.get(&name.name).unwrap_or_else(|| panic!("{} is not defined", name.name)).clone()
            }
            (None, None) => panic!("an argument without name and value"),
        }
    }

    fn text(&mut self, parts: &'a [FPart], names: &Names, prefix: &str) -> String {
        let mut text = String::new();
        for part in parts {
            match part {
                FPart::Text(more) => text.push_str(more),
                FPart::Expr(expr) => match flat(self.expr(expr, names, prefix)) {
                    FlatValue::String(more) => text.push_str(&more),
                    FlatValue::Number(number) => text.push_str(&number.to_string()),
                    FlatValue::Bool(yes) => text.push_str(&yes.to_string()),
                    other => panic!("{other:?} in a text"),
                },
            }
        }
        text
    }

    fn string(&mut self, expr: &'a Expr, names: &Names, prefix: &str) -> String {
        match flat(self.expr(expr, names, prefix)) {
            FlatValue::String(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    fn call(&mut self, call: &'a Call, annotations: &'a [Annotation], names: &Names, prefix: &str) -> Given {
        let name = &call.callee.as_name().expect("a name").name;
        if let Some(&flow) = self.flows.get(name) {
            let id = self.id(annotations, prefix);
            return self.flow(flow, call, &id, names, prefix);
        }
        if let Some(result) = self.function(name, call, names, prefix) {
            return result;
        }
        let id = self.id(annotations, prefix);
        let given: Vec<(Option<String>, Given)> = call
            .args
            .iter()
            .map(|arg| (arg.name.as_ref().map(|name| name.name.clone()), self.arg(arg, names, prefix)))
            .collect();
        let decl = self.decl(name);
        let mut inputs = BTreeMap::new();
        for (place, (input, value)) in given.into_iter().enumerate() {
            let input = input.unwrap_or_else(|| {
                assert_eq!(place, 0, "a second argument by place");
                decl.positional().expect("a first socket").name.to_string()
            });
            spread(&input, value, decl.input(&input), &mut inputs);
        }
        fill("", &decl.inputs, &mut inputs);
        let node = FlatNode { class: Some(name.clone()), inputs };
        assert!(self.flat.insert(id.clone(), node).is_none(), "two nodes are {id}");
        Given::Node(id, name.clone())
    }

    fn id(&mut self, annotations: &[Annotation], prefix: &str) -> String {
        self.calls += 1;
        let said = annotations.iter().find(|annotation| annotation.name.name == "id");
        let Some(said) = said else { return format!("{prefix}call{}", self.calls) };
        match said.args.first().and_then(|arg| arg.value.as_ref()).map(|value| &value.kind) {
            Some(ExprKind::Str(id)) => format!("{prefix}{id}"),
            other => panic!("{other:?} is no id"),
        }
    }

    fn function(&mut self, name: &str, call: &'a Call, names: &Names, prefix: &str) -> Option<Given> {
        if !matches!(name, "dynamic" | "now" | "int" | "float" | "dangling") {
            return None;
        }
        let args: Vec<FlatValue> = call.args.iter().map(|arg| flat(self.arg(arg, names, prefix))).collect();
        let value = match (name, args.as_slice()) {
            ("dynamic", [FlatValue::String(text)]) => FlatValue::String(dynamic_prompt::first(text)),
            ("now", [FlatValue::String(format)]) => FlatValue::String(date_format::format(format, NOW)),
            ("int", [FlatValue::Number(number)]) => FlatValue::Number(number.trunc()),
            ("float", [FlatValue::String(text)]) => FlatValue::Number(text.parse().expect("a number")),
            ("dangling", [FlatValue::String(id), FlatValue::Number(slot)]) => {
                FlatValue::Link(id.clone(), *slot as i128)
            }
            other => panic!("{other:?}"),
        };
        Some(Given::Value(value))
    }

    fn flow(&mut self, flow: &'a Fn, call: &'a Call, id: &str, names: &Names, prefix: &str) -> Given {
        let mut inner = Names::new();
        for (place, arg) in call.args.iter().enumerate() {
            let name = arg.name.as_ref().map_or_else(|| &flow.params[place].name.name, |name| &name.name);
            assert!(flow.params.iter().any(|param| param.name.name == *name), "{name} is no parameter");
            let value = self.arg(arg, names, prefix);
            bind(&mut inner, name, value);
        }
        for param in &flow.params {
            if !inner.contains_key(&param.name.name) {
                let default =
                    param.default.as_ref().unwrap_or_else(|| panic!("{} is missing", param.name.name));
                let value = self.expr(default, &Names::new(), id);
                bind(&mut inner, &param.name.name, value);
            }
        }
        let Block { statements, .. } = &flow.body;
        let value = self.statements(statements, &mut inner, &format!("{id}:"));
        match (&flow.returns, value) {
            (None, _) => Given::Tuple(Vec::new()),
            (Some(returns), Some(Given::Tuple(items))) if returns.tuple => {
                let names = returns.outputs.iter().map(|output| output.name.as_ref());
                let named =
                    names.zip(items).map(|(name, (_, item))| (name.map(|name| name.name.clone()), item));
                Given::Tuple(named.collect())
            }
            (Some(_), Some(value)) => Given::Value(flat(value)),
            (Some(_), None) => panic!("{} gives nothing", flow.name.name),
        }
    }
}

fn bind(names: &mut Names, name: &str, value: Given) {
    assert!(names.insert(name.to_owned(), value).is_none(), "{name} is defined twice");
}

/// A value for one input.
fn flat(given: Given) -> FlatValue {
    match given {
        Given::Value(value) => value,
        Given::None => FlatValue::Null,
        Given::Node(id, _) => FlatValue::Link(id, 0),
        Given::List(items) => FlatValue::List(items.into_iter().map(flat).collect()),
        Given::Record(fields) => {
            FlatValue::Record(fields.into_iter().map(|(name, value)| (name, flat(value))).collect())
        }
        other => panic!("{other:?} is not one value"),
    }
}

/// Defaults of the inputs that depend on choices; those of all others are the comparison's.
fn fill(prefix: &str, decls: &[InputDecl], inputs: &mut BTreeMap<String, FlatValue>) {
    for decl in decls {
        let name = format!("{prefix}{}", decl.name);
        if let (Some(default), false) = (&decl.default, prefix.is_empty()) {
            inputs.entry(name.clone()).or_insert_with(|| from_literal(default));
        }
        if let Type::Dynamic(choices) = &decl.ty {
            let default = decl.default.as_ref().map(from_literal);
            let chosen = inputs.get(&name).cloned().or(default);
            let chosen =
                choices.iter().find(|choice| chosen == Some(FlatValue::String(choice.key.to_string())));
            if let Some(chosen) = chosen {
                fill(&format!("{name}."), &chosen.inputs, inputs);
            }
        }
    }
}

/// What is given to an input, under the names that ComfyUI sends.
fn spread(name: &str, given: Given, decl: Option<&InputDecl>, inputs: &mut BTreeMap<String, FlatValue>) {
    let grow = decl.and_then(|decl| match &decl.ty {
        Type::Grow { names, .. } => Some(names),
        _ => None,
    });
    match (given, grow) {
        (Given::List(items), Some(names)) => {
            for (place, item) in items.into_iter().enumerate() {
                if !matches!(item, Given::None) {
                    let member = names.name(place).expect("a socket");
                    inputs.insert(format!("{name}.{member}"), flat(item));
                }
            }
        }
        (Given::Record(fields), Some(_)) => {
            for (field, value) in fields {
                inputs.insert(format!("{name}.{field}"), flat(value));
            }
        }
        (Given::Select(choice, fields), _) => {
            let chosen = decl.and_then(|decl| match (&decl.ty, &choice) {
                (Type::Dynamic(choices), FlatValue::String(text)) => {
                    choices.iter().find(|choice| choice.key == *text)
                }
                _ => None,
            });
            inputs.insert(name.to_owned(), choice);
            for (field, value) in fields {
                let decl = chosen.and_then(|chosen| chosen.inputs.iter().find(|input| input.name == field));
                spread(&format!("{name}.{field}"), value, decl, inputs);
            }
        }
        (given, _) => {
            assert!(inputs.insert(name.to_owned(), flat(given)).is_none(), "{name} is given twice");
        }
    }
}
