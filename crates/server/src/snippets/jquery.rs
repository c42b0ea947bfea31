//! A page with jQuery.

use super::javascript::{self, HOW_TO_OPEN, trust, warning};
use super::literal::javascript as literal;
use super::request::Request;

/// jQuery, and the digest that a browser checks it against.
const LIBRARY: &str = r#"<script src="https://code.jquery.com/jquery-4.0.0.min.js" crossorigin="anonymous"
  integrity="sha256-OaVG6prZf4v69dPg6PhVattBXkcOWQB62pdZ3ORyrao="></script>"#;

pub(super) fn render(request: &Request) -> String {
    let (warning, trust) = (warning(request), trust(request));
    let mut lines = vec![
        format!("  method: \"{}\",\n", request.method.as_str()),
        format!("  url: {},\n", literal(request.url.as_str())),
    ];
    // jQuery has a setting of its own for what the body is.
    let mut headers = request.all_headers();
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    lines.extend(javascript::headers(headers, "  ").map(|headers| format!("  headers: {headers},\n")));
    let body = request.body.as_ref();
    lines.extend(body.map(|body| {
        let data = javascript::body(body, "  ");
        format!("  contentType: \"{}\",\n  data: {data},\n", body.content_type())
    }));
    let settings = lines.concat();
    format!(
        r##"<!doctype html>
{HOW_TO_OPEN}
<meta charset="utf-8">
<title>Request</title>
<pre id="answer"></pre>
{LIBRARY}
<script>
{warning}{trust}$.ajax({{
{settings}  dataType: "text"
}}).done(function (body, outcome, response) {{
  $("#answer").text(response.status + "\n" + body);
}}).fail(function (response, outcome, error) {{
  const isAnswer = response.status !== 0;
  $("#answer").text(isAnswer ? response.status + "\n" + response.responseText
    : "No answer that this page may read: " + (error || outcome));
}});
</script>
"##
    )
}
