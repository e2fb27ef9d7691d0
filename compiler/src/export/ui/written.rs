//! What the text of a program says that evaluation forgets: which arguments in a flow are its parameters.

use std::collections::HashMap;

use floe_lang::ast::{self, Block, Call, Else, Expr, ExprKind, FPart, Fn, StatementKind};

use crate::flat::Place;

/// Parameters of a file's flows that calls in them are given as they are.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// By the place of the call's name and by input; a call's first argument may have none.
    params: HashMap<(u32, String), String>,
}

impl Passed {
    pub(super) fn new(file: &ast::File) -> Passed {
        let mut passed = Passed::default();
        for statement in &file.statements {
            if let StatementKind::Fn(flow) = &statement.kind {
                passed.flow(flow);
            }
        }
        passed
    }

    fn flow(&mut self, flow: &Fn) {
        let mut values = Vec::new();
        block(&flow.body, &mut values);
        for call in calls(&values) {
            for arg in &call.args {
                let given = match (&arg.name, &arg.value) {
                    (_, Some(Expr { kind: ExprKind::Name(name), .. })) => name,
                    // `seed:` is short for `seed: seed`.
                    (Some(name), None) => &name.name,
                    _ => continue,
                };
                if flow.params.iter().any(|param| param.name.name == *given) {
                    let input = arg.name.as_ref().map(|name| name.name.clone()).unwrap_or_default();
                    self.params.insert((call.callee.span.start, input), given.clone());
                }
            }
        }
    }

    /// The parameter that a call's input is given; `first` says whether it is the call's first argument.
    pub(super) fn param(&self, call: Place, input: &str, first: bool) -> Option<&str> {
        if call.file != 0 {
            return None;
        }
        let named = self.params.get(&(call.span.start, input.to_owned()));
        let unnamed = || self.params.get(&(call.span.start, String::new())).filter(|_| first);
        named.or_else(unnamed).map(String::as_str)
    }
}

/// All calls in some expressions, those in their blocks too.
pub(super) fn calls<'a>(values: &[&'a Expr]) -> Vec<&'a Call> {
    let mut found = Vec::new();
    let mut open: Vec<&Expr> = values.to_vec();
    while let Some(expr) = open.pop() {
        if let ExprKind::Call(call) = &expr.kind {
            found.push(call);
        }
        parts(expr, &mut open);
    }
    found
}

/// Adds the expressions in an expression.
fn parts<'a>(expr: &'a Expr, open: &mut Vec<&'a Expr>) {
    match &expr.kind {
        ExprKind::List(items) | ExprKind::Tuple(items) => open.extend(items),
        ExprKind::Record(fields) => open.extend(fields.iter().filter_map(|field| field.value.as_ref())),
        ExprKind::Select { choice, inputs } => {
            open.push(choice);
            open.extend(inputs.iter().filter_map(|input| input.value.as_ref()));
        }
        ExprKind::FString(pieces) => open.extend(pieces.iter().filter_map(|piece| match piece {
            FPart::Expr(value) => Some(value),
            FPart::Text(_) => None,
        })),
        ExprKind::Call(call) => open.extend(call.args.iter().filter_map(|arg| arg.value.as_ref())),
        ExprKind::MethodCall { receiver, args, .. } => {
            open.push(receiver);
            open.extend(args.iter().filter_map(|arg| arg.value.as_ref()));
        }
        ExprKind::Member { base, .. } => open.push(base),
        ExprKind::Index { base, index } => open.extend([&**base, &**index]),
        ExprKind::Unary { operand, .. } => open.push(operand),
        ExprKind::Binary { left, right, .. } => open.extend([&**left, &**right]),
        ExprKind::Each(inner) => open.push(inner),
        ExprKind::If(choice) => {
            open.push(&choice.condition);
            block(&choice.then, open);
            match &choice.otherwise {
                Some(Else::Block(otherwise)) => block(otherwise, open),
                Some(Else::If(next)) => open.push(next),
                None => {}
            }
        }
        ExprKind::For(repeat) => {
            open.push(&repeat.items);
            block(&repeat.body, open);
        }
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Bool(_)
        | ExprKind::None
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Path(_) => {}
    }
}

fn block<'a>(block: &'a Block, open: &mut Vec<&'a Expr>) {
    for statement in &block.statements {
        match &statement.kind {
            StatementKind::Let(binding) => open.push(&binding.value),
            StatementKind::Expr(value) => open.push(value),
            _ => {}
        }
    }
}
