//! `/avatars/{letters}.svg`: the picture of a user who has none, drawn here, so that nobody else is told who signs in
//! (CONTRACT, decision 17).

use axum::body::Body;
use axum::extract::Path;
use axum::http::{Response, StatusCode, header};

use crate::web::answer::{http_error, set};

/// Most letters that are drawn; `user` is the one word.
const MAX_LETTERS: usize = 2;
/// What is drawn for who has no letters: a head and shoulders.
const NOBODY: &str =
    "<g fill=\"#fff\"><circle cx=\"50\" cy=\"38\" r=\"16\"/><path d=\"M18 92a32 32 0 0 1 64 0z\"/></g>";

/// The picture; the same for everybody with these letters.
pub async fn get(Path(name): Path<String>) -> Response<Body> {
    let letters = name.strip_suffix(".svg").unwrap_or_default();
    let is_short = (1..=MAX_LETTERS).contains(&letters.len());
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inside = match letters {
        "user" => NOBODY.to_owned(),
        letters if is_short && letters.bytes().all(is_plain) => format!(
            "<text x=\"50\" y=\"50\" dy=\".35em\" fill=\"#fff\" font-family=\"sans-serif\" font-size=\"42\" \
             text-anchor=\"middle\">{}</text>",
            letters.to_ascii_uppercase()
        ),
        _ => {
            let text = "A picture has one or two lower-case letters or digits, and ends in .svg.";
            return http_error(StatusCode::NOT_FOUND, "not_found", text);
        }
    };
    let hue = letters.bytes().fold(0, |hue, b| (hue * 37 + u32::from(b)) % 360);
    let picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\" viewBox=\"0 0 100 100\">\
         <rect width=\"100\" height=\"100\" fill=\"hsl({hue}, 45%, 40%)\"/>{inside}</svg>"
    );
    let mut response = Response::new(Body::from(picture));
    set(&mut response, header::CONTENT_TYPE, "image/svg+xml");
    set(&mut response, header::CACHE_CONTROL, "public, max-age=86400");
    set(&mut response, header::CONTENT_SECURITY_POLICY, "default-src 'none'");
    response
}
