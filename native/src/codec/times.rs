//! Timestamp and Duration as text, both ways, as (seconds, nanos) pairs.
//!
//! Owns the ranges of timestamp.proto and duration.proto and the exact grammar: upper-case T and Z, up to nine digits after the point,
//! no leap second. Days are counted on the proleptic Gregorian calendar.
//! Source: google/protobuf/timestamp.proto, duration.proto, RFC 3339 section 5.6.

use super::misfit::{Misfit, Piece};

const MIN_TIMESTAMP_S: i64 = -62_135_596_800; // 0001-01-01T00:00:00Z
const MAX_TIMESTAMP_S: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
const MAX_DURATION_S: i64 = 315_576_000_000; // 10,000 years
const DAY_S: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

fn quoted(text: &str, rest: &'static str) -> Misfit {
    Misfit::pieces(vec![Piece::Text(text.to_owned()), rest.into()])
}

/// Seconds since the epoch and nanos of an RFC 3339 time.
pub fn parse_timestamp(text: &str) -> Result<(i64, i32), Misfit> {
    let no_time = || quoted(text, " is not a time like 2017-01-15T01:30:15.01Z");
    let mut rest = Digits(text.as_bytes());
    let mut part = |before: &[u8], count| rest.mark(before).and_then(|()| rest.number(count));
    let (Some(year), Some(month), Some(day)) = (part(b"", 4), part(b"-", 2), part(b"-", 2)) else {
        return Err(no_time());
    };
    let (Some(hour), Some(minute), Some(second)) = (part(b"T", 2), part(b":", 2), part(b":", 2)) else {
        return Err(no_time());
    };
    let nanos = rest.fraction().ok_or_else(no_time)?;
    let (sign, zone_hour, zone_minute) = rest.zone().ok_or_else(no_time)?;
    if !rest.0.is_empty() {
        return Err(no_time());
    }
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return Err(quoted(text, " is no date of the calendar"));
    }
    let offset = (zone_hour * 60 + zone_minute) * 60;
    if hour > 23 || minute > 59 || second > 59 || offset >= DAY_S || zone_minute > 59 {
        return Err(quoted(text, " is no time of day"));
    }
    let seconds = days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - sign * offset;
    if !(MIN_TIMESTAMP_S..=MAX_TIMESTAMP_S).contains(&seconds) {
        return Err(quoted(text, " is not between the years 1 and 9999"));
    }
    Ok((seconds, nanos))
}

/// Seconds and nanos, of one sign, of a text like `-1.5s`.
pub fn parse_duration(text: &str) -> Result<(i64, i32), Misfit> {
    let no_duration = || quoted(text, " is not a duration like 1.5s");
    let negative = text.starts_with('-');
    let mut rest = Digits(text.as_bytes());
    if negative {
        rest.mark(b"-").ok_or_else(no_duration)?;
    }
    let length = rest.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=12).contains(&length) {
        return Err(no_duration());
    }
    let seconds = rest.number(length).ok_or_else(no_duration)?;
    let nanos = rest.fraction().ok_or_else(no_duration)?;
    if rest.0 != b"s" {
        return Err(no_duration());
    }
    // The range is the seconds'; with the last of them nanos may stand: protobuf's conformance suite.
    if seconds > MAX_DURATION_S {
        return Err(quoted(text, " is out of a Duration's range"));
    }
    Ok(if negative { (-seconds, -nanos) } else { (seconds, nanos) })
}

struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn mark(&mut self, mark: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }

    fn number(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    }

    /// The nanos after a point, if there is one.
    fn fraction(&mut self) -> Option<i32> {
        if self.mark(b".").is_none() {
            return Some(0);
        }
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let scale = 10i64.pow(9 - count as u32);
        self.number(count).map(|value| (value * scale) as i32)
    }

    /// The sign, hours and minutes of the offset from UTC.
    fn zone(&mut self) -> Option<(i64, i64, i64)> {
        if self.mark(b"Z").is_some() {
            return Some((1, 0, 0));
        }
        let sign = if self.mark(b"+").is_some() { 1 } else { self.mark(b"-").map(|()| -1)? };
        let hour = self.number(2)?;
        self.mark(b":")?;
        Some((sign, hour, self.number(2)?))
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01. Source: <https://howardhinnant.github.io/date_algorithms.html>.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let part = (5 * of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * part + 2) / 5 + 1)
}

/// Writes the RFC 3339 text, quoted, in UTC with 0, 3, 6 or 9 digits after the point; false when out of range.
pub fn put_timestamp(out: &mut Vec<u8>, seconds: i64, nanos: i32) -> bool {
    if !(MIN_TIMESTAMP_S..=MAX_TIMESTAMP_S).contains(&seconds) || !(0..NANOS).contains(&i64::from(nanos)) {
        return false;
    }
    let (year, month, day) = date(seconds.div_euclid(DAY_S));
    let second = seconds.rem_euclid(DAY_S);
    let mut text = *b"\"0000-00-00T00:00:00";
    for (at, value) in [
        (1, year / 100),
        (3, year % 100),
        (6, month),
        (9, day),
        (12, second / 3600),
        (15, second / 60 % 60),
        (18, second % 60),
    ] {
        (text[at], text[at + 1]) = (b'0' + (value / 10) as u8, b'0' + (value % 10) as u8);
    }
    out.extend_from_slice(&text);
    fraction(out, i64::from(nanos));
    out.extend_from_slice(b"Z\"");
    true
}

/// Writes the text, quoted, with 0, 3, 6 or 9 digits after the point; false when out of range or with mixed signs.
pub fn put_duration(out: &mut Vec<u8>, seconds: i64, nanos: i32) -> bool {
    let nanos = i64::from(nanos);
    let mixed = (seconds < 0 && nanos > 0) || (seconds > 0 && nanos < 0);
    if seconds.unsigned_abs() > MAX_DURATION_S as u64 || nanos.abs() >= NANOS || mixed {
        return false;
    }
    out.push(b'"');
    if seconds < 0 || nanos < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(itoa::Buffer::new().format(seconds.unsigned_abs()).as_bytes());
    fraction(out, nanos.abs());
    out.extend_from_slice(b"s\"");
    true
}

fn digits(out: &mut Vec<u8>, value: i64, count: u32) {
    for place in (0..count).rev() {
        out.push(b'0' + (value / 10i64.pow(place) % 10) as u8);
    }
}

fn fraction(out: &mut Vec<u8>, nanos: i64) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    if nanos % 1_000_000 == 0 {
        digits(out, nanos / 1_000_000, 3);
    } else if nanos % 1000 == 0 {
        digits(out, nanos / 1000, 6);
    } else {
        digits(out, nanos, 9);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn timestamps_come_back(seconds in MIN_TIMESTAMP_S..=MAX_TIMESTAMP_S, nanos in 0i32..NANOS as i32) {
            let mut out = Vec::new();
            prop_assert!(put_timestamp(&mut out, seconds, nanos));
            let text = std::str::from_utf8(&out[1..out.len() - 1]).unwrap();
            prop_assert_eq!(parse_timestamp(text), Ok((seconds, nanos)));
        }

        #[test]
        fn any_text_is_a_time_or_refused(text: String) {
            let _ = (parse_timestamp(&text), parse_duration(&text));
        }
    }

    #[test]
    fn ends_of_the_ranges() {
        for (text, seconds) in [("0001-01-01T00:00:00Z", MIN_TIMESTAMP_S), ("9999-12-31T23:59:59Z", MAX_TIMESTAMP_S)] {
            assert_eq!(parse_timestamp(text), Ok((seconds, 0)));
        }
        for text in
            ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2023-02-29T00:00:00Z", "2020-01-01T24:00:00Z"]
        {
            assert!(parse_timestamp(text).is_err(), "{text}");
        }
        assert!(!put_timestamp(&mut Vec::new(), MAX_TIMESTAMP_S + 1, 0));
    }
}
