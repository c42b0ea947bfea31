//! Lists: bare, with totals, or by checkpoint (CONTRACT §4.1, "Lists"), and which properties of each item are wanted.

use serde_json::{Map, Value, json};

use tokenhouse_protocol::jose::base64url;
use tokenhouse_store::Page;

use super::endpoint::{Call, Reply};
use super::error::Failure;
use super::query::Query;
use super::schema::{Property, Violation, flag, integer, text};

/// The parameters of a list by number.
pub const BY_NUMBER: [Property; 3] = [
    integer("page", 0, 1_000_000),
    integer("per_page", 0, 100),
    flag("include_totals"),
];
/// The parameters of a list by checkpoint.
pub const BY_CHECKPOINT: [Property; 2] = [integer("take", 1, 100), text("from", 0, 2048)];
/// The parameters that choose properties.
pub const FIELDS: [Property; 2] = [text("fields", 0, 4096), flag("include_fields")];

/// The lists that also say how many items the page has.
const WITH_LENGTH: [&str; 2] = ["users", "logs"];
/// Items of a page unless the request says otherwise.
const DEFAULT_TAKE: u32 = 50;

/// Which part of a list is wanted, and in which shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Window {
    /// `page` and `per_page`.
    Number {
        /// From 0.
        page: u32,
        /// How many items at most.
        per_page: u32,
        /// Whether as an object with `total`.
        has_totals: bool,
        /// Whether the request said which page, so that the answer has a `Link`.
        is_paged: bool,
    },
    /// `from` and `take`.
    Checkpoint {
        /// The last id of the page before.
        after: Option<String>,
        /// How many items at most.
        take: u32,
    },
}

/// Whether a list can be read by checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paging {
    /// By number alone.
    Number,
    /// By number and by checkpoint.
    Checkpoint,
}

impl Window {
    /// Reads what a query wants. `take` and `from` win over `page`, `per_page` and `include_totals`, which some tools
    /// send along.
    pub fn read(query: &Query, paging: Paging) -> Result<Self, Failure> {
        let (take, from) = (query.number("take"), query.text("from"));
        if paging == Paging::Checkpoint && (take.is_some() || from.is_some()) {
            let after = from.map(|cursor| {
                let id = base64url::decode(cursor).and_then(|bytes| String::from_utf8(bytes).ok());
                id.filter(|id| !id.contains('\0')).ok_or_else(|| {
                    Failure::query(&Violation::at(
                        "from",
                        "The checkpoint is none of ours: begin without it",
                    ))
                })
            });
            return Ok(Self::Checkpoint {
                after: after.transpose()?,
                take: take.unwrap_or(DEFAULT_TAKE),
            });
        }
        let (page, per_page) = (query.number("page"), query.number("per_page"));
        Ok(Self::Number {
            page: page.unwrap_or(0),
            per_page: per_page.unwrap_or(DEFAULT_TAKE),
            has_totals: query.flag("include_totals").unwrap_or(false),
            is_paged: page.is_some() || per_page.is_some(),
        })
    }

    /// The page of the store: by checkpoint one row more than is wanted, which tells whether there are more.
    pub fn page(&self) -> Page {
        match self {
            Self::Number { page, per_page, .. } => Page::Offset {
                offset: page.saturating_mul(*per_page),
                take: *per_page,
            },
            Self::Checkpoint { after, take } => Page::After {
                after: after.clone(),
                take: take + 1,
            },
        }
    }

    /// Whether the answer says how many items there are in all.
    pub fn wants_total(&self) -> bool {
        match self {
            Self::Number {
                has_totals, is_paged, ..
            } => *has_totals || *is_paged,
            Self::Checkpoint { .. } => false,
        }
    }

    /// Of a page's rows those that are wanted.
    pub fn wanted<T>(&self, mut rows: Vec<T>) -> (Vec<T>, bool) {
        let has_more = match self {
            Self::Number { .. } => false,
            Self::Checkpoint { take, .. } => {
                let take = usize::try_from(*take).unwrap_or(usize::MAX);
                let has_more = rows.len() > take;
                rows.truncate(take);
                has_more
            }
        };
        (rows, has_more)
    }

    /// Cuts the page, as [`Window::page`] names it, out of a list that is all there, in the order of its ids.
    pub fn cut<T>(&self, rows: Vec<T>, id: impl Fn(&T) -> &str) -> Vec<T> {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        match self {
            Self::Number { page, per_page, .. } => {
                let skipped = number(page.saturating_mul(*per_page));
                rows.into_iter().skip(skipped).take(number(*per_page)).collect()
            }
            Self::Checkpoint { after, take } => {
                let is_after = |row: &T| after.as_ref().is_none_or(|after| id(row) > after.as_str());
                rows.into_iter().filter(is_after).take(number(*take) + 1).collect()
            }
        }
    }
}

/// A page as it is answered.
pub struct Listed<'a> {
    /// What the items are called, as in `clients`.
    pub plural: &'static str,
    /// The items.
    pub items: Vec<Value>,
    /// How many there are in all, if the window wants to know.
    pub total: u64,
    /// By checkpoint, the id of the last item, if there are more.
    pub next: Option<&'a str>,
}

impl Listed<'_> {
    /// The answer in the shape that the window wants.
    pub fn reply(self, call: &Call, window: &Window) -> Reply {
        let Self {
            plural,
            items,
            total,
            next,
        } = self;
        match window {
            Window::Checkpoint { .. } => {
                let mut body = json!({ plural: items });
                if let Some(last) = next {
                    body["next"] = json!(base64url::encode(last));
                }
                Reply::json(body)
            }
            Window::Number {
                page,
                per_page,
                has_totals: true,
                ..
            } => {
                let mut body = json!({
                    "start": u64::from(*page) * u64::from(*per_page),
                    "limit": per_page,
                    "total": total,
                });
                if WITH_LENGTH.contains(&plural) {
                    body["length"] = json!(items.len());
                }
                body[plural] = Value::Array(items);
                Reply::json(body)
            }
            Window::Number {
                page,
                per_page,
                is_paged,
                ..
            } => Reply {
                link: is_paged.then(|| link(&call.url, u64::from(*page), u64::from(*per_page), total)),
                ..Reply::json(Value::Array(items))
            },
        }
    }
}

/// Keeps of each item the properties that the query wants, by `fields` and `include_fields`.
pub fn chosen(query: &Query, mut item: Map<String, Value>) -> Map<String, Value> {
    if let Some(fields) = query.text("fields") {
        let fields: Vec<&str> = fields.split(',').map(str::trim).collect();
        let is_included = query.flag("include_fields").unwrap_or(true);
        item.retain(|name, _| fields.contains(&name.as_str()) == is_included);
    }
    item
}

/// Where the first, the next and the last page are (RFC 8288).
fn link(url: &str, page: u64, per_page: u64, total: u64) -> String {
    let last = total.saturating_sub(1).checked_div(per_page).unwrap_or(0);
    let to = |page: u64, relation: &str| format!("<{url}?per_page={per_page}&page={page}>; rel=\"{relation}\"");
    let mut links = vec![to(0, "first")];
    if page < last {
        links.push(to(page + 1, "next"));
    }
    links.push(to(last, "last"));
    links.join(", ")
}
