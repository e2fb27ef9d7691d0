//! The moment at which a program is bound: what the compiler does not ask for itself.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use floe_compiler::{Binding, Pick};
use floe_lang::text::CivilTime;

/// A binding now, or at another time; `dynamic("{a|b}")` takes one of its alternatives at random, or the first.
pub fn binding(pick: Pick, now: Option<CivilTime>) -> Binding {
    let now = now.unwrap_or_else(clock);
    // The keys of a hasher are the randomness that the standard library has to offer.
    Binding { pick, ..Binding::at(now, RandomState::new().hash_one(0)) }
}

/// What time it is, in UTC.
fn clock() -> CivilTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    civil(seconds)
}

/// Seconds since 1970 as date and time of day. Years begin in March here, so that a leap day is their last: the first days
/// of the months then follow from one straight line.
fn civil(seconds: u64) -> CivilTime {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    const FROM_YEAR_0_MARCH: u64 = 719_468;
    let days = seconds / 86_400 + FROM_YEAR_0_MARCH;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let small = |value: u64| u8::try_from(value).unwrap_or(0);
    CivilTime {
        year: i32::try_from(year).unwrap_or(i32::MAX),
        month: small(month),
        day: small(day_of_year - (153 * march_month + 2) / 5 + 1),
        hour: small(seconds % 86_400 / 3_600),
        minute: small(seconds % 3_600 / 60),
        second: small(seconds % 60),
    }
}

/// Reads a time such as `2026-01-02T03:04:05Z`.
///
/// # Errors
/// If it is written otherwise, or is no time.
pub fn parse_time(text: &str) -> Result<CivilTime, String> {
    read_time(text).ok_or_else(|| "write it like 2026-01-02T03:04:05Z".to_owned())
}

fn read_time(text: &str) -> Option<CivilTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = fields(date, '-', &[4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', &[2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u16::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let real =
        (1..=12).contains(&month) && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let small = |value: u16| u8::try_from(value).unwrap_or(0);
    real.then(|| CivilTime {
        year: i32::from(year),
        month: small(month),
        day: small(day),
        hour: small(hour),
        minute: small(minute),
        second: small(second),
    })
}

/// Three numbers of so many digits each.
fn fields(text: &str, between: char, digits: &[usize; 3]) -> Option<[u16; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, &digits) in numbers.iter_mut().zip(digits) {
        let part = parts
            .next()
            .filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(time: CivilTime) -> String {
        let CivilTime { year, month, day, hour, minute, second } = time;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    #[test]
    fn seconds_are_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_323_045, "2026-01-02T03:04:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(written(civil(seconds)), text);
            assert_eq!(parse_time(text).map(written).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-01-02",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-1-2T03:04:05Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:04:05",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
