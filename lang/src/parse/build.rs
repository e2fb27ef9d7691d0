//! From the pairs of one parsed statement to its AST.

use super::MAX_NESTING;
use super::grammar::Rule;
use super::split::add_doc_line;
use super::strings;
use crate::Span;
use crate::ast::*;
use crate::error::{Expected, Feature, NumberProblem, SyntaxError};
use pest::iterators::{Pair, Pairs};

/// What one statement turned out to be.
pub(super) enum Built {
    Edition(Edition),
    Statement(Box<Statement>),
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// Builds a statement from what the grammar matched; `source` stands at byte `offset` of its file.
pub(super) fn statement(pairs: Pairs<'_, Rule>, source: &str, offset: usize) -> Result<Built> {
    let builder = Builder { offset };
    let span = Span::new(offset, offset + source.len());
    let mut annotations = Vec::new();
    for pair in pairs.flat_map(Pair::into_inner) {
        let kind = match pair.as_rule() {
            Rule::annotation => {
                annotations.push(builder.annotation(pair, 0)?);
                continue;
            }
            Rule::edition => {
                let number = builder.edition(pair)?;
                return Ok(Built::Edition(Edition { number, span }));
            }
            Rule::param => StatementKind::Param(builder.param(pair)?),
            Rule::let_binding => StatementKind::Let(builder.let_binding(pair)?),
            Rule::type_decl => StatementKind::Type(builder.type_decl(pair)?),
            Rule::choices => StatementKind::Choices(builder.choices(pair)?),
            Rule::node => StatementKind::Node(builder.node(pair)?),
            Rule::effect => StatementKind::Expr(builder.effect(pair)?),
            Rule::later => return Err(builder.later(pair)),
            _ => continue,
        };
        return Ok(Built::Statement(Box::new(Statement {
            comments: Vec::new(),
            blank_before: false,
            docs: None,
            annotations,
            kind,
            span,
        })));
    }
    // The grammar matches nothing else; saying so is better than trusting it.
    Err(SyntaxError::Expected { expected: Expected::Statement, found: "something else".into(), span })
}

struct Builder {
    offset: usize,
}

/// The first part of a rule that is one of these.
fn child<'i>(pair: &Pair<'i, Rule>, rule: Rule) -> Option<Pair<'i, Rule>> {
    pair.clone().into_inner().find(|inner| inner.as_rule() == rule)
}

impl Builder {
    /// Where a pair stands. It ends with its last token: pest counts the blanks before an optional part
    /// that is not there.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let mut last = pair.clone();
        while let Some(inner) = last.clone().into_inner().next_back() {
            last = inner;
        }
        Span::new(self.offset + pair.as_span().start(), self.offset + last.as_span().end())
    }

    /// What to say where the grammar did not keep a promise; no text is known to lead here.
    fn missing(&self, pair: &Pair<'_, Rule>, expected: Expected) -> SyntaxError {
        let found = format!("`{}`", shortened(pair.as_str()));
        SyntaxError::Expected { expected, found, span: self.span(pair) }
    }

    fn need<'i>(&self, pair: &Pair<'i, Rule>, rule: Rule) -> Result<Pair<'i, Rule>> {
        child(pair, rule).ok_or_else(|| self.missing(pair, Expected::End))
    }

    fn later(&self, pair: Pair<'_, Rule>) -> SyntaxError {
        let word = child(&pair, Rule::later_word).unwrap_or(pair);
        SyntaxError::Unsupported { feature: Feature::Word(word.as_str().to_owned()), span: self.span(&word) }
    }

    fn edition(&self, pair: Pair<'_, Rule>) -> Result<u32> {
        let number = self.need(&pair, Rule::number)?;
        self.whole(&number)
    }

    fn whole(&self, pair: &Pair<'_, Rule>) -> Result<u32> {
        let (text, span) = (pair.as_str(), self.span(pair));
        let fail = |problem| SyntaxError::BadNumber { text: text.to_owned(), problem, span };
        match strings::number(text, false, span)? {
            ExprKind::Int(value) => u32::try_from(value).map_err(|_| fail(NumberProblem::TooLarge)),
            _ => Err(fail(NumberProblem::NotWhole)),
        }
    }

    fn param(&self, pair: Pair<'_, Rule>) -> Result<Param> {
        Ok(Param {
            name: self.ident(self.need(&pair, Rule::binding)?)?,
            ty: self.ty(self.need(&pair, Rule::ty)?)?,
            constraint: child(&pair, Rule::constraint).map(|found| self.constraint(found)).transpose()?,
            default: child(&pair, Rule::expr).map(|found| self.expr(found, 0)).transpose()?,
        })
    }

    fn let_binding(&self, pair: Pair<'_, Rule>) -> Result<Let> {
        let pattern = match child(&pair, Rule::tuple_pattern) {
            Some(tuple) => {
                let span = self.span(&tuple);
                let mut items = Vec::new();
                for item in tuple.into_inner() {
                    match item.as_rule() {
                        Rule::binding => items.push(PatternItem::Name(self.ident(item)?)),
                        Rule::discard => items.push(PatternItem::Discard(self.span(&item))),
                        _ => {}
                    }
                }
                Pattern::Tuple { items, span }
            }
            None => Pattern::Name(self.ident(self.need(&pair, Rule::binding)?)?),
        };
        Ok(Let { pattern, value: self.expr(self.need(&pair, Rule::expr)?, 0)? })
    }

    fn type_decl(&self, pair: Pair<'_, Rule>) -> Result<TypeDecl> {
        let comfy = self.need(&pair, Rule::string)?;
        Ok(TypeDecl {
            name: self.ident(self.need(&pair, Rule::binding)?)?,
            comfy: self.string(&comfy)?,
            comfy_span: self.span(&comfy),
        })
    }

    fn choices(&self, pair: Pair<'_, Rule>) -> Result<Choices> {
        let name = self.ident(self.need(&pair, Rule::binding)?)?;
        let values = pair.into_inner().filter(|inner| inner.as_rule() == Rule::choice);
        Ok(Choices { name, values: values.map(|value| self.choice(value)).collect::<Result<_>>()? })
    }

    fn choice(&self, pair: Pair<'_, Rule>) -> Result<Choice> {
        let span = self.span(&pair);
        let value = match child(&pair, Rule::string) {
            Some(text) => ChoiceValue::Str(self.string(&text)?),
            None => match self.number_literal(&self.need(&pair, Rule::number_literal)?)? {
                ExprKind::Int(number) => ChoiceValue::Int(number),
                _ => {
                    let problem = NumberProblem::NotWhole;
                    return Err(SyntaxError::BadNumber { text: pair.as_str().to_owned(), problem, span });
                }
            },
        };
        let inputs = child(&pair, Rule::choice_inputs).map(|found| {
            let inputs = found.into_inner().filter(|inner| inner.as_rule() == Rule::input);
            inputs.map(|input| self.input(input)).collect::<Result<Vec<_>>>()
        });
        Ok(Choice { value, inputs: inputs.transpose()?, span })
    }

    fn node(&self, pair: Pair<'_, Rule>) -> Result<Node> {
        let name = self.ident(self.need(&pair, Rule::label)?)?;
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::input => inputs.push(self.input(part)?),
                Rule::results => {
                    for output in part.into_inner().filter(|inner| inner.as_rule() == Rule::output) {
                        outputs.push(self.output(output)?);
                    }
                }
                _ => {}
            }
        }
        Ok(Node { name, inputs, outputs })
    }

    fn input(&self, pair: Pair<'_, Rule>) -> Result<Input> {
        Ok(Input {
            docs: self.docs(&pair),
            hidden: child(&pair, Rule::hidden).is_some(),
            name: self.ident(self.need(&pair, Rule::label)?)?,
            ty: self.ty(self.need(&pair, Rule::ty)?)?,
            constraint: child(&pair, Rule::constraint).map(|found| self.constraint(found)).transpose()?,
            default: child(&pair, Rule::expr).map(|found| self.expr(found, 0)).transpose()?,
            annotations: self.annotations(&pair, 0)?,
            span: self.span_without_docs(&pair),
        })
    }

    fn output(&self, pair: Pair<'_, Rule>) -> Result<Output> {
        Ok(Output {
            docs: self.docs(&pair),
            name: self.ident(self.need(&pair, Rule::label)?)?,
            ty: self.ty(self.need(&pair, Rule::ty)?)?,
            annotations: self.annotations(&pair, 0)?,
            span: self.span_without_docs(&pair),
        })
    }

    fn docs(&self, pair: &Pair<'_, Rule>) -> Option<Doc> {
        let mut docs = None;
        for line in pair.clone().into_inner().filter(|inner| inner.as_rule() == Rule::doc) {
            let text = line.as_str();
            let start = self.offset + line.as_span().start();
            let span = Span::new(start, start + text.trim_end().len());
            add_doc_line(&mut docs, text.strip_prefix("///").unwrap_or(text), span);
        }
        docs
    }

    fn span_without_docs(&self, pair: &Pair<'_, Rule>) -> Span {
        let first = pair.clone().into_inner().find(|inner| inner.as_rule() != Rule::doc);
        let whole = self.span(pair);
        first.map_or(whole, |first| self.span(&first).to(whole))
    }

    fn constraint(&self, pair: Pair<'_, Rule>) -> Result<Constraint> {
        let span = self.span(&pair);
        let kind = match child(&pair, Rule::list) {
            Some(list) => ConstraintKind::OneOf(self.elements(list, 1)?),
            None => {
                let range = self.need(&pair, Rule::range)?;
                let mut ends =
                    range.clone().into_inner().filter(|inner| inner.as_rule() == Rule::number_literal);
                let mut end = || -> Result<Box<Expr>> {
                    let literal = ends.next().ok_or_else(|| self.missing(&range, Expected::Range))?;
                    Ok(Box::new(Expr { kind: self.number_literal(&literal)?, span: self.span(&literal) }))
                };
                ConstraintKind::Range { lo: end()?, hi: end()? }
            }
        };
        Ok(Constraint { kind, span })
    }

    fn ty(&self, pair: Pair<'_, Rule>) -> Result<Type> {
        let span = self.span(&pair);
        let parts = pair.into_inner().filter(|inner| inner.as_rule() == Rule::ty_part);
        let mut parts = parts.map(|part| self.ty_part(part)).collect::<Result<Vec<_>>>()?;
        if parts.len() < 2 {
            let only = parts.pop();
            let found = "nothing".to_owned();
            let expected = Expected::Type { after: "this".into() };
            return only.ok_or(SyntaxError::Expected { expected, found, span });
        }
        if let Some(part) = parts.iter().find(|part| matches!(part.kind, TypeKind::Optional(_))) {
            let (expected, found) = (Expected::OptionalUnion, format!("`{part}` in a union"));
            return Err(SyntaxError::Expected { expected, found, span: part.span });
        }
        let flat: Vec<Type> = parts
            .into_iter()
            .flat_map(|part| match part.kind {
                TypeKind::Union(inner) => inner,
                _ => vec![part],
            })
            .collect();
        let all_choices = flat.iter().all(|part| matches!(part.kind, TypeKind::Choices(_)));
        let kind = if all_choices {
            TypeKind::Choices(
                flat.into_iter()
                    .flat_map(|part| match part.kind {
                        TypeKind::Choices(values) => values,
                        _ => Vec::new(),
                    })
                    .collect(),
            )
        } else {
            TypeKind::Union(flat)
        };
        Ok(Type { kind, span })
    }

    fn ty_part(&self, pair: Pair<'_, Rule>) -> Result<Type> {
        let span = self.span(&pair);
        let mut ty = None;
        for part in pair.clone().into_inner() {
            let span = self.span(&part);
            let kind = match part.as_rule() {
                Rule::ty_name => TypeKind::Name(self.ident(self.need(&part, Rule::label)?)?.name),
                Rule::choice => TypeKind::Choices(vec![self.choice(part)?]),
                Rule::ty_file => {
                    let folder = self.need(&part, Rule::string)?;
                    TypeKind::File { folder: self.string(&folder)?, folder_span: self.span(&folder) }
                }
                Rule::ty_match => TypeKind::Match {
                    template: self.string(&self.need(&part, Rule::string)?)?,
                    allowed: child(&part, Rule::ty).map(|ty| self.ty(ty)).transpose()?.map(Box::new),
                },
                Rule::ty_list => TypeKind::List(Box::new(self.ty(self.need(&part, Rule::ty)?)?)),
                Rule::ty_group => self.ty(self.need(&part, Rule::ty)?)?.kind,
                _ => continue,
            };
            ty = Some(Type { kind, span });
        }
        let ty = ty.ok_or_else(|| self.missing(&pair, Expected::Type { after: "this".into() }))?;
        // `(T?)?` says no more than `T?`.
        if child(&pair, Rule::question).is_some() && !matches!(ty.kind, TypeKind::Optional(_)) {
            return Ok(Type { kind: TypeKind::Optional(Box::new(ty)), span });
        }
        Ok(ty)
    }

    fn annotations(&self, pair: &Pair<'_, Rule>, depth: usize) -> Result<Vec<Annotation>> {
        let found = pair.clone().into_inner().filter(|inner| inner.as_rule() == Rule::annotation);
        found.map(|annotation| self.annotation(annotation, depth)).collect()
    }

    fn annotation(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Annotation> {
        let span = self.span(&pair);
        let name = self.ident(self.need(&pair, Rule::label)?)?;
        Ok(Annotation { name, args: self.args(&pair, depth + 1)?, span })
    }

    fn args(&self, pair: &Pair<'_, Rule>, depth: usize) -> Result<Vec<Arg>> {
        let mut args = Vec::new();
        let mut named = None;
        for arg in pair.clone().into_inner().filter(|inner| inner.as_rule() == Rule::arg) {
            let span = self.span(&arg);
            let name = child(&arg, Rule::label).map(|label| self.ident(label)).transpose()?;
            let value = child(&arg, Rule::expr).map(|value| self.expr(value, depth)).transpose()?;
            match (&name, named) {
                (Some(_), None) => named = Some(span),
                (None, Some(named)) => {
                    let text = shortened(arg.as_str());
                    return Err(SyntaxError::MisplacedPositional { text, span, named });
                }
                _ => {}
            }
            args.push(Arg { name, value, span });
        }
        Ok(args)
    }

    fn fields(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Vec<Arg>> {
        let fields = pair.into_inner().filter(|inner| inner.as_rule() == Rule::field);
        let field = |field: Pair<'_, Rule>| {
            Ok(Arg {
                name: Some(self.ident(self.need(&field, Rule::label)?)?),
                value: child(&field, Rule::expr).map(|value| self.expr(value, depth)).transpose()?,
                span: self.span(&field),
            })
        };
        fields.map(field).collect()
    }

    fn effect(&self, pair: Pair<'_, Rule>) -> Result<Expr> {
        let value = self.need(&pair, Rule::expr)?;
        let text = shortened(value.as_str());
        let built = self.expr(value, 0)?;
        if matches!(built.kind, ExprKind::Call(_)) {
            return Ok(built);
        }
        let found = format!("the value `{text}` on its own");
        Err(SyntaxError::Expected { expected: Expected::Effect, found, span: built.span })
    }

    fn elements(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Vec<Expr>> {
        let values = pair.into_inner().filter(|inner| inner.as_rule() == Rule::expr);
        values.map(|value| self.expr(value, depth)).collect()
    }

    /// `depth` is how many levels of the tree lie above, so that no tree is deeper than the limit: member
    /// accesses nest without brackets.
    fn expr(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Expr> {
        let start = self.span(&pair);
        let members: Vec<_> =
            pair.clone().into_inner().filter(|inner| inner.as_rule() == Rule::member).collect();
        let depth = depth + members.len();
        if depth > MAX_NESTING {
            return Err(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span: start });
        }
        let atom = pair.clone().into_inner().next();
        let atom = atom.ok_or_else(|| self.missing(&pair, Expected::Value { after: "this".into() }))?;
        let mut built = self.atom(atom, depth)?;
        for member in members {
            let span = start_to(start, self.span(&member));
            let member = self.member(member)?;
            built = Expr { kind: ExprKind::Member { base: Box::new(built), member }, span };
        }
        Ok(built)
    }

    fn member(&self, pair: Pair<'_, Rule>) -> Result<Member> {
        match child(&pair, Rule::index) {
            Some(index) => Ok(Member::Index { index: self.whole(&index)?, span: self.span(&index) }),
            None => Ok(Member::Name(self.ident(self.need(&pair, Rule::label)?)?)),
        }
    }

    fn atom(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Expr> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::fstring => ExprKind::FString(self.fstring(pair, depth)?),
            Rule::raw_string => {
                let text = pair.as_str();
                let inner = text.get(3..text.len().saturating_sub(3)).unwrap_or("");
                ExprKind::Str(strings::raw_text(inner))
            }
            Rule::string => ExprKind::Str(self.string(&pair)?),
            Rule::number_literal => self.number_literal(&pair)?,
            Rule::record => ExprKind::Record(self.fields(pair, depth + 1)?),
            Rule::list => ExprKind::List(self.elements(pair, depth + 1)?),
            Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
            Rule::none => ExprKind::None,
            Rule::name => ExprKind::Name(self.ident(pair)?.name),
            Rule::call => ExprKind::Call(self.call(pair, depth)?),
            _ => return Err(self.missing(&pair, Expected::Value { after: "this".into() })),
        };
        Ok(Expr { kind, span })
    }

    fn call(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Call> {
        let path = self.need(&pair, Rule::path)?;
        let span = self.span(&path);
        let mut segments = Vec::new();
        for segment in path.into_inner() {
            if matches!(segment.as_rule(), Rule::name | Rule::label) {
                segments.push(self.ident(segment)?);
            }
        }
        Ok(Call {
            annotations: self.annotations(&pair, depth)?,
            callee: Path { segments, span },
            args: self.args(&pair, depth + 1)?,
        })
    }

    fn fstring(&self, pair: Pair<'_, Rule>, depth: usize) -> Result<Vec<FPart>> {
        let mut parts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::fstring_text => {
                    let at = self.offset + part.as_span().start();
                    parts.push(FPart::Text(strings::fstring_text(part.as_str(), at)?));
                }
                Rule::interpolation => {
                    // The f-string and the braces are a level each, as they are for the scan.
                    parts.push(FPart::Expr(self.expr(self.need(&part, Rule::expr)?, depth + 2)?));
                }
                _ => {}
            }
        }
        Ok(parts)
    }

    fn number_literal(&self, pair: &Pair<'_, Rule>) -> Result<ExprKind> {
        let number = self.need(pair, Rule::number)?;
        let negative = child(pair, Rule::minus).is_some();
        strings::number(number.as_str(), negative, self.span(pair))
    }

    fn string(&self, pair: &Pair<'_, Rule>) -> Result<String> {
        self.unquoted(pair, '"')
    }

    fn unquoted(&self, pair: &Pair<'_, Rule>, quote: char) -> Result<String> {
        let text = pair.as_str();
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
        strings::unescape(inner, self.offset + pair.as_span().start() + 1, quote)
    }

    /// A name of any rule: `name`, `binding` and `label` differ in what may be bare only.
    fn ident(&self, pair: Pair<'_, Rule>) -> Result<Ident> {
        let span = self.span(&pair);
        let name = match child(&pair, Rule::quoted) {
            Some(quoted) => self.unquoted(&quoted, '`')?,
            None => pair.as_str().to_owned(),
        };
        Ok(Ident { name, span })
    }
}

fn start_to(start: Span, end: Span) -> Span {
    Span { start: start.start, end: end.end }
}

/// Enough of a text to recognise it in a message.
pub(super) fn shortened(text: &str) -> String {
    const ENOUGH: usize = 32;
    let line = text.lines().next().unwrap_or("");
    if line.len() == text.len() && line.chars().count() <= ENOUGH {
        return line.to_owned();
    }
    format!("{}…", line.chars().take(ENOUGH).collect::<String>().trim_end())
}
