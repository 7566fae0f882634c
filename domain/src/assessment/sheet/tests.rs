use proptest::prelude::*;

use super::*;

fn header() -> String {
    columns().map(|(name, _)| name).collect::<Vec<_>>().join(",")
}

/// A row of highest scores, with the given columns replaced.
fn row(id: &str, changed: &[(&str, &str)]) -> String {
    let cell = |name: &str, column| {
        let change = changed.iter().find(|(changed, _)| *changed == name).map(|(_, text)| (*text).to_owned());
        change.unwrap_or_else(|| match column {
            Column::ResidentId => id.to_owned(),
            Column::Score(place) => ITEMS[place].max.to_string(),
            Column::Coma | Column::Dementia | Column::MentalDisorder | Column::RiskEvents => "0".to_owned(),
        })
    };
    columns().map(|(name, column)| cell(name, column)).collect::<Vec<_>>().join(",")
}

fn sheet(rows: &[String]) -> String {
    format!("{}\n{}\n", header(), rows.join("\n"))
}

fn faults(text: impl AsRef<[u8]>) -> Vec<String> {
    read(text.as_ref()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn levels_and_reasons_are_written_for_each_row() {
    let rows = [
        row("r-1", &[]),
        row("r-2", &[("B.3.8", "0")]),
        row("\"r,3\"", &[("dementia", "1"), ("risk_events_30d", "2")]),
        row("李", &[("B.3.9", "0"), ("coma", "1"), ("mental_disorder", "1")]),
    ];
    let answer = write(&read(sheet(&rows).as_bytes()).unwrap());
    assert_eq!(
        answer,
        "resident_id,total,preliminary_level,final_level,reasons\n\
         r-1,90,0,0,\n\
         r-2,89,1,1,\n\
         \"r,3\",90,0,1,dementia;risk_events\n\
         李,88,1,4,coma;mental_disorder\n"
    );
}

#[test]
fn a_byte_order_mark_other_line_ends_and_another_order_of_columns_are_accepted() {
    let plain = sheet(&[row("r-1", &[("B.1.1", "2")])]);
    let reversed = plain.lines().map(|line| line.rsplit(',').collect::<Vec<_>>().join(",")).collect::<Vec<_>>().join("\r\n");
    let expected = read(plain.as_bytes()).unwrap();
    assert_eq!(read(format!("\u{feff}{reversed}\r\n\r\n").as_bytes()).unwrap(), expected);
    assert_eq!(expected.len(), 1);
}

#[test]
fn a_sheet_with_a_header_alone_has_no_rows() {
    assert_eq!(read(header().as_bytes()), Ok(Vec::new()));
}

#[test]
fn a_file_without_a_header_is_refused() {
    for empty in ["", "\u{feff}", "\n\r\n"] {
        let found = faults(empty);
        assert!(found.len() == 1 && found[0].starts_with("line 1: the file is empty; begin the file with"), "{found:?}");
    }
    let found = faults(row("r-1", &[]));
    assert!(found.len() == 1 && found[0].starts_with("line 1: the header is missing"), "{found:?}");
}

#[test]
fn unknown_doubled_and_missing_columns_are_named_together() {
    let text = sheet(&[]).replace("B.1.1", " B.1.1").replace("coma", "dementia");
    assert_eq!(
        faults(text),
        [
            "line 1, column \" B.1.1\": the column is unknown; remove it or write its name as documented",
            "line 1, column dementia: the column stands there twice; remove one of the two",
            "line 1, column B.1.1: the column is missing; add it to the header and to each row",
            "line 1, column coma: the column is missing; add it to the header and to each row",
        ]
    );
}

#[test]
fn each_faulty_cell_is_named_with_its_cure() {
    let cases = [
        ("B.2.4", "4", "4 is not a score of this item; write 0 to 3"),
        ("B.1.1", "5", "5 is not a score of this item; write 0 to 4"),
        ("B.3.7", "2", "2 is not a score of this item; write 0 to 1"),
        ("B.1.1", "", "the cell is empty; write 0 to 4"),
        ("B.1.1", " 4", "\" 4\" has spaces around it; write 0 to 4"),
        ("B.1.1", "４", "\"４\" is not written in plain (half-width) digits; write 0 to 4"),
        ("B.1.1", "1.0", "1.0 is not a score of this item; write 0 to 4"),
        ("B.1.1", "+1", "+1 is not a score of this item; write 0 to 4"),
        ("B.1.1", "-1", "-1 is not a score of this item; write 0 to 4"),
        ("B.1.1", "04", "04 is not a score of this item; write 0 to 4"),
        ("B.1.1", "4\0", "\"4\\0\" is not a score of this item; write 0 to 4"),
        ("B.1.1", "440524188001010014440524188001010014", "a cell of 36 characters is not a score of this item; write 0 to 4"),
        ("coma", "yes", "yes is not a flag; write 0 or 1"),
        ("dementia", "2", "2 is not a flag; write 0 or 1"),
        ("mental_disorder", "", "the cell is empty; write 0 or 1"),
        ("risk_events_30d", "-1", "-1 is not a count; write a whole number such as 0 or 2"),
        ("risk_events_30d", "2.0", "2.0 is not a count; write a whole number such as 0 or 2"),
        ("risk_events_30d", "02", "02 is not a count; write a whole number such as 0 or 2"),
        ("risk_events_30d", "4294967296", "4294967296 is not a count; write a whole number such as 0 or 2"),
        ("resident_id", "", "the id is empty; write one for each resident"),
        ("resident_id", " r", "the id has spaces around it; remove them"),
        ("resident_id", "r\0", "the id holds a line end or another control character; remove it"),
        ("resident_id", "\"r\n2\"", "the id holds a line end or another control character; remove it"),
        (
            "resident_id",
            "=r",
            "the id could be taken for a formula by a spreadsheet; write an id that does not begin with = + - @ or a tab",
        ),
        (
            "resident_id",
            "＠r",
            "the id could be taken for a formula by a spreadsheet; write an id that does not begin with = + - @ or a tab",
        ),
        ("resident_id", "r-1", "the id r-1 already stands in line 2; write one row for each resident"),
    ];
    for (column, text, expected) in cases {
        let found = faults(sheet(&[row("r-1", &[]), row("r-2", &[(column, text)])]));
        assert_eq!(found, [format!("line 3, column {column}: {expected}")]);
    }
}

#[test]
fn ids_have_at_most_sixty_four_characters() {
    assert!(read(sheet(&[row(&"颐".repeat(64), &[])]).as_bytes()).is_ok());
    assert_eq!(
        faults(sheet(&[row(&"颐".repeat(65), &[])])),
        ["line 2, column resident_id: the id is too long; write at most 64 characters"]
    );
}

#[test]
fn all_faults_are_named_at_once_with_the_right_lines_after_a_quoted_line_end() {
    let rows = [row("r-1", &[("B.1.1", "\"\n\n\""), ("B.1.2", "9")]), "r-2,1".to_owned(), row("r-3", &[("coma", "x"), ("B.4.5", "x")])];
    assert_eq!(
        faults(sheet(&rows)),
        [
            "line 2, column B.1.1: \"\\n\\n\" has spaces around it; write 0 to 4",
            "line 4, column B.1.2: 9 is not a score of this item; write 0 to 4",
            "line 5: the row has 2 cells and the header 31; write one cell for each column of the header",
            "line 6, column B.4.5: x is not a score of this item; write 0 to 4",
            "line 6, column coma: x is not a flag; write 0 or 1",
        ]
    );
}

#[test]
fn what_is_no_utf_8_csv_is_refused() {
    let mut bytes = sheet(&[row("r-1", &[])]).into_bytes();
    bytes.extend(b"\xc0\xee");
    assert_eq!(faults(bytes), ["line 3: the file is not written in UTF-8; save the file as CSV in UTF-8"]);
    assert!(faults(sheet(&[row("\"r-1", &[])]))[0].starts_with("line 2, column resident_id: a quote is opened here and never closed"));
}

#[test]
fn a_hundred_faults_are_listed_and_the_rest_counted() {
    let rows: Vec<String> = (0..150).map(|number| row(&format!("r-{number}"), &[("coma", "2")])).collect();
    let found = faults(sheet(&rows));
    assert_eq!(found.len(), 101);
    assert_eq!(found[100], "line 102: and 50 more from here on; cure the faults above first");
}

proptest! {
    #[test]
    fn ids_come_back_as_they_were_given(ids in prop::collection::hash_set("[a-zA-Z0-9\"',;颐]([a-z\"',;=+家 @-]{0,6}[a-z,\"=])?", 1..5)) {
        let rows: Vec<String> = ids.iter().map(|id| row(&format!("\"{}\"", id.replace('"', "\"\"")), &[])).collect();
        let answer = write(&read(sheet(&rows).as_bytes()).unwrap());
        let given: Vec<String> = Records::new(&answer).skip(1).map(|record| record.unwrap().cells[0].text.to_string()).collect();
        prop_assert_eq!(given, ids.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn no_input_breaks_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = [header().as_bytes(), b"\n", &bytes].concat();
        if let Err(faults) = read(&text) {
            prop_assert!(faults.iter().all(|fault| fault.line >= 1 && !fault.cure.is_empty()));
        }
    }
}
