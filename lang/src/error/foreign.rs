//! Words and marks of other languages, and what Floe has instead.

/// What to write instead of a word or mark of another language; nothing for other texts.
pub(crate) fn instead(text: &str) -> Option<&'static str> {
    word(text).or_else(|| mark(text)).or_else(|| text.ends_with("\"…\"").then_some(PREFIX))
}

/// What to write instead of `r"…"` and the like.
const PREFIX: &str = "text stands in `\"…\"`, or raw in `\"\"\"…\"\"\"`; `f\"…\"` takes in values";

/// What to write instead of a word.
fn word(text: &str) -> Option<&'static str> {
    Some(match text {
        "True" => "write `true`",
        "False" => "write `false`",
        "None" | "null" => "write `none` for an optional socket that is left open",
        "and" => "write `&&`: `a && b`",
        "or" => "write `||`: `a || b`",
        "not" => "write `!` before what is negated: `!a`, or compare with `!=`",
        "in" => "compare with each value: `a == 1 || a == 2`",
        "is" => "write `==`",
        "elif" | "elseif" | "elsif" => "write `else if`",
        "then" | "do" | "begin" => "what belongs together stands in braces: `if a { … } else { … }`",
        "def" | "function" | "func" | "fun" | "lambda" => {
            "a flow is written `fn name(a: Type) -> Type { … }`"
        }
        "var" | "val" | "auto" => "a value is named with `let name = value`",
        "mut" => "a name keeps its value; give each new value a name of its own with `let`",
        "import" | "from" | "include" | "require" => {
            "names are taken from elsewhere with `use std::module::{name}` or `use \"./file.flow\" as name`"
        }
        "return" => "the last expression of a block is its value: write it without `return`",
        "while" | "loop" => {
            "what repeats is known beforehand: `for x in list { … }`, `for i in range(4) { … }`"
        }
        "switch" | "match" | "case" => "write `if a { … } else if b { … } else { … }`",
        "enum" => "a set of choices is written `choices Name = \"a\" | \"b\"`",
        "new" | "await" | "async" => "write the call alone: `Name(…)`",
        _ => return None,
    })
}

/// What to write instead of a mark.
fn mark(text: &str) -> Option<&'static str> {
    Some(match text {
        "a if b else c" => "write `if b { a } else { c }`",
        ";" => "a statement ends with its line: leave `;` out",
        "'…'" => "text stands in double quotes: `\"…\"`",
        "#" => "a remark begins with `//`",
        "/* … */" => "a remark begins with `//` on each of its lines",
        "===" => "write `==`",
        "!==" | "<>" => "write `!=`",
        "=<" => "write `<=`",
        "=>" => "an arrow is written `->`, at least is written `>=`",
        "&" => "write `&&`: `a && b`",
        "|" => "write `||`: `a || b`; a single `|` stands between types and between choices",
        "**" | "^" => "write the product: `a * a`",
        "+=" | "-=" | "*=" | "/=" | "%=" | "++" => {
            "a name keeps its value; give each new value a name of its own with `let`"
        }
        ":=" => "a value is named with `let name = value`; an argument is given with `name: value`",
        "?" | "??" => "write `if condition { a } else { b }`",
        "<<" | ">>" | "~" => "multiply or divide by a power of two",
        "$" => "a name has no mark before it; text takes in values as `f\"…{name}…\"`",
        _ => return None,
    })
}
