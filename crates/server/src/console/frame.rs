//! What stands around every page: the tenant, the navigation, where in it the page is, who is signed in, and what the
//! last form's sending has to tell.

use super::files::{FILES, Files};
use super::words;
use crate::tenant::Tenant;

/// A part of the console, as the navigation names it. Their order is that of [`NAVIGATION`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    Home,
    Quickstart,
    Applications,
    Apis,
    Users,
    Logs,
    Usage,
    Keys,
    Debugger,
    Reference,
    Settings,
    /// Outside of the navigation: errors, and pages for those who are not signed in.
    None,
}

/// An entry of the navigation: its section, its path, its name, and the name of its drawing in `icons.html`.
pub(crate) type Entry = (Section, &'static str, &'static str, &'static str);

/// The navigation. Whoever makes a section's first page adds its line here.
pub(crate) const NAVIGATION: &[Entry] = &[
    (Section::Home, "/console/", words::navigation::HOME, "home"),
    (
        Section::Quickstart,
        "/console/quickstart",
        words::navigation::QUICKSTART,
        "quickstart",
    ),
    (
        Section::Applications,
        "/console/applications",
        words::navigation::APPLICATIONS,
        "applications",
    ),
    (Section::Apis, "/console/apis", words::navigation::APIS, "apis"),
    (Section::Users, "/console/users", words::navigation::USERS, "users"),
    (Section::Logs, "/console/logs", words::navigation::LOGS, "logs"),
    (Section::Usage, "/console/usage", words::navigation::USAGE, "usage"),
    (Section::Keys, "/console/keys", words::navigation::KEYS, "keys"),
    (
        Section::Debugger,
        "/console/debugger",
        words::navigation::DEBUGGER,
        "debugger",
    ),
    (
        Section::Reference,
        "/console/reference",
        words::navigation::REFERENCE,
        "reference",
    ),
    (
        Section::Settings,
        "/console/settings",
        words::navigation::SETTINGS,
        "settings",
    ),
];

/// One step of the way from the section to the page.
#[derive(Clone, Debug)]
pub(crate) struct Crumb {
    pub(crate) name: String,
    pub(crate) path: String,
}

/// The frame of a page, which its template takes as `frame`.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// What the page is, its heading and, before the tenant's name, its title.
    pub(crate) title: String,
    /// Where in the navigation it is.
    pub(crate) section: Section,
    /// The pages above it, the section's first.
    pub(crate) crumbs: Vec<Crumb>,
    /// What people call the tenant.
    pub(crate) tenant: String,
    /// Its issuer.
    pub(crate) issuer: String,
    /// The e-mail address of who is signed in.
    pub(crate) administrator: Option<String>,
    /// What to tell once.
    pub(crate) notice: Option<String>,
    /// What every form says: see `form_token.html`.
    pub(crate) form_token: String,
    /// The addresses of the stylesheet, the script and the icon.
    pub(crate) files: &'static Files,
}

impl Frame {
    /// The frame of a page at which nobody is signed in.
    pub(super) fn new(tenant: &Tenant, section: Section, title: impl Into<String>) -> Self {
        let name = tenant.settings().friendly_name.clone();
        Self {
            title: title.into(),
            section,
            crumbs: Vec::new(),
            tenant: name.unwrap_or_else(|| tenant.id.to_string()),
            issuer: tenant.issuer.as_str().to_owned(),
            administrator: None,
            notice: None,
            form_token: String::new(),
            files: &FILES,
        }
    }

    /// The same below another page.
    #[must_use]
    pub(crate) fn below(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.crumbs.push(Crumb {
            name: name.into(),
            path: path.into(),
        });
        self
    }

    /// The navigation, for the template.
    pub(crate) fn navigation(&self) -> &'static [Entry] {
        NAVIGATION
    }

    /// Whether an entry is the section of this page.
    pub(crate) fn is_at(&self, section: &Section) -> bool {
        self.section == *section
    }
}
