//! Which part of a long list is wanted.

/// A page of a list that is ordered by id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// By checkpoint: at most `take` rows whose id comes after `after`, or the first. As fast at the end as at
    /// the beginning.
    After {
        /// The last id of the page before; `None` for the first page.
        after: Option<String>,
        /// How many rows at most.
        take: u32,
    },
    /// By number: at most `take` rows after the first `offset`. Reads what it skips.
    Offset {
        /// How many rows to skip.
        offset: u32,
        /// How many rows at most.
        take: u32,
    },
}

impl Page {
    /// The first `take` rows.
    pub fn first(take: u32) -> Self {
        Self::After { after: None, take }
    }

    /// The `take` rows after the one named `id`.
    pub fn after(id: impl Into<String>, take: u32) -> Self {
        Self::After {
            after: Some(id.into()),
            take,
        }
    }

    /// The same page with one row more, which tells whether another page comes.
    pub(crate) fn with_one_more(&self) -> Self {
        let mut page = self.clone();
        let (Self::After { take, .. } | Self::Offset { take, .. }) = &mut page;
        *take = take.saturating_add(1);
        page
    }

    /// The three binds of a paged query: the id to start after (the empty text comes before all), how many
    /// rows to take, how many to skip.
    pub(crate) fn binds(&self) -> (&str, i64, i64) {
        match self {
            Self::After { after, take } => (after.as_deref().unwrap_or(""), i64::from(*take), 0),
            Self::Offset { offset, take } => ("", i64::from(*take), i64::from(*offset)),
        }
    }
}
