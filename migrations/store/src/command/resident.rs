//! Registering residents and the people who act for them.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Object},
    division::DivisionCode,
    error::{Fault, FieldError},
    event::Event,
    id::{PersonId, ResidentId, ServiceAddressId},
    policy::FactValue,
    resident::{
        CategorySpan, Consent, Coordinate, Disability, IdentityDocument, IdentityNumber, LifeStatus, Living, PersonName, PhoneNumber,
        Relation, Resident, ResidentForm, Sex, Warning,
    },
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    entity::{account, division, relation, resident, role_grant, service_address},
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Longest address, in characters.
const ADDRESS_LENGTH_MAX: usize = 200;

/// What is stored, encrypted, of a resident's facts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredFacts {
    pub(crate) resident: Resident,
    /// Facts that policies declare, such as `needs_care`.
    pub(crate) declared: BTreeMap<String, FactValue>,
}

/// Where a resident is served.
#[derive(Debug, Clone)]
pub struct NewAddress {
    /// Community in which it lies.
    pub division: DivisionCode,
    /// Street, house, door; personal.
    pub text: SecretString,
    /// Position, if it is known, in whatever system it came.
    pub coordinate: Option<Coordinate>,
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
    pub categories: Option<Vec<CategorySpan>>,
    /// Recognised disability.
    pub disability: Option<Disability>,
    /// Facts that policies declare.
    pub declared: BTreeMap<String, FactValue>,
    /// Where the person is served.
    pub addresses: Vec<NewAddress>,
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
}

impl Command for RegisterResident {
    type Output = RegisteredResident;
    const ACTION: Option<Action> = Some(Action::RegisterResident);
    const NAME: &'static str = "register_resident";

    async fn run(&self, tx: &Tx<'_>) -> Result<RegisteredResident, StoreError> {
        tx.permit(Action::RegisterResident, &Object { division: Some(self.residence), ..Object::default() })?;
        let id: ResidentId = tx.id();
        let (number, warnings, resident) = self.check(tx, id).await?;
        let row = id.uuid();
        let phone_enc = match &self.phone {
            Some(phone) => Some(tx.seal("resident", "phone_enc", row, phone.expose().as_bytes())?),
            None => None,
        };
        let index = tx.keys.blind_index("resident.document", &format!("{}:{}", number.document(), number.expose()));
        let facts = StoredFacts { resident, declared: self.declared.clone() };
        let model = resident::ActiveModel {
            id: Set(row),
            document_kind: Set(number.document().to_string()),
            document_enc: Set(tx.seal("resident", "document_enc", row, number.expose().as_bytes())?),
            document_index: Set(index),
            name_enc: Set(tx.seal("resident", "name_enc", row, self.name.expose().as_bytes())?),
            phone_enc: Set(phone_enc),
            facts_enc: Set(tx.seal_json("resident", "facts_enc", row, &facts)?),
            home_secret_enc: Set(tx.seal("resident", "home_secret_enc", row, &tx.secret())?),
            hukou_division: Set(self.hukou.map(|hukou| hukou.to_string()).unwrap_or_default()),
            residence_division: Set(self.residence.to_string()),
            status: Set(LifeStatus::Alive.to_string()),
            status_on: Set(tx.today().get()),
            registered_by: Set(tx.actor().person().map(domain::id::Id::uuid)),
            created_at: Set(tx.now()),
            version: Set(1),
        };
        resident::Entity::insert(model).exec_without_returning(tx.db).await.map_err(exists("a resident with this identity number"))?;
        let mut address_ids = Vec::new();
        for address in &self.addresses {
            address_ids.push(insert_address(tx, id, address).await?);
        }
        tx.emit(Event::ResidentRegistered { resident: id });
        tx.record(&id, None, None);
        Ok(RegisteredResident { resident_id: id, address_ids, warnings: warnings.iter().map(ToString::to_string).collect() })
    }
}

impl RegisterResident {
    /// Checks everything that was given, and names all faults at once.
    async fn check(&self, tx: &Tx<'_>, id: ResidentId) -> Result<(IdentityNumber, Vec<Warning>, Resident), StoreError> {
        let mut faults = crate::facts::faults("facts", &self.declared);
        for (place, address) in self.addresses.iter().enumerate() {
            let text = address.text.expose_secret();
            if text.trim().is_empty() || text.chars().count() > ADDRESS_LENGTH_MAX || text.contains(char::is_control) {
                let cure = "write street, house and door in one line of 1 to 200 characters";
                faults.push(FieldError::new(format!("addresses.{place}.text"), "address.form", cure));
            }
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
        let divisions = self.addresses.iter().enumerate().map(|(place, address)| (format!("addresses.{place}.division"), address.division));
        for (field, code) in divisions.chain([("residence".to_owned(), self.residence)]) {
            if division::Entity::find_by_id(code.to_string()).one(tx.db).await?.is_none() {
                faults.push(FieldError::new(field, "division.unknown", "name a division of this city's table"));
            }
        }
        let form = birth_date.zip(sex).map(|(birth_date, sex)| ResidentForm {
            id,
            birth_date,
            sex,
            hukou: self.hukou,
            residence: self.residence,
            living: self.living,
            categories: self.categories.clone(),
            disability: self.disability,
            status: LifeStatus::Alive,
            status_since: tx.today(),
        });
        let resident = form
            .and_then(|form| Resident::register(form, tx.today()).map_err(|own| faults.extend(own.iter().flat_map(Fault::fields))).ok());
        match (number, resident) {
            (Some((number, warnings)), Some(resident)) if faults.is_empty() => Ok((number, warnings, resident)),
            _ => Err(StoreError::fields(faults)),
        }
    }
}

async fn insert_address(tx: &Tx<'_>, resident: ResidentId, address: &NewAddress) -> Result<ServiceAddressId, StoreError> {
    let id: ServiceAddressId = tx.id();
    let coordinate_enc = match &address.coordinate {
        Some(coordinate) => Some(tx.seal_json("service_address", "coordinate_enc", id.uuid(), coordinate)?),
        None => None,
    };
    let model = service_address::ActiveModel {
        id: Set(id.uuid()),
        resident_id: Set(resident.uuid()),
        division: Set(address.division.to_string()),
        text_enc: Set(tx.seal("service_address", "text_enc", id.uuid(), address.text.expose_secret().as_bytes())?),
        coordinate_enc: Set(coordinate_enc),
        created_at: Set(tx.now()),
    };
    service_address::Entity::insert(model).exec_without_returning(tx.db).await?;
    Ok(id)
}

/// Binds somebody with an account to a resident: from now on they may act for them.
#[derive(Debug, Clone)]
pub struct BindFamilyMember {
    /// The resident.
    pub resident: ResidentId,
    /// Login of the family member's account, or of the resident's own.
    pub login: String,
    /// How they are related.
    pub relation: Relation,
    /// The resident's consent.
    pub consent: Consent,
}

/// A bound family member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundFamilyMember {
    /// The resident.
    pub resident_id: ResidentId,
    /// Who may act for them.
    pub person_id: PersonId,
}

impl Command for BindFamilyMember {
    type Output = BoundFamilyMember;
    const ACTION: Option<Action> = Some(Action::BindFamilyMember);
    const NAME: &'static str = "bind_family_member";

    async fn run(&self, tx: &Tx<'_>) -> Result<BoundFamilyMember, StoreError> {
        let resident = lock(tx, self.resident).await?;
        tx.permit(Action::BindFamilyMember, &object(&resident)?)?;
        let unknown = || {
            StoreError::fields(vec![FieldError::new(
                "login",
                "login.unknown",
                "name the login of an account with the role family_member or resident",
            )])
        };
        if self.consent.given_on() > tx.today() {
            let cure = "write the day on which the consent was given";
            return Err(StoreError::fields(vec![FieldError::new("consent.given_on", "consent.future", cure)]));
        }
        let account = account::Entity::find().filter(account::Column::Login.eq(&self.login)).one(tx.db).await?.ok_or_else(unknown)?;
        let grants = role_grant::Entity::find()
            .filter(role_grant::Column::PersonId.eq(account.person_id))
            .filter(role_grant::Column::Role.is_in(["family_member", "resident"]))
            .one(tx.db)
            .await?;
        if grants.is_none() {
            return Err(unknown());
        }
        let model = relation::ActiveModel {
            person_id: Set(account.person_id),
            resident_id: Set(resident.id),
            relation: Set(self.relation.to_string()),
            consent: Set(crate::convert::to_json("relation", &self.consent)?),
            valid_from: Set(tx.today().get()),
            valid_until: Set(None),
            recorded_by: Set(tx.actor().person().map(domain::id::Id::uuid)),
            created_at: Set(tx.now()),
        };
        relation::Entity::insert(model).exec_without_returning(tx.db).await.map_err(exists("the relation"))?;
        let person = PersonId::from_uuid(account.person_id);
        tx.emit(Event::FamilyMemberBound { resident: self.resident, person });
        tx.record(&self.resident, None, None);
        Ok(BoundFamilyMember { resident_id: self.resident, person_id: person })
    }
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

/// Decrypts a resident's facts.
pub(crate) fn facts(tx: &Tx<'_>, row: &resident::Model) -> Result<StoredFacts, StoreError> {
    tx.open_json("resident", "facts_enc", row.id, &row.facts_enc)
}
