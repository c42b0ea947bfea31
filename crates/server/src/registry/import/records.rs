//! The records of a file, one after the other, with no more than one of them in memory: of a JSON list, or of a file
//! with an object in each line (NDJSON). Which of the two it is, its first character tells.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

/// Longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// The records of `reader`.
pub struct Records<R> {
    reader: R,
    place: Place,
    is_over: bool,
}

/// How far a file was read, so that reading can go on there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// In bytes from the beginning.
    pub offset: u64,
    /// The line, from 1.
    pub line: u64,
    /// The records that were read.
    pub number: u64,
    /// How the file is made, once that is known.
    pub form: Option<Form>,
}

/// How a file holds its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A JSON list.
    List,
    /// One in each line.
    Lines,
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The line in which it begins, from 1.
    pub line: u64,
    /// Its number, from 1.
    pub number: u64,
    /// Its text, or why there is none.
    pub text: Result<Vec<u8>, &'static str>,
}

/// Where the scan of a list's element stands.
#[derive(Default)]
struct Element {
    text: Vec<u8>,
    depth: u32,
    in_text: bool,
    is_escaped: bool,
    is_too_long: bool,
}

impl Place {
    /// Before the first byte.
    pub fn beginning() -> Self {
        Self {
            offset: 0,
            line: 1,
            number: 0,
            form: None,
        }
    }
}

impl<R: BufRead> Records<R> {
    /// Reads from the beginning.
    pub fn new(reader: R) -> Self {
        Self::going_on(reader, Place::beginning())
    }

    /// Reads on from `place`, where `reader` stands.
    pub fn going_on(reader: R, place: Place) -> Self {
        Self {
            reader,
            place,
            is_over: false,
        }
    }

    /// How far it was read.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The next record; `None` at the end. Fails only if the file cannot be read.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        if self.is_over {
            return Ok(None);
        }
        let form = match self.place.form {
            Some(form) => form,
            None => match self.form()? {
                Some(form) => form,
                None => {
                    self.is_over = true;
                    return Ok(None);
                }
            },
        };
        match form {
            Form::List => self.next_element(),
            Form::Lines => self.next_line(),
        }
    }

    /// Looks at the first character; `None` for an empty file.
    fn form(&mut self) -> io::Result<Option<Form>> {
        // Byte by byte: a reader may give as little at a time.
        for mark in b"\xef\xbb\xbf" {
            if self.reader.fill_buf()?.first() == Some(mark) {
                self.reader.consume(1);
                self.place.offset += 1;
            }
        }
        let Some(first) = self.first_of_something(|_| false)? else {
            return Ok(None);
        };
        let form = match first {
            b'[' => {
                self.take_one(first);
                Form::List
            }
            _ => Form::Lines,
        };
        self.place.form = Some(form);
        Ok(Some(form))
    }

    fn next_element(&mut self) -> io::Result<Option<Record>> {
        let first = self.first_of_something(|byte| byte == b',')?;
        let line = self.place.line;
        match first {
            None => {
                self.is_over = true;
                return Ok(Some(self.record(line, Err("the list has no end: the file was cut"))));
            }
            Some(b']') => {
                self.take_one(b']');
                self.is_over = true;
                let rest = self.first_of_something(|_| false)?;
                let surplus = rest.map(|_| self.record(line, Err("the file goes on after the end of its list")));
                return Ok(surplus);
            }
            Some(_) => {}
        }
        let mut element = Element::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                self.is_over = true;
                return Ok(Some(self.record(line, Err("the file ends inside of this record"))));
            }
            let (taken, is_whole) = element.take(buffer);
            let lines = newlines(&buffer[..taken]);
            self.advance(taken, lines);
            if is_whole {
                let text = match element.is_too_long {
                    true => Err("the record is longer than 1 MiB"),
                    false => Ok(element.text),
                };
                return Ok(Some(self.record(line, text)));
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Record>> {
        if self.first_of_something(|_| false)?.is_none() {
            self.is_over = true;
            return Ok(None);
        }
        let line = self.place.line;
        let (mut text, mut is_too_long) = (Vec::new(), false);
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(buffer.len());
            is_too_long |= text.len() + taken > MAX_RECORD_BYTES;
            if !is_too_long {
                text.extend_from_slice(&buffer[..taken]);
            }
            let is_last = end.is_some() || buffer.is_empty();
            self.advance(taken, 0);
            if is_last {
                let text = match is_too_long {
                    true => Err("the record is longer than 1 MiB"),
                    false => Ok(text),
                };
                return Ok(Some(self.record(line, text)));
            }
        }
    }

    /// Skips white space and what `is_skipped`; the first other byte, which stays, or `None` at the end.
    fn first_of_something(&mut self, is_skipped: impl Fn(u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let found = buffer
                .iter()
                .position(|byte| !byte.is_ascii_whitespace() && !is_skipped(*byte));
            let taken = found.unwrap_or(buffer.len());
            let (lines, first) = (newlines(&buffer[..taken]), found.map(|at| buffer[at]));
            self.advance(taken, lines);
            if first.is_some() {
                return Ok(first);
            }
        }
    }

    fn take_one(&mut self, byte: u8) {
        self.advance(1, u64::from(byte == b'\n'));
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.reader.consume(bytes);
        self.place.offset += bytes as u64;
        self.place.line += lines;
    }

    fn record(&mut self, line: u64, text: Result<Vec<u8>, &'static str>) -> Record {
        self.place.number += 1;
        Record {
            line,
            number: self.place.number,
            text,
        }
    }
}

impl Element {
    /// Takes what belongs to the element: how many bytes, and whether it is whole.
    fn take(&mut self, buffer: &[u8]) -> (usize, bool) {
        let mut taken = 0;
        let mut is_whole = false;
        for byte in buffer {
            if self.in_text {
                self.in_text = self.is_escaped || *byte != b'"';
                self.is_escaped = !self.is_escaped && *byte == b'\\';
            } else if self.depth == 0 && matches!(byte, b',' | b']') {
                // The end of a number or a word, which is no record, and not ours to take.
                is_whole = true;
                break;
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        is_whole = self.depth == 0;
                    }
                    _ => {}
                }
            }
            taken += 1;
            if is_whole {
                break;
            }
        }
        self.is_too_long |= self.text.len() + taken > MAX_RECORD_BYTES;
        if !self.is_too_long {
            self.text.extend_from_slice(&buffer[..taken]);
        }
        (taken, is_whole)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(text: &[u8], buffer: usize) -> Vec<(u64, Result<String, &'static str>)> {
        let mut records = Records::new(BufReader::with_capacity(buffer, text));
        let mut found = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            assert_eq!(record.number as usize, found.len() + 1);
            found.push((
                record.line,
                record.text.map(|text| String::from_utf8_lossy(&text).into_owned()),
            ));
        }
        found
    }

    #[test]
    fn a_list_and_lines_give_the_same_records_with_their_lines() {
        let list = b"\xef\xbb\xbf\n[ {\"a\": \"x]},\\\"{\"},\n\n  {\"b\": [1, {\"c\": 2}]}\n, 7 ]\n";
        let lines = b"\n{\"a\": \"x]},\\\"{\"}\n\n  {\"b\": [1, {\"c\": 2}]}\n7";
        for buffer in [1, 2, 7, 4096] {
            let found = all(list, buffer);
            assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4, 5]);
            let texts = |found: Vec<(u64, Result<String, _>)>| -> Vec<String> {
                found
                    .into_iter()
                    .map(|(_, text)| text.unwrap().trim().to_owned())
                    .collect()
            };
            let found = texts(found);
            assert_eq!(found, texts(all(lines, buffer)));
            assert_eq!(found, ["{\"a\": \"x]},\\\"{\"}", "{\"b\": [1, {\"c\": 2}]}", "7"]);
        }
    }

    #[test]
    fn a_file_that_was_cut_is_told_from_a_whole_one() {
        let cut = |text: &str| all(text.as_bytes(), 16).pop().unwrap().1;
        assert_eq!(cut("[{\"a\": 1}, "), Err("the list has no end: the file was cut"));
        assert_eq!(cut("[{\"a\": 1}, {\"b"), Err("the file ends inside of this record"));
        assert_eq!(cut("[{}] {}"), Err("the file goes on after the end of its list"));
        assert_eq!(all(b" \n ", 16), []);
        assert_eq!(all(b"[]", 16), []);
    }

    #[test]
    fn a_record_without_end_takes_no_memory_and_the_next_is_read() {
        let long = format!("[{{\"a\": \"{}\"}}, {{}}]", "x".repeat(3 * MAX_RECORD_BYTES));
        let found = all(long.as_bytes(), 8192);
        assert_eq!(
            found,
            [(1, Err("the record is longer than 1 MiB")), (1, Ok("{}".into()))]
        );
        let long = format!("{}\n{{}}\n", "x".repeat(3 * MAX_RECORD_BYTES));
        assert_eq!(all(long.as_bytes(), 8192)[1], (2, Ok("{}".into())));
    }

    #[test]
    fn reading_goes_on_where_it_stopped() {
        let text = b"[{\"a\": 1},\n {\"b\": 2},\n {\"c\": 3}]";
        let mut records = Records::new(&text[..]);
        records.next_record().unwrap();
        let place = records.place();
        let rest = &text[usize::try_from(place.offset).unwrap()..];
        let mut records = Records::going_on(rest, place);
        let next = records.next_record().unwrap().unwrap();
        assert_eq!(
            (next.line, next.number, next.text.unwrap()),
            (2, 2, b"{\"b\": 2}".to_vec())
        );
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_the_reader_panic_or_run_for_ever(text in "[\\[\\]{}\",:\\\\a\\n ]{0,60}", buffer in 1..9_usize) {
            all(text.as_bytes(), buffer);
        }
    }
}
