//! The reader: one pass over the bytes, the first mistake ends it.

use super::{Kind, Member, Text, Value, number::number};
use crate::Span;
use crate::comfy::error::{ImportError, ImportWarning, JsonProblem};
use std::collections::HashMap;

/// How deeply lists and objects may be nested; workflows need about a dozen levels.
pub const MAX_NESTING: usize = 256;

/// A text as a value, with what was odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<'t> {
    /// The value.
    pub value: Value<'t>,
    /// Keys that are there twice, halves of characters.
    pub warnings: Vec<ImportWarning>,
}

/// Reads a text that is one JSON value; a byte order mark before it is skipped.
///
/// # Errors
/// The first mistake: after it, nothing in a JSON text is certain. Also nesting beyond [`MAX_NESTING`].
pub fn parse(text: &str) -> Result<Parsed<'_>, ImportError> {
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, at, warnings: Vec::new() };
    reader.space();
    if reader.peek().is_none() {
        return Err(reader.problem(JsonProblem::Empty));
    }
    let value = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(Parsed { value, warnings: reader.warnings }),
        Some(_) => Err(reader.problem(JsonProblem::Trailing)),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    warnings: Vec<ImportWarning>,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// Steps over a byte and the space after it, if it is there.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
            self.space();
        }
        found
    }

    /// A mistake at the place reached: its label covers the word there.
    fn problem(&self, problem: JsonProblem) -> ImportError {
        let rest = self.text.get(self.at..).unwrap_or("");
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        // A word of many megabytes is not worth underlining.
        let len = if word > 64 { first } else { word.max(first) };
        ImportError::NotJson { problem, span: Span::new(self.at, self.at + len) }
    }

    /// What else to say where something else was wanted.
    fn expected(&self, wanted: &'static str) -> ImportError {
        let rest = self.text.get(self.at..).unwrap_or("");
        let problem = match rest.as_bytes().first() {
            None => return self.cut(wanted),
            _ if self.text[..self.at].trim_matches(['\u{feff}', ' ', '\t', '\n', '\r']).is_empty() => {
                JsonProblem::Foreign
            }
            Some(b'\'') => JsonProblem::SingleQuote,
            Some(b'/' | b'#') => JsonProblem::Comment,
            _ if ["None", "True", "False"].iter().any(|word| rest.starts_with(word)) => JsonProblem::Python,
            _ => JsonProblem::Expected { wanted },
        };
        self.problem(problem)
    }

    /// The text ends too early: its last character is underlined, for behind it there is nothing to underline.
    fn cut(&self, wanted: &'static str) -> ImportError {
        let last = self.text.trim_end().chars().next_back().map_or(0, char::len_utf8);
        let end = self.text.trim_end().len();
        ImportError::NotJson { problem: JsonProblem::Cut { wanted }, span: Span::new(end - last, end) }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'t>, ImportError> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_NESTING => {
                return Err(ImportError::NestingTooDeep {
                    limit: MAX_NESTING,
                    span: Span::new(start, start + 1),
                });
            }
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::String(self.string()?),
            _ => self.scalar()?,
        };
        Ok(Value { kind, span: Span::new(start, self.at) })
    }

    fn scalar(&mut self) -> Result<Kind<'t>, ImportError> {
        let rest = &self.text[self.at..];
        let words = [
            ("null", Kind::Null),
            ("true", Kind::Bool(true)),
            ("false", Kind::Bool(false)),
            ("NaN", Kind::Float(f64::NAN)),
            ("Infinity", Kind::Float(f64::INFINITY)),
            ("-Infinity", Kind::Float(f64::NEG_INFINITY)),
        ];
        if let Some((word, kind)) = words.into_iter().find(|(word, _)| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(kind);
        }
        if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(self.expected("a value"));
        }
        let (kind, len) = number(rest).map_err(|_| self.problem(JsonProblem::Number))?;
        self.at += len;
        Ok(kind)
    }

    fn array(&mut self, depth: usize) -> Result<Kind<'t>, ImportError> {
        self.take(b'[');
        let mut items = Vec::new();
        if self.close(b']') {
            return Ok(Kind::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.close(b']') {
                items.shrink_to_fit();
                return Ok(Kind::Array(items));
            }
            self.comma(b']', "`,` or `]`")?;
        }
    }

    /// Steps over a closing bracket; the space after it belongs to what is around.
    fn close(&mut self, bracket: u8) -> bool {
        let found = self.peek() == Some(bracket);
        self.at += usize::from(found);
        found
    }

    /// Steps over the comma between two elements.
    fn comma(&mut self, bracket: u8, wanted: &'static str) -> Result<(), ImportError> {
        let comma = self.at;
        if !self.take(b',') {
            return Err(self.expected(wanted));
        }
        if self.peek() == Some(bracket) {
            self.at = comma;
            return Err(self.problem(JsonProblem::TrailingComma));
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Kind<'t>, ImportError> {
        self.take(b'{');
        let mut members = Vec::new();
        if self.close(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            members.push(self.member(depth)?);
            self.space();
            if self.close(b'}') {
                return Ok(Kind::Object(self.unique(members)));
            }
            self.comma(b'}', "`,` or `}`")?;
        }
    }

    fn member(&mut self, depth: usize) -> Result<Member<'t>, ImportError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a name in double quotes"));
        }
        let key = self.string()?;
        let key_span = Span::new(start, self.at);
        self.space();
        if !self.take(b':') {
            return Err(self.expected("`:`"));
        }
        Ok(Member { key, key_span, value: self.value(depth + 1)? })
    }

    /// The last value of a key counts, at the place of the first.
    fn unique(&mut self, members: Vec<Member<'t>>) -> Vec<Member<'t>> {
        const FEW: usize = 12;
        let few = members.len() <= FEW;
        let twice = |at: usize| members[..at].iter().any(|before| before.key == members[at].key);
        if few && !(1..members.len()).any(twice) {
            return members;
        }
        let mut places: HashMap<Text<'t>, usize> = HashMap::with_capacity(members.len());
        let mut kept: Vec<Member<'t>> = Vec::with_capacity(members.len());
        for member in members {
            match places.get(&member.key) {
                Some(&place) => {
                    let first: &mut Member<'t> = &mut kept[place];
                    self.warnings.push(ImportWarning::DuplicateKey {
                        key: member.key.to_string(),
                        first: first.key_span,
                        span: member.key_span,
                    });
                    first.value = member.value;
                }
                None => {
                    places.insert(member.key.clone(), kept.len());
                    kept.push(member);
                }
            }
        }
        kept
    }

    fn string(&mut self) -> Result<Text<'t>, ImportError> {
        let open = self.at;
        self.at += 1;
        let mut owned = String::new();
        loop {
            let from = self.at;
            let rest = &self.text.as_bytes()[from..];
            self.at += rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            let piece = &self.text[from..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if owned.is_empty() {
                        return Ok(Text::Borrowed(piece));
                    }
                    owned.push_str(piece);
                    return Ok(Text::Owned(owned));
                }
                Some(b'\\') => {
                    owned.push_str(piece);
                    owned.push(self.escape()?);
                }
                Some(_) => return Err(self.problem(JsonProblem::Control)),
                None => {
                    self.at = open;
                    return Err(self.problem(JsonProblem::Unclosed));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, ImportError> {
        let start = self.at;
        let plain = match self.text.as_bytes().get(start + 1) {
            Some(b'u') => return self.unicode(),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => {
                let shown = self.text[start + 1..].chars().next().map_or(0, char::len_utf8);
                let span = Span::new(start, start + 1 + shown);
                return Err(ImportError::NotJson { problem: JsonProblem::Escape, span });
            }
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\u` and four digits; two of them where one is the first half of a character.
    fn unicode(&mut self) -> Result<char, ImportError> {
        let start = self.at;
        let first = self.unit()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or_else(|| {
            self.warnings.push(ImportWarning::HalfCharacter { span: Span::new(start, start + 6) });
            char::REPLACEMENT_CHARACTER
        }))
    }

    /// The number that `\u` and four digits say.
    fn unit(&mut self) -> Result<u32, ImportError> {
        let digits = self.text.as_bytes().get(self.at + 2..self.at + 6);
        let hex = digits.filter(|four| four.iter().all(u8::is_ascii_hexdigit));
        let Some(code) = hex.and_then(|four| std::str::from_utf8(four).ok()) else {
            let span = Span::new(self.at, self.at + 2);
            return Err(ImportError::NotJson { problem: JsonProblem::Escape, span });
        };
        self.at += 6;
        Ok(u32::from_str_radix(code, 16).unwrap_or_default())
    }
}
