//! `hoist-loads`: model files are opened in a prologue, once per file and part.

use std::collections::BTreeMap;

use floe_nets::Id;

use super::Pass;
use crate::graph::{Became, Graph, Node, NodeId, NodeKind};

/// Replaces loaders by one load per used part, before everything else, in the order of first use.
/// ```text
/// %0 = EmptyLatentImage(…)                       %0 = load CheckpointLoaderSimple clip(ckpt_name: "a")
/// %1 = CheckpointLoaderSimple(ckpt_name: "a")    %1 = load CheckpointLoaderSimple model(ckpt_name: "a")
/// %2 = CLIPTextEncode(clip: %1.1, …)         ->  %2 = EmptyLatentImage(…)
/// %3 = KSampler(model: %1, …)                    %3 = CLIPTextEncode(clip: %0, …)
///                                                %4 = KSampler(model: %1, …)
/// ```
/// Exact: a part is the same bytes whenever it is read. Loads that stand by themselves can be prefetched while
/// others compute, and a part that nothing uses is not prepared. After `dce`, so that dead uses do not count.
pub(crate) struct HoistLoads;

/// A part: the text of its loader's class and inputs, output slot of its loader.
type Key = (String, usize);

impl Pass for HoistLoads {
    fn name(&self) -> &'static str {
        "hoist-loads"
    }

    fn run(&self, graph: &mut Graph) -> usize {
        let loaders: BTreeMap<NodeId, String> =
            graph.nodes.iter().filter_map(|(id, node)| Some((id, loaded(node)?))).collect();
        if loaders.is_empty() {
            return 0;
        }
        // Parts by first use.
        let mut order: Vec<Key> = Vec::new();
        let mut loads: BTreeMap<Key, Node> = BTreeMap::new();
        for (_, node) in graph.nodes.iter() {
            for (from, slot) in node.reads() {
                let Some(what) = loaders.get(&from) else { continue };
                let loader = &graph.nodes[from];
                let key = (what.clone(), slot);
                if let Some(load) = loads.get_mut(&key) {
                    for origin in &loader.origins {
                        if !load.origins.contains(origin) {
                            load.origins.push(origin.clone());
                        }
                    }
                } else {
                    order.push(key.clone());
                    loads.insert(key, load_node(loader, slot));
                }
            }
        }
        let mut placed: BTreeMap<Key, NodeId> = BTreeMap::new();
        let mut prologue = Some(order);
        graph.rebuild(|nodes, id, node| {
            // The prologue comes before the first node, whichever that is.
            for key in prologue.take().unwrap_or_default() {
                if let Some(load) = loads.remove(&key) {
                    placed.insert(key, nodes.push(load));
                }
            }
            let outputs = node.outputs();
            match loaders.get(&id) {
                // A part that nothing reads has no load; nothing asks for its place either.
                Some(what) => {
                    let place = |slot| placed.get(&(what.clone(), slot));
                    let place = |slot| place(slot).map_or((NodeId::from_index(0), 0), |&load| (load, 0));
                    Became::Outputs((0..outputs).map(place).collect())
                }
                None => Became::Node(nodes.push(node)),
            }
        });
        loaders.len()
    }
}

/// What a node loads whose files are known: its text without its origins.
fn loaded(node: &Node) -> Option<String> {
    let known = node.semantics()?.is_loader() && node.reads().is_empty();
    known.then(|| node.to_string().split("  // ").next().unwrap_or_default().to_owned())
}

fn load_node(loader: &Node, slot: usize) -> Node {
    let semantics = loader.semantics().expect("only loaders are hoisted");
    Node {
        kind: NodeKind::Load { class: semantics.name, slot, part: semantics.parts[slot] },
        inputs: loader.inputs.clone(),
        each: false,
        origins: loader.origins.clone(),
        batched: false,
        source: loader.source.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::HoistLoads;

    #[test]
    fn only_used_parts_are_loaded_in_the_order_of_their_use() {
        insta::assert_snapshot!(check(
            &HoistLoads,
            r#"
let image = LoadImage(image: "a.png").IMAGE
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
SaveImage(VAEDecode(VAEEncode(image, vae:), vae:))
"#
        ));
    }

    /// A picture is no model: it is read where it is needed.
    #[test]
    fn pictures_are_not_hoisted() {
        insta::assert_snapshot!(check(
            &HoistLoads,
            r#"
SaveImage(LoadImage(image: "a.png").IMAGE)
"#
        ));
    }

    #[test]
    fn two_loaders_of_one_file_share_their_parts() {
        insta::assert_snapshot!(check(
            &HoistLoads,
            r#"
let a = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
let b = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
let image = LoadImage(image: "a.png").IMAGE
SaveImage(VAEDecode(VAEEncode(image, vae: a.VAE), vae: b.VAE))
"#
        ));
    }
}
