//! The format that ComfyUI's server is sent: nodes by their ids, inputs by their names.

use super::cycles;
use super::error::{ImportError, ImportWarning};
use super::json::{Kind, Member, Value};
use super::prompt::{InputValue, NodeIndex, Prompt, PromptInput, PromptNode};
use super::{Format, Read, values};
use crate::Span;
use crate::decl::Declarations;
use std::collections::{HashMap, HashSet};

/// Reads the object of nodes.
pub(super) fn read(value: &Value<'_>, declarations: &dyn Declarations) -> Read {
    let mut reader = Reader {
        declarations,
        places: HashMap::new(),
        refused: HashSet::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let entries = reader.entries(value);
    reader.places = entries.iter().enumerate().map(|(place, entry)| (entry.id, place)).collect();
    let nodes = entries.iter().map(|entry| reader.node(entry, &entries)).collect();
    let mut prompt = Prompt { nodes, ..Prompt::default() };
    let circles = cycles::open(&mut prompt);
    reader.errors.extend(circles.errors);
    reader.warnings.extend(circles.warnings);
    Read { format: Some(Format::Api), prompt: Some(prompt), errors: reader.errors, warnings: reader.warnings }
}

/// A node as it is written.
struct Entry<'v, 't> {
    id: &'v str,
    class: &'v str,
    value: &'v Value<'t>,
    span: Span,
}

struct Reader<'v> {
    declarations: &'v dyn Declarations,
    /// Nodes by their ids.
    places: HashMap<&'v str, NodeIndex>,
    /// Ids of nodes that were refused: links to them are no mistake of their own.
    refused: HashSet<&'v str>,
    errors: Vec<ImportError>,
    warnings: Vec<ImportWarning>,
}

impl<'v> Reader<'v> {
    /// Everything that is a node.
    fn entries<'t>(&mut self, value: &'v Value<'t>) -> Vec<Entry<'v, 't>> {
        value.members().iter().filter_map(|member| self.entry(member)).collect()
    }

    fn entry<'t>(&mut self, member: &'v Member<'t>) -> Option<Entry<'v, 't>> {
        let (id, value, span) = (member.key.as_ref(), &member.value, member.key_span);
        if !value.is_object() {
            self.warnings.push(ImportWarning::NotANode {
                key: id.to_owned(),
                found: value.words(),
                span: value.span,
            });
            return None;
        }
        let Some(class) = value.get("class_type").and_then(Value::text) else {
            let help = "write its class: `\"class_type\": \"KSampler\"`";
            self.errors.push(ImportError::NoClass { id: id.to_owned(), help, span });
            self.refused.insert(id);
            return None;
        };
        self.warnings.extend(values::class_spaces(class, self.declarations, span));
        Some(Entry { id, class, value, span })
    }

    fn node(&mut self, entry: &Entry<'v, '_>, entries: &[Entry<'v, '_>]) -> PromptNode {
        let title = entry.value.get("_meta").and_then(|meta| meta.get("title")).and_then(Value::text);
        PromptNode {
            id: entry.id.to_owned(),
            class: entry.class.to_owned(),
            title: title.map(str::to_owned),
            pack: None,
            inputs: self.inputs(entry, entries),
            outputs: Vec::new(),
            unnamed: Vec::new(),
            instance: None,
            place: None,
            span: entry.span,
        }
    }

    fn inputs(&mut self, entry: &Entry<'v, '_>, entries: &[Entry<'v, '_>]) -> Vec<PromptInput> {
        let inputs = entry.value.some("inputs");
        if let Some(inputs) = inputs.filter(|inputs| !inputs.is_object()) {
            let (id, found) = (entry.id.to_owned(), inputs.words());
            self.warnings.push(ImportWarning::BadInputs { id, found, span: inputs.span });
        }
        let members = inputs.map(Value::members).unwrap_or_default();
        members.iter().filter_map(|member| self.input(member, entries)).collect()
    }

    fn input(&mut self, member: &Member<'_>, entries: &[Entry<'v, '_>]) -> Option<PromptInput> {
        let value = match self.link(&member.value) {
            Some((id, slot)) => self.linked(member, &id, slot, entries)?,
            None => {
                let value = values::wrapped(&member.value).unwrap_or(&member.value);
                InputValue::Json(values::json(value, &mut self.warnings))
            }
        };
        let span = Span::new(member.key_span.start as usize, member.value.span.end as usize);
        Some(PromptInput { name: member.key.to_string(), value, ty: None, through: Vec::new(), span })
    }

    /// The id and the number of a link. A list of two numbers is one only where a node has that id: lists are values,
    /// too, in files that were not written by ComfyUI.
    fn link<'a>(&self, value: &'a Value<'_>) -> Option<(std::borrow::Cow<'a, str>, &'a Value<'a>)> {
        let [origin, slot] = value.items() else { return None };
        let id = origin.id()?;
        let certain = matches!(origin.kind, Kind::String(_)) || self.places.contains_key(id.as_ref());
        (certain && slot.number().is_some()).then_some((id, slot))
    }

    fn linked(
        &mut self,
        member: &Member<'_>,
        id: &str,
        slot: &Value<'_>,
        entries: &[Entry<'v, '_>],
    ) -> Option<InputValue> {
        let input = member.key.to_string();
        let Some(number) = slot.int().and_then(|slot| u32::try_from(slot).ok()) else {
            self.errors.push(ImportError::BadLink { input, span: slot.span });
            return None;
        };
        let span = member.value.span;
        let Some(&node) = self.places.get(id) else {
            if !self.refused.contains(id) {
                self.warnings.push(ImportWarning::DanglingLink { input, id: id.to_owned(), span });
            }
            return Some(InputValue::Dangling { id: id.to_owned(), slot: number });
        };
        let class = entries[node].class;
        let count = self.declarations.node(class).map(|decl| decl.outputs.len());
        if let Some(count) = count.filter(|&count| number as usize >= count) {
            let class = class.to_owned();
            self.warnings.push(ImportWarning::NoSuchOutput { class, slot: number, count, span, input });
        }
        Some(InputValue::Link { node, slot: number })
    }
}

#[cfg(test)]
mod tests;
