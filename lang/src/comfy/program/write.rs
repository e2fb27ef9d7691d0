//! Bodies as statements.

use super::super::prompt::{Disabled, InputValue, Json, Prompt};
use super::args::{Arg as Given, ArgValue};
use super::classes::Classes;
use super::declare;
use super::hoist::file_name;
use super::inline::{Shape, is_loader};
use super::literals::{self, ident, named};
use super::names::{self, Names, ResultNames, Style};
use super::order::order;
use super::remarks::{self, Handed, Remarks, Said, Sayings};
use super::scope::{
    Binding, BindingKind, Flow, FlowIndex, FlowOutput, Folded, Item, ItemIndex, Scope, Value, What,
};
use super::{Options, types};
use crate::Span;
use crate::ast::{
    Annotation, Arg, Block, Call, Comment, Constraint, ConstraintKind, Doc, Edition, Expr, ExprKind, File,
    Fn, FnParam, Let, Member, Param, Pattern, PatternItem, Return, Returns, Statement, StatementKind,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Columns by which a flow's body is indented.
const INDENT: usize = 4;

/// The whole file: edition, params, flows, the file's own calls, declarations.
pub(super) fn file(
    prompt: &Prompt,
    classes: &Classes<'_>,
    folded: &Folded<'_>,
    mut names: Names<'_>,
    options: Options,
) -> File {
    let writer = Writer {
        prompt,
        classes,
        flows: &folded.flows,
        options,
        said: Sayings::new(prompt),
        pinned: prompt.pinned_instances(),
        disabled: switched_off(prompt),
    };
    let mut statements = writer.params(&folded.root);
    for flow in called(folded) {
        statements.push(writer.flow(&folded.flows[flow], &names));
    }
    let remarks = Remarks::new(&writer.said, &folded.root, None);
    let mut body = writer.body(&folded.root, &[], &remarks, &mut names);
    if let Some(first) = body.statements.first_mut() {
        set_apart(first);
    }
    statements.append(&mut body.statements);
    let mut declared = declare::declarations(classes);
    statements.append(&mut declared);
    // Also of instances of which nothing is left, so that no flow tells it.
    let in_flows: HashSet<usize> =
        folded.flows.iter().flat_map(|flow| flow.instances.iter().copied()).collect();
    let off = prompt.disabled.iter().filter(|node| node.instance.is_none_or(|at| !in_flows.contains(&at)));
    let mut end = Said { comments: body.end };
    end.paragraph(&remarks::disabled(off));
    if let Some(first) = end.comments.first_mut() {
        first.blank_before = true;
    }
    let span = Span::new(0, 0);
    File {
        docs: None,
        edition: Some(Edition { number: 1, span }),
        statements,
        end_comments: end.comments,
        inner_comments: Vec::new(),
    }
}

/// The flows that are called, each after those that it calls.
fn called(folded: &Folded<'_>) -> Vec<FlowIndex> {
    let mut order = Vec::new();
    let mut seen = vec![false; folded.flows.len()];
    let callees = |scope: &Scope<'_>| -> Vec<FlowIndex> {
        let flows = scope.items.iter().rev().filter_map(|item| match item.what {
            What::Flow { flow, .. } => Some(flow),
            What::Node { .. } => None,
        });
        flows.collect()
    };
    let mut open: Vec<(FlowIndex, bool)> =
        callees(&folded.root).into_iter().map(|flow| (flow, false)).collect();
    while let Some((flow, done)) = open.pop() {
        if done {
            order.push(flow);
        } else if !std::mem::replace(&mut seen[flow], true) {
            open.push((flow, true));
            open.extend(callees(&folded.flows[flow].scope).into_iter().map(|flow| (flow, false)));
        }
    }
    order
}

struct Writer<'w> {
    prompt: &'w Prompt,
    classes: &'w Classes<'w>,
    flows: &'w [Flow<'w>],
    options: Options,
    said: Sayings<'w>,
    /// Instances with nodes in them whose ids have to be kept.
    pinned: BTreeSet<&'w str>,
    /// By instance.
    disabled: HashMap<usize, Vec<&'w Disabled>>,
}

fn switched_off(prompt: &Prompt) -> HashMap<usize, Vec<&Disabled>> {
    let mut disabled: HashMap<usize, Vec<&Disabled>> = HashMap::new();
    for node in &prompt.disabled {
        if let Some(instance) = node.instance {
            disabled.entry(instance).or_default().push(node);
        }
    }
    disabled
}

/// What a body says.
struct Written {
    statements: Vec<Statement>,
    end: Vec<Comment>,
}

impl Writer<'_> {
    /// Params of the program, then values that are named because two places use them.
    fn params(&self, root: &Scope<'_>) -> Vec<Statement> {
        let bindings = root.bindings.iter().filter(|binding| binding.kind == BindingKind::Param);
        let mut statements: Vec<Statement> = Vec::new();
        let mut apart = true;
        let mut told: HashSet<&str> = HashSet::new();
        for binding in bindings {
            let mut param = statement(StatementKind::Param(self.param(root, binding)), binding);
            // What was said of one is not said again of the next of its kind.
            param.docs = param.docs.filter(|_| told.insert(&binding.docs));
            let lines = param.docs.is_some() || binding.default.is_some_and(has_lines);
            param.blank_before = apart || lines;
            apart = lines;
            statements.push(param);
        }
        statements
    }

    fn param(&self, root: &Scope<'_>, binding: &Binding<'_>) -> Param {
        let span = binding.span;
        let range = binding.range.clone().map(|(lo, hi)| Constraint {
            kind: ConstraintKind::Range { lo: Box::new(lo), hi: Box::new(hi) },
            span,
        });
        Param {
            name: ident(&binding.name, span),
            ty: binding.ty.clone().unwrap_or_else(|| types::any(span)),
            constraint: range,
            default: binding.default.map(|value| self.known(root, value, binding.wanted, span)),
        }
    }

    fn flow(&self, flow: &Flow<'_>, outer: &Names<'_>) -> Statement {
        let mut names = Names::inside(outer);
        flow.scope.bindings.iter().for_each(|binding| names.reserve(&binding.name));
        let remarks = Remarks::new(&self.said, &flow.scope, Some(flow.definition.0));
        let mut body = self.body(&flow.scope, &flow.outputs, &remarks, &mut names);
        let span = self.prompt.instances[flow.instances[0]].span;
        let mut end = Said { comments: body.end };
        for lines in self.switched_off(flow) {
            end.paragraph(&lines);
        }
        if let Some(first) = end.comments.first_mut() {
            first.blank_before = true;
        }
        let parameters = flow.scope.bindings.iter().filter(|binding| binding.kind == BindingKind::Parameter);
        let function = Fn {
            name: ident(&flow.name, span),
            params: parameters.map(|binding| self.fn_param(&flow.scope, binding)).collect(),
            returns: self.returns(flow, span),
            body: Block {
                statements: std::mem::take(&mut body.statements),
                end_comments: end.comments,
                span,
            },
        };
        let title = flow.definition.1.trim();
        let more = !title.is_empty() && remarks::says_more_than(title, &flow.name);
        Statement {
            comments: Vec::new(),
            blank_before: true,
            docs: more.then(|| Doc { text: one_line(title), span }),
            annotations: Vec::new(),
            kind: StatementKind::Fn(function),
            span,
        }
    }

    /// What is switched off in the instances of a flow: once, where it is the same in all.
    fn switched_off(&self, flow: &Flow<'_>) -> Vec<Vec<String>> {
        let mut told: Vec<Vec<String>> = Vec::new();
        for &instance in &flow.instances {
            let nodes = self.disabled.get(&instance).into_iter().flatten().copied();
            let lines = remarks::disabled(nodes);
            if !lines.is_empty() && !told.contains(&lines) {
                told.push(lines);
            }
        }
        told
    }

    fn fn_param(&self, scope: &Scope<'_>, binding: &Binding<'_>) -> FnParam {
        let span = binding.span;
        FnParam {
            docs: None,
            name: ident(&binding.name, span),
            ty: binding.ty.clone().unwrap_or_else(|| types::any(span)),
            default: binding.default.map(|value| self.known(scope, value, binding.wanted, span)),
            span,
        }
    }

    fn returns(&self, flow: &Flow<'_>, span: Span) -> Option<Returns> {
        let tuple = flow.outputs.len() > 1;
        let outputs: Vec<Return> = flow
            .outputs
            .iter()
            .map(|output| Return {
                name: tuple.then(|| ident(&output.name, span)),
                ty: self.return_type(flow, output, span),
            })
            .collect();
        (!outputs.is_empty()).then_some(Returns { outputs, tuple, span })
    }

    fn return_type(&self, flow: &Flow<'_>, output: &FlowOutput<'_>, span: Span) -> crate::ast::Type {
        let declarations = self.classes.declarations;
        let from = names::output_type(&flow.scope.items[output.item], self.flows, output.slot);
        let ty =
            types::named(output.comfy, declarations, span).or_else(|| types::named(from, declarations, span));
        let ty = ty.unwrap_or_else(|| types::any(span));
        if output.list { types::list_of(ty) } else { ty }
    }

    /// The statements of a body.
    fn body(
        &self,
        scope: &Scope<'_>,
        outputs: &[FlowOutput<'_>],
        remarks: &Remarks<'_>,
        names: &mut Names<'_>,
    ) -> Written {
        let shape = Shape::new(scope, outputs, self.flows, &remarks.groups);
        let ordered = order(scope, outputs, &shape, &remarks.groups);
        let order: Vec<ItemIndex> = ordered.iter().map(|(item, _)| *item).collect();
        let results = names::results(scope, self.flows, &shape, &order, names);
        let body = Body { writer: self, scope, shape: &shape, results: &results };
        let mut handed = remarks.hand_out(&order, &shape.host);
        let mut statements = body.lets();
        let value = body.value_item(outputs, &order);
        let indent = if scope.id.is_some() { INDENT } else { 0 };
        let mut before: Option<Above> = None;
        for &(item, part) in &ordered {
            let mut comments = handed.before.remove(&item).unwrap_or_default();
            let mut statement = body.statement(item, value == Some(item));
            let long = crate::format::takes_lines(&statement, indent);
            let above = Above { part, loader: is_loader(&scope.items[item]), long };
            let blank = before.is_none_or(|before| before.parts_from(above)) || !comments.is_empty();
            before = Some(above);
            let blank = blank && !(statements.is_empty() && scope.id.is_some());
            match comments.first_mut() {
                Some(first) => first.blank_before = blank,
                None => statement.blank_before = blank,
            }
            statement.comments = comments;
            statements.push(statement);
        }
        if value.is_none() && !outputs.is_empty() {
            statements.push(body.given_back(outputs, before.is_some_and(|above| above.long)));
        }
        let Handed { end, .. } = handed;
        Written { statements, end }
    }

    /// A known value for an input of a type.
    fn known(
        &self,
        scope: &Scope<'_>,
        value: &InputValue,
        ty: Option<&crate::decl::Type>,
        span: Span,
    ) -> Expr {
        match value {
            InputValue::Json(json) => literals::expr(json, ty, span),
            InputValue::DynamicPrompt(text) => {
                literals::function("dynamic", vec![literals::string(text, span)], span)
            }
            InputValue::FileName(pieces) => file_name(self.prompt, scope, pieces, span),
            InputValue::Dangling { id, slot } => {
                let slot = Expr { kind: ExprKind::Int(i128::from(*slot)), span };
                literals::function("dangling", vec![literals::string(id, span), slot], span)
            }
            // Links within a body are outputs of its items; none is left over.
            InputValue::Link { .. } => Expr { kind: ExprKind::None, span },
        }
    }
}

/// What decides whether an empty line follows.
#[derive(Debug, Clone, Copy)]
struct Above {
    part: usize,
    loader: bool,
    long: bool,
}

impl Above {
    fn parts_from(self, below: Above) -> bool {
        self.part != below.part || self.loader != below.loader || self.long || below.long
    }
}

fn statement(kind: StatementKind, binding: &Binding<'_>) -> Statement {
    let span = binding.span;
    let docs = (!binding.docs.is_empty()).then(|| Doc { text: binding.docs.clone(), span });
    Statement { comments: Vec::new(), blank_before: false, docs, annotations: Vec::new(), kind, span }
}

/// Whether a value is a text of several lines.
fn has_lines(value: &InputValue) -> bool {
    matches!(value, InputValue::Json(Json::String(text)) | InputValue::DynamicPrompt(text) if text.contains('\n'))
}

/// Puts an empty line above a statement and what belongs to it.
fn set_apart(statement: &mut Statement) {
    match statement.comments.first_mut() {
        Some(first) => first.blank_before = true,
        None => statement.blank_before = true,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A body that is being written.
struct Body<'b> {
    writer: &'b Writer<'b>,
    scope: &'b Scope<'b>,
    shape: &'b Shape<'b>,
    results: &'b [ResultNames],
}

impl Body<'_> {
    fn item(&self, item: ItemIndex) -> &Item<'_> {
        &self.scope.items[item]
    }

    /// Values that are named because two places use them.
    fn lets(&self) -> Vec<Statement> {
        let bindings = self.scope.bindings.iter().filter(|binding| binding.kind == BindingKind::Let);
        let statements = bindings.map(|binding| {
            let span = binding.span;
            let value =
                binding.default.map(|value| self.writer.known(self.scope, value, binding.wanted, span));
            let value = value.unwrap_or(Expr { kind: ExprKind::None, span });
            let pattern = Pattern::Name(ident(&binding.name, span));
            statement(StatementKind::Let(Let { pattern, value }), binding)
        });
        statements.collect()
    }

    /// The last statement, where it is what the flow gives and nothing else needs it.
    fn value_item(&self, outputs: &[FlowOutput<'_>], order: &[ItemIndex]) -> Option<ItemIndex> {
        let [output] = outputs else { return None };
        let last = *order.last()?;
        let only = self.shape.uses[last].len() == 1 && self.style(last) == Style::Alone;
        (output.item == last && only).then_some(last)
    }

    fn given_back(&self, outputs: &[FlowOutput<'_>], blank_before: bool) -> Statement {
        let span = self.item(outputs[0].item).span();
        let mut values: Vec<Expr> = outputs
            .iter()
            .map(|output| self.value(Value::Output(output.item, output.slot), None, span))
            .collect();
        let value = match values.len() {
            1 => values.swap_remove(0),
            _ => Expr { kind: ExprKind::Tuple(values), span },
        };
        Statement {
            comments: Vec::new(),
            blank_before,
            docs: None,
            annotations: Vec::new(),
            kind: StatementKind::Expr(value),
            span,
        }
    }

    fn statement(&self, item: ItemIndex, is_value: bool) -> Statement {
        let span = self.item(item).span();
        let mut annotations = self.annotations(item);
        let style = self.style(item);
        let whole = !self.is_each(item) && (style != Style::Member || self.results[item].names.is_empty());
        let inner = if whole { Vec::new() } else { std::mem::take(&mut annotations) };
        let value = self.call(item, inner);
        let kind = if is_value || self.results[item].names.is_empty() {
            StatementKind::Expr(value)
        } else {
            StatementKind::Let(self.binding(item, style, value))
        };
        Statement { comments: Vec::new(), blank_before: false, docs: None, annotations, kind, span }
    }

    fn style(&self, item: ItemIndex) -> Style {
        self.results[item].style
    }

    fn is_each(&self, item: ItemIndex) -> bool {
        matches!(self.item(item).what, What::Node { each: true, .. })
    }

    fn binding(&self, item: ItemIndex, style: Style, value: Expr) -> Let {
        let span = value.span;
        let names = &self.results[item].names;
        let first = names.first_key_value();
        match (style, first) {
            (Style::Tuple, Some(_)) => Let { pattern: self.tuple(names, span), value },
            (Style::Member, Some((slot, name))) => {
                Let { pattern: Pattern::Name(ident(name, span)), value: self.member(item, *slot, value) }
            }
            (_, Some((_, name))) => Let { pattern: Pattern::Name(ident(name, span)), value },
            // Without names it is no binding; see `statement`.
            (_, None) => Let { pattern: Pattern::Tuple { items: Vec::new(), span }, value },
        }
    }

    /// At least two places: one alone would be the node's only output.
    fn tuple(&self, names: &BTreeMap<u32, String>, span: Span) -> Pattern {
        let last = names.last_key_value().map_or(0, |(slot, _)| *slot).max(1);
        let items = (0..=last).map(|slot| match names.get(&slot) {
            Some(name) => PatternItem::Name(ident(name, span)),
            None => PatternItem::Discard(span),
        });
        Pattern::Tuple { items: items.collect(), span }
    }

    /// One of several outputs, by its name where that tells it from the others.
    fn member(&self, item: ItemIndex, slot: u32, base: Expr) -> Expr {
        let span = base.span;
        let name = match self.item(item).what {
            What::Flow { flow, .. } => {
                self.writer.flows[flow].outputs.get(slot as usize).map(|output| output.name.clone())
            }
            What::Node { decl, .. } => decl.outputs.get(slot as usize).and_then(|output| {
                let alike = decl.outputs.iter().filter(|other| other.name == output.name).count();
                (alike == 1 && !output.name.is_empty()).then(|| output.name.to_string())
            }),
        };
        let member = match name {
            Some(name) => Member::Name(ident(&name, span)),
            None => Member::Index { index: slot, span },
        };
        Expr { kind: ExprKind::Member { base: Box::new(base), member }, span }
    }

    fn call(&self, item: ItemIndex, annotations: Vec<Annotation>) -> Expr {
        let of = self.item(item);
        let span = of.span();
        let callee = match of.what {
            What::Node { node, .. } => &node.class,
            What::Flow { flow, .. } => &self.writer.flows[flow].name,
        };
        let args = self.shape.args[item].iter().map(|arg| self.arg(arg, span)).collect();
        let call = Call { annotations, callee: literals::path(callee, span), args };
        let call = Expr { kind: ExprKind::Call(call), span };
        if self.is_each(item) { Expr { kind: ExprKind::Each(Box::new(call)), span } } else { call }
    }

    fn arg(&self, given: &Given<'_>, span: Span) -> Arg {
        let value = self.arg_value(&given.value, span);
        match given.name {
            Some(name) => named(name, value, span),
            None => Arg { name: None, value: Some(value), span },
        }
    }

    fn arg_value(&self, value: &ArgValue<'_>, span: Span) -> Expr {
        let fields = |fields: &[(&str, ArgValue<'_>)]| -> Vec<Arg> {
            fields.iter().map(|(name, value)| named(name, self.arg_value(value, span), span)).collect()
        };
        let kind = match value {
            ArgValue::Value(value, ty) => return self.value(*value, *ty, span),
            ArgValue::List(values) => ExprKind::List(
                values
                    .iter()
                    .map(|value| match value {
                        Some(value) => self.value(*value, None, span),
                        None => Expr { kind: ExprKind::None, span },
                    })
                    .collect(),
            ),
            ArgValue::Record(of) => ExprKind::Record(fields(of)),
            ArgValue::Select(choice, of) => {
                ExprKind::Select { choice: Box::new(self.value(*choice, None, span)), inputs: fields(of) }
            }
        };
        Expr { kind, span }
    }

    fn value(&self, value: Value<'_>, ty: Option<&crate::decl::Type>, span: Span) -> Expr {
        match value {
            Value::Bound(binding) => literals::name(&self.scope.bindings[binding].name, span),
            Value::Given(value) => self.writer.known(self.scope, value, ty, span),
            Value::Output(item, _) if !self.shape.is_statement(item) => {
                self.call(item, self.annotations(item))
            }
            Value::Output(item, slot) => {
                let results = &self.results[item];
                let name = match results.style {
                    Style::Whole => results.names.first_key_value().map(|(_, name)| name),
                    _ => results.names.get(&slot),
                };
                let name = literals::name(name.map_or("", String::as_str), span);
                if results.style == Style::Whole { self.member(item, slot, name) } else { name }
            }
        }
    }

    fn annotations(&self, item: ItemIndex) -> Vec<Annotation> {
        let of = self.item(item);
        let span = of.span();
        let mut annotations = Vec::new();
        let mut add = |name: &str, args: Vec<Expr>| {
            let args = args.into_iter().map(|value| Arg { name: None, value: Some(value), span }).collect();
            annotations.push(Annotation { name: ident(name, span), args, span });
        };
        if self.writer.options.layout {
            if let Some(title) = of.title() {
                add("label", vec![literals::string(title, span)]);
            }
            if let Some((x, y)) = of.place() {
                add("pos", vec![coordinate(x, span), coordinate(y, span)]);
            }
        }
        let pinned = match of.what {
            What::Node { node, .. } => self.writer.prompt.pinned.contains(&node.id),
            What::Flow { instance, .. } => self.writer.pinned.contains(instance.id.as_str()),
        };
        if self.writer.options.ids || pinned {
            add("id", vec![literals::string(of.id, span)]);
        }
        if let What::Node { node, .. } = of.what
            && !node.unnamed.is_empty()
        {
            let values = node.unnamed.iter().map(|json| literals::expr(json, None, span)).collect();
            add("widgets", vec![Expr { kind: ExprKind::List(values), span }]);
        }
        annotations
    }
}

/// Places are whole pixels where they can be.
fn coordinate(value: f64, span: Span) -> Expr {
    let json = Json::Float(value);
    literals::expr(&json, Some(&crate::decl::Type::Int), span)
}
