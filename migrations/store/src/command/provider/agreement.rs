//! The bureau's side of a provider: the agreement by which it buys service, and the yearly review of the
//! qualification.

use chrono::Datelike as _;
use domain::{
    access::Action,
    error::FieldError,
    event::Event,
    id::{AgreementId, ProviderId, QualificationReviewId},
    provider::Agreement,
    time::{BusinessDate, DateRange},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    convert,
    entity::{provider_agreement, qualification_review},
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Records a signed agreement.
#[derive(Debug, Clone)]
pub struct RecordAgreement {
    /// The provider.
    pub provider: ProviderId,
    /// What was signed.
    pub agreement: Agreement,
}

/// An agreement as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementView {
    /// The agreement.
    pub agreement_id: AgreementId,
    /// Its number as printed.
    pub number: String,
    /// When it was signed.
    pub signed_on: BusinessDate,
    /// First day.
    pub valid_from: BusinessDate,
    /// First day on which it no longer holds.
    pub valid_until: BusinessDate,
    /// Version, for edits.
    pub version: i64,
}

impl Command for RecordAgreement {
    type Output = AgreementView;
    const ACTION: Option<Action> = Some(Action::RecordAgreement);
    const NAME: &'static str = "record_agreement";

    async fn run(&self, tx: &Tx<'_>) -> Result<AgreementView, StoreError> {
        let provider = super::lock(tx, self.provider).await?;
        tx.permit(Action::RecordAgreement, &super::object(&provider)?)?;
        let valid_until = self.check(tx, provider.id).await?;
        let id: AgreementId = tx.id();
        let row = provider_agreement::Model {
            id: id.uuid(),
            provider_id: provider.id,
            number: self.agreement.number().to_owned(),
            signed_on: self.agreement.signed_on().get(),
            valid_from: self.agreement.valid().from().get(),
            valid_until: valid_until.get(),
            recorded_by: tx.actor().need_person()?.uuid(),
            ended_by: None,
            created_at: tx.now(),
            version: 1,
        };
        provider_agreement::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("an agreement of this provider with this number"))?;
        tx.emit(Event::ProviderChanged { provider: self.provider });
        tx.record(&id, None, Some(&row));
        Ok(agreement_view(&row))
    }
}

impl RecordAgreement {
    /// An agreement ends, is signed, and covers days that no other covers.
    async fn check(&self, tx: &Tx<'_>, provider: uuid::Uuid) -> Result<BusinessDate, StoreError> {
        let mut faults = Vec::new();
        if self.agreement.signed_on() > tx.today() {
            faults.push(FieldError::new("signed_on", "agreement.signed_on", "write the day on which it was signed"));
        }
        let valid = self.agreement.valid();
        if valid.until().is_none() {
            faults.push(FieldError::new("valid_until", "agreement.valid_until", "write the first day on which it no longer holds"));
        }
        let others = provider_agreement::Entity::find().filter(provider_agreement::Column::ProviderId.eq(provider)).all(tx.db).await?;
        let overlap = others.iter().any(|row| {
            DateRange::new(convert::date(row.valid_from), Some(convert::date(row.valid_until))).is_ok_and(|other| other.overlaps(&valid))
        });
        if overlap {
            faults.push(FieldError::new(
                "valid_from",
                "agreement.overlap",
                "write days that no other agreement covers, or end that one first",
            ));
        }
        match valid.until() {
            Some(until) if faults.is_empty() => Ok(until),
            Some(_) | None => Err(StoreError::fields(faults)),
        }
    }
}

/// An agreement as callers see it.
pub(crate) fn agreement_view(row: &provider_agreement::Model) -> AgreementView {
    AgreementView {
        agreement_id: AgreementId::from_uuid(row.id),
        number: row.number.clone(),
        signed_on: convert::date(row.signed_on),
        valid_from: convert::date(row.valid_from),
        valid_until: convert::date(row.valid_until),
        version: row.version,
    }
}

/// The agreements of a provider, the latest first.
pub(crate) async fn agreements(db: &impl sea_orm::ConnectionTrait, provider: uuid::Uuid) -> Result<Vec<AgreementView>, StoreError> {
    let rows = provider_agreement::Entity::find()
        .filter(provider_agreement::Column::ProviderId.eq(provider))
        .order_by_desc(provider_agreement::Column::ValidFrom)
        .all(db)
        .await?;
    Ok(rows.iter().map(agreement_view).collect())
}

/// Ends an agreement before its time.
#[derive(Debug, Clone)]
pub struct EndAgreement {
    /// The agreement.
    pub agreement: AgreementId,
    /// The version that was read.
    pub version: i64,
    /// First day on which it no longer holds: today or later, and before its own end.
    pub until: BusinessDate,
}

impl Command for EndAgreement {
    type Output = AgreementView;
    const ACTION: Option<Action> = Some(Action::RecordAgreement);
    const NAME: &'static str = "end_agreement";

    async fn run(&self, tx: &Tx<'_>) -> Result<AgreementView, StoreError> {
        let seen = provider_agreement::Entity::find_by_id(self.agreement.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let provider = super::lock(tx, ProviderId::from_uuid(seen.provider_id)).await?;
        tx.permit(Action::RecordAgreement, &super::object(&provider)?)?;
        let found = for_update!(tx, provider_agreement::Entity::find_by_id(self.agreement.uuid())).one(tx.db).await?;
        let before = found.ok_or_else(StoreError::not_found)?;
        let version = super::profile::next_version(before.version, self.version, "the agreement")?;
        let (from, until) = (convert::date(before.valid_from), convert::date(before.valid_until));
        if self.until < tx.today().max(from) || self.until >= until {
            let cure = format!("write a day from {} on and before {until}", tx.today().max(from));
            return Err(StoreError::fields(vec![FieldError::new("valid_until", "agreement.ending", cure)]));
        }
        let row = provider_agreement::Model {
            valid_until: self.until.get(),
            ended_by: Some(tx.actor().need_person()?.uuid()),
            version,
            ..before.clone()
        };
        tx.save(row.clone()).await?;
        tx.emit(Event::ProviderChanged { provider: ProviderId::from_uuid(provider.id) });
        tx.record(&self.agreement, Some(&before), Some(&row));
        Ok(agreement_view(&row))
    }
}

/// Records the yearly review of a provider's qualification. A further one of the same year replaces it as the
/// one that counts; both stay.
#[derive(Debug, Clone)]
pub struct RecordReview {
    /// The provider.
    pub provider: ProviderId,
    /// The year that was reviewed: this one or the last.
    pub year: i32,
    /// Whether the provider goes on meeting the conditions.
    pub passed: bool,
    /// What was found, for the file.
    pub note: Option<String>,
}

/// A recorded review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedReview {
    /// The review.
    pub review_id: QualificationReviewId,
}

impl Command for RecordReview {
    type Output = RecordedReview;
    const ACTION: Option<Action> = Some(Action::RecordReview);
    const NAME: &'static str = "record_qualification_review";

    async fn run(&self, tx: &Tx<'_>) -> Result<RecordedReview, StoreError> {
        let provider = super::lock(tx, self.provider).await?;
        tx.permit(Action::RecordReview, &super::object(&provider)?)?;
        let mut faults = Vec::new();
        let this_year = tx.today().get().year();
        if !(this_year - 1..=this_year).contains(&self.year) {
            faults.push(FieldError::new("year", "review.year", format!("write {} or {this_year}", this_year - 1)));
        }
        if !self.passed && self.note.is_none() {
            faults.push(FieldError::new("note", "review.note", "say what has to be put right"));
        }
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let id: QualificationReviewId = tx.id();
        let note = self.note.as_ref().map(|note| tx.seal("qualification_review", "note_enc", id.uuid(), note.as_bytes())).transpose()?;
        let row = qualification_review::ActiveModel {
            id: Set(id.uuid()),
            provider_id: Set(provider.id),
            year: Set(self.year),
            passed: Set(self.passed),
            reviewed_on: Set(tx.today().get()),
            note_enc: Set(note),
            reviewed_by: Set(tx.actor().need_person()?.uuid()),
            created_at: Set(tx.now()),
        };
        qualification_review::Entity::insert(row).exec_without_returning(tx.db).await?;
        tx.emit(Event::ProviderChanged { provider: self.provider });
        tx.record(&id, None, None);
        Ok(RecordedReview { review_id: id })
    }
}
