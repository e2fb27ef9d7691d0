//! Real workflows there and back: JSON to a program, its text, the text parsed anew, evaluated, and out as JSON.
//!
//! Nothing but the text is between the two halves. `scripts/corpus` does the same in two processes with the corpus' own
//! comparer; the rules of this one are in `floe_testing::prompts`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use floe_compiler::{Binding, Checked, Options, Pick, Warning, World};
use floe_driver::{ImportOptions, Source, import};
use floe_lang::text::CivilTime;
use floe_lang::{SourceFile, ast, parse};
use floe_testing::prompts::{Prompt, Schema, differences, differences_by_id};
use floe_testing::{json, shared};
use floe_tests::world::TestWorld;
use serde_json::Value;

/// Workflows whose stored values do not fit their classes, or that need what ComfyUI has given up: not compared, but
/// imported without losing what is there.
const NOT_COMPARED: [&str; 2] = ["suspect-values", "legacy-group-node"];

/// A file of the corpus.
#[derive(Debug)]
struct Case {
    /// Its path in the corpus.
    file: String,
    /// The prompt that it means; none where nobody knows, or where it need not be met.
    expected: Option<String>,
    /// Whether the editor itself refuses it.
    refused: bool,
    /// Whether Floe knows all of its classes.
    known: bool,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in json("corpus/manifest.json").as_array().expect("a list of files") {
        let file = entry["file"].as_str().expect("a path").to_owned();
        let flags: Vec<&str> =
            entry["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let expected = match entry["format"].as_str() {
            Some("api") => Some(file.clone()),
            _ => entry["expected"].as_str().map(str::to_owned),
        };
        let compared = !flags.iter().any(|flag| NOT_COMPARED.contains(flag));
        let known = entry["unknown_nodes"].as_array().is_none_or(Vec::is_empty);
        cases.push(Case { file, expected: expected.filter(|_| compared), refused: false, known });
    }
    for entry in json("corpus/micro/manifest.json").as_array().expect("a list of cases") {
        let file = entry["ui"].as_str().expect("a path").to_owned();
        let expected = entry["expected"].as_str().map(str::to_owned);
        let refused = entry["status"] != "ok";
        cases.push(Case { file, expected, refused, known: false });
    }
    cases
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);
static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::shared);

fn read(file: &str) -> Source {
    let bytes = fs::read(shared(&format!("corpus/{file}"))).expect("the corpus is readable");
    Source::of_bytes(file, bytes, 1 << 30).expect("the corpus is text")
}

fn imported(case: &Case, options: ImportOptions) -> Result<String, String> {
    let imported = import(&read(&case.file), options).map_err(|failure| words(&failure.reports))?;
    Ok(imported.text)
}

fn words(reports: &[miette::Report]) -> String {
    reports.iter().map(|report| format!("{report}; ")).collect()
}

/// A way out of a program.
type Export = fn(&ast::File, &Options, &dyn World) -> Checked<String>;

/// What the text of a program is as JSON, with first alternatives and at a fixed time; and the inputs, by class, that the
/// JSON is without.
fn exported(text: &str, export: Export) -> Result<(String, Vec<(String, String)>), String> {
    let now = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    let binding = Binding { pick: Pick::First, ..Binding::at(now, 0) };
    let options = Options { binding, ..floe_tests::options() };
    let parsed = parse(&SourceFile::new("program.flow", text));
    if let Some(error) = parsed.errors.first() {
        return Err(error.to_string());
    }
    let checked = export(&parsed.ast, &options, &TestWorld::new());
    let lost = checked.warnings.into_iter().filter_map(|warning| match warning {
        Warning::NotInFile { node, input, .. } => Some((node, input)),
        _ => None,
    });
    let text = checked
        .value
        .ok_or_else(|| checked.errors.iter().map(|error| format!("{error}; ")).collect::<String>())?;
    Ok((text, lost.collect()))
}

/// The prompt that the text of a program means.
fn to_prompt(text: &str) -> Result<Value, String> {
    let (json, _) = exported(text, floe_compiler::export::export_api)?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

fn prompt(value: &Value) -> Result<Prompt, String> {
    let mut prompt = Prompt::new(value)?;
    prompt.fill(&SCHEMA);
    Ok(prompt)
}

/// Compares all files that have something to be compared with; what is wrong with each.
fn compare(
    options: ImportOptions,
    way: impl Fn(&str) -> Result<Value, String>,
    differ: fn(&Prompt, &Prompt) -> Vec<String>,
) -> (usize, BTreeMap<&'static str, Vec<String>>) {
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut equal = 0;
    for case in CASES.iter() {
        let Some(expected) = &case.expected else { continue };
        let trip = || {
            let mut actual = prompt(&way(&imported(case, options)?)?)?;
            let text = fs::read_to_string(shared(&format!("corpus/{expected}"))).expect("readable");
            let mut expected = prompt(&serde_json::from_str(&text).map_err(|error| error.to_string())?)?;
            if expected.has_unknown() {
                expected.forget_unknown(&SCHEMA);
                actual.forget_unknown(&SCHEMA);
            }
            Ok::<_, String>(differ(&expected, &actual))
        };
        match trip() {
            Ok(differences) if differences.is_empty() => equal += 1,
            Ok(differences) => drop(wrong.insert(&case.file, differences)),
            Err(error) => drop(wrong.insert(&case.file, vec![error])),
        }
    }
    (equal, wrong)
}

/// Prints what came of a comparison, and requires that nothing differs.
fn require(what: &str, (equal, wrong): (usize, BTreeMap<&str, Vec<String>>)) {
    let compared = equal + wrong.len();
    let mut report = format!("{what}: {} files, {compared} compared, {equal} equal\n", CASES.len());
    for (file, differences) in &wrong {
        report.push_str(&format!("{file}: {} differences\n", differences.len()));
        differences.iter().take(4).for_each(|line| report.push_str(&format!("    {line}\n")));
    }
    println!("{report}");
    assert!(wrong.is_empty(), "{report}");
}

#[test]
fn a_workflow_means_what_it_means_in_comfyui() {
    let compared = CASES.iter().filter(|case| case.expected.is_some()).count();
    assert!(compared > 400, "{compared} files to compare");
    require("import, export", compare(ImportOptions::default(), to_prompt, differences));
}

#[test]
fn ids_and_places_that_are_kept_come_back() {
    let options = ImportOptions { ids: true, layout: true, params: false };
    require("import with ids, export", compare(options, to_prompt, differences_by_id));
}

#[test]
fn params_do_not_change_what_a_workflow_means() {
    let options = ImportOptions { params: true, ..ImportOptions::default() };
    require("import with params, export", compare(options, to_prompt, differences));
}

/// What the editor makes of a program means what the program means: each in its own format, both read anew. Values that the
/// editor has no place for are told, and not compared.
#[test]
fn the_file_for_the_editor_means_the_same() {
    let (mut equal, mut wrong, mut without) = (0, BTreeMap::new(), 0);
    for case in CASES.iter() {
        let Ok(text) = imported(case, ImportOptions::default()) else { continue };
        let mut trip = || {
            let (file, lost) = exported(&text, floe_compiler::export::export_ui)?;
            without += usize::from(!lost.is_empty());
            let again = import(&Source::json("exported.json", file), ImportOptions::default());
            let again = again.map_err(|failure| words(&failure.reports))?;
            let (mut expected, mut actual) = (prompt(&to_prompt(&text)?)?, prompt(&to_prompt(&again.text)?)?);
            for (node, input) in &lost {
                expected.forget(node, input);
                actual.forget(node, input);
            }
            Ok::<_, String>(differences(&expected, &actual))
        };
        match trip() {
            Ok(differences) if differences.is_empty() => equal += 1,
            Ok(differences) => drop(wrong.insert(case.file.as_str(), differences)),
            Err(error) => drop(wrong.insert(case.file.as_str(), vec![error])),
        }
    }
    println!("{without} files with values that the editor has no place for");
    require("export for the editor, import", (equal, wrong));
}

/// Every file becomes a program or an error with words. Programs are in the one style, and evaluate.
#[test]
fn every_file_is_a_program_or_a_useful_error() {
    let mut wrong = Vec::new();
    let (mut programs, mut errors) = (0, 0);
    for case in CASES.iter() {
        let text = match imported(case, ImportOptions::default()) {
            Ok(text) => text,
            Err(words) => {
                errors += 1;
                println!("{}: {words}", case.file);
                if !case.refused {
                    wrong.push(format!("{}: {words}", case.file));
                }
                continue;
            }
        };
        programs += 1;
        if case.refused {
            wrong.push(format!("{} is a program, though it should be refused", case.file));
        }
        match floe_driver::format(&Source::flow("program.flow", text.as_str())) {
            Ok(formatted) if formatted == text => {}
            Ok(_) => wrong.push(format!("{}: not in the one style", case.file)),
            Err(failure) => wrong.push(format!("{}: {}", case.file, words(&failure.reports))),
        }
        if let Err(words) = to_prompt(&text) {
            wrong.push(format!(
                "{}{}: {words}",
                case.file,
                if case.known { "" } else { " (unknown classes)" }
            ));
        }
    }
    println!("{} files, {programs} programs, {errors} errors", CASES.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
