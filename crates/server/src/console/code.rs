//! A request as a program on a page: in the language that the reader picked, which is picked once and remembered.

use super::visit::Visit;
use crate::snippets::{Language, Request};

/// A program.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// How the file is called in which it would be saved.
    pub(crate) file_name: &'static str,
    /// What it needs besides its language; empty where that is nothing.
    pub(crate) needs: &'static str,
    /// The program.
    pub(crate) text: String,
}

/// A language to pick.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// How it is named in a form.
    pub(crate) id: &'static str,
    /// How people call it.
    pub(crate) name: &'static str,
    /// Whether it is the one that was picked.
    pub(crate) is_picked: bool,
}

impl Code {
    /// The program of a request.
    pub(crate) fn of(language: Language, request: &Request) -> Self {
        let about = language.about();
        Self {
            file_name: about.file_name,
            needs: about.needs,
            text: language.render(request),
        }
    }
}

/// The language of a page: as its form or its address says, else as the browser remembers it, else cURL.
pub(crate) fn language(visit: &Visit) -> Language {
    let said = visit.form.filled("language").or(visit.query.filled("language"));
    let named = |id: &str| Language::named(id);
    said.and_then(named)
        .or_else(|| visit.language.as_deref().and_then(named))
        .unwrap_or(Language::Curl)
}

/// Every language, for a form.
pub(crate) fn choices(picked: Language) -> Vec<Choice> {
    let choice = |language: Language| Choice {
        id: language.about().id,
        name: language.about().name,
        is_picked: language == picked,
    };
    Language::ALL.into_iter().map(choice).collect()
}
