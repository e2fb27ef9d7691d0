//! Which names are seen where, and what they stand for.
//!
//! A file has one namespace, in the order of its text. A flow sees the constants, flows, types and nodes that its file
//! defines above it, and its own parameters, which may carry the names of the program's params and lets, since it sees
//! neither. A block sees what is around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_lang::ast::{self, Ident};
use floe_lang::decl::Type;
use floe_stdlib::node;
use miette::SourceSpan;

use super::Evaluator;
use super::functions::lookup;
use super::modules::ModuleId;
use crate::error::{CompileError, NameError, suggest};
use crate::flat::{Decl, InstanceId, Place, Value};
use crate::types::forget;

/// A flow by its place among those that were seen.
pub(super) type FlowId = usize;

/// A flow that is defined somewhere.
#[derive(Clone)]
pub(super) struct Flow<'a> {
    pub(super) module: ModuleId,
    pub(super) function: &'a ast::Fn,
    /// The place of its statement in its file.
    pub(super) order: usize,
    pub(super) signature: Arc<Signature>,
}

/// What a flow takes and gives.
pub(super) struct Signature {
    pub(super) params: Vec<FlowParam>,
    pub(super) returns: Vec<(Option<Arc<str>>, Type)>,
}

/// A parameter of a flow.
pub(super) struct FlowParam {
    pub(super) name: Arc<str>,
    pub(super) ty: Type,
    pub(super) optional: bool,
    pub(super) has_default: bool,
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Def {
    Value(Value),
    Flow(FlowId),
    Node(Decl),
    Module(ModuleId),
    /// A data type or a set of choices.
    Type(Type),
    /// Wrong, which has been said.
    Broken,
}

/// How a name was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Param,
    Let,
    /// Anything that other files may use.
    Item,
    /// Taken from elsewhere.
    Used,
}

/// A name of a file.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) def: Def,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// The place of its statement in its file.
    pub(super) order: usize,
}

/// What is being evaluated: the program, or a flow.
pub(super) struct Frame<'a> {
    pub(super) module: ModuleId,
    /// The number of the file.
    pub(super) file: u32,
    pub(super) flow: Option<FlowId>,
    pub(super) instance: Option<InstanceId>,
    /// Names of blocks around, parameters of the flow among them.
    locals: BTreeMap<&'a str, (Value, Place)>,
    /// The same names in the order in which they were given.
    order: Vec<&'a str>,
    /// How many blocks are open.
    blocks: u32,
}

impl<'a> Frame<'a> {
    pub(super) fn new(module: ModuleId, flow: Option<FlowId>, instance: Option<InstanceId>) -> Self {
        let file = u32::try_from(module).unwrap_or(u32::MAX);
        Frame { module, file, flow, instance, locals: BTreeMap::new(), order: Vec::new(), blocks: 0 }
    }
}

impl<'a> Evaluator<'a> {
    /// Opens a block; what it returns closes it.
    pub(super) fn open_block(&mut self) -> usize {
        let frame = self.frame_mut();
        frame.blocks += 1;
        frame.order.len()
    }

    /// Closes a block: its names are forgotten.
    pub(super) fn close_block(&mut self, mark: usize) {
        let frame = self.frame_mut();
        frame.blocks -= 1;
        for name in frame.order.split_off(mark) {
            frame.locals.remove(name);
        }
    }

    /// Gives a name to a value, in the innermost block or the file.
    pub(super) fn define_value(&mut self, name: &'a Ident, value: Value, kind: Kind) {
        let place = self.place(name.span);
        if self.frame().blocks == 0 && self.frame().flow.is_none() {
            self.track(name, &value, kind, place);
            self.define(name, Def::Value(value), kind);
            return;
        }
        if let Some(first) = self.seen_as(&name.name) {
            self.duplicate(name, first);
            return;
        }
        self.track(name, &value, kind, place);
        let frame = self.frame_mut();
        frame.locals.insert(&name.name, (value, place));
        frame.order.push(&name.name);
    }

    /// Remembers a name that something is expected to use.
    fn track(&mut self, name: &Ident, value: &Value, kind: Kind, place: Place) {
        let used = matches!(kind, Kind::Param) || name.name.starts_with('_');
        if !used && !matches!(value, Value::Poison) {
            self.defined.insert(place, name.name.clone());
        }
    }

    /// Gives a name of the file its meaning.
    pub(super) fn define(&mut self, name: &'a Ident, def: Def, kind: Kind) {
        let (place, module) = (self.place(name.span), self.frame().module);
        let order = self.module(module).statement;
        let names = &mut self.module_mut(module).names;
        match names.get_mut(name.name.as_str()) {
            Some(earlier) => {
                // Which of the two a use means is anybody's guess.
                earlier.def = Def::Broken;
                let first = earlier.place;
                self.duplicate(name, first);
            }
            None => {
                names.insert(&name.name, Named { def, kind, place, order });
            }
        }
    }

    fn duplicate(&mut self, name: &Ident, first: Place) {
        let span = self.place(name.span);
        self.error(CompileError::DuplicateName {
            name: name.name.clone(),
            span: span.into(),
            first: first.into(),
        });
    }

    /// Where a name that is seen here was given.
    fn seen_as(&self, name: &str) -> Option<Place> {
        let frame = self.frame();
        let local = frame.locals.get(name).map(|(_, place)| *place);
        local.or_else(|| self.named(name).map(|named| named.place))
    }

    /// A name of the file, if it is seen here.
    fn named(&self, name: &str) -> Option<&Named> {
        let frame = self.frame();
        let named = self.module(frame.module).names.get(name)?;
        match frame.flow {
            Some(flow) if named.order > self.flows[flow].order => None,
            Some(_) if matches!(named.kind, Kind::Param | Kind::Let) => None,
            _ => Some(named),
        }
    }

    /// What a name stands for, if it is defined here. It counts as used.
    pub(super) fn lookup(&mut self, name: &str) -> Option<Def> {
        let (def, place) = match self.frame().locals.get(name) {
            Some((value, place)) => (Def::Value(value.clone()), *place),
            None => self.named(name).map(|named| (named.def.clone(), named.place))?,
        };
        self.used.insert(place);
        Some(match def {
            Def::Value(value) if self.shadow => Def::Value(forget(&self.flat, &value)),
            def => def,
        })
    }

    /// The value of a name.
    pub(super) fn name(&mut self, name: &str, place: Place) -> Value {
        match self.lookup(name) {
            Some(def) => self.as_value(name, def, place),
            None if name == "random" => self.random(None),
            None if node(name).is_some() || lookup(name).is_some() => {
                let what = if lookup(name).is_some() { "a function" } else { "a node" };
                let help = format!("call it: `{name}(…)`");
                self.poison(NameError::NotAValue { name: name.to_owned(), what, help, span: place.into() })
            }
            None => self.unknown_name(name, place),
        }
    }

    /// What a name stands for as a value.
    pub(super) fn as_value(&mut self, name: &str, def: Def, place: Place) -> Value {
        let (what, help) = match def {
            Def::Value(value) => return value,
            Def::Broken => return Value::Poison,
            Def::Flow(_) => ("a flow", format!("call it: `{name}(…)`")),
            Def::Node(_) => ("a node", format!("call it: `{name}(…)`")),
            Def::Module(_) => ("a module", format!("take something from it: `{name}::…`")),
            Def::Type(_) => ("a type", "types stand behind a colon".to_owned()),
        };
        self.poison(NameError::NotAValue { name: name.to_owned(), what, help, span: place.into() })
    }

    fn unknown_name(&mut self, name: &str, place: Place) -> Value {
        let (below, outside) = self.elsewhere(name);
        let suggestion = match (below, outside) {
            (None, None) => suggest(name, self.visible()),
            _ => None,
        };
        let (name, span) = (name.to_owned(), place.into());
        self.poison(CompileError::UnknownName { name, suggestion, span, below, outside })
    }

    /// All names that are seen here.
    pub(super) fn visible(&self) -> impl Iterator<Item = &str> {
        let module = self.module(self.frame().module);
        let names = module.names.keys().filter(|name| self.named(name).is_some());
        self.frame().locals.keys().chain(names).copied()
    }

    /// Where a name that is not seen here is defined all the same: further down in the file, or outside of the flow.
    pub(super) fn elsewhere(&self, name: &str) -> (Option<SourceSpan>, Option<SourceSpan>) {
        let module = self.module(self.frame().module);
        match module.names.get(name) {
            Some(named) if matches!(named.kind, Kind::Param | Kind::Let) => {
                return (None, Some(named.place.into()));
            }
            _ => {}
        }
        let statements = module.ast.statements.iter();
        let below = statements.flat_map(|statement| statement.kind.names()).find(|below| below.name == name);
        (below.map(|below| Place { file: self.frame().file, span: below.span }.into()), None)
    }

    /// A name for a call, unique in its instance.
    pub(super) fn unique(&mut self, wanted: String) -> Arc<str> {
        if self.shadow {
            return wanted.into();
        }
        let instance = self.frame().instance;
        let mut name: Arc<str> = wanted.as_str().into();
        loop {
            let count = self.names.entry((instance, name.clone())).or_insert(0);
            *count += 1;
            if *count == 1 {
                return name;
            }
            // The number of the next one is remembered with the name that it belongs to.
            name = format!("{wanted}#{count}").into();
        }
    }
}
