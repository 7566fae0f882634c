use proptest::prelude::*;

use super::*;

fn cells(text: &str) -> Vec<Vec<(u64, String)>> {
    let row = |record: Record<'_>| record.cells.into_iter().map(|cell| (cell.line, cell.text.into_owned())).collect();
    Records::new(text).map(|record| row(record.unwrap())).collect()
}

fn fault(text: &str) -> String {
    Records::new(text).find_map(Result::err).unwrap().to_string()
}

fn at(line: u64, text: &str) -> (u64, String) {
    (line, text.to_owned())
}

#[test]
fn every_kind_of_line_end_counts_as_one_line() {
    let rows = cells("a\r\nb\rc\n\n\r\n\rd");
    assert_eq!(rows, [[at(1, "a")], [at(2, "b")], [at(3, "c")], [at(7, "d")]]);
}

#[test]
fn line_ends_inside_quotes_keep_the_line_numbers_right() {
    let rows = cells("\"a\r\nb\n\",c\nd,\n");
    assert_eq!(rows, [[at(1, "a\r\nb\n"), at(3, "c")], [at(4, "d"), at(4, "")]]);
}

#[test]
fn doubled_quotes_stand_for_one() {
    assert_eq!(cells(r#""""",",","a""b""""#), [[at(1, "\""), at(1, ","), at(1, "a\"b\"")]]);
}

#[test]
fn faulty_quoting_is_refused_with_its_place() {
    assert!(fault("a\nb,c\"d\"").starts_with("line 2, column 2: a quote stands inside"));
    assert!(fault("a\n\"b\"c").starts_with("line 2, column 1: text follows"));
    assert!(fault("a\nb,\"c\n\n").starts_with("line 2, column 2: a quote is opened here and never closed"));
    assert_eq!(Records::new("a\"\nb\n").count(), 1, "nothing is read after a fault in the quoting");
}

#[test]
fn other_encodings_are_refused_with_the_line() {
    assert_eq!(decode(b"\xef\xbb\xbfa"), Ok("a"));
    assert_eq!(
        decode(b"a\r\nb\n\xb0\xa1").unwrap_err().to_string(),
        "line 3: the file is not written in UTF-8; save the file as CSV in UTF-8"
    );
    assert!(decode(b"\xff\xfea\0").unwrap_err().message.contains("UTF-16"));
}

#[test]
fn faults_beyond_the_limit_are_counted() {
    let mut faults = Faults::default();
    for line in 1..=103 {
        faults.push(SheetFault::new(line, "", "wrong", "right"));
    }
    let listed = faults.into_result(()).unwrap_err();
    assert_eq!(listed.len(), 101);
    assert_eq!(listed[100].to_string(), "line 101: and 3 more from here on; cure the faults above first");
}

#[test]
fn no_cell_is_taken_for_a_formula() {
    let mut sheet = String::new();
    push_record(&mut sheet, ["=1+1", "＠a", "\r,", "a-b", ""]);
    assert_eq!(sheet, "'=1+1,'＠a,\"'\r,\",a-b,\n");
}

#[test]
fn long_cells_are_not_repeated() {
    assert_eq!(quote_cell("4"), "4");
    assert_eq!(quote_cell("４\0"), "\"４\\0\"");
    assert_eq!(quote_cell(&"9".repeat(21)), "a cell of 21 characters");
}

#[test]
fn what_may_be_an_identity_number_is_masked() {
    assert_eq!(quote_cell("110105194912310021"), "***");
    assert_eq!(quote_cell("11010519491231002X"), "***X");
    assert_eq!(quote_cell("x 110105491231002 "), "\"x *** \"");
    assert_eq!(mask_digits("a １１０１０５１９４９１２３１００２１"), "a ***");
    assert_eq!(mask_digits("22-12345678901234-123"), "22-12345678901234-123");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(rows in prop::collection::vec(prop::collection::vec("[a-z天 \",;\n][a-zA-Z0-9津 \",;\n\r]{0,5}", 1..4), 1..4)) {
        let mut sheet = String::new();
        for row in &rows {
            push_record(&mut sheet, row.iter().map(String::as_str));
        }
        let read: Vec<Vec<String>> =
            cells(&sheet).into_iter().map(|row| row.into_iter().map(|(_, text)| text).collect()).collect();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\0\xff".to_vec()), 0..40)) {
        if let Ok(text) = decode(&bytes) {
            let lines = line_ends(text) + 1;
            for record in Records::new(text) {
                let line = match record { Ok(record) => record.line, Err(fault) => fault.line };
                prop_assert!(line <= lines);
            }
        }
    }
}
