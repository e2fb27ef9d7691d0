//! What a call is for, from which it gets its name: kept as a chain on the stack, written out only where a call stands.

use floe_lang::ast::{Member, PatternItem};

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
}

impl Hint<'_> {
    /// The name for a call of something that is called `fallback`.
    pub(super) fn name(&self, fallback: &str) -> String {
        self.written().unwrap_or_else(|| fallback.to_owned())
    }

    fn written(&self) -> Option<String> {
        match self {
            Hint::Nameless => None,
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
