use floe_lang::ast::StatementKind;
use floe_lang::decl::{NamedTypes, declare};
use floe_lang::{SourceFile, format_statement, parse};

use super::*;

/// What is shown of a declaration, read again.
#[test]
fn every_declaration_comes_back_from_its_text() {
    for node in nodes() {
        let text = format_statement(&node.to_ast());
        let parsed = parse(&SourceFile::new("shown.flow", text.as_str()));
        assert_eq!(parsed.errors, [], "{text}");
        let declared = declare(&parsed.ast.statements, &Library);
        assert_eq!(declared.errors, [], "{text}");
        assert_eq!(declared.nodes.first().map(|(_, again)| again), Some(node), "{text}");
    }
}

#[test]
fn every_class_is_found_by_its_name_and_has_docs() {
    assert_eq!(nodes().len(), 846);
    for decl in nodes() {
        assert_eq!(node(&decl.name), Some(decl));
        assert!(decl.docs.ends_with('.'), "{}: {}", decl.name, decl.docs);
    }
    assert_eq!(node("Ksampler"), None);
}

#[test]
fn types_are_found_by_both_names() {
    use floe_lang::decl::Declarations;
    for named in named_types() {
        assert_eq!(Library.named_type(named.name), Some(named.ty.clone()));
        if let Type::Data { comfy, .. } = &named.ty {
            assert_eq!(Library.type_name(comfy), Some(named.name));
            assert_eq!(Library.comfy_type(comfy), Some(named.ty.clone()));
        }
    }
    assert_eq!(Library.type_name("CLIP_VISION"), Some("ClipVision"));
    assert_eq!(Library.type_name("SEGS"), None);
}

/// Types of data in a type, inside of it too.
fn data<'a>(ty: &'a Type, found: &mut Vec<&'a str>) {
    match ty {
        Type::Data { comfy, .. } => found.push(comfy),
        Type::Union(types) | Type::List(types) => types.iter().for_each(|ty| data(ty, found)),
        Type::Match { allowed, .. } => allowed.iter().for_each(|ty| data(ty, found)),
        Type::Grow { element, .. } => element.iter().for_each(|input| data(&input.ty, found)),
        Type::Dynamic(choices) => {
            choices.iter().flat_map(|choice| choice.inputs.iter()).for_each(|input| data(&input.ty, found));
        }
        _ => {}
    }
}

#[test]
fn the_library_declares_every_type_that_it_uses_and_uses_every_one() {
    let mut used = Vec::new();
    for node in nodes() {
        node.inputs.iter().for_each(|input| data(&input.ty, &mut used));
        node.outputs.iter().for_each(|output| data(&output.ty, &mut used));
    }
    used.sort_unstable();
    used.dedup();
    let mut declared: Vec<&str> = Vec::new();
    named_types()
        .iter()
        .filter(|named| matches!(named.ty, Type::Data { .. }))
        .for_each(|named| data(&named.ty, &mut declared));
    declared.sort_unstable();
    assert_eq!(used, declared);
}

#[test]
fn the_files_are_formatted() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/nodes"))];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the declarations can be listed") {
            let path = entry.expect("the declarations can be listed").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a declaration file can be read");
            let parsed = parse(&SourceFile::new(path.display().to_string(), text.as_str()));
            assert_eq!(floe_lang::format(&parsed.ast), text, "{}", path.display());
            count +=
                parsed.ast.statements.iter().filter(|one| matches!(one.kind, StatementKind::Node(_))).count();
        }
    }
    assert_eq!(count, nodes().len());
}
