//! The prompts of a guided sampler: what the compiler knows of them, and which predictions they make.

use floe_nets::guidance::{Area, Evaluation, Prompt, evaluations, is_plain};

use super::{Attribute, Gap, Scratch, SemanticError};
use crate::data::Entry;
use crate::facts::{Scalar, Size};

/// The names of the inputs of both sides, positive first.
pub(super) const SIDES: [&str; 2] = ["positive", "negative"];

/// The prompts of a side on a latent; `None` where something of them is not known.
///
/// # Errors
/// What cannot be run.
pub(super) fn prompts(entries: &[Entry], latent: [usize; 2]) -> Result<Option<Vec<Prompt>>, Gap> {
    let known = entries.iter().map(|entry| prompt(entry, latent)).collect::<Result<Vec<_>, _>>()?;
    Ok(known.into_iter().collect())
}

fn prompt(entry: &Entry, latent: [usize; 2]) -> Result<Option<Prompt>, Gap> {
    let is_set = |name: &str| matches!(entry.setting(name), Some(Scalar::Bool(true)));
    let masked = entry.tensors.contains_key("mask");
    if masked && is_set("set_area_to_bounds") {
        return Err(Gap::NoKernel {
            input: None,
            what: "a prompt limited to the rectangle around its mask".to_owned(),
            instead: "set `set_cond_area: \"default\"`".to_owned(),
        });
    }
    let Some(tokens) = entry.tokens() else { return Ok(None) };
    let timed = ["start_percent", "end_percent"].iter().any(|name| entry.settings.contains_key(name));
    Ok(Some(Prompt {
        tokens,
        area: area(entry, latent),
        timed,
        plain: !masked && !entry.settings.contains_key("strength"),
        default: is_set("default"),
    }))
}

/// The area of an entry: in latent pixels, or in fractions of the latent.
fn area(entry: &Entry, latent: [usize; 2]) -> Option<Area> {
    let Attribute::Many(numbers) = entry.settings.get("area")? else { return None };
    let pixels = |scalar: &Scalar| match scalar {
        Scalar::Int(value) => usize::try_from(*value).ok(),
        _ => None,
    };
    let share = |scalar: &Scalar| match scalar {
        Scalar::Float(value) => Some(*value),
        _ => None,
    };
    if let Some(pixels) = numbers.iter().map(pixels).collect::<Option<Vec<_>>>() {
        let [height, width, top, left] = pixels.try_into().ok()?;
        return Some(Area { height, width, top, left });
    }
    let shares: [f64; 4] = numbers.iter().map(share).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    Some(Area::of_shares(shares, latent))
}

/// What a guided step executes, and the working memory of what surrounds the network.
pub(super) struct Guidance {
    /// The executions.
    pub(super) evaluations: Vec<Evaluation>,
    /// Predictions that the largest execution makes.
    pub(super) items: usize,
    /// Tokens of the longest prompts of one execution, all items of it together.
    pub(super) tokens: usize,
    /// Working memory for weighing predictions; nothing where each side is one prediction.
    pub(super) scratch: Vec<Scratch>,
}

/// Plans the executions for one side, or for both with guidance, on `batch` latents.
///
/// # Errors
/// [`SemanticError::Facet`] for an area that lies outside of the latent.
pub(super) fn guidance(
    sides: &[&[Prompt]],
    [batch, channels, height, width]: [usize; 4],
    together: bool,
) -> Result<Guidance, SemanticError> {
    let latent = [height, width];
    let evaluations = evaluations(sides, latent, together).ok_or_else(|| {
        let outside = |side: &[Prompt]| {
            side.iter().any(|prompt| prompt.area.is_some_and(|area| area.inside(latent).is_none()))
        };
        SemanticError::Facet {
            input: SIDES[usize::from(!sides.first().is_some_and(|side| outside(side)))],
            reason: format!("an area of this prompt lies outside of the latent of {width}x{height}"),
            help: "move the area inside: a latent pixel is 8 pixels of the picture".to_owned(),
        }
    })?;
    let most = |of: &dyn Fn(&Evaluation) -> usize| evaluations.iter().map(of).max().unwrap_or(0);
    let items = most(&|evaluation| evaluation.items.len());
    let tokens = most(&|evaluation| evaluation.items.len() * evaluation.tokens);
    let shape = |shape: &[usize]| shape.iter().copied().map(Some).collect::<Vec<Size>>();
    let scratch = if is_plain(sides) {
        Vec::new()
    } else {
        vec![
            Scratch { name: "output", shape: shape(&[items * batch, channels, height, width]) },
            Scratch { name: "weights", shape: shape(&[2 * sides.len(), batch, height, width]) },
            Scratch { name: "masks", shape: shape(&[masked(sides), batch, height, width]) },
            Scratch { name: "piece", shape: shape(&[batch, channels, height, width]) },
        ]
    };
    Ok(Guidance { evaluations, items, tokens, scratch })
}

/// Room for masks: one for every prompt that is not plain.
fn masked(sides: &[&[Prompt]]) -> usize {
    sides.iter().flat_map(|side| side.iter()).filter(|prompt| !prompt.plain).count().max(1)
}
