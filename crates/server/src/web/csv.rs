//! CSV (RFC 4180), whose cells no spreadsheet runs.

/// What begins a formula, in wide letters too.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
/// What may end a cell: in many countries that is the semicolon.
const BORDERS: [char; 6] = [',', ';', '\t', '\r', '\n', '"'];

/// A line of CSV.
pub fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// A cell: in quotes where it has to be, and with an apostrophe before what a spreadsheet would take for a formula: at the
/// beginning, and wherever one that is set to another country would begin a new cell, whatever the quotes say.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    for piece in text.split_inclusive(BORDERS) {
        let said = piece.trim_end_matches(BORDERS).trim();
        if said.starts_with(FORMULAS) && said.parse::<f64>().is_err() {
            safe.push('\'');
        }
        safe.push_str(piece);
    }
    match safe.contains([',', ';', '"', '\t', '\r', '\n']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_taken_apart_nor_run() {
        assert_eq!(
            csv_line(["a", "b,c", "say \"x\"", "=cmd()", "-1", "@a\n"]),
            "a,\"b,c\",\"say \"\"x\"\"\",'=cmd(),-1,\"'@a\n\"\r\n"
        );
    }

    #[test]
    fn no_spreadsheet_finds_a_formula_behind_a_border() {
        for (text, line) in [
            ("curl;=1+cmd|' /C calc'!A0;b", "\"curl;'=1+cmd|' /C calc'!A0;b\"\r\n"),
            ("a,\"=b\"", "\"a,\"\"'=b\"\"\"\r\n"),
            ("\t=a", "\"\t'=a\"\r\n"),
            (" =a", "' =a\r\n"),
            ("\u{ff1d}a", "'\u{ff1d}a\r\n"),
            ("a;-1;+2.5", "\"a;-1;+2.5\"\r\n"),
            ("2026-11-24 a=b", "2026-11-24 a=b\r\n"),
        ] {
            assert_eq!(csv_line([text]), line);
        }
    }
}
