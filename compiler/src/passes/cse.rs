//! `cse`: what is computed twice is computed once.

use std::collections::BTreeMap;

use super::{Facts, Pass};
use crate::graph::{Became, Graph, NodeId};

/// Merges nodes of one kind with the same inputs.
/// ```text
/// %0 = CheckpointLoaderSimple(ckpt_name: "a")      %0 = CheckpointLoaderSimple(ckpt_name: "a")
/// %1 = CheckpointLoaderSimple(ckpt_name: "a")  ->  %1 = CLIPTextEncode(clip: %0.1, text: "x")
/// %2 = CLIPTextEncode(clip: %1.1, text: "x")
/// ```
/// Exact: outputs depend on inputs alone, seeds included, for every class that does not write files; files do not
/// change during a run. Inputs are merged before the nodes that read them, so one walk finds chains. After
/// `const-fold`, before the others: it makes the graph smaller for them.
pub(crate) struct Cse;

impl Pass for Cse {
    fn name(&self) -> &'static str {
        "cse"
    }

    fn run(&self, graph: &mut Graph, _: &Facts<'_>) -> usize {
        let before = graph.nodes.len();
        let mut seen: BTreeMap<String, NodeId> = BTreeMap::new();
        graph.rebuild(|nodes, _, node| {
            // The text form without origins says all of kind and inputs.
            let key = node.to_string();
            let key = key.split("  // ").next().unwrap_or_default().to_owned();
            if node.kind.is_value()
                && let Some(&first) = seen.get(&key)
            {
                nodes[first].origins.extend(node.origins.iter().cloned());
                return Became::Node(first);
            }
            let id = nodes.push(node);
            seen.insert(key, id);
            Became::Node(id)
        });
        before - graph.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::Cse;

    #[test]
    fn two_loads_of_one_checkpoint_become_one() {
        insta::assert_snapshot!(check(
            &Cse,
            r#"
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
let (_, other) = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
SaveImage(VAEDecode(KSampler(model, sampler_name: "euler", scheduler: "normal",
    positive: CLIPTextEncode(clip, text: ""), negative: CLIPTextEncode(other, text: ""),
    latent_image: EmptyLatentImage()), vae:))
"#
        ));
    }

    /// Two files with the same picture are what was asked for.
    #[test]
    fn saving_twice_saves_twice() {
        insta::assert_snapshot!(check(
            &Cse,
            r#"
let image = LoadImage(image: "a.png").IMAGE
SaveImage(image)
SaveImage(image)
"#
        ));
    }

    #[test]
    fn a_chain_of_equal_nodes_merges_from_its_start() {
        insta::assert_snapshot!(check(
            &Cse,
            r#"
SaveImage(ImageInvert(ImageInvert(LoadImage(image: "a.png").IMAGE)), filename_prefix: "a")
SaveImage(ImageInvert(ImageInvert(LoadImage(image: "a.png").IMAGE)), filename_prefix: "b")
"#
        ));
    }
}
