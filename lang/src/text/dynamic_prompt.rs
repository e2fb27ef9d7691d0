//! Dynamic prompts: `a {red|blue} house`, comments, escaped braces.
//!
//! ComfyUI's editor resolves them in the prompts of text encoders when a workflow is submitted: comments (`/* … */`, and
//! `//` to the end of the line, also in URLs) go, then each pair of braces becomes one of its alternatives, which may
//! hold braces themselves. `\{`, `\|` and `\}` are the characters. An opening brace that is never closed reaches to the
//! end; a closing one that closes nothing stays.

/// The text with the first of all alternatives.
pub fn first(text: &str) -> String {
    pick(text, |_| 0)
}

/// The text with alternatives that a stream of numbers decides, one number for each choice in the order of the result.
///
/// The stream is SplitMix64 (Steele, Lea and Flood, 2014), so a seed means the same on every machine.
pub fn random(text: &str, seed: u64) -> String {
    let mut state = seed;
    pick(text, |count| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The high half of the product is uniform below the count, as far as 64 bits allow.
        usize::try_from((u128::from(mixed) * count as u128) >> 64).unwrap_or(0)
    })
}

/// Whether nothing in a text would be resolved.
pub fn is_plain(text: &str) -> bool {
    !text.contains('{') && first(text) == text
}

/// The text with an alternative of each choice: `choose` is given how many there are, and says which.
pub fn pick(text: &str, mut choose: impl FnMut(usize) -> usize) -> String {
    let text = without_comments(text);
    let blocks = blocks(&text);
    let mut result = String::with_capacity(text.len());
    let mut next_block = 0;
    let mut ends: Vec<Pause> = vec![Pause { until: text.len(), then: text.len() }];
    let mut at = 0;
    while let Some(pause) = ends.last() {
        if at >= pause.until {
            at = pause.then;
            ends.pop();
            continue;
        }
        let rest = &text[at..pause.until];
        match rest.as_bytes()[0] {
            b'{' => {
                next_block += blocks[next_block..].partition_point(|block| block.open < at);
                let block = &blocks[next_block];
                let chosen = choose(block.options.len()).min(block.options.len() - 1);
                let (start, end) = block.options[chosen];
                ends.push(Pause { until: end, then: block.after });
                at = start;
            }
            b'\\' if escapes(rest) => {
                result.push_str(&rest[1..2]);
                at += 2;
            }
            _ => {
                let first = rest.chars().next().map_or(1, char::len_utf8);
                let plain = rest[first..].find(['{', '\\']).map_or(rest.len(), |plain| plain + first);
                result.push_str(&rest[..plain]);
                at += plain;
            }
        }
    }
    result
}

/// An alternative that is being written: where it ends, and where the text goes on.
struct Pause {
    until: usize,
    then: usize,
}

/// A pair of braces.
struct Block {
    open: usize,
    options: Vec<(usize, usize)>,
    after: usize,
}

fn escapes(rest: &str) -> bool {
    matches!(rest.as_bytes().get(1), Some(b'{' | b'|' | b'}'))
}

/// All pairs of braces, in the order in which they open; found in one pass, however deep they are nested.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let close = |block: &mut Block, at: usize| {
        if let Some(last) = block.options.last_mut() {
            last.1 = at;
        }
    };
    let mut at = 0;
    while at < text.len() {
        match text.as_bytes()[at] {
            b'\\' if escapes(&text[at..]) => at += 1,
            b'{' => {
                open.push(blocks.len());
                blocks.push(Block { open: at, options: vec![(at + 1, text.len())], after: text.len() });
            }
            b'|' => {
                if let Some(&block) = open.last() {
                    close(&mut blocks[block], at);
                    blocks[block].options.push((at + 1, text.len()));
                }
            }
            b'}' => {
                if let Some(block) = open.pop() {
                    close(&mut blocks[block], at);
                    blocks[block].after = at + 1;
                }
            }
            _ => {}
        }
        // Only ASCII is looked at; bytes of other characters never equal it.
        at += 1;
    }
    blocks
}

fn without_comments(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    // Where no `*/` follows any more, no later comment is closed either.
    let mut closed = true;
    while let Some(slash) = rest.find('/') {
        let (before, comment) = rest.split_at(slash);
        result.push_str(before);
        let line = comment.starts_with("//").then(|| comment.find(['\n', '\r', '\u{2028}', '\u{2029}']));
        let block = if closed && comment.starts_with("/*") {
            let end = comment[2..].find("*/");
            closed = end.is_some();
            end
        } else {
            None
        };
        rest = match (line, block) {
            (Some(end), _) => &comment[end.unwrap_or(comment.len())..],
            (None, Some(end)) => &comment[end + 4..],
            (None, None) => {
                result.push('/');
                &comment[1..]
            }
        };
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_alternatives_are_those_of_the_editor() {
        let cases = [
            ("{red|green|blue} car", "red car"),
            ("x {a|{b|c}} y", "x a y"),
            ("x {{b|c}|a} y", "x b y"),
            ("keep /* drop this */ tail", "keep  tail"),
            ("line1 // gone\nline2", "line1 \nline2"),
            ("see http://example.com/x", "see http:"),
            ("esc \\{not\\|choice\\} ok", "esc {not|choice} ok"),
            ("open { never closed", "open  never closed"),
            ("close } alone", "close } alone"),
            ("{\"k\": 1, \"v\": {\"z\": 2}}", "\"k\": 1, \"v\": \"z\": 2"),
            ("{single}", "single"),
            ("{|empty first}", ""),
            ("(word:1.2) \\(paren\\)", "(word:1.2) \\(paren\\)"),
            ("back\\\\slash \\n", "back\\\\slash \\n"),
            ("{}", ""),
            ("pipe | outside", "pipe | outside"),
            ("a /* never closed", "a /* never closed"),
            ("é{ü|ö}ä\\", "éüä\\"),
            ("{a\\}b|c}", "a}b"),
        ];
        for (text, resolved) in cases {
            assert_eq!(first(text), resolved, "{text}");
        }
    }

    #[test]
    fn choices_that_are_not_taken_draw_no_number() {
        let mut counts = Vec::new();
        let text = pick("{a|{b|c|d}} {e|f}", |count| {
            counts.push(count);
            1
        });
        assert_eq!((text.as_str(), counts), ("c f", vec![2, 3, 2]));
    }

    #[test]
    fn a_seed_means_the_same_everywhere() {
        let text = "{0|1|2|3|4|5|6|7|8|9}".repeat(12);
        assert_eq!(random(&text, 7), random(&text, 7));
        assert_ne!(random(&text, 7), random(&text, 8));
        assert_eq!(random(&text, 0), "840913172937");
    }

    #[test]
    fn deep_and_long_texts_take_linear_time() {
        let deep = format!("{}x{}", "{".repeat(500_000), "}".repeat(500_000));
        assert_eq!(first(&deep), "x");
        assert_eq!(first(&"{".repeat(500_000)), "");
        assert_eq!(first(&"{a|b}/*".repeat(200_000)).len(), 600_000);
    }

    #[test]
    fn plain_texts_are_known() {
        assert!(is_plain("a (b:1.2), c | d } \\( \\n"));
        assert!(!is_plain("{a}") && !is_plain("a // b") && !is_plain("\\{") && !is_plain("/* */"));
    }

    proptest! {
        #[test]
        fn any_text_is_resolved(text in "[a{}|\\\\/*\né]{0,60}", seed: u64) {
            let resolved = random(&text, seed);
            prop_assert!(resolved.len() <= text.len());
            if is_plain(&text) {
                prop_assert_eq!(resolved, text);
            }
        }
    }
}
