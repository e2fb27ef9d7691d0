//! `batch-guidance`: both prompts of a guided sampler go through the network together.

use super::{Facts, Pass};
use crate::graph::{Graph, NodeId};

/// Lets the executions of one network in a node share a batch.
/// ```text
/// %4 = KSampler(cfg: 5.0, …)     ->    %4 = KSampler(cfg: 5.0, …) batched
/// ```
/// Exact: kernels are batch-invariant, an item's bits do not depend on its neighbours. Where prompts differ in
/// length the node keeps its executions apart by itself. Any place in the pipeline.
pub(crate) struct BatchGuidance;

impl Pass for BatchGuidance {
    fn name(&self) -> &'static str {
        "batch-guidance"
    }

    fn run(&self, graph: &mut Graph, _: &Facts<'_>) -> usize {
        let batchable = |id: &NodeId| {
            let node = &graph.nodes[*id];
            !node.batched && node.semantics().is_some_and(|semantics| semantics.batchable)
        };
        let nodes: Vec<NodeId> = graph.nodes.iter().map(|(id, _)| id).filter(batchable).collect();
        for &id in &nodes {
            graph.nodes[id].batched = true;
        }
        nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::BatchGuidance;

    #[test]
    fn a_sampler_takes_both_prompts_at_once() {
        insta::assert_snapshot!(check(
            &BatchGuidance,
            r#"
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "a.safetensors")
let empty = CLIPTextEncode(clip, text: "")
SaveImage(VAEDecode(KSampler(model, sampler_name: "euler", scheduler: "normal",
    positive: empty, negative: empty, latent_image: EmptyLatentImage()), vae:))
"#
        ));
    }

    /// A decoder works item by item: a batch would only cost memory.
    #[test]
    fn a_decoder_keeps_its_items_apart() {
        insta::assert_snapshot!(check(
            &BatchGuidance,
            r#"
let vae = CheckpointLoaderSimple(ckpt_name: "a.safetensors").VAE
SaveImage(VAEDecode(EmptyLatentImage(batch_size: 2), vae:))
"#
        ));
    }
}
