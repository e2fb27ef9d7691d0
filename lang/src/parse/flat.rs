//! A piece of the text with every bracket and every string emptied: what pest parses at once.
//!
//! `KSampler(model, latent: Empty(name: "a"))` becomes `KSampler()`, and what stands in its brackets is a piece of its
//! own, `(model, latent: Empty())`, and so on. So no piece holds another, the grammar has no recursion, nothing is
//! parsed twice, and depth is limited where brackets are counted. Comments are left out as well, and blanks but for one.
//! Names that mean nothing to the grammar are `x`: pest sees `x(x, x: x())`.

use super::scan::{Kind, RemarkKind, Scan, Token};
use crate::{Span, names};

/// A piece, and where its parts come from.
pub(super) struct Flat<'s> {
    /// What pest parses.
    pub(super) text: String,
    /// The first token.
    pub(super) first: usize,
    source: &'s str,
    /// Where the piece and its source run apart: a place here, the same place there.
    places: Vec<(usize, usize)>,
    /// Where emptied brackets stand, and the token that opens them.
    openers: Vec<(usize, usize)>,
}

impl<'s> Flat<'s> {
    /// Room for what most pieces hold: growing it again and again took a tenth of all time.
    fn new(source: &'s str, first: usize) -> Self {
        let (text, places) = (String::with_capacity(64), Vec::with_capacity(32));
        Flat { text, first, source, places, openers: Vec::with_capacity(4) }
    }

    /// The piece of the tokens `first..last`, which is not empty. Nothing where one of them is broken.
    pub(super) fn of(source: &'s str, scan: &Scan, first: usize, last: usize) -> Option<Self> {
        let mut flat = Flat::new(source, first);
        flat.take(scan, first, last)?;
        Some(flat)
    }

    /// The brackets from `opener` to `closer`, and what stands in them.
    pub(super) fn group(source: &'s str, scan: &Scan, opener: usize, closer: usize) -> Option<Self> {
        let mut flat = Flat::new(source, opener);
        let tokens = (scan.tokens.get(opener)?, scan.tokens.get(closer)?);
        flat.token(tokens.0);
        flat.gap(scan, tokens.0, opener + 1)?;
        flat.take(scan, opener + 1, closer)?;
        flat.token(tokens.1);
        Some(flat)
    }

    fn take(&mut self, scan: &Scan, first: usize, last: usize) -> Option<()> {
        let mut at = first;
        while at < last {
            let token = scan.tokens.get(at)?;
            if token.bad {
                return None;
            }
            let mut end = at;
            if matches!(token.kind, Kind::Open(_)) {
                end = scan.closer(at)?;
                self.openers.push((self.text.len(), at));
            }
            self.token(token);
            let end_token = scan.tokens.get(end)?;
            if end > at {
                self.token(end_token);
            }
            at = end + 1;
            if at < last || self.first != first {
                self.gap(scan, end_token, at)?;
            }
        }
        Some(())
    }

    /// Takes a token, emptied where it is text.
    fn token(&mut self, token: &Token) {
        self.note(token.span.start);
        let emptied = match token.kind {
            Kind::Text => "\"\"",
            Kind::Name => "``",
            Kind::FStart => "f\"",
            Kind::FText => ".",
            Kind::FEnd => "\"",
            Kind::Word if self.is_plain_name(token) => "x",
            Kind::Word | Kind::Open(_) | Kind::Close | Kind::Other => {
                self.text.push_str(self.source.get(token.span.range()).unwrap_or(""));
                return;
            }
        };
        self.text.push_str(emptied);
        self.note(token.span.end);
    }

    /// Whether a word is a name that the grammar need not spell out. pest goes by letters and tries what a name may
    /// be in turn, so most of its time would go into names.
    fn is_plain_name(&self, token: &Token) -> bool {
        let word = self.source.get(token.span.range()).unwrap_or("");
        names::is_identifier(word) && !names::is_grammar_word(word)
    }

    /// What stands between two tokens: nothing or a blank, and docs.
    fn gap(&mut self, scan: &Scan, before: &Token, next: usize) -> Option<()> {
        let start = before.span.end;
        let end = scan.tokens.get(next)?.span.start;
        if start == end {
            return Some(());
        }
        self.text.push(' ');
        let remarks = scan.remarks.partition_point(|remark| remark.span.start < start);
        let remarks = scan.remarks.get(remarks..).unwrap_or(&[]).iter();
        for remark in remarks.take_while(|remark| remark.span.start < end) {
            if remark.kind != RemarkKind::Plain {
                self.note(remark.span.start);
                self.text.push_str(self.source.get(remark.span.range()).unwrap_or(""));
                self.text.push('\n');
            }
        }
        Some(())
    }

    /// What comes next comes from this place.
    fn note(&mut self, origin: u32) {
        let (here, origin) = (self.text.len(), origin as usize);
        if self.places.is_empty() || self.origin(here) != origin {
            self.places.push((here, origin));
        }
    }

    /// Where a place of the piece is in the text.
    pub(super) fn origin(&self, at: usize) -> usize {
        let after = self.places.partition_point(|(here, _)| *here <= at);
        match after.checked_sub(1).and_then(|before| self.places.get(before)) {
            Some((here, origin)) => origin + (at - here),
            None => at,
        }
    }

    /// Where a part of the piece is in the text.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        // An end just behind an opening bracket would be taken for the closing one; no part ends there.
        Span::new(self.origin(start), self.origin(end))
    }

    /// What is written where a part of the piece stands.
    pub(super) fn source(&self, span: Span) -> &'s str {
        self.source.get(span.range()).unwrap_or("")
    }

    /// The token that opens the emptied brackets that stand at `at`.
    pub(super) fn opener(&self, at: usize) -> Option<usize> {
        let found = self.openers.binary_search_by_key(&at, |(here, _)| *here).ok()?;
        self.openers.get(found).map(|(_, token)| *token)
    }
}
