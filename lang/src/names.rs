//! Which names may be written bare and which need backticks.

use std::borrow::Cow;

/// Words that are values or begin an expression; as a name of something they need backticks.
///
/// The capitals and `null` mean nothing. They are what other languages call these values, and say so when written.
pub(crate) const RESERVED: [&str; 11] =
    ["true", "false", "none", "for", "if", "else", "each", "True", "False", "None", "null"];

/// Words that begin a statement; a call of a node with such a name needs backticks.
pub(crate) const STATEMENT_WORDS: [&str; 10] =
    ["let", "param", "node", "choices", "type", "edition", "fn", "use", "const", "assert"];

/// Words that mean something to the grammar where they stand, and are names elsewhere.
const CONTEXT_WORDS: [&str; 5] = ["as", "in", "hidden", "File", "Match"];

/// Whether the grammar has this word in it.
pub(crate) fn is_grammar_word(word: &str) -> bool {
    RESERVED.contains(&word) || STATEMENT_WORDS.contains(&word) || CONTEXT_WORDS.contains(&word)
}

/// Whether a line begins like a statement that has a word of its own: a statement word, and then a name.
pub(crate) fn begins_statement(line: &str) -> bool {
    let length = line.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let (word, rest) = line.split_at(length);
    if !STATEMENT_WORDS.contains(&word) || !rest.starts_with([' ', '\t']) {
        return false;
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    // A type may have such a name, and a constraint.
    let constrained = rest.strip_prefix("in ").is_some_and(|rest| {
        rest.starts_with(|next: char| next.is_ascii_digit() || matches!(next, '-' | '['))
    });
    !constrained
        && rest
            .starts_with(|next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | '`' | '(' | '"'))
}

/// Whether `text` is an identifier: ASCII letters, digits and `_`, no digit first, and not `_` alone.
///
/// That is all an argument, input, output or annotation name needs, since keywords are not special
/// there. Where a name refers to something, see [`needs_backticks`].
pub fn is_identifier(text: &str) -> bool {
    text != "_"
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether `name` must stand in backticks where it refers to a value or calls a node.
pub fn needs_backticks(name: &str) -> bool {
    !is_identifier(name) || RESERVED.contains(&name) || STATEMENT_WORDS.contains(&name)
}

/// `name` as it is written where it names an argument, input, output or annotation.
pub fn label(name: &str) -> Cow<'_, str> {
    if is_identifier(name) { Cow::Borrowed(name) } else { Cow::Owned(in_backticks(name)) }
}

/// `name` as it is written where it refers to a value or calls a node.
pub fn reference(name: &str) -> Cow<'_, str> {
    if needs_backticks(name) { Cow::Owned(in_backticks(name)) } else { Cow::Borrowed(name) }
}

/// `text` as a string literal that reads back as the same text.
pub fn string_literal(text: &str) -> String {
    quoted_with(text, '"')
}

/// The candidate that is spelled most like `name`, if any is close enough to be meant.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| {
            distance <= 1 + candidate.chars().count().min(name.chars().count()) / 4
        })
        .min_by_key(|&(distance, candidate)| (distance, candidate.to_owned()))
        .map(|(_, candidate)| candidate.to_owned())
}

fn in_backticks(name: &str) -> String {
    quoted_with(name, '`')
}

fn quoted_with(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Prompt syntax such as `\(` stays readable: only a backslash that would be read as an
            // escape is doubled.
            '\\' if !rest.peek().is_none_or(|next| reads_as_escape(*next)) => out.push('\\'),
            '\\' => out.push_str("\\\\"),
            other if other == quote => out.extend(['\\', quote]),
            other if other.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
            other => out.push(other),
        }
    }
    out.push(quote);
    out
}

/// Whether a backslash before a character would be read with it. Control characters are written as escapes.
fn reads_as_escape(next: char) -> bool {
    matches!(next, '\\' | 'n' | 't' | 'u' | '"' | '`') || next.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_ascii_words() {
        for yes in ["a", "_a", "KSampler", "Any2", "t_embedder", "in"] {
            assert!(is_identifier(yes), "{yes}");
        }
        for no in ["", "_", "2a", "a b", "t_embedder.", "größe", "a-b", "`a`"] {
            assert!(!is_identifier(no), "{no}");
        }
    }

    #[test]
    fn keywords_need_backticks_only_where_they_would_be_read_as_keywords() {
        assert_eq!(label("if"), "if");
        assert_eq!(reference("if"), "`if`");
        assert_eq!(reference("let"), "`let`");
        assert_eq!(reference("Image Resize (rgthree)"), "`Image Resize (rgthree)`");
        assert_eq!(label("a`b\\"), "`a\\`b\\\\`");
    }

    #[test]
    fn prompt_backslashes_stay_as_they_are() {
        assert_eq!(string_literal(r"a \(b\) \n"), r#""a \(b\) \\n""#);
        assert_eq!(string_literal("\\\n"), r#""\\\n""#);
    }
}
