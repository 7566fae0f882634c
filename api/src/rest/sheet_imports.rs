//! Onboarding: sheets of what a city has already.

use std::sync::Arc;

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    error::FieldError,
    id::SheetImportId,
    onboarding::SheetKind,
    sheet::{Grid, SheetFault},
};
use serde::{Deserialize, Serialize};
use store::command::import::{DecideImport, ImportSheet, ImportState, SheetImport};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    spreadsheet,
    state::AppState,
};

/// A sheet: exactly one of `csv` and `xlsx_base64`.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportSheetRequest {
    /// `residents`, `entitlements`, `providers`, `carers` or `prices`.
    #[schema(value_type = String)]
    kind: SheetKind,
    /// The sheet as CSV.
    csv: Option<String>,
    /// The workbook in base64; its first sheet counts.
    xlsx_base64: Option<String>,
}

impl ImportSheetRequest {
    fn grid(&self) -> Result<Grid, Problem> {
        let one = || Problem::fields(vec![FieldError::new("csv", "import.content", "give exactly one of csv and xlsx_base64")]);
        let read = match (&self.csv, &self.xlsx_base64) {
            (Some(csv), None) => Grid::from_csv(csv.as_bytes()),
            (None, Some(text)) => {
                let bytes = STANDARD.decode(text).map_err(|_cause| {
                    Problem::fields(vec![FieldError::new("xlsx_base64", "import.encoding", "encode the bytes of the file in base64")])
                })?;
                spreadsheet::read(&bytes)
            }
            (Some(_), Some(_)) | (None, None) => return Err(one()),
        };
        read.map_err(|faults| refuse(&faults))
    }
}

fn refuse(faults: &[SheetFault]) -> Problem {
    let place =
        |fault: &SheetFault| if fault.column.is_empty() { fault.line.to_string() } else { format!("{}.{}", fault.line, fault.column) };
    Problem::fields(
        faults.iter().map(|fault| FieldError::new(place(fault), "sheet.fault", format!("{}; {}", fault.message, fault.cure))).collect(),
    )
}

/// A sheet that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewResponse {
    /// Whether it could be taken over.
    sound: bool,
    rows: u64,
    /// Rows that would be taken over.
    new: u64,
    /// Rows that are there already and would be passed over.
    same: u64,
    faults: Vec<SheetFaultResponse>,
    /// The sheet as CSV with the faults of each row beside it, if there are any.
    sheet_with_faults: Option<String>,
}

/// One fault of a sheet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SheetFaultResponse {
    /// Line of the file, from 1.
    line: u64,
    /// Name of the column; empty when the whole line is at fault.
    column: String,
    message: String,
    cure: String,
}

/// Looks at a sheet and writes nothing
///
/// Every fault is named by line and column with its cure; the sheet comes back with them.
#[utoipa::path(post, path = "/sheet_imports/preview", tag = "onboarding", request_body = ImportSheetRequest, responses((status = OK, body = PreviewResponse)))]
pub(crate) async fn preview(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<ImportSheetRequest>,
) -> Result<Json<PreviewResponse>, Problem> {
    let grid = Arc::new(body.value.grid()?);
    let command = ImportSheet { kind: body.value.kind, grid: Arc::clone(&grid), rehearse: true, clerk: None };
    let seen = state.store.write(who.ctx, command).await?;
    let faulty = !seen.faults.is_empty();
    Ok(Json(PreviewResponse {
        sound: !faulty,
        rows: seen.rows,
        new: seen.new,
        same: seen.same,
        sheet_with_faults: faulty.then(|| grid.with_faults(&seen.faults)),
        faults: seen.faults.into_iter().map(SheetFaultResponse::from).collect(),
    }))
}

impl From<SheetFault> for SheetFaultResponse {
    fn from(fault: SheetFault) -> Self {
        let SheetFault { line, column, message, cure } = fault;
        Self { line, column, message, cure }
    }
}

/// A sheet that was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SheetImportResponse {
    #[schema(value_type = String)]
    sheet_import_id: SheetImportId,
    /// `applied`, `submitted` while it waits for another person's approval, or `refused`.
    #[schema(value_type = String)]
    state: ImportState,
    rows: u64,
    new: u64,
    same: u64,
}

/// The answer to a sheet that has no faults.
fn answer(seen: SheetImport) -> Result<SheetImportResponse, Problem> {
    let SheetImport { import_id, state, rows, new, same, faults, .. } = seen;
    let sheet_import_id = import_id.ok_or_else(|| refuse(&faults))?;
    Ok(SheetImportResponse { sheet_import_id, state, rows, new, same })
}

/// Takes over a sheet, whole or not at all
///
/// Handed in again it makes nothing twice. A sheet of entitlements waits for the approval of another person.
#[utoipa::path(post, path = "/sheet_imports", tag = "onboarding", request_body = ImportSheetRequest, responses((status = CREATED, body = SheetImportResponse)))]
pub(crate) async fn import(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<ImportSheetRequest>,
) -> Result<Created<SheetImportResponse>, Problem> {
    let command = ImportSheet { kind: body.value.kind, grid: Arc::new(body.value.grid()?), rehearse: false, clerk: None };
    let seen = once::<_, SheetImport, _>(&state, who, key, &body, command).await?;
    let kept = store::Answer { value: answer(seen.value)?, replayed: seen.replayed };
    Ok(Created::at(|made: &SheetImportResponse| format!("/sheet_imports/{}", made.sheet_import_id), kept))
}

/// What the approver decides.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideImportRequest {
    /// Whether the sheet is taken over.
    approve: bool,
}

/// Approves or refuses a sheet that another person handed in
#[utoipa::path(post, path = "/sheet_imports/{sheet_import_id}/approval", tag = "onboarding", params(("sheet_import_id" = String, Path)), request_body = DecideImportRequest, responses((status = OK, body = SheetImportResponse)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(import): PathId<SheetImportId>,
    body: Valid<DecideImportRequest>,
) -> Result<Json<SheetImportResponse>, Problem> {
    let seen = state.store.write(who.ctx, DecideImport { import, approve: body.value.approve }).await?;
    Ok(Json(answer(seen)?))
}
