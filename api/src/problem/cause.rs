//! What the log learns about a failure: codes and kinds, never a value of a statement.

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr, sqlx::error::DatabaseError};
use store::StoreError;

/// One line without personal values.
pub(super) fn log_text(error: &StoreError) -> String {
    if let StoreError::Database(cause) = error { format!("{error}: {}", database_kind(cause)) } else { error.to_string() }
}

/// The kind of a database error and the database's own code (SQLSTATE, or SQLite's result code). Its text is
/// left out: it can quote rows.
fn database_kind(cause: &DbErr) -> String {
    let kind = leading_name(&format!("{cause:?}"));
    let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = cause else { return kind };
    match runtime {
        RuntimeErr::SqlxError(sqlx) => {
            let code = sqlx.as_database_error().and_then(DatabaseError::code).map(Cow::into_owned);
            format!("{kind} {}", code.unwrap_or_else(|| leading_name(&format!("{sqlx:?}"))))
        }
        RuntimeErr::Internal(_) => format!("{kind} internal"),
    }
}

/// The name of the variant that a debug text begins with.
fn leading_name(debug: &str) -> String {
    debug.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_statement_do_not_reach_the_log() {
        let canary = "110105194912310021";
        for cause in [
            DbErr::Custom(canary.to_owned()),
            DbErr::Exec(RuntimeErr::Internal(canary.to_owned())),
            DbErr::RecordNotFound(canary.to_owned()),
            DbErr::Query(RuntimeErr::SqlxError(std::sync::Arc::new(sea_orm::sqlx::Error::Protocol(canary.to_owned())))),
        ] {
            let text = log_text(&StoreError::Database(cause));
            assert!(!text.contains(canary) && text.starts_with("the database failed: "), "{text}");
        }
    }
}
