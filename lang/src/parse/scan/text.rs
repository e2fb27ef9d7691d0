//! Strings, f-strings and names in backticks.

use super::{Kind, Lines, Open, Opened, Scanner};
use crate::Span;
use crate::error::{Bracket, Quote, SyntaxError};
use crate::parse::MAX_NESTING;

impl Scanner<'_> {
    pub(super) fn fstring(&mut self) {
        let start = self.at;
        if self.open.len() < MAX_NESTING {
            self.push_token(start, start + 2, Kind::FStart);
            self.push(Opened::FString(Lines::One), start);
        } else {
            let span = Span::new(start, start + 2);
            self.report(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span });
            self.token(start, start + 1);
        }
    }

    /// `f"""…"""`: an opening that nothing can close is told at once, as for `"""`.
    pub(super) fn raw_fstring(&mut self) {
        let start = self.at;
        if self.open.len() >= MAX_NESTING {
            let span = Span::new(start, start + 4);
            self.report(SyntaxError::NestingTooDeep { limit: MAX_NESTING, span });
            self.token(start, start + 1);
        } else if self.text[start + 4..].contains("\"\"\"") {
            self.push_token(start, start + 4, Kind::FStart);
            self.push(Opened::FString(Lines::Many), start);
        } else {
            self.lost_raw_string(Quote::RawInterpolated, start, start + 4);
        }
    }

    /// The text of `f"""…"""`, up to its end or the next interpolation.
    pub(super) fn raw_fstring_text(&mut self) {
        let start = self.at;
        let mut at = start;
        while at < self.bytes.len() {
            match (self.bytes[at], self.bytes.get(at + 1)) {
                (b'"', _) if self.bytes[at..].starts_with(b"\"\"\"") => {
                    self.token_if_any(start, at);
                    self.pop();
                    self.push_token(at, at + 3, Kind::FEnd);
                    return;
                }
                (brace @ (b'{' | b'}'), Some(next)) if brace == *next => at += 2,
                (b'{', _) => return self.interpolation(start, at),
                (b'}', _) => {
                    let span = Span::new(at, at + 1);
                    self.report(SyntaxError::UnopenedBracket { bracket: Bracket::Interpolation, span });
                    at += 1;
                }
                _ => at += 1,
            }
        }
        self.token_if_any(start, at);
        self.at = at;
    }

    /// The text of an f-string, up to its end or the next interpolation.
    pub(super) fn fstring_text(&mut self) {
        let start = self.at;
        let mut at = start;
        loop {
            let next = self.bytes.get(at + 1);
            match self.bytes.get(at) {
                None | Some(b'\n') => return self.lost_fstring(start, at),
                Some(b'"') => {
                    self.token_if_any(start, at);
                    self.pop();
                    self.push_token(at, at + 1, Kind::FEnd);
                    return;
                }
                Some(b'\\') if matches!(next, Some(b'"' | b'\\')) => at += 2,
                Some(b'\\') if self.bytes[at..].starts_with(b"\\u{") => at = self.escape(at),
                Some(brace @ (b'{' | b'}')) if next == Some(brace) => at += 2,
                Some(b'{') => return self.interpolation(start, at),
                Some(b'}') => {
                    let span = Span::new(at, at + 1);
                    self.report(SyntaxError::UnopenedBracket { bracket: Bracket::Interpolation, span });
                    at += 1;
                }
                Some(_) => at += 1,
            }
        }
    }

    fn interpolation(&mut self, start: usize, at: usize) {
        self.token_if_any(start, at);
        self.at = at;
        self.opener(Bracket::Interpolation);
        // Too deep to enter: what follows is scanned as text.
        self.excess = self.excess.saturating_sub(1);
    }

    /// Behind `\u{…}` of an f-string, or behind its brace where it does not end.
    fn escape(&mut self, at: usize) -> usize {
        let stop = self.bytes[at..].iter().position(|byte| matches!(byte, b'}' | b'"' | b'\n'));
        match stop.map(|length| at + length) {
            Some(stop) if self.bytes[stop] == b'}' => stop + 1,
            _ => {
                let span = Span::new(at, at + 3);
                self.report(SyntaxError::BadEscape { text: "\\u{".into(), span });
                at + 3
            }
        }
    }

    fn lost_fstring(&mut self, start: usize, at: usize) {
        let open = self.open.last().map_or(start, |open| open.at);
        let escaped_quote = self.text[open..at].contains("\\\"");
        let token = self.open.last().map_or(self.next_token(), |open| open.token);
        let quote = Quote::Interpolated;
        let span = Span::new(open, open + 2);
        let error = SyntaxError::UnclosedString { quote, escaped_quote, open: span };
        self.report_at(token, error);
        self.token_if_any(start, at);
        self.at = at;
        self.drop_fstrings();
        self.close_what_text_closes(open + 2, at);
    }

    fn token_if_any(&mut self, start: usize, end: usize) {
        if start < end {
            self.push_token(start, end, Kind::FText);
        }
    }

    /// Gives up the f-strings that end with their line, down to one that may go on.
    fn drop_fstrings(&mut self) {
        let lasting = self.open.iter().rposition(|open| open.what == Opened::FString(Lines::Many));
        let above = lasting.map_or(0, |at| at + 1);
        let first = self.open[above..].iter().position(Open::is_fstring);
        if let Some(first) = first {
            while self.open.len() > above + first && self.give_up().is_some() {}
        }
    }

    /// An f-string ends with its line; one that is still open inside an interpolation forgot a `}`.
    pub(super) fn abandon_fstring(&mut self, end: usize) {
        if self.fstrings == 0 {
            return;
        }
        let innermost = self.open.iter().rev().find(|open| open.is_fstring()).copied();
        let Some(Open { what: Opened::FString(Lines::One), .. }) = innermost else { return };
        if self.open.last().is_some_and(Open::is_fstring) {
            self.at = end;
            self.fstring_text();
            return;
        }
        let lasting = self.open.iter().rposition(|open| open.what == Opened::FString(Lines::Many));
        let above = lasting.map_or(0, |at| at + 1);
        let open = self.open[above..].iter().find(|open| open.is_fstring()).map_or(end, |open| open.at);
        self.report_innermost(None, None);
        self.drop_fstrings();
        self.close_what_text_closes(open + 2, end);
    }

    /// `"…"` and backtick names, which end on their line.
    pub(super) fn quoted(&mut self, quote: Quote) {
        let start = self.at;
        let mark = self.bytes[start];
        let mut at = start + 1;
        let mut escaped_quote = false;
        loop {
            match self.bytes.get(at) {
                None | Some(b'\n') => break,
                Some(byte) if *byte == mark => {
                    let kind = if quote == Quote::Name { Kind::Name } else { Kind::Text };
                    return self.push_token(start, at + 1, kind);
                }
                Some(b'\\') if matches!(self.bytes.get(at + 1), Some(next) if *next == mark || *next == b'\\') =>
                {
                    escaped_quote |= self.bytes[at + 1] == mark;
                    at += 2;
                }
                Some(_) => at += 1,
            }
        }
        let innermost = self.open.iter().rev().find(|open| open.is_fstring());
        if self.fstrings > 0 && matches!(innermost, Some(Open { what: Opened::FString(Lines::One), .. })) {
            // This quote was most likely meant to end the f-string around it.
            self.token(start, at);
            self.abandon_fstring(at);
        } else {
            let open = Span::new(start, start + 1);
            self.report(SyntaxError::UnclosedString { quote, escaped_quote, open });
            self.token(start, at);
            self.close_what_text_closes(start + 1, at);
        }
    }

    /// A string that lost its end has swallowed the brackets behind it: without this, the rest of the
    /// file would seem to stand inside the brackets around the string.
    fn close_what_text_closes(&mut self, start: usize, end: usize) {
        // How many `(`, `[` and `{` of the text itself are open.
        let mut own = [0_usize; 3];
        for at in start.min(end)..end {
            let byte = self.bytes[at];
            match byte {
                b'(' => own[0] += 1,
                b'[' => own[1] += 1,
                b'{' => own[2] += 1,
                b')' if own[0] > 0 => own[0] -= 1,
                b']' if own[1] > 0 => own[1] -= 1,
                b'}' if own[2] > 0 => own[2] -= 1,
                b')' | b']' | b'}' if self.open.last().is_some_and(|open| open.closes_with(byte)) => {
                    self.give_up();
                }
                _ => {}
            }
        }
    }

    /// `"""…"""`.
    pub(super) fn raw_string(&mut self) {
        let start = self.at;
        match self.text[start + 3..].find("\"\"\"") {
            Some(length) => self.push_token(start, start + 3 + length + 3, Kind::Text),
            None => self.lost_raw_string(Quote::Raw, start, start + 3),
        }
    }

    /// A raw string that nothing ends: the text goes on with the next statement.
    fn lost_raw_string(&mut self, quote: Quote, start: usize, inside: usize) {
        let open = Span::new(start, inside);
        self.report(SyntaxError::UnclosedString { quote, escaped_quote: false, open });
        let mut resume = self.end_of_line(start);
        while resume < self.bytes.len() && !self.begins_statement(resume + 1) {
            resume = self.end_of_line(resume + 1);
        }
        self.push_token(start, resume, Kind::Other);
        self.end_excess();
        while self.give_up().is_some() {}
    }
}
