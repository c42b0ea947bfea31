//! What is asked of the log, as it was typed: applications and users by their names as well, times as browsers and people
//! write them, in UTC.

use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::LogFilter;

use super::super::answer::Failure;
use super::super::fields::Fields;
use super::super::link::encoded;
use super::super::{sought, words};
use crate::tenant::Tenant;

/// What is asked for, as it was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) kind: String,
    /// A client ID, or a name.
    pub(super) app: String,
    /// A user ID, an e-mail address or a user name.
    pub(super) user: String,
    pub(super) ip: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// Which end of a day a date alone stands for.
#[derive(Clone, Copy)]
enum End {
    Beginning,
    Last,
}

impl Wanted {
    pub(super) fn of(query: &Fields) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        Self {
            kind: text("type"),
            app: text("app"),
            user: text("user"),
            ip: text("ip"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// The store's filter; says what cannot be read. Names that nobody has stay as they are: the log knows ids of those
    /// who were deleted.
    pub(super) async fn filter(&self, tenant: &Tenant) -> Result<Result<LogFilter, &'static str>, Failure> {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let (Ok(from), Ok(to)) = (moment(&self.from, End::Beginning), moment(&self.to, End::Last)) else {
            return Ok(Err(words::problems::BAD_TIME));
        };
        let client_id = match self.app.as_str() {
            "" => None,
            app => Some(sought::application(tenant, app).await?),
        };
        let user_id = match self.user.as_str() {
            "" => None,
            user => Some(sought::user(tenant, user).await?),
        };
        Ok(Ok(LogFilter {
            kinds: filled(&self.kind).into_iter().collect(),
            kind_prefix: None,
            client_id,
            user_id,
            address: filled(&self.ip),
            from,
            to,
        }))
    }

    /// As a query; ends in `&` if it says anything.
    pub(super) fn query(&self) -> String {
        let fields = [
            ("type", &self.kind),
            ("app", &self.app),
            ("user", &self.user),
            ("ip", &self.ip),
            ("from", &self.from),
            ("to", &self.to),
        ];
        fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}&", encoded(value)))
            .collect()
    }

    /// The beginning, as a browser's field has it.
    pub(super) fn begin_field(&self) -> String {
        field(&self.from, End::Beginning)
    }

    /// The end, as a browser's field has it.
    pub(super) fn end_field(&self) -> String {
        field(&self.to, End::Last)
    }
}

/// A moment as a browser's field (`2026-01-31T09:30`) or we write it, or the end of a day; in UTC. `None` for no text.
fn moment(text: &str, end: End) -> Result<Option<Timestamp>, ()> {
    let whole = match (text.len(), end) {
        (0, _) => return Ok(None),
        (10, End::Beginning) => format!("{text}T00:00:00.000Z"),
        (10, End::Last) => format!("{text}T23:59:59.999Z"),
        (16, End::Beginning) => format!("{text}:00.000Z"),
        (16, End::Last) => format!("{text}:59.999Z"),
        (19, End::Beginning) => format!("{text}.000Z"),
        (19, End::Last) => format!("{text}.999Z"),
        _ => text.to_owned(),
    };
    Timestamp::parse(&whole).map(Some).ok_or(())
}

/// What a browser's field shows of a moment, to the second; as it was typed if it is none.
fn field(text: &str, end: End) -> String {
    match moment(text, end) {
        Ok(Some(at)) => at.to_string().chars().take(19).collect(),
        Ok(None) | Err(()) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_alone_is_its_beginning_or_its_end() {
        let at = |text, end| moment(text, end).unwrap().unwrap().to_string();
        assert_eq!(at("2026-01-31", End::Beginning), "2026-01-31T00:00:00.000Z");
        assert_eq!(at("2026-01-31", End::Last), "2026-01-31T23:59:59.999Z");
        assert_eq!(at("2026-01-31T09:30", End::Last), "2026-01-31T09:30:59.999Z");
        assert_eq!(at("2026-01-31T09:30:07.123Z", End::Last), "2026-01-31T09:30:07.123Z");
        assert_eq!(field("2026-01-31", End::Last), "2026-01-31T23:59:59");
        assert_eq!(moment("", End::Last), Ok(None));
        assert_eq!(moment("yesterday", End::Last), Err(()));
    }
}
