//! Words of titles and class names, and identifiers made of them.

use crate::decl::NodeDecl;
use crate::names::is_identifier;

/// Names have at most this many words and characters.
const MOST_WORDS: usize = 7;
const MOST_CHARS: usize = 40;

/// A title's words beyond these are no name.
const TITLE_WORDS: usize = 4;
const TITLE_CHARS: usize = 30;

/// A name in snake case for what people call something; none where no ASCII word is in it.
pub(super) fn identifier(text: &str) -> Option<String> {
    let words: Vec<String> = words(text).collect();
    join(&words)
}

/// Words as one identifier, as many as a name has.
pub(super) fn join(words: &[String]) -> Option<String> {
    let starts_well = |word: &String| word.starts_with(|first: char| first.is_ascii_alphabetic());
    let first = words.iter().position(starts_well)?;
    // `2nd pass` is `pass_2nd`.
    let rotated = words[first..].iter().chain(&words[..first]);
    let mut name = String::new();
    for word in rotated.take(MOST_WORDS) {
        if !name.is_empty() && name.len() + word.len() > MOST_CHARS {
            break;
        }
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(word);
    }
    name.truncate(2 * MOST_CHARS);
    is_identifier(&name).then_some(name)
}

/// ASCII words in lower case. Words in other letters are left out.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|at: char| !at.is_alphanumeric())
        .filter(|word| !word.is_empty() && word.is_ascii())
        .map(str::to_ascii_lowercase)
}

/// The words of a class name: `ImageScaleToTotalPixels` has five, `KSampler` is one.
pub(super) fn class_words(class: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in class.split(|at: char| !at.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        split_case(part, &mut words);
    }
    words
}

/// Splits before a capital that follows a small letter, and before the last of several capitals.
fn split_case(part: &str, words: &mut Vec<String>) {
    let bytes = part.as_bytes();
    let mut start = 0;
    for at in 1..bytes.len() {
        let after_small = bytes[at].is_ascii_uppercase() && !bytes[at - 1].is_ascii_uppercase();
        let before_small =
            bytes[at].is_ascii_uppercase() && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        // `KSampler`, `VAEDecode`: one capital alone begins no word.
        if (after_small || before_small) && at - start > 1 {
            words.push(part[start..at].to_ascii_lowercase());
            start = at;
        }
    }
    words.push(part[start..].to_ascii_lowercase());
}

/// Names that say nothing of what has them.
pub(super) fn says_nothing(name: &str) -> bool {
    const NOTHING: [&str; 24] = [
        "value",
        "values",
        "string",
        "int",
        "integer",
        "float",
        "boolean",
        "bool",
        "number",
        "input",
        "inputs",
        "output",
        "outputs",
        "any",
        "any_input",
        "result",
        "source",
        "on_true",
        "on_false",
        "selected",
        "a",
        "b",
        "x",
        "choice",
    ];
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit()).trim_end_matches('_');
    stem.is_empty() || NOTHING.contains(&stem)
}

/// A name without what numbers it: `image` for `image_2` and `image_b`.
pub(super) fn unnumbered(name: &str) -> Option<String> {
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit());
    let stem = match stem.rsplit_once('_') {
        Some((stem, letter)) if letter.len() <= 1 => stem,
        _ => stem,
    };
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// What a title says beyond the class it is the title of: `base` for `Load Checkpoint - BASE`, `steps` for
/// `Int (Steps)`; nothing for `Load Image 2`.
pub(super) fn title_words(title: Option<&str>, decl: Option<&NodeDecl>) -> Option<Vec<String>> {
    let title = title?;
    let known: Vec<String> = decl.map_or_else(Vec::new, known_words);
    let separators = ['(', ')', '[', ']', ':', '|', ',', ';', '–', '—', '：', '（', '）', '?', '？'];
    let pieces = title.split(separators).flat_map(|piece| piece.split(" - "));
    let mut said = pieces.map(|piece| {
        let words = words(piece).filter(|word| !known.contains(word) && !is_filler(word));
        words.collect::<Vec<String>>()
    });
    let good = |words: &Vec<String>| {
        let chars: usize = words.iter().map(|word| word.len() + 1).sum();
        words.len() <= TITLE_WORDS
            && chars <= TITLE_CHARS
            && words
                .iter()
                .any(|word| word.len() > 1 && word.starts_with(|at: char| at.is_ascii_alphabetic()))
    };
    said.find(good)
}

fn known_words(decl: &NodeDecl) -> Vec<String> {
    let mut known = class_words(&decl.name);
    known.extend(words(&decl.name));
    known.extend(words(decl.title()));
    known
}

fn is_filler(word: &str) -> bool {
    matches!(word, "load" | "the" | "an" | "of" | "your" | "here" | "if" | "else" | "node" | "optional" | "w")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_are_split_where_people_see_words() {
        let words = |class| class_words(class).join(" ");
        assert_eq!(words("ImageScaleToTotalPixels"), "image scale to total pixels");
        assert_eq!(words("KSampler"), "ksampler");
        assert_eq!(words("VAEDecode"), "vae decode");
        assert_eq!(words("CLIPTextEncodeSDXL"), "clip text encode sdxl");
        assert_eq!(words("Image Resize (rgthree)"), "image resize rgthree");
    }

    #[test]
    fn identifiers_are_ascii_and_start_with_a_letter() {
        assert_eq!(identifier("Image Edit (FLUX.2 Klein 4B)").as_deref(), Some("image_edit_flux_2_klein_4b"));
        assert_eq!(identifier("2nd pass").as_deref(), Some("pass_2nd"));
        assert_eq!(identifier("图像"), None);
        assert_eq!(identifier("42"), None);
    }

    #[test]
    fn titles_say_what_their_class_does_not() {
        let words = |title| title_words(Some(title), None).map(|words| words.join(" "));
        assert_eq!(words("Load Last Frame").as_deref(), Some("last frame"));
        assert_eq!(words("🔥"), None);
        assert_eq!(words("Negative Prompt (empty = default)").as_deref(), Some("negative prompt"));
        assert_eq!(
            words("write here whatever you want to see in the picture (prompt)").as_deref(),
            Some("prompt")
        );
    }
}
