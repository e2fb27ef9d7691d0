//! Any AST that a text may have.

use crate::Span;
use crate::ast::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::{option, sample};

/// Words of the language, and what is no identifier.
const ODD: &[&str] = &[
    "if",
    "true",
    "let",
    "node",
    "null",
    "hidden",
    "random",
    "in",
    "as",
    "File",
    "Match",
    "größe",
    "a b",
    "2a",
    "_x",
    "a`b\\",
    "Image Resize (rgthree)",
    "type",
];

/// What strings find hard.
const PIECES: &[&str] = &[
    "a", "word", " ", "  ", "\n", "\n    ", "\"", "\"\"\"", "\\", "\\n", "\\u{", "{", "}", "{{", "(b:1.2)",
    "\t", "\r", "\u{1b}", "é", "🌵", "`", "//", "\u{2003}",
];

const AT: Span = Span { start: 7, end: 7 };

pub(super) fn file() -> impl Strategy<Value = File> {
    let edition = option::of((0_u32..3).prop_map(|number| Edition { number, span: AT }));
    (option::of(docs()), edition, vec(statement().prop_map(with_effect), 0..6), vec(comment(), 0..3))
        .prop_map(|(docs, edition, statements, end_comments)| File {
            docs,
            edition,
            statements,
            end_comments,
            inner_comments: Vec::new(),
        })
}

/// A name: mostly plain, sometimes a word of the language or no identifier.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-zA-Z][a-z0-9_]{0,9}", 1 => sample::select(ODD).prop_map(str::to_owned)]
}

fn ident() -> impl Strategy<Value = Ident> {
    name().prop_map(|name| Ident { name, span: AT })
}

/// Text with everything that strings find hard.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[a-z ]{0,12}",
        2 => vec(sample::select(PIECES), 0..10).prop_map(|pieces| pieces.concat()),
        1 => vec("[ ]{0,4}[a-z\"\\\\{]{0,6}", 1..5).prop_map(|lines| lines.join("\n")),
        1 => "[a-z ]{90,120}",
    ]
}

fn docs() -> impl Strategy<Value = Doc> {
    vec(" ?([a-z/!] ?){0,6}", 1..3).prop_map(|lines| {
        let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
        Doc { text: lines.join("\n"), span: AT }
    })
}

/// A file of statements alone.
pub(super) fn statements(count: std::ops::Range<usize>) -> impl Strategy<Value = File> {
    vec(statement().prop_map(with_effect), count).prop_map(|statements| File {
        docs: None,
        edition: None,
        statements,
        end_comments: Vec::new(),
        inner_comments: Vec::new(),
    })
}

fn comment() -> impl Strategy<Value = Comment> {
    (" [a-z/!\"(]{1,8}", any::<bool>()).prop_map(|(text, blank_before)| Comment { text, blank_before })
}

fn statement() -> impl Strategy<Value = Statement> {
    let kind = prop_oneof![
        1 => import().prop_map(StatementKind::Use),
        2 => param().prop_map(StatementKind::Param),
        4 => block_kind(expr()),
        2 => function().prop_map(StatementKind::Fn),
        1 => (ident(), text()).prop_map(|(name, comfy)| StatementKind::Type(TypeDecl { name, comfy, comfy_span: AT })),
        1 => (ident(), vec(choice(2), 1..9)).prop_map(|(name, values)| StatementKind::Choices(Choices { name, values })),
        2 => (ident(), vec(input(2), 0..5), vec(output(), 0..3))
            .prop_map(|(name, inputs, outputs)| StatementKind::Node(Node { name, inputs, outputs })),
    ];
    (vec(comment(), 0..3), any::<bool>(), option::of(docs()), vec(annotation(leaf()), 0..3), kind).prop_map(
        |(comments, blank_before, docs, annotations, kind)| {
            make(comments, blank_before, docs, annotations, kind)
        },
    )
}

fn make(
    comments: Vec<Comment>,
    blank_before: bool,
    docs: Option<Doc>,
    annotations: Vec<Annotation>,
    kind: StatementKind,
) -> Statement {
    Statement { comments, blank_before, docs, annotations, kind, span: AT }
}

/// A value on its own stands at the end of a block only: anywhere else it becomes an argument.
fn with_effect(mut statement: Statement) -> Statement {
    use ExprKind::{Call as Called, Each, For, If, MethodCall};
    if let StatementKind::Expr(expr) = &mut statement.kind
        && !matches!(expr.kind, Called(_) | MethodCall { .. } | Each(_) | If(_) | For(_))
    {
        let callee = Path { segments: vec![Ident { name: "node".into(), span: AT }], span: AT };
        let value = std::mem::replace(expr, spanned(ExprKind::None));
        let args = vec![Arg { name: None, value: Some(value), span: AT }];
        *expr = spanned(Called(Call { annotations: Vec::new(), callee, args }));
    }
    statement
}

fn import() -> impl Strategy<Value = Use> {
    let item = (ident(), option::of(ident())).prop_map(|(name, alias)| UseItem { name, alias });
    let source = prop_oneof![
        vec(ident(), 1..3).prop_map(|segments| UseSource::Module(Path { segments, span: AT })),
        text().prop_map(|path| UseSource::File { path, span: AT }),
    ];
    (source, option::of(ident()), vec(item, 0..9), any::<bool>()).prop_map(|(source, alias, items, whole)| {
        // A file is used under a name.
        let alias = match source {
            UseSource::File { .. } => alias.or(Some(Ident { name: "x".into(), span: AT })),
            UseSource::Module(_) => alias,
        };
        Use { source, items: if whole { UseItems::Module(alias) } else { UseItems::Names(items) } }
    })
}

fn param() -> impl Strategy<Value = Param> {
    (ident(), ty(2), option::of(constraint()), option::of(leaf()))
        .prop_map(|(name, ty, constraint, default)| Param { name, ty, constraint, default })
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let kind = prop_oneof![
        (number(), number())
            .prop_map(|(lo, hi)| ConstraintKind::Range { lo: Box::new(lo), hi: Box::new(hi) }),
        vec(leaf(), 0..5).prop_map(ConstraintKind::OneOf),
    ];
    kind.prop_map(|kind| Constraint { kind, span: AT })
}

fn function() -> impl Strategy<Value = Fn> {
    let param = (option::of(docs()), ident(), ty(1), option::of(leaf()))
        .prop_map(|(docs, name, ty, default)| FnParam { docs, name, ty, default, span: AT });
    (ident(), vec(param, 0..6), option::of(returns()), block(expr()))
        .prop_map(|(name, params, returns, body)| Fn { name, params, returns, body })
}

fn returns() -> impl Strategy<Value = Returns> {
    let named = (option::of(ident()), ty(1)).prop_map(|(name, ty)| Return { name, ty });
    prop_oneof![
        returned_type().prop_map(|ty| Returns {
            outputs: vec![Return { name: None, ty }],
            tuple: false,
            span: AT
        }),
        vec(named, 0..4).prop_map(|outputs| Returns { outputs, tuple: true, span: AT }),
    ]
}

/// A type that no braces of a body may follow wrongly.
fn returned_type() -> impl Strategy<Value = Type> {
    prop_oneof![plain_type(), plain_type().prop_map(|inner| wrapped(TypeKind::Optional(Box::new(inner))))]
}

fn wrapped(kind: TypeKind) -> Type {
    Type { kind, span: AT }
}

fn plain_type() -> impl Strategy<Value = Type> {
    prop_oneof![4 => name().prop_map(|name| wrapped(TypeKind::Name(name))),
        1 => name().prop_map(|name| wrapped(TypeKind::List(Box::new(wrapped(TypeKind::Name(name))))))]
}

fn ty(depth: u32) -> BoxedStrategy<Type> {
    let allowed = option::of(prop_oneof![
        plain_type(),
        vec(plain_type(), 2..4).prop_map(|all| wrapped(TypeKind::Union(all)))
    ]);
    let flat = prop_oneof![
        4 => plain_type(),
        1 => (text(), allowed).prop_map(|(template, allowed)| wrapped(TypeKind::Match { template, allowed: allowed.map(Box::new) })),
        1 => text().prop_map(|folder| wrapped(TypeKind::File { folder, folder_span: AT })),
        1 => vec(choice(depth), 1..7).prop_map(|values| wrapped(TypeKind::Choices(values))),
    ]
    .boxed();
    // Choices alone would be one set.
    let union = (plain_type(), vec(flat.clone(), 1..4)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        wrapped(TypeKind::Union(rest))
    });
    let one = prop_oneof![4 => flat, 1 => union].boxed();
    prop_oneof![
        4 => one.clone(),
        1 => one.prop_map(|inner| wrapped(TypeKind::Optional(Box::new(inner)))),
    ]
    .boxed()
}

fn choice(depth: u32) -> BoxedStrategy<Choice> {
    let value = prop_oneof![text().prop_map(ChoiceValue::Str), (-9_i128..99).prop_map(ChoiceValue::Int)];
    let inputs = if depth == 0 {
        Just(None).boxed()
    } else {
        prop_oneof![4 => Just(None), 1 => vec(input(depth - 1), 0..3).prop_map(Some)].boxed()
    };
    (value, inputs).prop_map(|(value, inputs)| Choice { value, inputs, span: AT }).boxed()
}

fn input(depth: u32) -> BoxedStrategy<Input> {
    let annotations = vec(annotation(leaf()), 0..3);
    let parts = (option::of(docs()), any::<bool>(), ident(), ty(depth), option::of(constraint()));
    (parts, option::of(leaf()), annotations)
        .prop_map(|((docs, hidden, name, ty, constraint), default, annotations)| Input {
            docs,
            hidden,
            name,
            ty,
            constraint,
            default,
            annotations,
            span: AT,
        })
        .boxed()
}

fn output() -> impl Strategy<Value = Output> {
    (option::of(docs()), ident(), ty(1), vec(annotation(leaf()), 0..2))
        .prop_map(|(docs, name, ty, annotations)| Output { docs, name, ty, annotations, span: AT })
}

fn annotation(value: impl Strategy<Value = Expr> + 'static) -> impl Strategy<Value = Annotation> {
    (ident(), args(value.boxed(), 3)).prop_map(|(name, args)| Annotation { name, args, span: AT })
}

fn spanned(kind: ExprKind) -> Expr {
    Expr { kind, span: AT }
}

fn number() -> impl Strategy<Value = Expr> {
    let int = prop_oneof![-99_i128..999, Just(i128::from(u64::MAX)), Just(i128::from(i64::MIN))];
    let float =
        prop_oneof![-9.0_f64..9.0, any::<f64>().prop_filter("finite", |value| value.is_finite()), Just(5.0)];
    prop_oneof![int.prop_map(ExprKind::Int), float.prop_map(ExprKind::Float)].prop_map(spanned)
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        3 => number(),
        1 => any::<bool>().prop_map(|value| spanned(ExprKind::Bool(value))),
        1 => Just(spanned(ExprKind::None)),
        4 => text().prop_map(|text| spanned(ExprKind::Str(text))),
        5 => name().prop_map(|name| spanned(ExprKind::Name(name))),
        1 => path(2).prop_map(|path| spanned(ExprKind::Path(path))),
    ]
}

fn path(least: usize) -> impl Strategy<Value = Path> {
    vec(ident(), least..4).prop_map(|segments| Path { segments, span: AT })
}

/// Positional arguments, then named ones.
fn args(value: BoxedStrategy<Expr>, most: usize) -> impl Strategy<Value = Vec<Arg>> {
    let positional = value.clone().prop_map(|value| Arg { name: None, value: Some(value), span: AT });
    (vec(positional, 0..2), fields(value, most)).prop_map(|(mut args, named)| {
        args.extend(named);
        args
    })
}

fn fields(value: BoxedStrategy<Expr>, most: usize) -> impl Strategy<Value = Vec<Arg>> {
    vec((ident(), option::of(value)), 0..most).prop_map(|named| {
        named.into_iter().map(|(name, value)| Arg { name: Some(name), value, span: AT }).collect()
    })
}

/// Values that only arguments have, too.
fn arg_value(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let select = (leaf(), fields(inner.clone(), 3))
        .prop_map(|(choice, inputs)| spanned(ExprKind::Select { choice: Box::new(choice), inputs }));
    prop_oneof![6 => inner, 1 => select].boxed()
}

fn fstring(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Expr> {
    vec((text(), option::of(inner)), 0..4).prop_map(|pieces| {
        let mut parts = Vec::new();
        for (text, value) in pieces {
            match parts.last_mut() {
                _ if text.is_empty() => {}
                Some(FPart::Text(before)) => before.push_str(&text),
                _ => parts.push(FPart::Text(text)),
            }
            parts.extend(value.map(FPart::Expr));
        }
        spanned(ExprKind::FString(parts))
    })
}

pub(super) fn expr() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![8 => leaf().boxed(), 1 => fstring(leaf().boxed()).boxed()];
    leaf.prop_recursive(4, 48, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let call = (vec(annotation(leaf_boxed()), 0..2), path(1), args(arg_value(inner.clone()), 4))
            .prop_map(|(annotations, callee, args)| spanned(ExprKind::Call(Call { annotations, callee, args }))).boxed();
        let member = prop_oneof![
            ident().prop_map(Member::Name),
            (0_u32..4).prop_map(|index| Member::Index { index, span: AT })
        ];
        let unary = (sample::select(vec![UnaryOp::Neg, UnaryOp::Not]), boxed.clone());
        prop_oneof![
            6 => call.clone(),
            1 => call.prop_map(|call| spanned(ExprKind::Each(Box::new(call)))),
            1 => vec(inner.clone(), 0..5).prop_map(|list| spanned(ExprKind::List(list))),
            1 => vec(inner.clone(), 2..4).prop_map(|tuple| spanned(ExprKind::Tuple(tuple))),
            1 => fields(arg_value(inner.clone()), 3).prop_map(|fields| spanned(ExprKind::Record(fields))),
            1 => (boxed.clone(), member).prop_map(|(base, member)| spanned(ExprKind::Member { base, member })),
            1 => (boxed.clone(), boxed.clone()).prop_map(|(base, index)| spanned(ExprKind::Index { base, index })),
            1 => (boxed.clone(), ident(), args(arg_value(inner.clone()), 3))
                .prop_map(|(receiver, method, args)| spanned(ExprKind::MethodCall { receiver, method, args })),
            1 => unary.prop_map(|(op, operand)| applied(op, operand)),
            3 => (operator(), boxed.clone(), boxed.clone())
                .prop_map(|(op, left, right)| spanned(ExprKind::Binary { op, op_span: AT, left, right })),
            1 => choose(inner.clone()),
            1 => (pattern(), boxed, block(inner.clone()))
                .prop_map(|(pattern, items, body)| spanned(ExprKind::For(For { pattern, items, body }))),
        ]
    })
    .boxed()
}

fn leaf_boxed() -> BoxedStrategy<Expr> {
    leaf().boxed()
}

fn operator() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::{Add, And, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Rem, Sub};
    sample::select(vec![Or, And, Eq, Ne, Lt, Le, Gt, Ge, Add, Sub, Mul, Div, Rem])
}

fn choose(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Expr> {
    let branch = (inner.clone(), block(inner.clone()));
    (vec(branch, 1..4), option::of(block(inner))).prop_map(|(mut branches, last)| {
        let mut otherwise = last.map(Else::Block);
        while branches.len() > 1 {
            let (condition, then) = branches.pop().unwrap();
            let condition = Box::new(condition);
            otherwise = Some(Else::If(Box::new(spanned(ExprKind::If(If { condition, then, otherwise })))));
        }
        let (condition, then) = branches.pop().unwrap();
        spanned(ExprKind::If(If { condition: Box::new(condition), then, otherwise }))
    })
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let item = prop_oneof![ident().prop_map(PatternItem::Name), Just(PatternItem::Discard(AT))];
    prop_oneof![
        ident().prop_map(Pattern::Name),
        vec(item, 1..12).prop_map(|items| Pattern::Tuple { items, span: AT })
    ]
}

/// The negative of a number is a number.
fn applied(op: UnaryOp, operand: Box<Expr>) -> Expr {
    match operand.kind {
        ExprKind::Int(0..) if op == UnaryOp::Neg => *operand,
        ExprKind::Float(value) if op == UnaryOp::Neg && value.is_sign_positive() => *operand,
        _ => spanned(ExprKind::Unary { op, operand }),
    }
}

/// Several values are no condition.
fn no_tuple(condition: Expr) -> Expr {
    match condition.kind {
        ExprKind::Tuple(values) => Expr { kind: ExprKind::List(values), span: condition.span },
        _ => condition,
    }
}

/// What stands in blocks as well.
fn block_kind(value: BoxedStrategy<Expr>) -> impl Strategy<Value = StatementKind> {
    prop_oneof![
        3 => (pattern(), value.clone()).prop_map(|(pattern, value)| StatementKind::Let(Let { pattern, value })),
        1 => (ident(), option::of(ty(1)), value.clone())
            .prop_map(|(name, ty, value)| StatementKind::Const(Const { name, ty, value })),
        1 => (value.clone(), option::of(value.clone()))
            .prop_map(|(condition, message)| StatementKind::Assert(Assert { condition: no_tuple(condition), message })),
        3 => value.prop_map(StatementKind::Expr),
    ]
}

fn block(value: BoxedStrategy<Expr>) -> impl Strategy<Value = Block> {
    let statement = (vec(comment(), 0..2), any::<bool>(), block_kind(value))
        .prop_map(|(comments, blank_before, kind)| make(comments, blank_before, None, Vec::new(), kind));
    (vec(statement, 0..3), vec(comment(), 0..2)).prop_map(|(statements, end_comments)| {
        let last = statements.len().saturating_sub(1);
        let fit = |(place, one)| if place == last { one } else { with_effect(one) };
        Block { statements: statements.into_iter().enumerate().map(fit).collect(), end_comments, span: AT }
    })
}
