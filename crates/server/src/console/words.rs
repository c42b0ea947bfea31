//! Every English string of the console, by the page or the thing that says it: what stands in templates, what code says,
//! and what the script shows. What decides which of them is said is elsewhere; here a function puts a name or a number
//! into its sentence, in the number's form, and no more. A translation is another file of this shape.
//!
//! `{}` in a [`Markup`](super::markup::Markup) is where a page puts an element that is more than a word.

/// The sections, as the navigation and what leads to them call them.
pub(crate) mod navigation {
    pub(crate) const APIS: &str = "APIs";
    pub(crate) const APPLICATIONS: &str = "Applications";
    pub(crate) const HOME: &str = "Home";
    pub(crate) const LOGS: &str = "Logs";
    pub(crate) const USAGE: &str = "Usage";
    pub(crate) const KEYS: &str = "Keys";
    pub(crate) const SETTINGS: &str = "Settings";
    pub(crate) const USERS: &str = "Users";
    pub(crate) const QUICKSTART: &str = "Quickstart";
    pub(crate) const DEBUGGER: &str = "Debugger";
    pub(crate) const REFERENCE: &str = "API reference";
}

/// What stands on several pages.
pub(crate) mod shared {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const FIND: &str = "Find";
    pub(crate) const NONE_FOUND: &str = "None found";
    pub(crate) const ONE_FOUND_BY: &str =
        "Applications are found by how their client ID or a word of their name begins.";
    pub(crate) const NO_APPLICATIONS_YET: &str = "No applications yet";
    pub(crate) const CREATE_APPLICATION: &str = "Create application";
    pub(crate) const EVERY_PERMISSION: &str = "Every permission";
    pub(crate) const PERMISSIONS: &str = "Permissions";
    pub(crate) const EVERY_PERMISSION_LATER: &str = "Every permission, now and later";
    pub(crate) const SAVE: &str = "Save";
    pub(crate) const TICK_ALL: &str = "Tick all";
    pub(crate) const TICK_NONE: &str = "Tick none";
    pub(crate) const PAGES: &str = "Pages";
    pub(crate) const FIRST_PAGE: &str = "First page";
    pub(crate) const NEXT_PAGE: &str = "Next page";
    pub(crate) const NAME: &str = "Name";
    pub(crate) const IDENTIFIER: &str = "Identifier";
    pub(crate) const SIGNING_ALGORITHM: &str = "Signing algorithm";
    pub(crate) const BY_ROLES: &str = "Users get only what their roles allow";
    pub(crate) const CANCEL: &str = "Cancel";
    pub(crate) const ADD: &str = "Add";
    pub(crate) const SECONDS: &str = "seconds";
    pub(crate) const ABOUT: &str = "About";
    pub(crate) const CREATED: &str = "Created";
    pub(crate) const DELETE: &str = "Delete";
    pub(crate) const API: &str = "API";
    pub(crate) const KIND: &str = "Kind";
    pub(crate) const SHOW_THE_SECRET: &str = "Show the secret";
    pub(crate) const KEY_ID: &str = "Key ID";
    pub(crate) const ALGORITHM: &str = "Algorithm";
    pub(crate) const WHAT_TO_DO: &str = "What to do";
    pub(crate) const TOKENS_TODAY: &str = "Tokens today";
    pub(crate) const GRANT: &str = "Grant";
    pub(crate) const TOKENS: &str = "Tokens";
    pub(crate) const CLIENT_ID_OR_NAME: &str = "Client ID or name";
    pub(crate) const APPLICATION: &str = "Application";
    pub(crate) const WHEN: &str = "When";
    pub(crate) const LANGUAGE: &str = "Language";
    pub(crate) const SHOW: &str = "Show";
    pub(crate) const REQUEST: &str = "Request";
    pub(crate) const SEND: &str = "Send";
    pub(crate) const BODY: &str = "Body";
    pub(crate) const CREATE_AN_API: &str = "Create an API";
    pub(crate) const NEW_PASSWORD: &str = "New password";
    pub(crate) const SIGN_IN: &str = "Sign in";
    pub(crate) const TYPE: &str = "Type";
    pub(crate) const USER: &str = "User";
    pub(crate) const ADDRESS: &str = "Address";
    pub(crate) const CSV: &str = "CSV";
    pub(crate) const USER_NAME_OR_EMAIL: &str = "User name or e-mail";
    pub(crate) const PASSWORD: &str = "Password";
    pub(crate) const FIND_AN_APPLICATION: &str = "Find an application";
    pub(crate) const EMAIL_ADDRESS: &str = "E-mail address";
    pub(crate) const DATABASE: &str = "Database";
    pub(crate) const BLOCKED: &str = "Blocked";
    pub(crate) const USER_NAME: &str = "User name";
    pub(crate) const CREATE_USER: &str = "Create user";

    pub(crate) fn of_permissions(held: impl Display, all: impl Display) -> String {
        format!("{held} of {all} permissions")
    }

    pub(crate) fn for_its_users(application: impl Display) -> String {
        format!("{application} (for its users)")
    }

    pub(crate) fn test_of(name: impl Display) -> Markup {
        markup!("Test<span class=\"unseen\"> {name}</span>", name)
    }

    pub(crate) fn remove_of(name: impl Display) -> Markup {
        markup!("Remove<span class=\"unseen\"> {name}</span>", name)
    }
}

/// What the buttons do that copy something.
pub(crate) mod copy {
    pub(crate) const CLIENT_ID: &str = "Copy the client ID";
    pub(crate) const IDENTIFIER: &str = "Copy the identifier";
    pub(crate) const API_ID: &str = "Copy the API's ID";
    pub(crate) const KEY_ID: &str = "Copy the key's ID";
    pub(crate) const ISSUER: &str = "Copy the issuer";
    pub(crate) const LOG_ID: &str = "Copy the log ID";
    pub(crate) const TOKEN_ENDPOINT: &str = "Copy the token endpoint";
    pub(crate) const ADDRESS: &str = "Copy the address";
    pub(crate) const USER_ID: &str = "Copy the user's ID";
    pub(crate) const LINK: &str = "Copy the link";
    pub(crate) const CLIENT_SECRET: &str = "Copy the client secret";
    pub(crate) const PRIVATE_KEY: &str = "Copy the private key";
    pub(crate) const PROGRAM: &str = "Copy the program";
    pub(crate) const ACCESS_TOKEN: &str = "Copy the access token";
}

/// The frame of every page, and what the script says.
pub(crate) mod layout {
    pub(crate) const SKIP_TO_THE_PAGE: &str = "Skip to the page";
    pub(crate) const MENU: &str = "Menu";
    pub(crate) const CONSOLE: &str = "Console";
    pub(crate) const SIGN_OUT: &str = "Sign out";
    pub(crate) const BREADCRUMBS: &str = "Breadcrumbs";
    pub(crate) const COPIED: &str = "Copied";
    pub(crate) const CONSOLE_OF: &str = "Tokenhouse console";
}

/// Moments, and spans of time.
pub(crate) mod time {
    pub(crate) const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    pub(crate) const NOW: &str = "now";
    pub(crate) const THIS_HOUR: &str = "this hour";
    pub(crate) const THIS_DAY: &str = "this day";
    pub(crate) const UNDER_ONE_MS: &str = "under 1 ms";

    /// A moment, its month among [`MONTHS`].
    pub(crate) fn moment(day: &str, month: &str, year: &str, time: &str) -> String {
        format!("{day} {month} {year}, {time} UTC")
    }

    /// A moment with its day as ISO 8601 has it.
    pub(crate) fn instant(day: &str, time: &str) -> String {
        format!("{day} {time} UTC")
    }

    pub(crate) fn days(count: i64) -> String {
        format!("{count} {}", if count == 1 { "day" } else { "days" })
    }

    pub(crate) fn hours(count: i64) -> String {
        format!("{count} h")
    }

    pub(crate) fn minutes(count: i64) -> String {
        format!("{count} min")
    }

    pub(crate) fn seconds(count: i64) -> String {
        format!("{count} s")
    }

    pub(crate) fn milliseconds(count: u128) -> String {
        format!("{count} ms")
    }

    pub(crate) fn from_now(span: &str) -> String {
        format!("in {span}")
    }

    pub(crate) fn ago(span: &str) -> String {
        format!("{span} ago")
    }
}

/// What the next page tells, once, after a form was sent.
pub(crate) mod notices {
    pub(crate) const PASSWORD_CHOSEN: &str = "Your password is set. You are signed in.";
    pub(crate) const SAVED: &str = "Saved. It holds from now on.";
    pub(crate) const API_CREATED: &str = "The API is created. Say next what its tokens may allow.";
    pub(crate) const API_CREATED_WITH_APPLICATION: &str =
        "The API is created, and an application to try it with. Say next what its tokens may allow.";
    pub(crate) const API_DELETED: &str = "The API is deleted, with the grants for it.";
    pub(crate) const GRANT_CREATED: &str = "The application may ask for tokens for this API now.";
    pub(crate) const GRANT_DELETED: &str = "The application gets no more tokens for this API.";
    pub(crate) const ADMINISTRATOR_REMOVED: &str = "The administrator is removed, and signed out everywhere.";
    pub(crate) const CLIENT_CREATED: &str = "The application is created.";
    pub(crate) const CLIENT_DELETED: &str = "The application is deleted, with its credentials and grants.";
    pub(crate) const SECRET_ROTATED: &str = "There is a new secret.";
    pub(crate) const SECRET_ENDED: &str = "The older secret works no longer.";
    pub(crate) const KEY_ADDED: &str = "The key is added. The application proves itself by its keys alone from now on.";
    pub(crate) const KEY_REMOVED: &str = "The key is removed.";
    pub(crate) const USER_CREATED: &str = "The user is created.";
    pub(crate) const USER_BLOCKED: &str = "The user is blocked: they get no more tokens.";
    pub(crate) const USER_UNBLOCKED: &str = "The user is let in again.";
    pub(crate) const USER_PASSWORD: &str = "The new password holds from now on.";
    pub(crate) const USER_DELETED: &str = "The user is deleted.";

    pub(crate) fn key_rotated(algorithm: &str, kid: &str) -> String {
        format!("{kid} signs {algorithm} tokens now. Those signed before stay valid.")
    }

    pub(crate) fn key_revoked(kid: &str, max_age_s: i64) -> String {
        format!("{kid} is revoked. APIs refuse its tokens when they next look, within {max_age_s} seconds.")
    }
}

/// What is wrong with a form, and what to change.
pub(crate) mod problems {
    pub(crate) const WRONG_PASSWORD: &str = "The e-mail address or the password is wrong.";
    pub(crate) const TOO_MANY_ATTEMPTS: &str =
        "Too many failed attempts from here. Wait a quarter of an hour, then try again.";
    pub(crate) const NOT_A_NUMBER: &str = "The lifetime is a whole number of seconds.";
    pub(crate) const NOT_A_TOKEN_LIFETIME: &str = "The lifetime of tokens is a whole number of seconds";
    pub(crate) const NOT_A_SESSION: &str =
        "The length of sessions is a whole number, and no more than the server's configuration allows";
    pub(crate) const NO_DIALECT: &str = "Choose how errors are worded.";
    pub(crate) const NO_API: &str = "The default API does not exist any more. Choose another, or none.";
    pub(crate) const NOT_YOURSELF: &str = "You cannot remove yourself. Another administrator can.";
    pub(crate) const NO_KIND: &str = "Choose what kind of application it is.";
    pub(crate) const NAME_DIFFERS: &str = "What you typed is another name. Nothing was deleted.";
    pub(crate) const BAD_TIME: &str = "A time is written like 2026-01-31T09:30, or 2026-01-31 for the day's \
        beginning, in UTC. The filter is not used.";
    pub(crate) const BAD_DAYS: &str =
        "A day is written like 2026-01-31, and the first comes before the last, by two years at most.";
    pub(crate) const KEY_TOO_EARLY: &str = "The next key was published a short while ago, and APIs that keep the key \
        set may not know it yet. Wait a quarter of an hour, and no valid token is refused; or rotate at once, and \
        some APIs may answer 401 until they look again.";
    pub(crate) const KEY_NOT_PREVIOUS: &str =
        "Only a previous key can be revoked. Rotate first, then revoke the key that was current.";
    pub(crate) const NEEDS_TOKEN: &str = "Get a token first: run the request above that asks for one.";
    pub(crate) const NEEDS_USER: &str = "For a user's token, type the user's name and their password.";
    pub(crate) const NEEDS_PASSWORD: &str = "Type the user's name and their password.";
    pub(crate) const NO_SCOPE: &str = "A scope holds what no scope can hold.";
    pub(crate) const CHOOSE_APPLICATION: &str = "Choose an application.";
    pub(crate) const SECRET_NOT_KEPT: &str =
        "Its secret is not kept here in a form that can be shown. Rotate it to have a new one.";
    pub(crate) const NO_JSON_OBJECT: &str = "The body is no JSON object, such as {\"name\": \"value\"}";
    pub(crate) const TOO_MANY_FIELDS: &str = "The form has more fields than any page of the console.";
    pub(crate) const NO_TEXT: &str = "The form is not UTF-8, or holds what no text holds.";

    /// A sentence about a number, with the most that it may be.
    pub(crate) fn up_to(text: &str, most: i64) -> String {
        format!("{text}: from 1 to {most}.")
    }
}

/// What the Debugger says of private keys that cannot sign.
pub(crate) mod assertion {
    use std::fmt::Display;

    pub(crate) const KEY_TOO_LONG: &str = "That is longer than any private key or key id.";
    pub(crate) const NEEDS_CLIENT: &str =
        "Choose the application first: the assertion says its client ID, and its key signs it.";
    pub(crate) const NO_ALGORITHM: &str = "An assertion is signed with RS256, PS256, ES256 or EdDSA.";
    pub(crate) const NO_KIND_OF_KEY: &str =
        "The private key is no RSA key of 2048 bits or more, no P-256 key and no Ed25519 key.";

    pub(crate) fn key_refused(why: &dyn Display) -> String {
        format!("The private key cannot sign: {why}.")
    }
}

/// Why there is no page, or why something was not done: headings and texts.
pub(crate) mod failures {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const GO_TO_HOME: &str = "Go to Home";
    pub(crate) const MISSING: &str = "There is nothing here";
    pub(crate) const MISSING_TEXT: &str = "The page does not exist, or what it was about has been deleted.";
    pub(crate) const FORGED: &str = "That form was not accepted";
    pub(crate) const FORGED_TEXT: &str = "It came from another page, or this browser was signed in anew since it was \
        shown. Nothing was changed. Go back, reload the page, and send it again.";
    pub(crate) const REFUSED: &str = "That cannot be done";
    pub(crate) const UNAVAILABLE: &str = "The database does not answer";
    pub(crate) const UNAVAILABLE_TEXT: &str = "Nothing was changed. Try again in a moment.";
    pub(crate) const BROKEN: &str = "Something went wrong here";
    pub(crate) const BROKEN_TEXT: &str = "This is a fault of the server. Its log says more under the request's id.";
    pub(crate) const NO_CONSOLE: &str = "The console is switched off: see [console] in the server's configuration.";
    pub(crate) const BAD_REQUEST: &str = "That cannot be read";

    pub(crate) fn request(id: impl Display) -> Markup {
        markup!("Request <code>{id}</code>", id)
    }
}

/// What was done, as a row of the log is described: the words of Auth0's log, where it has them. They are kept with the
/// row, so a translation leaves them.
pub(crate) mod log {
    pub(crate) const SECRET_IN_CODE: &str = "Show a client's secret in a program";
    pub(crate) const SIGNED_IN: &str = "Sign in to the console";
    pub(crate) const SIGNED_OUT: &str = "Sign out of the console";
    pub(crate) const SIGN_IN_REFUSED: &str = "Sign in to the console: refused";
    pub(crate) const API_CREATED: &str = "Create a resource server";
    pub(crate) const API_CHANGED: &str = "Update a resource server";
    pub(crate) const API_DELETED: &str = "Delete a resource server";
    pub(crate) const GRANT_CREATED: &str = "Create client grant";
    pub(crate) const GRANT_CHANGED: &str = "Update a client grant";
    pub(crate) const GRANT_DELETED: &str = "Delete a client grant by id";
    pub(crate) const SETTINGS_CHANGED: &str = "Update tenant settings";
    pub(crate) const ADMINISTRATOR_CREATED: &str = "Create an administrator";
    pub(crate) const ADMINISTRATOR_LINK: &str = "Make a link for an administrator's password";
    pub(crate) const ADMINISTRATOR_REMOVED: &str = "Remove an administrator";
    pub(crate) const CLIENT_CREATED: &str = "Create a client";
    pub(crate) const CLIENT_CHANGED: &str = "Update a client";
    pub(crate) const CLIENT_DELETED: &str = "Delete a client";
    pub(crate) const SECRET_SHOWN: &str = "Show a client secret";
    pub(crate) const SECRET_ROTATED: &str = "Rotate a client secret";
    pub(crate) const SECRET_ENDED: &str = "End an older client secret";
    pub(crate) const KEY_ADDED: &str = "Create a client credential";
    pub(crate) const KEY_REMOVED: &str = "Delete a client credential";
    pub(crate) const USER_CREATED: &str = "Create a User";
    pub(crate) const USER_BLOCKED: &str = "Block a User";
    pub(crate) const USER_UNBLOCKED: &str = "Unblock a User";
    pub(crate) const USER_PASSWORD: &str = "Set a User's password";
    pub(crate) const USER_DELETED: &str = "Delete a User";
    pub(crate) const KEY_ROTATED: &str = "Rotate signing keys";
    pub(crate) const KEY_REVOKED: &str = "Revoke a signing key";
    pub(crate) const REFUSED: &str = "A form of the console was refused";
}

/// The door.
pub(crate) mod sign_in {
    use super::super::markup::Markup;

    pub(crate) const HAS_ENDED: &str = "Your session has ended. Sign in again; nothing was lost that you had saved.";
    pub(crate) const NO_PASSWORD: &str = "No password yet, or forgotten?";
    pub(crate) const NO_PASSWORD_TEXT: Markup = Markup::new(
        "On the server, <code>tokenhouse admins create you@example.org</code> makes an administrator, and \
            <code>tokenhouse admins link you@example.org</code> prints a link that lets you choose a password. With \
            <code>tokenhouse dev</code>, <code>tokenhouse admins link</code> prints a link that signs you in.",
    );
}

/// A link that signs in, or lets somebody choose a password.
pub(crate) mod link {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const SET_PASSWORD: &str = "Set the password and sign in";
    pub(crate) const CHOOSE_PASSWORD: &str = "Choose a password";
    pub(crate) const WORN_LINK: &str = "This link no longer works";
    pub(crate) const WORN_LINK_TEXT: &str =
        "It was used already, or its time is over. Make another on the server with: tokenhouse admins link";

    pub(crate) fn sets_password(email: impl Display) -> Markup {
        markup!(
            "For <strong>{email}</strong>. Whoever is signed in under this address elsewhere is signed out.",
            email
        )
    }

    pub(crate) fn password_hint(least: impl Display) -> String {
        format!("{least} characters or more. A few words are easier to remember than many signs.")
    }

    pub(crate) fn signs_in(email: impl Display) -> Markup {
        markup!(
            "You will be signed in as <strong>{email}</strong>. The link works once.",
            email
        )
    }
}

/// The first page.
pub(crate) mod home {
    pub(crate) const ISSUER: &str = "Issuer";
    pub(crate) const FIRST_TOKEN: &str = "From here to a first token";
    pub(crate) const CREATE_API_TEXT: &str = "What your tokens are for. It gets a test application along.";
    pub(crate) const CREATE_AN_APPLICATION: &str = "Create an application";
    pub(crate) const CREATE_APPLICATION_TEXT: &str = "The program that asks for tokens.";
    pub(crate) const TRY_IT: &str = "Try it on the API's Test tab";
    pub(crate) const TRY_IT_TEXT: &str = "A token, taken apart, and the call with it to your API.";
    pub(crate) const TAKE_THE_CODE: &str = "Take the code";
    pub(crate) const TAKE_CODE_TEXT: &str = "The same requests as programs, with your own values in them.";
    pub(crate) const TOKENS_THIS_MONTH: &str = "Tokens this month";
    pub(crate) const REFUSED_IN_24_HOURS: &str = "Refused in 24 hours";
    pub(crate) const THE_LAST_24_HOURS: &str = "The last 24 hours";
    pub(crate) const CHART: &str = "Tokens issued and requests refused by hour";
    pub(crate) const CHART_ISSUED: &str = "issued";
    pub(crate) const CHART_REFUSED: &str = "refused";
}

/// Bars over time.
pub(crate) mod chart {
    pub(crate) const NOTHING: &str = "Nothing yet. What is issued shows here a second later.";
    pub(crate) const AS_A_TABLE: &str = "As a table";

    /// What a bar stands for.
    pub(crate) fn bar(span: &str, count: &str, series: &str) -> String {
        format!("{span}: {count} {series}")
    }

    pub(crate) fn total(total: &str, series: &str) -> String {
        format!("{total} {series}")
    }

    pub(crate) fn total_with_most(total: &str, series: &str, span: &str, most: &str) -> String {
        format!("{total} {series}, the most at {span}: {most}")
    }
}

/// The Quickstart: five requests.
pub(crate) mod quickstart {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const ABOUT: &str = "From nothing to a protected API in five requests, with your own values in them.";
    pub(crate) const NO_API: &str = "Create an API first";
    pub(crate) const NO_API_TEXT: &str = "The requests need something to be about.";
    pub(crate) const YOUR_API_ADDRESS: &str = "Your API's address";
    pub(crate) const RUN_IT: &str = "Run it";
    pub(crate) const THE_TOKEN_TAKEN_APART: &str = "The token, taken apart";
    pub(crate) const BY_KIND: &str = "By kind of application";
    pub(crate) const IN_PART: &str = "in part";
    pub(crate) const GET_PRIVATE_NO_TOKEN: &str = "A protected route says no to whoever shows no token.";
    pub(crate) const TOKEN_CLIENT_CREDENTIALS: &str = "The application shows its id and secret, and gets a token for \
        the API. Keep the token until it expires: asking again for each call is slow, and tokens are what is counted.";
    pub(crate) const GET_PRIVATE: &str = "The same route, with the token in the header Authorization.";
    pub(crate) const GET_PRIVATE_SCOPED: &str =
        "This route wants the permission read:messages as well. A token has what was asked for, of what was granted.";
    pub(crate) const TOKEN_PASSWORD: &str = "For a user who typed their password into your own application. Only \
        where no browser can be opened: your application sees the password.";

    pub(crate) fn no_applicants(api: impl Display) -> Markup {
        markup!(
            "None may use this API yet. <a href=\"/console/apis/{api}/applications\">Authorize one</a>.",
            api
        )
    }
}

/// How each kind of application gets a token and sends it.
pub(crate) mod kind {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const HOW_IT_GETS: &str = "How it gets a token";
    pub(crate) const HOW_IT_SENDS: &str = "How it sends it";
    pub(crate) const WHAT_WORKS_TODAY: &str = "What works today";
    pub(crate) const HOW_IT_SENDS_ONE: &str = "How it sends a token";
    pub(crate) const WITH_YOUR_VALUES: &str = "With your values";
    pub(crate) const FIVE_REQUESTS: &str = "The five requests with your values";
    pub(crate) const MACHINE: &str = "Machine to Machine";
    pub(crate) const MACHINE_ABOUT: &str = "A service, a job or a device that calls your API for itself.";
    pub(crate) const WEB: &str = "Regular Web";
    pub(crate) const WEB_ABOUT: &str = "A web application with a server of its own, into which people sign in.";
    pub(crate) const SPA: &str = "Single Page";
    pub(crate) const SPA_ABOUT: &str = "An application that runs in the browser.";
    pub(crate) const NATIVE: &str = "Native";
    pub(crate) const NATIVE_ABOUT: &str = "An application on a phone or a desktop.";
    pub(crate) const COMMAND_LINE: &str = "Command line";
    pub(crate) const COMMAND_LINE_ABOUT: &str = "A tool in a terminal or a script.";

    pub(crate) fn for_api(identifier: impl Display) -> Markup {
        markup!("For the API <code>{identifier}</code>.", identifier)
    }

    /// `client_id` and `api` are parts of addresses, ready for them.
    pub(crate) fn for_application(
        client_id: impl Display,
        application: impl Display,
        api: impl Display,
        identifier: impl Display,
    ) -> Markup {
        markup!(
            "The application <a href=\"/console/applications/{client_id}\">{application}</a> and the API <a \
                href=\"/console/apis/{api}\">{identifier}</a>.",
            client_id,
            application,
            api,
            identifier
        )
    }

    pub(crate) mod machine {
        use super::Markup;

        pub(crate) const GETS_TEXT: &str = "By client credentials: it shows its own id and secret to the token \
            endpoint, and gets a token for one API.";
        pub(crate) const CREATE: Markup = Markup::new(
            "<a href=\"/console/applications/new\">Create an application</a> of the kind Machine to Machine.",
        );
        pub(crate) const AUTHORIZE: &str =
            "Under the API, tab Applications, authorize it and tick the permissions it needs.";
        pub(crate) const ASK: Markup =
            Markup::new("Ask {} as in <a href=\"/console/quickstart#token-client-credentials\">the Quickstart</a>.");
        pub(crate) const SENDS_TEXT: Markup = Markup::new(
            "In the header <code>Authorization: Bearer …</code> of each call, for as long as the token lives: keep it \
                in memory until shortly before it expires, one for all threads.",
        );
        pub(crate) const BETTER: &str = "Better than a secret";
        pub(crate) const BETTER_TEXT: Markup = Markup::new(
            "With <a href=\"/console/debugger/private-key-jwt\">a private key</a> no secret travels and none is kept \
                here: register the public half under the application's credentials.",
        );
    }

    pub(crate) mod web {
        use super::Markup;

        pub(crate) const NOT_YET: &str = "Signing people in, with the authorization code flow, is not there yet: this \
            server has no sign-in page for users.";
        pub(crate) const WORKS_TEXT: Markup = Markup::new(
            "Its server calls APIs for itself with client credentials, like <a \
                href=\"/console/quickstart/machine-to-machine\">any service</a>. The secret stays on the server.",
        );
        pub(crate) const PASSWORD: Markup = Markup::new(
            "Where you write both the application and its sign-in form, and trust it as much as this server, it may \
                trade a user's name and password for a token: <a href=\"/console/quickstart#token-password\">the \
                password grant</a>.",
        );
        pub(crate) const SENDS_TEXT: Markup = Markup::new(
            "From its server, in the header <code>Authorization: Bearer …</code>. The browser holds a session cookie \
                of yours, never the token.",
        );
    }

    pub(crate) mod spa {
        use super::Markup;

        pub(crate) const NOT_YET: &str = "Signing people in, with the authorization code flow and PKCE, is not there \
            yet: this server has no sign-in page for users.";
        pub(crate) const WORKS_TEXT: Markup = Markup::new(
            "Nothing that runs in a browser can keep a secret, so client credentials are not for it. Let a small \
                server of yours hold the tokens and call the API for the page, as a <a \
                href=\"/console/quickstart/regular-web\">regular web application</a> does.",
        );
        pub(crate) const PASSWORD: Markup = Markup::new(
            "For trying things out, a public application of yours may use <a href=\"/console/debugger/password\">the \
                password grant</a> without a secret: list the page's origin among its web origins first.",
        );
        pub(crate) const SENDS_TEXT: Markup = Markup::new(
            "In the header <code>Authorization: Bearer …</code> of a <code>fetch</code>. The API must allow the \
                page's origin (CORS). Keep the token in memory, not in local storage.",
        );
    }

    pub(crate) mod native {
        use super::Markup;

        pub(crate) const NOT_YET: &str = "Signing people in, with the authorization code flow and PKCE in the \
            system's browser, is not there yet: this server has no sign-in page for users.";
        pub(crate) const WORKS_TEXT: Markup = Markup::new(
            "An application that people install cannot keep a secret: whoever has it can read it out. So client \
                credentials are not for it. One that you write yourself may use <a \
                href=\"/console/debugger/password\">the password grant</a> as a public application, without a secret.",
        );
        pub(crate) const SENDS_TEXT: Markup = Markup::new(
            "In the header <code>Authorization: Bearer …</code>. Keep it in the system's key store. There are no \
                refresh tokens yet: people sign in again when it has expired.",
        );
    }

    pub(crate) mod command_line {
        use super::Markup;

        pub(crate) const GETS_TEXT: &str = "A script gets one with client credentials; the command line does it for \
            you and keeps it until it expires:";
        pub(crate) const SECRET: Markup = Markup::new(
            "The secret is read from <code>TOKENHOUSE_CLIENT_SECRET</code>, a file or standard input, never from the \
                arguments, which others on the machine can see. <code>tokenhouse verify</code> says what an API would \
                make of a token, and <code>tokenhouse snippet</code> prints any request as code.",
        );
        pub(crate) const NOT_YET: &str = "Signing a person in from a terminal, with the device flow, is not there yet.";
        pub(crate) const SENDS_TEXT: Markup = Markup::new("In the header <code>Authorization: Bearer …</code>.");
    }
}

/// The list of applications.
pub(crate) mod applications {
    pub(crate) const ABOUT: &str = "The programs that ask for access tokens.";
    pub(crate) const SEARCH: &str = "Client ID, or the beginning of a word of the name";
    pub(crate) const NONE_TEXT: &str = "A Machine to Machine application is the quickest way to a first token.";
    pub(crate) const ALL_APPLICATIONS: &str = "All applications";
    pub(crate) const CLIENT_ID: &str = "Client ID";
}

/// Making an application.
pub(crate) mod application_create {
    pub(crate) const NIGHTLY_EXPORT: &str = "Nightly export";
    pub(crate) const KIND_HINT: &str = "It decides what the application begins with: its grant types, and whether it \
        has a secret. All of it can be changed later.";
    pub(crate) const EACH_KIND: &str = "How each kind gets a token";
    pub(crate) const TITLE: &str = "Create application";
    pub(crate) const MACHINE: &str = "Machine to Machine";
    pub(crate) const MACHINE_TEXT: &str = "A service, a job or a script that calls an API by itself.";
    pub(crate) const WEB: &str = "Regular web";
    pub(crate) const WEB_TEXT: &str = "A web application whose server keeps a secret.";
    pub(crate) const SPA: &str = "Single page";
    pub(crate) const SPA_TEXT: &str = "A page without a server of its own; it keeps no secret.";
    pub(crate) const NATIVE: &str = "Native";
    pub(crate) const NATIVE_TEXT: &str = "An app on a phone or a desktop, or a command line; it keeps no secret.";
    /// The kind of an application that was made elsewhere, without one.
    pub(crate) const GENERIC: &str = "Generic";
}

/// Above each of an application's pages.
pub(crate) mod application_tabs {
    pub(crate) const CLIENT_ID: &str = "Client ID";
    pub(crate) const TEST: &str = "Test";
    pub(crate) const LOGS: &str = "Logs";
    pub(crate) const APPLICATION: &str = "Application";
    pub(crate) const SETTINGS: &str = "Settings";
    pub(crate) const CREDENTIALS: &str = "Credentials";
    pub(crate) const APIS: &str = "APIs";
    pub(crate) const USAGE: &str = "Usage";
}

/// An application's settings.
pub(crate) mod application_settings {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const DESCRIPTION: &str = "Description";
    pub(crate) const HOW_IT_GETS_TOKENS: &str = "How it gets tokens";
    pub(crate) const PASSWORD_HINT: &str = "The password grants are off unless you tick them: the application sees \
        people's passwords, and neither a second factor nor single sign-on can be asked for (RFC 9700 §2.4).";
    pub(crate) const NOT_YET: &str =
        "Authorization code, device and refresh tokens are not there yet; an application keeps them where it has them.";
    pub(crate) const HOW_IT_PROVES_ITSELF: &str = "How it proves itself";
    pub(crate) const WEB_ORIGINS: &str = "Web origins";
    pub(crate) const WEB_ORIGINS_HINT: &str =
        "One a line: whose pages may read the token endpoint's answers in a browser (CORS).";
    pub(crate) const DELETE_THE_APPLICATION: &str = "Delete the application";
    pub(crate) const CLIENT_CREDENTIALS: &str = "Client credentials: for itself, without a user";
    pub(crate) const PASSWORD: &str = "Password: for a user who types it into the application";
    pub(crate) const PASSWORD_REALM: &str = "Password of a named database (password-realm)";
    pub(crate) const SECRET_POST: &str = "Secret in the request's body (client_secret_post)";
    pub(crate) const SECRET_BASIC: &str = "Secret in a Basic header (client_secret_basic)";
    pub(crate) const NO_SECRET: &str = "Nothing: a public application (none)";

    /// `path` is the application's address.
    pub(crate) fn uses_keys(path: impl Display) -> Markup {
        markup!(
            "It proves itself by its keys (<code>private_key_jwt</code>): see <a \
                href=\"{path}/credentials\">Credentials</a>.",
            path
        )
    }

    pub(crate) fn delete_text(name: impl Display) -> Markup {
        markup!(
            "It gets no more tokens; those it holds stay valid until they expire. Its secrets, keys and grants are \
                gone for good. To be sure, type its name, <strong>{name}</strong>.",
            name
        )
    }
}

/// What an application proves itself with.
pub(crate) mod application_credentials {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const NO_CREDENTIALS: &str = "No credentials";
    pub(crate) const CLIENT_SECRET: &str = "Client secret";
    pub(crate) const SECRET_TEXT: &str =
        "What the application proves itself with. Keep it on servers; never in a page or an app.";
    pub(crate) const LOOKED: &str = "The log says that you looked.";
    pub(crate) const END_IT_NOW: &str = "End it now";
    pub(crate) const MAKE_ANOTHER: &str = "Make a new one; the old one works for";
    pub(crate) const ROTATE_THE_SECRET: &str = "Rotate the secret";
    pub(crate) const PUBLIC_KEYS: &str = "Public keys";
    pub(crate) const PRIVATE_KEY: &str = "The private key, this once";
    pub(crate) const DOWNLOAD_PRIVATE_KEY_PEM: &str = "Download private-key.pem";
    pub(crate) const ADDED: &str = "Added";
    pub(crate) const NOT_IN_USE: &str = "Not in use";
    pub(crate) const ADD_A_PUBLIC_KEY: &str = "Add a public key";
    pub(crate) const NAME_OF_THE_KEY: &str = "Name of the key";
    pub(crate) const LAPTOP: &str = "laptop";
    pub(crate) const PUBLIC_KEY: &str = "Public key";
    pub(crate) const PEM_HINT: &str =
        "PEM of a public key or a certificate, or a JWK. The first key takes the secret's place.";
    pub(crate) const ADD_THE_KEY: &str = "Add the key";
    pub(crate) const GENERATE_A_KEY_PAIR: &str = "Generate a key pair";
    pub(crate) const SIGNS_WITH: &str = "Signs with";
    pub(crate) const NAME_OF_THE_PAIR: &str = "Name of the pair";
    pub(crate) const A_DAY: &str = "a day";
    pub(crate) const AN_HOUR: &str = "an hour";
    pub(crate) const A_WEEK: &str = "a week";
    pub(crate) const THIRTY_DAYS: &str = "thirty days";
    pub(crate) const NOT_AT_ALL: &str = "not at all: it ends at once";
    pub(crate) const ES256: &str = "ES256: short and quick, read by most libraries";
    pub(crate) const RS256: &str = "RS256: read by every library";
    pub(crate) const RS384: &str = "RS384: RSA where a rule asks for SHA-384";
    pub(crate) const PS256: &str = "PS256: RSA where a rule asks for PSS";
    pub(crate) const EDDSA: &str = "EdDSA: for newer libraries";
    pub(crate) const USES_KEYS: Markup = Markup::new(
        "It proves itself by the keys below (<code>private_key_jwt</code>). A secret would not be accepted.",
    );
    pub(crate) const OLDER_SECRET: Markup = Markup::new("An older secret works until {}.");
    pub(crate) const PUBLIC_KEYS_TEXT: Markup = Markup::new(
        "With <code>private_key_jwt</code> the application signs each request with a key that never leaves it (RFC \
            7523).",
    );
    pub(crate) const GENERATE_TEXT: Markup = Markup::new(
        "Of the pair only the public half stays here. Best is a key that was made where it is used: <code>openssl \
            ecparam -name prime256v1 -genkey -noout -out key.pem &amp;&amp; openssl ec -in key.pem -pubout</code>",
    );

    /// `path` is the application's address.
    pub(crate) fn is_public(path: impl Display) -> Markup {
        markup!(
            "This application is public: it cannot keep a secret, so it has none. <a href=\"{path}\">Settings</a> \
                change that.",
            path
        )
    }

    /// The key's id stands where `{}` is.
    pub(crate) fn private_key_text(algorithm: impl Display) -> Markup {
        markup!(
            "Store it where the application reads its secrets. It is kept nowhere here: when you leave this page it \
                is gone, and another has to be made. It signs with {algorithm}; the <code>kid</code> of its \
                assertions is {{}}",
            algorithm
        )
    }
}

/// The APIs that an application may call.
pub(crate) mod application_apis {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const AUTHORIZE_FOR_AN_API: &str = "Authorize for an API";
    pub(crate) const CHOOSE_AN_API: &str = "Choose an API";
    pub(crate) const ALL: &str = "With every permission, now and later";
    pub(crate) const ALL_HINT: &str = "Without it none at first; tick them below afterwards.";
    pub(crate) const AUTHORIZE: &str = "Authorize";
    pub(crate) const NONE: &str = "It may call no API by itself yet.";

    /// `path` is the application's address.
    pub(crate) fn not_a_machine(path: impl Display) -> Markup {
        markup!(
            "This application does not use client credentials: it calls APIs for its users, and needs no grant of its \
                own. <a href=\"{path}\">Settings</a> change that.",
            path
        )
    }

    pub(crate) fn withdraw(api: impl Display) -> Markup {
        markup!("Withdraw<span class=\"unseen\"> {api}</span>", api)
    }
}

/// What an application was issued.
pub(crate) mod application_usage {
    use super::super::markup::Markup;

    pub(crate) const IN_30_DAYS: &str = "In 30 days";
    pub(crate) const QUOTA: &str = "Quota";
    pub(crate) const THE_LAST_30_DAYS: &str = "The last 30 days";
    pub(crate) const DAYS: &str = "Days of UTC. Counted from the log about once a second.";
    pub(crate) const NO_TOKENS_YET: &str = "No tokens yet";
    pub(crate) const CHART: &str = "Tokens issued to the application by day";
    pub(crate) const NONE_TEXT: Markup = Markup::new(
        "Ask for one on an API's Test tab, or with the commands of the <a href=\"/console/quickstart\">Quickstart</a>.",
    );
}

/// How a quota stands.
pub(crate) mod quota {
    use std::fmt::Display;

    use super::super::markup::Markup;

    pub(crate) const USED_UP: &str = "Used up: more is refused";
    pub(crate) const PASSED_ONLY_COUNTED: &str = "Passed; only counted";
    /// The moment stands where `{}` is.
    pub(crate) const BEGINS_ANEW: Markup = Markup::new("begins anew {}");

    pub(crate) fn used_of(used: impl Display, limit: impl Display, span: impl Display) -> String {
        format!("{used} of {limit} {span}")
    }

    pub(crate) fn used(span: impl Display) -> String {
        format!("Used {span}")
    }
}

/// The list of APIs.
pub(crate) mod apis {
    pub(crate) const ABOUT: &str =
        "What access tokens are for. Each has an identifier, the tokens' audience, and permissions, their scopes.";
    pub(crate) const NEW_API: &str = "New API";
    pub(crate) const SIGNED_WITH: &str = "Signed with";
    pub(crate) const TRY_IT: &str = "Try it";
    pub(crate) const SYSTEM_API: &str = "System API";

    /// The name of the application that is made along with an API.
    pub(crate) fn test_application(api: &str) -> String {
        format!("{api} (Test Application)")
    }
}

/// Making an API.
pub(crate) mod api_create {
    use super::super::markup::Markup;

    pub(crate) const ORDERS: &str = "Orders";
    pub(crate) const TEST_APPLICATION: &str = "Create a test application with it";
    pub(crate) const TEST_APPLICATION_HINT: &str =
        "A Machine to Machine application that may use all of this API, for the Test tab.";
    pub(crate) const CREATE_API: &str = "Create API";
    pub(crate) const TITLE: &str = "Create API";
    pub(crate) const RS256: &str = "Every library reads it. The one to take when unsure.";
    pub(crate) const ES256: &str = "A fifth of the work to sign, short tokens; most libraries read it.";
    pub(crate) const EDDSA: &str = "The least work to sign; newer libraries read it.";
    pub(crate) const PS256: &str = "RSA with PSS padding, where a rule asks for it.";
    pub(crate) const HS256: &str = "One secret, shared with the API, who could sign tokens too.";
    pub(crate) const IDENTIFIER_HINT: Markup = Markup::new(
        "A URL is the custom; nobody ever calls it. It is the <code>audience</code> of token requests and the \
            <code>aud</code> of tokens, and cannot be changed later.",
    );
    pub(crate) const ROLES_HINT: Markup = Markup::new(
        "Role-based access control, <code>enforce_policies</code>. Without it a user's token has every scope that is \
            asked for.",
    );
}

/// Above each of an API's pages.
pub(crate) mod api_tabs {
    pub(crate) const IDENTIFIER: &str = "Identifier";
    pub(crate) const API: &str = "API";
    pub(crate) const SETTINGS: &str = "Settings";
    pub(crate) const PERMISSIONS: &str = "Permissions";
    pub(crate) const APPLICATIONS: &str = "Machine to Machine applications";
    pub(crate) const TEST: &str = "Test";
}

/// An API's settings.
pub(crate) mod api_settings {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const OF_SYSTEM: &str = "This is the Management API: only how long its tokens live can be changed.";
    pub(crate) const ALGORITHM_HINT: &str =
        "A change is answered once the new key is published. APIs that pin an algorithm must expect it first.";
    pub(crate) const LIFETIME: &str = "Access tokens live for";
    pub(crate) const LIFETIME_HINT: &str =
        "86 400 is a day; 2 592 000, thirty days, the most. A token cannot be taken back before.";
    pub(crate) const TOKEN_PROFILE: &str = "Token profile";
    pub(crate) const AUTH0: &str = "Auth0";
    pub(crate) const RFC_9068: &str = "RFC 9068";
    pub(crate) const ADD_PERMISSIONS_HINT: &str =
        "Where users' roles decide, tokens say all that they allow, whatever was asked for.";
    pub(crate) const API_ID: &str = "API ID";
    pub(crate) const DELETE_THE_API: &str = "Delete the API";
    pub(crate) const AUTH0_HINT: Markup =
        Markup::new("Claims as Auth0 writes them: <code>azp</code>, <code>gty</code>.");
    pub(crate) const RFC9068_HINT: Markup =
        Markup::new("The standard's: <code>client_id</code>, <code>jti</code>, type <code>at+jwt</code>.");
    pub(crate) const ROLES_HINT: Markup = Markup::new("Role-based access control, <code>enforce_policies</code>.");
    pub(crate) const ADD_PERMISSIONS: Markup = Markup::new("Add the <code>permissions</code> claim");

    pub(crate) fn delete_text(identifier: impl Display) -> Markup {
        markup!(
            "No application gets tokens for it any more; what roles and users were permitted is gone. Tokens already \
                issued stay valid until they expire. To be sure, type the identifier, <strong>{identifier}</strong>.",
            identifier
        )
    }
}

/// An API's permissions.
pub(crate) mod api_permissions {
    use std::fmt::Display;

    use super::super::markup::Markup;

    pub(crate) const OF_SYSTEM: &str = "These are the Management API's own; they cannot be changed.";
    pub(crate) const ADD_PERMISSIONS: &str = "Add permissions";
    pub(crate) const ADD_HINT: &str =
        "One a line: the value, a space, and what it allows. A value that is there already gets the new text.";
    pub(crate) const NO_PERMISSIONS_YET: &str = "No permissions yet";
    pub(crate) const PERMISSION: &str = "Permission";
    pub(crate) const WHAT_IT_ALLOWS: &str = "What it allows";
    pub(crate) const REMOVE: &str = "Remove";
    pub(crate) const REMOVE_THE_TICKED_ONES: &str = "Remove the ticked ones";
    pub(crate) const REMOVE_HINT: &str = "Roles and users lose them too.";
    pub(crate) const EXAMPLE: &str = "read:orders  Read orders\ncreate:orders  Place orders";
    pub(crate) const NONE_TEXT: Markup = Markup::new(
        "Tokens for this API carry no scopes. That is enough where every caller may do everything; \
            <code>verb:things</code> is the custom otherwise.",
    );

    pub(crate) fn remove(permission: impl Display) -> String {
        format!("Remove {permission}")
    }
}

/// The applications that get tokens for an API.
pub(crate) mod api_applications {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const ABOUT: &str =
        "Applications that get tokens for this API with their own credentials, without a user.";
    pub(crate) const WHICH_APPLICATIONS: &str = "Which applications";
    pub(crate) const AUTHORIZED: &str = "Authorized";
    pub(crate) const ALL: &str = "All";
    pub(crate) const NONE_ON_PAGE: &str = "None on this page gets tokens of its own.";
    pub(crate) const NO_MACHINE: &str = "There is no Machine to Machine application yet.";
    pub(crate) const NO_CLIENT_CREDENTIALS: &str = "Its grant types do not have client_credentials";
    pub(crate) const FOR_ITS_USERS_ONLY: &str = "For its users only";
    pub(crate) const SEARCH: &str = "Application name or client ID";

    pub(crate) fn test_with(application: impl Display) -> Markup {
        markup!("Test<span class=\"unseen\"> with {application}</span>", application)
    }

    pub(crate) fn authorized(application: impl Display) -> Markup {
        markup!("Authorized<span class=\"unseen\"> {application}</span>", application)
    }

    pub(crate) fn unauthorized(application: impl Display) -> Markup {
        markup!("Unauthorized<span class=\"unseen\"> {application}</span>", application)
    }

    pub(crate) fn permissions_of(application: impl Display) -> Markup {
        markup!(
            "Permissions<span class=\"unseen\"> of {application}</span>",
            application
        )
    }
}

/// An API's Test tab.
pub(crate) mod test_tab {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const ASK: &str = "1. Ask for a token";
    pub(crate) const ASK_TEXT: &str =
        "As the application would. It counts against no quota and stands on no bill; the log says that you asked.";
    pub(crate) const FOR_WHOM: &str = "For whom";
    pub(crate) const THE_APPLICATION_ITSELF: &str = "The application itself";
    pub(crate) const CLIENT_CREDENTIALS: &str = "client credentials";
    pub(crate) const FOR_USER: &str = "A user, with their password";
    pub(crate) const PASSWORD_GRANT: &str = "password grant";
    pub(crate) const DEFAULT_DATABASE: &str = "The tenant's default";
    pub(crate) const PERMISSIONS_HINT: &str = "None ticked: all that the application was granted.";
    pub(crate) const ISSUE_A_TOKEN: &str = "Issue a token";
    pub(crate) const THE_TOKEN: &str = "The token";
    pub(crate) const OPAQUE: &str = "It is opaque: only this tenant's userinfo endpoint reads it.";
    pub(crate) const SAME: &str = "2. The same from your program";
    pub(crate) const SAME_TEXT: &str = "The request to the token endpoint";
    pub(crate) const COPY_WITH_THE_SECRET: &str = "Copy with the secret";
    pub(crate) const CALL: &str = "3. Call your API with it";
    pub(crate) const METHOD: &str = "Method";
    pub(crate) const URL: &str = "URL";
    pub(crate) const BODY_HINT: &str = "A JSON object, sent with POST, PUT and PATCH.";
    pub(crate) const GUARD_SAYS: &str = "What this tenant's guard says of the token";
    pub(crate) const CALL_AS_CODE: &str = "The call as code";
    pub(crate) const CALL_TEXT: &str = "Sent from this server, with the token above. Redirections are not followed.";
    pub(crate) const CALL_WITHOUT_TEXT: &str = "Sent from this server, with the token above: issue one first, or see \
        what the API says without. Redirections are not followed.";
    pub(crate) const BODY_EXAMPLE: &str = "{\"name\": \"value\"}";
    pub(crate) const FOR_ITSELF: &str = "for itself";

    pub(crate) fn no_applicants(api: impl Display) -> Markup {
        markup!(
            "No application may ask for tokens for this API yet. <a \
                href=\"/console/apis/{api}/applications\">Authorize one</a>, then come back.",
            api
        )
    }

    /// `client_id` is a part of an address, ready for it.
    pub(crate) fn uses_keys(client_id: impl Display) -> Markup {
        markup!(
            "It proves itself with a private key: your program signs an assertion for each request and puts it where \
                <code>YOUR_SIGNED_CLIENT_ASSERTION</code> stands. <a \
                href=\"/console/debugger/private-key-jwt?client_id={client_id}\">The Debugger signs one</a>, to \
                compare.",
            client_id
        )
    }
}

/// Programs, and requests with their answers.
pub(crate) mod code {
    use std::fmt::Display;

    pub(crate) const RESPONSE: &str = "Response";
    pub(crate) const ANOTHER_APPLICATION: &str = "Another application";
    pub(crate) const IS_CUT: &str = "There was more: only the beginning is read.";
    pub(crate) const NO_TEXT: &str = "The body is no text; this is its base64.";
    pub(crate) const NO_TEXT_AND_CUT: &str = "The body is no text; this is the base64 of its beginning.";

    pub(crate) fn needs(what: impl Display) -> String {
        format!("· needs {what}")
    }

    pub(crate) fn not_found(text: impl Display) -> String {
        format!("There is none with this client ID or name: {text}")
    }
}

/// A token taken apart, and the guard's checks.
pub(crate) mod token {
    use std::fmt::Display;

    pub(crate) const TIME_LEFT: &str = "Time left";
    pub(crate) const SAY_WHAT_EACH_MEANS: &str = "Say what each means";
    pub(crate) const CLAIMS: &str = "Claims";
    pub(crate) const PASSED: &str = "passed";
    pub(crate) const FAILED: &str = "failed";
    pub(crate) const NOT_REACHED: &str = "not reached";
    pub(crate) const ACCESS_TOKEN: &str = "Access token";

    pub(crate) fn left(span: &str) -> String {
        format!("{span} left")
    }

    pub(crate) fn expired(span: &str) -> String {
        format!("expired {span} ago")
    }

    pub(crate) fn of_whole(span: impl Display) -> String {
        format!("of {span}")
    }

    pub(crate) fn header(members: impl Display) -> String {
        format!("Header: {members}")
    }
}

/// What the members of a token's header and its claims are, a sentence each.
pub(crate) mod meaning {
    pub(crate) const ALG_SHARED: &str = "How it is signed: with a secret that the API shares with the issuer.";
    pub(crate) const ALG_NONE: &str = "It is not signed at all. No guard takes it.";
    pub(crate) const ALG: &str =
        "How it is signed: with the issuer's private key. The API checks it with the public one.";
    pub(crate) const TYP_RFC9068: &str = "It is an access token by RFC 9068.";
    pub(crate) const TYP: &str = "What kind of token it is.";
    pub(crate) const KID: &str = "Which of the issuer's keys signed it: its id in the key set.";
    pub(crate) const X5T: &str = "The SHA-1 thumbprint of the key's certificate.";
    pub(crate) const OWN_KEY: &str = "A key that the token brings along. No guard believes it.";
    pub(crate) const OWN_KEY_URL: &str = "An address of keys that the token names itself. No guard goes there.";
    pub(crate) const CTY: &str = "What is inside, if it is another token.";
    pub(crate) const CRIT: &str = "Extensions that a reader must know. The guard knows none and refuses the token.";
    pub(crate) const ISS: &str = "Issuer: who made it. An API compares it byte for byte, with its last slash.";
    pub(crate) const SUB_APPLICATION: &str = "Subject: the application itself, which acts for no user.";
    pub(crate) const SUB: &str = "Subject: the user for whom it is.";
    pub(crate) const AUD_SEVERAL: &str = "Audience: the APIs that may take it. An API's identifier must be among them.";
    pub(crate) const AUD: &str = "Audience: the API that may take it, by its identifier.";
    pub(crate) const IAT: &str = "Issued at.";
    pub(crate) const EXP: &str = "Expires at: from then on no API takes it.";
    pub(crate) const NBF: &str = "Not before: until then no API takes it.";
    pub(crate) const JTI: &str = "Its own id, different for each token.";
    pub(crate) const SCOPE: &str = "What it allows. An API compares each route's permission with it.";
    pub(crate) const PERMISSIONS: &str = "The user's permissions at the API, whatever scopes were asked for.";
    pub(crate) const GTY_CLIENT_CREDENTIALS: &str =
        "How it was asked for: by the application, with its own credentials.";
    pub(crate) const GTY_PASSWORD: &str = "How it was asked for: with a user's password.";
    pub(crate) const GTY: &str = "How it was asked for.";
    pub(crate) const AZP: &str = "The application that asked for it.";
    pub(crate) const CNF: &str = "The key or certificate to which it is bound: only who holds that may use it.";
    pub(crate) const ACT: &str = "Who acts in the name of the subject.";
    pub(crate) const AUTH_TIME: &str = "When the user last signed in.";
    pub(crate) const AMR: &str = "How the user signed in.";
    pub(crate) const SID: &str = "The user's session.";
    pub(crate) const NONCE: &str = "What the application sent along, to find it again here.";
    pub(crate) const AT_HASH: &str = "Ties this ID token to the token or code that came with it.";
    pub(crate) const ORG_ID: &str = "The organization in whose name the user signed in.";
    pub(crate) const NAME: &str = "The user's name.";
    pub(crate) const EMAIL: &str = "The user's e-mail address.";
    pub(crate) const EMAIL_VERIFIED: &str = "Whether the user showed that the e-mail address is theirs.";
    pub(crate) const PROFILE: &str = "What the user's profile says.";
    pub(crate) const UPDATED_AT: &str = "When the user's profile changed last.";
    pub(crate) const ASSERTION_ALG: &str =
        "How it is signed: with the application's private key. The server checks it with the public half.";
    pub(crate) const ASSERTION_KID: &str = "Which of the application's keys signed it.";
    pub(crate) const ASSERTION_ISS: &str = "The application itself, by its client ID.";
    pub(crate) const ASSERTION_AUD: &str = "This issuer, as one string: no other server takes it.";
    pub(crate) const ASSERTION_EXP: &str = "Expires at: at most five minutes ahead.";
    pub(crate) const ASSERTION_JTI: &str = "Its own id, a new one for each request: an assertion is taken once.";
}

/// The Debugger's list of flows.
pub(crate) mod debugger {
    pub(crate) const ABOUT: &str = "Every request that this server answers, to be tried: the exact request, the exact \
        answer, and the same as code.";
    pub(crate) const INSPECT_A_TOKEN: &str = "Inspect a token";
    pub(crate) const TOKENS: &str = "Tokens";
    pub(crate) const PEOPLE: &str = "People";
    pub(crate) const METADATA: &str = "Metadata";
}

/// A flow of the Debugger.
pub(crate) mod flow {
    use std::fmt::Display;

    pub(crate) const AS_THE_KEY_SAYS: &str = "As the key says";
    pub(crate) const REAL: &str = "This is a real request of the application: it stands in its log and counts as its \
        token. Tokens of an API's Test tab count for nobody.";
    pub(crate) const AUTHENTICATION: &str = "Authentication";
    pub(crate) const SECRET_IN_THE_BODY: &str = "Secret in the body";
    pub(crate) const SECRET_IN_HEADER: &str = "Secret in a Basic header";
    pub(crate) const JSON: &str = "JSON";
    pub(crate) const FORM: &str = "Form";
    pub(crate) const SHOW_SECRETS_BELOW: &str = "Show secrets below";
    pub(crate) const ONLY_SHOW_THE_REQUEST: &str = "Only show the request";
    pub(crate) const WHAT_CAME_BACK: &str = "What was sent and what came back";
    pub(crate) const THE_REQUEST: &str = "The request";
    pub(crate) const THE_ASSERTION: &str = "The assertion";
    pub(crate) const ASSERTION_TEXT: &str = "Signed here with the private key, which is forgotten. It is good once.";
    pub(crate) const INSPECT_IT: &str = "Inspect it";
    pub(crate) const OPAQUE: &str = "It is opaque: only the userinfo endpoint reads it.";
    pub(crate) const THE_SAME_AS_CODE: &str = "The same as code";
    pub(crate) const ACCESS_TOKEN: &str = "Access token";
    pub(crate) const ID_TOKEN: &str = "ID token";

    pub(crate) fn inspect_of(token: impl Display) -> String {
        format!("Inspect the {token}")
    }
}

/// The flows, their fields, and what to know about each.
pub(crate) mod flows {
    pub(crate) const GRANT_TYPE: &str = "Grant type";
    pub(crate) const CLIENT_ID: &str = "Client ID";
    pub(crate) const CLIENT_SECRET: &str = "Client Secret";
    pub(crate) const CLIENT_SECRET_HINT: &str = "Left empty: the application's own, which the server knows.";
    pub(crate) const AUDIENCE: &str = "Audience";
    pub(crate) const AUDIENCE_HINT: &str = "The API's identifier, letter by letter.";
    pub(crate) const SCOPE: &str = "Scope";
    pub(crate) const SCOPE_HINT: &str = "Separated by blanks. Left empty: all that was granted.";
    pub(crate) const SCOPE_OPENID_HINT: &str = "Separated by blanks. With openid an ID token comes along.";
    pub(crate) const USERNAME: &str = "User name or e-mail";
    pub(crate) const PASSWORD_FIELD: &str = "Password";
    pub(crate) const ASSERTION_TYPE: &str = "Assertion type";
    pub(crate) const PRIVATE_KEY: &str = "Private key";
    pub(crate) const PRIVATE_KEY_HINT: &str = "PEM, PKCS#8. It signs one assertion here, good once and for a minute, \
        and is forgotten: not kept, not logged, not shown again. Use a key that is for trying things out.";
    pub(crate) const KEY_ID: &str = "Key ID";
    pub(crate) const KEY_ID_HINT: &str =
        "As it stands under the application's credentials. Left empty: every key of the application is tried.";
    pub(crate) const ALGORITHM: &str = "Algorithm";
    pub(crate) const ASSERTION: &str = "Or an assertion of your own";
    pub(crate) const ASSERTION_HINT: &str = "A JWT with iss and sub the client ID, aud the issuer, exp at most five \
        minutes ahead and a new jti, signed with a key that is registered for the application. A private key above \
        goes first.";
    pub(crate) const REALM: &str = "Realm";
    pub(crate) const REALM_HINT: &str = "The name of a database connection.";
    pub(crate) const ACCESS_TOKEN: &str = "Access token";
    pub(crate) const ACCESS_TOKEN_HINT: &str = "One with the scope openid, from a password flow.";
    pub(crate) const CLIENT_CREDENTIALS: &str = "Client credentials";
    pub(crate) const CLIENT_CREDENTIALS_ABOUT: &str =
        "An application asks for a token of its own, with its secret (RFC 6749 §4.4).";
    pub(crate) const PRIVATE_KEY_JWT: &str = "Client credentials with a private key";
    pub(crate) const PRIVATE_KEY_JWT_ABOUT: &str = "The same, but the application proves itself with an assertion \
        that its own key signed: no secret travels (RFC 7523 §2.2).";
    pub(crate) const PASSWORD: &str = "Password";
    pub(crate) const PASSWORD_ABOUT: &str = "An application asks for a token for a user who typed their password into \
        it (RFC 6749 §4.3). Only for applications that you trust as much as the server itself.";
    pub(crate) const PASSWORD_REALM: &str = "Password, in a named database";
    pub(crate) const PASSWORD_REALM_ABOUT: &str =
        "The same, naming the database in which the user is looked up: Auth0's extension grant.";
    pub(crate) const USERINFO: &str = "Userinfo";
    pub(crate) const USERINFO_ABOUT: &str =
        "The user's claims, for a token that was asked for with the scope openid (OpenID Connect Core §5.3).";
    pub(crate) const JWKS: &str = "Key set";
    pub(crate) const JWKS_ABOUT: &str = "The public keys that APIs check tokens with (RFC 7517).";
    pub(crate) const OPENID: &str = "OpenID configuration";
    pub(crate) const OPENID_ABOUT: &str =
        "What this issuer has and where, as clients of OpenID Connect read it (Discovery §4).";
    pub(crate) const METADATA: &str = "Authorization server metadata";
    pub(crate) const METADATA_ABOUT: &str = "The same, where RFC 8414 puts it.";
}

/// A token that somebody pasted.
pub(crate) mod inspector {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const ABOUT: &str = "What is in a token, and what the guard of an API here says of it. It is checked \
        on this server and goes nowhere else.";
    pub(crate) const TOKEN: &str = "Token";
    pub(crate) const CHECKED_AS: &str = "Checked as";
    pub(crate) const AS_NAMED: &str = "the API that the token names";
    pub(crate) const WANTED_PERMISSIONS: &str = "Permissions that the route wants";
    pub(crate) const INSPECT: &str = "Inspect";
    pub(crate) const THE_GUARD_CHECKS: &str = "The guard's checks";
    pub(crate) const WHAT_IS_IN_IT: &str = "What is in it";
    pub(crate) const NO_JWT: &str = "This is no JWT that can be taken apart: three parts of base64url, separated by \
        dots, the first two of them JSON.";
    pub(crate) const TITLE: &str = "Inspect a token";

    pub(crate) fn checks_text(audience: impl Display, issuer: impl Display) -> Markup {
        markup!(
            "In their order, by the code that guards an API, as <code>{audience}</code> with tokens of \
                <code>{issuer}</code>.",
            audience,
            issuer
        )
    }
}

/// What the guard of this tenant says of a token.
pub(crate) mod judgment {
    use std::fmt::Display;

    /// Stands for the identifier of an API where a token names none of this tenant's.
    pub(crate) const SOME_API: &str = "that is the identifier of one of this tenant's APIs";
    pub(crate) const NO_API: &str = "Refused: no API of this tenant takes it; the check that failed says why.";
    pub(crate) const TOO_LONG: &str = "It is longer than 16 KiB, which is the most that a guard takes.";
    pub(crate) const OPAQUE: &str = "This is an opaque token of this tenant: it was asked for without an audience, so \
        it is good at the userinfo endpoint alone. Ask for one with an API's identifier as the audience.";

    pub(crate) fn no_guard(why: &dyn Display) -> String {
        format!("No guard can be made for this API: {why}.")
    }

    pub(crate) fn id_token(application: &str) -> String {
        format!(
            "Its audience is the application {application}: this is an ID token, which tells that application who \
                signed in. APIs take access tokens."
        )
    }
}

/// Why an API answered as it did, in sentences around what was found.
pub(crate) mod answered {
    // A heading and what to do, for a status that says all by itself.
    pub(crate) const NOTHING_THERE: (&str, &str) = (
        "There is nothing at this path",
        "The API answers, but knows no such route: check the path. Whether it takes the token is not known: some APIs \
            look for the route first.",
    );
    pub(crate) const TOO_MANY: (&str, &str) = (
        "Too many calls",
        "The API limits how often it is called. Wait, then send it again.",
    );
    pub(crate) const NO_JUDGMENT: (&str, &str) = (
        "The API cannot judge the token now",
        "A guard answers so when it has no keys of the issuer: the API could not fetch them. Check that the API can \
            reach the issuer, by the name that is in the token's iss. The token itself may be good.",
    );
    pub(crate) const FAILED: (&str, &str) = (
        "The API failed",
        "That is a fault of the API, not of the token: its own log says more.",
    );
    pub(crate) const REFUSED: (&str, &str) = (
        "The API refused the call",
        "That is about the request, not about the token: its body says what it wants.",
    );

    pub(crate) const ACCEPTED: &str = "The API took the call";
    pub(crate) const UNAUTHORIZED: &str = "The API does not take the token";
    pub(crate) const FORBIDDEN: &str = "The token does not allow this";
    pub(crate) const REDIRECTED: &str = "The API redirects";
    pub(crate) const OTHER_METHODS: &str = "The route has other methods";

    pub(crate) const OPEN_ROUTE: &str = "It asked for no token: this route is open to everybody.";
    pub(crate) const TAKEN_HERE_TOO: &str = "The guard of this tenant takes the token too: every check passes.";
    pub(crate) const NO_TOKEN: &str = "No token was sent, and the route wants one: that is what 401 is for.";
    pub(crate) const NO_SCOPES: &str = "no scopes";
    pub(crate) const NOWHERE: &str = "nowhere";
    pub(crate) const SIGNS_ITSELF: &str = "This application proves itself with a private key";
    pub(crate) const SIGNS_ITSELF_TEXT: &str = "It has no secret: it signs an assertion for each request, good once \
        and for minutes, with a key that never leaves it (private_key_jwt). So its requests cannot be made from this \
        page. The Debugger signs one with a key that you paste; or choose an application with a secret.";
    pub(crate) const NO_METHODS: &str = "none that it tells";

    pub(crate) fn redirected(to: &str) -> String {
        format!(
            "It says to go on to {to}. Redirections are not followed from here, since a token is meant for one API: \
                call that address yourself if it is yours."
        )
    }

    pub(crate) fn other_methods(allowed: &str) -> String {
        format!("It allows {allowed}.")
    }

    pub(crate) fn taken_though_refused(why: &str) -> String {
        format!(
            "But the guard of this tenant refuses the token ({why}). Does this route check tokens at all? Call it \
                without one: it should answer 401."
        )
    }

    pub(crate) fn said(text: &str) -> String {
        format!("It says: {text}. ")
    }

    pub(crate) fn refused_as_well(why: &str) -> String {
        format!("The guard of this tenant refuses the token as well: {why}")
    }

    pub(crate) fn set_up_otherwise(audience: &str, issuer: &str) -> String {
        format!(
            "The guard of this tenant takes it: for {audience}, signed with a key of {issuer} that is in force, not \
                expired. So the API expects something else: check that it is set up for this identifier and this \
                issuer, both letter by letter, that it reads the header Authorization, and that its clock is right."
        )
    }

    pub(crate) fn the_scopes(held: &str) -> String {
        format!("the scopes {held}")
    }

    pub(crate) fn wants(wanted: &str, held: &str) -> String {
        format!(
            "The API took the token, but this route wants {wanted} and the token has {held}. Grant it to the \
                application (or the user), tick it above, and issue another token: the one you have does not change."
        )
    }

    pub(crate) fn wants_something(held: &str) -> String {
        format!(
            "The API took the token, but does not let it do this. The token has {held}. What the route wants it does \
                not say: see its code, or its documentation."
        )
    }

    pub(crate) fn failed_check(name: &str, why: &str) -> String {
        format!("the check named {name} failed: {why}")
    }
}

/// Why a token was not issued: a heading, and what to do. And what the links say to where it is done.
pub(crate) mod refused {
    pub(crate) const INVALID_REQUEST: (&str, &str) = ("The request is not complete", "Fill in what it names.");
    pub(crate) const CLIENT_AUTHENTICATION: (&str, &str) = (
        "The application did not prove itself",
        "Either no application has this client ID, or the secret is not its own: it may have been rotated, or the \
            application proves itself with a key instead.",
    );
    pub(crate) const INVALID_CLIENT: (&str, &str) = (
        "The application proves itself in another way",
        "It has a private key, and signs an assertion for each request. The Debugger can sign one.",
    );
    pub(crate) const UNSUPPORTED_GRANT: (&str, &str) =
        ("This server has no such grant", "The Debugger lists those that it has.");
    pub(crate) const GRANT_NOT_ALLOWED: (&str, &str) = (
        "The application may not ask in this way",
        "Tick the grant type in the application's settings, or choose another application.",
    );
    pub(crate) const UNKNOWN_AUDIENCE: (&str, &str) = (
        "No API takes tokens under this name",
        "The audience is the API's identifier, letter by letter. The Management API is not for users' tokens.",
    );
    pub(crate) const NO_AUDIENCE: (&str, &str) = (
        "No API is named",
        "Give the API's identifier as the audience, or choose a default API in the settings.",
    );
    pub(crate) const NO_CLIENT_GRANT: (&str, &str) = (
        "The application may not use this API",
        "Authorize it among the API's Machine to Machine applications, then ask again.",
    );
    pub(crate) const SCOPE_NOT_GRANTED: (&str, &str) = (
        "The application was not granted all that was asked for",
        "Grant the permission to it, or ask for less: nothing is left out silently.",
    );
    pub(crate) const INVALID_SCOPE: (&str, &str) = (
        "That is no scope",
        "Scopes are printable ASCII, without quotes and backslashes, a blank between them.",
    );
    pub(crate) const WRONG_PASSWORD: (&str, &str) = (
        "No user has this name and this password",
        "Which of the two is wrong is not told. An administrator can set another password.",
    );
    pub(crate) const USER_BLOCKED: (&str, &str) = (
        "The user is blocked",
        "An administrator blocked them, and can let them in again.",
    );
    pub(crate) const TOO_MANY_ATTEMPTS: (&str, &str) = (
        "Too many wrong passwords",
        "Passwords are not tried any more for a while, right ones neither.",
    );
    pub(crate) const UNAVAILABLE: (&str, &str) = (
        "The server has no time for it now",
        "Nothing was issued. Try again in a moment.",
    );
    pub(crate) const QUOTA_EXCEEDED: (&str, &str) = (
        "The application's quota is used up",
        "It begins anew with the hour or the day, in UTC.",
    );
    pub(crate) const NO_DATABASE: (&str, &str) = (
        "No database is named in which the user is looked up",
        "Name one that exists as the realm, or set the tenant's default_directory.",
    );
    pub(crate) const INTERNAL: (&str, &str) = (
        "Something went wrong here",
        "This is a fault of the server. Its log says more.",
    );
    pub(crate) const TO_API_APPLICATIONS: &str = "Machine to Machine applications of the API";
    pub(crate) const TO_APPLICATION: &str = "The application's settings";
    pub(crate) const TO_CREDENTIALS: &str = "The application's credentials";
    pub(crate) const TO_SIGNING: &str = "Sign an assertion in the Debugger";
    pub(crate) const TO_USAGE: &str = "The application's usage";
    pub(crate) const TO_USERS: &str = "Users";
    pub(crate) const TO_SETTINGS: &str = "Settings";
}

/// Why a call from the console got no answer, in words that say what to do about it.
pub(crate) mod no_answer {
    use std::fmt::Display;

    pub(crate) const TOO_LONG: &str =
        "This cannot be sent: the URL may have 4096 bytes, the headers and the body 64 KiB each.";
    pub(crate) const MAY_BE_ALLOWED: &str = " Whoever runs this server can allow such addresses: \
        allow_private_addresses = true in the section [console] of its configuration.";
    pub(crate) const REFUSED: &str = "Nobody listens there: the connection was refused. Start your API, and check the \
        port. The call is made by this server, so localhost is the machine on which Tokenhouse runs.";
    pub(crate) const TIMEOUT: &str =
        "No answer came in time. Check that the API runs and that no firewall is between it and this server.";
    pub(crate) const BUSY: &str = "Too many calls are being made from here. Try again in a moment.";
    pub(crate) const NOT_HERE: &str = "it is not an address of this server";
    pub(crate) const NO_ADDRESS: &str = "it has no address";
    pub(crate) const ONLY_HTTP: &str = "only http and https can be called";
    pub(crate) const HOLDS_USER: &str = "a URL must not hold a user";
    pub(crate) const NO_HOST: &str = "it names no host";

    pub(crate) fn address(why: &str) -> String {
        format!("This cannot be sent: {why}.")
    }

    pub(crate) fn header(name: &str, why: &dyn Display) -> String {
        format!("the header {name:?}: {why}")
    }

    pub(crate) fn forbidden_address(address: &str, kind: &dyn Display) -> String {
        format!("{address} is not called from here: it is {kind}.")
    }

    pub(crate) fn forbidden(host: &str, address: &str, kind: &dyn Display) -> String {
        format!("{host} stands for {address}, which is not called from here: it is {kind}.")
    }

    pub(crate) fn unknown(host: &str, why: &str) -> String {
        format!("No machine of the name {host} was found ({why}). Check how it is spelled.")
    }

    pub(crate) fn tls(why: &str) -> String {
        format!(
            "No secure connection came about: {why}. Check that the URL's host is in the certificate and that this \
                server trusts its authority."
        )
    }

    pub(crate) fn protocol(why: &str) -> String {
        format!("What answered is not HTTP, or hung up: {why}. Check the port, and whether it wants https or http.")
    }

    pub(crate) fn unusable(why: &str) -> String {
        format!("No call can be made from this server: {why}.")
    }
}

/// What kinds of address there are.
pub(crate) mod addresses {
    pub(crate) const PUBLIC: &str = "a public address";
    pub(crate) const LOOPBACK: &str = "an address of this server itself";
    pub(crate) const PRIVATE: &str = "an address of a private network";
    pub(crate) const SHARED: &str = "an address of a carrier's or a cloud's inner network";
    pub(crate) const LINK_LOCAL: &str = "an address of this server's own link";
    pub(crate) const METADATA: &str = "the address at which a cloud tells a machine its credentials";
    pub(crate) const MULTICAST: &str = "an address of a group of machines";
    pub(crate) const UNSPECIFIED: &str = "the address that stands for none";
    pub(crate) const RESERVED: &str = "an address reserved for other uses";
}

/// The list of users.
pub(crate) mod users {
    use std::fmt::Display;

    use super::super::markup::Markup;

    pub(crate) const FIND: &str = "E-mail address, name or user ID";
    pub(crate) const FIND_HINT: &str = "How an e-mail address, name or user ID begins";
    pub(crate) const NO_USERS_YET: &str = "No users yet";
    pub(crate) const NOBODY_FOUND: &str = "Nobody found";
    pub(crate) const NOBODY_TEXT: &str =
        "Users are found by how their e-mail address, user name, ID or a word of their name begins.";
    pub(crate) const ALL_USERS: &str = "All users";
    pub(crate) const USER_ID: &str = "User ID";
    pub(crate) const NONE_TEXT: Markup = Markup::new(
        "Create one here, with the command line (<code>tokenhouse users create</code>) or over the Management API. \
            Applications then get tokens for them with the password grant.",
    );

    pub(crate) fn about(total: impl Display) -> String {
        format!("The people who sign in with a password. {total} in all.")
    }
}

/// Making a user.
pub(crate) mod user_create {
    use std::fmt::Display;

    pub(crate) const EMAIL_VERIFIED: &str = "The address is known to be theirs";
    pub(crate) const USERNAME_HINT: &str = "Beside the e-mail address, or in its place.";
    pub(crate) const TITLE: &str = "Create user";

    pub(crate) fn needs(rule: impl Display) -> String {
        format!("It needs {rule}")
    }

    pub(crate) fn needs_in(rule: impl Display, database: impl Display) -> String {
        format!("It needs {rule} in {database}")
    }

    pub(crate) fn rule_in(rule: impl Display, database: impl Display) -> String {
        format!("{rule} in {database}")
    }
}

/// A user.
pub(crate) mod user {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const LOGS: &str = "Logs of this user";
    pub(crate) const VERIFIED: &str = "Verified";
    pub(crate) const NOT_VERIFIED: &str = "Not verified";
    pub(crate) const LAST_CHANGED: &str = "Last changed";
    pub(crate) const ROLES: &str = "Roles";
    pub(crate) const ANOTHER_PASSWORD: &str = "Another password";
    pub(crate) const ANOTHER_PASSWORD_TEXT: &str =
        "It replaces the one they have, and failed attempts are forgiven. Tell it to nobody but them.";
    pub(crate) const SET_THE_PASSWORD: &str = "Set the password";
    pub(crate) const LET_IN: &str = "Let them in again";
    pub(crate) const LET_IN_TEXT: &str = "They get no tokens while they are blocked.";
    pub(crate) const BLOCK_TITLE: &str = "Block";
    pub(crate) const BLOCK_TEXT: &str =
        "They get no more tokens. Access tokens that they hold stay valid until they expire.";
    pub(crate) const THEIR_NAME: &str = "Their e-mail address or user name";
    pub(crate) const DELETE_THE_USER: &str = "Delete the user";
    pub(crate) const NO_ROLES: Markup = Markup::new("None. Give one with <code>tokenhouse users assign-role</code>.");
    pub(crate) const BLOCK: &str = "Block the user";
    pub(crate) const UNBLOCK: &str = "Unblock the user";

    pub(crate) fn delete_text(login: impl Display) -> Markup {
        markup!(
            "The user is gone for good. To be sure, type <strong>{login}</strong>.",
            login
        )
    }
}

/// The log.
pub(crate) mod logs {
    use std::fmt::Display;

    use super::super::markup::Markup;

    pub(crate) const WHO: &str = "Who";
    pub(crate) const ABOUT: &str = "What was issued, refused and changed, the newest first.";
    pub(crate) const LIVE: &str = "Live";
    pub(crate) const JSON_LINES: &str = "JSON lines";
    pub(crate) const FILTER: &str = "Filter";
    pub(crate) const ALL_TYPES: &str = "All types";
    pub(crate) const NAME_OR_CLIENT_ID: &str = "Name or client ID";
    pub(crate) const EMAIL_NAME_OR_ID: &str = "E-mail, name or ID";
    pub(crate) const FROM_UTC: &str = "From (UTC)";
    pub(crate) const TO_UTC: &str = "To (UTC)";
    pub(crate) const CLEAR: &str = "Clear";
    pub(crate) const NO_LINES: &str = "No lines";
    pub(crate) const NOTHING_YET: &str =
        "Nothing has happened yet. The first token that is issued or refused shows here.";
    pub(crate) const NONE_SEARCHED: &str = "The filter lets none of the lines through that were looked at.";
    pub(crate) const WHAT: &str = "What";
    pub(crate) const NEWEST: &str = "Newest";
    pub(crate) const SEARCH_FURTHER_BACK: &str = "Search further back";
    pub(crate) const OLDER: &str = "Older";
    pub(crate) const FILTERED: &str = "The filter lets nothing through.";
    pub(crate) const FILTERED_FURTHER_BACK: &str = "The filter lets nothing further back through.";
    /// The moment stands where `{}` is.
    pub(crate) const SEARCHED: Markup = Markup::new("Searched back to {}: a search looks at 2 000 lines at a time.");
    /// Where a script searches on by itself; the moment stands where `{}` is.
    pub(crate) const SEARCHING: Markup = Markup::new("Searching back to {}…");
    pub(crate) const STOP: &str = "Stop";
    pub(crate) const SEARCH_ENDED: &str = "The search has ended.";

    pub(crate) fn newest(rows: impl Display) -> String {
        format!("The newest {rows} lines")
    }

    pub(crate) fn files_hold(rows: impl Display) -> String {
        format!("Files hold the newest {rows} lines that the filter lets through; for older ones choose an end.")
    }
}

/// A line of the log.
pub(crate) mod log_entry {
    use std::fmt::Display;

    pub(crate) const SUMMARY: &str = "Summary";
    pub(crate) const EVENTS: &str = "Events";
    pub(crate) const LOG_ID: &str = "Log ID";
    pub(crate) const THE_WHOLE_ENTRY: &str = "The whole entry";

    pub(crate) fn stands_for(events: impl Display) -> String {
        format!("This line stands for {events}.")
    }
}

/// Tokens issued.
pub(crate) mod usage {
    use super::super::markup::Markup;

    pub(crate) const ABOUT: &str = "Access tokens issued, in days of UTC. Counted from the log about once a second.";
    pub(crate) const DAYS: &str = "Days";
    pub(crate) const FIRST_DAY: &str = "First day";
    pub(crate) const LAST_DAY: &str = "Last day";
    pub(crate) const CLIENT_CREDENTIALS: &str = "Client credentials";
    pub(crate) const FOR_USERS: &str = "For users";
    pub(crate) const NONE: &str = "No tokens in these days";
    pub(crate) const NONE_TEXT: &str = "Ask for one on an API's Test tab, or with the commands of the Quickstart.";
    pub(crate) const BY_WHAT: &str = "By application, API and grant";
    pub(crate) const SHARE: &str = "Share";
    pub(crate) const DELETED: &str = "deleted";
    pub(crate) const HAS_MORE: &str = "These are the largest. The CSV file has all.";
    pub(crate) const QUOTAS: &str = "Quotas";
    pub(crate) const QUOTAS_TEXT: &str = "Of client credentials, for those who were issued most today. Exact over all \
        nodes; windows begin with the hour and the day in UTC.";
    pub(crate) const USED: &str = "Used";
    pub(crate) const CHART: &str = "Tokens issued by day";
    pub(crate) const CHART_MACHINE: &str = "client credentials";
    pub(crate) const CHART_PEOPLE: &str = "for users";
    /// The moment stands where `{}` is.
    pub(crate) const ADDED_UP: Markup = Markup::new("Added up {}.");
}

/// Signing keys.
pub(crate) mod keys {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const STATE: &str = "State";
    pub(crate) const SINCE: &str = "Since";
    pub(crate) const OTHERS: Markup = Markup::new(
        "Another algorithm gets its keys when the first API asks for it. On the command line: <code>tokenhouse keys \
            list</code>.",
    );
    pub(crate) const NEXT: &str = "Next";
    pub(crate) const NEXT_TEXT: &str = "Published already; signs after the next rotation";
    pub(crate) const CURRENT: &str = "Current";
    pub(crate) const CURRENT_TEXT: &str = "Signs every new token";
    pub(crate) const PREVIOUS: &str = "Previous";
    pub(crate) const PREVIOUS_TEXT: &str = "Signs no more; its tokens are still trusted";
    pub(crate) const REVOKED: &str = "Revoked";
    pub(crate) const REVOKED_TEXT: &str = "No longer published; its tokens are refused";

    pub(crate) fn about(jwks: impl Display) -> Markup {
        markup!(
            "Access tokens are signed with these. APIs fetch the public halves from <code>{jwks}</code>; a next key \
                is published before it signs, so that a rotation refuses no valid token.",
            jwks
        )
    }

    pub(crate) fn rotate(algorithm: impl Display) -> String {
        format!("Rotate {algorithm}")
    }

    pub(crate) fn rotate_at_once(algorithm: impl Display) -> String {
        format!("Rotate {algorithm} at once")
    }

    pub(crate) fn revoke(kid: impl Display) -> Markup {
        markup!("Revoke…<span class=\"unseen\"> {kid}</span>", kid)
    }
}

/// What the revocation of a key breaks.
pub(crate) mod key_revoke {
    use super::super::markup::{Markup, markup};

    pub(crate) const SIGNED_UNTIL: &str = "Signed until";
    pub(crate) const BREAKS_NOTHING: &str = "Every access token counted here that this key signed has expired: \
        revoking it breaks none of them. It leaves the key set.";
    pub(crate) const COUNTED: &str = "Access tokens are counted some seconds after they were issued, by the hour, for each \
        API as it is set now. Not counted: ID tokens, what administrators issued to try things out, and tokens of APIs \
        that have been deleted, or sign otherwise or for a shorter time than they did.";
    pub(crate) const WHEN: &str = "APIs that keep the key set refuse its tokens when they next look, within five \
        minutes if they obey the server's Cache-Control. A revoked key cannot be brought back.";
    pub(crate) const REVOKE_THE_KEY: &str = "Revoke the key";
    pub(crate) const KEEP_IT: &str = "Keep it";
    pub(crate) const TITLE: &str = "Revoke a key";

    pub(crate) fn others(apis: usize) -> String {
        format!("and {apis} other {}", if apis == 1 { "API" } else { "APIs" })
    }

    /// The moment stands where `{}` is.
    pub(crate) fn breaks(tokens: i64) -> Markup {
        let noun = if tokens == 1 { "token" } else { "tokens" };
        markup!(
            "<strong>This breaks up to {tokens} access {noun}</strong> that this key signed and that would be valid \
                until {{}} at the latest. Whoever holds one is answered 401 and has to ask for another. They are for:",
            tokens,
            noun
        )
    }
}

/// The tenant's settings, and its administrators.
pub(crate) mod settings {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const DEFAULT_API: &str = "Default API";
    pub(crate) const NO_DEFAULT_API: &str = "None: a request has to name one";
    pub(crate) const LIFETIME: &str = "Access tokens of new APIs live for";
    pub(crate) const LIFETIME_HINT: &str = "What an API begins with that says nothing else, wherever it is created; its own settings change it. Empty: a day.";
    pub(crate) const SESSIONS: &str = "Sessions of this console";
    pub(crate) const AT_MOST: &str = "In any case after";
    pub(crate) const HOURS: &str = "hours";
    pub(crate) const WITHOUT_USE_AFTER: &str = "Without use after";
    pub(crate) const MINUTES: &str = "minutes";
    pub(crate) const ERRORS: &str = "Errors of the token endpoint";
    pub(crate) const AUTH0_ERRORS: &str = "As Auth0 words them";
    pub(crate) const RFC6749: &str = "RFC 6749 to the letter";
    pub(crate) const ADMINISTRATORS: &str = "Administrators";
    pub(crate) const ADMINISTRATORS_TEXT: &str = "Who may sign in here.";
    pub(crate) const LAST_SIGNED_IN: &str = "Last signed in";
    pub(crate) const YOU: &str = "You";
    pub(crate) const SIGNED_IN: &str = "Signed in";
    pub(crate) const NEVER: &str = "Never";
    pub(crate) const ANOTHER_ADMINISTRATOR: &str = "Another administrator's e-mail address";
    pub(crate) const ANOTHER_ADMINISTRATOR_HINT: &str =
        "You get a link for them, good once and for a day, by which they choose a password.";
    pub(crate) const DEFAULT_API_HINT: Markup = Markup::new("For token requests without an <code>audience</code>.");
    pub(crate) const AUTH0_ERRORS_HINT: Markup =
        Markup::new("Such as <code>access_denied</code> for a wrong secret, and 403 for a wrong password.");
    pub(crate) const RFC6749_HINT: Markup =
        Markup::new("<code>invalid_client</code>, <code>invalid_grant</code>, with the standard's statuses.");

    /// The issuer stands where `{}` is.
    pub(crate) fn about(tenant: impl Display) -> Markup {
        markup!("Of the tenant <code>{tenant}</code>, issuer {{}}", tenant)
    }

    pub(crate) fn sessions_hint(hours: impl Display, idle_minutes: impl Display) -> Markup {
        markup!(
            "An administrator signs in again after so long. Empty: the most that the server's configuration allows \
                (<code>[console]</code>), {hours} hours and {idle_minutes} minutes.",
            hours,
            idle_minutes
        )
    }

    pub(crate) fn new_password(email: impl Display) -> Markup {
        markup!("New password<span class=\"unseen\"> for {email}</span>", email)
    }
}

/// A link for an administrator.
pub(crate) mod administrator_link {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const DONE: &str = "Done";
    pub(crate) const TITLE: &str = "A link for an administrator";

    pub(crate) fn send_to(email: impl Display) -> Markup {
        markup!(
            "Send this to <strong>{email}</strong>, and to nobody else. It works once, for a day; whoever opens it \
                chooses the password. It is not shown again.",
            email
        )
    }
}

/// The Management API to be read.
pub(crate) mod reference {
    use std::fmt::Display;

    use super::super::markup::{Markup, markup};

    pub(crate) const HOW_TO_CALL: &str = "How to call it";
    pub(crate) const SEARCH_THE_ENDPOINTS: &str = "Search the endpoints";
    pub(crate) const SEARCH_HINT: &str = "Path, permission or word";
    pub(crate) const SEARCH: &str = "Search";
    pub(crate) const NONE_FOUND: &str = "No endpoint has these words";
    pub(crate) const SHOW_ALL_OF_THEM: &str = "Show all of them";
    pub(crate) const ABSENT: &str = "Kinds that are not here";
    pub(crate) const ABSENT_TEXT: &str =
        "Auth0 has them. They are answered as empty, or refused, so that its tools skip them.";
    pub(crate) const REQUIRED: &str = "required";
    pub(crate) const ENDPOINTS: &str = "Endpoints";
    pub(crate) const NO_PROGRAM: &str = "Its body is a list, which the programs here cannot say.";
    pub(crate) const PARAMETERS: &str = "Parameters";
    pub(crate) const SHOW_THEM: &str = "show them";
    pub(crate) const WHY_NOT: &str = "Why not";
    pub(crate) const ALL_ENDPOINTS: &str = "All endpoints";
    pub(crate) const ANOMALY: &str = "Anomaly detection";
    pub(crate) const CLIENT_GRANTS: &str = "Application access";
    pub(crate) const CLIENTS: &str = "Applications";
    pub(crate) const KEYS: &str = "Signing keys";
    pub(crate) const RESOURCE_SERVERS: &str = "APIs";
    pub(crate) const STATS: &str = "Usage";
    pub(crate) const TENANTS: &str = "Tenant settings";
    pub(crate) const USERS_BY_EMAIL: &str = "Users by e-mail";
    /// The address stands where `{}` is.
    pub(crate) const ABOUT: Markup = Markup::new(
        "Everything that can be configured, over HTTP: the Management API, wire-compatible with Auth0's. It is at {}, \
            and <a href=\"/api/v2/openapi.json\">its OpenAPI document</a> says the same to programs.",
    );
    pub(crate) const HOW_TO_CALL_TEXT: Markup = Markup::new(
        "Ask <a href=\"/console/quickstart#token-client-credentials\">the token endpoint</a> for a token with that \
            address as its audience, by an application that is <a href=\"/console/applications\">authorized for \
            it</a>, and send it as <code>Authorization: Bearer …</code>. Each endpoint names the permissions of which \
            the token must have one.",
    );
    pub(crate) const CHANGES: Markup =
        Markup::new("What is left out of a change stays as it is, and <code>null</code> removes it.");
    /// The permissions stand where `{}` is, [`OR`] between them.
    pub(crate) const PERMISSION: Markup = Markup::new("Permission: {}");
    pub(crate) const OR: &str = "or";
    /// The statuses stand where `{}` is.
    pub(crate) const ANSWERS: Markup = Markup::new("answers {}, or <a href=\"#refusals\">why not</a>");
    pub(crate) const IN_PATH: &str = "In the path";
    pub(crate) const IN_QUERY: &str = "In the query";
    pub(crate) const REFUSALS: Markup = Markup::new(
        "Every endpoint may answer these, with a body that says what to change: <code>statusCode</code>, \
            <code>error</code>, <code>message</code>, and <code>errorCode</code> for programs.",
    );

    pub(crate) fn as_code(method: impl Display, path: impl Display) -> Markup {
        markup!("As code<span class=\"unseen\">: {method} {path}</span>", method, path)
    }

    pub(crate) fn properties(count: usize) -> String {
        format!("{count} {}", if count == 1 { "property" } else { "properties" })
    }

    pub(crate) fn properties_and_others(count: usize) -> String {
        format!("{}, and others that are kept as they are written", properties(count))
    }
}

/// A JSON Schema in words.
pub(crate) mod schema {
    /// What is only carried.
    pub(crate) const ANYTHING: &str = "anything";
    pub(crate) const MOMENT: &str = "moment, as 2026-01-31T08:30:00Z";
    pub(crate) const TEXT: &str = "text";
    pub(crate) const WHOLE_NUMBER: &str = "whole number";
    pub(crate) const NUMBER: &str = "number";
    pub(crate) const TRUE_OR_FALSE: &str = "true or false";
    pub(crate) const LIST: &str = "list";
    pub(crate) const TEXTS_BY_NAME: &str = "texts by name";
    pub(crate) const OBJECT: &str = "object";

    pub(crate) fn only(one: &str) -> String {
        format!("only {one}")
    }

    pub(crate) fn one_of(several: &str) -> String {
        format!("one of {several}")
    }

    pub(crate) fn text_of(range: &str) -> String {
        format!("text of {range} characters")
    }

    pub(crate) fn whole_number_of(range: &str) -> String {
        format!("whole number, {range}")
    }

    pub(crate) fn list_of(range: &str) -> String {
        format!("list, {range} of them")
    }

    pub(crate) fn at_most(most: u64) -> String {
        format!("at most {most}")
    }

    pub(crate) fn exactly(count: u64) -> String {
        format!("exactly {count}")
    }

    pub(crate) fn between(least: u64, most: u64) -> String {
        format!("{least} to {most}")
    }
}
