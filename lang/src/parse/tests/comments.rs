//! Comments and blank lines.

use super::*;

/// Every remark with where it went, in the order of the tree.
fn remarks(source: &str) -> String {
    let file = accepted(source);
    let mut out = String::new();
    for statement in &file.statements {
        statement_remarks(statement, "", &mut out);
    }
    for comment in &file.end_comments {
        out.push_str(&format!("end{}:{}\n", blank(comment.blank_before), comment.text));
    }
    for comment in &file.inner_comments {
        let place = if comment.own_line { "own line" } else { "beside" };
        out.push_str(&format!("inner, {place}:{}\n", comment.text));
        assert_eq!(&source[comment.span.range()], format!("//{}", comment.text));
    }
    out
}

fn blank(blank: bool) -> &'static str {
    if blank { " (blank above)" } else { "" }
}

fn statement_remarks(statement: &Statement, indent: &str, out: &mut String) {
    for comment in &statement.comments {
        out.push_str(&format!("{indent}above{}:{}\n", blank(comment.blank_before), comment.text));
    }
    let name = statement.kind.names().first().map_or("expression", |name| name.name.as_str()).to_owned();
    out.push_str(&format!("{indent}{name}{}\n", blank(statement.blank_before)));
    for block in blocks_of(&statement.kind) {
        let indent = format!("{indent}  ");
        for statement in &block.statements {
            statement_remarks(statement, &indent, out);
        }
        for comment in &block.end_comments {
            out.push_str(&format!("{indent}end{}:{}\n", blank(comment.blank_before), comment.text));
        }
    }
}

fn blocks_of(kind: &StatementKind) -> Vec<&Block> {
    match kind {
        StatementKind::Fn(function) => vec![&function.body],
        StatementKind::Expr(Expr { kind: ExprKind::If(choice), .. }) => match &choice.otherwise {
            Some(Else::Block(otherwise)) => vec![&choice.then, otherwise],
            _ => vec![&choice.then],
        },
        StatementKind::Expr(Expr { kind: ExprKind::For(repeat), .. }) => vec![&repeat.body],
        _ => Vec::new(),
    }
}

#[test]
fn remarks_go_where_they_belong() {
    insta::assert_snapshot!(remarks("\n\n// licence\n//! The file.\n\n// second\nedition 1 // the first\n\n// of a\n\n// of a, too\n/// Doc.\n// after the doc\nlet a = F( // opens\n    // inside\n    x,\n\n    y, // beside y\n) // closes\nlet b = 2\n\n\nlet c = a\n    // between\n    || b\n// end\n\n// of all"), @r#"
above (blank above): of a
above (blank above): of a, too
above: after the doc
a
b
c (blank above)
end: end
end (blank above): of all
inner, own line: licence
inner, own line: second
inner, beside: the first
inner, beside: opens
inner, own line: inside
inner, beside: beside y
inner, beside: closes
inner, own line: between
"#);
}

#[test]
fn remarks_in_blocks_go_where_they_belong() {
    insta::assert_snapshot!(remarks("fn f() { // opens\n\n    // first\n    let a = 1\n\n    // second\n    G(a) // beside\n    // end of f\n} // closes\n\nif a {\n    // nothing but this\n} else {\n    F(x)\n\n    // end of else\n}\nfor x in [1, // one\n    2] {\n    F(x)\n\n    G(x)\n}\n"), @r#"
f
  above (blank above): first
  a
  above (blank above): second
  expression
  end: end of f
expression (blank above)
  end: nothing but this
  expression
  end (blank above): end of else
expression
  expression
  expression (blank above)
inner, beside: opens
inner, beside: beside
inner, beside: closes
inner, beside: one
"#);
}

#[test]
fn remarks_in_values_are_the_files() {
    insta::assert_snapshot!(remarks("let a = if b { // why\n    // because\n    1\n    // so\n} else { 2 }\nlet c = 1 + // one\n    2\nnode N(\n    // remark\n    /// Doc.\n    a: Int, // beside\n)\nchoices C =\n    | 1 // first\n    // second\n    | 2\n"), @r#"
a
c
N
C
inner, beside: why
inner, beside: one
inner, own line: remark
inner, beside: beside
inner, beside: first
inner, own line: second
"#);
}

#[test]
fn empty_lines_are_seen_by_what_follows_them() {
    let file = accepted("\n\nlet a = 1\n\n\n/// Doc.\n\nlet b = 2\n  \t \r\n@mute\nF(a)\nlet c = 3");
    let blank: Vec<bool> = file.statements.iter().map(|statement| statement.blank_before).collect();
    assert_eq!(blank, [false, true, true, false]);
}
