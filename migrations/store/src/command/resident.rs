//! Registering residents: by themselves, by a relative, or by a community worker on their behalf (代办).

use std::collections::BTreeMap;

use domain::{
    access::{Action, Object},
    division::DivisionCode,
    error::{Fault, FieldError},
    event::Event,
    id::{PersonId, ResidentId, ServiceAddressId},
    policy::FactValue,
    resident::{
        Category, Consent, DatedFact, Disability, Evidence, FactHistory, FactState, IdentityDocument, IdentityNumber, LifeStatus, Living,
        NewFact, PersonName, PhoneNumber, Relation, Resident, ResidentForm, Sex, Statement, Warning,
    },
    time::{BusinessDate, DateRange},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _, Set};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

pub use crate::command::address::NewAddress;
use crate::{
    command::{address, fact, family, likeness},
    entity::{division, resident, resident_registration},
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

use likeness::Likenesses;

/// What is stored, encrypted, of a resident's facts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredFacts {
    pub(crate) resident: Resident,
    /// Facts that policies declare, such as `needs_care`.
    pub(crate) declared: BTreeMap<String, FactValue>,
}

/// Registers an older person.
#[derive(Debug, Clone)]
pub struct RegisterResident {
    /// Kind of identity document.
    pub document: IdentityDocument,
    /// Its number.
    pub number: SecretString,
    /// Name as on the document.
    pub name: PersonName,
    /// Telephone.
    pub phone: Option<PhoneNumber>,
    /// Birth date and sex, needed where the document does not state them, checked where it does.
    pub birth_date: Option<BusinessDate>,
    /// See `birth_date`.
    pub sex: Option<Sex>,
    /// Division of the household register.
    pub hukou: Option<DivisionCode>,
    /// Community where the person lives.
    pub residence: DivisionCode,
    /// With whom they live.
    pub living: Option<Living>,
    /// Recognised circumstances; empty means known to have none, absent means unknown.
    pub categories: Option<Vec<Recognised<Category>>>,
    /// Recognised disability.
    pub disability: Option<Recognised<Disability>>,
    /// Facts that policies declare.
    pub declared: BTreeMap<String, FactValue>,
    /// Where the person is served.
    pub addresses: Vec<NewAddress>,
    /// Who registers, and at whose wish.
    pub registrant: Registrant,
}

/// Something that an authority recognises, with its days and its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised<T> {
    /// What is recognised.
    pub what: T,
    /// For which days.
    pub valid: DateRange,
    /// On which evidence.
    pub evidence: Option<Evidence>,
}

/// Who registers a resident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registrant {
    /// A community worker, in the own area, at the wish of the resident or of a relative.
    Community {
        /// Whose wish it is.
        requested_by: Relation,
    },
    /// The resident, or a relative with the resident's consent, who from then on acts for them. What they
    /// state is a claim until the community has seen the papers.
    Own {
        /// What the registrant is to the resident.
        relation: Relation,
        /// The resident's consent.
        consent: Consent,
    },
}

/// A registered resident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredResident {
    /// The resident.
    pub resident_id: ResidentId,
    /// The addresses, in the order given.
    pub address_ids: Vec<ServiceAddressId>,
    /// What somebody should look at although it was accepted.
    pub warnings: Vec<String>,
    /// Residents who may be the same person; shown to the community alone.
    pub likenesses: Option<Likenesses>,
}

impl Command for RegisterResident {
    type Output = RegisteredResident;
    const ACTION: Option<Action> = Some(Action::RegisterResident);
    const NAME: &'static str = "register_resident";

    async fn run(&self, tx: &Tx<'_>) -> Result<RegisteredResident, StoreError> {
        self.permit(tx)?;
        self.register(tx).await
    }
}

impl RegisterResident {
    /// Registers without asking who does it: the caller has.
    pub(crate) async fn register(&self, tx: &Tx<'_>) -> Result<RegisteredResident, StoreError> {
        let id: ResidentId = tx.id();
        let Checked { number, warnings, resident } = self.check(tx, id).await?;
        self.insert(tx, &number, &resident).await?;
        likeness::mark(tx, id, &number, &self.name, resident.facts().birth_date, self.phone.as_ref()).await?;
        self.state_facts(tx, id).await?;
        let mut address_ids = Vec::new();
        for address in &self.addresses {
            address_ids.push(address::insert(tx, id, address).await?);
        }
        self.record_registrant(tx, id).await?;
        tx.emit(Event::ResidentRegistered { resident: id });
        tx.record(&id, None, None);
        let likenesses = match &self.registrant {
            Registrant::Community { .. } => Some(likeness::find(tx.db, tx.actor(), id).await?),
            Registrant::Own { .. } => None,
        };
        Ok(RegisteredResident { resident_id: id, address_ids, warnings: warnings.iter().map(ToString::to_string).collect(), likenesses })
    }
}

/// A registration that was found right.
struct Checked {
    number: IdentityNumber,
    warnings: Vec<Warning>,
    resident: Resident,
}

impl RegisterResident {
    fn permit(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        match &self.registrant {
            Registrant::Community { .. } => {
                tx.permit(Action::RegisterResident, &Object { division: Some(self.residence), ..Object::default() })
            }
            Registrant::Own { relation: Relation::Self_, .. } => tx.permit_anywhere(Action::RegisterSelf),
            Registrant::Own { .. } => tx.permit_anywhere(Action::RegisterRelative),
        }
    }

    async fn insert(&self, tx: &Tx<'_>, number: &IdentityNumber, resident: &Resident) -> Result<(), StoreError> {
        let row = resident.id().uuid();
        let phone_enc = match &self.phone {
            Some(phone) => Some(tx.seal("resident", "phone_enc", row, phone.expose().as_bytes())?),
            None => None,
        };
        let facts = StoredFacts { resident: resident.clone(), declared: BTreeMap::new() };
        let model = resident::ActiveModel {
            id: Set(row),
            document_kind: Set(number.document().to_string()),
            document_enc: Set(tx.seal("resident", "document_enc", row, number.expose().as_bytes())?),
            document_index: Set(tx.keys.blind_index("resident.document", &format!("{}:{}", number.document(), number.expose()))),
            name_enc: Set(tx.seal("resident", "name_enc", row, self.name.expose().as_bytes())?),
            phone_enc: Set(phone_enc),
            facts_enc: Set(tx.seal_json("resident", "facts_enc", row, &facts)?),
            home_secret_enc: Set(tx.seal("resident", "home_secret_enc", row, &tx.secret())?),
            hukou_division: Set(self.hukou.map(|hukou| hukou.to_string()).unwrap_or_default()),
            residence_division: Set(self.residence.to_string()),
            status: Set(LifeStatus::Alive.to_string()),
            status_on: Set(tx.today().get()),
            registered_by: Set(tx.actor().person().map(PersonId::uuid)),
            created_at: Set(tx.now()),
            version: Set(1),
        };
        resident::Entity::insert(model).exec_without_returning(tx.db).await.map_err(exists("a resident with this identity number"))?;
        Ok(())
    }

    /// Checks everything that was given, and names all faults at once.
    async fn check(&self, tx: &Tx<'_>, id: ResidentId) -> Result<Checked, StoreError> {
        let mut faults = crate::facts::faults("facts", &self.declared);
        for (place, address) in self.addresses.iter().enumerate() {
            faults.extend(address.faults(tx, &format!("addresses.{place}.")).await?);
        }
        let known_county = |six: &str| tx.reference.divisions.knows_county(six);
        let parsed = IdentityNumber::parse(self.document, self.number.expose_secret(), tx.today(), known_county);
        let number = parsed.map_err(|fault| faults.extend(fault.fields())).ok();
        let stated = number.as_ref().map(|(number, _)| number);
        let birth_date = self.birth_date.or_else(|| stated.and_then(IdentityNumber::birth_date));
        let sex = self.sex.or_else(|| stated.and_then(IdentityNumber::sex));
        if number.is_some() && birth_date.is_none() {
            faults.push(FieldError::new("birth_date", "birth_date.missing", "this document does not state it: give the birth date"));
        }
        if number.is_some() && sex.is_none() {
            faults.push(FieldError::new("sex", "sex.missing", "this document does not state it: give the sex"));
        }
        if let (Some((number, _)), Some(birth_date), Some(sex)) = (&number, birth_date, sex) {
            faults.extend(number.contradictions(birth_date, sex).iter().flat_map(Fault::fields));
        }
        faults.extend(division_faults(tx, "residence", self.residence).await?);
        if let Registrant::Own { consent, .. } = &self.registrant {
            faults.extend(family::consent_faults(consent, tx.today()));
        }
        let resident = birth_date.zip(sex).map(|(birth_date, sex)| self.form(id, birth_date, sex, tx.today()));
        let resident = resident.and_then(|form| self.check_form(form, tx.today()).map_err(|own| faults.extend(own)).ok());
        match (number, resident) {
            (Some((number, warnings)), Some(resident)) if faults.is_empty() => Ok(Checked { number, warnings, resident }),
            _ => Err(StoreError::fields(faults)),
        }
    }

    /// What the document states; everything else stands in facts with their days.
    fn form(&self, id: ResidentId, birth_date: BusinessDate, sex: Sex, today: BusinessDate) -> ResidentForm {
        ResidentForm {
            id,
            birth_date,
            sex,
            hukou: None,
            residence: self.residence,
            living: None,
            categories: None,
            disability: None,
            status: LifeStatus::Alive,
            status_since: today,
        }
    }

    fn check_form(&self, form: ResidentForm, today: BusinessDate) -> Result<Resident, Vec<FieldError>> {
        let birth_date = form.birth_date;
        let resident = Resident::register(form, today).map_err(|own| own.iter().flat_map(Fault::fields).collect::<Vec<_>>())?;
        let (mut history, mut faults) = (FactHistory::default(), Vec::new());
        for (path, new) in self.facts(today) {
            let own = history.check(&new, birth_date, today).err().unwrap_or_default();
            let under = own.iter().flat_map(Fault::fields).map(|fault| {
                let field = if fault.field == "date" { "from".to_owned() } else { fault.field };
                FieldError { field: format!("{path}{field}"), ..fault }
            });
            faults.extend(under);
            history.push(DatedFact { statement: new.statement, valid: new.valid, ended_on: None, state: FactState::Verified });
        }
        if faults.is_empty() { Ok(resident) } else { Err(faults) }
    }

    /// All that is stated, with the path of its fields.
    fn facts(&self, today: BusinessDate) -> Vec<(String, NewFact)> {
        let since = DateRange::from_day(today);
        let mut facts = Vec::new();
        let mut state = |path: String, statement: Statement, valid: DateRange, evidence: Option<Evidence>| {
            facts.push((path, NewFact { statement, valid, evidence }));
        };
        state(String::new(), Statement::Identity, since, None);
        state(String::new(), Statement::Residence { division: self.residence }, since, None);
        if let Some(division) = self.hukou {
            state(String::new(), Statement::Hukou { division }, since, None);
        }
        if let Some(living) = self.living {
            state(String::new(), Statement::Living { living }, since, None);
        }
        if let Some(categories) = &self.categories {
            state(String::new(), Statement::CategoriesChecked, since, None);
            for (place, one) in categories.iter().enumerate() {
                let statement = Statement::Category { category: one.what };
                state(format!("categories.{place}."), statement, one.valid, one.evidence.clone());
            }
        }
        if let Some(one) = &self.disability {
            state("disability.".to_owned(), Statement::Disability { disability: one.what }, one.valid, one.evidence.clone());
        }
        for (name, value) in &self.declared {
            state("facts.".to_owned(), Statement::Declared { name: name.clone(), value: value.clone() }, since, None);
        }
        facts
    }

    async fn state_facts(&self, tx: &Tx<'_>, id: ResidentId) -> Result<(), StoreError> {
        let state = match &self.registrant {
            Registrant::Community { .. } => FactState::Verified,
            Registrant::Own { .. } => FactState::Claimed,
        };
        for (_, new) in self.facts(tx.today()) {
            fact::insert(tx, id, &new, state).await?;
        }
        Ok(())
    }

    async fn record_registrant(&self, tx: &Tx<'_>, id: ResidentId) -> Result<(), StoreError> {
        let (channel, requested_by) = match &self.registrant {
            Registrant::Community { requested_by } => ("community", *requested_by),
            Registrant::Own { relation: Relation::Self_, .. } => ("self", Relation::Self_),
            Registrant::Own { relation, .. } => ("family", *relation),
        };
        let row = resident_registration::Model {
            resident_id: id.uuid(),
            channel: channel.to_owned(),
            requested_by: requested_by.to_string(),
            registered_by: tx.actor().person().map(PersonId::uuid),
            registered_at: tx.now(),
        };
        resident_registration::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
        if let Registrant::Own { relation, consent } = &self.registrant {
            family::bind(tx, id, tx.actor().need_person()?, *relation, consent).await?;
        }
        Ok(())
    }
}

/// Changes how a resident is reached by telephone.
#[derive(Debug, Clone)]
pub struct EditContact {
    /// The resident.
    pub resident: ResidentId,
    /// The version that was looked at.
    pub version: i64,
    /// The telephone; none takes it away.
    pub phone: Option<PhoneNumber>,
}

impl Command for EditContact {
    type Output = i64;
    const ACTION: Option<Action> = Some(Action::EditContact);
    const NAME: &'static str = "edit_contact";

    async fn run(&self, tx: &Tx<'_>) -> Result<i64, StoreError> {
        let before = lock(tx, self.resident).await?;
        tx.permit(Action::EditContact, &object(&before)?)?;
        if before.version != self.version {
            return Err(StoreError::Stale("this resident"));
        }
        let phone_enc = match &self.phone {
            Some(phone) => Some(tx.seal("resident", "phone_enc", before.id, phone.expose().as_bytes())?),
            None => None,
        };
        likeness::mark_phone(tx, before.id, self.phone.as_ref()).await?;
        let row = resident::Model { phone_enc, version: before.version + 1, ..before.clone() };
        tx.save(row.clone()).await?;
        tx.emit(Event::ResidentContactChanged { resident: self.resident });
        tx.record(&self.resident, Some(&before), Some(&row));
        Ok(row.version)
    }
}

/// What is wrong with a division that a field names.
pub(crate) async fn division_faults(tx: &Tx<'_>, field: &str, code: DivisionCode) -> Result<Vec<FieldError>, StoreError> {
    let known = division::Entity::find_by_id(code.to_string()).one(tx.db).await?;
    let fault = || FieldError::new(field, "division.unknown", "name a division of this city's table");
    Ok(if known.is_some() { Vec::new() } else { vec![fault()] })
}

/// Loads a resident and excludes other writers; the first lock of every use case about one.
pub(crate) async fn lock(tx: &Tx<'_>, id: ResidentId) -> Result<resident::Model, StoreError> {
    for_update!(tx, resident::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)
}

/// The handles by which a resident is reached.
pub(crate) fn object(row: &resident::Model) -> Result<Object, StoreError> {
    let division = crate::convert::code("resident", "residence_division", &row.residence_division)?;
    Ok(Object { division: Some(division), resident: Some(ResidentId::from_uuid(row.id)), provider: None })
}
