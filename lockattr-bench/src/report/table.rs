//! Tables of Markdown, and numbers as people read them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::stats::Spread;

/// A table whose first column is text and whose others are numbers.
pub(super) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    pub(super) fn new(headers: &[&str]) -> Self {
        let mut table = Self { columns: headers.len(), text: String::new() };
        table.line(headers.iter().map(ToString::to_string));
        let rules = headers.iter().enumerate();
        table.line(rules.map(|(at, _)| if at == 0 { "---" } else { "---:" }.to_owned()));
        table
    }

    pub(super) fn row(&mut self, first: &str, rest: impl IntoIterator<Item = String>) {
        self.line([first.to_owned()].into_iter().chain(rest));
    }

    /// A row of something that was not measured.
    pub(super) fn missing(&mut self, first: &str, why: &str) {
        let why = why.replace('|', "\\|");
        let rest = [format!("not measured: {why}")].into_iter();
        self.row(first, rest.chain((2..self.columns).map(|_| String::new())));
    }

    pub(super) fn text(self) -> String {
        self.text
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) {
        for cell in cells {
            self.text.push_str("| ");
            self.text.push_str(&cell);
            self.text.push(' ');
        }
        self.text.push_str("|\n");
    }
}

/// Three significant digits.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let digits = format!("{value:.decimals$}");
    // Thousands are set apart.
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && whole.len() > 3 {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// A time that is given in nanoseconds.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = scaled(nanoseconds);
    format!("{} {unit}", number(value))
}

/// A length that was chosen: `1 ms`.
pub(super) fn length(length: Duration) -> String {
    let text = time(length.as_secs_f64() * 1e9);
    text.replace(".00 ", " ").replace(".0 ", " ")
}

/// The middle half: `120–130 ns`.
pub(super) fn middle_half(spread: Spread) -> String {
    let (_, unit) = scaled(spread.upper);
    let scale = spread.upper / scaled(spread.upper).0;
    format!("{}–{} {unit}", number(spread.lower / scale), number(spread.upper / scale))
}

fn scaled(nanoseconds: f64) -> (f64, &'static str) {
    match nanoseconds {
        size if size < 999.5 => (size, "ns"),
        size if size < 999.5e3 => (size / 1e3, "µs"),
        size if size < 999.5e6 => (size / 1e6, "ms"),
        size => (size / 1e9, "s"),
    }
}

pub(super) fn bytes(bytes: f64) -> String {
    let mut text = String::new();
    let kibibytes = bytes / 1024.0;
    let _ = if kibibytes.abs() < 1.0 {
        write!(text, "{bytes:.0} B")
    } else {
        write!(text, "{} KiB", number(kibibytes))
    };
    text
}

/// How many times `floor` that is; nothing if the floor was not measured.
pub(super) fn ratio(value: f64, floor: Option<f64>) -> String {
    floor
        .filter(|floor| *floor > 0.0)
        .map_or_else(String::new, |floor| format!("{} ×", number(value / floor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [0.0, 0.123, 9.999, 12.34, 99.96, 1234.5, 1_234_567.0].map(number);
        assert_eq!(numbers, ["0.00", "0.12", "10.0", "12.3", "100", "1,234", "1,234,567"]);
    }

    #[test]
    fn times_have_the_unit_that_suits() {
        let times = [7.0, 999.6, 12_345.0, 5_251_000.0, 2.5e9].map(time);
        assert_eq!(times, ["7.00 ns", "1.00 µs", "12.3 µs", "5.25 ms", "2.50 s"]);
        let spread = Spread { lower: 900.0, median: 1000.0, upper: 1100.0 };
        assert_eq!(middle_half(spread), "0.90–1.10 µs");
    }
}
