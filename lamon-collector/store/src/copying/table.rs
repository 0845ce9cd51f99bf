//! The tables that are copied: their columns, and the statements made of them.

use super::cells::{Cells, Kind, select};
use crate::{db::Value, sample::CORE_METRICS, tier::Tier};

/// Rows of one page.
pub(super) const PAGE_ROWS: usize = 1_000;

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Its columns, those of its key first.
    columns: Vec<(String, Kind)>,
    /// How many belong to the key.
    key: usize,
    /// How many of these have one value for a whole walk: the node, of tables that a walk for each node reads by the key.
    fixed: usize,
}

impl Table {
    /// A table of a tier.
    pub(super) fn tier(tier: Tier) -> Self {
        use Kind::{Int, Real, Text};
        let mut columns = vec![("node".to_owned(), Text), ("time_ms".to_owned(), Int)];
        let key = if tier == Tier::Samples {
            columns.extend([
                ("epoch".to_owned(), Int),
                ("sequence".to_owned(), Int),
                ("hub".to_owned(), Text),
            ]);
            columns.extend(CORE_METRICS.map(|metric| (metric.to_owned(), Real)));
            4
        } else {
            let parts = [("mean", Real), ("min", Real), ("max", Real), ("count", Int)];
            let of = |metric| parts.map(|(part, kind)| (format!("{metric}_{part}"), kind));
            columns.extend(CORE_METRICS.into_iter().flat_map(of));
            2
        };
        columns.push(("metrics".to_owned(), Text));
        Self { name: tier.table(), columns, key, fixed: 1 }
    }

    pub(super) fn events() -> Self {
        use Kind::{Int, Text};
        let columns = [
            ("time_ms", Int),
            ("hub", Text),
            ("number", Int),
            ("node", Text),
            ("kind", Text),
            ("level", Text),
            ("text", Text),
            ("metric", Text),
        ];
        Self::of("events", &columns, 3)
    }

    pub(super) fn dead_letter() -> Self {
        use Kind::{Int, Text};
        let columns = [
            ("node", Text),
            ("time_ms", Int),
            ("epoch", Int),
            ("sequence", Int),
            ("hub", Text),
            ("reason", Text),
            ("sample", Text),
        ];
        Self::of("dead_letter", &columns, 4)
    }

    pub(super) fn nodes() -> Self {
        use Kind::{Int, Text};
        let columns = [
            ("node", Text),
            ("first_heard_ms", Int),
            ("last_heard_ms", Int),
            ("os", Text),
            ("agent_version", Text),
            ("hub", Text),
        ];
        Self::of("nodes", &columns, 1)
    }

    pub(super) fn settings() -> Self {
        use Kind::{Int, Text};
        Self::of("settings", &[("name", Text), ("value", Text), ("who", Text), ("changed_ms", Int)], 1)
    }

    pub(super) fn rollups_due() -> Self {
        use Kind::{Int, Text};
        Self::of("rollups_due", &[("tier_ms", Int), ("time_ms", Int), ("node", Text)], 3)
    }

    fn of(name: &'static str, columns: &[(&str, Kind)], key: usize) -> Self {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Self { name, columns, key, fixed: 0 }
    }

    /// The next page of a walk over `fixed`, in the order of the key: behind the row `after`, or from `from` on, which
    /// is compared with the first column of the key that is not fixed.
    pub(super) fn page(
        &self,
        fixed: &[Value],
        from: Option<Value>,
        after: Option<&Cells>,
    ) -> (String, Vec<Value>) {
        let key: Vec<&str> = self.columns.iter().take(self.key).map(|(name, _)| name.as_str()).collect();
        let (fixed_columns, rest) = key.split_at(self.fixed.min(key.len()));
        let mut wheres: Vec<String> = fixed_columns.iter().map(|name| format!("{name} = ?")).collect();
        let mut values = fixed.to_vec();
        let first = rest.first().copied().unwrap_or_default();
        if let Some(after) = after {
            // Written so that both databases walk the key from where the last page ended.
            let last: Vec<Value> = after.0.iter().skip(self.fixed).take(rest.len()).cloned().collect();
            wheres.push(format!("{first} >= ?"));
            values.extend(last.first().cloned());
            let mut behind = String::new();
            for (depth, name) in rest.iter().enumerate() {
                let open =
                    if depth + 1 < rest.len() { format!(" OR ({name} = ? AND ") } else { String::new() };
                behind += &format!("({name} > ?{open}");
            }
            behind += &"))".repeat(rest.len().saturating_sub(1));
            behind.push(')');
            wheres.push(behind);
            for (depth, value) in last.iter().enumerate() {
                values.push(value.clone());
                if depth + 1 < last.len() {
                    values.push(value.clone());
                }
            }
        } else if let Some(from) = from {
            wheres.push(format!("{first} >= ?"));
            values.push(from);
        }
        let wheres =
            if wheres.is_empty() { String::new() } else { format!(" WHERE {}", wheres.join(" AND ")) };
        let columns = select(self.columns.iter().map(|(name, kind)| (name.as_str(), *kind)));
        let sql = format!(
            "SELECT {columns} FROM {}{wheres} ORDER BY {} LIMIT {PAGE_ROWS}",
            self.name,
            key.join(", ")
        );
        (sql, values)
    }

    /// The columns as they are selected, for statements that are not pages.
    pub(super) fn selected(&self) -> String {
        select(self.columns.iter().map(|(name, kind)| (name.as_str(), *kind)))
    }

    /// A statement that writes rows, `verb` being INSERT or REPLACE, without its end.
    pub(super) fn write(&self, verb: &str, rows: &[&Cells]) -> (String, Vec<Value>) {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let row = format!("({})", vec!["?"; names.len()].join(", "));
        let rows_sql = vec![row.as_str(); rows.len()].join(", ");
        let sql = format!("{verb} INTO {} ({}) VALUES {rows_sql}", self.name, names.join(", "));
        (sql, rows.iter().flat_map(|row| row.0.iter().cloned()).collect())
    }

    /// The columns of the key, and one of them: for the end of an INSERT that leaves alone what is there.
    pub(super) fn key(&self) -> (String, &str) {
        let key: Vec<&str> = self.columns.iter().take(self.key).map(|(name, _)| name.as_str()).collect();
        (key.join(", "), key.first().copied().unwrap_or_default())
    }

    /// Cuts rows into statements that both databases take.
    pub(super) fn statements<'a>(&self, rows: &[&'a Cells]) -> Vec<Vec<&'a Cells>> {
        /// SQLite takes 32,766 values.
        const MAX_VALUES: usize = 30_000;
        /// Below the packet of the oldest servers of MySQL, 1 MiB, with room for one more row.
        const MAX_BYTES: usize = 384 << 10;
        let most = MAX_VALUES / self.columns.len().max(1);
        let mut statements: Vec<Vec<&Cells>> = Vec::new();
        let mut bytes = 0;
        for row in rows {
            bytes += row.bytes();
            match statements.last_mut() {
                Some(last) if last.len() < most && bytes <= MAX_BYTES => last.push(row),
                _ => {
                    bytes = row.bytes();
                    statements.push(vec![row]);
                }
            }
        }
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_walks_the_key_from_where_the_last_ended() {
        let cells =
            |values: &[i64]| Cells(values.iter().map(|value| Value::MaybeInt(Some(*value))).collect());
        let table =
            Table { fixed: 1, ..Table::of("x", &[("a", Kind::Int), ("b", Kind::Int), ("c", Kind::Int)], 3) };
        let (sql, values) = table.page(&[Value::Int(1)], None, Some(&cells(&[1, 2, 3])));
        assert_eq!(
            sql,
            "SELECT a AS i0, b AS i1, c AS i2 FROM x WHERE a = ? AND b >= ? AND (b > ? OR (b = ? AND (c > ?))) \
             ORDER BY a, b, c LIMIT 1000"
        );
        assert_eq!(sql.matches('?').count(), values.len());
        let (sql, values) = Table::settings().page(&[], None, None);
        assert!(sql.ends_with("FROM settings ORDER BY name LIMIT 1000") && values.is_empty(), "{sql}");
    }
}
