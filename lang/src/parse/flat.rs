//! A piece of the text with every bracket emptied: what pest parses at once.
//!
//! `KSampler(model, latent: Empty(width: 8))` becomes `KSampler()`, and what stands in its brackets is a piece of its
//! own, `(model, latent: Empty())`, and so on. So no piece holds another, the grammar has no recursion, nothing is
//! parsed twice, and depth is limited where brackets are counted.

use super::scan::{Kind, Scan};
use crate::Span;

/// A piece, and where its parts come from.
pub(super) struct Flat {
    /// What pest parses.
    pub(super) text: String,
    /// The first token.
    pub(super) first: usize,
    start: usize,
    cuts: Vec<Cut>,
}

/// Brackets whose inside was left out.
struct Cut {
    /// Where the closing bracket stands in the piece.
    flat: usize,
    /// Where it stands in the text.
    origin: usize,
    /// The token that opens.
    opener: usize,
}

impl Flat {
    /// The piece of the tokens `first..last`, which is not empty. Nothing where one of them is broken.
    pub(super) fn of(text: &str, scan: &Scan, first: usize, last: usize) -> Option<Flat> {
        Flat::cut(text, scan, first, last, first)
    }

    /// The brackets from `opener` to `closer`, and what stands in them.
    pub(super) fn group(text: &str, scan: &Scan, opener: usize, closer: usize) -> Option<Flat> {
        Flat::cut(text, scan, opener, closer + 1, opener + 1)
    }

    fn cut(text: &str, scan: &Scan, first: usize, last: usize, cut_from: usize) -> Option<Flat> {
        let start = scan.tokens.get(first)?.span.start as usize;
        let mut flat = Flat { text: String::new(), first, start, cuts: Vec::new() };
        let mut copied = start;
        let mut end = start;
        let mut at = first;
        while at < last {
            let token = scan.tokens.get(at)?;
            if token.bad {
                return None;
            }
            end = token.span.end as usize;
            let closer = if at < cut_from { None } else { scan.closer(at).filter(|closer| *closer < last) };
            if let Some(closer) = closer {
                let origin = scan.tokens.get(closer)?.span.start as usize;
                flat.text.push_str(text.get(copied..end)?);
                flat.cuts.push(Cut { flat: flat.text.len(), origin, opener: at });
                copied = origin;
                end = origin + 1;
                at = closer;
            } else if at >= cut_from && matches!(token.kind, Kind::Open(_)) {
                return None;
            }
            at += 1;
        }
        flat.text.push_str(text.get(copied..end)?);
        Some(flat)
    }

    /// Where a place of the piece is in the text.
    pub(super) fn origin(&self, at: usize) -> usize {
        let after = self.cuts.partition_point(|cut| cut.flat <= at);
        match after.checked_sub(1).and_then(|before| self.cuts.get(before)) {
            Some(cut) => cut.origin + (at - cut.flat),
            None => self.start + at,
        }
    }

    /// Where a part of the piece is in the text.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        // An end just behind an opening bracket would be taken for the closing one; no part ends there.
        Span::new(self.origin(start), self.origin(end))
    }

    /// The token that opens the emptied brackets that stand at `at`.
    pub(super) fn opener(&self, at: usize) -> Option<usize> {
        let found = self.cuts.binary_search_by_key(&(at + 1), |cut| cut.flat).ok()?;
        self.cuts.get(found).map(|cut| cut.opener)
    }
}
