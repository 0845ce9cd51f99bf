//! The statements that write samples, many thousand times a second.
//!
//! diesel makes them of the tables as well, but then walks its tree of sixteen columns three times for each row: a third
//! of the time that a row took in SQLite. And it prepares a statement of many rows anew each time, for which a MySQL server
//! describes every parameter: most of the time that a row took there. Here a row is a list of values, and each statement
//! is prepared once.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    backend::Backend,
    mysql::Mysql,
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Double, Nullable, Text},
    sqlite::Sqlite,
};

use crate::record::CoreValues;

/// A row of the journal's table `entries`.
pub(crate) struct InsertEntry<'a> {
    pub(crate) position: i64,
    pub(crate) node: &'a str,
    pub(crate) epoch: i64,
    pub(crate) sequence: i64,
    pub(crate) time_ms: i64,
    pub(crate) core: CoreValues,
    pub(crate) metrics: Option<String>,
}

impl QueryFragment<Sqlite> for InsertEntry<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO entries (position, node, epoch, sequence, time_ms, cpu_percent, memory_percent, \
             swap_percent, disk_percent, nic_in, nic_out, load1, processes, uptime, clock_offset, metrics) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&self.position)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.node)?;
        for number in [&self.epoch, &self.sequence, &self.time_ms] {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(number)?;
        }
        metrics(&mut out, &self.core, &self.metrics)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for InsertEntry<'_> {
    type QueryId = InsertEntry<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for InsertEntry<'_> {}

const INTO_SAMPLES: &str = "INSERT INTO samples (node, time_ms, epoch, sequence, hub, cpu_percent, memory_percent, \
     swap_percent, disk_percent, nic_in, nic_out, load1, processes, uptime, clock_offset, metrics) VALUES ";

/// A row of an archive's table `samples`, unless it is there.
pub(crate) struct InsertSample<'a> {
    pub(crate) node: &'a str,
    pub(crate) time_ms: i64,
    pub(crate) epoch: i64,
    pub(crate) sequence: i64,
    pub(crate) hub: &'a str,
    pub(crate) core: CoreValues,
    pub(crate) metrics: Option<String>,
}

impl QueryFragment<Sqlite> for InsertSample<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(INTO_SAMPLES);
        self.values(&mut out)?;
        out.push_sql(" ON CONFLICT (node, time_ms, epoch, sequence) DO NOTHING");
        Ok(())
    }
}

impl QueryId for InsertSample<'_> {
    type QueryId = InsertSample<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for InsertSample<'_> {}

impl InsertSample<'_> {
    /// The row's values in brackets.
    fn values<'b, B>(&'b self, out: &mut AstPass<'_, 'b, B>) -> QueryResult<()>
    where
        B: Backend,
        str: ToSql<Text, B>,
        i64: ToSql<BigInt, B>,
        f64: ToSql<Double, B>,
        String: ToSql<Text, B>,
    {
        out.push_sql("(");
        out.push_bind_param::<Text, _>(self.node)?;
        for number in [&self.time_ms, &self.epoch, &self.sequence] {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(number)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.hub)?;
        metrics(out, &self.core, &self.metrics)?;
        out.push_sql(")");
        Ok(())
    }
}

/// So many rows of an archive's table `samples` on a MySQL server, each unless it is there.
///
/// `ON DUPLICATE KEY UPDATE` of the key to itself changes nothing, and counts no row as affected.
pub(crate) struct InsertSamples<'a, const ROWS: usize>(pub(crate) &'a [&'a InsertSample<'a>; ROWS]);

impl<const ROWS: usize> QueryFragment<Mysql> for InsertSamples<'_, ROWS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        let mut before = INTO_SAMPLES;
        for row in self.0 {
            out.push_sql(before);
            row.values(&mut out)?;
            before = ", ";
        }
        out.push_sql(" ON DUPLICATE KEY UPDATE node = node");
        Ok(())
    }
}

impl<const ROWS: usize> QueryId for InsertSamples<'_, ROWS> {
    type QueryId = InsertSamples<'static, ROWS>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

/// The columns that both tables end with.
fn metrics<'b, B>(
    out: &mut AstPass<'_, 'b, B>,
    core: &'b CoreValues,
    others: &'b Option<String>,
) -> QueryResult<()>
where
    B: Backend,
    f64: ToSql<Double, B>,
    String: ToSql<Text, B>,
{
    for value in core {
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Double>, _>(value)?;
    }
    out.push_sql(", ");
    out.push_bind_param::<Nullable<Text>, _>(others)
}
