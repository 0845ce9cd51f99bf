//! How far each of some nodes is from what is usual among them. Pure.

/// The least number of nodes among which one can be apart.
const LEAST: usize = 3;

/// Makes the median of absolute deviations comparable to a standard deviation; and the mean of them, which stands in where more than half
/// of the nodes are alike (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
const OF_MEDIAN: f64 = 1.4826;
const OF_MEAN: f64 = 1.2533;

/// The middle of some numbers; none of none.
pub(super) fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = *numbers.get(numbers.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// The median of all rows in each column; none where none has a value.
pub(super) fn medians(rows: &[Vec<Option<f64>>], columns: usize) -> Vec<Option<f64>> {
    let mut column = Vec::with_capacity(rows.len());
    (0..columns)
        .map(|place| {
            column.clear();
            column.extend(rows.iter().filter_map(|row| row.get(place).copied().flatten()));
            median(&mut column)
        })
        .collect()
}

/// How far each row's usual distance from the medians is from that of the others, in deviations; none without values, and among fewer
/// than three.
pub(super) fn apart(rows: &[Vec<Option<f64>>], medians: &[Option<f64>]) -> Vec<Option<f64>> {
    let distance = |row: &Vec<Option<f64>>| {
        let pairs = row.iter().zip(medians);
        let mut distances: Vec<f64> =
            pairs.filter_map(|(value, median)| Some((*value)? - (*median)?)).collect();
        median(&mut distances)
    };
    let distances: Vec<Option<f64>> = rows.iter().map(distance).collect();
    let mut known: Vec<f64> = distances.iter().copied().flatten().collect();
    let middle = median(&mut known).filter(|_| known.len() >= LEAST);
    let Some(middle) = middle else { return vec![None; rows.len()] };
    let mut deviations: Vec<f64> = known.iter().map(|distance| (distance - middle).abs()).collect();
    #[expect(clippy::cast_precision_loss, reason = "some hundred nodes")]
    let mean = deviations.iter().sum::<f64>() / deviations.len() as f64;
    let robust = median(&mut deviations).unwrap_or(0.0) * OF_MEDIAN;
    let deviation = if robust > 0.0 { robust } else { mean * OF_MEAN };
    let of = |distance: f64| if deviation > 0.0 { (distance - middle).abs() / deviation } else { 0.0 };
    distances.into_iter().map(|distance| distance.map(of)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[&[f64]]) -> Vec<Vec<Option<f64>>> {
        // Not a number stands for nothing.
        values
            .iter()
            .map(|row| row.iter().map(|value| Some(*value).filter(|it| !it.is_nan())).collect())
            .collect()
    }

    #[test]
    fn medians_leave_out_what_is_not_there() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
        assert_eq!(median(&mut [5.0, 3.0, 1.0]), Some(3.0));
        let rows = rows(&[&[1.0, f64::NAN], &[2.0, f64::NAN], &[9.0, f64::NAN]]);
        assert_eq!(medians(&rows, 2), [Some(2.0), None]);
    }

    #[test]
    fn who_is_unlike_the_others_is_apart() {
        let rows = rows(&[&[10.0, 20.0], &[11.0, 21.0], &[9.0, 19.0], &[50.0, 70.0], &[f64::NAN, f64::NAN]]);
        let medians = medians(&rows, 2);
        let apart = apart(&rows, &medians);
        assert!(apart[3].unwrap() > 3.0, "{apart:?}");
        assert!(apart[..3].iter().all(|apart| apart.unwrap() < 3.0), "{apart:?}");
        assert_eq!(apart[4], None);
    }

    #[test]
    fn among_equals_the_other_one_is_apart_and_among_two_nobody() {
        let alike = rows(&[&[1.0], &[1.0], &[1.0], &[1.0], &[1.0], &[1.0], &[2.0]]);
        let found = apart(&alike, &medians(&alike, 1));
        assert!(found[6].unwrap() > 3.0 && found[0] == Some(0.0), "{found:?}");
        let same = rows(&[&[1.0], &[1.0], &[1.0]]);
        assert_eq!(apart(&same, &medians(&same, 1)), [Some(0.0); 3]);
        let two = rows(&[&[1.0], &[9.0]]);
        assert_eq!(apart(&two, &medians(&two, 1)), [None, None]);
    }
}
