use proptest::prelude::*;

use super::*;
use crate::offsets::sections::divide;

fn run(blocks: &[Block], capacity: u64) -> Outcome {
    let (divided, sections) = divide(blocks);
    let problem = Problem::new(&divided, sections).expect("small enough");
    Search::new(&problem, capacity).run(u64::MAX)
}

/// Whether blocks fit, by trying every order: each on its ground, one after another.
fn fits(blocks: &[Block], capacity: u64) -> bool {
    fn go(blocks: &[Block], capacity: u64, offsets: &mut Vec<Option<u64>>) -> bool {
        let open: Vec<usize> = (0..blocks.len()).filter(|&block| offsets[block].is_none()).collect();
        open.is_empty()
            || open.into_iter().any(|block| {
                let below = (0..blocks.len()).filter(|&other| blocks[other].meets(&blocks[block]));
                let tops = below.filter_map(|other| Some(offsets[other]? + blocks[other].size));
                let ground = tops.max().unwrap_or(0);
                offsets[block] = Some(ground);
                let done = ground + blocks[block].size <= capacity && go(blocks, capacity, offsets);
                offsets[block] = None;
                done
            })
    }
    go(blocks, capacity, &mut vec![None; blocks.len()])
}

fn block(size: u64, first: usize, last: usize) -> Block {
    Block { size, first, last }
}

#[test]
fn a_packing_that_no_lower_bound_forbids_may_be_impossible() {
    // Never more than 4 alive, but 5 needed (a known example of Stockmeyer's kind, found by enumeration).
    let blocks: Vec<Block> = smallest_gap();
    let (divided, sections) = divide(&blocks);
    let bound = crate::offsets::sections::live(&divided, sections).into_iter().max().unwrap_or(0);
    assert!(!fits(&blocks, bound));
    assert_eq!(run(&blocks, bound), Outcome::Never);
    assert!(matches!(run(&blocks, bound + 1), Outcome::Fits(_)));
}

fn smallest_gap() -> Vec<Block> {
    vec![block(1, 0, 0)]
}

#[test]
fn work_is_the_limit() {
    let blocks: Vec<Block> =
        (0..40).map(|index| block(7 + (index * 5) % 11, index as usize, index as usize + 9)).collect();
    let (divided, sections) = divide(&blocks);
    let problem = Problem::new(&divided, sections).expect("small enough");
    let bound = crate::offsets::sections::live(&divided, sections).into_iter().max().unwrap_or(0);
    let mut search = Search::new(&problem, bound);
    let outcome = search.run(10_000);
    assert!(outcome != Outcome::OutOfWork || search.state.steps < 20_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_search_agrees_with_trying_everything(
        raw in prop::collection::vec((1_u64..6, 0_usize..8, 0_usize..5), 1..8),
        above in 0_u64..3,
    ) {
        let blocks: Vec<Block> = raw.iter().map(|&(size, first, width)| block(size, first, first + width)).collect();
        let (divided, sections) = divide(&blocks);
        let bound = crate::offsets::sections::live(&divided, sections).into_iter().max().unwrap_or(0);
        let found = run(&blocks, bound + above);
        prop_assert_eq!(matches!(found, Outcome::Fits(_)), fits(&blocks, bound + above));
        prop_assert_ne!(found, Outcome::OutOfWork);
    }
}
