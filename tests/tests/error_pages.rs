//! The pages of `docs/errors`: each code has one, its wrong example raises the code, its right one raises nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use floe_tests::world::TestWorld;
use floe_tests::{Outcome, check, compile, export, export_ui, options_of};

/// An example of a page: a program, and the command that it is compiled by.
struct Example {
    program: String,
    command: Option<String>,
}

impl Example {
    /// The example under a heading: one `flow` block, and a `console` block before or after it where options matter.
    fn under(heading: &str, page: &str) -> Option<Example> {
        let (_, after) = page.split_once(&format!("\n## {heading}\n"))?;
        let section = after.split("\n## ").next()?;
        let fenced = |opening: &str| -> Vec<&str> {
            section.split(opening).skip(1).filter_map(|rest| rest.split("```").next()).collect()
        };
        let ([program], commands) = (fenced("```flow\n").try_into().ok()?, fenced("```console\n"));
        let program: &str = program;
        let command = commands.first().map(|command| command.trim_start_matches("$ ").trim_end().to_owned());
        Some(Example { program: program.to_owned(), command })
    }

    /// What is said about it by its command; it is compiled where there is none.
    fn outcome(&self) -> Outcome {
        let command = self.command.as_deref().unwrap_or_default();
        let (options, world) = (options_of(command), TestWorld::new());
        match command.split_whitespace().nth(1) {
            Some("export") if command.contains("--format ui") => export_ui(&self.program, &options, &world).1,
            Some("export") => export(&self.program, &options, &world).1,
            Some("check") => check(&self.program, &options, &world),
            _ => compile(&self.program, &options, &world),
        }
    }
}

/// Everything that has codes.
fn codes() -> impl Iterator<Item = &'static str> {
    let lang = floe_lang::error::CODES.into_iter().chain(floe_lang::decl::error::CODES);
    lang.chain(floe_compiler::codes())
}

/// Warnings, without what every program with a declaration of its own is told: pages on declarations need one.
fn beside(outcome: &Outcome, code: &str) -> Vec<String> {
    let foreign = "check::foreign_node";
    outcome.warnings.iter().filter(|&said| said != foreign || code == foreign).cloned().collect()
}

/// Checks one page; what is wrong with it.
fn check_page(code: &str, page: &str) -> Result<(), String> {
    if !page.starts_with(&format!("# {code}\n\n")) {
        return Err(format!("does not begin with `# {code}`"));
    }
    let wrong = Example::under("Wrong", page).ok_or("has no single program under `## Wrong`")?;
    let right = Example::under("Right", page).ok_or("has no single program under `## Right`")?;
    let outcome = wrong.outcome();
    let told = if outcome.errors.is_empty() { beside(&outcome, code) } else { outcome.errors.clone() };
    if told.as_slice() != [code] {
        return Err(format!("the wrong example raises {told:?}:\n{}", outcome.report));
    }
    let outcome = right.outcome();
    if !outcome.errors.is_empty() || !beside(&outcome, code).is_empty() {
        return Err(format!("the right example raises\n{}", outcome.report));
    }
    Ok(())
}

#[test]
fn examples_are_what_they_say() {
    let mut failures = String::new();
    for code in codes() {
        match floe_compiler::page(code) {
            None => failures.push_str(&format!("{code}: `floe explain` does not find its page\n")),
            Some(page) => {
                if let Err(reason) = check_page(code, page) {
                    failures.push_str(&format!("{code}: {reason}\n"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut pages = BTreeSet::new();
    for phase in entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors")) {
        // Codes of later phases come with their phase.
        let phases: BTreeSet<&str> =
            codes().filter_map(|code| code.split_once("::")).map(|(phase, _)| phase).collect();
        if phase.is_dir() && phases.contains(stem(&phase).as_str()) {
            pages.extend(entries(&phase).iter().map(|page| format!("{}::{}", stem(&phase), stem(page))));
        }
    }
    let known: BTreeSet<String> = codes().map(str::to_owned).collect();
    assert_eq!(known, pages, "codes on the left, pages on the right");
    assert_eq!(known.len(), codes().count(), "no code is there twice");
}

#[test]
fn the_pages_are_those_that_the_program_carries() {
    let carried: BTreeSet<&str> = floe_compiler::PAGES.iter().map(|&(code, _)| code).collect();
    for code in codes() {
        assert!(carried.contains(code), "{code}");
    }
    assert_eq!(floe_compiler::page("check::nothing"), None);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("docs/errors can be listed");
    listed.map(|entry| entry.expect("docs/errors can be listed").path()).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("pages have names").to_string_lossy().into_owned()
}
