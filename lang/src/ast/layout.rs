//! What of an AST is layout: all that two texts of the same program may differ in.

use super::*;

impl File {
    /// Takes its layout away: remarks, empty lines and spans; `seed: seed` becomes `seed:`, and annotations of the call
    /// that a statement begins with become the statement's. Two texts say the same, word for word, where what
    /// remains is equal. Returns the text of all remarks, sorted.
    pub fn strip_layout(&mut self) -> Vec<String> {
        let mut remarks = Vec::new();
        self.strip(&mut remarks);
        remarks.sort();
        remarks
    }
}

/// Something that has layout; removes it, collecting remarks.
trait Layout {
    fn strip(&mut self, remarks: &mut Vec<String>);
}

impl Layout for Span {
    fn strip(&mut self, _: &mut Vec<String>) {
        *self = Span::new(0, 0);
    }
}

impl<T: Layout> Layout for Vec<T> {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        self.iter_mut().for_each(|item| item.strip(remarks));
    }
}

impl<T: Layout> Layout for Option<T> {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        self.iter_mut().for_each(|item| item.strip(remarks));
    }
}

impl<T: Layout> Layout for Box<T> {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        (**self).strip(remarks);
    }
}

/// What has none.
macro_rules! plain {
    ($($ty:ty),*) => { $(impl Layout for $ty { fn strip(&mut self, _: &mut Vec<String>) {} })* };
}

plain! { String, bool, u32, i128, f64, UnaryOp, BinaryOp, ChoiceValue }

/// Types of which every field is stripped. Naming all fields makes a new one an error here.
macro_rules! fields {
    ($($ty:ident { $($field:ident),* })*) => {
        $(impl Layout for $ty {
            fn strip(&mut self, remarks: &mut Vec<String>) {
                let Self { $($field),* } = self;
                $($field.strip(remarks);)*
            }
        })*
    };
}

fields! {
    Doc { text, span }
    Edition { number, span }
    Ident { name, span }
    Use { source, items }
    UseItem { name, alias }
    Const { name, ty, value }
    Fn { name, params, returns, body }
    FnParam { docs, name, ty, default, span }
    Returns { outputs, tuple, span }
    Return { name, ty }
    Assert { condition, message }
    TypeDecl { name, comfy, comfy_span }
    Param { name, ty, constraint, default }
    Let { pattern, value }
    Choices { name, values }
    Choice { value, inputs, span }
    Node { name, inputs, outputs }
    Input { docs, hidden, name, ty, constraint, default, annotations, span }
    Output { docs, name, ty, annotations, span }
    Constraint { kind, span }
    Annotation { name, args, span }
    Expr { kind, span }
    If { condition, then, otherwise }
    For { pattern, items, body }
    Call { annotations, callee, args }
    Path { segments, span }
    Type { kind, span }
}

/// The same for enums.
macro_rules! variants {
    ($($ty:ident { $($variant:pat => ($($field:ident),*)),* $(,)? })*) => {
        $(impl Layout for $ty {
            fn strip(&mut self, remarks: &mut Vec<String>) {
                match self {
                    $($variant => { $($field.strip(remarks);)* })*
                }
                let _ = remarks;
            }
        })*
    };
}

variants! {
    StatementKind {
        Self::Use(kind) => (kind),
        Self::Param(kind) => (kind),
        Self::Const(kind) => (kind),
        Self::Let(kind) => (kind),
        Self::Fn(kind) => (kind),
        Self::Assert(kind) => (kind),
        Self::Expr(kind) => (kind),
        Self::Type(kind) => (kind),
        Self::Choices(kind) => (kind),
        Self::Node(kind) => (kind),
    }
    UseSource {
        Self::Module(path) => (path),
        Self::File { path, span } => (path, span),
    }
    UseItems {
        Self::Module(alias) => (alias),
        Self::Names(items) => (items),
    }
    Pattern {
        Self::Name(name) => (name),
        Self::Tuple { items, span } => (items, span),
    }
    PatternItem {
        Self::Name(name) => (name),
        Self::Discard(span) => (span),
    }
    ConstraintKind {
        Self::Range { lo, hi } => (lo, hi),
        Self::OneOf(values) => (values),
    }
    ExprKind {
        Self::Int(_) | Self::Float(_) | Self::Bool(_) | Self::None | Self::Str(_) | Self::Name(_) => (),
        Self::FString(parts) => (parts),
        Self::List(elements) | Self::Tuple(elements) => (elements),
        Self::Record(fields) => (fields),
        Self::Select { choice, inputs } => (choice, inputs),
        Self::Path(path) => (path),
        Self::Member { base, member } => (base, member),
        Self::Index { base, index } => (base, index),
        Self::Call(call) => (call),
        Self::MethodCall { receiver, method, args } => (receiver, method, args),
        Self::Unary { op, operand } => (op, operand),
        Self::Binary { op, op_span, left, right } => (op, op_span, left, right),
        Self::If(choice) => (choice),
        Self::For(repeat) => (repeat),
        Self::Each(call) => (call),
    }
    Else {
        Self::Block(block) => (block),
        Self::If(next) => (next),
    }
    FPart {
        Self::Text(text) => (text),
        Self::Expr(value) => (value),
    }
    Member {
        Self::Name(name) => (name),
        Self::Index { index, span } => (index, span),
    }
    TypeKind {
        Self::Name(_) => (),
        Self::Optional(inner) | Self::List(inner) => (inner),
        Self::Union(alternatives) => (alternatives),
        Self::Choices(values) => (values),
        Self::Match { template, allowed } => (template, allowed),
        Self::File { folder, folder_span } => (folder, folder_span),
    }
}

impl Layout for File {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        let Self { docs, edition, statements, end_comments, inner_comments } = self;
        docs.strip(remarks);
        edition.strip(remarks);
        statements.strip(remarks);
        take_remarks(end_comments, remarks);
        remarks.extend(inner_comments.drain(..).map(|comment| comment.text.trim().to_owned()));
    }
}

impl Layout for Statement {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        let Self { comments, blank_before, docs, annotations, kind, span } = self;
        take_remarks(comments, remarks);
        *blank_before = false;
        docs.strip(remarks);
        if let StatementKind::Expr(expr) = kind
            && let Some(call) = leading_call(expr)
        {
            annotations.append(&mut call.annotations);
        }
        annotations.strip(remarks);
        kind.strip(remarks);
        span.strip(remarks);
    }
}

impl Layout for Block {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        let Self { statements, end_comments, span } = self;
        statements.strip(remarks);
        take_remarks(end_comments, remarks);
        span.strip(remarks);
    }
}

impl Layout for Arg {
    fn strip(&mut self, remarks: &mut Vec<String>) {
        let Self { name, value, span } = self;
        let same = |value: &mut Expr| matches!((&value.kind, &name), (ExprKind::Name(value), Some(name)) if *value == name.name);
        drop(value.take_if(same));
        name.strip(remarks);
        value.strip(remarks);
        span.strip(remarks);
    }
}

/// The call that an expression begins with, perhaps in parentheses.
fn leading_call(expr: &mut Expr) -> Option<&mut Call> {
    let mut expr = expr;
    loop {
        expr = match &mut expr.kind {
            ExprKind::Call(call) => return Some(call),
            ExprKind::Each(inner)
            | ExprKind::Binary { left: inner, .. }
            | ExprKind::Member { base: inner, .. }
            | ExprKind::Index { base: inner, .. }
            | ExprKind::MethodCall { receiver: inner, .. } => inner,
            _ => return None,
        };
    }
}

fn take_remarks(comments: &mut Vec<Comment>, remarks: &mut Vec<String>) {
    remarks.extend(comments.drain(..).map(|comment| comment.text.trim().to_owned()));
}
