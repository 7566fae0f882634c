use proptest::prelude::*;

use super::*;

fn today() -> BusinessDate {
    "2026-11-23".parse().unwrap()
}

fn parse(document: IdentityDocument, text: &str) -> Result<(IdentityNumber, Vec<Warning>), IdentityError> {
    IdentityNumber::parse(document, text, today(), |county| matches!(county, "120101" | "110105" | "320311" | "370303"))
}

fn resident(text: &str) -> Result<(IdentityNumber, Vec<Warning>), IdentityError> {
    parse(IdentityDocument::ResidentId, text)
}

#[test]
fn right_numbers_state_birth_date_and_sex() {
    use Warning::{Review, UnknownCounty};
    let cases: [(&str, &str, Sex, &[Warning]); 7] = [
        ("11010519491231002X", "1949-12-31", Sex::Female, &[]),
        ("440524188001010014", "1880-01-01", Sex::Male, &[UnknownCounty, Review]),
        ("34052419800101001X", "1980-01-01", Sex::Male, &[UnknownCounty]),
        ("120101194002290011", "1940-02-29", Sex::Male, &[]),
        ("12010119400229002X", "1940-02-29", Sex::Female, &[]),
        ("320311193512310031", "1935-12-31", Sex::Male, &[]),
        ("370303194501010045", "1945-01-01", Sex::Female, &[]),
    ];
    for (text, birth, sex, warnings) in cases {
        let (number, found) = resident(text).unwrap();
        assert_eq!(number.birth_date(), Some(birth.parse().unwrap()), "{text}");
        assert_eq!((number.sex(), number.expose(), found.as_slice()), (Some(sex), text, warnings));
    }
}

#[test]
fn each_wrong_number_is_refused_for_its_own_reason() {
    let cases = [
        ("120101194302290013", IdentityError::BirthDate),
        ("120101194413010010", IdentityError::BirthDate),
        ("120101209901010019", IdentityError::FutureBirth),
        ("99999919450101001X", IdentityError::Province),
        ("000000194501010010", IdentityError::Province),
        ("110105194912310021", IdentityError::CheckDigit),
        ("120101400229001", IdentityError::OldForm),
        ("", IdentityError::Form),
        ("1201011940022900", IdentityError::Form),
        ("1201011940022900111", IdentityError::Form),
        ("1201011940022900Y1", IdentityError::Form),
        ("12010119400229001Y", IdentityError::Form),
        ("12010119400229001颐", IdentityError::Form),
        ("12010119400229001 ", IdentityError::Spaces),
        (" 120101194002290011", IdentityError::Spaces),
        ("120101194002290011\n", IdentityError::Spaces),
        ("１２０１０１１９４００２２９００１１", IdentityError::FullWidth),
        ("1.20101E+17", IdentityError::Spreadsheet),
        ("-20101194002290011", IdentityError::Form),
    ];
    for (text, error) in cases {
        assert_eq!(resident(text), Err(error), "{text:?}");
        assert!(error.fields().iter().all(|field| field.field == "number" && !field.cure.is_empty()));
    }
}

#[test]
fn a_small_x_becomes_a_large_one() {
    assert_eq!(resident("11010519491231002x").unwrap(), resident("11010519491231002X").unwrap());
}

#[test]
fn a_birth_is_reviewed_after_one_hundred_and_thirty_years() {
    // Born on 1 January 1880: the 130th birthday is 1 January 2010.
    let warned = |day: &str| {
        let (_, warnings) =
            IdentityNumber::parse(IdentityDocument::ResidentId, "440524188001010014", day.parse().unwrap(), |_| true).unwrap();
        warnings == [Warning::Review]
    };
    assert!(!warned("2010-01-01") && warned("2010-01-02"));
}

#[test]
fn people_with_residence_permits_of_hong_kong_macao_and_taiwan_have_resident_numbers() {
    for province in ["81", "82", "83"] {
        let body = format!("{province}000019500101001");
        let check = char::from(check_character(&body).unwrap());
        let (number, warnings) = resident(&format!("{body}{check}")).unwrap();
        assert_eq!((number.sex(), warnings), (Some(Sex::Male), vec![Warning::UnknownCounty]));
    }
}

#[test]
fn other_documents_have_forms_of_their_own() {
    use IdentityDocument::{ForeignerResidence, HkMacaoPermit, Passport, TaiwanPermit};
    for (document, text) in [
        (Passport, "E12345678"),
        (Passport, "e1234567"),
        (HkMacaoPermit, "H12345678"),
        (HkMacaoPermit, "M1234567801"),
        (TaiwanPermit, "12345678"),
        (ForeignerResidence, "USA110012345678"),
    ] {
        let (number, warnings) = parse(document, text).unwrap();
        assert_eq!((number.birth_date(), number.document(), warnings.len()), (None, document, 0), "{text}");
    }
    for (document, text) in [
        (Passport, "E123"),
        (Passport, "E1234-678"),
        (HkMacaoPermit, "T12345678"),
        (HkMacaoPermit, "H1234567"),
        (TaiwanPermit, "1234567A"),
        (ForeignerResidence, "110012345678901"),
        (ForeignerResidence, "US1110012345678"),
    ] {
        assert_eq!(parse(document, text), Err(IdentityError::DocumentForm), "{text}");
    }
}

#[test]
fn new_cards_of_foreigners_state_birth_date_and_sex() {
    let body = "91184019500101002";
    let check = char::from(check_character(body).unwrap());
    let (number, warnings) = parse(IdentityDocument::ForeignerResidence, &format!("{body}{check}")).unwrap();
    assert_eq!((number.birth_date(), number.sex()), (Some("1950-01-01".parse().unwrap()), Some(Sex::Female)));
    assert!(warnings.is_empty());
    assert_eq!(parse(IdentityDocument::ForeignerResidence, "911840195001010029"), Err(IdentityError::CheckDigit));
}

#[test]
fn a_number_contradicts_another_birth_date_and_sex() {
    let (number, _) = resident("120101194002290011").unwrap();
    let birth = "1940-02-29".parse().unwrap();
    assert_eq!(number.contradictions(birth, Sex::Male), []);
    assert_eq!(number.contradictions(today(), Sex::Female), [IdentityError::OtherBirthDate, IdentityError::OtherSex]);
    assert_eq!(IdentityError::OtherSex.fields().len(), 2);
}

#[test]
fn numbers_show_only_masked() {
    let (number, _) = resident("120101194002290011").unwrap();
    assert_eq!(format!("{number} {number:?}"), "1201**********0011 1201**********0011");
    let (passport, _) = parse(IdentityDocument::Passport, "E12345678").unwrap();
    assert_eq!(passport.to_string(), "E1*****78");
}

proptest! {
    #[test]
    fn every_single_wrong_digit_is_noticed(place in 0usize..17, by in 1u8..10) {
        let mut digits = *b"120101194002290011";
        digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
        prop_assert!(resident(str::from_utf8(&digits).unwrap()).is_err());
    }

    #[test]
    fn no_text_breaks_the_check(text in "\\PC{0,20}", document in prop::sample::select(vec![
        IdentityDocument::ResidentId, IdentityDocument::Passport, IdentityDocument::HkMacaoPermit,
        IdentityDocument::TaiwanPermit, IdentityDocument::ForeignerResidence,
    ])) {
        if let Ok((number, _)) = parse(document, &text) {
            prop_assert_eq!(number.expose(), text.to_ascii_uppercase());
            prop_assert!(number.to_string().contains('*'));
        }
    }
}
