//! Dates of the Gregorian calendar.

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01. Counted from a March, so
/// that the leap day comes last in its year, in eras of 400 years.
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days.saturating_add(719_468); // since 0000-03-01
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // since March
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + era * 400 + i64::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day)
}

/// The days from 1970-01-01 to a date: the inverse of [`date`].
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    const ERA: i64 = 146_097;
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 }; // since March
    let day = (153 * month + 2) / 5 + day - 1;
    era * ERA + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(-1), (1969, 12, 31));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(date(19_783), (2024, 3, 1));
        assert_eq!(date(47_540), (2100, 2, 28));
        assert_eq!(date(47_541), (2100, 3, 1));
        // Every day is the one after the day before it.
        let mut last = date(-200_000);
        for day in -199_999..200_000 {
            let (year, month, day) = date(day);
            assert!(
                (year, month, day) == (last.0, last.1, last.2 + 1)
                    || (year, month, day) == (last.0, last.1 + 1, 1) && last.2 >= 28
                    || (year, month, day) == (last.0 + 1, 1, 1) && (last.1, last.2) == (12, 31),
                "{last:?} before {:?}",
                (year, month, day)
            );
            last = (year, month, day);
        }
    }

    #[test]
    fn a_date_comes_back_from_its_days() {
        for day in -1_000..100_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }
}
