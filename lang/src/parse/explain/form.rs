//! The forms of statements, and rules in words.

use super::super::grammar::Rule;
use super::Failure;

pub(super) const END: &str = "the end of the statement";

impl Failure<'_> {
    /// The form of the statement, where a keyword tells it.
    pub(super) fn form(&self) -> &'static str {
        if self.token(1) == "<" || self.tried(Rule::close_angle) {
            return "the forms are `File<\"folder\">` and `Match<\"id\", Image | Mask>`";
        }
        if self.rule == Rule::record_group {
            return "the form is `{ name: value }`";
        }
        if self.token(1) == "each" || self.token(2) == "each" {
            return "the form is `each Name(arguments)`: one call for each element of its lists";
        }
        let mut words = self.before.iter().map(|token| self.text_of(Some(token)));
        words.find_map(form).unwrap_or("the form is `@name(arguments)`, followed by a statement or a call")
    }
}

/// The form of the statement that a word begins.
fn form(word: &str) -> Option<&'static str> {
    Some(match word {
        "param" => "the form is `param name: Type in lo..=hi = default`; annotations go before `param`",
        "let" => "the form is `let name = value` or `let (a, _, c) = value`",
        "const" => "the form is `const NAME = value` or `const NAME: Type = value`",
        "fn" => "the form is `fn name(a: Type, b: Type = default) -> Type { … }`",
        "use" => {
            "the form is `use std::module::{a, b as c}`, `use std::module` or `use \"./file.flow\" as name`"
        }
        "assert" => "the form is `assert condition, \"message\"`",
        "type" => "the form is `type Name = \"COMFY_NAME\"`",
        "choices" => "the form is `choices Name = \"a\" | \"b\"`",
        "node" => "the form is `node Name(input: Type = default @annotation) -> (OUTPUT: Type)`",
        "edition" => "the form is `edition 1`",
        "for" => "the form is `for name in list { … }`",
        "if" => "the form is `if condition { … } else { … }`",
        _ => return None,
    })
}

/// A rule in words, for statements whose form says nothing more precise.
pub(super) fn words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => END,
        Rule::equals => "`=`",
        Rule::colon => "`:`",
        Rule::double_colon => "`::`",
        Rule::comma => "`,`",
        Rule::pipe => "`|`",
        Rule::arrow => "`->`",
        Rule::parens | Rule::open_paren => "`(`",
        Rule::close_paren => "`)`",
        Rule::brackets | Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::braces | Rule::open_brace => "`{`",
        Rule::close_brace => "`}`",
        Rule::open_angle => "`<`",
        Rule::close_angle => "`>`",
        Rule::kw_in | Rule::constraint => "`in`",
        Rule::kw_as | Rule::import_as => "`as` and a name",
        Rule::kw_else => "`else`",
        Rule::question => "`?`",
        Rule::at | Rule::annotation => "an annotation",
        Rule::string => "a string",
        Rule::number | Rule::number_literal | Rule::minus => "a number",
        Rule::choice | Rule::choice_bare => "a choice such as `\"euler\"`",
        Rule::each => "a call",
        Rule::path | Rule::import_path => "a name",
        Rule::label | Rule::name | Rule::plain | Rule::binding => "a name",
        Rule::field | Rule::input | Rule::output => "a name",
        Rule::suffix | Rule::binary_op => "an operator",
        Rule::statement | Rule::effect => "a statement",
        _ => return None,
    })
}
