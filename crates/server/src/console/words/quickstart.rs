//! What the Quickstart says of each of its requests.

use crate::snippets::Quickstart;

/// What a request is for.
pub(in crate::console) fn about(request: Quickstart) -> &'static str {
    match request {
        Quickstart::GetPrivateNoToken => "A protected route says no to whoever shows no token.",
        Quickstart::TokenClientCredentials => {
            "The application shows its id and secret, and gets a token for the API. Keep the token until it expires: \
             asking again for each call is slow, and tokens are what is counted."
        }
        Quickstart::GetPrivate => "The same route, with the token in the header Authorization.",
        Quickstart::GetPrivateScoped => {
            "This route wants the permission read:messages as well. A token has what was asked for, of what was granted."
        }
        Quickstart::TokenPassword => {
            "For a user who typed their password into your own application. Only where no browser can be opened: your \
             application sees the password."
        }
    }
}
