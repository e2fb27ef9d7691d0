//! Declarations of nodes and sets of choices, and annotations.

use super::{Builder, Result, child, children, ident, need, number_literal, span, string};
use crate::Span;
use crate::ast::*;
use crate::error::{Expected, NumberProblem, SyntaxError};
use crate::parse::flat::Flat;
use crate::parse::grammar::Rule;
use crate::parse::split::add_doc_text;
use pest::iterators::Pair;

impl Builder<'_> {
    pub(super) fn choices(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Choices> {
        let name = ident(flat, need(flat, &pair, Rule::binding)?)?;
        let values = children(&pair, Rule::choice).map(|value| self.choice(flat, &value, depth));
        Ok(Choices { name, values: values.collect::<Result<_>>()? })
    }

    pub(super) fn choice(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Choice> {
        let whole = span(flat, pair);
        let value = match child(pair, Rule::string) {
            Some(text) => ChoiceValue::Str(string(flat, &text)?),
            None => {
                let number = need(flat, pair, Rule::number_literal)?;
                match number_literal(flat, &number)? {
                    ExprKind::Int(number) => ChoiceValue::Int(number),
                    _ => {
                        let (text, span) = (number.as_str().to_owned(), span(flat, &number));
                        return Err(Box::new(SyntaxError::BadNumber {
                            text,
                            problem: NumberProblem::NotWhole,
                            span,
                        }));
                    }
                }
            }
        };
        let inputs = child(pair, Rule::braces).map(|braces| {
            let rules = (Rule::choice_group, Rule::input);
            self.each_in_group(flat, &braces, rules, |builder, flat, input| {
                builder.input(flat, &input, depth + 1)
            })
        });
        Ok(Choice { value, inputs: inputs.transpose()?, span: whole })
    }

    pub(super) fn node(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Node> {
        let name = ident(flat, need(flat, &pair, Rule::label)?)?;
        let mut parens = children(&pair, Rule::parens);
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        if let Some(group) = parens.next() {
            let rules = (Rule::inputs_group, Rule::input);
            inputs = self.each_in_group(flat, &group, rules, |builder, flat, input| {
                builder.input(flat, &input, depth + 1)
            })?;
        }
        if let Some(group) = parens.next() {
            let rules = (Rule::outputs_group, Rule::output);
            outputs = self.each_in_group(flat, &group, rules, |builder, flat, output| {
                builder.output(flat, &output, depth + 1)
            })?;
        }
        Ok(Node { name, inputs, outputs })
    }

    fn input(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Input> {
        Ok(Input {
            docs: docs(flat, pair),
            hidden: child(pair, Rule::hidden).is_some(),
            name: ident(flat, need(flat, pair, Rule::label)?)?,
            ty: self.ty(flat, &need(flat, pair, Rule::ty)?, depth)?,
            constraint: self.constraint_of(flat, pair, depth)?,
            default: self.optional_expr(flat, pair, depth)?,
            annotations: self.annotations(flat, pair, depth)?,
            span: span_without_docs(flat, pair),
        })
    }

    fn output(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Output> {
        Ok(Output {
            docs: docs(flat, pair),
            name: ident(flat, need(flat, pair, Rule::label)?)?,
            ty: self.ty(flat, &need(flat, pair, Rule::ty)?, depth)?,
            annotations: self.annotations(flat, pair, depth)?,
            span: span_without_docs(flat, pair),
        })
    }

    pub(super) fn constraint_of(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<Option<Constraint>> {
        let Some(pair) = child(pair, Rule::constraint) else { return Ok(None) };
        let kind = match child(&pair, Rule::brackets) {
            Some(list) => ConstraintKind::OneOf(self.elements(flat, &list, depth + 1)?),
            None => {
                let range = need(flat, &pair, Rule::range)?;
                let mut ends = children(&range, Rule::number_literal);
                let mut end = || -> Result<Box<Expr>> {
                    let literal = ends.next().ok_or_else(|| super::missing(flat, &range, Expected::Range))?;
                    Ok(Box::new(Expr { kind: number_literal(flat, &literal)?, span: span(flat, &literal) }))
                };
                ConstraintKind::Range { lo: end()?, hi: end()? }
            }
        };
        Ok(Some(Constraint { kind, span: span(flat, &pair) }))
    }

    pub(super) fn annotations(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<Vec<Annotation>> {
        children(pair, Rule::annotation).map(|annotation| self.annotation(flat, &annotation, depth)).collect()
    }

    pub(super) fn annotation(
        &mut self,
        flat: &Flat<'_>,
        pair: &Pair<'_, Rule>,
        depth: usize,
    ) -> Result<Annotation> {
        let args = child(pair, Rule::parens).map(|parens| self.args(flat, &parens, depth + 1)).transpose()?;
        Ok(Annotation {
            name: ident(flat, need(flat, pair, Rule::label)?)?,
            args: args.unwrap_or_default(),
            span: span(flat, pair),
        })
    }
}

/// The `///` lines above an input, an output or a parameter.
pub(super) fn docs(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Option<Doc> {
    let mut docs = None;
    for line in children(pair, Rule::doc) {
        let text = line.as_str();
        let start = line.as_span().start();
        let span = flat.span(start, start + text.trim_end().len());
        add_doc_text(&mut docs, text.strip_prefix("///").unwrap_or(text), span);
    }
    docs
}

pub(super) fn span_without_docs(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Span {
    let first = pair.clone().into_inner().find(|inner| inner.as_rule() != Rule::doc);
    let whole = span(flat, pair);
    first.map_or(whole, |first| span(flat, &first).to(whole))
}
