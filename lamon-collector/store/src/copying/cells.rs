//! Rows of any table as cells: what is copied is not looked at.
//!
//! Columns are selected under names that begin with the letter of their kind, so that one type reads every table.

use diesel::{
    QueryableByName,
    backend::Backend,
    deserialize::{self, FromSql},
    row::{Field, NamedRow},
    sql_types::{BigInt, Double, Nullable, Text},
};

use crate::db::Value;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Real,
    Text,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Int => 'i',
            Self::Real => 'r',
            Self::Text => 't',
        }
    }
}

/// Columns as they are selected.
pub(super) fn select<'a>(columns: impl Iterator<Item = (&'a str, Kind)>) -> String {
    let columns =
        columns.enumerate().map(|(place, (name, kind))| format!("{name} AS {}{place}", kind.letter()));
    columns.collect::<Vec<_>>().join(", ")
}

/// A row.
pub(super) struct Cells(pub(super) Vec<Value>);

impl<DB: Backend> QueryableByName<DB> for Cells
where
    i64: FromSql<BigInt, DB>,
    f64: FromSql<Double, DB>,
    String: FromSql<Text, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for place in 0..row.field_count() {
            let field = diesel::row::Row::get(row, place).ok_or("a column is missing")?;
            let letter = field.field_name().and_then(|name| name.chars().next());
            let value = field.value();
            cells.push(match letter {
                Some('i') => {
                    Value::MaybeInt(<Option<i64> as FromSql<Nullable<BigInt>, DB>>::from_nullable_sql(value)?)
                }
                Some('r') => {
                    Value::Real(<Option<f64> as FromSql<Nullable<Double>, DB>>::from_nullable_sql(value)?)
                }
                _ => Value::Text(<Option<String> as FromSql<Nullable<Text>, DB>>::from_nullable_sql(value)?),
            });
        }
        Ok(Self(cells))
    }
}

impl Cells {
    /// The number in a column; none for another kind, or NULL.
    pub(super) fn int(&self, place: usize) -> Option<i64> {
        match self.0.get(place) {
            Some(Value::MaybeInt(number)) => *number,
            _ => None,
        }
    }

    /// The text in a column; empty for another kind, or NULL.
    pub(super) fn text(&self, place: usize) -> &str {
        match self.0.get(place) {
            Some(Value::Text(Some(text))) => text,
            _ => "",
        }
    }

    /// About how many bytes it takes on its way to a server.
    pub(super) fn bytes(&self) -> usize {
        let cell = |value: &Value| match value {
            Value::Text(Some(text)) => 10 + text.len(),
            _ => 10,
        };
        self.0.iter().map(cell).sum()
    }
}
