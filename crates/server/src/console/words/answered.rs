//! Why an API answered as it did, in sentences around what was found.

/// A heading and what to do, for a status that says all by itself.
pub(in crate::console) const NOTHING_THERE: (&str, &str) = (
    "There is nothing at this path",
    "The API answers, but knows no such route: check the path. Whether it takes the token is not known: some APIs look for \
     the route first.",
);
pub(in crate::console) const TOO_MANY: (&str, &str) = (
    "Too many calls",
    "The API limits how often it is called. Wait, then send it again.",
);
pub(in crate::console) const NO_JUDGMENT: (&str, &str) = (
    "The API cannot judge the token now",
    "A guard answers so when it has no keys of the issuer: the API could not fetch them. Check that the API can reach the \
     issuer, by the name that is in the token's iss. The token itself may be good.",
);
pub(in crate::console) const FAILED: (&str, &str) = (
    "The API failed",
    "That is a fault of the API, not of the token: its own log says more.",
);
pub(in crate::console) const REFUSED: (&str, &str) = (
    "The API refused the call",
    "That is about the request, not about the token: its body says what it wants.",
);

pub(in crate::console) const ACCEPTED: &str = "The API took the call";
pub(in crate::console) const UNAUTHORIZED: &str = "The API does not take the token";
pub(in crate::console) const FORBIDDEN: &str = "The token does not allow this";
pub(in crate::console) const REDIRECTED: &str = "The API redirects";
pub(in crate::console) const OTHER_METHODS: &str = "The route has other methods";

pub(in crate::console) const OPEN_ROUTE: &str = "It asked for no token: this route is open to everybody.";
pub(in crate::console) const TAKEN_HERE_TOO: &str = "The guard of this tenant takes the token too: every check passes.";
pub(in crate::console) const NO_TOKEN: &str = "No token was sent, and the route wants one: that is what 401 is for.";
pub(in crate::console) const NO_SCOPES: &str = "no scopes";

pub(in crate::console) fn redirected(to: &str) -> String {
    format!(
        "It says to go on to {to}. Redirections are not followed from here, since a token is meant for one API: call that \
         address yourself if it is yours."
    )
}

pub(in crate::console) fn other_methods(allowed: Option<&str>) -> String {
    format!("It allows {}.", allowed.unwrap_or("none that it tells"))
}

pub(in crate::console) fn taken_though_refused(why: &str) -> String {
    format!(
        "But the guard of this tenant refuses the token ({why}). Does this route check tokens at all? Call it without one: \
         it should answer 401."
    )
}

pub(in crate::console) fn said(text: &str) -> String {
    format!("It says: {text}. ")
}

pub(in crate::console) fn refused_as_well(why: &str) -> String {
    format!("The guard of this tenant refuses the token as well: {why}")
}

pub(in crate::console) fn set_up_otherwise(audience: &str, issuer: &str) -> String {
    format!(
        "The guard of this tenant takes it: for {audience}, signed with a key of {issuer} that is in force, not expired. So \
         the API expects something else: check that it is set up for this identifier and this issuer, both letter by \
         letter, that it reads the header Authorization, and that its clock is right."
    )
}

pub(in crate::console) fn the_scopes(held: &str) -> String {
    format!("the scopes {held}")
}

pub(in crate::console) fn wants(wanted: &str, held: &str) -> String {
    format!(
        "The API took the token, but this route wants {wanted} and the token has {held}. Grant it to the application (or \
         the user), tick it above, and issue another token: the one you have does not change."
    )
}

pub(in crate::console) fn wants_something(held: &str) -> String {
    format!(
        "The API took the token, but does not let it do this. The token has {held}. What the route wants it does not say: \
         see its code, or its documentation."
    )
}

pub(in crate::console) fn failed_check(name: &str, why: &str) -> String {
    format!("the check named {name} failed: {why}")
}
