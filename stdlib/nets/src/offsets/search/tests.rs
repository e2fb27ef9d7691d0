use proptest::prelude::*;

use super::*;
use crate::offsets::sections::{divide, live};

fn run(blocks: &[Block], capacity: u64) -> Outcome {
    let (divided, sections) = divide(blocks);
    let problem = Problem::new(&divided, sections).expect("small enough");
    Search::new(&problem, capacity, 0).run(u64::MAX)
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

/// Nine lives for which sizes exist that need more than is ever alive at once.
const KNOTTED: [(usize, usize); 9] = [(0, 3), (1, 3), (2, 2), (3, 5), (4, 4), (4, 6), (5, 7), (6, 6), (7, 7)];

fn knotted(sizes: &[u64]) -> Vec<Block> {
    KNOTTED.iter().zip(sizes).map(|(&(first, last), &size)| block(size, first, last)).collect()
}

fn bound(blocks: &[Block]) -> u64 {
    let (divided, sections) = divide(blocks);
    live(&divided, sections).into_iter().max().unwrap_or(0)
}

#[test]
fn what_no_lower_bound_forbids_may_be_impossible() {
    let blocks = knotted(&[1, 4, 1, 1, 3, 2, 2, 2, 4]);
    assert_eq!(bound(&blocks), 6);
    assert!(!fits(&blocks, 6));
    assert_eq!(run(&blocks, 6), Outcome::Never);
    assert!(matches!(run(&blocks, 7), Outcome::Fits(_)));
}

#[test]
fn waits_follow_the_sequence() {
    let waits: Vec<u64> = (0..15).map(luby).collect();
    assert_eq!(waits, [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]);
}

#[test]
fn work_is_the_limit() {
    let size = |index: usize| 7 + (index as u64 * 5) % 11;
    let blocks: Vec<Block> = (0..60).map(|index| block(size(index), index, index + 9)).collect();
    let (divided, sections) = divide(&blocks);
    let problem = Problem::new(&divided, sections).expect("small enough");
    let mut search = Search::new(&problem, bound(&blocks), 0);
    assert_eq!(search.run(10_000), Outcome::OutOfWork);
    assert!(search.state.steps < 20_000, "{}", search.state.steps);
}

#[test]
fn what_meets_too_often_is_not_searched() {
    let blocks = vec![block(1, 0, 0); 2000];
    assert!(Problem::new(&blocks, 1).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn the_search_agrees_with_trying_everything(
        raw in prop::collection::vec((1_u64..6, 0_usize..8, 0_usize..5), 1..8),
        above in 0_u64..3,
    ) {
        let blocks: Vec<Block> = raw.iter().map(|&(size, first, width)| block(size, first, first + width)).collect();
        let capacity = bound(&blocks) + above;
        let found = run(&blocks, capacity);
        prop_assert_eq!(matches!(found, Outcome::Fits(_)), fits(&blocks, capacity));
        prop_assert_ne!(found, Outcome::OutOfWork);
    }

    #[test]
    fn it_agrees_where_sizes_are_knotted(sizes in prop::collection::vec(1_u64..6, 9)) {
        let blocks = knotted(&sizes);
        let found = run(&blocks, bound(&blocks));
        prop_assert_eq!(matches!(found, Outcome::Fits(_)), fits(&blocks, bound(&blocks)));
    }
}
