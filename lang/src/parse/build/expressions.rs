//! Operands: values, calls, and what follows them.

use super::operators::Placed;
use super::{Builder, Result, child, children, ident, missing, need, shortened, span, string, whole};
use crate::Span;
use crate::ast::*;
use crate::error::{Expected, SyntaxError};
use crate::parse::flat::Flat;
use crate::parse::grammar::Rule;
use crate::parse::strings;
use pest::iterators::Pair;

impl Builder<'_> {
    /// What follows `=`, where there is something.
    pub(super) fn optional_expr(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<Option<Expr>> {
        child(pair, Rule::expr).map(|value| self.expr(flat, &value, depth)).transpose()
    }

    /// The values of a list.
    #[inline(never)]
    pub(super) fn elements(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<Vec<Expr>> {
        self.each_in_group(flat, pair, (Rule::list_group, Rule::expr), |builder, flat, value| {
            builder.expr(flat, &value, depth)
        })
    }

    /// The arguments of a call or an annotation.
    #[inline(never)]
    pub(super) fn args(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Vec<Arg>> {
        let mut named: Option<Span> = None;
        self.each_in_group(flat, pair, (Rule::args_group, Rule::arg), |builder, flat, arg| {
            let built = builder.arg(flat, &arg, depth)?;
            match (&built.name, named) {
                (Some(_), _) => {
                    named.get_or_insert(built.span);
                }
                (None, Some(named)) => {
                    let text = shortened(builder.text.get(built.span.range()).unwrap_or(""));
                    return Err(Box::new(SyntaxError::MisplacedPositional { text, span: built.span, named }));
                }
                (None, None) => {}
            }
            Ok(built)
        })
    }

    #[inline(never)]
    fn fields(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Vec<Arg>> {
        self.each_in_group(flat, pair, (Rule::record_group, Rule::field), |builder, flat, field| {
            builder.arg(flat, &field, depth)
        })
    }

    #[inline(never)]
    fn arg(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Arg> {
        let (mut name, mut value, mut inputs) = (None, None, None);
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::label => name = Some(ident(flat, part)?),
                Rule::expr => value = Some(part),
                Rule::braces => inputs = Some(part),
                _ => {}
            }
        }
        let depth = depth + usize::from(inputs.is_some());
        let value = value.map(|value| self.placed_expr(flat, &value, depth)).transpose()?;
        let value = match (value, inputs) {
            (Some((choice, start)), Some(inputs)) => {
                let span = start.to(span(flat, &inputs));
                let inputs = self.fields(flat, &inputs, depth)?;
                Some(Expr { kind: ExprKind::Select { choice: Box::new(choice), inputs }, span })
            }
            (value, _) => value.map(|(value, _)| value),
        };
        Ok(Arg { name, value, span: span(flat, pair) })
    }

    /// An operand with the operators before and what follows it.
    #[inline(never)]
    pub(super) fn operand(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Placed> {
        let whole = span(flat, pair);
        let mut signs = Vec::new();
        let mut value = None;
        let mut suffixes = Vec::new();
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::unary_op => signs.push(part),
                Rule::suffix => suffixes.push(part),
                Rule::annotation => {}
                _ => value = Some(part),
            }
        }
        let value = value.ok_or_else(|| missing(flat, pair, Expected::Value { after: "this".into() }))?;
        self.check_depth(depth + signs.len() + suffixes.len(), whole)?;
        if suffixes.is_empty()
            && let Some(literal) = negative_literal(flat, &value, &mut signs)?
        {
            return Ok(signed(flat, literal, &signs));
        }
        let above = depth + signs.len();
        let (mut built, start) = self.value(flat, &value, above + suffixes.len())?;
        for (position, suffix) in suffixes.iter().enumerate() {
            let span = start.to(span(flat, suffix));
            built = self.suffix(flat, built, suffix, above + suffixes.len() - position)?;
            built.span = span;
        }
        let end = start.to(suffixes.last().map_or(start, |last| span(flat, last)));
        Ok(signed(flat, (built, end), &signs))
    }

    /// `.name`, `.0`, `.method(…)` or `[index]` behind `base`; `depth` is that of what stands in its brackets.
    #[inline(never)]
    fn suffix(&mut self, flat: &Flat<'_>, base: Expr, pair: &Pair<'_, Rule>, depth: usize) -> Result<Expr> {
        let at = base.span;
        let base = Box::new(base);
        let kind = if let Some(index) = child(pair, Rule::index) {
            let brackets = need(flat, &index, Rule::brackets)?;
            let index = self.group(flat, &brackets, Rule::index_group, |builder, flat, parsed| {
                builder.expr(flat, &need(flat, &parsed, Rule::expr)?, depth)
            })?;
            ExprKind::Index { base, index: Box::new(index) }
        } else {
            let member = need(flat, pair, Rule::member)?;
            match (child(&member, Rule::label), child(pair, Rule::parens)) {
                (Some(method), Some(parens)) => ExprKind::MethodCall {
                    receiver: base,
                    method: ident(flat, method)?,
                    args: self.args(flat, &parens, depth)?,
                },
                (Some(name), None) => ExprKind::Member { base, member: Member::Name(ident(flat, name)?) },
                (None, None) => ExprKind::Member { base, member: slot(flat, &member)? },
                (None, Some(parens)) => {
                    let (expected, found) = (Expected::EndBeforeCall, "`(`".to_owned());
                    return Err(Box::new(SyntaxError::Expected {
                        expected,
                        found,
                        span: span(flat, &parens),
                    }));
                }
            }
        };
        Ok(Expr { kind, span: at })
    }

    #[inline(never)]
    fn value(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Placed> {
        let place = span(flat, pair);
        let kind = match pair.as_rule() {
            Rule::parens => {
                let (kind, span) = self.in_parentheses(flat, pair, depth + 1)?;
                return Ok((Expr { kind, span: span.unwrap_or(place) }, place));
            }
            Rule::fstring => ExprKind::FString(self.fstring(flat, pair, depth)?),
            Rule::brackets => ExprKind::List(self.elements(flat, pair, depth + 1)?),
            Rule::braces => ExprKind::Record(self.fields(flat, pair, depth + 1)?),
            Rule::named => self.named(flat, pair, depth)?,
            Rule::annotated => match child(pair, Rule::each) {
                Some(each) => self.each(flat, pair, &each, depth)?,
                None => ExprKind::Call(self.call(flat, pair, depth)?),
            },
            Rule::each => self.each(flat, pair, pair, depth)?,
            Rule::if_value => return Ok((self.if_value(flat, pair, depth)?, place)),
            Rule::for_value => self.for_value(flat, pair, depth)?,
            _ => plain_value(flat, pair)?,
        };
        Ok((Expr { kind, span: place }, place))
    }

    /// One value in parentheses, which is itself, or several.
    #[inline(never)]
    fn in_parentheses(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<(ExprKind, Option<Span>)> {
        let rules = (Rule::paren_group, Rule::expr);
        let mut values =
            self.each_in_group(flat, pair, rules, |builder, flat, value| builder.expr(flat, &value, depth))?;
        match (values.pop(), values.is_empty()) {
            (Some(only), true) => Ok((only.kind, Some(only.span))),
            (last, _) => {
                values.extend(last);
                Ok((ExprKind::Tuple(values), None))
            }
        }
    }

    #[inline(never)]
    fn call(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Call> {
        Ok(Call {
            annotations: self.annotations(flat, pair, depth)?,
            callee: path(flat, &need(flat, pair, Rule::path)?)?,
            args: self.args(flat, &need(flat, pair, Rule::parens)?, depth + 1)?,
        })
    }

    /// A name, a path or a call.
    #[inline(never)]
    fn named(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<ExprKind> {
        if child(pair, Rule::parens).is_some() {
            return Ok(ExprKind::Call(self.call(flat, pair, depth)?));
        }
        let mut path = path(flat, &need(flat, pair, Rule::path)?)?;
        Ok(match (path.segments.pop(), path.segments.is_empty()) {
            (Some(only), true) => ExprKind::Name(only.name),
            (last, _) => {
                path.segments.extend(last);
                ExprKind::Path(path)
            }
        })
    }

    /// `each` and a call; `outer` has the annotations before it.
    #[inline(never)]
    fn each(
        &mut self,
        flat: &Flat<'_>,
        outer: &Pair<'_, Rule>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<ExprKind> {
        let before = if outer.as_rule() == Rule::annotated {
            self.annotations(flat, outer, depth)?
        } else {
            Vec::new()
        };
        let keyword = span(flat, &need(flat, pair, Rule::kw_each)?);
        let whole = span(flat, pair);
        self.check_depth(depth + 1, whole)?;
        let mut call = self.call(flat, pair, depth + 1)?;
        let first = call.annotations.first().map_or(call.callee.span, |annotation| annotation.span);
        let span = Span { start: first.start.max(keyword.end), end: whole.end };
        call.annotations.splice(0..0, before);
        Ok(ExprKind::Each(Box::new(Expr { kind: ExprKind::Call(call), span })))
    }

    /// `if … else if … else …`: each `else if` stands a level deeper than the one before.
    #[inline(never)]
    fn if_value(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Expr> {
        let end = span(flat, pair);
        let branches = children(pair, Rule::kw_if).count();
        self.check_depth(depth + branches, end)?;
        let mut built: Vec<(Span, Expr, Block)> = Vec::new();
        let mut otherwise = None;
        let mut head = None;
        let mut start = end;
        for part in pair.clone().into_inner() {
            let depth = depth + built.len() + 1;
            match (part.as_rule(), head.take()) {
                (Rule::kw_if, _) => start = span(flat, &part),
                (Rule::head, _) => head = Some(self.expr(flat, &part, depth)?),
                (Rule::braces, Some(condition)) => {
                    built.push((start.to(end), condition, self.block(flat, &part, depth)?));
                }
                (Rule::braces, None) => otherwise = Some(Else::Block(self.block(flat, &part, depth - 1)?)),
                _ => {}
            }
        }
        while let Some((span, condition, then)) = built.pop() {
            let kind = ExprKind::If(If { condition: Box::new(condition), then, otherwise: otherwise.take() });
            let whole = Expr { kind, span };
            if built.is_empty() {
                return Ok(whole);
            }
            otherwise = Some(Else::If(Box::new(whole)));
        }
        Err(missing(flat, pair, Expected::End))
    }

    #[inline(never)]
    fn for_value(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<ExprKind> {
        Ok(ExprKind::For(For {
            pattern: self.pattern(flat, pair)?,
            items: Box::new(self.expr(flat, &need(flat, pair, Rule::head)?, depth + 1)?),
            body: self.block(flat, &need(flat, pair, Rule::braces)?, depth + 1)?,
        }))
    }

    #[inline(never)]
    fn fstring(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Vec<FPart>> {
        let whole = flat.source(span(flat, pair));
        let many_lines = whole.starts_with("f\"\"\"");
        // Text of many lines loses its indent as a whole, so it is put together before it is taken apart.
        let mut texts = if many_lines { raw_texts(flat, pair) } else { Vec::new() }.into_iter();
        let mut parts = Vec::new();
        parts.extend(texts.next().and_then(text_part));
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::fstring_text if !many_lines => {
                    let span = span(flat, &part);
                    parts.push(FPart::Text(strings::fstring_text(flat.source(span), span.start as usize)?));
                }
                Rule::braces => {
                    // The f-string and the braces are a level each, as they are for the scan.
                    let value =
                        self.group(flat, &part, Rule::interpolation_group, |builder, flat, parsed| {
                            builder.expr(flat, &need(flat, &parsed, Rule::expr)?, depth + 2)
                        })?;
                    parts.push(FPart::Expr(value));
                    parts.extend(texts.next().and_then(text_part));
                }
                _ => {}
            }
        }
        Ok(parts)
    }
}

/// The texts before, between and after the values of `f"""…"""`.
fn raw_texts(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Vec<String> {
    let pieces = pair.clone().into_inner().map(|part| match part.as_rule() {
        Rule::fstring_text => flat.source(span(flat, &part)),
        Rule::braces => "{}",
        _ => "",
    });
    strings::raw_fstring_texts(&pieces.collect::<String>())
}

fn text_part(text: String) -> Option<FPart> {
    (!text.is_empty()).then_some(FPart::Text(text))
}

/// A value without parts.
fn plain_value(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<ExprKind> {
    Ok(match pair.as_rule() {
        Rule::string => ExprKind::Str(string(flat, pair)?),
        Rule::number => strings::number(pair.as_str(), false, span(flat, pair))?,
        Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
        Rule::none => ExprKind::None,
        _ => return Err(missing(flat, pair, Expected::Value { after: "this".into() })),
    })
}

fn path(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<Path> {
    let segments =
        pair.clone().into_inner().filter(|part| matches!(part.as_rule(), Rule::name | Rule::label));
    let segments = segments.map(|segment| ident(flat, segment)).collect::<Result<_>>()?;
    Ok(Path { segments, span: span(flat, pair) })
}

fn slot(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<Member> {
    let slot = need(flat, pair, Rule::slot)?;
    Ok(Member::Index { index: whole(flat, &slot)?, span: span(flat, &slot) })
}

/// `-` and a number are one literal: only so can the smallest one be written.
fn negative_literal(
    flat: &Flat<'_>,
    value: &Pair<'_, Rule>,
    signs: &mut Vec<Pair<'_, Rule>>,
) -> Result<Option<Placed>> {
    if value.as_rule() != Rule::number || !signs.last().is_some_and(is_minus) {
        return Ok(None);
    }
    let start = signs.pop().map_or_else(|| span(flat, value), |sign| span(flat, &sign));
    let span = start.to(span(flat, value));
    Ok(Some((Expr { kind: strings::number(value.as_str(), true, span)?, span }, span)))
}

fn is_minus(sign: &Pair<'_, Rule>) -> bool {
    sign.as_str().starts_with('-')
}

/// Applies the operators before an operand, the last one first.
fn signed(flat: &Flat<'_>, (mut built, mut place): Placed, signs: &[Pair<'_, Rule>]) -> Placed {
    for sign in signs.iter().rev() {
        place = span(flat, sign).to(place);
        let op = if is_minus(sign) { UnaryOp::Neg } else { UnaryOp::Not };
        built = Expr { kind: ExprKind::Unary { op, operand: Box::new(built) }, span: place };
    }
    (built, place)
}
