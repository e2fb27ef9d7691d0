//! Whole-system tests: parity, snapshots, error pages, layering. The library is what they share: a world that needs
//! no disk, and programs compiled with every message rendered as a terminal of 80 columns shows it.
#![forbid(unsafe_code)]

pub mod world;

use std::collections::BTreeMap;

use floe_compiler::{Binding, Compiled, Options, PassList};
use floe_lang::text::CivilTime;
use floe_lang::{SourceFile, parse};
use floe_plan::{Device, Precision, Target};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Report, ReportHandler, Severity};

use world::TestWorld;

/// Columns of the terminal that messages are rendered for.
const COLUMNS: usize = 80;

/// When tests happen.
const NOW: CivilTime = CivilTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };

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
        binding: Binding::at(NOW, 0),
    }
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
    let file = SourceFile::new("program.flow", source);
    let parsed = parse(&file);
    let mut outcome = Outcome::default();
    for error in parsed.errors {
        outcome.add(&file, error);
    }
    if outcome.errors.is_empty() {
        let checked = floe_compiler::compile(&parsed.ast, options, world);
        outcome.compiled = checked.value;
        for error in checked.errors {
            outcome.add(&file, error);
        }
        for warning in checked.warnings {
            outcome.add(&file, warning);
        }
    }
    outcome
}

impl Outcome {
    fn add(&mut self, file: &SourceFile, diagnostic: impl Diagnostic + Send + Sync + 'static) {
        let code = diagnostic.code().map(|code| code.to_string()).unwrap_or_default();
        let warning = diagnostic.severity() == Some(Severity::Warning);
        if warning { &mut self.warnings } else { &mut self.errors }.push(code);
        self.report.push_str(&render(file, diagnostic));
    }
}

/// A message as a terminal without colours shows it.
fn render(file: &SourceFile, diagnostic: impl Diagnostic + Send + Sync + 'static) -> String {
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
