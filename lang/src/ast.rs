//! What a `.flow` file says, as written: nothing is resolved, and everything keeps its span.

use crate::{Span, names};
use std::fmt;

mod layout;

/// A whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// `//!` lines at its top.
    pub docs: Option<Doc>,
    /// `edition N`, where it is stated.
    pub edition: Option<Edition>,
    /// Every statement that could be understood, in the order of the text.
    pub statements: Vec<Statement>,
    /// Remarks after the last statement.
    pub end_comments: Vec<Comment>,
    /// Remarks inside statements, and those at the end of a statement's line, in the order of the text.
    /// Those on lines of their own before a statement are the statement's.
    pub inner_comments: Vec<InnerComment>,
}

/// A remark on a line of its own: `// text`. No part of a program's meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What follows `//`, blanks at its end left out.
    pub text: String,
    /// Whether an empty line stands above it.
    pub blank_before: bool,
}

/// A remark inside a statement or at the end of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnerComment {
    /// What follows `//`, blanks at its end left out.
    pub text: String,
    /// Whether nothing but blanks stands before it on its line.
    pub own_line: bool,
    /// From `//` to the end of the text.
    pub span: Span,
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
    /// Remarks on lines of their own above it and its docs.
    pub comments: Vec<Comment>,
    /// Whether an empty line separates it, with its docs and annotations, from what stands above.
    pub blank_before: bool,
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
    /// `use std::sampling::{a, b}`, `use "./styles.flow" as styles`.
    Use(Use),
    /// `param name: Type in … = default`.
    Param(Param),
    /// `const NAME: Type = value`.
    Const(Const),
    /// `let pattern = value`.
    Let(Let),
    /// `fn name(a: Type = default) -> Type { … }`.
    Fn(Fn),
    /// `assert condition, "message"`.
    Assert(Assert),
    /// An expression: a call, `each`, `for` or `if` made for its effects; as the last of a block, its value.
    Expr(Expr),
    /// `type Name = "COMFY_NAME"`.
    Type(TypeDecl),
    /// `choices Name = "a" | "b"`.
    Choices(Choices),
    /// `node Name(…) -> (…)`: the declaration of a node.
    Node(Node),
}

impl StatementKind {
    /// The names that the statement gives to something, in order.
    pub fn names(&self) -> Vec<&Ident> {
        match self {
            StatementKind::Use(import) => import.names(),
            StatementKind::Param(param) => vec![&param.name],
            StatementKind::Const(constant) => vec![&constant.name],
            StatementKind::Let(binding) => binding.pattern.names(),
            StatementKind::Fn(function) => vec![&function.name],
            StatementKind::Assert(_) | StatementKind::Expr(_) => Vec::new(),
            StatementKind::Type(declared) => vec![&declared.name],
            StatementKind::Choices(choices) => vec![&choices.name],
            StatementKind::Node(node) => vec![&node.name],
        }
    }
}

/// Names taken from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// Where they are defined.
    pub source: UseSource,
    /// Which ones.
    pub items: UseItems,
}

impl Use {
    /// The names that it gives to something, in order. `use std::sampling` gives `sampling`; a file without
    /// `as` gives nothing.
    pub fn names(&self) -> Vec<&Ident> {
        match (&self.items, &self.source) {
            (UseItems::Module(Some(alias)), _) => vec![alias],
            (UseItems::Module(None), UseSource::Module(path)) => path.segments.last().into_iter().collect(),
            (UseItems::Module(None), UseSource::File { .. }) => Vec::new(),
            (UseItems::Names(items), _) => {
                items.iter().map(|item| item.alias.as_ref().unwrap_or(&item.name)).collect()
            }
        }
    }
}

/// Where used names are defined.
#[derive(Debug, Clone, PartialEq)]
pub enum UseSource {
    /// `std::sampling`.
    Module(Path),
    /// `"./styles.flow"`, relative to the file that says so.
    File {
        /// The path as written.
        path: String,
        /// The string with its quotes.
        span: Span,
    },
}

/// Which names are taken.
#[derive(Debug, Clone, PartialEq)]
pub enum UseItems {
    /// The whole, under a name: `as styles`; a module without `as` goes by its last segment.
    Module(Option<Ident>),
    /// `::{a, b as c}`.
    Names(Vec<UseItem>),
}

/// One name of a `use`.
#[derive(Debug, Clone, PartialEq)]
pub struct UseItem {
    /// The name there.
    pub name: Ident,
    /// The name here, if it differs.
    pub alias: Option<Ident>,
}

/// A known value with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Const {
    /// Its name.
    pub name: Ident,
    /// Its type, where it is stated.
    pub ty: Option<Type>,
    /// The value.
    pub value: Expr,
}

/// A flow: calls under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Fn {
    /// Its name.
    pub name: Ident,
    /// What it takes; positional arguments follow this order.
    pub params: Vec<FnParam>,
    /// What it gives; nothing for a flow that is only effects.
    pub returns: Option<Returns>,
    /// What it does.
    pub body: Block,
}

/// One parameter of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct FnParam {
    /// `///` lines above it.
    pub docs: Option<Doc>,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// Its value where a call gives none.
    pub default: Option<Expr>,
    /// Without docs.
    pub span: Span,
}

/// What follows the arrow of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Returns {
    /// One for `-> Image`; the items of `-> (image: Image, mask: Mask)` or `-> (Image, Mask)`.
    pub outputs: Vec<Return>,
    /// Whether they stand in parentheses.
    pub tuple: bool,
    /// Without the arrow.
    pub span: Span,
}

/// One output of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// Its name, if it has one.
    pub name: Option<Ident>,
    /// Its type.
    pub ty: Type,
}

/// `{ … }`: statements, of which the last gives the value if it is an expression.
///
/// Only `let`, `const`, `assert` and expressions stand in blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it says, in order.
    pub statements: Vec<Statement>,
    /// Remarks after the last statement.
    pub end_comments: Vec<Comment>,
    /// With the braces.
    pub span: Span,
}

/// A condition that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Assert {
    /// The condition.
    pub condition: Expr,
    /// What to say where it does not hold.
    pub message: Option<Expr>,
}

/// A data type of ComfyUI under a name that reads well: `type ClipVision = "CLIP_VISION"`.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeDecl {
    /// The name in `.flow` files.
    pub name: Ident,
    /// ComfyUI's name.
    pub comfy: String,
    /// The string with its quotes.
    pub comfy_span: Span,
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
    /// The inputs that come with this choice: `"scale by" { factor: Float = 2.0 }`. Empty braces still say
    /// that inputs depend on the choice.
    pub inputs: Option<Vec<Input>>,
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
    /// `(a, b)`: at least two.
    Tuple(Vec<Expr>),
    /// `{ x: 0, y: 0 }`: named values, as some inputs take them. All are named.
    Record(Vec<Arg>),
    /// `"scale dimensions" { width: 512 }`: a choice with the inputs that depend on it. Only as an argument.
    Select {
        /// The choice.
        choice: Box<Expr>,
        /// Its inputs, all named.
        inputs: Vec<Arg>,
    },
    /// A name, without backticks.
    Name(String),
    /// `module::name`: at least two segments.
    Path(Path),
    /// `base.member`.
    Member {
        /// What has the member.
        base: Box<Expr>,
        /// Which one.
        member: Member,
    },
    /// `base[index]`.
    Index {
        /// A list.
        base: Box<Expr>,
        /// Counted from 0.
        index: Box<Expr>,
    },
    /// `Name(…)`.
    Call(Call),
    /// `receiver.method(…)`: the function of that name with the receiver as its first argument.
    MethodCall {
        /// The first argument.
        receiver: Box<Expr>,
        /// The function.
        method: Ident,
        /// The other arguments.
        args: Vec<Arg>,
    },
    /// `-a`, `!a`.
    Unary {
        /// Which one.
        op: UnaryOp,
        /// What it is applied to.
        operand: Box<Expr>,
    },
    /// `a + b`.
    Binary {
        /// Which one.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// Left of it.
        left: Box<Expr>,
        /// Right of it.
        right: Box<Expr>,
    },
    /// `if condition { … } else { … }`.
    If(If),
    /// `for x in list { … }`: the list of the body's values.
    For(For),
    /// `each Node(…)`: the call lifted over its list arguments; always holds a call.
    Each(Box<Expr>),
}

/// `if condition { … } else …`.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    /// What decides.
    pub condition: Box<Expr>,
    /// Taken where it is true.
    pub then: Block,
    /// Taken where it is false.
    pub otherwise: Option<Else>,
}

/// What follows `else`.
#[derive(Debug, Clone, PartialEq)]
pub enum Else {
    /// `else { … }`.
    Block(Block),
    /// `else if …`; always an `if`.
    If(Box<Expr>),
}

/// `for pattern in items { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// What receives each element.
    pub pattern: Pattern,
    /// The list.
    pub items: Box<Expr>,
    /// Evaluated for each element.
    pub body: Block,
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`.
    Neg,
    /// `!`.
    Not,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the symbols say it")]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl UnaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "!",
        }
    }
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }

    /// How tightly it binds, 1 loosest. Comparisons (3) do not chain; all others group to the left.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOp::Or => 1,
            BinaryOp::And => 2,
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 3,
            BinaryOp::Add | BinaryOp::Sub => 4,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 5,
        }
    }
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
    /// `Match<"switch">`, `Match<"input", Image | Mask>`: one type for all sockets of a node that say so.
    Match {
        /// What the sockets have in common.
        template: String,
        /// Which types it may be; any, where it is not said.
        allowed: Option<Box<Type>>,
    },
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
            TypeKind::Match { template, allowed: None } => {
                write!(f, "Match<{}>", names::string_literal(template))
            }
            TypeKind::Match { template, allowed: Some(allowed) } => {
                write!(f, "Match<{}, {allowed}>", names::string_literal(template))
            }
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
