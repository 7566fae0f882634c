//! What is stated of a made-up resident: compared with the papers by the community worker who registers them.

use domain::{
    event::Event,
    id::{Id, ResidentFactId, ResidentId, ResidentStatusId},
    resident::{DatedFact, Evidence, EvidenceKind, FactHistory, FactState, LifeStatus, NewFact, Relation, Resident, Statement},
    sample::{ResidentPlan, SampleError},
    time::{BusinessDate, DateRange, Instant},
};

use super::{
    home::Later,
    maker::{Maker, Who},
};
use crate::{
    command::status::ReportStatus,
    entity::{resident_fact, resident_registration, resident_status},
    error::StoreError,
    write::Command as _,
};

/// States all facts of a plan and answers their history.
pub(super) fn state(maker: &mut Maker<'_>, plan: &ResidentPlan, of: &Resident, by: (Instant, Who)) -> Result<FactHistory, StoreError> {
    let (at, who) = by;
    let today = BusinessDate::of(at);
    let mut history = FactHistory::default();
    for new in statements(plan, today)? {
        let checked = history.check(&new, of.facts().birth_date, today);
        if let Err(Some(fault)) = checked.map_err(|faults| faults.first().copied()) {
            return Err(SampleError::from(fault).into());
        }
        let id: ResidentFactId = maker.id(at);
        let evidence_enc = match &new.evidence {
            Some(evidence) => Some(maker.seal_json("resident_fact", "evidence_enc", id.uuid(), evidence)?),
            None => None,
        };
        let row = resident_fact::Model {
            id: id.uuid(),
            resident_id: of.id().uuid(),
            state: FactState::Verified.to_string(),
            statement_enc: maker.seal_json("resident_fact", "statement_enc", id.uuid(), &new.statement)?,
            evidence_enc,
            valid_from: new.valid.from().get(),
            valid_until: new.valid.until().map(BusinessDate::get),
            recorded_by: who.person().map(Id::uuid),
            recorded_at: at,
            settled_by: who.person().map(Id::uuid),
            settled_at: Some(at),
            ended_on: None,
            ended_by: None,
            ended_at: None,
            version: 1,
        };
        maker.push(row)?;
        history.push(DatedFact { statement: new.statement, valid: new.valid, ended_on: None, state: FactState::Verified });
    }
    let requested_by = plan.family.as_ref().map_or(Relation::Self_, |family| family.relation);
    maker.push(resident_registration::Model {
        resident_id: of.id().uuid(),
        channel: "community".to_owned(),
        requested_by: requested_by.to_string(),
        registered_by: who.person().map(Id::uuid),
        registered_at: at,
    })?;
    Ok(history)
}

fn statements(plan: &ResidentPlan, today: BusinessDate) -> Result<Vec<NewFact>, StoreError> {
    let since = DateRange::from_day(today);
    let recognised = DateRange::from_day(BusinessDate::from_ymd(today.month().year() - 2, 1, 1)?);
    let seen = |statement| NewFact { statement, valid: since, evidence: None };
    let mut all = vec![
        seen(Statement::Identity),
        seen(Statement::Residence { division: plan.residence }),
        seen(Statement::Hukou { division: plan.hukou }),
        seen(Statement::Living { living: plan.living }),
        seen(Statement::CategoriesChecked),
    ];
    // A made-up number of a certificate that nobody issued.
    let proven = |statement, title: &str| -> Result<NewFact, StoreError> {
        let number = format!("{title}-{}", plan.birth_date);
        let evidence = Evidence::new(EvidenceKind::Certificate, Some(&number)).map_err(SampleError::from)?;
        Ok(NewFact { statement, valid: recognised, evidence: Some(evidence) })
    };
    for category in &plan.categories {
        all.push(proven(Statement::Category { category: *category }, "演示证")?);
    }
    if let Some(disability) = plan.disability {
        all.push(proven(Statement::Disability { disability }, "演示残")?);
    }
    all.extend(plan.declared.iter().map(|(name, value)| seen(Statement::Declared { name: name.clone(), value: value.clone() })));
    Ok(all)
}

/// Reports changes of life status, each when the month of the change is over, or now.
pub(super) fn report(maker: &mut Maker<'_>, resident: ResidentId, who: Who, later: &[Later]) -> Result<(), StoreError> {
    let mut status = LifeStatus::Alive;
    for (change, seq) in later.iter().zip(1_i64..) {
        let at = change.since.month().next()?.first_day().start().min(maker.now());
        status = status.toward(change.status)?.to;
        let id: ResidentStatusId = maker.id(at);
        maker.push(resident_status::Model {
            id: id.uuid(),
            resident_id: resident.uuid(),
            seq,
            status: status.to_string(),
            since: change.since.get(),
            corrects: None,
            reason_enc: None,
            recorded_by: who.person().map(Id::uuid),
            recorded_at: at,
        })?;
        let step = maker.step(at, who, ReportStatus::NAME);
        maker.event(&step, &Event::ResidentStatusChanged { resident })?;
        maker.audit(&step, &resident, (None, None))?;
    }
    Ok(())
}
