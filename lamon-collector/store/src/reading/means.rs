//! A metric's mean in each cell of a row of equal whiles, summed up by the database: what many nodes are compared by.

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Double, Nullable},
};

use super::ArchiveReader;
use crate::{archive::ArchiveError, sample::CORE_METRICS, tier::Tier};

/// A row of equal whiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// The beginning of the first, milliseconds since 1970-01-01 UTC.
    pub from_ms: i64,
    /// The end of the last.
    pub to_ms: i64,
    /// How long each is, milliseconds; 1 at least.
    pub step_ms: i64,
}

/// What a metric was in a cell, or at its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellMean {
    /// The beginning of the cell, milliseconds since 1970-01-01 UTC.
    pub begin_ms: i64,
    /// How long the last row of it stands for, milliseconds; longer than the cell where only a coarse tier goes back so far.
    pub width_ms: i64,
    /// The mean.
    pub mean: f64,
    /// Of how many values.
    pub count: u64,
}

/// A row of the answer.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    offset_ms: i64,
    #[diesel(sql_type = BigInt)]
    last_ms: i64,
    #[diesel(sql_type = Nullable<Double>)]
    mean: Option<f64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
}

impl ArchiveReader {
    /// The means of a metric of a node, in the order of time; a cell may come twice, from two tiers, and each counts by its `count`.
    /// Reads `finest`, or a coarser tier when only that goes back far enough, and finer ones for what that does not have yet.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn means(
        &mut self,
        node: &str,
        metric: &str,
        cells: Cells,
        finest: Tier,
    ) -> Result<Vec<CellMean>, ArchiveError> {
        let Cells { from_ms, to_ms, step_ms } = cells;
        let mut means = Vec::new();
        let tier = self.far_enough(node, finest, from_ms).await?;
        let mut next_ms = from_ms;
        for tier in Tier::ALL.into_iter().rev().filter(|finer| *finer <= tier) {
            let Some((value, count)) = columns(tier, metric) else { return Ok(means) };
            // Both databases write all of this alike; the sums of MySQL are decimals else.
            let sql = format!(
                "SELECT time_ms - ? - (time_ms - ?) % ? AS offset_ms, MAX(time_ms) AS last_ms, \
                 SUM({value} * {count}) / SUM({count}) AS mean, CAST(SUM({count}) AS SIGNED) AS number \
                 FROM {tier} WHERE node = ? AND time_ms >= ? AND time_ms < ? GROUP BY offset_ms ORDER BY offset_ms"
            );
            let grid = [from_ms, from_ms, step_ms.max(1)].map(Into::into);
            let bounds = [next_ms, to_ms].map(Into::into);
            let values = grid.into_iter().chain([node.into()]).chain(bounds).collect();
            for Row { offset_ms, last_ms, mean, number } in self.rows::<Row>(&sql, values).await? {
                next_ms = last_ms.saturating_add(tier.width_ms().max(1));
                let (Some(mean), Some(count)) = (mean, number.filter(|number| *number > 0)) else { continue };
                means.push(CellMean {
                    begin_ms: from_ms.saturating_add(offset_ms),
                    width_ms: tier.width_ms(),
                    mean,
                    count: count.unsigned_abs(),
                });
            }
        }
        Ok(means)
    }
}

/// Value and count of a metric in a row of a tier; none for what is no metric's name.
fn columns(tier: Tier, metric: &str) -> Option<(String, String)> {
    let letters = |letter: u8| letter.is_ascii_alphanumeric() || b"_-.".contains(&letter);
    if metric.is_empty() || !metric.bytes().all(letters) {
        return None;
    }
    let core = CORE_METRICS.contains(&metric);
    // A number as MySQL makes it of JSON.
    let part = |path: &str| format!("(JSON_EXTRACT(metrics, '$.\"{metric}\"{path}') + 0.0E0)");
    Some(match tier {
        Tier::Samples => {
            let value = if core { metric.to_owned() } else { part("") };
            let count = format!("(CASE WHEN {value} IS NULL THEN 0 ELSE 1 END)");
            (value, count)
        }
        Tier::TenMinutes | Tier::Hour if core => (format!("{metric}_mean"), format!("{metric}_count")),
        Tier::TenMinutes | Tier::Hour => (part("[0]"), part("[3]")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_never_comes_into_a_statement() {
        for name in ["", "a'b", "a\"b", "a b", "a\\", "é", "a;--"] {
            assert_eq!(columns(Tier::Samples, name), None, "{name}");
        }
        let (value, count) = columns(Tier::Hour, "cpu_percent").unwrap();
        assert_eq!((value.as_str(), count.as_str()), ("cpu_percent_mean", "cpu_percent_count"));
    }
}
