//! Who administers the tenant: made with a link by which they choose a password, given another such link, removed.

use askama::Template;
use serde_json::{Value, json};

use super::super::answer::{Done, Failure, Reply, problem};
use super::super::frame::{Frame, Section};
use super::super::record::Record;
use super::super::visit::Visit;
use super::super::words;
use super::page;
use crate::accounts::sign_in::{Purpose, link_url, make_link};
use crate::registry::administrators::{self, NewAdministrator};

/// How long a link to choose a password works: a day, since it goes by mail or chat.
const LINK_MS: i64 = 86_400_000;
/// Where a link is shown.
const PATH: &str = "/console/settings/administrators";

#[derive(Template)]
#[template(path = "administrator_link.html")]
struct LinkPage {
    frame: Frame,
    email: String,
    link: String,
}

/// `GET /console/settings/administrators`: the link that was made just now; those who come again see who there is.
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let Some(shown) = visit.shown(PATH).await? else {
        return Ok(Reply::see("/console/settings"));
    };
    let text = |name: &str| shown.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Reply::page(&LinkPage {
        frame: visit
            .frame(Section::Settings, words::administrator_link::TITLE)
            .await?
            .below(words::navigation::SETTINGS, "/console/settings"),
        email: text("email"),
        link: text("link"),
    })
}

/// `POST /console/settings/administrators`
pub(crate) async fn act(visit: Visit) -> Result<Done, Failure> {
    let form = &visit.form;
    match form.text("action") {
        "add" => {
            let new = NewAdministrator {
                email: form.text("email").to_owned(),
                name: None,
                password: None,
            };
            match administrators::create(&visit.tenant, new).await {
                Ok(made) => linked(&visit, made.id.as_str(), words::log::ADMINISTRATOR_CREATED).await,
                Err(error) => {
                    let page = page(&visit, "administrators", Some(problem(error)?)).await?;
                    Ok(Done::unchanged(Reply::refused(&page)?))
                }
            }
        }
        "link" => linked(&visit, form.text("administrator"), words::log::ADMINISTRATOR_LINK).await,
        "remove" => {
            let found = administrators::administrator(&visit.tenant, form.text("administrator")).await?;
            if found.id == *visit.administrator() {
                let page = page(&visit, "administrators", Some(words::problems::NOT_YOURSELF.to_owned())).await?;
                return Ok(Done::unchanged(Reply::refused(&page)?));
            }
            administrators::remove(&visit.tenant, &found.id).await?;
            let record = Record::change(words::log::ADMINISTRATOR_REMOVED).with("email", found.email);
            let reply = Reply::see("/console/settings").saying(words::notices::ADMINISTRATOR_REMOVED);
            Ok(Done::recorded(record, reply))
        }
        _ => Err(Failure::missing()),
    }
}

/// Makes a link for an administrator, which is shown once.
async fn linked(visit: &Visit, id: &str, summary: &'static str) -> Result<Done, Failure> {
    let found = administrators::administrator(&visit.tenant, id).await?;
    let key = make_link(&visit.tenant, &found.id, Purpose::Password, LINK_MS).await?;
    let shown = json!({ "email": found.email, "link": link_url(&visit.tenant, &key) });
    let record = Record::change(summary).with("email", found.email);
    Ok(Done::recorded(record, Reply::see(PATH).showing(shown)))
}
