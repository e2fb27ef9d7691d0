//! What a `.flow` file says, as written: nothing is resolved, and everything keeps its span.

use crate::{Span, names};
use std::fmt;

/// A whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// `//!` lines at its top.
    pub docs: Option<Doc>,
    /// `edition N`, where it is stated.
    pub edition: Option<Edition>,
    /// Every statement that could be understood, in the order of the text.
    pub statements: Vec<Statement>,
}

/// Documentation: consecutive `///` or `//!` lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// The lines without their markers and the blank after those, joined by newlines.
    pub text: String,
    /// From the first marker to the end of the last line.
    pub span: Span,
}

/// `edition N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// The number N.
    pub number: u32,
    /// The whole statement.
    pub span: Span,
}

/// A name as written somewhere, without its backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// With the backticks, where there are some.
    pub span: Span,
}

/// A statement with what stands before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// `///` lines above it.
    pub docs: Option<Doc>,
    /// `@…` before it, in order.
    pub annotations: Vec<Annotation>,
    /// What it does.
    pub kind: StatementKind,
    /// From its first annotation to its end, without docs.
    pub span: Span,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `param name: Type in … = default`.
    Param(Param),
    /// `let pattern = value`.
    Let(Let),
    /// A call made for its effect.
    Call(Expr),
    /// `choices Name = "a" | "b"`.
    Choices(Choices),
    /// `node Name(…) -> (…)`: the declaration of a node.
    Node(Node),
}

impl StatementKind {
    /// The names that the statement gives to something, in order.
    pub fn names(&self) -> Vec<&Ident> {
        match self {
            StatementKind::Param(param) => vec![&param.name],
            StatementKind::Let(binding) => binding.pattern.names(),
            StatementKind::Call(_) => Vec::new(),
            StatementKind::Choices(choices) => vec![&choices.name],
            StatementKind::Node(node) => vec![&node.name],
        }
    }
}

/// A parameter of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// What follows `in`.
    pub constraint: Option<Constraint>,
    /// What follows `=`.
    pub default: Option<Expr>,
}

/// A binding.
#[derive(Debug, Clone, PartialEq)]
pub struct Let {
    /// What receives the value.
    pub pattern: Pattern,
    /// The value.
    pub value: Expr,
}

/// The left side of a `let`.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// `let name = …`.
    Name(Ident),
    /// `let (a, _, c) = …`.
    Tuple {
        /// The places in order.
        items: Vec<PatternItem>,
        /// With the parentheses.
        span: Span,
    },
}

impl Pattern {
    /// The names it binds, in order.
    pub fn names(&self) -> Vec<&Ident> {
        match self {
            Pattern::Name(name) => vec![name],
            Pattern::Tuple { items, .. } => items
                .iter()
                .filter_map(|item| match item {
                    PatternItem::Name(name) => Some(name),
                    PatternItem::Discard(_) => None,
                })
                .collect(),
        }
    }
}

/// One place of a tuple pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum PatternItem {
    /// A name for this output.
    Name(Ident),
    /// `_`: this output is not needed.
    Discard(Span),
}

/// A named set of choices.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices {
    /// Its name, used as a type.
    pub name: Ident,
    /// The choices, in the order they are offered.
    pub values: Vec<Choice>,
}

/// One choice of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is chosen.
    pub value: ChoiceValue,
    /// Where it is written.
    pub span: Span,
}

/// What a choice stands for: ComfyUI has choices of strings and of whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceValue {
    /// `"euler"`.
    Str(String),
    /// `2`.
    Int(i128),
}

/// A node declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its class name.
    pub name: Ident,
    /// Its inputs, in the order that widgets and positional arguments follow.
    pub inputs: Vec<Input>,
    /// Its outputs.
    pub outputs: Vec<Output>,
}

/// One input of a node declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// `///` lines above it.
    pub docs: Option<Doc>,
    /// Whether `hidden` precedes the name: the runtime fills it in.
    pub hidden: bool,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// What follows `in`.
    pub constraint: Option<Constraint>,
    /// What follows `=`.
    pub default: Option<Expr>,
    /// `@…` after it, in order.
    pub annotations: Vec<Annotation>,
    /// Without docs.
    pub span: Span,
}

/// One output of a node declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// `///` lines above it.
    pub docs: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// `@…` after it, in order.
    pub annotations: Vec<Annotation>,
    /// Without docs.
    pub span: Span,
}

/// What follows `in`: the values that are allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// A range or a list.
    pub kind: ConstraintKind,
    /// With the word `in`.
    pub span: Span,
}

/// The values that are allowed.
#[derive(Debug, Clone, PartialEq)]
pub enum ConstraintKind {
    /// `lo..=hi`, both included; both are number literals.
    Range {
        /// The smallest value.
        lo: Box<Expr>,
        /// The largest value.
        hi: Box<Expr>,
    },
    /// `["a", "b"]`.
    OneOf(Vec<Expr>),
}

/// `@name` or `@name(args)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The name after `@`.
    pub name: Ident,
    /// Its arguments; empty without parentheses.
    pub args: Vec<Arg>,
    /// From `@` on.
    pub span: Span,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is written.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A whole number between `i64::MIN` and `u64::MAX`.
    Int(i128),
    /// A finite number with a point or an exponent.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `none`: an optional socket that is left open.
    None,
    /// `"…"` or `"""…"""`, escapes resolved and indent stripped.
    Str(String),
    /// `f"…{expr}…"`.
    FString(Vec<FPart>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// A name, without backticks.
    Name(String),
    /// `base.member`.
    Member {
        /// What has the member.
        base: Box<Expr>,
        /// Which one.
        member: Member,
    },
    /// `Name(…)`.
    Call(Call),
}

/// A piece of an f-string.
#[derive(Debug, Clone, PartialEq)]
pub enum FPart {
    /// Text, escapes resolved.
    Text(String),
    /// `{expr}`.
    Expr(Expr),
}

/// What follows the point of a member access.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    /// `.name`.
    Name(Ident),
    /// `.0`.
    Index {
        /// Counted from 0.
        index: u32,
        /// The digits.
        span: Span,
    },
}

impl Member {
    /// Where it is written, without the point.
    pub fn span(&self) -> Span {
        match self {
            Member::Name(ident) => ident.span,
            Member::Index { span, .. } => *span,
        }
    }
}

/// A call of a node or a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `@…` before a call inside an expression. Those before a whole statement are the statement's.
    pub annotations: Vec<Annotation>,
    /// What is called.
    pub callee: Path,
    /// The arguments in order; positional ones come first.
    pub args: Vec<Arg>,
}

/// `name` or `module::name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// At least one name.
    pub segments: Vec<Ident>,
    /// From the first name to the last.
    pub span: Span,
}

impl Path {
    /// The name itself where the path is only one.
    pub fn as_name(&self) -> Option<&Ident> {
        match self.segments.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            if position > 0 {
                f.write_str("::")?;
            }
            f.write_str(&names::reference(&segment.name))?;
        }
        Ok(())
    }
}

/// An argument of a call or an annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// The name before the colon; positional arguments have none.
    pub name: Option<Ident>,
    /// The value; none means `name:`, short for `name: name`. A positional argument always has one.
    pub value: Option<Expr>,
    /// The whole argument.
    pub span: Span,
}

/// A type. `Display` writes it as it is written in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where it is written.
    pub span: Span,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// A data type, a scalar or a named set of choices, without backticks.
    Name(String),
    /// `T?`: may be left out.
    Optional(Box<Type>),
    /// `Image | Mask`: at least two alternatives, none of them optional or a union itself.
    Union(Vec<Type>),
    /// `"a" | "b"`: choices written in place, at least one.
    Choices(Vec<Choice>),
    /// `File<"loras">`: the name of a file in that model folder.
    File {
        /// The folder's name.
        folder: String,
        /// The string with its quotes.
        folder_span: Span,
    },
    /// `[T]`.
    List(Box<Type>),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TypeKind::Name(name) => f.write_str(&names::label(name)),
            TypeKind::Optional(inner) if inner.is_union() => write!(f, "({inner})?"),
            TypeKind::Optional(inner) => write!(f, "{inner}?"),
            TypeKind::Union(alternatives) => alternation(f, alternatives),
            TypeKind::Choices(values) => alternation(f, values),
            TypeKind::File { folder, .. } => write!(f, "File<{}>", names::string_literal(folder)),
            TypeKind::List(inner) => write!(f, "[{inner}]"),
        }
    }
}

impl Type {
    fn is_union(&self) -> bool {
        match &self.kind {
            TypeKind::Union(_) => true,
            TypeKind::Choices(values) => values.len() > 1,
            _ => false,
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl fmt::Display for ChoiceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChoiceValue::Str(text) => f.write_str(&names::string_literal(text)),
            ChoiceValue::Int(number) => number.fmt(f),
        }
    }
}

fn alternation(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            f.write_str(" | ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
