//! Percentages and rates, and when there is none.

/// `part` of `whole` in percent; none where there is no whole.
#[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 53 bits")]
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 100.0).min(100.0))
}

/// A counter's growth per second; none where it jumped back (a reset driver, a re-plugged device) or no time passed.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
pub(super) fn rate(earlier: u64, later: u64, seconds: f64) -> Option<f64> {
    let growth = later.checked_sub(earlier)?;
    (seconds > 0.0).then(|| growth as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_and_rates() {
        assert_eq!(percent(1, 4), Some(25.0));
        assert_eq!(percent(5, 4), Some(100.0));
        assert_eq!(percent(0, 0), None);
        assert_eq!(rate(10, 30, 2.0), Some(10.0));
        assert_eq!(rate(30, 10, 2.0), None);
        assert_eq!(rate(10, 30, 0.0), None);
    }
}
