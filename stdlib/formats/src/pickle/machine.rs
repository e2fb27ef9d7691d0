//! The machine that reads a pickle. It knows the opcodes and names that tensors need and refuses all others by name, so
//! nothing a file says can run: there are no objects, no imports and no calls, only data that is put together.

use std::collections::BTreeMap;
use std::io::Read;

use super::opcode::{self, op};
use super::value::{Global, Id, Node, Storage, Tensor, global};
use crate::safetensors::MAX_RANK;
use crate::{DType, FormatError, ReadError};

/// Most bytes of a pickle; checkpoints need less than one megabyte.
pub(super) const MAX_BYTES: u64 = 32 << 20;

/// Most values.
const MAX_VALUES: usize = 1 << 22;

/// Most values on the stack, and most in the memo.
const MAX_STACK: usize = 1 << 20;

/// Most collections that are open at the same time.
const MAX_MARKS: usize = 256;

/// Longest name of a module or of something in it.
const MAX_NAME: usize = 256;

/// All values of a pickle.
#[derive(Debug)]
pub(super) struct Values {
    nodes: Vec<Node>,
}

impl Values {
    pub(super) fn get(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    /// A text.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes of an element of each storage, by name.
    pub(super) fn storages(&self) -> BTreeMap<&str, u64> {
        let storages = self.nodes.iter().filter_map(|node| match node {
            Node::Storage(storage) => {
                Some((storage.key.as_str(), storage.dtype.map_or(1, DType::bytes) as u64))
            }
            _ => None,
        });
        storages.collect()
    }
}

/// A pickle under way.
pub(super) struct Machine<R> {
    input: R,
    at: u64,
    values: Values,
    stack: Vec<Id>,
    /// Lengths of the stack where collections began.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Id>,
}

impl<R: Read> Machine<R> {
    /// A machine that reads from `input`.
    pub(super) fn new(input: R) -> Machine<R> {
        let values = Values { nodes: Vec::new() };
        Machine { input, at: 0, values, stack: Vec::new(), marks: Vec::new(), memo: BTreeMap::new() }
    }

    /// Reads one pickle to its end. What follows it stays unread.
    ///
    /// # Errors
    /// If the pickle is broken, too large, or uses what tensors do not need.
    pub(super) fn run(&mut self) -> Result<Id, ReadError> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        loop {
            let opcode = self.byte()?;
            if opcode == op::STOP {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// All values of all pickles that were read.
    pub(super) fn into_values(self) -> Values {
        self.values
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }

    fn step(&mut self, opcode: u8) -> Result<(), ReadError> {
        match opcode {
            op::PROTO => self.byte().map(drop),
            op::FRAME => self.bytes(8).map(drop),
            op::MARK => self.mark(),
            op::NONE => self.push(Node::Other),
            op::NEWTRUE => self.push(Node::Bool(true)),
            op::NEWFALSE => self.push(Node::Bool(false)),
            op::BININT | op::BININT1 | op::BININT2 | op::LONG1 | op::BINFLOAT => self.number(opcode),
            op::BINSTRING | op::SHORT_BINSTRING | op::BINUNICODE | op::SHORT_BINUNICODE | op::BINUNICODE8 => {
                self.text(opcode)
            }
            op::BINBYTES | op::SHORT_BINBYTES => {
                let width = if opcode == op::BINBYTES { 4 } else { 1 };
                let len = self.unsigned(width)?;
                self.bytes(len)?;
                self.push(Node::Other)
            }
            op::EMPTY_DICT => self.push(Node::Dict(Vec::new())),
            op::EMPTY_LIST => self.push(Node::List(Vec::new())),
            op::EMPTY_TUPLE => self.push(Node::Tuple(Vec::new())),
            op::TUPLE | op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.tuple(opcode),
            op::APPEND | op::APPENDS => self.append(opcode == op::APPENDS),
            op::SETITEM | op::SETITEMS => self.set_items(opcode == op::SETITEMS),
            op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.put(opcode),
            op::BINGET | op::LONG_BINGET => self.recall(opcode),
            op::GLOBAL | op::STACK_GLOBAL => self.global(opcode == op::STACK_GLOBAL),
            op::REDUCE => self.reduce(),
            op::BUILD => self.build(),
            op::BINPERSID => self.persistent(),
            other => Err(refused(opcode::name(other))),
        }
    }

    fn bad(&self, reason: impl Into<String>) -> ReadError {
        ReadError::Format(FormatError::BadPickle { at: self.at, reason: reason.into() })
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, ReadError> {
        if self.at.checked_add(count).is_none_or(|end| end > MAX_BYTES) {
            return Err(self.bad(format!("it is larger than {MAX_BYTES} bytes")));
        }
        let mut found = Vec::new();
        (&mut self.input).take(count).read_to_end(&mut found)?;
        if found.len() as u64 != count {
            return Err(self.bad("it ends early"));
        }
        self.at += count;
        Ok(found)
    }

    fn byte(&mut self) -> Result<u8, ReadError> {
        let mut byte = [0];
        match self.input.read_exact(&mut byte) {
            Ok(()) if self.at < MAX_BYTES => {
                self.at += 1;
                Ok(byte[0])
            }
            Ok(()) => Err(self.bad(format!("it is larger than {MAX_BYTES} bytes"))),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(self.bad("it ends early")),
            Err(error) => Err(error.into()),
        }
    }

    /// A little-endian number of so many bytes, 8 at most.
    fn unsigned(&mut self, width: u64) -> Result<u64, ReadError> {
        let bytes = self.bytes(width)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn line(&mut self) -> Result<String, ReadError> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                _ if line.len() == MAX_NAME => return Err(self.bad("a name is too long")),
                byte => line.push(byte),
            }
        }
    }

    fn push(&mut self, node: Node) -> Result<(), ReadError> {
        if self.values.nodes.len() == MAX_VALUES {
            return Err(self.bad(format!("it has more than {MAX_VALUES} values")));
        }
        self.values.nodes.push(node);
        self.push_id((self.values.nodes.len() - 1) as Id)
    }

    fn push_id(&mut self, id: Id) -> Result<(), ReadError> {
        if self.stack.len() == MAX_STACK {
            return Err(self.bad(format!("more than {MAX_STACK} values are on its stack")));
        }
        self.stack.push(id);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, ReadError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(self.bad("its stack is empty"));
        }
        self.stack.pop().ok_or_else(|| self.bad("its stack is empty"))
    }

    fn mark(&mut self) -> Result<(), ReadError> {
        if self.marks.len() == MAX_MARKS {
            return Err(self.bad(format!("more than {MAX_MARKS} collections are open at once")));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// What was pushed since the last mark.
    fn collected(&mut self) -> Result<Vec<Id>, ReadError> {
        let from = self.marks.pop().ok_or_else(|| self.bad("a collection ends that did not begin"))?;
        Ok(self.stack.split_off(from))
    }

    /// The values that an opcode for one or many takes.
    fn taken(&mut self, many: bool, one: usize) -> Result<Vec<Id>, ReadError> {
        if many {
            return self.collected();
        }
        let mut taken = (0..one).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        taken.reverse();
        Ok(taken)
    }

    /// The value on top, which stays there.
    fn top(&mut self) -> Result<&mut Node, ReadError> {
        let id = self.pop()?;
        self.stack.push(id);
        Ok(&mut self.values.nodes[id as usize])
    }

    fn number(&mut self, opcode: u8) -> Result<(), ReadError> {
        let node = match opcode {
            op::BININT => Node::Int(i64::from(self.unsigned(4)? as u32 as i32)),
            op::BININT1 => Node::Int(self.unsigned(1)? as i64),
            op::BININT2 => Node::Int(self.unsigned(2)? as i64),
            op::LONG1 => {
                let width = u64::from(self.byte()?);
                let bytes = self.bytes(width)?;
                let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
                match bytes.len() {
                    0..=8 => Node::Int(bytes.iter().rev().fold(sign, |n: i64, &b| n << 8 | i64::from(b))),
                    _ => Node::Other,
                }
            }
            _ => {
                self.bytes(8)?;
                Node::Other
            }
        };
        self.push(node)
    }

    fn text(&mut self, opcode: u8) -> Result<(), ReadError> {
        let width = match opcode {
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE => 1,
            op::BINUNICODE8 => 8,
            _ => 4,
        };
        let len = self.unsigned(width)?;
        let bytes = self.bytes(len)?;
        self.push(Node::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn tuple(&mut self, opcode: u8) -> Result<(), ReadError> {
        let items = match opcode {
            op::TUPLE => self.collected()?,
            _ => self.taken(false, usize::from(opcode - op::TUPLE1) + 1)?,
        };
        self.push(Node::Tuple(items))
    }

    fn append(&mut self, many: bool) -> Result<(), ReadError> {
        let items = self.taken(many, 1)?;
        match self.top()? {
            Node::List(list) => list.extend(items),
            _ => return Err(self.bad("something is appended to what is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, many: bool) -> Result<(), ReadError> {
        let items = self.taken(many, 2)?;
        let (pairs, rest) = items.as_chunks::<2>();
        match self.top()? {
            Node::Dict(dict) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|&[key, value]| (key, value)))
            }
            _ => return Err(self.bad("entries are set in what is no dictionary")),
        }
        Ok(())
    }

    fn put(&mut self, opcode: u8) -> Result<(), ReadError> {
        let place = match opcode {
            op::BINPUT => self.unsigned(1)? as u32,
            op::LONG_BINPUT => self.unsigned(4)? as u32,
            _ => self.memo.len() as u32,
        };
        let id = self.pop()?;
        self.stack.push(id);
        if self.memo.len() == MAX_STACK && !self.memo.contains_key(&place) {
            return Err(self.bad(format!("more than {MAX_STACK} values are in its memo")));
        }
        self.memo.insert(place, id);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), ReadError> {
        let place = self.unsigned(if opcode == op::BINGET { 1 } else { 4 })? as u32;
        let id = self.memo.get(&place).copied().ok_or_else(|| self.bad("its memo lacks a value"))?;
        self.push_id(id)
    }

    fn global(&mut self, from_stack: bool) -> Result<(), ReadError> {
        let (module, name) = if from_stack {
            let (name, module) = (self.pop()?, self.pop()?);
            match (self.values.get(module), self.values.get(name)) {
                (Node::Text(module), Node::Text(name)) => (module.clone(), name.clone()),
                _ => return Err(self.bad("a name is no text")),
            }
        } else {
            (self.line()?, self.line()?)
        };
        let known = global(&module, &name);
        let shown = |text: &str| text.chars().take(MAX_NAME).filter(|c| !c.is_control()).collect::<String>();
        let meaning = known.ok_or_else(|| refused(format!("`{}.{}`", shown(&module), shown(&name))))?;
        self.push(Node::Global(meaning))
    }

    /// Applies a name to a tuple of arguments: the only calls there are, each with one fixed meaning.
    fn reduce(&mut self) -> Result<(), ReadError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        // No call here looks at more of them.
        let arguments: Vec<Id> = match self.values.get(arguments) {
            Node::Tuple(arguments) => arguments.iter().take(7).copied().collect(),
            _ => return Err(self.bad("arguments are no tuple")),
        };
        let &Node::Global(callee) = self.values.get(callee) else {
            return Err(refused("a call of what is no name".to_owned()));
        };
        match callee {
            // Older files give the entries at once, as an empty list in practice.
            Global::OrderedDict => self.push(Node::Dict(Vec::new())),
            Global::Rebuild { typed } => {
                let tensor = self.rebuild(&arguments, typed)?;
                self.push(Node::Tensor(Box::new(tensor)))
            }
            Global::RebuildParameter | Global::Size => {
                let &first = arguments.first().ok_or_else(|| self.bad("an argument is missing"))?;
                self.push_id(first)
            }
            Global::Plain => self.push(Node::Other),
            Global::Storage(_) | Global::UntypedStorage | Global::DType(_) | Global::Class => {
                Err(refused("a call of a class".to_owned()))
            }
        }
    }

    /// `(storage, offset, shape, strides, requires_grad, hooks, dtype)`, of which the last three may be missing.
    fn rebuild(&self, arguments: &[Id], typed: bool) -> Result<Tensor, ReadError> {
        let &[storage, offset, shape, strides, ..] = arguments else {
            return Err(self.bad("a tensor lacks arguments"));
        };
        let Node::Storage(stored) = self.values.get(storage) else {
            return Err(self.bad("a tensor is made of what is no storage"));
        };
        let dtype = match (typed, arguments.get(6).map(|&id| self.values.get(id))) {
            (true, Some(&Node::Global(Global::DType(dtype)))) => Some(dtype),
            (true, _) => None,
            (false, _) => stored.dtype,
        };
        let dtype = dtype.ok_or_else(|| self.bad("a tensor has no number type"))?;
        let offset = self.size(offset)? as u64;
        let (shape, strides) = (self.sizes(shape)?, self.sizes(strides)?);
        if shape.len() != strides.len() || shape.len() > MAX_RANK {
            return Err(self.bad("the shape and strides of a tensor do not fit one another"));
        }
        Ok(Tensor { storage, dtype, offset, shape, strides })
    }

    fn size(&self, id: Id) -> Result<usize, ReadError> {
        match self.values.get(id) {
            Node::Int(size) => usize::try_from(*size).map_err(|_| self.bad("a size is negative")),
            _ => Err(self.bad("a size is no number")),
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, ReadError> {
        match self.values.get(id) {
            Node::Tuple(sizes) => sizes.iter().take(MAX_RANK + 1).map(|&size| self.size(size)).collect(),
            _ => Err(self.bad("sizes are no tuple")),
        }
    }

    /// Attributes of a dictionary (a state has its versions there) and of plain values say nothing about tensors.
    fn build(&mut self) -> Result<(), ReadError> {
        self.pop()?;
        match self.top()? {
            Node::Dict(_) | Node::Other => Ok(()),
            _ => Err(refused("attributes of an object".to_owned())),
        }
    }

    /// `('storage', type, key, device, elements)`, and in old files a view that must be `None`.
    fn persistent(&mut self) -> Result<(), ReadError> {
        let id = self.pop()?;
        let parts = match self.values.get(id) {
            Node::Tuple(parts) => parts.iter().take(7).map(|&id| self.values.get(id)).collect::<Vec<_>>(),
            _ => return Err(self.bad("a persistent id is no tuple")),
        };
        let [Node::Text(kind), Node::Global(ty), Node::Text(key), _, Node::Int(elements), rest @ ..] =
            parts.as_slice()
        else {
            return Err(self.bad("a persistent id is no storage"));
        };
        let dtype = match ty {
            Global::Storage(dtype) => Some(*dtype),
            Global::UntypedStorage => None,
            _ => return Err(self.bad("a storage has no type")),
        };
        if kind != "storage" || key.len() > MAX_NAME || !matches!(rest, [] | [Node::Other]) {
            return Err(self.bad("a persistent id is no whole storage"));
        }
        let elements = u64::try_from(*elements).map_err(|_| self.bad("a storage has a negative size"))?;
        let storage = Storage { key: key.clone(), dtype, elements };
        self.push(Node::Storage(Box::new(storage)))
    }
}

fn refused(what: String) -> ReadError {
    ReadError::Format(FormatError::RefusedPickle { what })
}
