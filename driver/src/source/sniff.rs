//! What a file is: by its content first, by its name where that leaves a doubt.

use std::collections::BTreeMap;
use std::path::Path;

use floe_lang::ast::{ExprKind, StatementKind};
use floe_lang::comfy::picture::{self, Embedded, PictureKind};
use floe_lang::{SourceFile, parse};

use super::Source;
use crate::error::{BadPicture, DriverError};

/// A program from the bytes of a file.
pub(super) fn source(name: &str, bytes: Vec<u8>, limit: u64) -> Result<Source, DriverError> {
    if PictureKind::of(&bytes).is_some() {
        return of_picture(name, &bytes, limit);
    }
    let text = text(bytes).ok_or_else(|| DriverError::NotText { path: name.to_owned() })?;
    Ok(match is_json(name, &text) {
        true => Source::json(name, text),
        false => Source::flow(name, text),
    })
}

/// The program of a picture; its name says where in the picture it stands.
fn of_picture(path: &str, bytes: &[u8], limit: u64) -> Result<Source, DriverError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let bad = |error| DriverError::Picture(BadPicture { path: path.to_owned(), error });
    let named = |key: &str| match key {
        "" => path.to_owned(),
        key => format!("{path} ({key})"),
    };
    let mut source = match picture::read(bytes, limit).map_err(bad)? {
        Embedded::Flow { text, params } => {
            let params = params.map(|lines| values(&lines)).unwrap_or_default();
            Source { params, ..Source::flow(named(picture::keys::FLOW), text) }
        }
        Embedded::Json { key, text } => Source::json(named(key), text),
    };
    source.picture = Some(path.to_owned());
    Ok(source)
}

/// Lines `name = value` as `--set` takes them: texts without their quotes.
fn values(lines: &str) -> BTreeMap<String, String> {
    let pairs = lines.lines().filter_map(|line| line.split_once(" = "));
    pairs.map(|(name, value)| (name.to_owned(), unquoted(value))).collect()
}

fn unquoted(value: &str) -> String {
    let parsed = parse(&SourceFile::new("", format!("let value = {value}"))).ast;
    match parsed.statements.into_iter().next().map(|statement| statement.kind) {
        Some(StatementKind::Let(binding)) => match binding.value.kind {
            ExprKind::Str(text) => text,
            _ => value.to_owned(),
        },
        _ => value.to_owned(),
    }
}

/// Text in UTF-8, or in UTF-16 where a mark says so, as some shells write it; without its mark.
fn text(bytes: Vec<u8>) -> Option<String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
        odd.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// No statement begins with a brace or a bracket, and JSON that is worth reading with nothing else. Where there is no
/// text at all, the name decides.
fn is_json(name: &str, text: &str) -> bool {
    match text.trim_start().chars().next() {
        Some('{' | '[') => true,
        _ => Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::*;

    const LIMIT: u64 = 1 << 20;

    fn form(name: &str, bytes: &[u8]) -> Form {
        source(name, bytes.to_vec(), LIMIT).expect("a program").form()
    }

    #[test]
    fn content_counts_more_than_names() {
        assert_eq!(form("a.flow", b"let a = 1"), Form::Flow);
        assert_eq!(form("a.flow", b"\n {\"nodes\": []}"), Form::Json);
        assert_eq!(form("<stdin>", b"{}"), Form::Json);
        assert_eq!(form("a.json", b"not json"), Form::Json);
        assert_eq!(form("a.txt", b""), Form::Flow);
    }

    #[test]
    fn marks_of_encodings_are_no_text() {
        let wide: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide_be: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [b"\xef\xbb\xbf{}".to_vec(), wide, wide_be] {
            assert_eq!(source("x", bytes, LIMIT).expect("a program"), Source::json("x", "{}"));
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [b"\xff\xfe{".as_slice(), b"\xc3\x28", b"\xfe\xff\xd8\x00"] {
            let error = source("x", bytes.to_vec(), LIMIT).expect_err("no text");
            assert_eq!(error, DriverError::NotText { path: "x".to_owned() });
        }
    }

    #[test]
    fn params_lose_their_quotes() {
        let lines = "seed = 4\nprompt = \"a \\\"cat\\\"\\n = b\"\nodd";
        let expected = [("seed", "4"), ("prompt", "a \"cat\"\n = b")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(values(lines), BTreeMap::from(expected));
    }
}
