//! Node.js with axios, which would take a 401 for an exception and JSON apart, unless told not to.

use super::javascript;
use super::literal::javascript as literal;
use super::request::Request;

pub(super) fn render(request: &Request) -> String {
    let mut lines = vec![
        format!("  method: \"{}\",\n", request.method.as_str()),
        format!("  url: {},\n", literal(request.url.as_str())),
    ];
    lines.extend(javascript::headers(request.all_headers(), "  ").map(|headers| format!("  headers: {headers},\n")));
    let body = request.body.as_ref();
    lines.extend(body.map(|body| format!("  data: {},\n", javascript::body(body, "  "))));
    let mut imports = String::from("import axios from \"axios\";\n");
    if let Some(path) = &request.ca_file {
        imports = format!("import {{ readFileSync }} from \"node:fs\";\nimport https from \"node:https\";\n{imports}");
        lines.push(format!(
            "  httpsAgent: new https.Agent({{ ca: readFileSync({}) }}),\n",
            literal(path)
        ));
    }
    let settings = lines.concat();
    format!(
        r#"// Save as request.mjs, then run: npm install axios && node request.mjs
{imports}
const response = await axios.request({{
{settings}  responseType: "text",
  validateStatus: () => true,
  timeout: 30_000,
}});
console.log(response.status);
console.log(response.data);
"#
    )
}
