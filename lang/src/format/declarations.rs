//! Declarations: nodes, choices, types, and what they are made of.

use super::Printer;
use super::items::Brackets;
use crate::ast::*;
use crate::names;

impl<'a> Printer<'a> {
    /// `node Name(…) -> (…)`, from its keyword on.
    pub(super) fn node(&mut self, node: &'a Node, end: u32) {
        // One group: inputs go on lines of their own before outputs do.
        self.doc.open();
        self.words("node ");
        self.label(&node.name);
        let inputs_end = node.outputs.first().map_or(end, super::items::Item::start);
        self.list_in_group(Brackets::PAREN, &node.inputs, inputs_end);
        if !node.outputs.is_empty() {
            self.words(" -> ");
            self.list(Brackets::PAREN, &node.outputs, end);
        }
        self.doc.close();
    }

    pub(super) fn type_declaration(&mut self, declared: &'a TypeDecl) {
        self.words("type ");
        self.binding(&declared.name);
        self.words(" =");
        self.comments_before(declared.comfy_span.start);
        self.doc.space();
        self.text(names::string_literal(&declared.comfy));
    }

    pub(super) fn choices(&mut self, choices: &'a Choices) {
        self.words("choices ");
        self.binding(&choices.name);
        self.words(" =");
        self.alternatives(&choices.values, true);
    }

    pub(super) fn fn_param(&mut self, param: &'a FnParam) {
        self.docs_above(param.docs.as_ref());
        self.comments_before(param.span.start);
        self.binding(&param.name);
        self.words(": ");
        self.ty(&param.ty);
        if let Some(default) = &param.default {
            self.value_after_equals(default);
        }
    }

    pub(super) fn input(&mut self, input: &'a Input) {
        self.docs_above(input.docs.as_ref());
        self.comments_before(input.span.start);
        self.doc.open();
        if input.hidden {
            self.words("hidden ");
        }
        self.label(&input.name);
        self.text(":");
        match &input.ty.kind {
            TypeKind::Choices(values) => self.alternatives(values, true),
            _ => {
                self.doc.space();
                self.ty(&input.ty);
            }
        }
        self.constraint(input.constraint.as_ref());
        if let Some(default) = &input.default {
            self.value_after_equals(default);
        }
        self.annotations_behind(&input.annotations);
        self.doc.close();
    }

    pub(super) fn output(&mut self, output: &'a Output) {
        self.docs_above(output.docs.as_ref());
        self.comments_before(output.span.start);
        self.doc.open();
        self.label_and_type(&output.name, &output.ty);
        self.annotations_behind(&output.annotations);
        self.doc.close();
    }

    fn docs_above(&mut self, docs: Option<&'a Doc>) {
        if let Some(docs) = docs {
            self.docs(docs, "///");
            self.doc.hard();
        }
    }

    fn label_and_type(&mut self, name: &'a Ident, ty: &'a Type) {
        self.label(name);
        self.words(": ");
        self.ty(ty);
    }

    fn annotations_behind(&mut self, annotations: &'a [Annotation]) {
        self.doc.indent();
        for annotation in annotations {
            self.comments_before(annotation.span.start);
            self.doc.fill();
            self.annotation(annotation);
        }
        self.doc.dedent();
    }

    pub(super) fn constraint(&mut self, constraint: Option<&'a Constraint>) {
        let Some(constraint) = constraint else { return };
        self.words(" in ");
        match &constraint.kind {
            ConstraintKind::Range { lo, hi } => {
                // Remarks wait: outside of brackets the line must not end here.
                self.expr_kind(lo);
                self.text("..=");
                self.expr_kind(hi);
            }
            ConstraintKind::OneOf(values) => self.list(Brackets::SQUARE, values, constraint.span.end),
        }
    }

    pub(super) fn ty(&mut self, ty: &'a Type) {
        match &ty.kind {
            // A line that begins with `node x` would begin a statement.
            TypeKind::Name(name) => self.text(names::reference(name)),
            TypeKind::Optional(inner) => {
                self.grouped_type(inner, has_alternatives(inner));
                self.text("?");
            }
            TypeKind::Union(alternatives) => self.alternatives(alternatives, false),
            TypeKind::Choices(values) => self.alternatives(values, false),
            TypeKind::Match { template, allowed } => {
                self.text(format!("Match<{}", names::string_literal(template)));
                if let Some(allowed) = allowed {
                    self.words(", ");
                    self.ty(allowed);
                }
                self.text(">");
            }
            TypeKind::File { folder, .. } => self.text(format!("File<{}>", names::string_literal(folder))),
            TypeKind::List(inner) => {
                self.text("[");
                self.ty(inner);
                self.comments_before(ty.span.end);
                self.text("]");
            }
        }
    }

    fn grouped_type(&mut self, ty: &'a Type, parentheses: bool) {
        if parentheses {
            self.text("(");
        }
        self.ty(ty);
        if parentheses {
            self.text(")");
        }
    }

    /// `a | b`, filling lines; where one comes with inputs, each on a line of its own. Where they follow a `:` or `=`,
    /// so is the first one, else there is a blank.
    fn alternatives(&mut self, alternatives: &'a [impl Alternative], follow: bool) {
        let fill = !alternatives.iter().any(Alternative::has_inputs);
        self.doc.open();
        self.doc.indent();
        for (place, alternative) in alternatives.iter().enumerate() {
            if place > 0 {
                self.words(" |");
            }
            if place > 0 || follow {
                self.comments_before(alternative.start());
            }
            match place {
                0 if follow && fill => self.doc.space(),
                0 if follow => self.doc.line(" "),
                0 => {}
                _ if fill => self.doc.fill(),
                _ => self.doc.line(" "),
            }
            alternative.print(self);
        }
        self.doc.dedent();
        self.doc.close();
    }

    fn choice(&mut self, choice: &'a Choice) {
        self.text(choice.value.to_string());
        if let Some(inputs) = &choice.inputs {
            self.doc.space();
            self.list(Brackets::BRACES, inputs, choice.span.end);
        }
    }
}

/// Something that may be one of several.
trait Alternative {
    fn start(&self) -> u32;
    fn has_inputs(&self) -> bool;
    fn print<'a>(&'a self, printer: &mut Printer<'a>);
}

impl Alternative for Choice {
    fn start(&self) -> u32 {
        self.span.start
    }

    fn has_inputs(&self) -> bool {
        self.inputs.is_some()
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.choice(self);
    }
}

impl Alternative for Type {
    fn start(&self) -> u32 {
        self.span.start
    }

    fn has_inputs(&self) -> bool {
        matches!(&self.kind, TypeKind::Choices(values) if values.iter().any(Alternative::has_inputs))
    }

    fn print<'a>(&'a self, printer: &mut Printer<'a>) {
        printer.grouped_type(self, has_alternatives(self));
    }
}

fn has_alternatives(ty: &Type) -> bool {
    match &ty.kind {
        TypeKind::Union(_) => true,
        TypeKind::Choices(values) => values.len() > 1,
        _ => false,
    }
}
