//! What a call is for, from which it gets its name: kept as a chain on the stack, written out only where a call stands.

use std::sync::Arc;

use floe_lang::ast::{Member, PatternItem};
use floe_lang::decl::Type;

/// What an expression is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hint<'h> {
    /// Nothing that has a name.
    Nameless,
    /// A binding.
    Name(&'h str),
    /// An input of a call of this name.
    Input(&'h str, &'h str),
    /// One of several of the same.
    Place(&'h Hint<'h>, usize),
    /// A binding inside of it.
    Inner(&'h Hint<'h>, &'h str),
    /// The results of a flow.
    Results(&'h [(Option<Arc<str>>, Type)]),
}

impl<'h> Hint<'h> {
    /// What one of several expressions is for.
    pub(super) fn part(&'h self, place: usize) -> Hint<'h> {
        match self {
            Hint::Results(results) => match results.get(place) {
                Some((Some(name), _)) => Hint::Name(name),
                _ => Hint::Nameless,
            },
            hint => Hint::Place(hint, place),
        }
    }

    /// The name for a call of something that is called `fallback`.
    pub(super) fn name(&self, fallback: &str) -> String {
        self.written().unwrap_or_else(|| fallback.to_owned())
    }

    fn written(&self) -> Option<String> {
        match self {
            Hint::Nameless => None,
            Hint::Results([(name, _)]) => name.as_deref().map(str::to_owned),
            Hint::Results(_) => None,
            Hint::Name(name) => Some((*name).to_owned()),
            Hint::Input(call, input) => Some(format!("{call}.{input}")),
            Hint::Place(outer, place) => outer.written().map(|outer| format!("{outer}.{place}")),
            Hint::Inner(outer, name) => match outer.written() {
                Some(outer) => Some(format!("{outer}.{name}")),
                None => Some((*name).to_owned()),
            },
        }
    }
}

/// The first name of a tuple pattern.
pub(super) fn first_name(items: &[PatternItem]) -> Option<&str> {
    items.iter().find_map(|item| match item {
        PatternItem::Name(name) => Some(name.name.as_str()),
        PatternItem::Discard(_) => None,
    })
}

/// A member as it is written.
pub(super) fn member_name(member: &Member) -> String {
    match member {
        Member::Name(name) => name.name.clone(),
        Member::Index { index, .. } => index.to_string(),
    }
}
