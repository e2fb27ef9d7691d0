//! What the library declares, as text for people.

use std::collections::BTreeMap;

use floe_lang::decl::{InputDecl, NodeDecl, Type, type_to_ast};
use floe_lang::format_statement;
use floe_stdlib::{named_type, semantics};

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
