//! Offsets in one block of memory for things that live for a while: the solver of both levels, values in a
//! program's slab and buffers in a plan's.
//!
//! Greedy by several orders, the best kept: largest first (as TensorFlow Lite's planner, Pisarchyk and Lee 2020),
//! most bytes times steps first, earliest first. Each thing goes to the lowest gap that holds it among those that
//! live at the same time. Deterministic; the result never depends on anything but the list.

/// A thing to place: `bytes` from the start of step `first` to the end of step `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its size.
    pub bytes: usize,
    /// First step at which it exists.
    pub first: usize,
    /// Last step at which it exists.
    pub last: usize,
}

/// Where everything goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packing {
    /// Offset of each item, in the order given.
    pub offsets: Vec<usize>,
    /// Bytes needed.
    pub height: usize,
    /// Most bytes alive at one step: no packing can need less.
    pub lower_bound: usize,
}

/// Packs items at multiples of `alignment`.
pub fn pack(items: &[Item], alignment: usize) -> Packing {
    let sizes: Vec<usize> = items.iter().map(|item| item.bytes.next_multiple_of(alignment)).collect();
    let lower_bound = lower_bound(items, &sizes);
    let area = |index: usize| sizes[index] as u128 * (items[index].last - items[index].first + 1) as u128;
    let mut by_size: Vec<usize> = (0..items.len()).collect();
    by_size.sort_by_key(|&index| (std::cmp::Reverse(sizes[index]), items[index].first, index));
    let mut by_area = by_size.clone();
    by_area.sort_by_key(|&index| (std::cmp::Reverse(area(index)), index));
    let mut by_start = by_size.clone();
    by_start.sort_by_key(|&index| (items[index].first, std::cmp::Reverse(sizes[index]), index));

    let mut best = place(items, &sizes, &by_size);
    for order in [by_area, by_start] {
        if best.1 > lower_bound {
            let next = place(items, &sizes, &order);
            if next.1 < best.1 {
                best = next;
            }
        }
    }
    Packing { offsets: best.0, height: best.1, lower_bound }
}

fn lower_bound(items: &[Item], sizes: &[usize]) -> usize {
    let steps = items.iter().map(|item| item.last + 1).max().unwrap_or(0);
    let mut change = vec![0_i128; steps + 1];
    for (item, &size) in items.iter().zip(sizes) {
        change[item.first] += size as i128;
        change[item.last + 1] -= size as i128;
    }
    let mut live = 0;
    let mut most = 0;
    for delta in change {
        live += delta;
        most = most.max(live);
    }
    usize::try_from(most).unwrap_or(0)
}

fn place(items: &[Item], sizes: &[usize], order: &[usize]) -> (Vec<usize>, usize) {
    let mut offsets = vec![0; items.len()];
    let mut height = 0;
    // Placed items by offset, so that gaps are found in one walk.
    let mut placed: Vec<usize> = Vec::with_capacity(items.len());
    for &index in order {
        let item = items[index];
        if sizes[index] == 0 {
            continue;
        }
        let mut offset = 0;
        for &other in &placed {
            let together = items[other].first <= item.last && item.first <= items[other].last;
            if together {
                if offsets[other] >= offset + sizes[index] {
                    break;
                }
                offset = offset.max(offsets[other] + sizes[other]);
            }
        }
        offsets[index] = offset;
        height = height.max(offset + sizes[index]);
        let at = placed.partition_point(|&other| offsets[other] <= offset);
        placed.insert(at, index);
    }
    (offsets, height)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(bytes: usize, first: usize, last: usize) -> Item {
        Item { bytes, first, last }
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

    proptest! {
        #[test]
        fn what_lives_together_never_overlaps(
            raw in prop::collection::vec((0_usize..5000, 0_usize..40, 0_usize..10), 0..60)
        ) {
            let items: Vec<Item> = raw.iter().map(|&(bytes, first, length)| item(bytes, first, first + length)).collect();
            let packing = pack(&items, 64);
            prop_assert!(packing.height >= packing.lower_bound);
            for (i, a) in items.iter().enumerate() {
                prop_assert!(packing.offsets[i].is_multiple_of(64) && packing.offsets[i] + a.bytes <= packing.height);
                for (j, b) in items.iter().enumerate().skip(i + 1) {
                    let together = a.first <= b.last && b.first <= a.last && a.bytes > 0 && b.bytes > 0;
                    let (from, to) = (packing.offsets[i], packing.offsets[j]);
                    prop_assert!(!together || from + a.bytes <= to || to + b.bytes <= from);
                }
            }
        }
    }
}
