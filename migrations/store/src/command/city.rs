//! The city itself: founding, the division table, the clock of a demo.

use chrono::TimeDelta;
use domain::{
    access::{Action, Object},
    division::{Scope, parse_table},
    error::FieldError,
    event::Event,
    time::BusinessDate,
};
use sea_orm::{EntityTrait as _, PaginatorTrait as _, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use crate::{
    CityMode,
    entity::{city, division},
    error::{StoreError, exists},
    tx::Tx,
    write::Command,
};

/// Rows of one INSERT; SQLite allows 32,766 bound values.
const ROWS_PER_INSERT: usize = 1_000;
/// Last year that a demo can show.
const CLOCK_YEAR_MAX: i32 = 2100;

/// Founds the one city of an empty database.
#[derive(Debug, Clone)]
pub struct FoundCity {
    /// Prefix of its divisions.
    pub scope: Scope,
    /// Whether it is real.
    pub mode: CityMode,
    /// How far the clock of a demo is ahead.
    pub clock_offset_seconds: i64,
}

impl Command for FoundCity {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "found_city";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = city::ActiveModel {
            id: Set(1),
            division_prefix: Set(self.scope.to_string()),
            mode: Set(self.mode.to_string()),
            clock_offset_seconds: Set(self.clock_offset_seconds),
            key_check_enc: Set(tx.seal("city", "key_check_enc", uuid::Uuid::nil(), &tx.keys.check_value())?),
            created_at: Set(tx.now()),
        };
        city::Entity::insert(row).exec_without_returning(tx.db).await.map_err(exists("a city in this database"))?;
        tx.record(&"city", None, None);
        Ok(())
    }
}

/// Imports the division table of the statistics bureau: the rows of this city and those above it.
#[derive(Debug, Clone)]
pub struct ImportDivisions {
    /// The table, `code,name` with a header.
    pub csv: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedDivisions {
    /// Rows that are in the city now.
    pub imported: u64,
    /// Rows of other cities, left out.
    pub skipped: u64,
}

impl Command for ImportDivisions {
    type Output = ImportedDivisions;
    const ACTION: Option<Action> = Some(Action::ImportDivisions);
    const NAME: &'static str = "import_divisions";

    async fn run(&self, tx: &Tx<'_>) -> Result<ImportedDivisions, StoreError> {
        let city = city::Entity::find().one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let scope = crate::convert::city(&city)?.scope;
        tx.permit(Action::ImportDivisions, &Object { division: Some(scope.division()), ..Object::default() })?;
        let table = parse_table(&self.csv).map_err(|faults| {
            let fields = faults.iter().map(|fault| FieldError::new(format!("line {}", fault.line), "divisions.row", fault.to_string()));
            StoreError::fields(fields.collect())
        })?;
        let all = table.len();
        let mut rows: Vec<_> = table.into_iter().filter(|row| scope.covers(row.code) || row.code.contains(scope.division())).collect();
        if rows.is_empty() {
            return Err(StoreError::fields(vec![FieldError::new(
                "body",
                "divisions.other_city",
                format!("the table holds no division under {scope}"),
            )]));
        }
        // Parents first, as the foreign key wants them.
        rows.sort_by_key(|row| (row.code.level().digits(), row.code));
        for batch in rows.chunks(ROWS_PER_INSERT) {
            let models = batch.iter().map(|row| division::ActiveModel {
                code: Set(row.code.to_string()),
                name: Set(row.name.clone()),
                level: Set(i16::try_from(row.code.level().digits()).unwrap_or(0)),
                parent: Set(row.code.parent().map(|parent| parent.to_string())),
            });
            let renamed = OnConflict::column(division::Column::Code).update_column(division::Column::Name).to_owned();
            division::Entity::insert_many(models.collect::<Vec<_>>()).on_conflict(renamed).exec_without_returning(tx.db).await?;
        }
        let imported = division::Entity::find().count(tx.db).await?;
        tx.emit(Event::DivisionsImported { rows: imported });
        tx.record(&"divisions", None, None);
        let skipped = u64::try_from(all - rows.len()).unwrap_or(u64::MAX);
        Ok(ImportedDivisions { imported, skipped })
    }
}

/// Moves the clock of a demo city. A live city refuses.
#[derive(Debug, Clone)]
pub struct MoveDemoClock {
    /// How far it is to be ahead of the machine's clock.
    pub offset_seconds: i64,
}

impl Command for MoveDemoClock {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::MoveDemoClock);
    const NAME: &'static str = "move_demo_clock";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = city::Entity::find().one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let city = crate::convert::city(&row)?;
        tx.permit(Action::MoveDemoClock, &Object { division: Some(city.scope.division()), ..Object::default() })?;
        if city.mode != CityMode::Demo {
            return Err(StoreError::not_found());
        }
        if self.offset_seconds < city.clock_offset_seconds {
            let cure = "the clock of a demo moves forward only: what was written would lie in the future";
            return Err(StoreError::fields(vec![FieldError::new("today", "clock.backward", cure)]));
        }
        let ahead = self.offset_seconds.checked_sub(city.clock_offset_seconds).and_then(TimeDelta::try_seconds);
        let shown = ahead.and_then(|ahead| tx.now().checked_add_signed(ahead));
        if shown.is_none_or(|shown| BusinessDate::of(shown).month().year() > CLOCK_YEAR_MAX) {
            let cure = "move the clock to a day of this century";
            return Err(StoreError::fields(vec![FieldError::new("today", "clock.far", cure)]));
        }
        let change = city::ActiveModel { id: Set(1), clock_offset_seconds: Set(self.offset_seconds), ..Default::default() };
        city::Entity::update(change).exec_without_returning(tx.db).await?;
        tx.emit(Event::DemoClockMoved { offset_seconds: self.offset_seconds });
        tx.record(&"clock", None, None);
        Ok(())
    }
}
