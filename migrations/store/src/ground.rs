//! What is known of one resident, day by day: the ground on which programmes decide.

use std::collections::BTreeSet;

use domain::{
    assessment::{Assessment, Level},
    eligibility::Facts,
    onboarding::CarriedLevel,
    resident::{DatedFact, Disability, Evidence, FactHistory, FactState, ResidentForm, Statement, StatusEntry, StatusHistory},
    time::{BusinessDate, DateRange},
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::{
    command::resident::StoredFacts,
    convert,
    entity::{assessment, carried_level, resident, resident_fact, resident_status},
    error::StoreError,
    keys::{Cell, KeyRing},
    tx::{Tx, open_json},
};

/// Birthdays that are looked at.
const AGE_MAX: u32 = 150;

/// Everything stated and assessed of one resident.
pub(crate) struct Ground {
    form: ResidentForm,
    residence: String,
    /// Statements with their days.
    pub(crate) facts: FactHistory,
    /// Life statuses with their days.
    pub(crate) statuses: StatusHistory,
    assessments: Vec<Assessment>,
    carried: Option<CarriedLevel>,
}

impl Ground {
    /// Loads what is known of a resident.
    pub(crate) async fn load(db: &impl ConnectionTrait, keys: &KeyRing, row: &resident::Model) -> Result<Self, StoreError> {
        let cell = Cell { table: "resident", column: "facts_enc", row: row.id };
        let stored: StoredFacts = open_json(keys, cell, &row.facts_enc)?;
        let form = stored.resident.facts().clone();
        // What was registered under the first schema stands in the form; everything since in rows.
        let mut facts = FactHistory::new(FactHistory::of_form(&form, &stored.declared));
        for fact in fact_rows(db, row.id).await? {
            facts.push(dated(keys, &fact)?);
        }
        let statuses = statuses(db, row.id, &form).await?;
        let confirmed = assessment::Entity::find()
            .filter(assessment::Column::ResidentId.eq(row.id))
            .filter(assessment::Column::State.eq("confirmed"))
            .order_by_asc(assessment::Column::AssessedOn)
            .order_by_asc(assessment::Column::Id)
            .all(db)
            .await?;
        let cell = |row| Cell { table: "assessment", column: "record_enc", row };
        let opened = confirmed.iter().map(|row| open_json(keys, cell(row.id), &row.record_enc));
        let carried = carried_level::Entity::find_by_id(row.id).one(db).await?;
        let cell = Cell { table: "carried_level", column: "level_enc", row: row.id };
        let carried = carried.map(|row| open_json(keys, cell, &row.level_enc)).transpose()?;
        Ok(Self {
            form,
            residence: row.residence_division.clone(),
            facts,
            statuses,
            assessments: opened.collect::<Result<_, _>>()?,
            carried,
        })
    }

    /// What is known of a resident who was registered with this form, stated these facts and was assessed once.
    pub(crate) fn of_registered(form: ResidentForm, facts: FactHistory, assessment: Assessment) -> Self {
        let statuses = StatusHistory::new(StatusEntry { status: form.status, since: form.status_since }, Vec::new());
        Self { residence: form.residence.to_string(), form, facts, statuses, assessments: vec![assessment], carried: None }
    }

    /// As [`Ground::load`], inside a transaction.
    pub(crate) async fn of(tx: &Tx<'_>, row: &resident::Model) -> Result<Self, StoreError> {
        Self::load(tx.db, tx.keys, row).await
    }

    /// Birth date.
    pub(crate) fn birth_date(&self) -> BusinessDate {
        self.form.birth_date
    }

    /// The facts of a day, as policies see them.
    pub(crate) fn facts_on(&self, day: BusinessDate, applied_on: Option<BusinessDate>) -> Facts {
        let known = self.facts.known_on(day);
        let residence = known.residence.map_or_else(|| self.residence.clone(), |division| division.to_string());
        Facts {
            birth_date: Some(self.form.birth_date),
            sex: Some(self.form.sex),
            hukou: known.hukou.map(|division| division.to_string()),
            residence: Some(residence),
            level: self.level_on(day),
            categories: known.categories,
            living: known.living,
            status: Some(self.statuses.on(day)),
            disability_grade: known.disability.map(Disability::grade),
            disability_kind: known.disability.map(Disability::kind),
            income_month_fen: known.income_month,
            declared: known.declared,
            applied_on,
            ended_on: None,
        }
    }

    /// The days on which something else is known, and the birthdays up to a day.
    pub(crate) fn change_days(&self, until: BusinessDate) -> BTreeSet<BusinessDate> {
        let mut days = self.facts.change_days();
        days.extend(self.statuses.change_days());
        days.extend(self.assessments.iter().flat_map(|one| [one.assessed_on(), one.valid_until()]));
        let birthdays = (1..=AGE_MAX).map_while(|years| self.form.birth_date.plus_months(years * 12).ok());
        // Born on 29 February, one is a year older on 1 March: the day after is looked at too.
        let both = birthdays.take_while(|day| *day <= until).flat_map(|day| [Some(day), day.plus_days(1).ok()]);
        days.extend(both.flatten());
        days
    }
}

impl Ground {
    /// The level of the last assessment that is valid on a day; one of before counts until the first here.
    fn level_on(&self, day: BusinessDate) -> Option<Level> {
        let assessed = self.assessments.iter().rfind(|one| one.is_valid_on(day)).map(|one| one.outcome().final_level);
        let carried = || {
            let carried = self.carried.filter(|one| one.assessed_on <= day && day < one.valid_until)?;
            let since = |one: &Assessment| carried.assessed_on <= one.assessed_on() && one.assessed_on() <= day;
            (!self.assessments.iter().any(since)).then_some(carried.level)
        };
        assessed.or_else(carried)
    }
}

/// The rows of a resident's statements, in the order of recording.
pub(crate) async fn fact_rows(db: &impl ConnectionTrait, resident: Uuid) -> Result<Vec<resident_fact::Model>, StoreError> {
    let select = resident_fact::Entity::find().filter(resident_fact::Column::ResidentId.eq(resident));
    Ok(select.order_by_asc(resident_fact::Column::RecordedAt).order_by_asc(resident_fact::Column::Id).all(db).await?)
}

/// Reads a statement with its days.
pub(crate) fn dated(keys: &KeyRing, row: &resident_fact::Model) -> Result<DatedFact, StoreError> {
    let cell = Cell { table: "resident_fact", column: "statement_enc", row: row.id };
    let statement: Statement = open_json(keys, cell, &row.statement_enc)?;
    let state: FactState = convert::code("resident_fact", "state", &row.state)?;
    let valid = DateRange::new(convert::date(row.valid_from), row.valid_until.map(convert::date));
    let valid = valid.map_err(|cause| convert::corrupt("resident_fact", "valid_until", &cause))?;
    Ok(DatedFact { statement, valid, ended_on: row.ended_on.map(convert::date), state })
}

/// Reads what a statement rests on.
pub(crate) fn evidence(keys: &KeyRing, row: &resident_fact::Model) -> Result<Option<Evidence>, StoreError> {
    let cell = Cell { table: "resident_fact", column: "evidence_enc", row: row.id };
    row.evidence_enc.as_ref().map(|envelope| open_json(keys, cell, envelope)).transpose()
}

/// The rows of a resident's life statuses, in the order of recording.
pub(crate) async fn status_rows(db: &impl ConnectionTrait, resident: Uuid) -> Result<Vec<resident_status::Model>, StoreError> {
    let select = resident_status::Entity::find().filter(resident_status::Column::ResidentId.eq(resident));
    Ok(select.order_by_asc(resident_status::Column::Seq).all(db).await?)
}

/// The statuses that count, from the one at registration on: a corrected death is left out.
async fn statuses(db: &impl ConnectionTrait, resident: Uuid, form: &ResidentForm) -> Result<StatusHistory, StoreError> {
    let rows = status_rows(db, resident).await?;
    let corrected: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.corrects).collect();
    let entries = rows.iter().filter(|row| !corrected.contains(&row.id)).map(|row| {
        let status = convert::code("resident_status", "status", &row.status)?;
        Ok::<_, StoreError>(StatusEntry { status, since: convert::date(row.since) })
    });
    let first = StatusEntry { status: form.status, since: form.status_since };
    Ok(StatusHistory::new(first, entries.collect::<Result<_, _>>()?))
}
