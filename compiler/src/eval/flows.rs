//! Flows: their signatures, their calls, and those that nobody calls.

use std::sync::Arc;

use floe_lang::ast;
use floe_lang::ast::TypeKind;
use floe_lang::decl::{InputDecl, InputMarks, NodeDecl, NodeMarks, OutputDecl, Type};

use super::args::value_span;
use super::calls::Switched;
use super::hint::Hint;
use super::params::coerce;
use super::scope::{Flow, FlowId, FlowParam, Frame, Kind, Signature};
use super::{Evaluator, Judge};
use crate::error::{CompileError, EvalError, NameError, suggest};
use crate::flat::{Arg, Bundle, Decl, Instance, InstanceId, Mode, Place, Value};
use crate::types::{describe, describe_for, fits, mismatch_help};

/// An argument for a parameter of a flow.
struct FlowArg {
    value: Value,
    place: Place,
}

impl<'a> Evaluator<'a> {
    /// What a flow takes and gives.
    pub(super) fn signature(&mut self, function: &'a ast::Fn) -> Signature {
        let params = function.params.iter().map(|param| {
            let (ty, optional) = match &param.ty.kind {
                TypeKind::Optional(inner) => (inner.as_ref(), true),
                _ => (&param.ty, false),
            };
            FlowParam {
                name: param.name.name.as_str().into(),
                ty: self.ty(ty),
                optional,
                has_default: param.default.is_some(),
            }
        });
        let params = params.collect();
        let returns = function.returns.iter().flat_map(|returns| &returns.outputs).map(|output| {
            let name = output.name.as_ref().map(|name| Arc::from(name.name.as_str()));
            (name, self.ty(&output.ty))
        });
        Signature { params, returns: returns.collect() }
    }

    /// A call of a flow.
    pub(super) fn flow_call(
        &mut self,
        id: FlowId,
        call: &'a ast::Call,
        annotations: &'a [ast::Annotation],
        hint: &Hint<'_>,
    ) -> Value {
        let flow = self.flows[id].clone();
        let place = self.place(call.callee.span);
        let (marks, mode) = self.marks(annotations.iter().chain(&call.annotations));
        let name = self.unique(hint.name(&flow.function.name.name));
        let Some(given) = self.flow_args(&flow, &name, call) else { return Value::Poison };
        if self.frames.iter().any(|frame| frame.flow == Some(id)) {
            let flow = flow.function.name.name.clone();
            return self.poison(EvalError::Recursion { flow, span: place.into() });
        }
        // A flow costs more than most expressions.
        if self.shadow || !self.spend(10, place) {
            return self.unknown_result(&flow);
        }
        if mode != Mode::On {
            let decl = Decl::Program(self.interface(&flow).into());
            let args = switched_args(&flow.signature, given);
            return self.switched_off(decl, args, mode, Switched { marks, name, place });
        }
        let instance = InstanceId(u32::try_from(self.flat.instances.len()).unwrap_or(u32::MAX));
        self.flat.instances.push(Instance {
            flow: flow.function.name.name.as_str().into(),
            definition: self.place_in(flow.module, flow.function.name.span),
            name,
            marks,
            parent: self.frame().instance,
            args: Vec::new(),
            outputs: Vec::new(),
            place,
        });
        self.expand(id, &flow, given, Some(instance))
    }

    /// The arguments of a flow by its parameters; none where some cannot be placed.
    fn flow_args(&mut self, flow: &Flow<'a>, own: &str, call: &'a ast::Call) -> Option<Vec<Option<FlowArg>>> {
        let signature = flow.signature.clone();
        let mut given: Vec<Option<(FlowArg, Place)>> = Vec::new();
        given.resize_with(signature.params.len(), || None);
        let mut placed = true;
        for (position, arg) in call.args.iter().enumerate() {
            let index = match &arg.name {
                Some(name) => signature.params.iter().position(|param| *param.name == *name.name),
                None => Some(position).filter(|&position| position < signature.params.len()),
            };
            let input = index.map(|index| signature.params[index].name.clone());
            let value = match &input {
                Some(input) => self.argument(arg, &Hint::Input(own, input)),
                None => self.argument(arg, &Hint::Nameless),
            };
            let Some(index) = index else {
                placed = false;
                self.unplaced(flow, call, arg);
                continue;
            };
            let place = self.place(value_span(arg));
            let name_place = self.place(arg.name.as_ref().map_or(arg.span, |name| name.span));
            if let Some((_, first)) = &given[index] {
                let (first, input) = (*first, signature.params[index].name.to_string());
                self.error(CompileError::DuplicateInput {
                    input,
                    span: name_place.into(),
                    first: first.into(),
                });
                continue;
            }
            let value = self.fit_arg(&signature.params[index], value, place);
            given[index] = Some((FlowArg { value, place }, name_place));
        }
        let missing: Vec<(String, String)> = signature
            .params
            .iter()
            .zip(&given)
            .filter(|(param, given)| given.is_none() && !param.has_default && !param.optional)
            .map(|(param, _)| (param.name.to_string(), param.ty.to_string()))
            .collect();
        if placed && !missing.is_empty() {
            let node = flow.function.name.name.clone();
            let span = self.place(call.callee.span).into();
            self.error(CompileError::MissingInput { node, missing: missing.clone(), span });
        }
        (placed && missing.is_empty()).then(|| given.into_iter().map(|arg| arg.map(|(arg, _)| arg)).collect())
    }

    /// Reports an argument that is for no parameter.
    fn unplaced(&mut self, flow: &Flow<'a>, call: &ast::Call, arg: &ast::Arg) {
        let params: Vec<String> = flow.signature.params.iter().map(|param| param.name.to_string()).collect();
        let name = flow.function.name.name.clone();
        let Some(argument) = &arg.name else {
            let given = call.args.iter().filter(|arg| arg.name.is_none()).count();
            let span = self.place(arg.span).into();
            let takes = params.len();
            return self.error(NameError::TooManyArguments { flow: name, takes, given, params, span });
        };
        let free = params.iter().filter(|param| {
            !call.args.iter().any(|arg| arg.name.as_ref().is_some_and(|name| name.name == **param))
        });
        let suggestion = suggest(&argument.name, free.map(String::as_str));
        let span = self.place(argument.span).into();
        self.error(NameError::UnknownArgument {
            flow: name,
            name: argument.name.clone(),
            suggestion,
            params,
            span,
        });
    }

    /// Judges an argument by the type of its parameter.
    fn fit_arg(&mut self, param: &FlowParam, value: Value, place: Place) -> Value {
        let open = matches!(value, Value::None) && param.optional;
        if self.judge == Judge::Values || open || fits(&self.flat, &param.ty, &value) {
            return coerce(&param.ty, value);
        }
        let got = describe_for(&self.flat, &param.ty, &value);
        let want = param.ty.to_string();
        let help = mismatch_help(&want, &got);
        let (input, span) = (param.name.to_string(), place.into());
        self.poison(CompileError::TypeMismatch { input, want, got, help, span })
    }

    /// Evaluates the body of a flow with its arguments.
    fn expand(
        &mut self,
        id: FlowId,
        flow: &Flow<'a>,
        given: Vec<Option<FlowArg>>,
        instance: Option<InstanceId>,
    ) -> Value {
        let known_only = self.known_only;
        self.frames.push(Frame::new(flow.module, Some(id), instance));
        let mark = self.open_block();
        let mut args = Vec::new();
        for ((param, arg), taken) in flow.function.params.iter().zip(given).zip(&flow.signature.params) {
            let value = match (arg, &param.default) {
                (Some(arg), _) => arg.value,
                (None, Some(default)) => {
                    let place = self.place(default.span);
                    let value = self.expr(default, &Hint::Name(&param.name.name));
                    self.fit_arg(taken, value, place)
                }
                (None, None) => Value::None,
            };
            args.push((taken.name.clone(), value.clone()));
            self.define_value(&param.name, value, Kind::Param);
        }
        let value = self.open_statements(&flow.function.body, &Hint::Results(&flow.signature.returns));
        let outputs = self.returned(flow, value);
        self.close_block(mark);
        self.frames.pop();
        self.known_only = known_only;
        if let Some(instance) = instance {
            let instance = &mut self.flat.instances[instance.index()];
            instance.args = args;
            instance.outputs.clone_from(&outputs);
        }
        bundle(flow, outputs)
    }

    /// What a flow gives, judged by what it says it gives.
    fn returned(&mut self, flow: &Flow<'a>, value: Value) -> Vec<(Option<Arc<str>>, Value)> {
        let returns = &flow.signature.returns;
        let last = flow.function.body.statements.last();
        let span = last.map_or(flow.function.body.span, |last| last.span);
        let place = self.place(span);
        let values: Vec<Value> = match (returns.len(), value) {
            (0, _) => return Vec::new(),
            (1, value) => vec![value],
            (count, Value::Tuple(items)) if items.len() == count => items.to_vec(),
            (count, Value::Bundle(bundle)) if bundle.items.len() == count => {
                bundle.items.iter().map(|(_, item)| item.clone()).collect()
            }
            (count, Value::Outputs(call)) if self.flat.call(call).decl.outputs.len() >= count => {
                (0..count).map(|slot| Value::Link { call, slot: u32::try_from(slot).unwrap_or(0) }).collect()
            }
            (count, Value::Poison) => vec![Value::Poison; count],
            (count, value) => {
                let want = format!("{count} results, as in `(a, b)`");
                self.wrong_result(flow, want, &value, place);
                vec![Value::Poison; count]
            }
        };
        let judged = values
            .into_iter()
            .zip(returns)
            .map(|(value, (name, ty))| (name.clone(), self.fit_result(flow, ty, value, place)));
        judged.collect()
    }

    fn fit_result(&mut self, flow: &Flow<'a>, ty: &Type, value: Value, place: Place) -> Value {
        if self.judge == Judge::Values || fits(&self.flat, ty, &value) {
            return coerce(ty, value);
        }
        self.wrong_result(flow, ty.to_string(), &value, place)
    }

    fn wrong_result(&mut self, flow: &Flow<'a>, want: String, value: &Value, place: Place) -> Value {
        let got = describe(&self.flat, value);
        let help = mismatch_help(&want, &got);
        let (flow, span) = (flow.function.name.name.clone(), place.into());
        self.poison(NameError::WrongResult { flow, want, got, help, span })
    }

    /// What a flow gives, known by type only.
    fn unknown_result(&self, flow: &Flow<'a>) -> Value {
        let returns = flow.signature.returns.iter();
        bundle(flow, returns.map(|(name, ty)| (name.clone(), Value::unknown(ty.clone()))).collect())
    }

    /// The interface of a flow in the form of a node's.
    fn interface(&self, flow: &Flow<'a>) -> NodeDecl {
        let inputs = flow.signature.params.iter().map(|param| InputDecl {
            name: param.name.to_string().into(),
            docs: "".into(),
            ty: param.ty.clone(),
            optional: true,
            hidden: false,
            default: None,
            range: None,
            marks: InputMarks::default(),
        });
        let outputs = flow.signature.returns.iter().enumerate().map(|(slot, (name, ty))| {
            let (is_list, ty) = match ty {
                Type::List(inner) => (true, inner.first().cloned().unwrap_or(Type::Any)),
                ty => (false, ty.clone()),
            };
            let name = name.as_ref().map_or_else(|| slot.to_string(), |name| name.to_string());
            OutputDecl { name: name.into(), docs: "".into(), ty, is_list, list_unsaid: false }
        });
        NodeDecl {
            name: flow.function.name.name.clone().into(),
            display: None,
            category: "".into(),
            docs: "".into(),
            output_node: false,
            takes_lists: false,
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            marks: NodeMarks::default(),
        }
    }

    /// Looks at every flow once, with arguments of which only the types are known: nobody may have called it, or not
    /// with everything that is possible.
    pub(super) fn check_flows(&mut self) {
        for id in 0..self.flows.len() {
            let flow = self.flows[id].clone();
            // The library's own flows have tests.
            if self.halted || flow.module >= self.sources.files.len() {
                continue;
            }
            let given = flow.signature.params.iter().map(|param| {
                let place = self.place_in(flow.module, flow.function.name.span);
                Some(FlowArg { value: Value::unknown(param.ty.clone()), place })
            });
            let given = given.collect();
            self.in_shadow(|evaluator| {
                evaluator.expand(id, &flow, given, None);
                evaluator.check_defaults(&flow, id);
            });
        }
    }

    /// Looks at the defaults of a flow, which no call may need.
    fn check_defaults(&mut self, flow: &Flow<'a>, id: FlowId) {
        self.frames.push(Frame::new(flow.module, Some(id), None));
        let mark = self.open_block();
        for (param, taken) in flow.function.params.iter().zip(&flow.signature.params) {
            if let Some(default) = &param.default {
                let place = self.place(default.span);
                let value = self.expr(default, &Hint::Nameless);
                self.fit_arg(taken, value, place);
            }
            self.define_value(&param.name, Value::unknown(taken.ty.clone()), Kind::Param);
        }
        self.close_block(mark);
        self.frames.pop();
    }
}

fn switched_args(signature: &Signature, given: Vec<Option<FlowArg>>) -> Vec<Arg> {
    let named = signature.params.iter().zip(given);
    let args = named.filter_map(|(param, arg)| {
        let FlowArg { value, place } = arg?;
        Some(Arg { name: param.name.to_string().into(), value, place, name_place: place })
    });
    args.collect()
}

/// One result is itself.
fn bundle(flow: &Flow<'_>, mut outputs: Vec<(Option<Arc<str>>, Value)>) -> Value {
    match outputs.len() {
        0 => Value::nothing(),
        1 => outputs.pop().map_or(Value::Poison, |(_, value)| value),
        _ => {
            Value::Bundle(Arc::new(Bundle { flow: flow.function.name.name.as_str().into(), items: outputs }))
        }
    }
}
