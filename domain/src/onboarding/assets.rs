//! The sheets of providers, their carers and their price lists.

use std::fmt;

use crate::{
    catalogue::{ItemCode, ServiceClass},
    division::DivisionCode,
    money::Fen,
    provider::{Credential, CreditCode},
    resident::{PersonName, PhoneNumber},
    sheet::{Column, Noted, Row, quote_cell},
    time::{BusinessDate, DateRange},
};

/// The columns of a sheet of providers.
pub const PROVIDER_COLUMNS: &[Column] = &[
    Column { name: "credit_code", needed: true },
    Column { name: "name", needed: true },
    Column { name: "division", needed: true },
    Column { name: "licences", needed: true },
];

/// One provider of a sheet. It enters as an applicant: review and admission by two other persons follow as for
/// everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    /// Unified social credit code.
    pub credit_code: CreditCode,
    /// Registered name.
    pub name: String,
    /// Division of the seat.
    pub division: DivisionCode,
    /// Licences, at least one.
    pub licences: Vec<Credential>,
}

/// Reads one row; faults are noted in it.
///
/// # Errors
/// Faults, noted.
pub fn read_provider(row: &mut Row<'_>) -> Result<ProviderRow, Noted> {
    let credit_code = row.needed("credit_code", CreditCode::parse);
    let name = row.needed_text("name");
    let division = row.needed("division", str::parse::<DivisionCode>);
    let licences = read_credentials(row, "licences");
    Ok(ProviderRow { credit_code: credit_code?, name: name?, division: division?, licences: licences? })
}

/// The columns of a sheet of carers.
pub const CARER_COLUMNS: &[Column] = &[
    Column { name: "credit_code", needed: true },
    Column { name: "login", needed: true },
    Column { name: "name", needed: true },
    Column { name: "phone", needed: false },
    Column { name: "certificates", needed: true },
];

/// One carer of a sheet.
#[derive(Clone, PartialEq, Eq)]
pub struct CarerRow {
    /// Credit code of the provider.
    pub credit_code: CreditCode,
    /// What the carer types to sign in.
    pub login: String,
    /// Name.
    pub name: PersonName,
    /// Telephone.
    pub phone: Option<PhoneNumber>,
    /// Certificates, health proof among them.
    pub certificates: Vec<Credential>,
}

/// Shows nothing: everything is personal.
impl fmt::Debug for CarerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarerRow").finish_non_exhaustive()
    }
}

/// Reads one row; faults are noted in it.
///
/// # Errors
/// Faults, noted.
pub fn read_carer(row: &mut Row<'_>) -> Result<CarerRow, Noted> {
    let credit_code = row.needed("credit_code", CreditCode::parse);
    let login = row.needed_text("login");
    let name = row.needed("name", PersonName::parse);
    let phone = row.optional("phone", PhoneNumber::parse);
    let certificates = read_credentials(row, "certificates");
    Ok(CarerRow { credit_code: credit_code?, login: login?, name: name?, phone: phone?, certificates: certificates? })
}

/// `home_service:TJ-001:2024-01-01` or `…:2024-01-01:2027-01-01` (kind, number, from, first day on which it no longer
/// holds), several divided by semicolons.
fn read_credentials(row: &mut Row<'_>, name: &'static str) -> Result<Vec<Credential>, Noted> {
    let cure = "write kind:number:from or kind:number:from:until such as health_proof:H-17:2026-01-01:2027-01-01, several divided by ;";
    let parts = row.list(name);
    if parts.is_empty() {
        return Err(row.refuse(name, "the cell is empty", cure));
    }
    // Each part that is none is noted, not the first alone.
    let read: Vec<_> = parts
        .iter()
        .map(|part| {
            let wrong = || format!("{} is no licence or certificate with its days", quote_cell(part));
            read_credential(part).ok_or_else(wrong).map_err(|message| row.refuse(name, message, cure))
        })
        .collect();
    read.into_iter().collect()
}

fn read_credential(text: &str) -> Option<Credential> {
    let mut parts = text.split(':').map(str::trim);
    let (kind, number) = (parts.next()?.parse().ok()?, parts.next()?);
    let from: BusinessDate = parts.next()?.parse().ok()?;
    let until = parts.next().map(str::parse).transpose().ok()?;
    let valid = DateRange::new(from, until).ok()?;
    if parts.next().is_some() { None } else { Credential::new(kind, number, valid).ok() }
}

/// The columns of a sheet of prices.
pub const PRICE_COLUMNS: &[Column] = &[
    Column { name: "credit_code", needed: true },
    Column { name: "item", needed: true },
    Column { name: "class", needed: true },
    Column { name: "unit_price_yuan", needed: true },
    Column { name: "effective_from", needed: true },
];

/// One price of a sheet; past ones are history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// Credit code of the provider.
    pub credit_code: CreditCode,
    /// Service item.
    pub item: ItemCode,
    /// Where it is given.
    pub class: ServiceClass,
    /// Price of one catalogue unit.
    pub unit_price: Fen,
    /// First day.
    pub effective_from: BusinessDate,
}

/// Reads one row; faults are noted in it.
///
/// # Errors
/// Faults, noted.
pub fn read_price(row: &mut Row<'_>) -> Result<PriceRow, Noted> {
    let credit_code = row.needed("credit_code", CreditCode::parse);
    let item = row.needed_code::<ItemCode>("item");
    let class = row.needed_code::<ServiceClass>("class");
    let unit_price = row.needed("unit_price_yuan", str::parse::<Fen>);
    let effective_from = row.needed_day("effective_from");
    Ok(PriceRow { credit_code: credit_code?, item: item?, class: class?, unit_price: unit_price?, effective_from: effective_from? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{Entry, Faults, Grid, SheetFault, Table};

    fn read<T>(csv: &str, columns: &'static [Column], row: fn(&mut Row<'_>) -> Result<T, Noted>) -> Result<Vec<Entry<T>>, Vec<SheetFault>> {
        let grid = Grid::from_csv(csv.as_bytes())?;
        let mut faults = Faults::default();
        let rows = Table::fit(&grid, columns)?.read(&mut faults, row);
        faults.into_result(rows)
    }

    #[test]
    fn several_licences_stand_in_one_cell() {
        let csv = "credit_code,name,division,licences\n91350100M000100Y43,和平养老,120101001000,home_service:A-1:2024-01-01；meals:A-2:2024-01-01:2027-01-01\n";
        let rows = read(csv, PROVIDER_COLUMNS, read_provider).unwrap();
        assert_eq!(rows[0].value.licences.len(), 2);
        assert_eq!(rows[0].value.licences[1].valid().until().map(|day| day.to_string()).as_deref(), Some("2027-01-01"));
    }

    #[test]
    fn each_faulty_certificate_is_named() {
        let csv = "credit_code,login,name,certificates\n91350100M000100Y43,li.na,李娜,health_proof:H:2026-02-30;carer:C;x:1:2026-01-01\n";
        assert_eq!(read(csv, CARER_COLUMNS, read_carer).unwrap_err().len(), 2);
    }

    #[test]
    fn prices_are_yuan() {
        let header = "credit_code,item,class,unit_price_yuan,effective_from\n";
        let rows = read(&format!("{header}91350100M000100Y43,bathing,home,120.5,2025-01-01\n"), PRICE_COLUMNS, read_price).unwrap();
        assert_eq!(rows[0].value.unit_price.get(), 12_050);
        let faults = read(&format!("{header}91350100M000100Y44,bath,house,12.345,2025\n"), PRICE_COLUMNS, read_price).unwrap_err();
        let columns: Vec<_> = faults.iter().map(|fault| fault.column.as_str()).collect();
        assert_eq!(columns, ["credit_code", "item", "class", "unit_price_yuan", "effective_from"]);
    }
}
