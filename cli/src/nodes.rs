use std::fmt::Write as _;

use floe_driver::{
    NodeDecl, by_category, declaration, named_declaration, node, nodes as all, nodes_page, suggest,
};

use crate::args::NodesArgs;
use crate::report::{Exit, say};

/// Lists nodes, searches them, or shows the declaration of one, or of a type.
pub(crate) fn nodes(args: &NodesArgs) -> Result<(), Exit> {
    if args.markdown {
        say(&nodes_page());
        return Ok(());
    }
    let wanted = args.name.as_deref().unwrap_or_default();
    if let Some(text) = node(wanted).map(declaration).or_else(|| named_declaration(wanted)) {
        say(&text);
        return Ok(());
    }
    let found: Vec<&NodeDecl> = all().iter().filter(|decl| matches(decl, wanted)).collect();
    if found.is_empty() {
        eprintln!("no node's name, title or category contains `{wanted}`");
        if let Some(name) = suggest(wanted, all().iter().map(|decl| decl.name.as_ref())) {
            eprintln!("did you mean `{name}`?");
        }
        return Err(Exit::Program);
    }
    say(&listing(&found));
    Ok(())
}

fn matches(decl: &NodeDecl, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    [&decl.name, decl.title(), &decl.category].iter().any(|text| text.to_lowercase().contains(&wanted))
}

/// Names with what they are, by category.
fn listing(found: &[&NodeDecl]) -> String {
    let width = found.iter().map(|decl| decl.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (category, decls) in by_category(found.iter().copied()) {
        let _ = writeln!(text, "{category}");
        for decl in decls {
            let docs = decl.docs.lines().next().unwrap_or_default();
            let _ = writeln!(text, "  {:width$}  {docs}", decl.name);
        }
    }
    text
}
