//! The texts of `timeout`: `"2s"`, `"1m30s"`, `"250ms"`.

use std::fmt;
use std::time::Duration;

/// How a text fails to be a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DurationError {
    Empty,
    /// What stands where a number should.
    NoNumber(String),
    Negative,
    /// `1,5s`, with a comma where Rust has a point.
    Comma,
    /// More digits behind the point than there are nanoseconds.
    TooFine,
    /// The number that nothing follows.
    NoUnit(String),
    UnknownUnit(String),
    /// A unit that stands behind a smaller one, or behind itself.
    Order {
        unit: &'static str,
        behind: &'static str,
    },
    TooLong,
}

/// From the largest to the smallest, which is the order in a text. Nanoseconds of each.
const UNITS: [(&str, u128); 5] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
];

/// The longest duration: what fits into a `u64` of milliseconds, some 585 million years.
const LIMIT: u128 = (u64::MAX as u128) * 1_000_000;

/// Reads one or more `<number><unit>`, largest unit first, without spaces. A number may have a fraction.
pub(crate) fn parse(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut nanoseconds: u128 = 0;
    let mut smallest: Option<usize> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        if number.is_empty() {
            return Err(if rest.starts_with(['-', '\u{2212}']) {
                DurationError::Negative
            } else {
                DurationError::NoNumber(rest.to_owned())
            });
        }
        if after.starts_with(',') {
            return Err(DurationError::Comma);
        }
        let (fraction, after) = match after.strip_prefix('.') {
            Some(behind_point) => split(behind_point, |c| c.is_ascii_digit()),
            None => ("0", after),
        };
        if fraction.is_empty() {
            return Err(DurationError::NoNumber(rest.to_owned()));
        }
        let (unit, after) = split(after, |c| !c.is_ascii_digit());
        if unit.is_empty() {
            return Err(DurationError::NoUnit(number.to_owned()));
        }
        let rank = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?;
        if let Some(smallest) = smallest.filter(|smallest| rank <= *smallest) {
            return Err(DurationError::Order { unit: UNITS[rank].0, behind: UNITS[smallest].0 });
        }
        smallest = Some(rank);
        let part_of_unit = part(fraction, UNITS[rank].1).ok_or(DurationError::TooFine)?;
        nanoseconds = number
            .parse::<u128>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[rank].1))
            .and_then(|part| nanoseconds.checked_add(part))
            .and_then(|sum| sum.checked_add(part_of_unit))
            .filter(|sum| *sum <= LIMIT)
            .ok_or(DurationError::TooLong)?;
        rest = after;
    }
    let seconds = u64::try_from(nanoseconds / 1_000_000_000);
    let below = u32::try_from(nanoseconds % 1_000_000_000);
    match (seconds, below) {
        (Ok(seconds), Ok(below)) => Ok(Duration::new(seconds, below)),
        _ => Err(DurationError::TooLong),
    }
}

/// `0.fraction` of a unit of so many nanoseconds. None if that is no whole number.
fn part(fraction: &str, unit: u128) -> Option<u128> {
    let digits = fraction.trim_end_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let scale = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let parts = digits.parse::<u128>().ok()?.checked_mul(unit)?;
    (parts % scale == 0).then_some(parts / scale)
}

/// The duration that was likely meant by `text`, which is none: `2 s`, `2sec`, `1,5 s`.
pub(crate) fn meant(text: &str) -> Option<String> {
    let text = text.to_lowercase().replace(' ', "").replace(',', ".");
    let mut meant = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| !c.is_ascii_digit());
        let unit =
            LONG_UNITS.iter().find(|(_, long)| long.contains(&unit)).map(|(unit, _)| unit)?;
        meant.extend([number, unit]);
        rest = after;
    }
    parse(&meant).is_ok().then_some(meant)
}

/// What other programs call the units.
const LONG_UNITS: [(&str, &[&str]); 5] = [
    ("h", &["h", "hr", "hrs", "hour", "hours"]),
    ("m", &["m", "min", "mins", "minute", "minutes"]),
    ("s", &["s", "sec", "secs", "second", "seconds"]),
    ("ms", &["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"]),
    (
        "us",
        &["us", "\u{b5}s", "\u{3bc}s", "usec", "usecs", "micros", "microsecond", "microseconds"],
    ),
];

/// The longest start of `text` whose characters all are `wanted`, and the rest.
fn split(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::NoNumber(found) => write!(f, "`{found}` does not start with a number"),
            Self::Negative => f.write_str("it cannot be negative"),
            Self::Comma => f.write_str("a fraction has a point, as in \"1.5s\""),
            Self::TooFine => f.write_str("it is finer than a nanosecond"),
            Self::NoUnit(number) => write!(f, "`{number}` has no unit; seconds are \"{number}s\""),
            Self::UnknownUnit(unit) => write!(f, "`{unit}` is no unit"),
            Self::Order { unit, behind } if unit == behind => {
                write!(f, "`{unit}` is given twice")
            }
            Self::Order { unit, behind } => {
                write!(f, "`{unit}` stands behind `{behind}`, which is smaller")
            }
            Self::TooLong => f.write_str(
                "it is longer than 18446744073709551615 ms; to wait for ever, write \"none\"",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        for (text, milliseconds) in [
            ("2s", 2_000),
            ("0s", 0),
            ("0ms", 0),
            ("250ms", 250),
            ("1m30s", 90_000),
            ("1h2m3s4ms", 3_723_004),
            ("1h5ms", 3_600_005),
            ("90s", 90_000),
            ("007s", 7_000),
            ("1.5s", 1_500),
            ("0.25s", 250),
            ("1m0.5s", 60_500),
            ("1.50h", 5_400_000),
            ("2.000s", 2_000),
            ("18446744073709551615ms", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse("5us"), Ok(Duration::from_micros(5)));
        assert_eq!(parse("1s1us"), Ok(Duration::new(1, 1_000)));
    }

    #[test]
    fn anything_else_says_what_is_wrong() {
        use DurationError::*;
        let no_number = |found: &str| NoNumber(found.to_owned());
        let unknown = |unit: &str| UnknownUnit(unit.to_owned());
        for (text, error) in [
            ("", Empty),
            ("2", NoUnit("2".to_owned())),
            ("1m30", NoUnit("30".to_owned())),
            ("s", no_number("s")),
            (" 2s", no_number(" 2s")),
            ("+2s", no_number("+2s")),
            ("zwei", no_number("zwei")),
            ("2 sekunden", unknown(" sekunden")),
            ("2s ", unknown("s ")),
            ("2 s", unknown(" s")),
            ("2S", unknown("S")),
            ("2sec", unknown("sec")),
            ("2ns", unknown("ns")),
            ("2µs", unknown("µs")),
            ("1d", unknown("d")),
            ("\u{0661}s", no_number("\u{0661}s")),
            ("-1s", Negative),
            ("\u{2212}1s", Negative),
            ("1s-1ms", unknown("s-")),
            ("1,5s", Comma),
            ("1.s", no_number("1.s")),
            (".5s", no_number(".5s")),
            ("1.5.5s", unknown(".")),
            ("0.0001us", TooFine),
            ("1.00000000000000000000000000000000000000000000001s", TooFine),
            ("18446744073709551615.9ms", TooLong),
            ("1s2h", Order { unit: "h", behind: "s" }),
            ("1s1s", Order { unit: "s", behind: "s" }),
            ("1ms1m", Order { unit: "m", behind: "ms" }),
            ("18446744073709551616ms", TooLong),
            ("18446744073709551615ms1us", TooLong),
            ("99999999999999999h", TooLong),
            ("340282366920938463463374607431768211456us", TooLong),
            ("340282366920938463463374607431768211455h", TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
        let said = |text| parse(text).unwrap_err().to_string();
        assert_eq!(said("1s1s"), "`s` is given twice");
        assert_eq!(said("1s2h"), "`h` stands behind `s`, which is smaller");
    }

    #[test]
    fn what_other_programs_take_is_understood() {
        for (text, expected) in [
            ("2 s", Some("2s")),
            ("2sec", Some("2s")),
            ("2 Seconds", Some("2s")),
            ("1,5s", Some("1.5s")),
            ("1 min 30 secs", Some("1m30s")),
            ("2\u{b5}s", Some("2us")),
            ("250 msec", Some("250ms")),
            ("2", None),
            ("soon", None),
            ("1d", None),
            ("30s 1m", None),
            ("", None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(meant(text).filter(|meant| !meant.is_empty()), expected, "{text}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let pieces =
            ["", "0", "9", "18446744073709551615", "h", "m", "s", "us", "-", ".", " ", "ß"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let text = [a, b, c, d].concat();
                        let _ = (parse(&text), meant(&text));
                    }
                }
            }
        }
    }
}
