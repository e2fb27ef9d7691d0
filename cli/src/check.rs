use floe_driver::{check as check_source, read_source};
use miette::Report;

use crate::args::CheckArgs;
use crate::messages::{Message, MessageFormat, render};
use crate::report::{Exit, failed, needs, of_program, of_source, say, warn};

pub(crate) fn check(args: &CheckArgs) -> Result<(), Exit> {
    let mut seen = Seen { text: args.format == MessageFormat::Text, messages: Vec::new(), worst: None };
    let options = args.bind.options();
    for file in &args.files {
        let source = match read_source(file, args.source.limit()) {
            Ok(source) => source,
            Err(error) => {
                seen.worse(of_source(&error));
                seen.show(vec![Report::new(error)]);
                continue;
            }
        };
        let folders = args.unseen.apply(args.folders.folders(file));
        let examined = check_source(&source, &folders, &options);
        match examined.verdict {
            Ok(warnings) => seen.show(warnings),
            Err(failure) if seen.text => seen.worse(failed(failure)),
            Err(failure) => {
                seen.worse(of_program(&failure));
                seen.show(failure.reports);
            }
        }
        if seen.text {
            needs(&examined.packs);
        }
    }
    say(&render(&seen.messages, args.format));
    seen.worst.map_or(Ok(()), Err)
}

/// What the files that were looked at so far came to.
struct Seen {
    /// Whether messages are shown to people at once.
    text: bool,
    /// Else they are kept: other formats hold those of all files together.
    messages: Vec<Message>,
    worst: Option<Exit>,
}

impl Seen {
    fn show(&mut self, reports: Vec<Report>) {
        if self.text {
            warn(reports);
        } else {
            self.messages.extend(reports.iter().map(Message::new));
        }
    }

    /// A wrong program weighs more than a machine that lacks a file.
    fn worse(&mut self, exit: Exit) {
        if self.worst != Some(Exit::Program) {
            self.worst = Some(exit);
        }
    }
}
