use floe_driver::{check as check_source, read_source};
use miette::Report;

use crate::args::CheckArgs;
use crate::messages::{Message, MessageFormat, render};
use crate::report::{Exit, failed, needs, say, unreadable, warn, why_unreadable};

pub(crate) fn check(args: &CheckArgs) -> Result<(), Exit> {
    let mut seen = Seen { text: args.format == MessageFormat::Text, messages: Vec::new(), worst: None };
    let options = args.bind.options();
    for file in &args.files {
        let source = match read_source(file, args.source.limit()) {
            Ok(source) => source,
            Err(error) if seen.text => {
                seen.worse(unreadable(error));
                continue;
            }
            Err(error) => {
                seen.worse(why_unreadable(&error));
                seen.keep(&[Report::new(error)]);
                continue;
            }
        };
        let folders = args.unseen.apply(args.folders.folders(file));
        let examined = check_source(&source, &folders, &options);
        match examined.verdict {
            Ok(warnings) if seen.text => warn(warnings),
            Ok(warnings) => seen.keep(&warnings),
            Err(failure) if seen.text => seen.worse(failed(failure)),
            Err(failure) => {
                seen.keep(&failure.reports);
                seen.worse(if failure.machine { Exit::Machine } else { Exit::Program });
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
    fn keep(&mut self, reports: &[Report]) {
        self.messages.extend(reports.iter().map(Message::new));
    }

    /// A wrong program weighs more than a machine that lacks a file.
    fn worse(&mut self, exit: Exit) {
        if self.worst != Some(Exit::Program) {
            self.worst = Some(exit);
        }
    }
}
