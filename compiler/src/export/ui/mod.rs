//! A program as the workflow file that ComfyUI's editor opens: schema 0.4, with subgraphs.
//!
//! Flows become subgraphs, headings among the comments become frames around nodes and other remarks notes, known values
//! become widgets. Reading the file gives the same prompt as exporting the program for the server.

mod bodies;
mod definitions;
mod graph;
mod remarks;
mod size;
mod sockets;
mod values;
mod write;
mod written;

use floe_lang::ast;
use floe_lang::comfy::prompt::Json;

use crate::flat::{CallId, Flat};
use bodies::Bodies;
use definitions::Definitions;
use graph::{Drawer, Ids};
use remarks::Remarks;
use written::Passed;

/// A workflow file.
#[derive(Debug)]
pub(crate) struct Workflow {
    /// The file.
    pub(crate) json: Json,
    /// Arguments that have no place in it: calls, and places among their arguments.
    pub(crate) lost: Vec<(CallId, usize)>,
}

/// The workflow file of a program. Headings and remarks are looked for in `file`, which the program was evaluated from.
pub(crate) fn workflow(file: &ast::File, flat: &Flat) -> Workflow {
    let bodies = Bodies::new(flat);
    let definitions = Definitions::new(&bodies, &Passed::new(file));
    let uuids: Vec<String> = (0..definitions.all.len()).map(|at| uuid(&bodies, &definitions, at)).collect();
    let drawn: Vec<_> =
        std::iter::once(None).chain(definitions.all.iter().map(|of| Some(of.members[0]))).collect();
    let ids = Ids::new(&bodies, &drawn);
    let remarks = Remarks::new(file);
    let mut drawer = Drawer {
        bodies: &bodies,
        definitions: &definitions,
        uuids: &uuids,
        remarks: &remarks,
        ids,
        lost: Default::default(),
    };
    let root = drawer.draw(None, None);
    let graphs: Vec<_> = definitions
        .all
        .iter()
        .map(|definition| drawer.draw(Some(definition.members[0]), Some(definition)))
        .collect();
    let subgraphs = definitions
        .all
        .iter()
        .zip(&graphs)
        .zip(&uuids)
        .map(|((definition, graph), uuid)| write::subgraph(&drawer, definition, graph, uuid));
    let subgraphs: Vec<Json> = subgraphs.collect();
    let json = write::file(&root, &remarks.titles, subgraphs, drawer.ids.last());
    Workflow { json, lost: drawer.lost.into_iter().map(|lost| (lost.call, lost.arg)).collect() }
}

/// The id of a definition: the same for the same program.
fn uuid(bodies: &Bodies<'_>, definitions: &Definitions, at: usize) -> String {
    let flow = &bodies.flat.instances[definitions.all[at].members[0].index()].flow;
    let hash = blake3::hash(format!("{at} {flow}").as_bytes()).to_hex();
    let part = |from: usize, to: usize| &hash[from..to];
    // Version 8 of RFC 9562: our own way to make the bits.
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}
