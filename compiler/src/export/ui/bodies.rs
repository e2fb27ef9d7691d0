//! Which calls stand in which body: the program's own, or one use of a flow; and what crosses the borders of these.

use std::collections::HashMap;

use crate::flat::{Arg, Call, CallId, Flat, InstanceId, Place, Value};

/// An output of a call.
pub(super) type Port = (CallId, u32);

/// What stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Item {
    Call(CallId),
    Instance(InstanceId),
}

/// The program itself, or one use of a flow.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// In the order of evaluation.
    pub(super) items: Vec<Item>,
    /// What is taken from outside: in the order of the flow's parameters, then of the first use.
    pub(super) inputs: Vec<Port>,
    input_places: HashMap<Port, usize>,
    /// What is used outside, in the order of the first use.
    pub(super) outputs: Vec<Port>,
    output_places: HashMap<Port, usize>,
}

impl Body {
    /// The place of something that is taken from outside.
    fn input(&self, port: Port) -> Option<usize> {
        self.input_places.get(&port).copied()
    }

    /// The place of something that is used outside.
    pub(super) fn output(&self, port: Port) -> Option<usize> {
        self.output_places.get(&port).copied()
    }
}

/// Where the link of an input begins, as the body around it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// An output of an item of the body, by the item's place.
    Item(usize, usize),
    /// An input of the body.
    Input(usize),
}

/// All bodies of a program.
pub(super) struct Bodies<'f> {
    pub(super) flat: &'f Flat,
    root: Body,
    instances: Vec<Body>,
    /// The place of each call in its body.
    call_places: Vec<usize>,
    /// The place of each instance in the body around it; those without calls have none.
    instance_places: Vec<Option<usize>>,
}

impl<'f> Bodies<'f> {
    pub(super) fn new(flat: &'f Flat) -> Bodies<'f> {
        let mut bodies = Bodies {
            flat,
            root: Body::default(),
            instances: flat.instances.iter().map(|_| Body::default()).collect(),
            call_places: vec![0; flat.calls.len()],
            instance_places: vec![None; flat.instances.len()],
        };
        for (call, _) in bodies.calls() {
            bodies.put(call);
        }
        for (_, call) in bodies.calls() {
            for port in call.args.iter().filter_map(link) {
                bodies.cross(port, call.instance);
            }
        }
        for instance in 0..bodies.instances.len() {
            bodies.order_inputs(instance);
        }
        bodies
    }

    /// The calls that take part in the program, in order.
    fn calls(&self) -> impl Iterator<Item = (CallId, &'f Call)> + use<'f> {
        let calls = (0..).map(CallId).zip(&self.flat.calls);
        calls.filter(|(_, call)| !call.shadow && !call.broken)
    }

    pub(super) fn body(&self, instance: Option<InstanceId>) -> &Body {
        instance.map_or(&self.root, |id| &self.instances[id.index()])
    }

    fn body_mut(&mut self, instance: Option<InstanceId>) -> &mut Body {
        match instance {
            None => &mut self.root,
            Some(id) => &mut self.instances[id.index()],
        }
    }

    /// Where the name of what is called is written.
    pub(super) fn place(&self, item: Item) -> Place {
        match item {
            Item::Call(call) => self.flat.call(call).place,
            Item::Instance(id) => self.flat.instances[id.index()].place,
        }
    }

    /// Puts a call into its body, and that into the one around it, where it is not there yet.
    fn put(&mut self, id: CallId) {
        let mut next = self.flat.call(id).instance;
        let body = self.body_mut(next);
        body.items.push(Item::Call(id));
        self.call_places[id.index()] = body.items.len() - 1;
        while let Some(instance) = next.filter(|instance| self.instance_places[instance.index()].is_none()) {
            next = self.flat.instances[instance.index()].parent;
            let body = self.body_mut(next);
            body.items.push(Item::Instance(instance));
            self.instance_places[instance.index()] = Some(body.items.len() - 1);
        }
    }

    /// The instances from one outwards.
    fn outwards(&self, from: Option<InstanceId>) -> impl Iterator<Item = InstanceId> + use<'f> {
        let flat = self.flat;
        std::iter::successors(from, move |id| flat.instances[id.index()].parent)
    }

    /// Leads a link out of the bodies that only its origin stands in, into those that only its target stands in.
    fn cross(&mut self, port: Port, target: Option<InstanceId>) {
        let source = self.flat.call(port.0).instance;
        if source == target {
            return;
        }
        let (mut out, mut into): (Vec<InstanceId>, Vec<InstanceId>) =
            (self.outwards(source).collect(), self.outwards(target).collect());
        while let (Some(a), Some(b)) = (out.last(), into.last())
            && a == b
        {
            out.pop();
            into.pop();
        }
        for id in out {
            let body = &mut self.instances[id.index()];
            if !body.output_places.contains_key(&port) {
                body.output_places.insert(port, body.outputs.len());
                body.outputs.push(port);
            }
        }
        for id in into {
            let body = &mut self.instances[id.index()];
            if !body.input_places.contains_key(&port) {
                body.input_places.insert(port, body.inputs.len());
                body.inputs.push(port);
            }
        }
    }

    fn order_inputs(&mut self, instance: usize) {
        let args = &self.flat.instances[instance].args;
        let mut places: HashMap<Port, usize> = HashMap::new();
        for (place, (_, value)) in args.iter().enumerate() {
            if let Some(port) = port(value) {
                places.entry(port).or_insert(place);
            }
        }
        let body = &mut self.instances[instance];
        body.inputs.sort_by_key(|port| places.get(port).copied().unwrap_or(usize::MAX));
        body.input_places = body.inputs.iter().enumerate().map(|(place, port)| (*port, place)).collect();
    }

    /// Where a link begins, as a body sees it.
    pub(super) fn origin(&self, body: Option<InstanceId>, port: Port) -> Option<Origin> {
        let source = self.flat.call(port.0).instance;
        if source == body {
            return Some(Origin::Item(self.call_places[port.0.index()], port.1 as usize));
        }
        let inside = self.outwards(source).find(|id| self.flat.instances[id.index()].parent == body);
        match inside {
            Some(id) => {
                let output = self.instances[id.index()].output(port)?;
                Some(Origin::Item(self.instance_places[id.index()]?, output))
            }
            None => self.body(body).input(port).map(Origin::Input),
        }
    }
}

/// The output that an argument is linked to.
pub(super) fn link(arg: &Arg) -> Option<Port> {
    port(&arg.value)
}

/// The output that a value is.
pub(super) fn port(value: &Value) -> Option<Port> {
    match value {
        Value::Link { call, slot } => Some((*call, *slot)),
        _ => None,
    }
}
