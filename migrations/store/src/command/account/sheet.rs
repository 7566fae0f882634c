//! Paper sheets of numbered codes, for residents without a telephone. A community worker prints one; each code
//! signs in once; a new sheet ends the one before.

use domain::{
    access::Action,
    id::{CodeSheetId, PersonId, ResidentId},
    resident::Relation,
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    AccountError,
    code::{account_of, code_mac, digits},
    session::{Device, Method, SignedInSession, begin},
};
use crate::{
    Store, command,
    context::Ctx,
    entity::{account, code_sheet, code_sheet_line, relation, resident},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Codes on a sheet.
const CODES: i64 = 10;
/// Digits of a code on paper.
const DIGITS: usize = 8;
/// Wrong tries after which a sheet ends.
const FAILURES_MAX: i64 = 10;

/// Prints a sheet for a resident; the one before ends.
#[derive(Debug, Clone)]
pub struct IssueCodeSheet {
    /// The resident.
    pub resident: ResidentId,
}

/// A sheet. Its codes are shown this one time.
#[derive(Debug, Clone)]
pub struct CodeSheet {
    /// The sheet.
    pub sheet_id: CodeSheetId,
    /// Eight digits that name the sheet when signing in.
    pub serial: String,
    /// The codes.
    pub codes: Vec<SheetCode>,
}

/// One code of a sheet.
#[derive(Debug, Clone)]
pub struct SheetCode {
    /// Its number on the sheet, from 1.
    pub number: i64,
    /// The code.
    pub code: SecretString,
}

impl Command for IssueCodeSheet {
    type Output = CodeSheet;
    const ACTION: Option<Action> = Some(Action::IssueCodeSheet);
    const NAME: &'static str = "issue_code_sheet";

    async fn run(&self, tx: &Tx<'_>) -> Result<CodeSheet, StoreError> {
        let resident = for_update!(tx, resident::Entity::find_by_id(self.resident.uuid())).one(tx.db).await?;
        let resident = resident.ok_or_else(StoreError::not_found)?;
        tx.permit(Action::IssueCodeSheet, &command::resident::object(&resident)?)?;
        let own = relation::Entity::find()
            .filter(relation::Column::ResidentId.eq(resident.id))
            .filter(relation::Column::Relation.eq(Relation::Self_.to_string()))
            .one(tx.db)
            .await?
            .ok_or(AccountError::NoAccount)?;
        let account = account_of(tx, PersonId::from_uuid(own.person_id)).await?;
        let issued_by = tx.actor().need_person()?;
        let open = code_sheet::Column::AccountId.eq(account.id);
        end_sheets(tx, open, issued_by).await?;
        let sheet_id: CodeSheetId = tx.id();
        let serial = digits(tx, DIGITS);
        let row = code_sheet::ActiveModel {
            id: Set(sheet_id.uuid()),
            serial: Set(serial.clone()),
            account_id: Set(account.id),
            resident_id: Set(resident.id),
            issued_by: Set(issued_by.uuid()),
            created_at: Set(tx.now()),
            failures: Set(0),
            ended_at: Set(None),
            ended_by: Set(None),
        };
        code_sheet::Entity::insert(row).exec_without_returning(tx.db).await?;
        let codes: Vec<_> = (1..=CODES).map(|number| SheetCode { number, code: digits(tx, DIGITS).into() }).collect();
        let lines = codes.iter().map(|line| code_sheet_line::ActiveModel {
            sheet_id: Set(sheet_id.uuid()),
            number: Set(line.number),
            code_mac: Set(code_mac(tx.keys, sheet_id.uuid(), &numbered(line.number, line.code.expose_secret()))),
            used_at: Set(None),
        });
        code_sheet_line::Entity::insert_many(lines).exec_without_returning(tx.db).await?;
        tx.record(&sheet_id, None, None);
        Ok(CodeSheet { sheet_id, serial, codes })
    }
}

fn numbered(number: i64, code: &str) -> String {
    format!("{number}:{code}")
}

async fn end_sheets(tx: &Tx<'_>, which: sea_orm::sea_query::Expr, by: PersonId) -> Result<u64, StoreError> {
    let change = code_sheet::ActiveModel { ended_at: Set(Some(tx.now())), ended_by: Set(Some(by.uuid())), ..Default::default() };
    let ended = code_sheet::Entity::update_many().set(change).filter(which).filter(code_sheet::Column::EndedAt.is_null()).exec(tx.db);
    Ok(ended.await?.rows_affected)
}

/// Ends a sheet that was lost or is not needed any more.
#[derive(Debug, Clone)]
pub struct EndCodeSheet {
    /// The sheet.
    pub sheet: CodeSheetId,
}

impl Command for EndCodeSheet {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::IssueCodeSheet);
    const NAME: &'static str = "end_code_sheet";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let sheet = code_sheet::Entity::find_by_id(self.sheet.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let resident = resident::Entity::find_by_id(sheet.resident_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        tx.permit(Action::IssueCodeSheet, &command::resident::object(&resident)?)?;
        end_sheets(tx, code_sheet::Column::Id.eq(sheet.id), tx.actor().need_person()?).await?;
        tx.record(&self.sheet, None, None);
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct TrySheet {
    serial: String,
    number: i64,
    code: SecretString,
    device: Device,
    at: Instant,
}

impl Command for TrySheet {
    /// None for a wrong code, which is counted and so committed.
    type Output = Option<SignedInSession>;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "sign_in_by_sheet";

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Output, StoreError> {
        tx.record(&"code_sheet", None, None);
        let open =
            code_sheet::Entity::find().filter(code_sheet::Column::Serial.eq(&self.serial)).filter(code_sheet::Column::EndedAt.is_null());
        let Some(sheet) = for_update!(tx, open).one(tx.db).await? else { return Ok(None) };
        let mac = code_mac(tx.keys, sheet.id, &numbered(self.number, self.code.expose_secret()));
        let line = code_sheet_line::Entity::find_by_id((sheet.id, self.number)).one(tx.db).await?;
        let Some(line) = line.filter(|line| line.used_at.is_none() && line.code_mac == mac) else {
            let failures = sheet.failures + 1;
            let ended_at = (failures >= FAILURES_MAX).then(|| tx.now());
            tx.save(code_sheet::Model { failures, ended_at, ..sheet }).await?;
            return Ok(None);
        };
        tx.save(code_sheet_line::Model { used_at: Some(tx.now()), ..line }).await?;
        let account = account::Entity::find_by_id(sheet.account_id).one(tx.db).await?.ok_or(AccountError::Wrong)?;
        Ok(Some(begin(tx, &account, Method::SheetCode, &self.device, self.at).await?))
    }
}

impl Store {
    /// Signs in with a code from a paper sheet.
    ///
    /// # Errors
    /// [`AccountError::Wrong`] for a code that is wrong or used, or a sheet that has ended.
    pub async fn sign_in_by_sheet(
        &self,
        ctx: Ctx,
        (serial, number, code): (String, i64, SecretString),
        device: Device,
        real_now: Instant,
    ) -> Result<SignedInSession, StoreError> {
        let session = self.write(ctx, TrySheet { serial, number, code, device, at: real_now }).await?;
        session.ok_or_else(|| AccountError::Wrong.into())
    }
}
