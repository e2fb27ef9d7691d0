//! File names with something to fill in: `%date:yyyy-MM-dd%`, `%KSampler.seed%`.
//!
//! The editor looks a node up by its name for search and replace, then by its title; the first one counts, wherever it
//! is. Values go in as the widget stores them, with characters that file names cannot have replaced.

use super::budget::weight;
use super::file::{Kind, Node};
use super::log::Log;
use super::own::OwnValues;
use super::scopes::{Scopes, Site};
use crate::comfy::json::Value;
use crate::comfy::prompt::{InputValue, Json, NamePiece, Prompt};
use crate::comfy::values;
use crate::text::js;
use std::collections::HashMap;

/// How long a value may be that goes into a file name; longer ones stay out.
const LONGEST: usize = 4096;

/// How much may go into all file names together.
const MOST: usize = 16 << 20;

/// Nodes with more inputs than this are no ordinary ones; their values go in as they are.
const MANY_INPUTS: usize = 256;

/// The classes whose file names are filled in.
const SAVE: [&str; 12] = [
    "CLIPSave",
    "LoraSave",
    "ModelSave",
    "SaveAnimatedPNG",
    "SaveAnimatedWEBP",
    "SaveAudio",
    "SaveGLB",
    "SaveImage",
    "SaveLatent",
    "SaveVideo",
    "SaveWEBM",
    "VAESave",
];

/// Whether the editor fills in this widget.
pub(super) fn fills(class: &str, widget: &str) -> bool {
    widget == "filename_prefix" && SAVE.contains(&class)
}

/// Whether a value might have something to fill in.
pub(super) fn has_tokens(value: &Json) -> bool {
    matches!(value, Json::String(text) if text.matches('%').nth(1).is_some())
}

/// Fills in the inputs that are pending, as far as that does not depend on the time of submission or on values that
/// somebody may change.
pub(super) fn resolve(
    scopes: &Scopes<'_, '_>,
    prompt: &mut Prompt,
    pending: &[(usize, usize)],
    log: &mut Log,
) {
    if pending.is_empty() {
        return;
    }
    let mut names = Names::of(scopes);
    for &(node, input) in pending {
        // A link may have taken its place.
        let text = match &prompt.nodes[node].inputs[input].value {
            InputValue::Json(Json::String(text)) | InputValue::DynamicPrompt(text) => text.clone(),
            _ => continue,
        };
        let pieces = names.pieces(&text, scopes, prompt, log);
        let value = match pieces.as_slice() {
            [] => InputValue::Json(Json::String(String::new())),
            [NamePiece::Text(same)] if *same == text => continue,
            [NamePiece::Text(frozen)] => InputValue::Json(Json::String(frozen.clone())),
            _ => InputValue::FileName(pieces),
        };
        prompt.nodes[node].inputs[input].value = value;
    }
}

/// Nodes by the names under which file names may mention them.
struct Names<'f, 'v> {
    own: OwnValues<'f, 'v>,
    /// How much more may go in.
    left: usize,
    by_name: HashMap<&'v str, Site>,
    by_title: HashMap<&'v str, Site>,
}

impl<'f, 'v> Names<'f, 'v> {
    fn of(scopes: &Scopes<'f, 'v>) -> Names<'f, 'v> {
        let mut names = Names {
            own: OwnValues::new(scopes.file),
            left: MOST,
            by_name: HashMap::new(),
            by_title: HashMap::new(),
        };
        for scope in 0..scopes.all.len() {
            for at in 0..scopes.graph(scope).nodes.len() {
                let site = (scope, at);
                let node = scopes.node(site);
                if let Some(name) = search_name(node) {
                    names.by_name.entry(name).or_insert(site);
                }
                let title = node.written_title().or(node.decl.map(|decl| decl.title()));
                names.by_title.entry(title.unwrap_or(node.class)).or_insert(site);
            }
        }
        names
    }

    fn pieces(
        &mut self,
        text: &str,
        scopes: &Scopes<'_, 'v>,
        prompt: &Prompt,
        log: &mut Log,
    ) -> Vec<NamePiece> {
        let mut pieces = Pieces::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            pieces.text(before);
            match after.split_once('%') {
                Some((token, behind)) if !token.is_empty() => {
                    match self.piece(token, scopes, prompt, log) {
                        Some(piece) => pieces.push(piece),
                        None => pieces.text(&format!("%{token}%")),
                    }
                    rest = behind;
                }
                // Two signs in a row: only the second can begin something.
                Some(_) => {
                    pieces.text("%");
                    rest = after;
                }
                None => {
                    pieces.text("%");
                    rest = after;
                }
            }
        }
        pieces.text(rest);
        pieces.list
    }

    fn piece(
        &mut self,
        token: &str,
        scopes: &Scopes<'_, 'v>,
        prompt: &Prompt,
        log: &mut Log,
    ) -> Option<NamePiece> {
        let parts: Vec<&str> = token.split('.').collect();
        let [name, widget] = parts[..] else {
            return parts[0].strip_prefix("date:").map(|format| NamePiece::Date(format.to_owned()));
        };
        let site = *self.by_name.get(name).or_else(|| self.by_title.get(name))?;
        let (value, exact) = self.value(scopes, site, widget, log)?;
        if weight(&value) > LONGEST.min(self.left) {
            return None;
        }
        self.left -= weight(&value);
        let text = if value == Json::Null { String::new() } else { js::text(&value) };
        let clean: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
        let lives = exact
            && clean == text
            && scopes.index(site).is_some_and(|index| follows(prompt, index, widget, &value));
        Some(match scopes.index(site) {
            Some(index) if lives => NamePiece::Widget(index, widget.to_owned()),
            _ => NamePiece::Text(clean),
        })
    }

    /// What the widget of a node stores; whether text made of it is the same everywhere: that of fractions is not.
    fn value(
        &mut self,
        scopes: &Scopes<'_, 'v>,
        site: Site,
        name: &str,
        log: &mut Log,
    ) -> Option<(Json, bool)> {
        let node = scopes.node(site);
        if node.kind == Kind::Primitive {
            let value = node.stored().and_then(|values| values.at(0)).filter(|_| name == "value")?;
            return Some((values::json(value, &mut log.warnings), false));
        }
        let own = self.own.get(scopes.all[site.0].graph, site.1, name, log)?;
        let value = own.value.as_ref().filter(|value| weight(value) <= LONGEST)?;
        Some((value.clone(), !own.fraction))
    }
}

#[derive(Default)]
struct Pieces {
    list: Vec<NamePiece>,
}

impl Pieces {
    fn text(&mut self, text: &str) {
        match self.list.last_mut() {
            _ if text.is_empty() => {}
            Some(NamePiece::Text(before)) => before.push_str(text),
            _ => self.list.push(NamePiece::Text(text.to_owned())),
        }
    }

    fn push(&mut self, piece: NamePiece) {
        match piece {
            NamePiece::Text(text) => self.text(&text),
            piece => self.list.push(piece),
        }
    }
}

/// The name for search and replace: the class, unless the file says otherwise; nodes that save have none by themselves.
fn search_name<'v>(node: &Node<'v>) -> Option<&'v str> {
    let written = node.property("Node name for S&R").and_then(Value::text);
    written.or((!SAVE.contains(&node.class)).then_some(node.class))
}

/// Whether the prompt gives the same plain value to the input of that name.
fn follows(prompt: &Prompt, node: usize, name: &str, value: &Json) -> bool {
    let inputs = &prompt.nodes[node].inputs;
    let given = inputs.iter().filter(|_| inputs.len() <= MANY_INPUTS).find(|input| input.name == name);
    let plain = matches!(value, Json::String(_))
        || matches!(value, Json::Int(number) if number.unsigned_abs() <= 1 << 53);
    plain && given.is_some_and(|input| matches!(&input.value, InputValue::Json(given) if given == value))
}

/// Whether a character may stand in a file name.
fn allowed(c: char) -> bool {
    !matches!(c, '/' | '?' | '<' | '>' | '\\' | ':' | '*' | '|' | '"' | '\0'..='\u{1f}' | '\u{7f}')
}
