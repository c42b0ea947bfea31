//! Every English string of the console is in `console/words.rs`: templates, code and the script hold none of their own.

use std::path::Path;

use super::source::{before_tests, texts_of};
use super::tree::Tree;

const CONSOLE: &str = "crates/server/src/console";
/// The one file of words.
const WORDS: &str = "crates/server/src/console/words.rs";
/// Texts of templates that are no words: examples of values, names of the protocol, a file's name.
const NO_WORDS: [&str; 9] = [
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PUBLIC KEY-----",
    "client_secret_basic",
    "client_secret_post",
    "eyJhbGciOi…",
    "https://app.example.com",
    "https://orders.example.com",
    "private-key.pem",
    "read:messages",
];
/// Texts of code that look like words and are the protocol's: headers, schemes, an algorithm.
const NO_WORDS_OF_CODE: [&str; 11] = [
    "Accept",
    "Authorization",
    "Basic {}",
    "Basic base64({}:{MASKED_SECRET})",
    "Bearer ",
    "Content-Length: {}\n\n{content}\n",
    "EdDSA",
    "Path=/; Secure; HttpOnly; SameSite=Lax",
    "Path=/console; HttpOnly; SameSite=Lax",
    "User-Agent",
    "{} {path} HTTP/1.1\nHost: {authority}\n",
];
/// Pages that users see, which are not the console's.
const OF_USERS: &str = "ticket_";
/// Stands for what a format puts in.
const PLACE: char = '\u{fffc}';
/// What is read by those who run the server alone.
const NOT_SHOWN: [&str; 5] = ["tracing::", "broken(", "is_first(", "debug_assert!(", ".expect("];
/// Attributes that are seen or heard.
const SHOWN_ATTRIBUTES: [&str; 8] = [
    "alt",
    "aria-description",
    "aria-label",
    "aria-roledescription",
    "data-copied",
    "data-label",
    "placeholder",
    "title",
];

#[test]
fn templates_hold_no_words_of_their_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut broken = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(OF_USERS) {
            continue;
        }
        let found = words_of_template(&std::fs::read_to_string(&path).unwrap());
        broken.extend(
            found
                .iter()
                .map(|(line, text)| format!("templates/{name}:{line}: {text}")),
        );
        count += 1;
    }
    assert!(count > 40, "the templates were not found");
    assert!(broken.is_empty(), "these belong into {WORDS}\n{}", broken.join("\n"));
}

#[test]
fn code_of_the_console_holds_no_words_of_its_own() {
    let tree = Tree::read();
    let mut broken = Vec::new();
    for file in tree.below(CONSOLE) {
        if file.path == WORDS || file.path.ends_with("/tests.rs") {
            continue;
        }
        let found = words_of_code(&file.text);
        broken.extend(found.iter().map(|(line, text)| format!("{}:{line}: {text}", file.path)));
    }
    assert!(broken.is_empty(), "these belong into {WORDS}\n{}", broken.join("\n"));
}

#[test]
fn the_script_holds_no_words_of_its_own() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/console.js");
    let found = words_of_code(&std::fs::read_to_string(script).unwrap());
    // A directive of the language's, and a key (UI Events §4.3.2, `KeyboardEvent.key`).
    let is_word = |text: &str| !["use strict", "Enter"].contains(&text);
    let found: Vec<_> = found.into_iter().filter(|(_, text)| is_word(text)).collect();
    assert!(found.is_empty(), "these belong into {WORDS}: {found:?}");
}

#[test]
fn words_alone_are_markup() {
    let tree = Tree::read();
    for file in tree.below(CONSOLE) {
        let may = file.path == WORDS || file.path.ends_with("/markup.rs");
        let makes = ["Markup::", "markup!", "HtmlSafe"]
            .iter()
            .any(|word| file.code.contains(word));
        assert!(may || !makes, "{} makes markup: only words.rs does", file.path);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let inside = text.replace(' ', "");
        assert!(!inside.contains("|safe"), "{} takes a value as markup", path.display());
        assert!(
            !text.contains("escape") && !inside.contains("|e}}"),
            "{} escapes otherwise than the others",
            path.display()
        );
    }
}

/// The words of a template, with their lines: in its text, in attributes that are seen, and in texts of its expressions.
fn words_of_template(template: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut text = without(template, "{#", "#}", &mut |_, _| {});
    for (open, close) in [("{%", "%}"), ("{{", "}}")] {
        text = without(&text, open, close, &mut |line, inside| {
            let said = texts_of(inside).into_iter().filter(|(_, text)| is_said(text));
            found.extend(said.map(|(_, text)| (line, text)));
        });
    }
    text = without(&text, "<!--", "-->", &mut |_, _| {});
    let (mut rest, mut line) = (text.as_str(), 1);
    // Programs and identifiers are no words.
    let mut program: Option<&str> = None;
    while !rest.is_empty() {
        let (before, tag, after) = next_tag(rest);
        if program.is_none() && has_letter(before) && !NO_WORDS.contains(&before.trim()) {
            let blank = before.len() - before.trim_start().len();
            found.push((line + lines(&before[..blank]), squeezed(before)));
        }
        line += lines(before);
        for (name, value) in attributes(tag) {
            let is_shown = SHOWN_ATTRIBUTES.contains(&name) || name == "value" && is_button(tag);
            if is_shown && has_letter(value) && !NO_WORDS.contains(&value.trim()) {
                found.push((line, squeezed(value)));
            }
        }
        line += lines(tag);
        program = match (program, tag_name(tag)) {
            (None, name @ ("pre" | "code")) => Some(name),
            (Some("pre"), "/pre") | (Some("code"), "/code") => None,
            (now, _) => now,
        };
        rest = after;
    }
    found.sort();
    found
}

/// The sentences and labels of code, with their lines.
fn words_of_code(code: &str) -> Vec<(usize, String)> {
    let code = before_tests(code);
    let found = texts_of(code).into_iter().filter(|(start, text)| {
        let statement = code[..*start].rsplit([';', '{', '}']).next().unwrap_or_default();
        let is_attribute = statement
            .rsplit_once("#[")
            .is_some_and(|(_, inside)| !inside.contains(']'));
        let is_shown = !is_attribute && !NOT_SHOWN.iter().any(|mark| statement.contains(mark));
        is_shown && is_said(text)
    });
    found.map(|(start, text)| (1 + lines(&code[..start]), text)).collect()
}

/// Whether a text is one for people: it begins as a sentence or a label does, or has a word beside a word or a place.
fn is_said(text: &str) -> bool {
    let plain = with_places(text);
    let mut letters = plain.chars().filter(|c| !c.is_whitespace() && *c != PLACE);
    let is_label = letters.next().is_some_and(char::is_uppercase) && plain.chars().any(char::is_lowercase);
    let parts: Vec<&str> = plain.split(' ').collect();
    let is_sentence = parts.windows(2).any(|pair| {
        let (before, after) = (pair[0].chars().next_back(), pair[1].chars().next());
        let sides = [before, after].map(Option::unwrap_or_default);
        sides.iter().all(|c| c.is_alphabetic() || *c == PLACE) && sides.iter().any(|c| c.is_alphabetic())
    });
    (is_label || is_sentence) && !NO_WORDS_OF_CODE.contains(&text)
}

/// A format with a [`PLACE`] for each `{…}`.
fn with_places(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        plain.push_str(before);
        plain.push(PLACE);
        rest = inside.split_once('}').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// A text in which what stands between two marks is blank, with them; lines stay lines. Each is told, with its line.
fn without(text: &str, open: &str, close: &str, told: &mut dyn FnMut(usize, &str)) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(open) {
        left.push_str(before);
        let (inside, after) = inside.split_once(close).unwrap_or((inside, ""));
        told(1 + lines(&left), inside);
        left.push(' ');
        left.extend(inside.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    left + rest
}

/// What comes before the next tag, the tag, and what follows it.
fn next_tag(text: &str) -> (&str, &str, &str) {
    let start = text.find('<').unwrap_or(text.len());
    let mut quoted = false;
    let end = text[start..].find(|c: char| {
        quoted ^= c == '"';
        c == '>' && !quoted
    });
    let end = end.map_or(text.len(), |end| start + end + 1);
    (&text[..start], &text[start..end], &text[end..])
}

fn tag_name(tag: &str) -> &str {
    let name = tag.trim_start_matches('<');
    name.split(|c: char| c.is_whitespace() || c == '>')
        .next()
        .unwrap_or_default()
}

/// The names and values of a tag's attributes.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, value)) = rest.split_once("=\"") {
        let name = before
            .rsplit(|c: char| c.is_whitespace() || c == '"')
            .next()
            .unwrap_or_default();
        let (value, after) = value.split_once('"').unwrap_or((value, ""));
        found.push((name, value));
        rest = after;
    }
    found
}

/// Whether it is an `input` that shows its value on a button.
fn is_button(tag: &str) -> bool {
    tag_name(tag) == "input"
        && ["submit", "button", "reset"]
            .iter()
            .any(|kind| tag.contains(&format!("type=\"{kind}\"")))
}

/// Whether there is a letter in a text that is no part of an entity.
fn has_letter(text: &str) -> bool {
    without(text, "&", ";", &mut |_, _| {}).chars().any(char::is_alphabetic)
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

mod tests {
    use super::*;

    #[test]
    fn a_word_in_a_template_is_found_wherever_it_hides() {
        let hides = |template: &str| words_of_template(template);
        for template in [
            "<p>\n\nHello</p>",
            "{{ a }}\n\n<p>{{ b }} und</p>",
            "\n\n<input placeholder=\"Your name\">",
            "<p\nclass=\"a\">\n<b aria-label=\"Menu {{ x }}\">{{ y }}</b></p>",
            "\n\n<input type=\"submit\" value=\"Send\">",
            "\n\n{% call parts::copied(\"the client ID\", id) %}{% endcall %}",
            "{# a comment\n\n#}{{ \"Hello\" }}",
            "<code>a</code>\n\nor",
        ] {
            let found = hides(template);
            assert_eq!(found.len(), 1, "{template}: {found:?}");
            assert_eq!(found[0].0, 3, "{template}");
        }
        for template in [
            "{# Words #}<!-- Words --><p class=\"Words\">{{ words::home::TITLE }} · × &amp; 1 %</p>",
            "<pre>curl {{ url }}</pre><code>client_id</code>{% if at == \"settings\" %}{% endif %}",
            "<input value=\"yes\" placeholder=\"read:messages\"><button value=\"send\">{{ x }}</button>",
        ] {
            assert_eq!(hides(template), [], "{template}");
        }
    }

    #[test]
    fn a_sentence_in_code_is_found_and_what_only_the_log_reads_is_not() {
        for code in [
            "\nlet a = \"Hello\";",
            "\nlet a = format!(\"{b} signs {c}\");",
            "\nFailure::new(status, heading, \"it is gone\")",
            "\n    Some(\"Menu\") // \"Other Words\"",
        ] {
            let found = words_of_code(code);
            assert_eq!(found.len(), 1, "{code}: {found:?}");
            assert_eq!(found[0].0, 2, "{code}");
        }
        for code in [
            "/// \"Some Words\"\nlet a = \"name\";",
            "tracing::warn!(%error, \"this is for the log\");",
            "#[expect(missing_docs, reason = \"they are SVG's own\")]",
            "let a = (\"GET\", \"text/html; charset=utf-8\", \"{a} {b}\", \"/console/keys\", \"Bearer \");",
            "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    const A: &str = \"Some Words\";\n}",
        ] {
            assert_eq!(words_of_code(code), [], "{code}");
        }
    }
}
