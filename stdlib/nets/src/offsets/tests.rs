//! Laws of the whole solver.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::*;

fn item(bytes: usize, first: usize, last: usize) -> Item {
    Item { bytes, first, last }
}

/// What a packing must at least achieve: the largest first, each in the lowest gap, as TensorFlow Lite does it.
fn simple(items: &[Item], alignment: usize) -> usize {
    let size = |index: usize| items[index].bytes.next_multiple_of(alignment);
    let mut order: Vec<usize> = (0..items.len()).filter(|&index| size(index) > 0).collect();
    order.sort_by_key(|&index| (Reverse(size(index)), items[index].first, items[index].last));
    let mut placed: Vec<(usize, usize)> = Vec::new();
    let mut height = 0;
    for index in order {
        placed.sort_unstable();
        let mut offset = 0;
        for &(from, other) in &placed {
            if items[other].first <= items[index].last && items[index].first <= items[other].last {
                if from >= offset + size(index) {
                    break;
                }
                offset = offset.max(from + size(other));
            }
        }
        placed.push((offset, index));
        height = height.max(offset + size(index));
    }
    height
}

/// Rectangles that fill a block of memory exactly, cut by cut, as items: the lower bound can be reached.
fn cut(cuts: &[(prop::sample::Index, bool, prop::sample::Index)]) -> Vec<Item> {
    let mut pieces = vec![(0, 64, 0, 4096)];
    for (which, across, at) in cuts {
        let (first, end, low, high) = pieces.swap_remove(which.index(pieces.len()));
        if *across && end - first > 1 {
            let at = first + 1 + at.index(end - first - 1);
            pieces.extend([(first, at, low, high), (at, end, low, high)]);
        } else if high - low > 1 {
            let at = low + 1 + at.index(high - low - 1);
            pieces.extend([(first, end, low, at), (first, end, at, high)]);
        } else {
            pieces.push((first, end, low, high));
        }
    }
    pieces.into_iter().map(|(first, end, low, high)| item(high - low, first, end - 1)).collect()
}

fn items(most: usize) -> impl Strategy<Value = Vec<Item>> {
    let one = (0_usize..5000, 0_usize..40, 0_usize..10);
    let one = one.prop_map(|(bytes, first, length)| item(bytes, first, first + length));
    prop::collection::vec(one, 0..most)
}

#[test]
fn things_that_never_meet_share_their_bytes() {
    let packing = pack(&[item(100, 0, 1), item(100, 2, 3)], 64);
    assert_eq!(packing, Packing { offsets: vec![0, 0], height: 128, lower_bound: 128 });
}

#[test]
fn a_gap_is_used_when_it_fits() {
    let items = [item(64, 0, 9), item(64, 0, 1), item(64, 0, 9), item(64, 2, 9)];
    assert_eq!(pack(&items, 64).height, 192);
}

#[test]
fn nothing_needs_nothing() {
    assert_eq!(pack(&[], 64), Packing::default());
    let empty = Packing { offsets: vec![0], height: 0, lower_bound: 0 };
    assert_eq!(pack(&[item(0, 3, 9)], 64), empty);
}

#[test]
fn the_search_stops_at_the_height_that_suffices() {
    // Greedily two more than the lower bound.
    let items = [
        item(3, 0, 1),
        item(2, 1, 2),
        item(3, 2, 3),
        item(4, 3, 4),
        item(5, 1, 1),
        item(2, 0, 3),
        item(1, 3, 3),
    ];
    let found = pack_within(&items, 1, Goal { height: 0, work: 100_000 });
    assert_eq!(check(&items, 1, &found), Ok(()));
    let content = pack_within(&items, 1, Goal { height: usize::MAX, work: 100_000 });
    assert!(content.height >= found.height);
}

#[test]
fn sizes_beyond_all_machines_saturate() {
    let items = vec![item(usize::MAX / 2, 0, 1); 5];
    let packing = pack(&items, 64);
    assert_eq!((packing.height, packing.lower_bound), (usize::MAX, usize::MAX));
    assert_eq!(pack(&[item(usize::MAX, 0, 0)], 64).height, usize::MAX);
    assert_eq!(pack(&[item(usize::MAX, 0, 0)], 1).height, usize::MAX);
    let one_by_one: Vec<Item> = (0..5).map(|step| item(usize::MAX / 2, step, step)).collect();
    assert_eq!(pack(&one_by_one, 1).height, usize::MAX / 2);
}

#[test]
fn lives_as_long_as_numbers_go_are_lives() {
    let items = [item(4, 0, usize::MAX), item(4, usize::MAX, usize::MAX), item(4, 0, 0), item(4, 7, 3)];
    let packing = pack(&items, 1);
    assert_eq!(check(&items, 1, &packing), Ok(()));
    assert_eq!(packing.height, 8);
}

#[test]
fn a_long_chain_with_long_lives_among_it_is_packed_at_the_lower_bound() {
    let chain = (0..100_000).map(|step| item(64 * (1 + step % 7), step, step + 1 + step % 3));
    let through = (0..100).map(|index| item(640, index * 1000, index * 1000 + 30_000));
    let items: Vec<Item> = chain.chain(through).collect();
    let packing = pack(&items, 64);
    assert_eq!(check(&items, 64, &packing), Ok(()));
    assert_eq!(packing.height, packing.lower_bound);
}

proptest! {
    #[test]
    fn what_lives_together_never_overlaps(items in items(60), power in 0_u32..8) {
        let alignment = 1 << power;
        let packing = pack(&items, alignment);
        prop_assert_eq!(check(&items, alignment, &packing), Ok(()));
        prop_assert!(packing.height <= simple(&items, alignment));
        prop_assert_eq!(&pack(&items, alignment), &packing);
    }

    #[test]
    fn more_work_makes_no_packing_worse(items in items(40)) {
        let heights = [0, 10_000, 1_000_000].map(|work| {
            let packing = pack_within(&items, 1, Goal { height: 0, work });
            prop_assert_eq!(check(&items, 1, &packing), Ok(()));
            Ok(packing.height)
        });
        let [none, some, much] = heights;
        let (none, some, much) = (none?, some?, much?);
        prop_assert!(none >= some.max(much) && none <= simple(&items, 1), "{} {} {}", none, some, much);
    }

    #[test]
    fn the_order_of_items_decides_nothing(items in items(40), seed in any::<u64>()) {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_key(|&index| (seed.rotate_left(index as u32) ^ index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let other: Vec<Item> = order.iter().map(|&index| items[index]).collect();
        let places = |items: &[Item]| {
            let packing = pack(items, 1);
            let mut places: Vec<_> = items
                .iter()
                .zip(&packing.offsets)
                .map(|(item, &offset)| (item.first, item.last, item.bytes, offset))
                .collect();
            places.sort_unstable();
            (packing.height, places)
        };
        prop_assert_eq!(places(&items), places(&other));
    }

    #[test]
    fn the_length_of_a_step_decides_nothing(items in items(40), factor in 1_usize..1000) {
        let slow: Vec<Item> = items
            .iter()
            .map(|item| Item { first: item.first * factor, last: item.last * factor + factor - 1, ..*item })
            .collect();
        prop_assert_eq!(pack(&items, 1), pack(&slow, 1));
    }

    #[test]
    fn time_may_run_backwards(items in items(30)) {
        let end = items.iter().map(|item| item.last).max().unwrap_or(0);
        let back: Vec<Item> =
            items.iter().map(|item| Item { first: end - item.last, last: end - item.first, ..*item }).collect();
        let (packing, mut other) = (pack(&items, 1), pack(&back, 1));
        prop_assert_eq!(packing.lower_bound, other.lower_bound);
        other.height = other.height.max(packing.lower_bound);
        prop_assert_eq!(check(&items, 1, &other), Ok(()));
    }

    #[test]
    fn what_was_cut_from_a_block_fits_it_again(
        cuts in prop::collection::vec(any::<(prop::sample::Index, bool, prop::sample::Index)>(), 0..50)
    ) {
        let items = cut(&cuts);
        let packing = pack_within(&items, 1, Goal { height: 0, work: 20_000_000 });
        prop_assert_eq!(check(&items, 1, &packing), Ok(()));
        prop_assert_eq!((packing.height, packing.lower_bound), (4096, 4096));
    }
}
