//! Providers, their carers and their price lists.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    access::{Object, Role},
    event::Event,
    id::{PriceId, ProviderId},
    onboarding::{CARER_COLUMNS, CarerRow, PRICE_COLUMNS, PROVIDER_COLUMNS, PriceRow, ProviderRow, read_carer, read_price, read_provider},
    provider::CreditCode,
    sheet::{Entry, Grid},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use secrecy::SecretString;

use super::TakeOver;
use crate::{
    command::{
        account::{CreateAccount, NewRole, PasswordHashed, RoleReach},
        provider::{ApplyAsProvider, enter_carer},
    },
    entity::{account, person, price, provider},
    error::StoreError,
};

/// Providers enter as applicants: review and admission by two other persons follow as for everybody.
pub(super) async fn take_providers(over: &mut TakeOver<'_>, grid: &Grid) -> Result<(), StoreError> {
    let key = |row: &ProviderRow| row.credit_code.as_str().to_owned();
    for (key, entry) in over.read(grid, PROVIDER_COLUMNS, read_provider, ("credit_code", key)) {
        if !over.is_new("credit_code", &key, &entry).await? {
            continue;
        }
        let row = &entry.value;
        let object = Object { division: Some(row.division), ..Object::default() };
        if over.tx.permit(over.action(), &object).is_err() {
            over.refuse(entry.line, "division", "the division is not within your reach", "leave the row to whoever administers it");
            continue;
        }
        match find(over, &row.credit_code).await? {
            Some(known) if known.name == row.name => over.same += 1,
            Some(_) => over.refuse(
                entry.line,
                "credit_code",
                "a provider with this credit code is entered under another name",
                "compare it with the licence, and correct the sheet or the entry",
            ),
            None => {
                let command = ApplyAsProvider {
                    name: row.name.clone(),
                    credit_code: row.credit_code.clone(),
                    division: row.division,
                    licences: row.licences.clone(),
                };
                match command.enter(over.tx, over.clerk).await {
                    Ok(_entered) => over.remember(&key, &entry).await?,
                    Err(cause) => over.refuse_row(entry.line, cause, column)?,
                }
            }
        }
    }
    Ok(())
}

fn column(field: &str) -> &'static str {
    match field {
        "name" => "name",
        "division" => "division",
        "licences" => "licences",
        _ => "",
    }
}

async fn find(over: &TakeOver<'_>, code: &CreditCode) -> Result<Option<provider::Model>, StoreError> {
    Ok(provider::Entity::find().filter(provider::Column::CreditCode.eq(code.as_str())).one(over.tx.db).await?)
}

/// The provider of a row within the clerk's reach; else the row is noted.
async fn provider_of(over: &mut TakeOver<'_>, line: u64, code: &CreditCode) -> Result<Option<provider::Model>, StoreError> {
    let found = find(over, code).await?.filter(|row| {
        let division = row.division.parse().ok();
        over.tx.permit(over.action(), &Object { division, ..Object::default() }).is_ok()
    });
    if found.is_none() {
        over.refuse(line, "credit_code", "no provider within your reach has this credit code", "take over the providers first");
    }
    Ok(found)
}

/// Carers get an account without a password that anybody knows: they sign in by the code that their provider gives
/// them.
pub(super) async fn take_carers(over: &mut TakeOver<'_>, grid: &Grid) -> Result<(), StoreError> {
    let key = |row: &CarerRow| row.login.clone();
    let rows = over.read(grid, CARER_COLUMNS, read_carer, ("login", key));
    let secret = SecretString::from(URL_SAFE_NO_PAD.encode(over.tx.secret()));
    let hashed = tokio::task::spawn_blocking(move || PasswordHashed::new(&secret)).await;
    let password = hashed.unwrap_or(Err(StoreError::Panicked))?;
    for (key, entry) in rows {
        if !over.is_new("login", &key, &entry).await? {
            continue;
        }
        let Some(provider) = provider_of(over, entry.line, &entry.value.credit_code).await? else { continue };
        let taken = account::Entity::find().filter(account::Column::Login.eq(&entry.value.login)).one(over.tx.db).await?;
        if taken.is_some() {
            over.refuse(entry.line, "login", "an account with this login exists", "remove the row, or write another login");
            continue;
        }
        match insert_carer(over, &provider, &entry.value, password.clone()).await {
            Ok(()) => over.remember(&key, &entry).await?,
            Err(cause) => over.refuse_row(entry.line, cause, |field| if field == "login" { "login" } else { "" })?,
        }
    }
    Ok(())
}

async fn insert_carer(over: &TakeOver<'_>, provider: &provider::Model, row: &CarerRow, password: PasswordHashed) -> Result<(), StoreError> {
    let tx = over.tx;
    let of = ProviderId::from_uuid(provider.id);
    let roles = vec![NewRole { role: Role::Carer, reach: RoleReach::Provider(of) }];
    let account = CreateAccount { name: row.name.clone(), login: row.login.clone(), password, roles };
    account.check(tx).await?;
    let person = account.insert(tx).await?.person_id;
    if let Some(phone) = &row.phone {
        let phone_enc = tx.seal("person", "phone_enc", person.uuid(), phone.expose().as_bytes())?;
        let change = person::ActiveModel { id: Set(person.uuid()), phone_enc: Set(Some(phone_enc)), ..Default::default() };
        person::Entity::update(change).exec_without_returning(tx.db).await?;
    }
    enter_carer(tx, of, person, &row.certificates, over.clerk).await.map(drop)
}

/// Price lists with their history: days of the past are welcome, what was shown under them is not touched.
pub(super) async fn take_prices(over: &mut TakeOver<'_>, grid: &Grid) -> Result<(), StoreError> {
    let key = |row: &PriceRow| format!("{}/{}/{}/{}", row.credit_code.as_str(), row.item, row.class, row.effective_from);
    for (key, entry) in over.read(grid, PRICE_COLUMNS, read_price, ("effective_from", key)) {
        if !over.is_new("effective_from", &key, &entry).await? {
            continue;
        }
        let row = &entry.value;
        let item = over.tx.reference.catalogue.item(row.item, row.effective_from);
        if !item.is_some_and(|item| item.classes().contains(&row.class)) {
            let cure = "write an item and class that the catalogue has on that day";
            over.refuse(entry.line, "class", "the catalogue does not have this item in this class on that day", cure);
            continue;
        }
        let Some(provider) = provider_of(over, entry.line, &row.credit_code).await? else { continue };
        match price_from(over, &provider, row).await? {
            Some(known) if known.unit_price_fen == row.unit_price.get() => over.same += 1,
            Some(_) => over.refuse(
                entry.line,
                "unit_price_yuan",
                "the provider has another price from this day on",
                "publish a price from a later day instead",
            ),
            None => insert_price(over, &provider, &key, &entry).await?,
        }
    }
    Ok(())
}

async fn price_from(over: &TakeOver<'_>, provider: &provider::Model, row: &PriceRow) -> Result<Option<price::Model>, StoreError> {
    Ok(price::Entity::find()
        .filter(price::Column::ProviderId.eq(provider.id))
        .filter(price::Column::Item.eq(row.item.to_string()))
        .filter(price::Column::Class.eq(row.class.to_string()))
        .filter(price::Column::EffectiveFrom.eq(row.effective_from.get()))
        .one(over.tx.db)
        .await?)
}

async fn insert_price(over: &mut TakeOver<'_>, provider: &provider::Model, key: &str, entry: &Entry<PriceRow>) -> Result<(), StoreError> {
    let (tx, row) = (over.tx, &entry.value);
    let id: PriceId = tx.id();
    let model = price::ActiveModel {
        id: Set(id.uuid()),
        provider_id: Set(provider.id),
        item: Set(row.item.to_string()),
        class: Set(row.class.to_string()),
        unit_price_fen: Set(row.unit_price.get()),
        effective_from: Set(row.effective_from.get()),
        published_by: Set(over.clerk.uuid()),
        created_at: Set(tx.now()),
    };
    price::Entity::insert(model).exec_without_returning(tx.db).await?;
    tx.emit(Event::PricePublished { provider: ProviderId::from_uuid(provider.id), price: id });
    tx.record(&id, None, None);
    over.remember(key, entry).await
}
