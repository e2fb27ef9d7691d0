//! Which predictions a guided step is made of.
//!
//! Each side of guidance, positive and negative, is a list of prompts, which may be limited to areas of the latent, to
//! masks and to parts of the denoising. Every prompt that acts makes a prediction of its own; those of one side are
//! averaged, weighted place by place. The compiler plans these executions and the runtime makes them: both ask here.

/// A rectangle of a latent, in latent pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
}

impl Area {
    /// An area in fractions of a latent of `height` and `width`: rows, columns, top, left. At least one latent pixel.
    pub fn of_shares([rows, columns, top, left]: [f64; 4], [height, width]: [usize; 2]) -> Area {
        let round = |share: f64, size: usize| (share * size as f64).round_ties_even().max(0.0) as usize;
        Area {
            height: round(rows, height).max(1),
            width: round(columns, width).max(1),
            top: round(top, height),
            left: round(left, width),
        }
    }

    /// What of it lies inside of a latent; `None` for nothing.
    pub fn inside(self, [height, width]: [usize; 2]) -> Option<Area> {
        let rows = height.checked_sub(self.top).filter(|&rows| rows > 0)?;
        let columns = width.checked_sub(self.left).filter(|&columns| columns > 0)?;
        Some(Area { height: self.height.min(rows), width: self.width.min(columns), ..self })
    }

    fn holds(self, inner: Area) -> bool {
        inner.top >= self.top
            && inner.left >= self.left
            && inner.top + inner.height <= self.top + self.height
            && inner.left + inner.width <= self.left + self.width
    }
}

/// A prompt of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt {
    /// Tokens.
    pub tokens: usize,
    /// Where it acts; everywhere if that is none.
    pub area: Option<Area>,
    /// Whether it acts in a part of the denoising only.
    pub timed: bool,
    /// Whether nothing else limits or weighs it.
    pub plain: bool,
    /// Whether it acts only where no other prompt of its side does.
    pub default: bool,
}

/// A prompt by its side, 0 for positive and 1 for negative, and its place there.
pub type PromptId = (usize, usize);

/// One prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The side it counts for.
    pub side: usize,
    /// The prompt that says where, when and how strongly it acts.
    pub place: PromptId,
    /// The prompt whose text the network reads.
    pub text: PromptId,
}

/// Predictions that go through the network together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Rows and columns of each.
    pub size: [usize; 2],
    /// Tokens of each.
    pub tokens: usize,
    /// The predictions; several only where none of them is limited in time.
    pub items: Vec<Item>,
}

/// The executions of one step on a latent of `latent` rows and columns. `sides` are the prompts of one side, or of both
/// with guidance. `together` lets predictions of one size share a batch. `None` where an area lies outside of the latent.
///
/// A prompt limited to an area is guided against a prompt of the other side that is limited to it too: where there is
/// none, the one of the smallest area around it, or else the first that is not limited, is evaluated there as well.
pub fn evaluations(sides: &[&[Prompt]], latent: [usize; 2], together: bool) -> Option<Vec<Evaluation>> {
    let mut evaluations: Vec<Evaluation> = Vec::new();
    let whole = Area { height: latent[0], width: latent[1], top: 0, left: 0 };
    for item in items(sides) {
        let (place, text) = (prompt(sides, item.place), prompt(sides, item.text));
        let area = place.area.unwrap_or(whole).inside(latent)?;
        let size = [area.height, area.width];
        let joins = |evaluation: &&mut Evaluation| {
            let first = prompt(sides, evaluation.items[0].place);
            let equal = evaluation.size == size && evaluation.tokens == text.tokens;
            // What is left to defaults is known when all others are done.
            together && equal && !place.timed && !first.timed && place.default == first.default
        };
        match evaluations.iter_mut().find(joins) {
            Some(evaluation) => evaluation.items.push(item),
            None => evaluations.push(Evaluation { size, tokens: text.tokens, items: vec![item] }),
        }
    }
    Some(evaluations)
}

fn prompt(sides: &[&[Prompt]], (side, index): PromptId) -> Prompt {
    sides[side][index]
}

/// Whether each side is one prompt that acts everywhere, always: its prediction is the side's.
pub fn is_plain(sides: &[&[Prompt]]) -> bool {
    sides.iter().all(|side| {
        matches!(side, [prompt] if prompt.plain && prompt.area.is_none() && !prompt.timed && !prompt.default)
    })
}

/// All predictions, those of prompts that act where no other does at the end.
fn items(sides: &[&[Prompt]]) -> Vec<Item> {
    let own = |side: usize| (0..sides[side].len()).map(move |index| (side, index));
    let mut items: Vec<Item> = (0..sides.len())
        .flat_map(own)
        .map(|prompt| Item { side: prompt.0, place: prompt, text: prompt })
        .collect();
    if sides.len() == 2 {
        items.extend(opposites(sides));
    }
    items.sort_by_key(|item| prompt(sides, item.place).default);
    items
}

/// Predictions of either side in the areas of prompts of the other, where that side has none of its own there.
fn opposites(sides: &[&[Prompt]]) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    for from in 0..2 {
        let side = 1 - from;
        let limited =
            sides[from].iter().enumerate().filter_map(|(index, prompt)| Some((index, prompt.area?)));
        for (index, area) in limited {
            let own = sides[side].iter().enumerate().map(|(index, prompt)| (prompt.area, (side, index)));
            // What was found before is one of them.
            let before = found.iter().filter(|item| item.side == side);
            let before = before.map(|item| (sides[item.place.0][item.place.1].area, item.text));
            if let Some((around, text)) = smallest(area, own.chain(before))
                && around != Some(area)
            {
                found.push(Item { side, place: (from, index), text });
            }
        }
    }
    found
}

/// The prompt of the smallest area around one; else the first that acts everywhere.
fn smallest(
    area: Area,
    prompts: impl Iterator<Item = (Option<Area>, PromptId)>,
) -> Option<(Option<Area>, PromptId)> {
    let mut best: Option<(Option<Area>, PromptId)> = None;
    for (around, text) in prompts.filter(|(around, _)| around.is_none_or(|around| around.holds(area))) {
        let better = match (around, best) {
            (_, None) | (Some(_), Some((None, _))) => true,
            (Some(around), Some((Some(best), _))) => best.height * best.width > around.height * around.width,
            (None, Some(_)) => false,
        };
        if better {
            best = Some((around, text));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Prompt = Prompt { tokens: 77, area: None, timed: false, plain: true, default: false };
    const AREA: Area = Area { height: 8, width: 8, top: 3, left: 3 };

    fn shown(sides: &[&[Prompt]], together: bool) -> String {
        let evaluations = evaluations(sides, [12, 12], together).expect("areas lie inside");
        let item = |item: &Item| format!("{}:{:?}<-{:?}", item.side, item.place, item.text);
        let line = |evaluation: &Evaluation| {
            let items: Vec<String> = evaluation.items.iter().map(item).collect();
            format!("{:?} x{}: {}\n", evaluation.size, evaluation.tokens, items.join(" "))
        };
        evaluations.iter().map(line).collect()
    }

    #[test]
    fn one_prompt_each_shares_a_batch_where_it_may() {
        let sides: [&[Prompt]; 2] = [&[PLAIN], &[PLAIN]];
        insta::assert_snapshot!(shown(&sides, true), @"[12, 12] x77: 0:(0, 0)<-(0, 0) 1:(1, 0)<-(1, 0)");
        insta::assert_snapshot!(shown(&sides, false), @"
        [12, 12] x77: 0:(0, 0)<-(0, 0)
        [12, 12] x77: 1:(1, 0)<-(1, 0)
        ");
        assert!(is_plain(&sides));
    }

    #[test]
    fn prompts_of_other_lengths_or_times_go_alone() {
        let long = Prompt { tokens: 154, ..PLAIN };
        let timed = Prompt { timed: true, ..PLAIN };
        let sides: [&[Prompt]; 2] = [&[PLAIN, timed, long], &[PLAIN]];
        insta::assert_snapshot!(shown(&sides, true), @"
        [12, 12] x77: 0:(0, 0)<-(0, 0) 1:(1, 0)<-(1, 0)
        [12, 12] x77: 0:(0, 1)<-(0, 1)
        [12, 12] x154: 0:(0, 2)<-(0, 2)
        ");
        assert!(!is_plain(&sides));
    }

    #[test]
    fn an_area_is_guided_in_the_same_area() {
        let area = Prompt { area: Some(AREA), plain: false, ..PLAIN };
        let sides: [&[Prompt]; 2] = [&[PLAIN, area], &[PLAIN]];
        insta::assert_snapshot!(shown(&sides, true), @"
        [12, 12] x77: 0:(0, 0)<-(0, 0) 1:(1, 0)<-(1, 0)
        [8, 8] x77: 0:(0, 1)<-(0, 1) 1:(0, 1)<-(1, 0)
        ");
        // Both sides have it already.
        let sides: [&[Prompt]; 2] = [&[area], &[area]];
        insta::assert_snapshot!(shown(&sides, true), @"[8, 8] x77: 0:(0, 0)<-(0, 0) 1:(1, 0)<-(1, 0)");
    }

    #[test]
    fn the_smallest_area_around_is_taken() {
        let around = |size| Some(Area { height: size, width: size, top: 0, left: 0 });
        let large = Prompt { area: around(12), ..PLAIN };
        let small = Prompt { area: around(11), ..PLAIN };
        let area = Prompt { area: Some(AREA), ..PLAIN };
        let sides: [&[Prompt]; 2] = [&[area], &[PLAIN, large, small]];
        let found = items(&sides).into_iter().find(|item| item.side == 1 && item.place == (0, 0));
        assert_eq!(found.map(|item| item.text), Some((1, 2)));
    }

    #[test]
    fn areas_are_cut_to_the_latent() {
        assert_eq!(AREA.inside([10, 20]), Some(Area { height: 7, ..AREA }));
        assert_eq!(AREA.inside([3, 20]), None);
        let shares = Area::of_shares([0.5, 0.0, 0.25, 0.5], [12, 10]);
        assert_eq!(shares, Area { height: 6, width: 1, top: 3, left: 5 });
    }

    #[test]
    fn defaults_come_last() {
        let default = Prompt { default: true, ..PLAIN };
        let sides: [&[Prompt]; 2] = [&[default, PLAIN], &[PLAIN]];
        assert_eq!(items(&sides).last().map(|item| item.place), Some((0, 0)));
    }
}
