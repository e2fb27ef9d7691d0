//! Types.

use super::{Builder, Result, child, ident, missing, need, span, string};
use crate::ast::*;
use crate::error::{Expected, SyntaxError};
use crate::parse::flat::Flat;
use crate::parse::grammar::Rule;
use pest::iterators::Pair;

impl Builder<'_> {
    /// A type of any rule: `ty`, `ty_bare` and `ty_match_any` differ in what they allow only.
    pub(super) fn ty(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Type> {
        let span = span(flat, pair);
        let is_part = |rule| matches!(rule, Rule::ty_part | Rule::ty_bare_part | Rule::ty_match_part);
        let parts: Vec<_> = pair.clone().into_inner().filter(|part| is_part(part.as_rule())).collect();
        let depth = depth + usize::from(parts.len() > 1);
        self.check_depth(depth, span)?;
        let mut parts =
            parts.iter().map(|part| self.ty_part(flat, part, depth)).collect::<Result<Vec<_>>>()?;
        if parts.len() < 2 {
            let only = parts.pop();
            return only.ok_or_else(|| missing(flat, pair, Expected::Type { after: "this".into() }));
        }
        if let Some(part) = parts.iter().find(|part| matches!(part.kind, TypeKind::Optional(_))) {
            let (expected, found) = (Expected::OptionalUnion, format!("`{part}` in a union"));
            return Err(Box::new(SyntaxError::Expected { expected, found, span: part.span }));
        }
        Ok(Type { kind: union(parts), span })
    }

    fn ty_part(&mut self, flat: &Flat<'_>, pair: &Pair<'_, Rule>, depth: usize) -> Result<Type> {
        let whole = span(flat, pair);
        let optional = child(pair, Rule::question).is_some();
        let depth = depth + usize::from(optional);
        let part = pair.clone().into_inner().next();
        let part = part.ok_or_else(|| missing(flat, pair, Expected::Type { after: "this".into() }))?;
        let ty = Type { kind: self.ty_kind(flat, &part, depth)?, span: span(flat, &part) };
        // `(T?)?` says no more than `T?`.
        if optional && !matches!(ty.kind, TypeKind::Optional(_)) {
            return Ok(Type { kind: TypeKind::Optional(Box::new(ty)), span: whole });
        }
        Ok(ty)
    }

    fn ty_kind(&mut self, flat: &Flat<'_>, part: &Pair<'_, Rule>, depth: usize) -> Result<TypeKind> {
        Ok(match part.as_rule() {
            Rule::ty_name => TypeKind::Name(ident(flat, need(flat, part, Rule::label)?)?.name),
            Rule::choice | Rule::choice_bare => TypeKind::Choices(vec![self.choice(flat, part, depth)?]),
            Rule::ty_file => {
                let folder = need(flat, part, Rule::string)?;
                TypeKind::File { folder: string(flat, &folder)?, folder_span: span(flat, &folder) }
            }
            Rule::ty_match => {
                let allowed = child(part, Rule::ty_match_any);
                TypeKind::Match {
                    template: string(flat, &need(flat, part, Rule::string)?)?,
                    allowed: allowed.map(|ty| self.ty(flat, &ty, depth + 1)).transpose()?.map(Box::new),
                }
            }
            Rule::brackets => {
                TypeKind::List(Box::new(self.inner_ty(flat, part, Rule::ty_list_group, depth)?))
            }
            Rule::parens => self.inner_ty(flat, part, Rule::ty_paren_group, depth)?.kind,
            _ => return Err(missing(flat, part, Expected::Type { after: "this".into() })),
        })
    }

    fn inner_ty(
        &mut self,
        flat: &Flat<'_>,
        part: &Pair<'_, Rule>,
        group: Rule,
        depth: usize,
    ) -> Result<Type> {
        self.group(flat, part, group, |builder, flat, parsed| {
            builder.ty(flat, &need(flat, &parsed, Rule::ty)?, depth + 1)
        })
    }
}

/// Several alternatives as one type: choices where all are.
fn union(parts: Vec<Type>) -> TypeKind {
    let flatten = |part: Type| match part.kind {
        TypeKind::Union(inner) => inner,
        _ => vec![part],
    };
    let flat: Vec<Type> = parts.into_iter().flat_map(flatten).collect();
    if !flat.iter().all(|part| matches!(part.kind, TypeKind::Choices(_))) {
        return TypeKind::Union(flat);
    }
    let values = |part: Type| match part.kind {
        TypeKind::Choices(values) => values,
        _ => Vec::new(),
    };
    TypeKind::Choices(flat.into_iter().flat_map(values).collect())
}
