//! Learned words (Gal et al. 2022, textual inversion).

use crate::{Header, Role};

/// The vectors of learned words for one text encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The encoder, where the file says it; else whichever has the width.
    pub role: Option<Role>,
    /// The name of the tensor, `[tokens, width]` or `[width]`.
    pub tensor: String,
    /// Tokens that the word becomes.
    pub tokens: usize,
    /// Channels of a token.
    pub width: usize,
}

/// The words of a file, if it is one of words.
pub(super) fn words(header: &Header) -> Vec<Words> {
    let named = [("clip_l", Role::ClipL), ("clip_g", Role::ClipG)];
    let found: Vec<Words> =
        named.iter().filter_map(|&(name, role)| vectors(header, name, Some(role))).collect();
    if !found.is_empty() {
        return found;
    }
    // What the first trainer saved has more in it; one tensor alone is a word whatever its name.
    let of_trainer =
        header.below("string_to_param.").next().map(|(rest, _)| format!("string_to_param.{rest}"));
    let alone = || header.tensors.keys().next().filter(|_| header.tensors.len() == 1).cloned();
    let name =
        of_trainer.or_else(|| header.has("emb_params").then(|| "emb_params".to_owned())).or_else(alone);
    name.and_then(|name| vectors(header, &name, None)).into_iter().collect()
}

fn vectors(header: &Header, name: &str, role: Option<Role>) -> Option<Words> {
    let info = header.tensors.get(name).filter(|info| info.dtype.is_float())?;
    let (tokens, width) = match *info.shape.as_slice() {
        [width] => (1, width),
        [tokens, width] => (tokens, width),
        _ => return None,
    };
    (tokens > 0 && width > 1).then(|| Words { role, tensor: name.to_owned(), tokens, width })
}
