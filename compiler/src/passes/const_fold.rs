//! `const-fold`: what is known needs no node.

use super::{Facts, Pass};
use crate::facts::Aliases;
use crate::graph::Graph;

/// Replaces links to known values by the values, and links to nodes that hand an input on by that input.
/// ```text
/// %0 = PrimitiveInt(value: 20)                       %0 = PrimitiveInt(value: 20)
/// %1 = LoadImage(image: "a.png")                     %1 = LoadImage(image: "a.png")
/// %2 = ImageInvert(image: %1)                        %2 = ImageInvert(image: %1)
/// %3 = ComfySwitchNode(switch: true,             ->  %3 = ComfySwitchNode(…)
///        on_true: %1, on_false: %2)
/// %4 = ImageScale(image: %3, width: %0, …)           %4 = ImageScale(image: %1, width: 20, …)
/// ```
/// Exact: a value is known only where every run computes the same one, and what is handed on is the same bytes. The
/// nodes that nothing reads any more, those of the choice not made among them, are dead: `dce` removes them. Inputs
/// come first, so one walk finds chains. Before `cse`, which sees equal inputs then.
pub(crate) struct ConstFold;

impl Pass for ConstFold {
    fn name(&self) -> &'static str {
        "const-fold"
    }

    fn run(&self, graph: &mut Graph, facts: &Facts<'_>) -> usize {
        let aliases = Aliases::of(graph, facts.of(graph));
        let mut rewrites = 0;
        for id in graph.nodes.iter().map(|(id, _)| id).collect::<Vec<_>>() {
            for operand in graph.nodes[id].inputs.values_mut() {
                operand.leaves_mut(&mut |leaf| {
                    let known = aliases.resolve(leaf);
                    if known != leaf {
                        *leaf = known.clone();
                        rewrites += 1;
                    }
                });
            }
        }
        rewrites
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::ConstFold;

    #[test]
    fn a_known_switch_is_its_choice() {
        insta::assert_snapshot!(check(
            &ConstFold,
            r#"
let a = LoadImage(image: "a.png").IMAGE
let b = LoadImage(image: "b.png").IMAGE
SaveImage(ComfySwitchNode(switch: true, on_false: a, on_true: b))
"#
        ));
    }

    /// What a picture's size is, only its header says.
    #[test]
    fn what_depends_on_a_file_stays() {
        insta::assert_snapshot!(check(
            &ConstFold,
            r#"
let image = LoadImage(image: "a.png").IMAGE
SaveImage(ImageScale(image, upscale_method: "area", width: 64, height: 0, crop: "disabled"))
"#
        ));
    }

    #[test]
    fn a_chain_of_values_becomes_one_value() {
        insta::assert_snapshot!(check(
            &ConstFold,
            r#"
let width = PrimitiveInt(value: 40)
let wider = ComfyMathExpression(expression: "a * 2 + b", values: [width, PrimitiveFloat(value: 0.5)])
let name = StringConcatenate(string_a: "wide", string_b: PrimitiveString(value: "pictures"), delimiter: "-")
let image = LoadImage(image: "a.png").IMAGE
SaveImage(ImageScale(image, upscale_method: "area", width: wider.INT, height: width, crop: "disabled"), filename_prefix: name)
"#
        ));
    }
}
