//! Lists in brackets: arguments, elements, parameters, inputs, names.

use super::Printer;
use super::expressions::{short_columns, shown_value};
use crate::ast::*;
use crate::names;

/// What stands around a list.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    open: &'static str,
    close: &'static str,
    /// What separates them from their contents on one line.
    padding: &'static str,
}

impl Brackets {
    pub(super) const PAREN: Self = Self { open: "(", close: ")", padding: "" };
    pub(super) const SQUARE: Self = Self { open: "[", close: "]", padding: "" };
    pub(super) const BRACES: Self = Self { open: "{", close: "}", padding: " " };
    pub(super) const TIGHT_BRACES: Self = Self { open: "{", close: "}", padding: "" };
}

/// Something that stands in a list.
pub(super) trait Item {
    /// Where it begins, with its docs.
    fn start(&self) -> u32;

    /// Whether it may share a line of a broken list with others that may. What is declared never does.
    fn is_short(&self) -> bool;

    /// Writes it.
    fn print<'a>(&'a self, printer: &mut Printer<'a>);
}

impl<'a> Printer<'a> {
    /// A list: on one line if it fits. Else short items fill lines, others have lines of their own, and so has the
    /// closing bracket. `end` is one past the last place where a remark may belong to the list.
    pub(super) fn list(&mut self, brackets: Brackets, items: &'a [impl Item], end: u32) {
        self.doc.open();
        self.list_in_group(brackets, items, end);
        self.doc.close();
    }

    /// The same, broken where the group around it is.
    pub(super) fn list_in_group(&mut self, brackets: Brackets, items: &'a [impl Item], end: u32) {
        self.text(brackets.open);
        self.doc.indent();
        let mut before = None;
        for item in items {
            let short = item.is_short();
            if before.is_some() {
                self.text(",");
            }
            self.comments_before(item.start());
            match before {
                None => self.doc.line(brackets.padding),
                Some(true) if short => self.doc.fill(),
                Some(_) => self.doc.line(" "),
            }
            item.print(self);
            before = Some(short);
        }
        if !items.is_empty() {
            self.doc.if_broken(",");
        }
        self.comments_before(end);
        self.doc.dedent();
        if !items.is_empty() {
            self.doc.line(brackets.padding);
        }
        self.text(brackets.close);
    }
}

/// Columns that a short item may have.
const SHORT: usize = 40;

fn sum_is_short(parts: &[Option<usize>]) -> bool {
    parts.iter().copied().sum::<Option<usize>>().is_some_and(|columns| columns <= SHORT)
}

impl Item for Arg {
    fn start(&self) -> u32 {
        self.span.start
    }

    fn is_short(&self) -> bool {
        let name = self.name.as_ref().map_or(0, |name| name.name.len() + 2);
        let value = shown_value(self).map_or(Some(0), short_columns);
        sum_is_short(&[Some(name), value])
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.arg(self);
    }
}

impl Item for Expr {
    fn start(&self) -> u32 {
        self.span.start
    }

    fn is_short(&self) -> bool {
        sum_is_short(&[short_columns(self)])
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.expr(self);
    }
}

impl Item for FnParam {
    fn start(&self) -> u32 {
        self.docs.as_ref().map_or(self.span, |docs| docs.span).start
    }

    fn is_short(&self) -> bool {
        false
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.fn_param(self);
    }
}

impl Item for Return {
    fn start(&self) -> u32 {
        self.name.as_ref().map_or(self.ty.span, |name| name.span).start
    }

    fn is_short(&self) -> bool {
        false
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.ret(self);
    }
}

impl Item for Input {
    fn start(&self) -> u32 {
        self.docs.as_ref().map_or(self.span, |docs| docs.span).start
    }

    fn is_short(&self) -> bool {
        false
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.input(self);
    }
}

impl Item for Output {
    fn start(&self) -> u32 {
        self.docs.as_ref().map_or(self.span, |docs| docs.span).start
    }

    fn is_short(&self) -> bool {
        false
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.output(self);
    }
}

impl Item for PatternItem {
    fn start(&self) -> u32 {
        match self {
            PatternItem::Name(name) => name.span.start,
            PatternItem::Discard(span) => span.start,
        }
    }

    fn is_short(&self) -> bool {
        true
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        match self {
            PatternItem::Name(name) => printer.binding(name),
            PatternItem::Discard(_) => printer.text("_"),
        }
    }
}

impl Item for UseItem {
    fn start(&self) -> u32 {
        self.name.span.start
    }

    fn is_short(&self) -> bool {
        true
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        match &self.alias {
            Some(alias) => {
                // A line that begins with `node as` would begin a statement.
                printer.text(names::reference(&self.name.name));
                printer.words(" as ");
                printer.binding(alias);
            }
            None => printer.binding(&self.name),
        }
    }
}
