//! Dates in file names: `%date:yyyy-MM-dd%`.

/// A date and a time of day, as a clock on the wall shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilTime {
    /// Year of the Gregorian calendar.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// A time in ComfyUI's letters: `yyyy` and `yy` for the year, `M` month, `d` day, `h` hour of 24, `m` minute, `s`
/// second, all but the year also doubled for two digits. Anything else stays, `yyy` and a single `y` too.
pub fn format(pattern: &str, time: CivilTime) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let count = rest.chars().take_while(|c| *c == letter).count();
        let (written, taken) =
            part(letter, count, time).unwrap_or_else(|| (letter.to_string(), letter.len_utf8()));
        result.push_str(&written);
        rest = &rest[taken..];
    }
    result
}

/// What a run of one letter says, and how many of the run it takes.
fn part(letter: char, count: usize, time: CivilTime) -> Option<(String, usize)> {
    let value = match letter {
        'd' => time.day,
        'M' => time.month,
        'h' => time.hour,
        'm' => time.minute,
        's' => time.second,
        'y' => return year(count, time.year),
        _ => return None,
    };
    let taken = count.min(2);
    Some((format!("{value:0taken$}"), taken))
}

fn year(count: usize, year: i32) -> Option<(String, usize)> {
    match count {
        1 => None,
        2 => Some((year.to_string().chars().skip(2).collect(), 2)),
        3 => Some(("yyy".to_owned(), 3)),
        _ => Some((year.to_string(), 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: CivilTime = CivilTime { year: 2026, month: 1, day: 2, hour: 13, minute: 4, second: 5 };

    #[test]
    fn letters_are_those_of_the_editor() {
        let cases = [
            ("yyyy-MM-dd", "2026-01-02"),
            ("hhmmss", "130405"),
            ("d-M-yy", "2-1-26"),
            ("h:m:s", "13:4:5"),
            ("y yyy yyyyy", "y yyy 2026y"),
            ("ddd", "022"),
            ("Tag: é", "Tag: é"),
            ("", ""),
        ];
        for (pattern, written) in cases {
            assert_eq!(format(pattern, TIME), written, "{pattern}");
        }
    }
}
