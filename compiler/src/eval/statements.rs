//! What stands in a file, from top to bottom.

use floe_lang::ast::{self, ExprKind, Statement, StatementKind};

use super::block::is_branching;
use super::hint::Hint;
use super::modules::ModuleId;
use super::scope::{Def, Flow, Frame, Kind};
use super::{Evaluator, Judge};
use crate::error::{CompileError, EvalError, Warning};
use crate::flat::{CallId, Value};
use crate::types::fits;

/// The editions that this Floe knows.
const NEWEST_EDITION: u32 = 1;

impl<'a> Evaluator<'a> {
    /// The whole program.
    pub(super) fn program(&mut self) {
        self.open_module(0);
        self.frames.push(Frame::new(0, None, None));
        self.edition();
        self.declarations(0);
        let ast = self.module(0).ast;
        for (order, statement) in ast.statements.iter().enumerate() {
            if self.halted {
                break;
            }
            self.module_mut(0).statement = order;
            match &statement.kind {
                StatementKind::Param(param) => {
                    self.no_annotations(&statement.annotations);
                    self.param(param);
                }
                StatementKind::Let(_) | StatementKind::Expr(_) | StatementKind::Assert(_) => {
                    self.action(statement);
                }
                _ => self.definition(statement),
            }
        }
        self.unknown_params();
        if self.judge == Judge::Types {
            self.check_flows();
        }
    }

    fn edition(&mut self) {
        match self.module(0).ast.edition {
            None => self.found.warning(Warning::NoEdition),
            Some(edition) if edition.number == 0 || edition.number > NEWEST_EDITION => {
                let span = self.place(edition.span).into();
                self.error(CompileError::UnknownEdition { number: edition.number, span });
            }
            Some(_) => {}
        }
    }

    /// What is declared and used in a file. It may stand anywhere: nothing of it is computed.
    pub(super) fn declarations(&mut self, module: ModuleId) {
        let statements = &self.module(module).ast.statements;
        for statement in statements {
            match &statement.kind {
                StatementKind::Use(import) => {
                    self.no_annotations(&statement.annotations);
                    self.use_statement(import);
                }
                StatementKind::Type(ast::TypeDecl { name, .. })
                | StatementKind::Choices(ast::Choices { name, .. }) => {
                    let def = self.declared_type(name);
                    self.define(name, def, Kind::Item);
                }
                _ => {}
            }
        }
        // The types of nodes are known by now.
        for statement in statements {
            if let StatementKind::Node(node) = &statement.kind {
                let def = self.declared_node(statement);
                self.define(&node.name, def, Kind::Item);
            }
        }
    }

    /// A statement that defines what other files may use as well.
    pub(super) fn definition(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Const(constant) => {
                self.no_annotations(&statement.annotations);
                let value = self.constant(constant);
                self.define(&constant.name, Def::Value(value), Kind::Item);
            }
            StatementKind::Fn(function) => {
                self.no_annotations(&statement.annotations);
                self.flow(function);
            }
            _ => {}
        }
    }

    fn flow(&mut self, function: &'a ast::Fn) {
        let signature = self.signature(function).into();
        let module = self.frame().module;
        let order = self.module(module).statement;
        let id = self.flows.len();
        self.flows.push(Flow { module, function, order, signature });
        self.define(&function.name, Def::Flow(id), Kind::Item);
    }

    /// The value of a constant.
    pub(super) fn constant(&mut self, constant: &'a ast::Const) -> Value {
        let outer = self.known_only.replace("a constant");
        let value = self.expr(&constant.value, &Hint::Name(&constant.name.name));
        self.known_only = outer;
        let place = self.place(constant.value.span);
        let Some(written) = &constant.ty else { return value };
        let ty = self.ty(written);
        if fits(&self.flat, &ty, &value) {
            return super::params::coerce(&ty, value);
        }
        self.mismatch(&constant.name.name, &written.to_string(), &value, place)
    }

    /// A statement that does something, in a file or in a block.
    pub(super) fn action(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Let(binding) => self.binding(binding, &statement.annotations),
            StatementKind::Const(constant) => {
                self.no_annotations(&statement.annotations);
                let value = self.constant(constant);
                self.define_value(&constant.name, value, Kind::Item);
            }
            StatementKind::Assert(assert) => {
                self.no_annotations(&statement.annotations);
                self.assert(assert);
            }
            StatementKind::Expr(expr) => {
                let (_, called) = self.effect(expr, &statement.annotations, &Hint::Nameless);
                if let Some(call) = called.filter(|_| !self.shadow) {
                    self.loose.insert(call);
                }
            }
            _ => {}
        }
    }

    /// An expression at statement level: a call of an output node is an effect. Gives the call of another node that it is.
    pub(super) fn effect(
        &mut self,
        expr: &'a ast::Expr,
        annotations: &'a [ast::Annotation],
        hint: &Hint<'_>,
    ) -> (Value, Option<CallId>) {
        if matches!(expr.kind, ExprKind::If(_) | ExprKind::For(_)) && is_branching(expr) {
            self.no_annotations(annotations);
            return (self.expr(expr, hint), None);
        }
        let (value, called) = self.annotated(expr, annotations, hint);
        let Some(call) = called else { return (value, None) };
        if !self.flat.call(call).decl.output_node {
            return (value, Some(call));
        }
        if !self.shadow {
            self.flat.effects.push(call);
        }
        (value, None)
    }

    fn binding(&mut self, binding: &'a ast::Let, annotations: &'a [ast::Annotation]) {
        match &binding.pattern {
            ast::Pattern::Name(name) => {
                let (value, _) = self.annotated(&binding.value, annotations, &Hint::Name(&name.name));
                self.define_value(name, value, Kind::Let);
            }
            ast::Pattern::Tuple { items, .. } => {
                let value = self.tuple_value(items, &binding.value, annotations);
                let place = self.place(binding.value.span);
                self.destructure(items, value, place, Kind::Let);
            }
        }
    }

    fn assert(&mut self, assert: &'a ast::Assert) {
        let condition = self.expr(&assert.condition, &Hint::Nameless);
        let place = self.place(assert.condition.span);
        let message =
            assert.message.as_ref().map(|message| (self.expr(message, &Hint::Nameless), message.span));
        let message = match message {
            None => "an assertion does not hold".to_owned(),
            Some((Value::Str(text), _)) => text.to_string(),
            Some((Value::Poison | Value::Unknown(_), _)) => return,
            Some((value, span)) => {
                let place = self.place(span);
                self.mismatch("assert", "a text", &value, place);
                return;
            }
        };
        match self.condition("assert", condition, place) {
            Some(false) if !self.shadow => self.error(EvalError::Assertion { message, span: place.into() }),
            _ => {}
        }
    }
}
