//! One way to speak SQL to either database, for work that is the same in both.
//!
//! The work is written once, as asynchronous functions over [`Db`]. On MySQL they wait for the server; on SQLite every
//! answer is there at once, so that [`at_once`] runs the same functions on a thread that may block.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use diesel::{
    QueryResult, QueryableByName, SqliteConnection,
    backend::Backend,
    mysql::Mysql,
    query_builder::BoxedSqlQuery,
    sql_query,
    sql_types::{BigInt, Double, HasSqlType, Nullable, Text},
    sqlite::Sqlite,
};
use diesel_async::AsyncMysqlConnection;

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A whole number.
    Int(i64),
    /// A whole number or NULL.
    MaybeInt(Option<i64>),
    /// A number or NULL.
    Real(Option<f64>),
    /// A text or NULL.
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

/// A row that either database can give.
pub(crate) trait Row: QueryableByName<Sqlite> + QueryableByName<Mysql> + Send + 'static {}

impl<T: QueryableByName<Sqlite> + QueryableByName<Mysql> + Send + 'static> Row for T {}

/// A number, in a column named `n`.
#[derive(QueryableByName)]
pub(crate) struct OneNumber {
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) n: Option<i64>,
}

/// A text, in a column named `t`.
#[derive(QueryableByName)]
pub(crate) struct OneText {
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) t: Option<String>,
}

/// A connection. `?` stands for a value in both dialects; where these differ, [`Db::MYSQL`] tells which it is.
pub(crate) trait Db {
    /// Whether it is MySQL, else SQLite.
    const MYSQL: bool;

    /// Runs a statement and says how many rows it changed.
    async fn run(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<usize>;

    /// Runs a query.
    async fn rows<R: Row>(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<Vec<R>>;

    /// Begins a transaction; in SQLite the only one that writes.
    async fn begin(&mut self) -> QueryResult<()> {
        self.run(if Self::MYSQL { "START TRANSACTION" } else { "BEGIN IMMEDIATE" }, Vec::new())
            .await
            .map(drop)
    }

    /// Makes it durable.
    async fn commit(&mut self) -> QueryResult<()> {
        self.run("COMMIT", Vec::new()).await.map(drop)
    }

    /// The first number of the first row, in a column named `n`.
    async fn number(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<Option<i64>> {
        Ok(self.rows::<OneNumber>(sql, values).await?.into_iter().next().and_then(|row| row.n))
    }

    /// The first text of the first row, in a column named `t`.
    async fn text(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<Option<String>> {
        Ok(self.rows::<OneText>(sql, values).await?.into_iter().next().and_then(|row| row.t))
    }

    /// The end of an INSERT that leaves a row alone that is there already.
    fn unless_there(key: &str, column: &str) -> String {
        if Self::MYSQL {
            format!(" ON DUPLICATE KEY UPDATE {column} = {column}")
        } else {
            format!(" ON CONFLICT ({key}) DO NOTHING")
        }
    }
}

impl Db for SqliteConnection {
    const MYSQL: bool = false;

    async fn run(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<usize> {
        diesel::RunQueryDsl::execute(bound::<Sqlite>(sql, values), self)
    }

    async fn rows<R: Row>(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<Vec<R>> {
        diesel::RunQueryDsl::load(bound::<Sqlite>(sql, values), self)
    }
}

impl Db for AsyncMysqlConnection {
    const MYSQL: bool = true;

    async fn run(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<usize> {
        if values.is_empty() {
            // Not prepared: MySQL does not take every statement that defines tables in a prepared form.
            return diesel_async::SimpleAsyncConnection::batch_execute(self, sql).await.map(|()| 0);
        }
        diesel_async::RunQueryDsl::execute(bound::<Mysql>(sql, values), self).await
    }

    async fn rows<R: Row>(&mut self, sql: &str, values: Vec<Value>) -> QueryResult<Vec<R>> {
        diesel_async::RunQueryDsl::load(bound::<Mysql>(sql, values), self).await
    }
}

/// A statement with its values.
fn bound<DB>(sql: &str, values: Vec<Value>) -> BoxedSqlQuery<'static, DB, diesel::query_builder::SqlQuery>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Double> + HasSqlType<Text>,
    i64: diesel::serialize::ToSql<BigInt, DB>,
    Option<i64>: diesel::serialize::ToSql<Nullable<BigInt>, DB>,
    Option<f64>: diesel::serialize::ToSql<Nullable<Double>, DB>,
    Option<String>: diesel::serialize::ToSql<Nullable<Text>, DB>,
{
    let query = sql_query(sql).into_boxed::<DB>();
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(value) => query.bind::<BigInt, _>(value),
        Value::MaybeInt(value) => query.bind::<Nullable<BigInt>, _>(value),
        Value::Real(value) => query.bind::<Nullable<Double>, _>(value),
        Value::Text(value) => query.bind::<Nullable<Text>, _>(value),
    })
}

/// Runs a future that never waits: one over SQLite.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        // The first poll is the last, since nothing in it waits.
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
