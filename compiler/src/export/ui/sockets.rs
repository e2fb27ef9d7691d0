//! What an editor shows of a call: sockets, widgets, and the values that these store.

use std::collections::HashMap;

use floe_lang::comfy::editor::{default_value, has_control, socket_type};
use floe_lang::comfy::prompt::Json;
use floe_lang::decl::{InputDecl, Type};
use floe_lang::text::dynamic_prompt;

use super::bodies::link;
use super::size::{Content, shows_picture};
use super::values::json;
use crate::flat::{Arg, Call, Decl, Value};

/// An input as an editor lists it: a socket, or a widget, which is one too.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Socket {
    pub(super) name: String,
    pub(super) ty: String,
    /// The argument that it shows, by place.
    pub(super) arg: Option<usize>,
    pub(super) widget: bool,
    pub(super) optional: bool,
}

/// What an editor shows of a call.
#[derive(Debug, Default)]
pub(super) struct Face {
    /// Sockets, then widgets, which both may be linked.
    pub(super) inputs: Vec<Socket>,
    /// The stored values, by position.
    pub(super) values: Vec<Json>,
    /// Arguments that the editor has no place for.
    pub(super) lost: Vec<usize>,
    pub(super) content: Content,
}

/// The face of a call; values of arguments that are inputs of a definition are stored as they are.
pub(super) fn face(call: &Call, promoted: &dyn Fn(usize) -> bool) -> Face {
    let args = call.args.iter().enumerate().map(|(at, arg)| (arg.name.as_ref(), at)).collect();
    let mut builder = Builder {
        call,
        args,
        promoted,
        used: vec![false; call.args.len()],
        sockets: Vec::new(),
        widgets: Vec::new(),
        face: Face::default(),
    };
    match &call.decl {
        Decl::Library(decl) => {
            builder.inputs(decl.visible_inputs(), "", 0);
            builder.extras(&decl.name);
        }
        Decl::Program(_) => builder.guessed(),
    }
    builder.rest();
    builder.finish()
}

struct Builder<'c> {
    call: &'c Call,
    /// Arguments by name.
    args: HashMap<&'c str, usize>,
    promoted: &'c dyn Fn(usize) -> bool,
    used: Vec<bool>,
    sockets: Vec<Socket>,
    widgets: Vec<Socket>,
    face: Face,
}

impl<'c> Builder<'c> {
    /// The argument of an input, which is shown from now on.
    fn arg(&mut self, name: &str) -> Option<(usize, &'c Arg)> {
        let at = *self.args.get(name)?;
        self.used[at] = true;
        Some((at, &self.call.args[at]))
    }

    /// Recursion is as deep as declarations nest dynamic choices.
    fn inputs(&mut self, inputs: impl Iterator<Item = &'c InputDecl>, prefix: &str, depth: usize) {
        const DEEPEST: usize = 16;
        for input in inputs {
            let name = format!("{prefix}{}", input.name);
            match &input.ty {
                Type::Grow { element, .. } => self.grown(&name, element.first()),
                _ if !input.has_widget() => self.socket(input, name),
                ty => {
                    let value = self.widget(input, name.clone());
                    if let (Type::Dynamic(choices), true) = (ty, depth < DEEPEST) {
                        let choice = choices
                            .iter()
                            .find(|choice| matches!(&value, Json::String(key) if *key == *choice.key));
                        if let Some(choice) = choice {
                            self.inputs(choice.inputs.iter(), &format!("{name}."), depth + 1);
                        }
                    }
                    if has_control(input, prefix) {
                        self.face.values.push(Json::String("fixed".to_owned()));
                    }
                }
            }
        }
    }

    fn socket(&mut self, input: &InputDecl, name: String) {
        let arg = self.arg(&name);
        let given = arg.filter(|(at, arg)| link(arg).is_some() || (self.promoted)(*at));
        if let (Some((at, arg)), None) = (arg, given)
            && arg.value != Value::None
        {
            self.face.lost.push(at);
        }
        let ty = socket_type(&input.ty).into_owned();
        let arg = given.map(|(at, _)| at);
        self.sockets.push(Socket { name, ty, arg, widget: false, optional: input.optional });
    }

    /// The sockets of a growing input, as they are linked.
    fn grown(&mut self, name: &str, element: Option<&InputDecl>) {
        let prefix = format!("{name}.");
        let ty = element.map_or("*".to_owned(), |element| socket_type(&element.ty).into_owned());
        for (at, arg) in self.call.args.iter().enumerate() {
            let given = link(arg).is_some() || (self.promoted)(at);
            if arg.name.starts_with(&prefix) && given && !self.used[at] {
                self.used[at] = true;
                let name = arg.name.to_string();
                self.sockets.push(Socket {
                    name,
                    ty: ty.clone(),
                    arg: Some(at),
                    widget: false,
                    optional: true,
                });
            }
        }
    }

    /// A widget, with its value.
    fn widget(&mut self, input: &InputDecl, name: String) -> Json {
        let arg = self.arg(&name);
        let value = match arg {
            Some((_, arg)) if link(arg).is_some() => default_value(input),
            Some((at, arg)) => {
                let stored = json(&arg.value).map(|value| self.escaped(input, at, value));
                if stored.is_none() {
                    self.face.lost.push(at);
                }
                stored.or_else(|| default_value(input))
            }
            None => default_value(input),
        };
        let value = value.unwrap_or(Json::Null);
        let length = if let Json::String(text) = &value { text.chars().count().min(30) } else { 8 };
        match input.marks.multiline {
            true => self.face.content.texts += 1,
            false => self.face.content.widgets.push(name.chars().count() + length),
        }
        self.face.values.push(value.clone());
        let ty = socket_type(&input.ty).into_owned();
        self.widgets.push(Socket {
            name,
            ty,
            arg: arg.map(|(at, _)| at),
            widget: true,
            optional: input.optional,
        });
        value
    }

    /// A text in which the editor would resolve something says with backslashes that it is meant as it is. There is no
    /// way to say that of comments.
    fn escaped(&mut self, input: &InputDecl, arg: usize, value: Json) -> Json {
        let Json::String(text) = value else { return value };
        let resolved = input.marks.dynamic_prompts && !(self.promoted)(arg);
        if !resolved || dynamic_prompt::first(&text) == text {
            return Json::String(text);
        }
        let escaped = text.replace('{', "\\{").replace('}', "\\}");
        if dynamic_prompt::first(&escaped) != text {
            self.face.lost.push(arg);
        }
        Json::String(escaped)
    }

    /// Inputs that the editor makes itself for some classes, though nobody declares them.
    fn extras(&mut self, class: &str) {
        match class {
            "SaveGLB" | "Preview3D" => drop(self.arg("image")),
            "LoadImageOutput" => drop(self.arg("refresh")),
            "CustomCombo" => {
                let mut names =
                    std::iter::once("index".to_owned()).chain((1..).map(|at| format!("option{at}")));
                while let Some((at, arg)) = names.next().and_then(|name| self.arg(&name)) {
                    match json(&arg.value) {
                        Some(value) => self.face.values.push(value),
                        None => self.face.lost.push(at),
                    }
                }
            }
            _ => {}
        }
    }

    /// Inputs of a class that nobody knows: each value is a widget. Sockets name the widgets in their order.
    fn guessed(&mut self) {
        self.face.values.extend(self.call.marks.widgets.iter().filter_map(json));
        let unnamed = !self.face.values.is_empty();
        for (at, arg) in self.call.args.iter().enumerate() {
            self.used[at] = true;
            let declared = self.call.decl.input(&arg.name);
            let ty = declared.map_or("*".to_owned(), |input| socket_type(&input.ty).into_owned());
            let name = arg.name.to_string();
            let socket = |widget| Socket { name, ty, arg: Some(at), widget, optional: false };
            if link(arg).is_some() {
                self.sockets.push(socket(false));
            } else if let Some(value) = json(&arg.value).filter(|_| !unnamed) {
                self.face.content.widgets.push(30);
                self.face.values.push(value);
                self.widgets.push(socket(true));
            } else {
                self.face.lost.push(at);
            }
        }
    }

    /// Arguments that the class does not have: links are kept, values have no place.
    fn rest(&mut self) {
        for (at, arg) in self.call.args.iter().enumerate() {
            if self.used[at] {
                continue;
            }
            if link(arg).is_some() {
                let (name, ty) = (arg.name.to_string(), "*".to_owned());
                self.sockets.push(Socket { name, ty, arg: Some(at), widget: false, optional: true });
            } else {
                self.face.lost.push(at);
            }
        }
    }

    fn finish(mut self) -> Face {
        let length = |socket: &Socket| socket.name.chars().count();
        let decl = &self.call.decl;
        let content = &mut self.face.content;
        content.sockets.0 = self.sockets.iter().map(length).collect();
        content.sockets.1 = decl.outputs.iter().map(|output| output.name.chars().count()).collect();
        content.title = decl.title().chars().count();
        content.picture = shows_picture(decl);
        self.face.inputs = self.sockets;
        self.face.inputs.append(&mut self.widgets);
        self.face
    }
}
