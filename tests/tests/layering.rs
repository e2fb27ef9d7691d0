//! Who may know whom: the edges between our crates, and what the pure ones never reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Each crate of the product, and the crates of ours that it may use.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("floe-lang", &[]),
    ("floe-formats", &[]),
    ("floe-nets", &["floe-formats"]),
    ("floe-stdlib", &["floe-lang", "floe-nets", "floe-formats"]),
    ("floe-plan", &[]),
    ("floe-compiler", &["floe-lang", "floe-stdlib", "floe-formats", "floe-nets", "floe-plan"]),
    ("floe-tensor", &["floe-nets", "floe-formats"]),
    ("floe-nodes", &["floe-tensor", "floe-nets", "floe-plan", "floe-formats"]),
    ("floe-runtime", &["floe-plan", "floe-nets", "floe-formats", "floe-tensor", "floe-nodes"]),
    (
        "floe-driver",
        &[
            "floe-lang",
            "floe-stdlib",
            "floe-compiler",
            "floe-plan",
            "floe-runtime",
            "floe-formats",
            "floe-nets",
        ],
    ),
    ("floe", &["floe-driver"]),
];

/// Crates for tests only; nothing of the product uses them.
const TESTS: [&str; 2] = ["floe-tests", "floe-testing"];

/// What plans and checks programs runs nothing.
const PURE: [&str; 6] =
    ["floe-compiler", "floe-stdlib", "floe-nets", "floe-formats", "floe-plan", "floe-lang"];

/// Engines and executors: these and everything named after them.
const ENGINES: [&str; 4] = ["burn", "cubecl", "tokio", "rayon"];

/// The one crate that may contain `unsafe`, and so has lints of its own.
const UNSAFE: &str = "floe-tensor";

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    // The features that ship: optional engines turn on features of shared crates for everyone.
    command.manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    command.exec().expect("cargo describes the workspace")
}

fn is_ours(name: &str) -> bool {
    ALLOWED.iter().any(|(known, _)| *known == name) || TESTS.contains(&name)
}

/// What a package needs to be built, tests left out.
fn needs(package: &Package) -> BTreeSet<&str> {
    let real =
        package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    real.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn crates_know_only_those_below_them() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into();
    let mut violations = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(below) = allowed.get(name) else {
            assert!(TESTS.contains(&name), "{name} is new: say in this test what it may know");
            continue;
        };
        let ours = needs(package).into_iter().filter(|name| is_ours(name));
        violations
            .extend(ours.filter(|other| !below.contains(other)).map(|other| format!("{name} -> {other}")));
    }
    assert!(violations.is_empty(), "not allowed: {}", violations.join(", "));
}

#[test]
fn what_compiles_reaches_no_engine() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("cargo resolves the workspace");
    let edges: BTreeMap<&PackageId, Vec<&PackageId>> = resolve
        .nodes
        .iter()
        .map(|node| {
            let real = node.deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            });
            (&node.id, real.map(|dependency| &dependency.pkg).collect())
        })
        .collect();
    for package in
        metadata.workspace_packages().into_iter().filter(|package| PURE.contains(&package.name.as_str()))
    {
        let mut reached = BTreeSet::new();
        let mut open = vec![&package.id];
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(edges.get(id).into_iter().flatten());
            }
        }
        for id in reached {
            let name = metadata[id].name.as_str();
            let engine =
                ENGINES.iter().find(|engine| name == **engine || name.starts_with(&format!("{engine}-")));
            assert!(engine.is_none(), "{} reaches {name}", package.name);
        }
    }
}

#[test]
fn lints_are_those_of_the_workspace() {
    for package in metadata().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a member has a manifest");
        let shared = manifest.contains("[lints]\nworkspace = true\n");
        assert_eq!(shared, package.name.as_str() != UNSAFE, "lints of {}", package.name);
    }
    let root = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    let root = root.expect("the workspace has a manifest");
    assert!(root.contains("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
}

#[test]
fn the_crate_with_unsafe_denies_it_but_where_it_says_so() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let package = packages.iter().find(|package| package.name.as_str() == UNSAFE).expect("it is a member");
    let manifest = fs::read_to_string(&package.manifest_path).expect("a member has a manifest");
    assert!(
        manifest.contains("[lints.rust]\n") && manifest.contains("unsafe_code = \"deny\"\n"),
        "{manifest}"
    );
}
