//! Reading a search: the grammar, from `OR` down to one term.

use super::{Bound, Term};

/// Most terms, and parentheses, of one search.
const MAX_PARTS: usize = 64;

/// Reads a search; says what is wrong with it.
pub(super) fn read(q: &str) -> Result<Term, String> {
    let mut reader = Reader {
        rest: q.trim(),
        parts: 0,
    };
    if reader.rest.is_empty() || reader.rest == "*" {
        return Ok(Term::Every(Vec::new()));
    }
    let term = reader.any()?;
    match reader.rest.is_empty() {
        true => Ok(term),
        false => Err("A parenthesis is closed that was not opened".into()),
    }
}

/// What is still to be read.
struct Reader<'a> {
    rest: &'a str,
    parts: usize,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<Term, String> {
        let mut terms = vec![self.every()?];
        loop {
            let said = self.word("OR") || self.word("||");
            if !said && (self.rest.is_empty() || self.rest.starts_with(')')) {
                break;
            }
            terms.push(self.every()?);
        }
        Ok(one_or(terms, Term::Any))
    }

    fn every(&mut self) -> Result<Term, String> {
        let mut terms = vec![self.one()?];
        while self.word("AND") || self.word("&&") {
            terms.push(self.one()?);
        }
        Ok(one_or(terms, Term::Every))
    }

    fn one(&mut self) -> Result<Term, String> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(format!("A search has at most {MAX_PARTS} parts"));
        }
        if self.word("NOT") || self.sign('-') || self.sign('!') {
            return Ok(Term::Not(Box::new(self.one()?)));
        }
        if self.sign('(') {
            let term = self.any()?;
            return match self.sign(')') {
                true => Ok(term),
                false => Err("A parenthesis is not closed".into()),
            };
        }
        if self.rest.starts_with('"') {
            return Ok(Term::Like(None, vec![self.quoted()?]));
        }
        let field = self.field();
        match field {
            Some(field) if field == "_exists_" => Ok(Term::Exists(self.bare(" )").concat())),
            Some(field) if self.rest.starts_with(['[', '{']) => self.range(field),
            Some(field) if self.rest.starts_with('"') => Ok(Term::Like(Some(field), vec![self.quoted()?])),
            Some(field) => {
                let pattern = self.lower(" )");
                match pattern == [""] {
                    true => Err(format!("The field {field} has no value")),
                    false => Ok(Term::Like(Some(field), pattern)),
                }
            }
            None => {
                let pattern = self.lower(" )");
                match pattern == [""] {
                    true => Err("A term is missing".into()),
                    false => Ok(Term::Like(None, pattern)),
                }
            }
        }
    }

    /// `name:`, if that comes next.
    fn field(&mut self) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let (name, rest) = self.rest.split_once(':')?;
        if name.is_empty() || !name.chars().all(is_part) {
            return None;
        }
        self.rest = rest;
        Some(name.to_owned())
    }

    fn range(&mut self, field: String) -> Result<Term, String> {
        let wrong = || "A range is [low TO high], with { and } to leave its ends out".to_owned();
        let is_low_included = self.rest.starts_with('[');
        let end = self.rest.find([']', '}']).ok_or_else(wrong)?;
        let is_high_included = self.rest[end..].starts_with(']');
        let (low, high) = self.rest[1..end].split_once(" TO ").ok_or_else(wrong)?;
        let bound = |text: &str, is_included| {
            let text = text.trim().trim_matches('"').to_lowercase();
            Bound {
                at: (text != "*").then_some(text),
                is_included,
            }
        };
        let term = Term::Between(field, bound(low, is_low_included), bound(high, is_high_included));
        self.rest = self.rest[end + 1..].trim_start();
        Ok(term)
    }

    /// A text in quotes, in lower case.
    fn quoted(&mut self) -> Result<String, String> {
        self.rest = &self.rest[1..];
        let text = self.bare_until(&|c| c == '"', false).concat().to_lowercase();
        match self.sign('"') {
            true => Ok(text),
            false => Err("A quote is not closed".into()),
        }
    }

    fn lower(&mut self, ends: &str) -> Vec<String> {
        self.bare(ends).iter().map(|part| part.to_lowercase()).collect()
    }

    fn bare(&mut self, ends: &str) -> Vec<String> {
        let parts = self.bare_until(&|c| ends.contains(c), true);
        self.rest = self.rest.trim_start();
        parts
    }

    /// Characters up to one that ends them; in parts between stars. A backslash takes the next one as it is.
    fn bare_until(&mut self, ends: &dyn Fn(char) -> bool, has_stars: bool) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut characters = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((place, character)) = characters.next() {
            if ends(character) {
                end = place;
                break;
            }
            let taken = match character {
                '\\' => characters.next().map(|(_, escaped)| escaped),
                '*' if has_stars => {
                    parts.push(String::new());
                    None
                }
                other => Some(other),
            };
            if let (Some(taken), Some(part)) = (taken, parts.last_mut()) {
                part.push(taken);
            }
        }
        self.rest = &self.rest[end..];
        parts
    }

    /// Takes a word that stands by itself.
    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else {
            return false;
        };
        let stands_alone = rest.is_empty() || rest.starts_with([' ', '(', '"']);
        if stands_alone {
            self.rest = rest.trim_start();
        }
        stands_alone
    }

    fn sign(&mut self, sign: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(sign) else {
            return false;
        };
        self.rest = rest.trim_start();
        true
    }
}

fn one_or(mut terms: Vec<Term>, many: fn(Vec<Term>) -> Term) -> Term {
    match terms.len() {
        1 => terms.remove(0),
        _ => many(terms),
    }
}
