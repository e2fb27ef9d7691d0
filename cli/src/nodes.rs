use std::fmt::Write as _;

use floe_driver::{NodeDecl, Type, node, nodes as all, semantics};

use crate::args::NodesArgs;
use crate::report::{Exit, say};

/// Lists nodes, searches them, or shows the signature of one.
pub(crate) fn nodes(args: &NodesArgs) -> Result<(), Exit> {
    if let Some(decl) = args.name.as_deref().and_then(node) {
        say(&signature(decl));
        return Ok(());
    }
    let wanted = args.name.as_deref().unwrap_or_default().to_lowercase();
    let matches = |decl: &&NodeDecl| {
        [decl.name.as_ref(), decl.title(), decl.category.as_ref()]
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<_> = all().iter().filter(matches).collect();
    if found.is_empty() {
        eprintln!("no node's name or category contains `{wanted}`");
        return Err(Exit::Program);
    }
    let mut text = String::new();
    for decl in found {
        let docs = decl.docs.lines().next().unwrap_or_default();
        let _ = writeln!(text, "{:<24} {:<20} {docs}", decl.name, decl.category);
    }
    say(&text);
    Ok(())
}

/// A declaration as it stands in the library.
fn signature(decl: &NodeDecl) -> String {
    let mut text = String::new();
    for line in decl.docs.lines() {
        let _ = writeln!(text, "/// {line}");
    }
    let _ = writeln!(text, "node {}(", decl.name);
    for input in decl.visible_inputs() {
        for line in input.docs.lines() {
            let _ = writeln!(text, "    /// {line}");
        }
        let range = input.range.as_ref().map_or(String::new(), |(lo, hi)| format!(" in {lo}..={hi}"));
        let default = input.default.as_ref().map_or(String::new(), |value| format!(" = {value}"));
        let open = if input.optional { "?" } else { "" };
        let _ = writeln!(text, "    {}: {}{open}{range}{default},", input.name, input.ty);
        if let Type::Choice { set: Some(_), values } = &input.ty {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "        // {}", values.join(", "));
        }
    }
    let outputs: Vec<String> =
        decl.outputs.iter().map(|output| format!("{}: {}", output.name, output.ty)).collect();
    let _ = writeln!(text, ") -> ({})", outputs.join(", "));
    if semantics(&decl.name).is_none() {
        text.push_str("// checks, but cannot run yet\n");
    }
    text
}
