//! How a row's columns become our types, the same for both databases.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::{ColumnIndex, Decode, Row, Type};

use tokenhouse_protocol::time::Timestamp;

/// The columns of a row, by name. What cannot be read is an error that names the column.
pub(crate) trait Columns {
    /// A text that is always there.
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error>;
    /// A text that may be null.
    fn optional_text(&self, column: &'static str) -> Result<Option<String>, sqlx::Error>;
    /// A number that is always there.
    fn integer(&self, column: &'static str) -> Result<i64, sqlx::Error>;
    /// A number that may be null.
    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error>;
    /// A truth value.
    fn flag(&self, column: &'static str) -> Result<bool, sqlx::Error>;

    /// An instant.
    fn time(&self, column: &'static str) -> Result<Timestamp, sqlx::Error> {
        self.integer(column).map(Timestamp::from_ms)
    }

    /// An instant that may be null.
    fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_ms))
    }

    /// A JSON text, as whatever it holds.
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, sqlx::Error> {
        serde_json::from_str(&self.text(column)?).map_err(|cause| sqlx::Error::ColumnDecode {
            index: column.into(),
            source: cause.into(),
        })
    }

    /// A JSON object.
    fn map(&self, column: &'static str) -> Result<Map<String, Value>, sqlx::Error> {
        self.json(column)
    }
}

impl<R> Columns for R
where
    R: Row,
    &'static str: ColumnIndex<R>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }

    fn optional_text(&self, column: &'static str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }

    fn integer(&self, column: &'static str) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }

    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }

    fn flag(&self, column: &'static str) -> Result<bool, sqlx::Error> {
        self.try_get(column)
    }
}

/// Implements `FromRow` for a record, from any database's row.
macro_rules! from_row {
    ($record:ty, $row:ident => $read:expr) => {
        impl<'r, R: sqlx::Row + $crate::columns::Columns> sqlx::FromRow<'r, R> for $record {
            fn from_row($row: &'r R) -> Result<Self, sqlx::Error> {
                Ok($read)
            }
        }
    };
}
pub(crate) use from_row;

/// The JSON text of a map or a list, for a column that is only carried.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps with text keys, lists and texts always have a JSON text")
}

/// An error for a column whose text is none of the words it may hold.
pub(crate) fn unknown_word(column: &'static str, word: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.into(),
        source: format!("`{word}` is not a known word").into(),
    }
}
