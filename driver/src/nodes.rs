//! What the library declares, as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use floe_lang::decl::{InputDecl, NodeDecl, Type, type_to_ast};
use floe_lang::format_statement;
use floe_stdlib::{named_type, nodes, semantics};

/// The declaration of a class as it would stand in a file, the sets of choices that it names, and whether it can run.
pub fn declaration(decl: &NodeDecl) -> String {
    let mut text = format_statement(&decl.to_ast());
    text.push('\n');
    let mut sets = BTreeMap::new();
    for input in decl.inputs.iter() {
        sets_of(input, &mut sets);
    }
    for set in sets.into_values() {
        text.push_str(&format!("\n{set}\n"));
    }
    if semantics(&decl.name).is_none() {
        text.push_str("\n// checks, but cannot run yet\n");
    }
    text
}

/// Nodes under the names of their categories, in the order of these.
pub fn by_category<'a>(decls: impl IntoIterator<Item = &'a NodeDecl>) -> Vec<(&'a str, Vec<&'a NodeDecl>)> {
    let mut found: BTreeMap<&str, Vec<&NodeDecl>> = BTreeMap::new();
    for decl in decls {
        found.entry(&decl.category).or_default().push(decl);
    }
    let named = |category: &'a str| if category.is_empty() { "(no category)" } else { category };
    found.into_iter().map(|(category, decls)| (named(category), decls)).collect()
}

/// All nodes by category, in Markdown: what each does, and whether it runs or plans only.
pub fn nodes_page() -> String {
    let runs = |decl: &NodeDecl| semantics(&decl.name).is_some();
    let (all, running) = (nodes().len(), nodes().iter().filter(|decl| runs(decl)).count());
    let mut text = format!(
        "# Nodes\n\nMade by `floe nodes --markdown`.\n\nAll {all} classes check, plan (`floe plan --no-files`) and export; {running} of \
         them run. `floe nodes NAME` shows the signature of one.\n"
    );
    for (category, decls) in by_category(nodes()) {
        let _ = write!(text, "\n## {category}\n\n| class | | what it does |\n|---|---|---|\n");
        for decl in decls {
            let docs = decl.docs.lines().next().unwrap_or_default().replace('|', "\\|");
            let state = if runs(decl) { "runs" } else { "plans only" };
            let _ = writeln!(text, "| `{}` | {state} | {docs} |", decl.name);
        }
    }
    text
}

/// The declaration of a data type or a set of choices.
pub fn named_declaration(name: &str) -> Option<String> {
    let named = named_type(name)?;
    Some(format!("{}\n", format_statement(&type_to_ast(named.name, named.docs, &named.ty))))
}

/// The named sets that an input and those inside it choose from.
fn sets_of(input: &InputDecl, sets: &mut BTreeMap<String, String>) {
    match &input.ty {
        Type::Choice { set: Some(set), .. } => {
            if let Some(declaration) = named_declaration(set) {
                sets.insert(set.to_string(), declaration.trim_end().to_owned());
            }
        }
        Type::Dynamic(choices) => {
            choices.iter().flat_map(|choice| choice.inputs.iter()).for_each(|input| sets_of(input, sets));
        }
        Type::Grow { element, .. } => element.iter().for_each(|input| sets_of(input, sets)),
        _ => {}
    }
}
