//! `dce`: what no effect needs is removed.

use floe_nets::Id;

use super::{Facts, Pass};
use crate::graph::{Became, Graph};

/// Removes nodes whose outputs reach no effect.
/// ```text
/// %0 = LoadImage(image: "a.png")                     %0 = LoadImage(image: "a.png")
/// %1 = ImageInvert(image: %0)                    ->  %1 = SaveImage(images: %0, …)
/// %2 = SaveImage(images: %0, …)                      effects %1
/// effects %2
/// ```
/// Exact: effects are nodes that write files, and everything they read stays. After `cse`, before passes that do
/// work for each node.
pub(crate) struct Dce;

impl Pass for Dce {
    fn name(&self) -> &'static str {
        "dce"
    }

    fn run(&self, graph: &mut Graph, _: &Facts<'_>) -> usize {
        let needed = graph.needed();
        let mut removed = 0;
        graph.rebuild(|nodes, id, node| {
            if !needed[id.index()] {
                removed += 1;
                return Became::Nothing;
            }
            Became::Node(nodes.push(node))
        });
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::Dce;

    #[test]
    fn a_picture_that_is_not_saved_is_not_made() {
        insta::assert_snapshot!(check(
            &Dce,
            r#"
let image = LoadImage(image: "a.png").IMAGE
let negative = ImageInvert(image)
SaveImage(image)
"#
        ));
    }

    /// The mask is not used, but the node that gives it also gives the picture.
    #[test]
    fn a_node_with_one_used_output_stays() {
        insta::assert_snapshot!(check(
            &Dce,
            r#"
let (image, mask) = LoadImage(image: "a.png")
SaveImage(image)
"#
        ));
    }

    #[test]
    fn a_chain_that_ends_nowhere_goes_as_a_whole() {
        insta::assert_snapshot!(check(
            &Dce,
            r#"
SaveImage(LoadImage(image: "a.png").IMAGE)
let b = ImageInvert(ImageInvert(LoadImage(image: "b.png").IMAGE))
"#
        ));
    }
}
