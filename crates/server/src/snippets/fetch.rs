//! A page with the browser's own `fetch`.

use super::javascript::{HOW_TO_OPEN, trust, warning};
use super::node::call;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let (warning, trust, call) = (warning(request), trust(request), call(request, "  "));
    format!(
        r##"<!doctype html>
{HOW_TO_OPEN}
<meta charset="utf-8">
<title>Request</title>
<pre id="answer"></pre>
<script type="module">
{warning}{trust}const answer = document.querySelector("#answer");
try {{
  const response = {call};
  answer.textContent = `${{response.status}}\n${{await response.text()}}`;
}} catch (error) {{
  answer.textContent = `No answer that this page may read: ${{error}}`;
}}
</script>
"##
    )
}
