//! AST to HIR: resolves names, arities and types. All errors, the first cause of each only: what is wrong is
//! poisoned, and poison is never reported again.

use std::collections::{BTreeMap, BTreeSet};

use floe_lang::Span;
use floe_lang::ast::{self, StatementKind};
use floe_stdlib::{InputDecl, NodeDecl, Scalar, Type, node, nodes, semantics};

use crate::error::{CompileError, Warning, suggest};
use crate::hir::{Call, CallId, Expr, ExprKind, Hir, Param, ParamId, ParamType, Piece};

/// The editions that this Floe knows.
const NEWEST_EDITION: u32 = 1;

pub(crate) fn check(ast: &ast::File) -> (Hir, Vec<CompileError>, Vec<Warning>) {
    let mut checker = Checker {
        hir: Hir::default(),
        names: BTreeMap::new(),
        origins: BTreeSet::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        loose: Vec::new(),
    };
    checker.edition(ast);
    for statement in &ast.statements {
        checker.statement(statement);
    }
    // What an error leaves unresolved would seem unused, and nothing at all is used by a program without effects.
    if checker.errors.is_empty() {
        if checker.hir.effects.is_empty() {
            checker.errors.push(CompileError::NoEffect);
        } else {
            checker.report_unused();
        }
    }
    (checker.hir, checker.errors, checker.warnings)
}

struct Checker {
    hir: Hir,
    names: BTreeMap<String, Binding>,
    origins: BTreeSet<String>,
    errors: Vec<CompileError>,
    warnings: Vec<Warning>,
    /// Calls at statement level whose result goes nowhere.
    loose: Vec<CallId>,
}

struct Binding {
    value: Expr,
    span: Span,
    used: bool,
}

impl Checker {
    fn edition(&mut self, ast: &ast::File) {
        match ast.edition {
            None => self.warnings.push(Warning::NoEdition),
            Some(edition) if edition.number == 0 || edition.number > NEWEST_EDITION => {
                self.errors
                    .push(CompileError::UnknownEdition { number: edition.number, span: edition.span.into() });
            }
            Some(_) => {}
        }
    }

    fn statement(&mut self, statement: &ast::Statement) {
        match &statement.kind {
            StatementKind::Param(param) => self.param(param),
            StatementKind::Let(binding) => self.binding(binding),
            StatementKind::Expr(expr) => {
                let value = self.expr(expr, None);
                if let ExprKind::Output(call, _) | ExprKind::Outputs(call) = value.kind {
                    if self.hir.calls[call].decl.output_node {
                        self.hir.effects.push(call);
                    } else {
                        self.loose.push(call);
                    }
                }
            }
            // Declarations belong to the library; a program's own come with the importer of third-party nodes.
            StatementKind::Choices(choices) => self.unsupported_declaration(&choices.name),
            StatementKind::Node(node) => self.unsupported_declaration(&node.name),
        }
    }

    fn unsupported_declaration(&mut self, name: &ast::Ident) {
        self.errors.push(CompileError::NoKernel {
            what: format!("`{}`, declared in a program,", name.name),
            instead: "use the nodes of the standard library, which `floe nodes` lists".to_owned(),
            span: name.span.into(),
        });
    }

    fn param(&mut self, param: &ast::Param) {
        let id: ParamId = self.hir.params.len();
        let ty = match &param.ty.kind {
            ast::TypeKind::Name(name) => match name.as_str() {
                "Int" => Some(ParamType::Int),
                "Float" => Some(ParamType::Float),
                "Bool" => Some(ParamType::Bool),
                "String" => Some(ParamType::String),
                _ => None,
            },
            _ => None,
        };
        if ty.is_none() {
            self.errors.push(CompileError::TypeMismatch {
                input: param.name.name.clone(),
                want: "Int, Float, Bool or String".to_owned(),
                got: param.ty.to_string(),
                help: "params of other types are not supported yet".to_owned(),
                span: param.ty.span.into(),
            });
        }
        let value = param.default.as_ref().map(|default| self.expr(default, None));
        let default = value.and_then(|value| match value.kind {
            ExprKind::Literal(scalar) => {
                let fitting = ty.and_then(|ty| fit_param(ty, scalar.clone()));
                if fitting.is_none() && ty.is_some() {
                    self.mismatch(&param.name.name, &param.ty.to_string(), scalar_type(&scalar), value.span);
                }
                fitting.map(|scalar| (scalar, value.span))
            }
            ExprKind::Poison => None,
            _ => {
                self.mismatch(&param.name.name, "a literal", "a computed value", value.span);
                None
            }
        });
        let poisoned = ty.is_none() || (param.default.is_some() && default.is_none());
        let poisoned = poisoned || self.names.contains_key(&param.name.name);
        self.hir.params.push(Param {
            name: param.name.name.clone(),
            ty: ty.unwrap_or(ParamType::String),
            constraint: param.constraint.clone(),
            default,
            span: param.name.span,
            poisoned,
        });
        let kind = if poisoned { ExprKind::Poison } else { ExprKind::Param(id) };
        self.define(&param.name, Expr { kind, span: param.name.span });
        // A param is the program's interface: leaving it unused is the business of whoever sets it.
        if let Some(binding) = self.names.get_mut(&param.name.name) {
            binding.used = true;
        }
    }

    fn binding(&mut self, binding: &ast::Let) {
        match &binding.pattern {
            ast::Pattern::Name(name) => {
                let value = self.expr(&binding.value, Some(&name.name));
                self.define(name, value);
            }
            ast::Pattern::Tuple { items, .. } => {
                let first = items.iter().find_map(|item| match item {
                    ast::PatternItem::Name(name) => Some(name.name.clone()),
                    ast::PatternItem::Discard(_) => None,
                });
                let value = self.expr(&binding.value, first.as_deref());
                let call = match value.kind {
                    ExprKind::Outputs(call) | ExprKind::Output(call, _) => Some(call),
                    ExprKind::Poison => None,
                    _ => {
                        self.mismatch("let (…)", "the outputs of a node", "a single value", value.span);
                        None
                    }
                };
                let outputs = call.map_or(&[][..], |call| self.hir.calls[call].decl.outputs);
                if let Some((call, extra)) = call.zip(items.get(outputs.len())) {
                    let decl = self.hir.calls[call].decl;
                    let span = match extra {
                        ast::PatternItem::Name(name) => name.span,
                        ast::PatternItem::Discard(span) => *span,
                    };
                    self.errors.push(CompileError::UnknownOutput {
                        node: decl.name.to_owned(),
                        output: outputs.len().to_string(),
                        outputs: output_names(decl),
                        span: span.into(),
                    });
                }
                for (slot, item) in items.iter().enumerate() {
                    let ast::PatternItem::Name(name) = item else { continue };
                    let kind = match call {
                        Some(call) if slot < outputs.len() => ExprKind::Output(call, slot),
                        _ => ExprKind::Poison,
                    };
                    self.define(name, Expr { kind, span: name.span });
                }
            }
        }
    }

    fn define(&mut self, name: &ast::Ident, value: Expr) {
        if let Some(earlier) = self.names.get_mut(&name.name) {
            self.errors.push(CompileError::DuplicateName {
                name: name.name.clone(),
                span: name.span.into(),
                first: earlier.span.into(),
            });
            // Which of the two a use means is anybody's guess.
            earlier.value.kind = ExprKind::Poison;
            return;
        }
        let used = name.name.starts_with('_');
        self.names.insert(name.name.clone(), Binding { value, span: name.span, used });
    }

    /// Resolves an expression. `origin` names what it is for, if it is a call.
    fn expr(&mut self, expr: &ast::Expr, origin: Option<&str>) -> Expr {
        let kind = match &expr.kind {
            ast::ExprKind::Int(value) => ExprKind::Literal(Scalar::Int(*value)),
            ast::ExprKind::Float(value) => ExprKind::Literal(Scalar::Float(*value)),
            ast::ExprKind::Bool(value) => ExprKind::Literal(Scalar::Bool(*value)),
            ast::ExprKind::Str(value) => ExprKind::Literal(Scalar::String(value.clone())),
            ast::ExprKind::None => ExprKind::Open,
            ast::ExprKind::FString(parts) => ExprKind::Format(
                parts
                    .iter()
                    .map(|part| match part {
                        ast::FPart::Text(text) => Piece::Text(text.clone()),
                        ast::FPart::Expr(expr) => Piece::Expr(self.format_part(expr)),
                    })
                    .collect(),
            ),
            ast::ExprKind::List(items) => {
                ExprKind::List(items.iter().map(|item| self.expr(item, origin)).collect())
            }
            ast::ExprKind::Name(name) => self.name(name, expr.span),
            ast::ExprKind::Member { base, member } => {
                let base = self.expr(base, origin);
                self.member(base, member)
            }
            ast::ExprKind::Call(call) => self.call(call, origin),
        };
        Expr { kind, span: expr.span }
    }

    fn format_part(&mut self, expr: &ast::Expr) -> Expr {
        let value = self.expr(expr, None);
        match value.kind {
            ExprKind::Output(..) | ExprKind::Outputs(_) | ExprKind::List(_) | ExprKind::Open => {
                let got = self.type_of(&value);
                self.mismatch("{…}", "a scalar", &got, value.span);
                Expr { kind: ExprKind::Poison, span: value.span }
            }
            _ => value,
        }
    }

    fn name(&mut self, name: &str, span: Span) -> ExprKind {
        if let Some(binding) = self.names.get_mut(name) {
            binding.used = true;
            return binding.value.kind.clone();
        }
        let suggestion = suggest(name, self.names.keys().map(String::as_str));
        self.errors.push(CompileError::UnknownName { name: name.to_owned(), suggestion, span: span.into() });
        ExprKind::Poison
    }

    fn member(&mut self, base: Expr, member: &ast::Member) -> ExprKind {
        let call = match base.kind {
            ExprKind::Outputs(call) => call,
            // The one output of a node may be named as well.
            ExprKind::Output(call, slot) if self.hir.calls[call].decl.outputs.len() == 1 && slot == 0 => call,
            ExprKind::Poison => return ExprKind::Poison,
            _ => {
                let got = self.type_of(&base);
                self.mismatch("the value before the point", "the outputs of a node", &got, base.span);
                return ExprKind::Poison;
            }
        };
        let decl = self.hir.calls[call].decl;
        let (slot, output) = match member {
            ast::Member::Name(name) => {
                (decl.outputs.iter().position(|output| output.name == name.name), name.name.clone())
            }
            ast::Member::Index { index, .. } => {
                let slot = usize::try_from(*index).ok().filter(|&slot| slot < decl.outputs.len());
                (slot, index.to_string())
            }
        };
        match slot {
            Some(slot) => ExprKind::Output(call, slot),
            None => {
                self.errors.push(CompileError::UnknownOutput {
                    node: decl.name.to_owned(),
                    output,
                    outputs: output_names(decl),
                    span: member.span().into(),
                });
                ExprKind::Poison
            }
        }
    }

    fn call(&mut self, call: &ast::Call, origin: Option<&str>) -> ExprKind {
        let name = call.callee.to_string();
        let Some(decl) = call.callee.as_name().and_then(|ident| node(&ident.name)) else {
            let suggestion = suggest(&name, nodes().iter().map(|decl| decl.name));
            self.errors.push(CompileError::UnknownNode { name, suggestion, span: call.callee.span.into() });
            // Errors in the arguments are worth knowing at once.
            for arg in &call.args {
                self.argument(arg, None);
            }
            return ExprKind::Poison;
        };
        if semantics(decl.name).is_none() {
            self.errors.push(CompileError::NoKernel {
                what: format!("`{}`", decl.name),
                instead: "`floe nodes` says which nodes can run".to_owned(),
                span: call.callee.span.into(),
            });
        }
        let own_origin = self.origin(origin.unwrap_or(decl.name));
        let errors_before = self.errors.len();
        let mut inputs: Vec<(&'static InputDecl, Expr)> = Vec::new();
        let mut given: BTreeMap<&'static str, Span> = BTreeMap::new();
        let mut positional_seen = false;
        let mut misspelt = Misspelt::default();
        for arg in &call.args {
            let input = match &arg.name {
                Some(name) => decl.input(&name.name),
                None if positional_seen => None,
                None => decl.positional(),
            };
            let nested = input.map(|input| format!("{own_origin}.{}", input.name));
            let value = match input.and_then(|input| self.unquoted(input, arg)) {
                Some(value) => value,
                None => self.argument(arg, nested.as_deref()),
            };
            let Some(input) = input else {
                self.stray_argument(decl, call, arg, &mut misspelt);
                continue;
            };
            positional_seen |= arg.name.is_none();
            if let Some(&first) = given.get(input.name) {
                self.errors.push(CompileError::DuplicateInput {
                    input: input.name.to_owned(),
                    span: arg.span.into(),
                    first: first.into(),
                });
                continue;
            }
            given.insert(input.name, arg.span);
            let value = self.fit(input, value);
            inputs.push((input, value));
        }
        let missing: Vec<(String, String)> = decl
            .visible_inputs()
            .filter(|input| !given.contains_key(input.name) && input.default.is_none() && !input.optional)
            .filter(|input| !misspelt.excuses(input.name))
            .map(|input| (input.name.to_owned(), input.ty.to_string()))
            .collect();
        if !missing.is_empty() {
            self.errors.push(CompileError::MissingInput {
                node: decl.name.to_owned(),
                missing,
                span: call.callee.span.into(),
            });
        }
        let poisoned = self.errors.len() > errors_before
            || semantics(decl.name).is_none()
            || inputs.iter().any(|(_, value)| is_poisoned(value));
        self.hir.calls.push(Call { decl, inputs, origin: own_origin, span: call.callee.span, poisoned });
        let id = self.hir.calls.len() - 1;
        if decl.outputs.len() == 1 { ExprKind::Output(id, 0) } else { ExprKind::Outputs(id) }
    }

    /// A name for a call in plans, unique in the program.
    fn origin(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while !self.origins.insert(name.clone()) {
            name = format!("{wanted}#{number}");
            number += 1;
        }
        name
    }

    /// The value of an argument; `name:` alone is the value of that name.
    fn argument(&mut self, arg: &ast::Arg, origin: Option<&str>) -> Expr {
        match (&arg.value, &arg.name) {
            (Some(value), _) => self.expr(value, origin),
            (None, Some(name)) => Expr { kind: self.name(&name.name, name.span), span: name.span },
            (None, None) => Expr { kind: ExprKind::Poison, span: arg.span },
        }
    }

    /// Reports a choice that lacks its quotes, as in `scheduler: normal`.
    fn unquoted(&mut self, input: &InputDecl, arg: &ast::Arg) -> Option<Expr> {
        let value = arg.value.as_ref()?;
        let (ast::ExprKind::Name(name), Type::Choice { values, .. }) = (&value.kind, &input.ty) else {
            return None;
        };
        if self.names.contains_key(name) || !values.contains(&name.as_str()) {
            return None;
        }
        self.errors.push(CompileError::UnknownName {
            name: name.clone(),
            suggestion: Some(format!("\"{name}\"")),
            span: value.span.into(),
        });
        Some(Expr { kind: ExprKind::Poison, span: value.span })
    }

    /// Reports an argument that is no input.
    fn stray_argument(
        &mut self,
        decl: &'static NodeDecl,
        call: &ast::Call,
        arg: &ast::Arg,
        misspelt: &mut Misspelt,
    ) {
        let given = |input: &str| {
            call.args.iter().any(|arg| arg.name.as_ref().is_some_and(|name| name.name == input))
        };
        let Some(name) = &arg.name else {
            // `VAEDecode(samples, vae)` almost says which input is meant.
            let meant = match arg.value.as_ref().map(|value| &value.kind) {
                Some(ast::ExprKind::Name(name)) => decl.input(name).filter(|input| !given(input.name)),
                _ => None,
            };
            // One message for all of them.
            if !std::mem::replace(&mut misspelt.positional, true) {
                self.errors.push(CompileError::Positional {
                    node: decl.name.to_owned(),
                    socket: decl.positional().map(|input| input.name.to_owned()),
                    meant: meant.map(|input| input.name.to_owned()),
                    span: arg.span.into(),
                });
            }
            match meant {
                Some(input) => misspelt.inputs.push(input.name.to_owned()),
                None => misspelt.any = true,
            }
            return;
        };
        let free = decl.visible_inputs().map(|input| input.name).filter(|input| !given(input));
        match suggest(&name.name, free) {
            Some(suggestion) => {
                misspelt.inputs.push(suggestion.clone());
                self.errors.push(CompileError::UnknownInput {
                    node: decl.name.to_owned(),
                    input: name.name.clone(),
                    suggestion,
                    span: name.span.into(),
                });
            }
            // Nodes gain and lose inputs between versions: what resembles nothing is kept.
            None => self.warnings.push(Warning::ExtraInput {
                node: decl.name.to_owned(),
                input: name.name.clone(),
                span: name.span.into(),
            }),
        }
    }

    /// Checks a value against the type of an input; poison if it does not fit.
    fn fit(&mut self, input: &'static InputDecl, value: Expr) -> Expr {
        let got = match self.fits(&input.ty, input.optional, &value) {
            Ok(()) => return value,
            Err(got) => got,
        };
        if let ExprKind::Outputs(call) = value.kind {
            let decl = self.hir.calls[call].decl;
            let fitting: Vec<&str> = decl
                .outputs
                .iter()
                .filter(|output| output.ty == input.ty)
                .map(|output| output.name)
                .collect();
            let help = match fitting.as_slice() {
                [one] => format!("take one of its outputs: `….{one}`"),
                _ => format!("take one of its outputs: {}", output_names(decl).join(", ")),
            };
            self.errors.push(CompileError::TypeMismatch {
                input: input.name.to_owned(),
                want: input.ty.to_string(),
                got,
                help,
                span: value.span.into(),
            });
        } else if let (Type::Choice { values: [first, ..], .. }, true) = (&input.ty, got != "none") {
            self.errors.push(CompileError::TypeMismatch {
                input: input.name.to_owned(),
                want: input.ty.to_string(),
                got,
                help: format!("write one of its choices, in quotes, such as \"{first}\""),
                span: value.span.into(),
            });
        } else {
            self.mismatch(input.name, &input.ty.to_string(), &got, value.span);
        }
        Expr { kind: ExprKind::Poison, span: value.span }
    }

    /// Whether a value fits a type; else what it is.
    fn fits(&self, want: &Type, optional: bool, value: &Expr) -> Result<(), String> {
        let got = match &value.kind {
            ExprKind::Poison => return Ok(()),
            ExprKind::Open if optional => return Ok(()),
            ExprKind::Output(call, slot) => {
                let got = self.hir.calls[*call].decl.outputs[*slot].ty;
                return if accepts(want, &got) { Ok(()) } else { Err(got.to_string()) };
            }
            ExprKind::Literal(scalar) => scalar_type(scalar),
            ExprKind::Param(param) => param_type(self.hir.params[*param].ty),
            ExprKind::Format(_) => "String",
            _ => return Err(self.type_of(value)),
        };
        let fits = |want: &Type| match want {
            Type::Int => got == "Int",
            Type::Float => got == "Int" || got == "Float",
            Type::Bool => got == "Bool",
            Type::String | Type::Choice { .. } | Type::File(_) => got == "String",
            Type::Any => true,
            _ => false,
        };
        let fit = match want {
            Type::Union(types) => types.iter().any(fits),
            want => fits(want),
        };
        if fit { Ok(()) } else { Err(got.to_owned()) }
    }

    fn type_of(&self, value: &Expr) -> String {
        match &value.kind {
            ExprKind::Output(call, slot) => self.hir.calls[*call].decl.outputs[*slot].ty.to_string(),
            ExprKind::Outputs(call) => {
                let decl = self.hir.calls[*call].decl;
                format!("all {} outputs of `{}`", decl.outputs.len(), decl.name)
            }
            ExprKind::List(_) => "a list".to_owned(),
            ExprKind::Open => "none".to_owned(),
            ExprKind::Literal(scalar) => scalar_type(scalar).to_owned(),
            ExprKind::Param(param) => param_type(self.hir.params[*param].ty).to_owned(),
            ExprKind::Format(_) => "String".to_owned(),
            ExprKind::Poison => "an error".to_owned(),
        }
    }

    fn mismatch(&mut self, input: &str, want: &str, got: &str, span: Span) {
        let help = mismatch_help(want, got);
        self.errors.push(CompileError::TypeMismatch {
            input: input.to_owned(),
            want: want.to_owned(),
            got: got.to_owned(),
            help,
            span: span.into(),
        });
    }

    fn report_unused(&mut self) {
        for (name, binding) in &self.names {
            let outputs = matches!(binding.value.kind, ExprKind::Output(..) | ExprKind::Outputs(_));
            if !binding.used && (outputs || !matches!(binding.value.kind, ExprKind::Poison)) {
                self.warnings.push(Warning::Unused { name: name.clone(), span: binding.span.into() });
            }
        }
        for &call in &self.loose {
            let call = &self.hir.calls[call];
            self.warnings.push(Warning::NoUse { node: call.decl.name.to_owned(), span: call.span.into() });
        }
    }
}

/// Inputs that were meant by arguments that are none: missing because misspelt is one error, not two.
#[derive(Default)]
struct Misspelt {
    inputs: Vec<String>,
    /// Some argument may have meant any input.
    any: bool,
    /// A second positional argument was reported.
    positional: bool,
}

impl Misspelt {
    fn excuses(&self, input: &str) -> bool {
        self.any || self.inputs.iter().any(|name| name == input)
    }
}

fn is_poisoned(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Poison => true,
        ExprKind::Format(pieces) => {
            pieces.iter().any(|piece| matches!(piece, Piece::Expr(expr) if is_poisoned(expr)))
        }
        ExprKind::List(items) => items.iter().any(is_poisoned),
        _ => false,
    }
}

/// Whether an output of type `got` may be linked to an input of type `want`.
fn accepts(want: &Type, got: &Type) -> bool {
    match (want, got) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Union(types), got) => types.iter().any(|want| accepts(want, got)),
        (want, Type::Union(types)) => types.iter().any(|got| accepts(want, got)),
        (Type::Float, Type::Int) => true,
        (want, got) => want == got,
    }
}

/// What to do about a value of the wrong type, both in words.
fn mismatch_help(want: &str, got: &str) -> String {
    let help = match (want, got) {
        ("Image", "Latent") => "decode it first: `VAEDecode(…, vae:)`",
        ("Latent", "Image") => "encode it first: `VAEEncode(…, vae:)`",
        ("Conditioning", "String") => "encode the prompt first: `CLIPTextEncode(clip, text: …)`",
        ("Model" | "Clip" | "Vae", "String") => {
            "open the file first: `let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: …)`"
        }
        ("Image" | "Mask", "String") => "open the file first: `LoadImage(image: …).IMAGE`",
        ("String", "Int" | "Float" | "Bool") => "write it as text: `f\"{…}\"`",
        ("Int", "Float") => "write a whole number",
        ("Int" | "Float", "String") => "write a number, without quotes",
        ("Int" | "Float", "Bool") => "write a number",
        ("Bool", _) => "write `true` or `false`, without quotes",
        (_, "a list") => "it takes a single value",
        ("a scalar", _) => "only numbers, texts, `true` and `false` can be written into a text",
        (_, "none") => "only an optional input can be left open",
        _ if want.starts_with("File<") => "write the name of a file, in quotes",
        _ => return format!("give it {want}"),
    };
    help.to_owned()
}

fn output_names(decl: &NodeDecl) -> Vec<String> {
    decl.outputs.iter().map(|output| output.name.to_owned()).collect()
}

fn scalar_type(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Int(_) => "Int",
        Scalar::Float(_) => "Float",
        Scalar::Bool(_) => "Bool",
        Scalar::String(_) => "String",
    }
}

fn param_type(ty: ParamType) -> &'static str {
    match ty {
        ParamType::Int => "Int",
        ParamType::Float => "Float",
        ParamType::Bool => "Bool",
        ParamType::String => "String",
    }
}

/// A scalar as a value of a param's type, if it is one.
pub(crate) fn fit_param(ty: ParamType, scalar: Scalar) -> Option<Scalar> {
    match (ty, scalar) {
        (ParamType::Float, Scalar::Int(value)) => Some(Scalar::Float(value as f64)),
        (ParamType::Int, value @ Scalar::Int(_))
        | (ParamType::Float, value @ Scalar::Float(_))
        | (ParamType::Bool, value @ Scalar::Bool(_))
        | (ParamType::String, value @ Scalar::String(_)) => Some(value),
        _ => None,
    }
}
