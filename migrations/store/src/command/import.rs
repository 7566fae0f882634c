//! Onboarding: a sheet is taken over in one transaction, whole or not at all.
//!
//! Every row has a natural key. What was taken over from it is remembered by a keyed digest, so that a sheet handed
//! in again makes nothing twice, and a row that says something else now is a fault and never an overwrite.
//! Entitlements cost public money: their sheet waits until another person approves it.

mod assets;
mod openings;
mod residents;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    access::Action,
    error::FieldError,
    event::Event,
    id::{PersonId, SheetImportId},
    onboarding::{ROWS_MAX, SheetKind},
    sheet::{Column, Entry, Faults, Grid, Noted, Row, SheetFault, Table},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strum::{Display, EnumString};
use uuid::Uuid;

use crate::{
    convert,
    entity::{account, imported_row, role_grant, sheet_import},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// A sheet of thousands of rows takes its time; others wait meanwhile.
const LIMIT: Duration = Duration::from_mins(5);

/// What became of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportState {
    /// It could be taken over; nothing was written.
    Rehearsed,
    /// It has faults, or the approver refused it; nothing was written.
    Refused,
    /// It is sound and waits for another person's approval.
    Submitted,
    /// It was taken over.
    Applied,
}

/// Takes over a sheet.
#[derive(Debug, Clone)]
pub struct ImportSheet {
    /// What it holds.
    pub kind: SheetKind,
    /// Its cells.
    pub grid: Arc<Grid>,
    /// Whether to look only.
    pub rehearse: bool,
    /// Login of the clerk in whose name the operator imports it on the machine; none when the clerk does it, or
    /// when there is only one.
    pub clerk: Option<String>,
}

/// A sheet that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetImport {
    /// Under what it is kept; none when nothing was written.
    pub import_id: Option<SheetImportId>,
    /// What it holds.
    pub kind: SheetKind,
    /// What became of it.
    pub state: ImportState,
    /// Rows of the sheet.
    pub rows: u64,
    /// Rows that are, or would be, taken over.
    pub new: u64,
    /// Rows that were there already and are passed over.
    pub same: u64,
    /// Everything that is wrong with it.
    pub faults: Vec<SheetFault>,
}

impl Command for ImportSheet {
    type Output = SheetImport;
    const ACTION: Option<Action> = Some(Action::ImportSheet);
    const NAME: &'static str = "import_sheet";
    const LIMIT: Duration = LIMIT;

    fn keeps(&self, output: &SheetImport) -> bool {
        matches!(output.state, ImportState::Submitted | ImportState::Applied)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<SheetImport, StoreError> {
        tx.permit_anywhere(Action::ImportSheet)?;
        let clerk = self.clerk(tx).await?;
        let id: SheetImportId = tx.id();
        let needs_approval = self.kind.needs_approval();
        let state = match (self.rehearse, needs_approval) {
            (true, _) => ImportState::Rehearsed,
            (false, true) => ImportState::Submitted,
            (false, false) => ImportState::Applied,
        };
        let row = row_of(tx, self.kind, &self.grid, (id, clerk, state))?;
        sheet_import::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        let mut over =
            TakeOver { tx, import: id, clerk, kind: self.kind, action: Action::ImportSheet, faults: Faults::default(), new: 0, same: 0 };
        // What waits for approval is looked at in full, and written when it is approved.
        over.take(&self.grid, if needs_approval { Decided::NotYet } else { Decided::By(clerk) }).await?;
        let seen = over.outcome(&self.grid, state);
        if seen.faults.is_empty() {
            let row = sheet_import::Model { new_count: count(seen.new), ..row };
            tx.save(row.clone()).await?;
            tx.emit(Event::SheetImported { import: id });
            tx.record(&id, None, Some(&row));
        }
        Ok(seen)
    }
}

impl ImportSheet {
    /// Who answers for the sheet.
    async fn clerk(&self, tx: &Tx<'_>) -> Result<PersonId, StoreError> {
        if let Some(person) = tx.actor().person() {
            return Ok(person);
        }
        let today = tx.today().get();
        let valid = Condition::any().add(role_grant::Column::ValidUntil.is_null()).add(role_grant::Column::ValidUntil.gt(today));
        let clerks: BTreeSet<Uuid> = role_grant::Entity::find()
            .filter(role_grant::Column::Role.is_in(Action::ImportSheet.roles().iter().map(ToString::to_string)))
            .filter(role_grant::Column::ValidFrom.lte(today))
            .filter(valid)
            .all(tx.db)
            .await?
            .into_iter()
            .map(|grant| grant.person_id)
            .collect();
        let named = match &self.clerk {
            Some(login) => account::Entity::find().filter(account::Column::Login.eq(login)).one(tx.db).await?.map(|found| found.person_id),
            None if clerks.len() == 1 => clerks.first().copied(),
            None => None,
        };
        let named = named.filter(|person| clerks.contains(person)).map(PersonId::from_uuid);
        named.ok_or_else(|| {
            StoreError::fields(vec![FieldError::new("clerk", "import.clerk", "name the login of a county clerk who answers for the sheet")])
        })
    }
}

fn row_of(
    tx: &Tx<'_>,
    kind: SheetKind,
    grid: &Grid,
    (id, clerk, state): (SheetImportId, PersonId, ImportState),
) -> Result<sheet_import::Model, StoreError> {
    let text = serde_json::to_vec(grid).map_err(|cause| convert::corrupt("sheet_import", "sheet_enc", &cause))?;
    let waits = state == ImportState::Submitted;
    Ok(sheet_import::Model {
        id: id.uuid(),
        kind: kind.to_string(),
        digest: Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        row_count: i64::try_from(grid.rows()).unwrap_or(i64::MAX).max(1),
        new_count: 0,
        // A rehearsal is rolled back; the database knows no such state.
        state: if waits { ImportState::Submitted } else { ImportState::Applied }.to_string(),
        sheet_enc: if waits { Some(tx.seal("sheet_import", "sheet_enc", id.uuid(), &text)?) } else { None },
        submitted_by: clerk.uuid(),
        decided_by: None,
        created_at: tx.now(),
        decided_at: None,
        version: 1,
    })
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Approves or refuses a sheet that another person handed in.
#[derive(Debug, Clone)]
pub struct DecideImport {
    /// The sheet.
    pub import: SheetImportId,
    /// Whether it is to be taken over.
    pub approve: bool,
}

impl Command for DecideImport {
    type Output = SheetImport;
    const ACTION: Option<Action> = Some(Action::ApproveImport);
    const NAME: &'static str = "decide_import";
    const LIMIT: Duration = LIMIT;

    fn keeps(&self, output: &SheetImport) -> bool {
        output.faults.is_empty()
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<SheetImport, StoreError> {
        let select = sheet_import::Entity::find_by_id(self.import.uuid());
        let row = for_update!(tx, select).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        tx.permit_anywhere(Action::ApproveImport)?;
        let approver = tx.actor().other_than(PersonId::from_uuid(row.submitted_by), "the one who handed the sheet in")?;
        let Some(sheet) = &row.sheet_enc else { return Err(StoreError::Exists { what: "a decision about this sheet" }) };
        let kind: SheetKind = convert::code("sheet_import", "kind", &row.kind)?;
        let grid: Grid = tx.open_json("sheet_import", "sheet_enc", row.id, sheet)?;
        let clerk = PersonId::from_uuid(row.submitted_by);
        let mut over =
            TakeOver { tx, import: self.import, clerk, kind, action: Action::ApproveImport, faults: Faults::default(), new: 0, same: 0 };
        let state = if self.approve {
            over.take(&grid, Decided::By(approver)).await?;
            ImportState::Applied
        } else {
            ImportState::Refused
        };
        let seen = over.outcome(&grid, state);
        let decided = sheet_import::Model {
            state: seen.state.to_string(),
            sheet_enc: None,
            new_count: count(seen.new),
            decided_by: Some(approver.uuid()),
            decided_at: Some(tx.now()),
            version: row.version + 1,
            ..row.clone()
        };
        tx.save(decided.clone()).await?;
        tx.emit(Event::SheetImportDecided { import: self.import, applied: state == ImportState::Applied });
        tx.record(&self.import, Some(&row), Some(&decided));
        Ok(seen)
    }
}

/// Who decided that a sheet is taken over.
#[derive(Debug, Clone, Copy)]
enum Decided {
    /// Nobody yet: look, and write nothing.
    NotYet,
    /// This person.
    By(PersonId),
}

/// A sheet that is being taken over.
struct TakeOver<'a> {
    tx: &'a Tx<'a>,
    import: SheetImportId,
    clerk: PersonId,
    kind: SheetKind,
    action: Action,
    faults: Faults,
    new: u64,
    same: u64,
}

/// What is known of a row.
enum Known {
    New,
    Same,
    Other,
}

impl TakeOver<'_> {
    async fn take(&mut self, grid: &Grid, decided: Decided) -> Result<(), StoreError> {
        if grid.rows() > ROWS_MAX {
            let message = format!("the sheet has {} rows", grid.rows());
            self.faults.push(SheetFault::new(1, "", message, format!("divide it over files of at most {ROWS_MAX} rows")));
            return Ok(());
        }
        match self.kind {
            SheetKind::Residents => residents::take(self, grid).await,
            SheetKind::Entitlements => openings::take(self, grid, decided).await,
            SheetKind::Providers => assets::take_providers(self, grid).await,
            SheetKind::Carers => assets::take_carers(self, grid).await,
            SheetKind::Prices => assets::take_prices(self, grid).await,
        }
    }

    /// The rows that could be read and whose keys stand once in the sheet.
    fn read<T>(
        &mut self,
        grid: &Grid,
        columns: &'static [Column],
        read: fn(&mut Row<'_>) -> Result<T, Noted>,
        (column, key): (&'static str, impl Fn(&T) -> String),
    ) -> Vec<(String, Entry<T>)> {
        let table = match Table::fit(grid, columns) {
            Ok(table) => table,
            Err(faults) => {
                for fault in faults {
                    self.faults.push(fault);
                }
                return Vec::new();
            }
        };
        let mut lines = BTreeMap::new();
        let mut once = Vec::new();
        for entry in table.read(&mut self.faults, read) {
            let key = key(&entry.value);
            if let Some(earlier) = lines.insert(key.clone(), entry.line) {
                let message = format!("the row is about the same as that of line {earlier}");
                self.faults.push(SheetFault::new(entry.line, column, message, "keep one of the two"));
            } else {
                once.push((key, entry));
            }
        }
        once
    }

    /// What the actor is doing: handing in, or approving what was handed in.
    const fn action(&self) -> Action {
        self.action
    }

    fn index(&self, key: &str) -> Vec<u8> {
        self.tx.keys.blind_index("imported_row.key", &format!("{}:{key}", self.kind))
    }

    fn digest(&self, text: &str) -> Vec<u8> {
        self.tx.keys.blind_index("imported_row.text", &format!("{}:{text}", self.kind))
    }

    /// Whether a row was taken over before, and says the same.
    async fn known(&self, key: &str, text: &str) -> Result<Known, StoreError> {
        let found = imported_row::Entity::find_by_id((self.kind.to_string(), self.index(key))).one(self.tx.db).await?;
        Ok(match found {
            None => Known::New,
            Some(row) if row.text_digest == self.digest(text) => Known::Same,
            Some(_) => Known::Other,
        })
    }

    /// Counts a row that is there already, or notes that it says something else now. Tells whether it is new.
    async fn is_new<T>(&mut self, column: &'static str, key: &str, entry: &Entry<T>) -> Result<bool, StoreError> {
        match self.known(key, &entry.text).await? {
            Known::New => return Ok(true),
            Known::Same => self.same += 1,
            Known::Other => self.refuse(
                entry.line,
                column,
                "the row was taken over before and says something else now",
                "change it where it is kept, and remove the row",
            ),
        }
        Ok(false)
    }

    /// Remembers a row that was taken over.
    async fn remember<T>(&mut self, key: &str, entry: &Entry<T>) -> Result<(), StoreError> {
        let row = imported_row::Model {
            kind: self.kind.to_string(),
            key_index: self.index(key),
            text_digest: self.digest(&entry.text),
            import_id: self.import.uuid(),
        };
        imported_row::Entity::insert(row.into_active_model()).exec_without_returning(self.tx.db).await?;
        self.new += 1;
        Ok(())
    }

    fn refuse(&mut self, line: u64, column: &str, message: impl Into<String>, cure: impl Into<String>) {
        self.faults.push(SheetFault::new(line, column, message, cure));
    }

    /// Notes what a use case refused of a row; other failures end the import.
    fn refuse_row(&mut self, line: u64, cause: StoreError, column: impl Fn(&str) -> &'static str) -> Result<(), StoreError> {
        match cause {
            StoreError::Refused(refusal) if refusal.fields.is_empty() => {
                self.refuse(line, "", refusal.detail, "see what the register says of it");
            }
            StoreError::Refused(refusal) => {
                for FieldError { field, code, cure } in refusal.fields {
                    self.refuse(line, column(&field), format!("the cell is refused ({code})"), cure);
                }
            }
            other => return Err(other),
        }
        Ok(())
    }

    fn outcome(self, grid: &Grid, state: ImportState) -> SheetImport {
        let rows = u64::try_from(grid.rows()).unwrap_or(u64::MAX);
        let Self { import, kind, faults, new, same, .. } = self;
        match faults.into_result(()) {
            Ok(()) => {
                let import_id = (state != ImportState::Rehearsed).then_some(import);
                SheetImport { import_id, kind, state, rows, new, same, faults: Vec::new() }
            }
            Err(faults) => SheetImport { import_id: None, kind, state: ImportState::Refused, rows, new: 0, same, faults },
        }
    }
}
