//! Properties as data: what a body, a query or a path may hold. From one table come the check of a request, its JSON
//! Schema in the OpenAPI document, what the log hides, and the generated tests.
//!
//! `null` is allowed wherever a property is not required: it means absent, or delete (CONTRACT §4.1).

pub use self::check::Violation;

mod check;
mod print;

/// One property of an object, or one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether a new thing must have it, and never `null`.
    pub is_required: bool,
    /// Whether it is chosen once, when the thing is made.
    pub is_fixed: bool,
    /// Whether the log hides it.
    pub is_secret: bool,
    /// What it is, for people.
    pub note: &'static str,
}

/// What a property may hold.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text of so many characters.
    Text {
        /// At least.
        min: usize,
        /// At most.
        max: usize,
        /// Of this form.
        format: Format,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number in this range.
    Integer {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// A number that is not negative.
    Number,
    /// True or false.
    Flag,
    /// A list.
    List {
        /// Of these.
        of: &'static Kind,
        /// At least so many.
        min: usize,
        /// At most so many.
        max: usize,
        /// None of them twice.
        is_set: bool,
    },
    /// An object of these properties and no others.
    Object(&'static [Property]),
    /// An object in which these properties are checked and others are carried.
    Open(&'static [Property]),
    /// Texts by name, chosen by the caller.
    Texts {
        /// At most so many.
        max: usize,
        /// Each of at most so many characters.
        max_chars: usize,
    },
    /// Anything: it is only carried.
    Anything,
}

/// The form of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Any characters but U+0000.
    Any,
    /// A `client_id`.
    ClientId,
    /// A name: no `<` and no `>`.
    Name,
    /// An instant, as in `2023-07-11T16:30:16.596Z`.
    DateTime,
    /// A URL of any scheme, with `*` and `{…}` for what is filled in, or nothing.
    Url,
    /// A URL that begins with `https://`, or nothing.
    SecureUrl,
    /// An e-mail address, or nothing.
    Email,
}

/// What an endpoint takes as its body.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// None; one that is sent is not looked at (CONTRACT §4.1: a GET may carry `null`).
    None,
    /// A new thing: an object with what is required.
    Create(Shape),
    /// Changes of a thing: nothing is required, what is fixed may not be named.
    Change(Shape),
    /// A list.
    List(Kind),
    /// A form with a file among its fields (RFC 7578), or the same as JSON.
    Upload(Shape),
}

/// The properties of an object, and what becomes of others.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Those that are known.
    pub properties: &'static [Property],
    /// Whether others are carried as they are written; refused otherwise.
    pub is_open: bool,
    /// Of the others, those that are ours to write: refused even if others are carried.
    pub read_only: &'static [&'static str],
}

impl Shape {
    /// These properties and no others.
    pub const fn of(properties: &'static [Property]) -> Self {
        Self {
            properties,
            is_open: false,
            read_only: &[],
        }
    }

    /// These properties; others are carried, but for those that are ours to write.
    pub const fn open(properties: &'static [Property], read_only: &'static [&'static str]) -> Self {
        Self {
            properties,
            is_open: true,
            read_only,
        }
    }
}

impl Property {
    /// A property of a kind.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            is_required: false,
            is_fixed: false,
            is_secret: false,
            note: "",
        }
    }

    /// The same, required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The same, chosen once.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.is_fixed = true;
        self
    }

    /// The same, hidden in the log.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// The same, with what it is.
    #[must_use]
    pub const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }
}

/// A text of `min` to `max` characters.
pub const fn text(name: &'static str, min: usize, max: usize) -> Property {
    formatted(name, min, max, Format::Any)
}

/// A text of `min` to `max` characters and a form.
pub const fn formatted(name: &'static str, min: usize, max: usize, format: Format) -> Property {
    Property::new(name, Kind::Text { min, max, format })
}

/// One of some words.
pub const fn word(name: &'static str, words: &'static [&'static str]) -> Property {
    Property::new(name, Kind::Word(words))
}

/// True or false.
pub const fn flag(name: &'static str) -> Property {
    Property::new(name, Kind::Flag)
}

/// A whole number from `min` to `max`.
pub const fn integer(name: &'static str, min: i64, max: i64) -> Property {
    Property::new(name, Kind::Integer { min, max })
}

/// An object of these properties and no others.
pub const fn object(name: &'static str, properties: &'static [Property]) -> Property {
    Property::new(name, Kind::Object(properties))
}

/// An object in which these properties are checked and others carried.
pub const fn open(name: &'static str, properties: &'static [Property]) -> Property {
    Property::new(name, Kind::Open(properties))
}

/// A list of at most `max`.
pub const fn list(name: &'static str, of: &'static Kind, max: usize) -> Property {
    let (min, is_set) = (0, false);
    Property::new(name, Kind::List { of, min, max, is_set })
}

/// A list of at most `max`, none of them twice.
pub const fn set(name: &'static str, of: &'static Kind, max: usize) -> Property {
    let (min, is_set) = (0, true);
    Property::new(name, Kind::List { of, min, max, is_set })
}

/// What is only carried.
pub const fn anything(name: &'static str) -> Property {
    Property::new(name, Kind::Anything)
}

/// A text of any length that fits a body.
pub const LONG: usize = 1024 * 1024;
/// A URL.
pub const URL: Kind = Kind::Text {
    min: 0,
    max: 2048,
    format: Format::Url,
};
