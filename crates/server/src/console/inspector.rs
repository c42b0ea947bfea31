//! The token inspector: paste a token, see what is in it, and what the guard of an API here says of it, check by check.
//! `/console/debugger/token`

use askama::Template;

use tokenhouse_store::Page as StorePage;

use super::answer::{Done, Failure, Reply};
use super::decoded::Decoded;
use super::frame::{Frame, Section};
use super::judge::{Judgment, judge};
use super::visit::Visit;
use super::words;
use crate::registry::apis;

/// Most APIs to choose from.
const MAX_APIS: u32 = 100;
/// Most scopes that are checked.
const MAX_SCOPES: usize = 50;

#[derive(Template)]
#[template(path = "inspector.html")]
struct Page {
    frame: Frame,
    token: String,
    /// Identifier, name, whether it is chosen.
    apis: Vec<(String, String, bool)>,
    scope: String,
    decoded: Option<Decoded>,
    judgment: Option<Judgment>,
}

/// `GET /console/debugger/token`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    Reply::page(&Page::new(&visit).await?)
}

/// `POST /console/debugger/token`: a token is never in an address, which others keep.
pub(crate) async fn post(visit: Visit) -> Result<Done, Failure> {
    let mut page = Page::new(&visit).await?;
    if !page.token.is_empty() {
        let scopes = page.scope.split_ascii_whitespace().take(MAX_SCOPES);
        let scopes: Vec<_> = scopes.map(str::to_owned).collect();
        let audience = visit.form.filled("audience");
        page.judgment = Some(Box::pin(judge(&visit.tenant, &page.token, audience, &scopes)).await?);
    }
    Ok(Done::unchanged(Reply::page(&page)?))
}

impl Page {
    async fn new(visit: &Visit) -> Result<Self, Failure> {
        let tenant = &visit.tenant;
        // With or without the scheme, as it was copied.
        let pasted = visit.form.text("token");
        let token = pasted.strip_prefix("Bearer ").unwrap_or(pasted).trim().to_owned();
        let chosen = visit.form.text("audience");
        let rows = apis::apis(tenant, StorePage::first(MAX_APIS)).await?;
        let apis = rows.iter().map(|api| {
            let identifier = apis::identifier(tenant, api);
            let name = api.name.clone().unwrap_or_else(|| identifier.clone());
            let is_chosen = identifier == chosen;
            (identifier, name, is_chosen)
        });
        let frame = visit.frame(Section::Debugger, words::inspector::TITLE).await?;
        Ok(Self {
            apis: apis.collect(),
            frame: frame.below(words::navigation::DEBUGGER, "/console/debugger"),
            scope: visit.form.text("scope").to_owned(),
            decoded: Decoded::of(&token, tenant.house.clock.now()),
            judgment: None,
            token,
        })
    }
}
