//! Calls: of nodes, flows and functions.

use floe_lang::ast::{self, Expr, ExprKind, Ident};
use floe_lang::decl::{InputDecl, Text, Type};
use floe_stdlib::{node, nodes};

use super::functions::{FUNCTIONS, Function, Wrong, lookup};
use super::hint::Hint;
use super::scope::Def;
use super::{Evaluator, Judge};
use crate::error::{CompileError, EvalError, NameError, suggest};
use crate::flat::{Arg, Call, CallId, Decl, Mode, Place, Value};
use crate::types::{accepts, type_of};

impl<'a> Evaluator<'a> {
    /// A call, and the call of a node that it is.
    pub(super) fn call(
        &mut self,
        call: &'a ast::Call,
        annotations: &'a [ast::Annotation],
        each: bool,
        hint: &Hint<'_>,
    ) -> (Value, Option<CallId>) {
        match self.callee(call) {
            Some(Callee::Node(decl)) => {
                let (value, called) = self.node(decl, call, annotations, each, hint);
                (value, called)
            }
            Some(Callee::Flow(flow)) if !each => (self.flow_call(flow, call, annotations, hint), None),
            Some(Callee::Flow(_)) => {
                let help = "`for x in xs { … }` calls a flow for each element of a known list";
                (self.bad_each(call, "a flow", help), None)
            }
            Some(Callee::Function(_)) if each => {
                let help = "`for x in xs { … }` computes a value for each element of a known list";
                (self.bad_each(call, "a function", help), None)
            }
            Some(Callee::Function(function)) => {
                self.no_annotations(annotations);
                self.no_annotations(&call.annotations);
                let place = self.place(call.callee.span);
                let values = self.positional_values(function, &call.args);
                (values.map_or(Value::Poison, |values| self.function(function, &values, place)), None)
            }
            None => {
                // Errors in the arguments are worth knowing at once.
                for arg in &call.args {
                    self.argument(arg, &Hint::Nameless);
                }
                (Value::Poison, None)
            }
        }
    }

    /// `each …`
    pub(super) fn each(
        &mut self,
        inner: &'a Expr,
        annotations: &'a [ast::Annotation],
        hint: &Hint<'_>,
    ) -> (Value, Option<CallId>) {
        match &inner.kind {
            ExprKind::Call(call) => self.call(call, annotations, true, hint),
            // The parser lets nothing else through.
            _ => (Value::Poison, None),
        }
    }

    fn bad_each(&mut self, call: &ast::Call, what: &'static str, help: &str) -> Value {
        let span = self.place(call.callee.span).into();
        self.poison(NameError::BadEach { name: call.callee.to_string(), what, help: help.to_owned(), span })
    }

    /// What is called: what the file names so, a node of the library, or a function.
    fn callee(&mut self, call: &'a ast::Call) -> Option<Callee> {
        let def = match call.callee.as_name() {
            None => self.path(&call.callee),
            Some(name) => match self.lookup(&name.name) {
                Some(def) => def,
                None => {
                    let library = || node(&name.name).map(|decl| Callee::Node(Decl::Library(decl)));
                    let function = || lookup(&name.name).map(Callee::Function);
                    return library().or_else(function).or_else(|| self.unknown_node(name));
                }
            },
        };
        let value = match def {
            Def::Flow(flow) => return Some(Callee::Flow(flow)),
            Def::Node(decl) => return Some(Callee::Node(decl)),
            Def::Broken | Def::Value(Value::Poison) => return None,
            Def::Value(value) => crate::types::describe(&self.flat, &value),
            Def::Module(_) => "a module".to_owned(),
            Def::Type(_) => "a type".to_owned(),
        };
        let span = self.place(call.callee.span).into();
        self.error(NameError::NotCallable { name: call.callee.to_string(), what: value, span });
        None
    }

    fn unknown_node(&mut self, name: &Ident) -> Option<Callee> {
        let (below, outside) = self.elsewhere(&name.name);
        let span = self.place(name.span).into();
        if below.is_some() || outside.is_some() {
            let name = name.name.clone();
            self.error(CompileError::UnknownName { name, suggestion: None, span, below, outside });
            return None;
        }
        let known = nodes().iter().map(|decl| decl.name.as_ref());
        let known = known.chain(FUNCTIONS.iter().map(|function| function.name)).chain(self.visible());
        let suggestion = suggest(&name.name, known);
        self.error(CompileError::UnknownNode { name: name.name.clone(), suggestion, span });
        None
    }

    /// A call of a node.
    fn node(
        &mut self,
        decl: Decl,
        call: &'a ast::Call,
        annotations: &'a [ast::Annotation],
        each: bool,
        hint: &Hint<'_>,
    ) -> (Value, Option<CallId>) {
        let place = self.place(call.callee.span);
        if let Some(what) = self.known_only {
            let error = EvalError::NotConstant { node: decl.name.to_string(), what, span: place.into() };
            return (self.poison(error), None);
        }
        let (marks, mode) = self.marks(annotations.iter().chain(&call.annotations));
        let name = self.unique(hint.name(&decl.name));
        let given = self.node_args(&decl, &name, call);
        let matched = self.matched(&decl, &given.args);
        let id = self.push(Call {
            args: given.args,
            each,
            mode,
            marks,
            name,
            instance: self.frame().instance,
            cut: Vec::new(),
            matched,
            place,
            shadow: self.shadow,
            broken: given.unplaced,
            decl,
        });
        (self.result(id), Some(id))
    }

    /// Adds a call to the program.
    pub(super) fn push(&mut self, call: Call) -> CallId {
        let id = CallId(u32::try_from(self.flat.calls.len()).unwrap_or(u32::MAX));
        self.flat.calls.push(call);
        id
    }

    /// What a call gives: one output is itself.
    pub(super) fn result(&self, id: CallId) -> Value {
        match self.flat.call(id).decl.outputs.len() {
            1 => Value::Link { call: id, slot: 0 },
            _ => Value::Outputs(id),
        }
    }

    /// A call of what only shares its interface with a node: a flow that is switched off.
    pub(super) fn switched_off(&mut self, decl: Decl, args: Vec<Arg>, mode: Mode, of: Switched) -> Value {
        let matched = self.matched(&decl, &args);
        let id = self.push(Call {
            decl,
            args,
            each: false,
            mode,
            marks: of.marks,
            name: of.name,
            instance: self.frame().instance,
            cut: Vec::new(),
            matched,
            place: of.place,
            shadow: self.shadow,
            broken: false,
        });
        self.result(id)
    }

    /// The types that the templates of a call stand for: those of the first thing that is linked to each.
    fn matched(&self, decl: &Decl, args: &[Arg]) -> Vec<(Text, Type)> {
        let mut matched: Vec<(Text, Type)> = Vec::new();
        if !decl.inputs.iter().any(|input| template(input).is_some()) {
            return matched;
        }
        for arg in args {
            let name = arg.name.split('.').next().unwrap_or_default();
            let Some((template, allowed)) = decl.input(name).and_then(template) else { continue };
            let known = matched.iter().any(|(known, _)| known == template);
            let ty = match type_of(&self.flat, &arg.value) {
                // A call that is lifted sees one element at a time.
                Some(Type::List(inner)) => inner.first().cloned(),
                ty => ty,
            };
            match ty {
                Some(ty) if !known && !matches!(ty, Type::Any) && accepts(allowed, &ty) => {
                    matched.push((template.clone(), ty));
                }
                _ => {}
            }
        }
        matched
    }

    /// `receiver.method(…)`
    pub(super) fn method(
        &mut self,
        receiver: &'a Expr,
        method: &'a Ident,
        args: &'a [ast::Arg],
        place: Place,
    ) -> Value {
        let first = self.expr(receiver, &Hint::Nameless);
        let Some(function) = lookup(&method.name) else {
            let known = FUNCTIONS.iter().map(|function| function.name);
            let suggestion = suggest(&method.name, known);
            let span = self.place(method.span).into();
            return self.poison(NameError::UnknownFunction { name: method.name.clone(), suggestion, span });
        };
        let Some(mut values) = self.positional_values(function, args) else { return Value::Poison };
        values.insert(0, first);
        self.function(function, &values, place)
    }

    /// The arguments of a function, none of which is named.
    fn positional_values(&mut self, function: Function, args: &'a [ast::Arg]) -> Option<Vec<Value>> {
        let mut named = None;
        let mut values = Vec::new();
        for arg in args {
            named = named.or(arg.name.as_ref());
            values.push(self.argument(arg, &Hint::Nameless));
        }
        let Some(name) = named else { return Some(values) };
        let span = self.place(name.span).into();
        self.error(EvalError::BadArgument {
            function: function.name.to_owned(),
            reason: "takes no named arguments".to_owned(),
            usage: function.usage,
            span,
        });
        None
    }

    fn function(&mut self, function: Function, values: &[Value], place: Place) -> Value {
        if values.iter().any(|value| matches!(value, Value::Poison)) {
            return Value::Poison;
        }
        if let Some(value) =
            values.iter().find(|value| matches!(value, Value::Link { .. } | Value::Outputs(_)))
        {
            let value = value.clone();
            let help = "functions work on known values; let a node do this while it runs";
            return self.not_known(&format!("what `{}` is given", function.name), &value, help, place);
        }
        let work = values.iter().map(Value::weight).fold(0, u64::saturating_add);
        if !self.spend(work, place) {
            return Value::Poison;
        }
        let result = if values.iter().any(|value| matches!(value, Value::Unknown(_))) {
            let types: Vec<Option<Type>> = values.iter().map(|value| type_of(&self.flat, value)).collect();
            function.type_error(&types).map(|()| Value::unknown(function.result_type(&types)))
        } else {
            let left = self.left();
            function.call(values, left, &mut self.chance)
        };
        match result {
            Ok(Value::Dangling { id, .. }) if self.judge == Judge::Types => {
                self.poison(EvalError::DanglingLink { id: id.to_string(), span: place.into() })
            }
            Ok(value) => self.built(value, place),
            Err(Wrong::Large(reason)) => self.poison(EvalError::TooLarge { reason, span: place.into() }),
            Err(Wrong::Said(reason)) => self.poison(EvalError::BadArgument {
                function: function.name.to_owned(),
                reason,
                usage: function.usage,
                span: place.into(),
            }),
        }
    }
}

/// What is called.
enum Callee {
    Node(Decl),
    Flow(super::scope::FlowId),
    Function(Function),
}

/// What stands for a flow that is switched off.
pub(super) struct Switched {
    pub(super) marks: crate::flat::Marks,
    pub(super) name: std::sync::Arc<str>,
    pub(super) place: Place,
}

/// The template that an input, or each of its elements, has to match, and the type that says so.
fn template(input: &InputDecl) -> Option<(&Text, &Type)> {
    match &input.ty {
        Type::Match { template, .. } => Some((template, &input.ty)),
        Type::Grow { element, .. } => element.first().and_then(template),
        _ => None,
    }
}
