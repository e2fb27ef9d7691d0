//! `offsets`: every value and workspace gets its place in one slab.

use crate::arena::Id;
use crate::cost;
use crate::ir::{ALIGNMENT, Placement, Program};
use crate::offsets::{Item, pack};

/// Places values by their live ranges, so that bytes are reused.
///
/// A value lives from the operation that defines it to the last one that reads it; a chain of in-place values is
/// one thing; a workspace lives during its operation. The last pass.
pub fn offsets(program: &mut Program) -> usize {
    let things = things(program);
    let packing = pack(&items(program, &things), ALIGNMENT);
    place(program, &things, &packing.offsets, packing.height)
}

/// When things live, for the solver.
fn items(program: &Program, things: &[Thing]) -> Vec<Item> {
    let last = program.last_uses();
    let item = |thing: &Thing| {
        let ends = thing.values.iter().filter_map(|&value| last[value]);
        Item { bytes: thing.bytes, first: thing.first, last: ends.max().unwrap_or(thing.first) }
    };
    things.iter().map(item).collect()
}

/// Places every value and workspace at an offset of its own: the naive schedule, against which plans are checked.
pub fn spread(program: &mut Program) -> usize {
    let things = things(program);
    let mut height = 0;
    let mut places = Vec::with_capacity(things.len());
    for thing in &things {
        places.push(height);
        height += thing.bytes.next_multiple_of(ALIGNMENT);
    }
    place(program, &things, &places, height)
}

/// Bytes with one place: the values of an in-place chain, or one operation's workspace.
struct Thing {
    bytes: usize,
    /// The operation that defines it.
    first: usize,
    /// Values by index; none for a workspace.
    values: Vec<usize>,
}

fn things(program: &Program) -> Vec<Thing> {
    let mut things: Vec<Thing> = Vec::new();
    let mut thing_of = vec![None; program.values.len()];
    for (position, op) in program.ops.iter().enumerate() {
        let workspace = cost::workspace_bytes(program, op);
        if workspace > 0 {
            things.push(Thing { bytes: workspace, first: position, values: Vec::new() });
        }
        if program.is_external(op.output) {
            continue;
        }
        let shared = op.in_place.and_then(|value| thing_of[value.index()]);
        let thing = shared.unwrap_or_else(|| {
            let bytes = program.values[op.output].bytes();
            things.push(Thing { bytes, first: position, values: Vec::new() });
            things.len() - 1
        });
        things[thing].values.push(op.output.index());
        thing_of[op.output.index()] = Some(thing);
    }
    things
}

fn place(program: &mut Program, things: &[Thing], places: &[usize], slab_bytes: usize) -> usize {
    let mut placement = Placement {
        values: vec![None; program.values.len()],
        workspaces: vec![None; program.ops.len()],
        slab_bytes,
    };
    for (thing, &offset) in things.iter().zip(places) {
        if thing.values.is_empty() {
            placement.workspaces[thing.first] = Some(offset);
        }
        for &value in &thing.values {
            placement.values[value] = Some(offset);
        }
    }
    let changed = program.placement.as_ref() != Some(&placement);
    program.placement = Some(placement);
    usize::from(changed)
}

#[cfg(test)]
mod tests {
    use super::super::sd1;
    use super::super::testing::{check, program};
    use super::{items, offsets, spread, things};
    use crate::arch::UnetOptions;
    use crate::ir::{ALIGNMENT, Activation, OpKind, Program};
    use crate::spec::ProgramSpec;

    /// Most bytes alive at one operation, and the bytes of the slab.
    fn bound_and_slab(program: &Program) -> (usize, usize) {
        let items = items(program, &things(program));
        let alive = |position: usize| {
            let alive = items.iter().filter(|item| item.first <= position && position <= item.last);
            alive.map(|item| item.bytes.next_multiple_of(ALIGNMENT)).sum::<usize>()
        };
        let bound = (0..program.ops.len()).map(alive).max().unwrap_or(0);
        (bound, program.placement.as_ref().map_or(0, |placement| placement.slab_bytes))
    }

    #[test]
    fn a_chain_of_three_needs_two_places() {
        let text = check(
            offsets,
            program(|b, x| {
                let y = b.linear("linear", x)?;
                let y = b.linear("linear", y)?;
                let y = b.linear("linear", y)?;
                b.linear("linear", y)
            }),
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn attention_gets_its_workspace_beside_what_is_live() {
        let text = check(
            offsets,
            program(|b, x| {
                let y = b.linear("linear", x)?;
                let y = b.attention([y, y, y], 2, false)?;
                b.activate(Activation::Silu, y)
            }),
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_naive_placement_reuses_nothing() {
        let text = check(
            spread,
            program(|b, x| {
                let y = b.linear("linear", x)?;
                let y = b.apply(OpKind::Concat, &[y, y])?;
                b.apply(OpKind::Narrow { start: 2, channels: 4 }, &[y])
            }),
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn slabs_of_stable_diffusion_1_are_within_two_percent_of_the_lower_bound() {
        let (height, width) = (64, 64);
        let specs = [
            ProgramSpec::Unet { batch: 1, height, width, tokens: 77, options: UnetOptions::default() },
            ProgramSpec::Unet { batch: 2, height, width, tokens: 77, options: UnetOptions::default() },
            ProgramSpec::Unet { batch: 2, height: 96, width, tokens: 154, options: UnetOptions::default() },
            ProgramSpec::VaeDecode { batch: 1, height, width },
            ProgramSpec::VaeEncode { batch: 1, height: 512, width: 512 },
        ];
        let mut figures = String::new();
        for spec in specs {
            let (bound, slab) = bound_and_slab(&sd1::program(spec));
            assert!(slab >= bound && slab <= bound + bound / 50, "{spec}: {slab} of {bound}");
            figures.push_str(&format!("{spec}: slab {slab}, at least {bound}\n"));
        }
        insta::assert_snapshot!(figures);
    }
}
