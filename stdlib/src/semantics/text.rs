//! Text: joined, cut, compared and searched as Python does it. Indices count characters.

use regex::{Captures, Regex, RegexBuilder};

use super::{Call, Gap, SemanticError, Semantics, Work};
use crate::facts::Scalar;

pub(super) const ALL: &[Semantics] = &[
    Semantics::folds("CaseConverter", |call| string(case(call))),
    Semantics::folds("StringCompare", |call| bool(compare(call))),
    Semantics::folds("StringConcatenate", |call| string(concatenate(call))),
    Semantics::folds("StringContains", |call| bool(contains(call))),
    Semantics::folds("StringLength", length),
    Semantics::folds("StringReplace", |call| string(replace(call))),
    Semantics::folds("StringSubstring", |call| string(substring(call))),
    Semantics::folds("StringTrim", |call| string(trim(call))),
    Semantics::folds("RegexExtract", regex_extract),
    Semantics::folds("RegexMatch", regex_match),
    Semantics::folds("RegexReplace", regex_replace),
];

const STRING: &str = "STRING";
const BOOLEAN: &str = "BOOLEAN";

fn string(value: Option<String>) -> Result<Work, SemanticError> {
    Ok(value.map_or_else(|| Work::unknown(STRING), |value| Work::value(Scalar::String(value))))
}

fn bool(value: Option<bool>) -> Result<Work, SemanticError> {
    Ok(value.map_or_else(|| Work::unknown(BOOLEAN), |value| Work::value(Scalar::Bool(value))))
}

fn concatenate(call: &Call<'_>) -> Option<String> {
    let (a, b) = (call.string("string_a")?, call.string("string_b")?);
    Some([a, call.string("delimiter")?, b].concat())
}

fn replace(call: &Call<'_>) -> Option<String> {
    Some(call.string("string")?.replace(call.string("find")?, call.string("replace")?))
}

fn length(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(match call.string("string") {
        Some(text) => Work::value(Scalar::Int(text.chars().count() as i128)),
        None => Work::unknown("INT"),
    })
}

fn substring(call: &Call<'_>) -> Option<String> {
    let text = call.string("string")?;
    let (start, end) = slice(text.chars().count(), call.signed("start")?, call.signed("end")?);
    Some(text.chars().skip(start).take(end.saturating_sub(start)).collect())
}

/// The bounds of a slice of `length` things: negative ones count from the end, and all are cut to what is there.
pub(super) fn slice(length: usize, start: i128, end: i128) -> (usize, usize) {
    let bound = |index: i128| {
        let index = if index < 0 { index.saturating_add(length as i128) } else { index };
        usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(length)
    };
    (bound(start), bound(end))
}

/// Python's white space: Unicode's, and the four separators below 32.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn trim(call: &Call<'_>) -> Option<String> {
    let text = call.string("string")?;
    let text = match call.string("mode")? {
        "Left" => text.trim_start_matches(is_space),
        "Right" => text.trim_end_matches(is_space),
        _ => text.trim_matches(is_space),
    };
    Some(text.to_owned())
}

fn contains(call: &Call<'_>) -> Option<bool> {
    let (text, part) = (call.string("string")?, call.string("substring")?);
    Some(if call.bool("case_sensitive")? {
        text.contains(part)
    } else {
        text.to_lowercase().contains(&part.to_lowercase())
    })
}

fn compare(call: &Call<'_>) -> Option<bool> {
    let (a, b) = (call.string("string_a")?, call.string("string_b")?);
    let exact = call.bool("case_sensitive")?;
    let lower = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
    let (a, b) = (lower(a), lower(b));
    Some(match call.string("mode")? {
        "Starts With" => a.starts_with(&b),
        "Ends With" => a.ends_with(&b),
        _ => a == b,
    })
}

fn case(call: &Call<'_>) -> Option<String> {
    let text = call.string("string")?;
    Some(match call.string("mode")? {
        "UPPERCASE" => text.to_uppercase(),
        "lowercase" => text.to_lowercase(),
        "Capitalize" => capitalize(text),
        _ => title(text),
    })
}

/// The first character in title case, the others in lower case.
fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(title_case).unwrap_or_default();
    first + &rest.as_str().to_lowercase()
}

/// Every letter behind something that has no case in title case, the others in lower case.
fn title(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            result.extend(c.to_lowercase());
        } else {
            result.push_str(&title_case(c));
        }
        inside = c.is_lowercase() || c.is_uppercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ');
    }
    result
}

/// A character at the beginning of a word. What is two letters in one has a form of its own for it.
fn title_case(c: char) -> String {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => "ǅ".to_owned(),
        'Ǉ' | 'ǈ' | 'ǉ' => "ǈ".to_owned(),
        'Ǌ' | 'ǋ' | 'ǌ' => "ǋ".to_owned(),
        'Ǳ' | 'ǲ' | 'ǳ' => "ǲ".to_owned(),
        _ => {
            let mut upper = c.to_uppercase();
            let first: String = upper.next().into_iter().collect();
            upper.fold(first, |text, c| text + &c.to_lowercase().collect::<String>())
        }
    }
}

/// A pattern in the syntax of Python, as far as both have it: no look-around, no references back.
fn pattern(call: &Call<'_>) -> Option<Result<Regex, Gap>> {
    let (text, pattern) = (call.string("string")?, call.string("regex_pattern")?);
    let multiline = call.bool("multiline")?;
    let built = RegexBuilder::new(&end_of_text(pattern))
        .case_insensitive(call.bool("case_insensitive")?)
        .multi_line(multiline)
        .dot_matches_new_line(call.bool("dotall")?)
        .build();
    // In Python `$` also stands before a line end that ends the text.
    let ambiguous = !multiline && text.ends_with('\n') && pattern.contains('$');
    let what = match built {
        Ok(regex) if !ambiguous => return Some(Ok(regex)),
        Ok(_) => "`$` in a regular expression for a text that ends in an empty line".to_owned(),
        Err(_) => format!("the regular expression `{pattern}`"),
    };
    Some(Err(Gap::NoKernel {
        input: Some("regex_pattern"),
        what,
        instead: "look-around, references to groups and unusual escapes are missing; write it without"
            .to_owned(),
    }))
}

/// Python's `\Z` is `\z` here.
fn end_of_text(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut escaped = false;
    for c in pattern.chars() {
        result.push(if escaped && c == 'Z' { 'z' } else { c });
        escaped = c == '\\' && !escaped;
    }
    result
}

fn regex_match(call: &Call<'_>) -> Result<Work, SemanticError> {
    match pattern(call).zip(call.string("string")) {
        Some((Ok(regex), text)) => bool(Some(regex.is_match(text))),
        Some((Err(gap), _)) => Ok(Work::unknown(BOOLEAN).lacking(gap)),
        None => bool(None),
    }
}

fn regex_extract(call: &Call<'_>) -> Result<Work, SemanticError> {
    match pattern(call).zip(call.string("string")) {
        Some((Ok(regex), text)) => string(extract(call, &regex, text)),
        Some((Err(gap), _)) => Ok(Work::unknown(STRING).lacking(gap)),
        None => string(None),
    }
}

fn extract(call: &Call<'_>, regex: &Regex, text: &str) -> Option<String> {
    let group = call.int("group_index")?;
    let groups = regex.captures_len() - 1;
    let taken = |captures: &Captures<'_>, group| {
        captures.get(group).map_or_else(String::new, |found| found.as_str().to_owned())
    };
    let lines = |group: usize| {
        let all = matches(regex, text, usize::MAX).map(|captures| taken(&captures, group));
        all.collect::<Vec<String>>().join("\n")
    };
    Some(match call.string("mode")? {
        "First Match" => regex.find(text).map_or_else(String::new, |found| found.as_str().to_owned()),
        // With groups in it, the first group counts.
        "All Matches" => lines(groups.min(1)),
        _ if groups < group => String::new(),
        "First Group" => regex.captures(text).map_or_else(String::new, |captures| taken(&captures, group)),
        _ if groups == 0 => String::new(),
        _ => lines(group),
    })
}

/// All matches from left to right. As in Python, an empty one may follow directly behind another.
fn matches<'t>(regex: &'t Regex, text: &'t str, most: usize) -> impl Iterator<Item = Captures<'t>> {
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let captures = regex.captures_at(text, at?)?;
        let found = captures.get(0)?;
        let step =
            if found.is_empty() { text[found.end()..].chars().next().map(char::len_utf8) } else { Some(0) };
        at = step.map(|step| found.end() + step);
        Some(captures)
    })
    .take(most)
}

fn regex_replace(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (text, replacement) = (call.string("string"), call.string("replace"));
    let Some(((regex, text), replacement)) = pattern(call).zip(text).zip(replacement) else {
        return string(None);
    };
    let Some(count) = call.int("count") else { return string(None) };
    match regex {
        Ok(regex) => {
            let most = if count == 0 { usize::MAX } else { count };
            string(Some(replaced(&regex, text, &template(&regex, replacement)?, most)))
        }
        Err(gap) => Ok(Work::unknown(STRING).lacking(gap)),
    }
}

fn replaced(regex: &Regex, text: &str, template: &[Piece], most: usize) -> String {
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for captures in matches(regex, text, most) {
        let Some(found) = captures.get(0) else { continue };
        result.push_str(&text[end..found.start()]);
        for piece in template {
            match piece {
                Piece::Text(c) => result.push(*c),
                Piece::Group(group) => {
                    result.push_str(captures.get(*group).map_or("", |found| found.as_str()))
                }
            }
        }
        end = found.end();
    }
    result + &text[end..]
}

/// A piece of what replaces a match.
enum Piece {
    Text(char),
    Group(usize),
}

/// Reads Python's `\1`, `\g<1>`, `\g<name>`, and escapes such as `\n`.
fn template(regex: &Regex, text: &str) -> Result<Vec<Piece>, SemanticError> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        pieces.push(if c == '\\' { escape(regex, &mut rest)? } else { Piece::Text(c) });
    }
    Ok(pieces)
}

fn escape(regex: &Regex, rest: &mut std::str::Chars<'_>) -> Result<Piece, SemanticError> {
    let wrong = |what: String| SemanticError::Value {
        input: "replace",
        reason: what,
        help: "write `\\1` or `\\g<name>` for a group, `\\\\` for a backslash".to_owned(),
    };
    let group = |name: &str| {
        let number =
            name.parse().ok().or_else(|| regex.capture_names().position(|known| known == Some(name)));
        let known = number.filter(|&number: &usize| number < regex.captures_len());
        known.map(Piece::Group).ok_or_else(|| wrong(format!("the pattern has no group `{name}`")))
    };
    match rest.next() {
        Some('g') => {
            let (name, after) = rest
                .as_str()
                .strip_prefix('<')
                .and_then(|below| below.split_once('>'))
                .ok_or_else(|| wrong("`\\g` names no group".to_owned()))?;
            *rest = after.chars();
            group(name)
        }
        Some(first @ '1'..='9') => {
            let mut name = String::from(first);
            let second = rest.as_str().chars().next().filter(char::is_ascii_digit);
            if let Some(second) = second {
                name.push(second);
                rest.next();
            }
            group(&name)
        }
        Some('n') => Ok(Piece::Text('\n')),
        Some('t') => Ok(Piece::Text('\t')),
        Some('r') => Ok(Piece::Text('\r')),
        Some('0') => Ok(Piece::Text('\0')),
        Some(c) if !c.is_ascii_alphabetic() => Ok(Piece::Text(c)),
        Some(c) => Err(wrong(format!("`\\{c}` means nothing"))),
        None => Err(wrong("it ends in a backslash".to_owned())),
    }
}
