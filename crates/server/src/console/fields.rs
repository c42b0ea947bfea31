//! What a query or a form says: names with their values, some of them several times, as ticked boxes are.

use tokenhouse_protocol::parameters::form_decoded;

use super::words;

/// Most names that one form may hold: an API has up to 1000 scopes, each with a description.
const MAX_FIELDS: usize = 4096;

/// The fields of a query or a form, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

/// The form cannot be read: a sentence for the person who sent it.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) &'static str);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Unreadable> {
        let mut fields = Vec::new();
        for pair in text.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let split = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let name = decoded(&pair[..split])?;
            let value = decoded(pair.get(split + 1..).unwrap_or_default())?;
            fields.push((name, value));
            if fields.len() > MAX_FIELDS {
                return Err(Unreadable(words::problems::TOO_MANY_FIELDS));
            }
        }
        Ok(Self(fields))
    }

    /// The first value of a name, without blanks around it; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of a name to the letter, as passwords are; empty if it is not there.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The first value of a name, if it says anything.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether a name's first value is a number, and which.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// The lines of a text area that say something.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let lines = self.raw(name).lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}

fn decoded(bytes: &[u8]) -> Result<String, Unreadable> {
    form_decoded(bytes)
        .filter(|text| !text.contains('\0'))
        .ok_or(Unreadable(words::problems::NO_TEXT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_in_order_and_a_name_may_come_twice() {
        let fields = Fields::read(b"scope=a&name=+B%C3%A4r+&scope=b&empty=").unwrap();
        assert_eq!(fields.all("scope").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((fields.text("name"), fields.raw("name")), ("B\u{e4}r", " B\u{e4}r "));
        assert_eq!(fields.filled("empty"), None);
        assert!(fields.is_ticked("empty") && !fields.is_ticked("absent"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bad in ["a=%ff", "a=%00", "%00=a"] {
            assert!(Fields::read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Fields::read("a&".repeat(MAX_FIELDS + 1).as_bytes()).is_err());
    }
}
