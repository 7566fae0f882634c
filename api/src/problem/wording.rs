//! The words of a problem in the reader's language. The domain and the database speak English; the catalogue
//! translates by their stable codes.

use domain::error::FieldError;
use i18n::Locale;

use super::{Content, FieldFault};

/// The title of the code, or else of its kind.
pub(super) fn title(locale: Locale, problem: &Content) -> String {
    let title = i18n::problem_title(locale, problem.code).or_else(|| i18n::kind_title(locale, problem.kind));
    title.map_or_else(|| problem.detail.clone(), Into::into)
}

/// What happened this time. Details are made in English, with the names and numbers of the case; who asks for
/// Chinese is better served by the title.
pub(super) fn detail(locale: Locale, title: &str, english: &str) -> String {
    match locale {
        Locale::ZhCn => title.to_owned(),
        Locale::En => english.to_owned(),
    }
}

/// A faulty field with its cure; a code without a text in the language keeps the English cure.
pub(super) fn field(locale: Locale, fault: &FieldError) -> FieldFault {
    let cure = i18n::cure(locale, &fault.code, &fault.cure).unwrap_or_else(|| fault.cure.clone());
    FieldFault { field: fault.field.clone(), code: fault.code.clone(), cure }
}

#[cfg(test)]
mod tests {
    use domain::error::Kind;

    use super::*;
    use crate::problem::Problem;

    #[test]
    fn the_title_is_that_of_the_code_or_else_of_the_kind() {
        let date = Problem::from(domain::time::TimeError::Date);
        assert_eq!(title(Locale::En, &date.0), "Write a date as 2026-11-23");
        let broken = Problem::broken("nothing.known", "x");
        assert_eq!(Some(title(Locale::ZhCn, &broken.0)), i18n::kind_title(Locale::ZhCn, Kind::Broken).map(Into::into));
    }

    #[test]
    fn a_field_keeps_its_english_cure_where_its_code_has_no_text() {
        let fault = FieldError::new("line 3", "policy.fault", "write a share from 0 to 100");
        for locale in Locale::ALL {
            let told = field(locale, &fault);
            assert_eq!((told.field.as_str(), told.code.as_str()), ("line 3", "policy.fault"));
            assert_eq!(told.cure, "write a share from 0 to 100");
        }
    }
}
