//! The middle and the spread of what was measured, and how fair shares are.

/// The middle half of some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// A quarter of the samples are less.
    pub(crate) lower: f64,
    pub(crate) median: f64,
    /// A quarter of the samples are more.
    pub(crate) upper: f64,
}

impl Spread {
    /// None if there are no samples.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let [lower, median, upper] = [0.25, 0.5, 0.75].map(|share| quantile(&sorted, share));
        Some(Self { lower: lower?, median: median?, upper: upper? })
    }
}

/// The value that `share` (0 to 1) of `sorted` are below: between two samples it is interpolated. None of none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a place in `sorted`
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}

/// The middle of some samples; none of none.
pub(crate) fn median(samples: impl IntoIterator<Item = f64>) -> Option<f64> {
    Spread::of(samples).map(|spread| spread.median)
}

/// Jain's fairness index: 1 if all shares are equal, 1/n if one of n has all. None if nobody has anything.
pub(crate) fn jain(shares: &[f64]) -> Option<f64> {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    (squares > 0.0).then(|| sum * sum / (shares.len() as f64 * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }

    #[test]
    fn a_spread_is_the_middle_half() {
        let spread = Spread::of((0..=100).map(f64::from)).unwrap();
        assert_eq!(spread, Spread { lower: 25.0, median: 50.0, upper: 75.0 });
    }

    #[test]
    fn a_quantile_lies_between_samples() {
        assert_eq!(quantile(&[0.0, 10.0], 0.99), Some(9.9));
        assert_eq!(quantile(&[0.0, 10.0], 1.0), Some(10.0));
        assert_eq!(quantile(&[0.0, 10.0], 0.0), Some(0.0));
    }

    #[test]
    fn jains_index_is_one_for_equal_shares_and_one_nth_if_one_has_all() {
        assert_eq!(jain(&[5.0; 8]), Some(1.0));
        assert_eq!(jain(&[8.0, 0.0, 0.0, 0.0]), Some(0.25));
        assert_eq!(jain(&[0.0, 0.0]), None);
    }
}
