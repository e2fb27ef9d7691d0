//! Statements and blocks.

use super::{Builder, Result, child, children, ident, missing, need, span, string, with_stack};
use crate::Span;
use crate::ast::*;
use crate::error::{Expected, SyntaxError};
use crate::parse::flat::Flat;
use crate::parse::grammar::Rule;
use crate::parse::split::{Chunk, split};
use pest::iterators::Pair;

/// What one statement turned out to be.
pub(in crate::parse) enum Built {
    Edition(Edition),
    Statement(Box<Statement>),
}

/// Where a statement stands.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::parse) enum Place {
    File,
    Block,
    /// The last of a block, which may be its value.
    EndOfBlock,
}

impl Builder<'_> {
    /// Builds one statement, or reports the first thing that is wrong with it.
    pub(in crate::parse) fn statement(&mut self, chunk: Chunk, place: Place, depth: usize) -> Option<Built> {
        let outer = std::mem::replace(&mut self.statement, chunk.first);
        let built = self.statement_kind(&chunk, place, depth);
        self.statement = outer;
        match built {
            Ok(built) => Some(self.with_leading(built, chunk)),
            Err(error) => {
                // What is wrong in the body of a flow is told even where its head cannot be read.
                if let Some((opener, closer)) = self.body(&chunk) {
                    with_stack(|| self.statements(opener, closer, depth + 1));
                }
                let cause = self.broken_outside_body(&chunk);
                self.errors.push(cause.unwrap_or(*error));
                None
            }
        }
    }

    fn with_leading(&mut self, mut built: Built, chunk: Chunk) -> Built {
        if let Built::Statement(statement) = &mut built {
            statement.blank_before = chunk.blank_before;
            statement.comments = self.claim(chunk.comments);
            statement.docs = chunk.docs;
        }
        built
    }

    /// Remarks that are part of the tree; the others are left for the file.
    pub(in crate::parse) fn claim(&mut self, comments: Vec<(usize, Comment)>) -> Vec<Comment> {
        let claim = |(index, comment)| {
            if let Some(claimed) = self.claimed.get_mut(index) {
                *claimed = true;
            }
            comment
        };
        comments.into_iter().map(claim).collect()
    }

    /// What the scan found wrong, which is more certain than what does not parse. What stands in the body of a flow is
    /// told by the statements there.
    fn broken_outside_body(&self, chunk: &Chunk) -> Option<SyntaxError> {
        let (opener, closer) = self.body(chunk).unwrap_or((chunk.last, chunk.last));
        let head = self.scan.first_error(chunk.first, opener + 1);
        head.or_else(|| self.scan.first_error(closer, chunk.last)).cloned()
    }

    /// The braces of a flow's body.
    fn body(&self, chunk: &Chunk) -> Option<(usize, usize)> {
        let word = |at: usize| self.scan.tokens.get(at).and_then(|token| self.text.get(token.span.range()));
        let mut at = chunk.first;
        let mut in_fn = false;
        while at < chunk.last {
            match word(at) {
                Some("fn") => in_fn = true,
                Some("{") if in_fn => return Some((at, self.scan.closer(at)?)),
                _ => {}
            }
            at = self.scan.after(at);
        }
        None
    }

    fn statement_kind(&mut self, chunk: &Chunk, place: Place, depth: usize) -> Result<Built> {
        let flat = Flat::of(self.text, self.scan, chunk.first, chunk.last);
        let flat = flat.ok_or_else(|| self.broken(chunk.first, chunk.last))?;
        let pair = self.parse(Rule::statement, &flat)?;
        let whole = flat.span(0, flat.text.len());
        let mut annotations = Vec::new();
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::annotation => annotations.push(self.annotation(&flat, &part, depth)?),
                Rule::EOI => {}
                Rule::edition if place == Place::File => {
                    let number = super::whole(&flat, &need(&flat, &part, Rule::number)?)?;
                    return Ok(Built::Edition(Edition { number, span: whole }));
                }
                _ => {
                    self.check_place(&flat, &part, place)?;
                    let kind = self.kind(&flat, part, place, depth)?;
                    return Ok(Built::Statement(Box::new(Statement {
                        comments: Vec::new(),
                        blank_before: false,
                        docs: None,
                        annotations,
                        kind,
                        span: whole,
                    })));
                }
            }
        }
        Err(missing(&flat, &pair, Expected::Statement))
    }

    /// Blocks hold only what has a meaning there.
    fn check_place(&self, flat: &Flat<'_>, part: &Pair<'_, Rule>, place: Place) -> Result<()> {
        let word = match part.as_rule() {
            _ if place == Place::File => return Ok(()),
            Rule::import => "use",
            Rule::edition => "edition",
            Rule::param => "param",
            Rule::function => "fn",
            Rule::type_decl => "type",
            Rule::choices => "choices",
            Rule::node => "node",
            _ => return Ok(()),
        };
        let start = part.as_span().start();
        Err(Box::new(SyntaxError::NotInBlock { word, span: flat.span(start, start + word.len()) }))
    }

    fn kind(
        &mut self,
        flat: &Flat<'_>,
        part: Pair<'_, Rule>,
        place: Place,
        depth: usize,
    ) -> Result<StatementKind> {
        Ok(match part.as_rule() {
            Rule::import => StatementKind::Use(self.import(flat, part)?),
            Rule::param => StatementKind::Param(self.param(flat, part, depth)?),
            Rule::constant => StatementKind::Const(self.constant(flat, part, depth)?),
            Rule::let_binding => StatementKind::Let(self.let_binding(flat, part, depth)?),
            Rule::function => StatementKind::Fn(self.function(flat, part, depth)?),
            Rule::assertion => StatementKind::Assert(self.assertion(flat, part, depth)?),
            Rule::type_decl => StatementKind::Type(type_decl(flat, part)?),
            Rule::choices => StatementKind::Choices(self.choices(flat, part, depth)?),
            Rule::node => StatementKind::Node(self.node(flat, part, depth)?),
            Rule::effect => StatementKind::Expr(self.effect(flat, part, place, depth)?),
            _ => return Err(missing(flat, &part, Expected::Statement)),
        })
    }

    /// `{ … }` as statements.
    pub(super) fn block(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Block> {
        let (opener, closer) = self.brackets(flat, pair)?;
        self.check_depth(depth, span(flat, pair))?;
        let (statements, end_comments) = with_stack(|| self.statements(opener, closer, depth));
        Ok(Block { statements, end_comments, span: span(flat, pair) })
    }

    fn statements(&mut self, opener: usize, closer: usize, depth: usize) -> (Vec<Statement>, Vec<Comment>) {
        let token = |at: usize| self.scan.tokens.get(at).map_or(Span::new(0, 0), |token| token.span);
        let within = Span { start: token(opener).end, end: token(closer).start };
        let found = split(self.text, self.scan, opener + 1, closer, within);
        self.errors.extend(found.errors);
        let mut statements = Vec::new();
        let mut chunks = found.chunks.into_iter().peekable();
        while let Some(chunk) = chunks.next() {
            let place = if chunks.peek().is_some() { Place::Block } else { Place::EndOfBlock };
            if let Some(Built::Statement(statement)) = self.statement(chunk, place, depth) {
                statements.push(*statement);
            }
        }
        (statements, self.claim(found.end_comments))
    }

    fn import(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>) -> Result<Use> {
        let source = match (child(&pair, Rule::import_path), child(&pair, Rule::string)) {
            (Some(path), _) => UseSource::Module(Path {
                segments: children(&path, Rule::label)
                    .map(|label| ident(flat, label))
                    .collect::<Result<_>>()?,
                span: span(flat, &path),
            }),
            (None, Some(file)) => UseSource::File { path: string(flat, &file)?, span: span(flat, &file) },
            (None, None) => return Err(missing(flat, &pair, Expected::Statement)),
        };
        let items = match (child(&pair, Rule::import_as), child(&pair, Rule::braces)) {
            (_, Some(braces)) => {
                let rules = (Rule::import_group, Rule::import_item);
                UseItems::Names(
                    self.each_in_group(flat, &braces, rules, |_, flat, item| import_item(flat, &item))?,
                )
            }
            (Some(alias), None) => UseItems::Module(Some(ident(flat, need(flat, &alias, Rule::binding)?)?)),
            (None, None) => UseItems::Module(None),
        };
        Ok(Use { source, items })
    }

    fn param(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Param> {
        Ok(Param {
            name: ident(flat, need(flat, &pair, Rule::binding)?)?,
            ty: self.ty(flat, &need(flat, &pair, Rule::ty)?, depth)?,
            constraint: self.constraint_of(flat, &pair, depth)?,
            default: self.optional_expr(flat, &pair, depth)?,
        })
    }

    fn constant(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Const> {
        Ok(Const {
            name: ident(flat, need(flat, &pair, Rule::binding)?)?,
            ty: child(&pair, Rule::ty).map(|ty| self.ty(flat, &ty, depth)).transpose()?,
            value: self.expr(flat, &need(flat, &pair, Rule::expr)?, depth)?,
        })
    }

    fn let_binding(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Let> {
        Ok(Let {
            pattern: self.pattern(flat, &pair)?,
            value: self.expr(flat, &need(flat, &pair, Rule::expr)?, depth)?,
        })
    }

    /// What stands between `let` and `=`, or between `for` and `in`.
    pub(super) fn pattern(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<Pattern> {
        let Some(parens) = child(pair, Rule::parens) else {
            return Ok(Pattern::Name(ident(flat, need(flat, pair, Rule::binding)?)?));
        };
        let items = self.group(flat, &parens, Rule::pattern_group, |_, flat, parsed| {
            let item = |item: Pair<'_, Rule>| match item.as_rule() {
                Rule::binding => Some(ident(flat, item).map(PatternItem::Name)),
                Rule::discard => Some(Ok(PatternItem::Discard(span(flat, &item)))),
                _ => None,
            };
            parsed.into_inner().filter_map(item).collect::<Result<Vec<_>>>()
        })?;
        Ok(Pattern::Tuple { items, span: span(flat, &parens) })
    }

    fn function(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Fn> {
        // The body comes first: what is wrong in there is told even where the head is wrong as well.
        let body = self.block(flat, &need(flat, &pair, Rule::braces)?, depth + 1)?;
        let params = need(flat, &pair, Rule::parens)?;
        let params = self.each_in_group(
            flat,
            &params,
            (Rule::params_group, Rule::fn_param),
            |builder, flat, param| {
                Ok(FnParam {
                    docs: super::declarations::docs(flat, &param),
                    name: ident(flat, need(flat, &param, Rule::binding)?)?,
                    ty: builder.ty(flat, &need(flat, &param, Rule::ty)?, depth + 1)?,
                    default: builder.optional_expr(flat, &param, depth + 1)?,
                    span: super::declarations::span_without_docs(flat, &param),
                })
            },
        )?;
        Ok(Fn {
            name: ident(flat, need(flat, &pair, Rule::binding)?)?,
            params,
            returns: child(&pair, Rule::returns)
                .map(|found| self.returns(flat, &found, depth))
                .transpose()?,
            body,
        })
    }

    fn returns(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Returns> {
        let span = span(flat, pair);
        if let Some(bare) = child(pair, Rule::ty_bare) {
            let ty = self.ty(flat, &bare, depth)?;
            return Ok(Returns { outputs: vec![Return { name: None, ty }], tuple: false, span });
        }
        let rules = (Rule::returns_group, Rule::fn_return);
        let outputs =
            self.each_in_group(flat, &need(flat, pair, Rule::parens)?, rules, |builder, flat, output| {
                Ok(Return {
                    name: child(&output, Rule::label).map(|label| ident(flat, label)).transpose()?,
                    ty: builder.ty(flat, &need(flat, &output, Rule::ty)?, depth + 1)?,
                })
            })?;
        Ok(Returns { outputs, tuple: true, span })
    }

    fn assertion(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, depth: usize) -> Result<Assert> {
        let mut parts = children(&pair, Rule::expr);
        let condition = parts.next().ok_or_else(|| missing(flat, &pair, Expected::End))?;
        let condition = self.expr(flat, &condition, depth)?;
        let message = parts.next().map(|message| self.expr(flat, &message, depth)).transpose()?;
        if matches!(condition.kind, ExprKind::Tuple(_)) {
            let found = "several values in parentheses".to_owned();
            return Err(Box::new(SyntaxError::Expected {
                expected: Expected::Condition,
                found,
                span: condition.span,
            }));
        }
        Ok(Assert { condition, message })
    }

    fn effect(&mut self, flat: &Flat<'_>, pair: Pair<'_, Rule>, place: Place, depth: usize) -> Result<Expr> {
        let value = need(flat, &pair, Rule::expr)?;
        let built = self.expr(flat, &value, depth)?;
        let does_something = matches!(
            built.kind,
            ExprKind::Call(_)
                | ExprKind::MethodCall { .. }
                | ExprKind::Each(_)
                | ExprKind::If(_)
                | ExprKind::For(_)
        );
        if does_something || place == Place::EndOfBlock {
            return Ok(built);
        }
        let text = self.text.get(built.span.range()).unwrap_or("");
        let found = format!("the value `{}` on its own", super::shortened(text));
        Err(Box::new(SyntaxError::Expected { expected: Expected::Effect, found, span: built.span }))
    }
}

fn import_item(flat: &Flat<'_>, pair: &Pair<'_, Rule>) -> Result<UseItem> {
    let alias = child(pair, Rule::binding).map(|binding| ident(flat, binding)).transpose()?;
    match (child(pair, Rule::label), alias) {
        (Some(name), alias) => Ok(UseItem { name: ident(flat, name)?, alias }),
        (None, Some(name)) => Ok(UseItem { name, alias: None }),
        (None, None) => Err(missing(flat, pair, Expected::End)),
    }
}

fn type_decl(flat: &Flat<'_>, pair: Pair<'_, Rule>) -> Result<TypeDecl> {
    let comfy = need(flat, &pair, Rule::string)?;
    Ok(TypeDecl {
        name: ident(flat, need(flat, &pair, Rule::binding)?)?,
        comfy: string(flat, &comfy)?,
        comfy_span: span(flat, &comfy),
    })
}
