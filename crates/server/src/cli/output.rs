//! What commands write on stdout: text, small tables, JSON; and the one question they may ask.

use std::borrow::Cow;
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write as _};

use serde_json::Value;

use super::Failure;
use super::environment::variable;
use crate::web::csv::csv_line;

/// What stands between two columns.
const GAP: &str = "  ";
/// The narrowest that a column is made.
const MIN_COLUMN: usize = 8;

/// Prints text for people. Names and log lines hold strangers' words, which must not steer the terminal.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    write(&harmless(text))
}

fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && c != '\n';
    match text.contains(is_harmful) {
        true => text.replace(is_harmful, "\u{fffd}").into(),
        false => text.into(),
    }
}

/// Greets with what a server has to say at its start; it runs on where nobody reads that.
pub(super) fn greet(text: &str) -> Result<(), Failure> {
    match print(text) {
        Err(Failure(sentence)) if sentence.is_empty() => Ok(()),
        printed => printed,
    }
}

/// Prints a program to the letter. Whoever wrote it left no control in it that could steer the terminal.
pub(super) fn print_program(text: &str) -> Result<(), Failure> {
    write(text.trim_end_matches('\n'))
}

/// Prints JSON for programs, over several lines.
pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    write(&format!("{value:#}"))
}

/// Prints JSON for programs, on one line.
pub(super) fn print_json_line(value: &Value) -> Result<(), Failure> {
    write(&value.to_string())
}

/// Prints rows under a heading as CSV (RFC 4180), for spreadsheets and what reads their files.
pub(super) fn print_csv(heading: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let text = csv(heading, rows);
    write(text.strip_suffix('\n').unwrap_or(&text))
}

fn csv(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = csv_line(heading.iter().copied());
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| harmless(cell)).collect();
        text.push_str(&csv_line(cells.iter().map(AsRef::as_ref)));
    }
    text
}

/// Says something beside the answer, on stderr.
pub(super) fn remark(text: &str) {
    // Where nobody reads stderr there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether a removal may go on: `forced`, or the person at the terminal says yes.
pub(super) fn may_go_on(question: &str, forced: bool) -> Result<(), Failure> {
    let is_yes = |answer: &str| matches!(answer, "y" | "Y" | "yes");
    agreed(question, "[y/N]", is_yes, forced)
}

/// The same where so much goes that a yes is not enough: they type its name.
pub(super) fn may_remove(question: &str, name: &str, forced: bool) -> Result<(), Failure> {
    agreed(
        question,
        &format!("Type {name} to go on:"),
        |answer| answer == name,
        forced,
    )
}

fn agreed(question: &str, how: &str, is_agreed: impl Fn(&str) -> bool, forced: bool) -> Result<(), Failure> {
    if forced {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure(format!(
            "{question} Nobody is there to ask: say --force to go on."
        )));
    }
    let _ = write!(io::stderr(), "{question} {how} ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::because("the answer cannot be read", error))?;
    match is_agreed(answer.trim()) {
        true => Ok(()),
        false => Err(Failure("nothing was changed".into())),
    }
}

/// Rows under a heading, in columns as wide as they must be; at a terminal no wider than it is.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    fitted(heading, rows, columns())
}

/// The same in so many characters a line, if they are bounded: the widest columns are cut, never the first, since what
/// it holds is what other commands take.
fn fitted(heading: &[&str], rows: &[Vec<String>], bound: Option<usize>) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or_default()
    };
    let mut widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let gaps = GAP.len() * heading.len().saturating_sub(1);
    while bound.is_some_and(|bound| widths.iter().sum::<usize>() + gaps > bound) {
        let widest = widths.iter_mut().skip(1).max().filter(|width| **width > MIN_COLUMN);
        let Some(widest) = widest else { break };
        *widest -= 1;
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, &width)| format!("{:<width$}", cut(cell, width)))
            .collect();
        padded.join(GAP).trim_end().to_owned()
    };
    let mut lines = vec![line(&mut heading.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// A cell in at most so many characters, on one line.
fn cut(cell: &str, width: usize) -> String {
    let cell = cell.replace('\n', " ");
    match cell.char_indices().nth(width) {
        Some(_) => cell.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        None => cell,
    }
}

/// How wide the terminal is; unbounded where stdout is none. `COLUMNS` says otherwise.
fn columns() -> Option<usize> {
    let said = variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let is_terminal = io::stdout().is_terminal();
    said.or_else(|| {
        is_terminal
            .then(terminal_size::terminal_size)
            .flatten()
            .map(|(width, _)| usize::from(width.0))
    })
}

/// Names and values, one pair a line; pairs without a value are left out.
pub(super) fn fields(pairs: &[(&str, String)]) -> String {
    let present = || pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = present()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    let lines: Vec<String> = present()
        .map(|(name, value)| format!("{name:<width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// A property as text for people: lists with blanks between, nothing where it is not there.
pub(super) fn text(thing: &Value, name: &str) -> String {
    words(&thing[name])
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A word as a POSIX shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@=,+%".contains(&b);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::nobody_reads(),
            _ => Failure::because("the answer cannot be written to stdout", error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks() {
        let rows = [vec!["Äpfel".into(), "1".into()], vec!["x".into(), String::new()]];
        assert_eq!(fitted(&["NAME", "N"], &rows, None), "NAME   N\nÄpfel  1\nx");
    }

    #[test]
    fn a_table_that_is_too_wide_keeps_its_first_column_and_cuts_the_widest() {
        let rows = [vec![
            "an-id-that-is-kept".into(),
            "a long name with words".into(),
            "short".into(),
        ]];
        assert_eq!(
            fitted(&["ID", "NAME", "KIND"], &rows, Some(40)),
            "ID                  NAME           KIND\nan-id-that-is-kept  a long name …  short"
        );
        let narrowest = fitted(&["ID", "NAME", "KIND"], &rows, Some(10));
        assert!(narrowest.contains("an-id-that-is-kept  a long …  short"), "{narrowest}");
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        assert_eq!(
            fields(&[("Name", "n".into()), ("Long name", String::new()), ("Id", "i".into())]),
            "Name  n\nId    i"
        );
    }

    #[test]
    fn a_cell_of_csv_steers_no_terminal() {
        let rows = [vec!["a\u{1b}[2Jb".into(), "two\nlines".into()]];
        assert_eq!(csv(&["A", "B"], &rows), "A,B\r\na\u{fffd}[2Jb,\"two\nlines\"\r\n");
    }

    #[test]
    fn a_word_is_quoted_when_a_shell_would_change_it() {
        assert_eq!(quoted("https://api.example.com/a-b"), "https://api.example.com/a-b");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
