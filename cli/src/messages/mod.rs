//! Messages as data, for editors and CI: what they say, and the places in files that they point to.

mod github;
mod sarif;

use miette::{Diagnostic, LabeledSpan, Report, Severity, SourceCode, SourceSpan};
use serde::Serialize;

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MessageFormat {
    /// For people, on stderr
    Text,
    /// A list of objects, on stdout
    Json,
    /// SARIF 2.1.0, on stdout
    Sarif,
    /// Annotations of GitHub's actions, on stdout
    Github,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Error,
    Warning,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Message {
    level: Level,
    /// What `floe explain` takes.
    code: Option<String>,
    message: String,
    help: Option<String>,
    /// What it points to, the cause first.
    places: Vec<Place>,
}

/// A piece of a file. Lines and columns count from 1, columns in UTF-16 units as editors do; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    /// What is to be seen there.
    label: Option<String>,
}

impl Message {
    pub(crate) fn new(report: &Report) -> Message {
        let diagnostic: &dyn Diagnostic = report.as_ref();
        let mut labels: Vec<LabeledSpan> = diagnostic.labels().into_iter().flatten().collect();
        // The sort is stable: the first label is the cause where none is marked.
        labels.sort_by_key(|label| !label.primary());
        let source = diagnostic.source_code();
        Message {
            level: match diagnostic.severity() {
                None | Some(Severity::Error) => Level::Error,
                Some(Severity::Warning | Severity::Advice) => Level::Warning,
            },
            code: diagnostic.code().map(|code| code.to_string()),
            message: diagnostic.to_string(),
            help: diagnostic.help().map(|help| help.to_string()),
            places: labels.iter().filter_map(|label| place(source?, label)).collect(),
        }
    }
}

/// Where a label points to; nowhere if its file is not at hand.
fn place(source: &dyn SourceCode, label: &LabeledSpan) -> Option<Place> {
    let span = *label.inner();
    let found = source.read_span(&span, 0, 0).ok()?;
    let column = width_before(source, span.offset(), found.column()) + 1;
    let text = found.data();
    let rows = text.iter().filter(|&&byte| byte == b'\n').count();
    let last = text.iter().rposition(|&byte| byte == b'\n').map_or(text, |at| &text[at + 1..]);
    Some(Place {
        file: found.name().unwrap_or_default().to_owned(),
        line: found.line() + 1,
        column,
        end_line: found.line() + 1 + rows,
        end_column: if rows == 0 { column } else { 1 } + width(last),
        label: label.label().map(str::to_owned),
    })
}

/// How many bytes of a line are asked for at once: what has more is shown in part.
const PIECE: usize = 512;

/// UTF-16 units between the beginning of a line and the byte at `offset`, `bytes` further on.
fn width_before(source: &dyn SourceCode, offset: usize, bytes: usize) -> usize {
    let start = offset - bytes;
    let pieces = (start..offset).step_by(PIECE);
    pieces
        .map(|at| {
            let len = PIECE.min(offset - at);
            let piece = source.read_span(&SourceSpan::new(at.into(), len), 0, 0);
            piece.map_or(len, |piece| width(piece.data()))
        })
        .sum()
}

/// UTF-16 units of a text in UTF-8, which may begin or end inside of a character: each counts where it begins.
fn width(text: &[u8]) -> usize {
    text.iter()
        .map(|byte| match byte {
            0x80..=0xBF => 0,
            0xF0.. => 2,
            _ => 1,
        })
        .sum()
}

/// Messages as text in a format that is not for people.
pub(crate) fn render(messages: &[Message], format: MessageFormat) -> String {
    let json = |text: Result<String, serde_json::Error>| text.unwrap_or_default() + "\n";
    match format {
        MessageFormat::Text => String::new(),
        MessageFormat::Json => json(serde_json::to_string_pretty(messages)),
        MessageFormat::Sarif => json(serde_json::to_string_pretty(&sarif::log(messages))),
        MessageFormat::Github => messages.iter().map(github::annotation).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::{MietteDiagnostic, NamedSource};

    fn message(text: &str, labels: Vec<LabeledSpan>) -> Message {
        let wrong = MietteDiagnostic::new("100% wrong:\nquite")
            .with_code("check::wrong")
            .with_help("mend it")
            .with_labels(labels);
        Message::new(&Report::new(wrong).with_source_code(NamedSource::new("a,b.flow", text.to_owned())))
    }

    #[test]
    fn columns_are_those_of_editors() {
        let text = "one\nlet 🎨é = wrong\nnext";
        let at = text.find("wrong").unwrap();
        let found = message(text, vec![LabeledSpan::at(at..at + 5, "here")]);
        let place = &found.places[0];
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 11, 2, 16));
        let found = message(text, vec![LabeledSpan::at(at..text.len(), "here")]);
        let place = &found.places[0];
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 11, 3, 5));
    }

    #[test]
    fn a_place_far_along_a_line_is_found() {
        let text = "ä".repeat(5000) + "wrong";
        let found = message(&text, vec![LabeledSpan::at(10_000..10_005, "here")]);
        assert_eq!((found.places[0].column, found.places[0].end_column), (5001, 5006));
    }

    #[test]
    fn the_cause_comes_first_and_one_without_a_place_stays() {
        let labels =
            vec![LabeledSpan::at(0..1, "first seen"), LabeledSpan::new_primary_with_span(None, 2..3)];
        let found = message("a b", labels);
        assert_eq!(found.places.iter().map(|place| place.column).collect::<Vec<_>>(), [3, 1]);
        assert!(message("a", Vec::new()).places.is_empty());
    }

    #[test]
    fn annotations_keep_to_one_line() {
        let found = message("a b", vec![LabeledSpan::at(2..3, "here")]);
        assert_eq!(
            render(&[found], MessageFormat::Github),
            "::error file=a%2Cb.flow,line=1,col=3,endLine=1,endColumn=4,title=check%3A%3Awrong::100%25 wrong:%0Aquite%0A\
             help: mend it\n"
        );
        let nowhere = message("a b", Vec::new());
        assert_eq!(
            render(&[nowhere], MessageFormat::Github),
            "::error title=check%3A%3Awrong::100%25 wrong:%0Aquite%0Ahelp: mend it\n"
        );
    }

    #[test]
    fn sarif_names_the_rule_and_the_places() {
        let labels = vec![LabeledSpan::at(2..3, "here"), LabeledSpan::at(0..1, "and here")];
        let log = render(&[message("a b", labels)], MessageFormat::Sarif);
        let log: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "check::wrong");
        let result = &run["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&"check::wrong".into(), &"error".into()));
        let cause = &result["locations"][0]["physicalLocation"];
        assert_eq!(cause["artifactLocation"]["uri"], "a%2Cb.flow");
        assert_eq!(cause["region"]["startColumn"], 3);
        assert_eq!(result["relatedLocations"][0]["message"]["text"], "and here");
    }
}
