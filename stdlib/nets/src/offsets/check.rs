//! Verifies a packing, without the solver's notions: one walk through time over what is alive.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{Item, Packing};

/// What is wrong with a packing. Items are named by their index.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum Fault {
    #[error("{items} items have {offsets} offsets")]
    Count { items: usize, offsets: usize },
    #[error("item {item} lies at {offset}, which is no multiple of {alignment}")]
    Alignment { item: usize, offset: usize, alignment: usize },
    #[error("item {item} ends above the height of {height}")]
    Height { item: usize, height: usize },
    #[error("items {low} and {high} live at the same time and share bytes")]
    Overlap { low: usize, high: usize },
    #[error("the height of {height} is below the {live} bytes alive at one step")]
    Bound { height: usize, live: usize },
}

/// Checks that items which live at the same time share no byte, that all offsets are multiples of `alignment`, and
/// that everything ends below the height.
///
/// # Errors
/// The first fault found.
pub fn check(items: &[Item], alignment: usize, packing: &Packing) -> Result<(), Fault> {
    let Packing { ref offsets, height, lower_bound } = *packing;
    if items.len() != offsets.len() {
        return Err(Fault::Count { items: items.len(), offsets: offsets.len() });
    }
    if height < lower_bound {
        return Err(Fault::Bound { height, live: lower_bound });
    }
    for (item, (&Item { bytes, .. }, &offset)) in items.iter().zip(offsets).enumerate() {
        if !offset.is_multiple_of(alignment) {
            return Err(Fault::Alignment { item, offset, alignment });
        }
        if offset.checked_add(bytes).is_none_or(|end| end > height) {
            return Err(Fault::Height { item, height });
        }
    }
    overlaps(items, offsets)
}

/// What begins at a step comes before what ends there, because both ends of a life are included.
fn overlaps(items: &[Item], offsets: &[usize]) -> Result<(), Fault> {
    let taking: Vec<usize> = (0..items.len()).filter(|&item| items[item].bytes > 0).collect();
    let mut starts = taking.clone();
    let mut ends = taking;
    starts.sort_by_key(|&item| items[item].first);
    ends.sort_by_key(|&item| items[item].end());
    let mut ends = ends.into_iter().peekable();
    // What is alive, by offset: neighbours in memory are neighbours here, as long as none overlap.
    let mut alive: BTreeMap<usize, usize> = BTreeMap::new();
    for item in starts {
        while let Some(gone) = ends.next_if(|&end| items[end].end() < items[item].first) {
            alive.remove(&offsets[gone]);
        }
        let offset = offsets[item];
        if let Some((_, &low)) = alive.range(..=offset).next_back()
            && offsets[low] + items[low].bytes > offset
        {
            return Err(Fault::Overlap { low, high: item });
        }
        if let Some((&above, &high)) = alive.range(offset..).next()
            && offset + items[item].bytes > above
        {
            return Err(Fault::Overlap { low: item, high });
        }
        alive.insert(offset, item);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes, first and last step, offset.
    fn verdict(things: &[(usize, usize, usize, usize)], alignment: usize, height: usize) -> String {
        let items: Vec<Item> =
            things.iter().map(|&(bytes, first, last, _)| Item { bytes, first, last }).collect();
        let offsets = things.iter().map(|&(.., offset)| offset).collect();
        match check(&items, alignment, &Packing { offsets, height, lower_bound: 0 }) {
            Ok(()) => "sound".to_owned(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn neighbours_in_memory_and_in_time_are_sound() {
        assert_eq!(verdict(&[(8, 0, 3, 0), (8, 2, 5, 8), (8, 4, 5, 0), (0, 0, 9, 4)], 4, 16), "sound");
    }

    #[test]
    fn what_meets_in_the_last_step_alone_must_not_overlap() {
        let verdict = verdict(&[(8, 0, 3, 0), (8, 3, 5, 4)], 4, 16);
        assert_eq!(verdict, "items 0 and 1 live at the same time and share bytes");
    }

    #[test]
    fn what_lies_inside_another_is_found_from_both_sides() {
        let found = "items 0 and 1 live at the same time and share bytes";
        assert_eq!(verdict(&[(32, 0, 3, 0), (8, 1, 2, 8)], 4, 32), found);
        assert_eq!(
            verdict(&[(8, 1, 2, 8), (32, 0, 3, 0)], 4, 32),
            "items 1 and 0 live at the same time and share bytes"
        );
    }

    #[test]
    fn alignment_height_and_number_are_checked() {
        assert_eq!(verdict(&[(8, 0, 3, 2)], 4, 16), "item 0 lies at 2, which is no multiple of 4");
        assert_eq!(verdict(&[(8, 0, 3, 12)], 4, 16), "item 0 ends above the height of 16");
        assert_eq!(verdict(&[(8, 0, 3, usize::MAX - 3)], 4, 16), "item 0 ends above the height of 16");
        let nothing = Packing { offsets: Vec::new(), height: 9, lower_bound: 0 };
        let item = Item { bytes: 1, first: 0, last: 0 };
        assert_eq!(check(&[item], 1, &nothing), Err(Fault::Count { items: 1, offsets: 0 }));
    }
}
