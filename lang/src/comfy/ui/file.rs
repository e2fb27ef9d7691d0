//! The file as it is written: graphs, their nodes and sockets, which output each socket is linked to.

use super::links::{self, Target};
use super::log::Log;
use super::types::comfy_name;
use crate::Span;
use crate::comfy::Limits;
use crate::comfy::error::{ImportError, ImportWarning};
use crate::comfy::json::{Text, Value};
use crate::comfy::values::class_spaces;
use crate::decl::{Declarations, InputDecl, NodeDecl, Type};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

/// Place of a graph in [`File::graphs`]; the first is the root, the others are definitions of subgraphs.
pub(super) type GraphAt = usize;

/// Place of a node in [`Graph::nodes`].
pub(super) type NodeAt = usize;

/// All graphs of a file.
pub(super) struct File<'v> {
    pub(super) graphs: Vec<Graph<'v>>,
}

/// The root, or the definition of a subgraph.
pub(super) struct Graph<'v> {
    /// Whether it is the definition of a subgraph.
    pub(super) definition: bool,
    /// The id of the definition; empty for the root.
    pub(super) id: &'v str,
    /// The name of the definition.
    pub(super) name: &'v str,
    /// The inputs of the definition.
    pub(super) inputs: Vec<Plug<'v>>,
    /// The outputs of the definition.
    pub(super) outputs: Vec<Plug<'v>>,
    pub(super) nodes: Vec<Node<'v>>,
    /// Ids of nodes that were refused: links to them are no mistake of their own.
    pub(super) refused: HashSet<Text<'v>>,
    /// What gives each output of the definition.
    pub(super) given: Vec<Option<Origin>>,
    /// The sockets that each input of the definition leads to, in the order in which they were linked.
    pub(super) taken: Vec<Vec<(NodeAt, usize)>>,
    pub(super) value: &'v Value<'v>,
}

/// An input or output of a definition.
pub(super) struct Plug<'v> {
    pub(super) name: &'v str,
    /// What people see in its place.
    pub(super) label: Option<&'v str>,
    pub(super) ty: &'v str,
    pub(super) span: Span,
}

/// What a socket is linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// An output of a node of the same graph.
    Node { node: NodeAt, slot: u32 },
    /// An input of the definition around.
    Input(usize),
}

/// Whether a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    On,
    Muted,
    Bypassed,
}

/// What a node is to the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A node that the server runs.
    Plain,
    /// Hands its input on.
    Reroute,
    /// Writes its value into widgets.
    Primitive,
    /// A remark.
    Note,
    /// Keeps what it is given for others, and hands it on: `SetNode` of KJNodes.
    Set,
    /// Hands on what another node of the same graph keeps: `GetNode` of KJNodes.
    Get(NodeAt),
    /// A use of a subgraph.
    Instance(GraphAt),
}

/// A node as it is written.
pub(super) struct Node<'v> {
    /// Its id; not what is written where another node has that.
    pub(super) id: String,
    /// The id that is written.
    pub(super) written: Text<'v>,
    pub(super) class: &'v str,
    pub(super) kind: Kind,
    pub(super) mode: Mode,
    pub(super) decl: Option<&'v NodeDecl>,
    /// The sockets that the file lists, those of an instance in the order of its definition, those of a bypassed node
    /// in the order of its class and complete.
    pub(super) inputs: Vec<Socket<'v>>,
    /// Name and type of each output that the file lists.
    pub(super) outputs: Vec<(&'v str, &'v str)>,
    pub(super) value: &'v Value<'v>,
    pub(super) span: Span,
}

/// An input of a node as it is written.
#[derive(Clone)]
pub(super) struct Socket<'v> {
    pub(super) name: &'v str,
    pub(super) ty: Text<'v>,
    /// The widget that it stands for, where the file says so.
    pub(super) widget: Option<&'v str>,
    /// The number of the link that the node says it has.
    pub(super) claim: Option<i128>,
    pub(super) link: Option<Origin>,
    pub(super) span: Span,
}

impl<'v> Node<'v> {
    /// The values of its widgets as they are stored.
    pub(super) fn stored(&self) -> Option<&'v Value<'v>> {
        self.value.some("widgets_values")
    }

    /// A property of the editor.
    pub(super) fn property(&self, name: &str) -> Option<&'v Value<'v>> {
        self.value.get("properties").and_then(|properties| properties.get(name))
    }

    /// The title that somebody gave it, also where it is the usual one.
    pub(super) fn written_title(&self) -> Option<&'v str> {
        self.value.get("title").and_then(Value::text)
    }

    /// The title that somebody gave it.
    pub(super) fn title(&self) -> Option<String> {
        let usual = |title: &&str| {
            *title == self.class || self.decl.is_some_and(|decl| decl.title() == *title) || title.is_empty()
        };
        self.written_title().filter(|title| !usual(title)).map(str::to_owned)
    }

    /// The node pack that brings its class, by its name in the registry, else by its repository; none for a class that
    /// is declared.
    pub(super) fn pack(&self) -> Option<&'v str> {
        let said =
            |name| self.property(name).and_then(Value::text).map(str::trim).filter(|pack| !pack.is_empty());
        if self.decl.is_some() { None } else { said("cnr_id").or_else(|| said("aux_id")) }
    }

    /// Left and upper edge.
    pub(super) fn place(&self) -> Option<(f64, f64)> {
        pair(self.value.get("pos")?)
    }

    /// The socket of a name.
    pub(super) fn socket(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|socket| socket.name == name)
    }

    /// The type of an output.
    pub(super) fn output_type(&self, slot: u32) -> Text<'v> {
        let declared = self.decl.and_then(|decl| decl.outputs.get(slot as usize));
        let listed = self.outputs.get(slot as usize).map_or("*", |(_, ty)| ty);
        declared.map_or(Text::Borrowed(listed), |output| comfy_name(&output.ty))
    }
}

/// Two numbers, in a list or, in old files, an object.
pub(super) fn pair(value: &Value<'_>) -> Option<(f64, f64)> {
    let part = |at: usize, key: &str| value.at(at).or_else(|| value.get(key)).and_then(Value::number);
    Some((part(0, "0")?, part(1, "1")?))
}

impl<'v> File<'v> {
    /// Everything in a file.
    ///
    /// # Errors
    /// Sockets of instances beyond the limit of nodes: each instance has all inputs of its definition.
    pub(super) fn read(
        root: &'v Value<'v>,
        declarations: &'v dyn Declarations,
        limits: Limits,
        log: &mut Log,
    ) -> Option<File<'v>> {
        let mut values = vec![root];
        collect(root, &mut values);
        let mut definitions: HashMap<&'v str, GraphAt> = HashMap::new();
        for (at, value) in values.iter().enumerate().skip(1) {
            definitions.entry(text(value, "id")).or_insert(at);
        }
        let plugs: Vec<Vec<Plug<'v>>> = values.iter().map(|value| plugs_of(value, "inputs")).collect();
        let left = Cell::new(limits.nodes);
        let reader = Reader { declarations, definitions: &definitions, plugs: &plugs, left: &left };
        let mut graphs = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            graphs.push(reader.graph(at, value, log));
            if left.get() == 0 {
                let span = Span::new(value.span.start as usize, value.span.start as usize + 1);
                log.error(ImportError::TooManyNodes { limit: limits.nodes, span });
                return None;
            }
        }
        Some(File { graphs })
    }
}

/// The definitions of a file, also those that are written within others.
fn collect<'v>(root: &'v Value<'v>, values: &mut Vec<&'v Value<'v>>) {
    let mut next = 0;
    let mut graph = Some(root);
    while let Some(value) = graph {
        let listed = value.get("definitions").and_then(|definitions| definitions.get("subgraphs"));
        let listed = listed.map(Value::items).unwrap_or_default();
        values.extend(listed.iter().filter(|definition| definition.is_object()));
        next += 1;
        graph = values.get(next).copied();
    }
}

fn text<'v>(value: &'v Value<'v>, key: &str) -> &'v str {
    value.get(key).and_then(Value::text).unwrap_or("")
}

fn plugs_of<'v>(value: &'v Value<'v>, key: &str) -> Vec<Plug<'v>> {
    let listed = value.get(key).map(Value::items).unwrap_or_default();
    let plug = |value: &'v Value<'v>| Plug {
        name: text(value, "name"),
        label: value.get("label").and_then(Value::text).filter(|label| !label.is_empty()),
        ty: text(value, "type"),
        span: value.span,
    };
    listed.iter().map(plug).collect()
}

struct Reader<'r, 'v> {
    declarations: &'v dyn Declarations,
    definitions: &'r HashMap<&'v str, GraphAt>,
    /// The inputs of each definition.
    plugs: &'r [Vec<Plug<'v>>],
    /// How many sockets instances may still be given.
    left: &'r Cell<usize>,
}

impl<'v> Reader<'_, 'v> {
    fn graph(&self, at: GraphAt, value: &'v Value<'v>, log: &mut Log) -> Graph<'v> {
        let written = value.get("nodes").map(Value::items).unwrap_or_default();
        let mut refused = HashSet::new();
        let mut nodes = Vec::with_capacity(written.len());
        for value in written {
            match self.node(value, log) {
                Some(node) => nodes.push(node),
                None => refused.extend(value.get("id").and_then(Value::id)),
            }
        }
        self.connect(&mut nodes);
        let definition = |key| if at == 0 { Vec::new() } else { plugs_of(value, key) };
        let (inputs, outputs) = (definition("inputs"), definition("outputs"));
        let mut graph = Graph {
            definition: at != 0,
            id: if at == 0 { "" } else { text(value, "id") },
            name: if at == 0 { "" } else { text(value, "name") },
            given: vec![None; outputs.len()],
            taken: Vec::new(),
            inputs,
            outputs,
            nodes,
            refused,
            value,
        };
        self.link(&mut graph, log);
        for node in &mut graph.nodes {
            self.arrange(node);
        }
        graph.taken = taken(&graph);
        graph
    }

    fn node(&self, value: &'v Value<'v>, log: &mut Log) -> Option<Node<'v>> {
        let written = value.get("id").and_then(Value::id).unwrap_or_default();
        // Underlining a whole node helps nobody: its class says enough.
        let span = value
            .get("type")
            .map_or(Span::new(value.span.start as usize, value.span.start as usize + 1), |class| class.span);
        if !value.is_object() {
            let key = "nodes".to_owned();
            log.warn(ImportWarning::NotANode { key, found: value.words(), span: value.span });
            return None;
        }
        let Some(class) = value.get("type").and_then(Value::text) else {
            let help = "write its class: `\"type\": \"KSampler\"`";
            log.error(ImportError::NoClass { id: written.into_owned(), help, span });
            return None;
        };
        let decl = self.declarations.node(class);
        let kind = self.kind(class);
        if class.starts_with("workflow/") || class.starts_with("workflow>") {
            log.warn(ImportWarning::GroupNode { class: class.to_owned(), span });
        }
        log.warnings.extend(class_spaces(class, self.declarations, span));
        Some(Node {
            id: written.to_string(),
            written,
            class,
            kind,
            mode: mode(value),
            decl: decl.filter(|_| kind == Kind::Plain),
            inputs: sockets(value),
            outputs: outputs(value),
            value,
            span,
        })
    }

    /// Finds what each `GetNode` hands on: the first node that keeps something under its name. Where none does, it stays
    /// a node that nobody declares.
    fn connect(&self, nodes: &mut [Node<'v>]) {
        let mut kept: HashMap<&str, NodeAt> = HashMap::new();
        for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.kind == Kind::Set) {
            if let Some(name) = kept_name(node) {
                kept.entry(name).or_insert(at);
            }
        }
        for node in nodes.iter_mut().filter(|node| node.class == "GetNode" && node.kind == Kind::Plain) {
            if let Some(&at) = kept_name(node).and_then(|name| kept.get(name)) {
                node.kind = Kind::Get(at);
                node.decl = None;
            }
        }
    }

    fn kind(&self, class: &str) -> Kind {
        match class {
            "Reroute" | "Reroute (rgthree)" => Kind::Reroute,
            "PrimitiveNode" => Kind::Primitive,
            "Note" | "MarkdownNote" => Kind::Note,
            "SetNode" => Kind::Set,
            _ => self.definitions.get(class).map_or(Kind::Plain, |&graph| Kind::Instance(graph)),
        }
    }

    /// Links sockets to what the table of links says; the numbers that nodes hold only decide between rows.
    fn link(&self, graph: &mut Graph<'v>, log: &mut Log) {
        let table = links::read(graph, log);
        for link in table {
            match link.target {
                Target::Output(at) => graph.given[at] = Some(link.origin),
                Target::Input(node, at) => {
                    let node = &mut graph.nodes[node];
                    // A node that lists no sockets has those of its class.
                    if node.inputs.len() <= at {
                        complete(node);
                    }
                    if let Some(socket) = node.inputs.get_mut(at) {
                        (socket.claim, socket.link) = (link.id, Some(link.origin));
                    }
                }
            }
        }
    }

    fn arrange(&self, node: &mut Node<'v>) {
        if let Some(decl) = node.decl {
            for socket in &mut node.inputs {
                if let Some(input) = declared(decl, socket.name) {
                    socket.ty = comfy_name(&input.ty);
                }
            }
        }
        match node.kind {
            Kind::Instance(graph) => {
                let plugs = &self.plugs[graph];
                self.left.set(self.left.get().saturating_sub(plugs.len()));
                if self.left.get() > 0 {
                    arrange_instance(node, plugs);
                }
            }
            _ if node.mode == Mode::Bypassed => complete(node),
            _ => {}
        }
    }
}

/// The name under which a node keeps something, or is given it.
fn kept_name<'v>(node: &Node<'v>) -> Option<&'v str> {
    node.stored()?.at(0)?.text().filter(|name| !name.is_empty())
}

fn mode(value: &Value<'_>) -> Mode {
    match value.get("mode").and_then(Value::int) {
        Some(2) => Mode::Muted,
        Some(4) => Mode::Bypassed,
        _ => Mode::On,
    }
}

fn sockets<'v>(value: &'v Value<'v>) -> Vec<Socket<'v>> {
    let listed = value.get("inputs").map(Value::items).unwrap_or_default();
    let socket = |value: &'v Value<'v>| Socket {
        name: text(value, "name"),
        ty: type_text(value),
        widget: value.get("widget").map(|widget| text(widget, "name")).filter(|name| !name.is_empty()),
        claim: value.get("link").and_then(Value::int),
        link: None,
        span: value.get("name").map_or(value.span, |name| name.span),
    };
    listed.iter().map(socket).collect()
}

/// Old files write the choices in place of the type, and `-1` or `0` for anything.
fn type_text<'v>(value: &'v Value<'v>) -> Text<'v> {
    match value.get("type") {
        Some(ty) if ty.is_array() => "COMBO".into(),
        Some(ty) => ty.text().map_or("*".into(), Text::Borrowed),
        None => "*".into(),
    }
}

fn outputs<'v>(value: &'v Value<'v>) -> Vec<(&'v str, &'v str)> {
    let listed = value.get("outputs").map(Value::items).unwrap_or_default();
    let ty = |output: &'v Value<'v>| match output.get("type") {
        Some(ty) if ty.is_array() => "COMBO",
        other => other.and_then(Value::text).unwrap_or("*"),
    };
    listed.iter().map(|output| (text(output, "name"), ty(output))).collect()
}

/// The declaration of an input by the name that sockets have: `group.name` inside of dynamic choices and growing
/// inputs.
pub(super) fn declared<'d>(decl: &'d NodeDecl, name: &str) -> Option<&'d InputDecl> {
    if let Some(input) = decl.input(name) {
        return Some(input);
    }
    let mut inputs: Vec<&'d InputDecl> = decl.visible_inputs().collect();
    let mut rest = name;
    loop {
        if let Some(input) = inputs.iter().find(|input| input.name == rest) {
            return Some(input);
        }
        let (group, inner) = rest.split_once('.')?;
        let group = inputs.into_iter().find(|input| input.name == group)?;
        inputs = match &group.ty {
            Type::Grow { names, element, .. } => {
                return element.first().filter(|_| names.place(inner).is_some());
            }
            Type::Dynamic(choices) => choices.iter().flat_map(|choice| choice.inputs.iter()).collect(),
            _ => return None,
        };
        rest = inner;
    }
}

/// Puts the sockets of a node in the order of its class, sockets before widgets, and adds those that the file lacks.
fn complete(node: &mut Node<'_>) {
    let Some(decl) = node.decl else { return };
    let visible: Vec<&InputDecl> = decl.visible_inputs().collect();
    let rank = |name: &str| {
        let group = name.split('.').next().unwrap_or(name);
        let at = visible.iter().position(|input| input.name == name || input.name == group);
        at.map_or((2, 0), |at| (usize::from(visible[at].has_widget()), at))
    };
    for input in &visible {
        let grows = matches!(input.ty, Type::Grow { .. });
        if !grows && !input.marks.socketless && node.socket(&input.name).is_none() {
            node.inputs.push(Socket {
                name: input.name.as_ref(),
                ty: comfy_name(&input.ty),
                widget: None,
                claim: None,
                link: None,
                span: node.span,
            });
        }
    }
    node.inputs.sort_by_key(|socket| rank(socket.name));
}

/// Puts the sockets of an instance in the order of its definition, matched by name, else by place.
fn arrange_instance<'v>(node: &mut Node<'v>, plugs: &[Plug<'v>]) {
    let mut written: Vec<Option<Socket<'v>>> =
        std::mem::take(&mut node.inputs).into_iter().map(Some).collect();
    let mut places: HashMap<&'v str, usize> = HashMap::new();
    for (at, socket) in written.iter().enumerate() {
        if let Some(socket) = socket {
            places.entry(socket.name).or_insert(at);
        }
    }
    let known: HashSet<&str> = plugs.iter().map(|plug| plug.name).collect();
    for (at, plug) in plugs.iter().enumerate() {
        let place = places.get(plug.name).copied().or_else(|| {
            let stranger = written.get(at)?.as_ref().is_some_and(|socket| !known.contains(socket.name));
            stranger.then_some(at)
        });
        let socket = place.and_then(|place| written.get_mut(place)).and_then(Option::take);
        node.inputs.push(Socket {
            name: plug.name,
            ty: Text::Borrowed(plug.ty),
            widget: socket.as_ref().and_then(|socket| socket.widget),
            claim: socket.as_ref().and_then(|socket| socket.claim),
            link: socket.as_ref().and_then(|socket| socket.link),
            span: socket.map_or(node.span, |socket| socket.span),
        });
    }
}

/// The sockets that each input of a definition leads to. The order of `linkIds` counts: the first target lends its
/// value to a promoted widget.
fn taken(graph: &Graph<'_>) -> Vec<Vec<(NodeAt, usize)>> {
    let mut taken = vec![Vec::new(); graph.inputs.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        for (input, socket) in node.inputs.iter().enumerate() {
            if let Some(Origin::Input(plug)) = socket.link {
                taken[plug].push((at, input));
            }
        }
    }
    let plugs = graph.value.get("inputs").map(Value::items).unwrap_or_default();
    for (targets, plug) in taken.iter_mut().zip(plugs) {
        links::order(targets, plug, graph);
    }
    taken
}
