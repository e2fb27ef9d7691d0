//! The text form: one line for each call, with what annotations and flows say of it.

use std::fmt::{self, Display, Formatter};

use super::{Call, Flat, Mode};

impl Display for Flat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for param in &self.params {
            writeln!(
                f,
                "param {} = {}{}",
                param.name,
                param.value,
                if param.drawn { "  // drawn" } else { "" }
            )?;
        }
        for (index, call) in self.calls.iter().enumerate() {
            writeln!(f, "%{index} = {call}  // {}", self.origin(call))?;
        }
        let effects: Vec<String> = self.effects.iter().map(|effect| format!("%{}", effect.0)).collect();
        writeln!(f, "effects {}", effects.join(", "))
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.shadow {
            f.write_str("shadow ")?;
        }
        match self.mode {
            Mode::On => {}
            Mode::Mute => f.write_str("@mute ")?,
            Mode::Bypass => f.write_str("@bypass ")?,
        }
        if let Some(id) = &self.marks.id {
            write!(f, "@id({id:?}) ")?;
        }
        if let Some(label) = &self.marks.label {
            write!(f, "@label({label:?}) ")?;
        }
        if self.each {
            f.write_str("each ")?;
        }
        write!(f, "{}(", self.decl.name)?;
        for (index, arg) in self.args.iter().enumerate() {
            write!(f, "{}{}: {}", if index == 0 { "" } else { ", " }, arg.name, arg.value)?;
        }
        f.write_str(")")
    }
}
