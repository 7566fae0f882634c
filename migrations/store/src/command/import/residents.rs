//! Residents with their categories, address and ability level.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Object},
    id::ResidentId,
    onboarding::{CarriedLevel, CategoryCell, RESIDENT_COLUMNS, ResidentRow, read_resident},
    resident::{Category, Evidence, EvidenceKind, Relation},
    sheet::{Entry, Grid},
    time::DateRange,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::TakeOver;
use crate::{
    command::resident::{NewAddress, Recognised, RegisterResident, Registrant},
    entity::{carried_level, resident},
    error::StoreError,
    keys::Cell,
    tx::open_text,
};

pub(super) fn key(row: &ResidentRow) -> String {
    person_key(&row.document, &row.number)
}

/// The key of a person's document, as the register's own index has it.
pub(super) fn person_key(document: &impl std::fmt::Display, number: &str) -> String {
    format!("{document}:{}", number.trim().to_uppercase())
}

pub(super) async fn take(over: &mut TakeOver<'_>, grid: &Grid) -> Result<(), StoreError> {
    for (key, entry) in over.read(grid, RESIDENT_COLUMNS, read_resident, ("number", key)) {
        if !over.is_new("number", &key, &entry).await? {
            continue;
        }
        let object = Object { division: Some(entry.value.residence), ..Object::default() };
        if over.tx.permit(Action::ImportSheet, &object).is_err() {
            over.refuse(entry.line, "residence", "the division is not within your reach", "leave the row to whoever administers it");
            continue;
        }
        match find(over, &key).await? {
            Some(row) if same_name(over, &row, &entry.value)? => over.same += 1,
            Some(_) => over.refuse(
                entry.line,
                "number",
                "a resident with this number is registered under another name",
                "compare the number with the document, and correct the sheet or the register",
            ),
            None => register(over, &key, &entry).await?,
        }
    }
    Ok(())
}

/// The resident with this document, if one is registered.
pub(super) async fn find(over: &TakeOver<'_>, key: &str) -> Result<Option<resident::Model>, StoreError> {
    let index = over.tx.keys.blind_index("resident.document", key);
    Ok(resident::Entity::find().filter(resident::Column::DocumentIndex.eq(index)).one(over.tx.db).await?)
}

fn same_name(over: &TakeOver<'_>, row: &resident::Model, given: &ResidentRow) -> Result<bool, StoreError> {
    let cell = Cell { table: "resident", column: "name_enc", row: row.id };
    Ok(open_text(over.tx.keys, cell, &row.name_enc)? == given.name.expose())
}

async fn register(over: &mut TakeOver<'_>, key: &str, entry: &Entry<ResidentRow>) -> Result<(), StoreError> {
    let row = &entry.value;
    let command = RegisterResident {
        document: row.document,
        number: row.number.clone().into(),
        name: row.name.clone(),
        phone: row.phone.clone(),
        birth_date: row.birth_date,
        sex: row.sex,
        hukou: row.hukou,
        residence: row.residence,
        living: row.living,
        categories: row.categories.as_ref().map(|cells| cells.iter().filter_map(|cell| category(over, entry.line, cell)).collect()),
        disability: row.disability.and_then(|what| {
            let evidence = evidence(over, entry.line, "disability_certificate", row.disability_certificate.as_deref())?;
            Some(Recognised { what, valid: DateRange::from_day(over.tx.today()), evidence: Some(evidence) })
        }),
        declared: row.facts.clone(),
        addresses: row
            .address
            .iter()
            .map(|address| NewAddress { division: address.division, text: address.text.clone().into(), coordinate: address.coordinate })
            .collect(),
        registrant: Registrant::Community { requested_by: Relation::Self_ },
    };
    match command.register(over.tx).await {
        Ok(registered) => {
            if let Some(level) = row.level {
                carry_level(over, registered.resident_id, level).await?;
            }
            over.remember(key, entry).await
        }
        Err(cause) => over.refuse_row(entry.line, cause, column),
    }
}

fn category(over: &mut TakeOver<'_>, line: u64, cell: &CategoryCell) -> Option<Recognised<Category>> {
    let evidence = evidence(over, line, "categories", cell.certificate.as_deref())?;
    Some(Recognised { what: cell.span.category, valid: cell.span.valid, evidence: Some(evidence) })
}

/// The certificate, or else the bureau's own papers from which the sheet was made.
fn evidence(over: &mut TakeOver<'_>, line: u64, column: &str, certificate: Option<&str>) -> Option<Evidence> {
    let kind = if certificate.is_some() { EvidenceKind::Certificate } else { EvidenceKind::Document };
    let made = Evidence::new(kind, certificate);
    if made.is_err() {
        over.refuse(line, column, "this is no number of a certificate", "write it as printed, at most 64 characters");
    }
    made.ok()
}

async fn carry_level(over: &TakeOver<'_>, resident: ResidentId, level: CarriedLevel) -> Result<(), StoreError> {
    let row = carried_level::Model {
        id: resident.uuid(),
        level_enc: over.tx.seal_json("carried_level", "level_enc", resident.uuid(), &level)?,
        assessed_on: level.assessed_on.get(),
        valid_until: level.valid_until.get(),
        import_id: over.import.uuid(),
    };
    carried_level::Entity::insert(row.into_active_model()).exec_without_returning(over.tx.db).await?;
    Ok(())
}

/// The column of a field of a registration.
fn column(field: &str) -> &'static str {
    let columns: BTreeMap<&str, &'static str> = [
        ("document", "document"),
        ("number", "number"),
        ("id_number", "number"),
        ("name", "name"),
        ("phone", "phone"),
        ("birth_date", "birth_date"),
        ("sex", "sex"),
        ("hukou", "hukou"),
        ("residence", "residence"),
        ("living", "living"),
        ("addresses.0.text", "address"),
        ("addresses.0.division", "address_division"),
    ]
    .into_iter()
    .collect();
    match columns.get(field) {
        Some(column) => column,
        None if field.starts_with("categories") => "categories",
        None if field.starts_with("disability") => "disability_kind",
        None if field.starts_with("facts") => "facts",
        None => "",
    }
}
