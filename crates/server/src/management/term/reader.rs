//! Reading a search: the grammar, from `OR` down to one term.

use super::{Bound, Pattern, Term};

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
            return self.group();
        }
        if self.rest.starts_with('"') {
            return Ok(Term::Like(None, self.quoted()?));
        }
        let Some(field) = self.field() else {
            let pattern = self.pattern();
            return match pattern.whole() == Some("") {
                true => Err("A term is missing".into()),
                false => Ok(Term::Like(None, pattern)),
            };
        };
        if field == "_exists_" {
            let named = self.bare(" )").concat();
            return match named.is_empty() {
                true => Err("The field that must exist is missing".into()),
                false => Ok(Term::Exists(named)),
            };
        }
        if self.rest.starts_with(['[', '{']) {
            return self.range(field);
        }
        if self.rest.starts_with('"') {
            return Ok(Term::Like(Some(field), self.quoted()?));
        }
        if self.sign('(') {
            let term = self.group()?;
            return Ok(within(&field, term));
        }
        let pattern = self.pattern();
        match pattern.whole() == Some("") {
            true => Err(format!("The field {field} has no value")),
            false => Ok(Term::Like(Some(field), pattern)),
        }
    }

    /// What stands between parentheses, the first of which is read.
    fn group(&mut self) -> Result<Term, String> {
        let term = self.any()?;
        match self.sign(')') {
            true => Ok(term),
            false => Err("A parenthesis is not closed".into()),
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

    /// A text in quotes.
    fn quoted(&mut self) -> Result<Pattern, String> {
        self.rest = &self.rest[1..];
        let text = self.bare_until(&|c| c == '"', false).concat();
        match self.sign('"') {
            true => Ok(Pattern::of(vec![text])),
            false => Err("A quote is not closed".into()),
        }
    }

    fn pattern(&mut self) -> Pattern {
        Pattern::of(self.bare(" )"))
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

/// The same, each text without a field being asked of `field`.
fn within(field: &str, term: Term) -> Term {
    let each = |terms: Vec<Term>| terms.into_iter().map(|term| within(field, term)).collect();
    match term {
        Term::Every(terms) => Term::Every(each(terms)),
        Term::Any(terms) => Term::Any(each(terms)),
        Term::Not(term) => Term::Not(Box::new(within(field, *term))),
        Term::Like(None, pattern) => Term::Like(Some(field.to_owned()), pattern),
        Term::Exists(_) | Term::Like(Some(_), _) | Term::Between(..) => term,
    }
}

fn one_or(mut terms: Vec<Term>, many: fn(Vec<Term>) -> Term) -> Term {
    match terms.len() {
        1 => terms.remove(0),
        _ => many(terms),
    }
}
