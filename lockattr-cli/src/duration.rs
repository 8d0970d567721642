//! Spans of time as they are written on the command line.

use std::time::Duration;

/// For ever, as [`lockattr_runtime::Lock::acquire`] has it.
pub(crate) const FOR_EVER: Duration = Duration::MAX;

/// `2s`, `500ms`, `1m30s`, plain seconds as `0.5`; `none` or `-1` for ever.
pub(crate) fn timeout(text: &str) -> Result<Duration, String> {
    match text {
        "none" | "-1" => Ok(FOR_EVER),
        _ => span(text).map_err(|problem| format!("{problem}; or `none` to wait for ever")),
    }
}

/// As [`timeout`], but an end there must be.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<f64>() {
        // `inf` and `nan` are numbers too, as are those with a sign.
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    parsed.ok_or_else(|| "write it as `2s`, `500ms`, `1m30s` or seconds like `0.5`".to_owned())
}

/// As [`span`], of any length but none.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    match span(text)? {
        Duration::ZERO => Err("it cannot be zero".to_owned()),
        interval => Ok(interval),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        assert_eq!(timeout("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(timeout("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(timeout("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(timeout("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn for_ever_is_none_or_minus_one() {
        assert_eq!(timeout("none"), Ok(FOR_EVER));
        assert_eq!(timeout("-1"), Ok(FOR_EVER));
        assert!(span("none").is_err() && span("-1").is_err());
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "-2", "2 parsecs", "nan", "inf", "1e400", "soon"] {
            assert!(timeout(text).is_err(), "{text}");
        }
        assert!(interval("0").is_err() && interval("0ms").is_err());
    }
}
