//! Whole-system tests: parity, snapshots, error pages, layering. The library is what they share: a world that needs
//! no disk, and programs compiled with every message rendered as a terminal of 80 columns shows it.
#![forbid(unsafe_code)]

pub mod verdict;
pub mod world;

use std::collections::BTreeMap;

use floe_compiler::{Binding, Checked, Compiled, Files, Options, PassList, Pick};
use floe_lang::text::CivilTime;
use floe_lang::{SourceFile, ast, parse};
use floe_plan::{Device, Precision, Target};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Report, ReportHandler, Severity};

use world::TestWorld;

/// Columns of the terminal that messages are rendered for.
const COLUMNS: usize = 80;

/// What became of a program.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The plan, where there is one.
    pub compiled: Option<Compiled>,
    /// Codes of the errors, in the order of the text.
    pub errors: Vec<String>,
    /// Codes of the warnings, in the order of the text.
    pub warnings: Vec<String>,
    /// Every message, errors first, as a terminal shows it.
    pub report: String,
}

/// All passes, for a processor without limits, params at their defaults.
pub fn options() -> Options {
    Options {
        passes: PassList::all(),
        target: Target { device: Device::Cpu, memory: None, precision: Precision::F32 },
        params: BTreeMap::new(),
        binding: binding(),
        to_run: true,
    }
}

/// A binding that is the same every time.
pub fn binding() -> Binding {
    let now = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    Binding { pick: Pick::First, ..Binding::at(now, 0) }
}

/// The options of a command such as `$ floe plan program.flow --memory 1MiB --set steps=many`.
///
/// # Panics
/// If the command has an option that tests do not know.
pub fn options_of(command: &str) -> Options {
    let mut options = options();
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--memory" => options.target.memory = words.next().and_then(bytes),
            "--set" => {
                let (name, value) =
                    words.next().and_then(|set| set.split_once('=')).expect("--set name=value");
                options.params.insert(name.to_owned(), value.to_owned());
            }
            "--format" => assert!(matches!(words.next(), Some("api" | "ui")), "there are two formats"),
            other => assert!(!other.starts_with("--"), "tests do not know the option {other}"),
        }
    }
    options
}

/// A size as `--memory` takes it.
fn bytes(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (number, shift) = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))?;
    Some(number.parse::<u64>().ok()? << shift)
}

/// Compiles a text as the driver does: a text with syntax errors is not looked at any further.
pub fn compile(source: &str, options: &Options, world: &TestWorld) -> Outcome {
    let (compiled, outcome) = said(source, |ast| floe_compiler::compile(ast, options, world));
    Outcome { compiled, ..outcome }
}

/// Checks a text: nodes that cannot run yet are fine.
pub fn check(source: &str, options: &Options, world: &TestWorld) -> Outcome {
    said(source, |ast| floe_compiler::check(ast, options, world)).1
}

/// Exports a text in the API format.
pub fn export(source: &str, options: &Options, world: &TestWorld) -> (Option<String>, Outcome) {
    said(source, |ast| floe_compiler::export::export_api(ast, options, world))
}

/// Exports a text as a file for ComfyUI's editor.
pub fn export_ui(source: &str, options: &Options, world: &TestWorld) -> (Option<String>, Outcome) {
    said(source, |ast| floe_compiler::export::export_ui(ast, options, world))
}

/// What becomes of a text, and all that is said about it.
fn said<T>(source: &str, handle: impl FnOnce(&ast::File) -> Checked<T>) -> (Option<T>, Outcome) {
    let file = SourceFile::new("program.flow", source);
    let parsed = parse(&file);
    let mut outcome = Outcome::default();
    if !parsed.errors.is_empty() {
        let files = Files::new(file, []);
        parsed.errors.into_iter().for_each(|error| outcome.add(&files, error));
        return (None, outcome);
    }
    let checked = handle(&parsed.ast);
    let files = Files::new(file, checked.files);
    checked.errors.into_iter().for_each(|error| outcome.add(&files, error));
    checked.warnings.into_iter().for_each(|warning| outcome.add(&files, warning));
    (checked.value, outcome)
}

impl Outcome {
    fn add(&mut self, file: &Files, diagnostic: impl Diagnostic + Send + Sync + 'static) {
        let code = diagnostic.code().map(|code| code.to_string()).unwrap_or_default();
        let warning = diagnostic.severity() == Some(Severity::Warning);
        if warning { &mut self.warnings } else { &mut self.errors }.push(code);
        self.report.push_str(&render(file, diagnostic));
    }
}

/// A message as a terminal without colours shows it.
fn render(file: &Files, diagnostic: impl Diagnostic + Send + Sync + 'static) -> String {
    struct Plain(Report);
    impl std::fmt::Display for Plain {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(COLUMNS);
            handler.with_links(false).debug(self.0.as_ref(), f)
        }
    }
    let text = Plain(Report::new(diagnostic).with_source_code(file.clone())).to_string();
    // Trailing blanks are nothing that anybody sees.
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
