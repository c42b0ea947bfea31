//! Reads Rust just far enough: takes comments and texts away, and finds every path, whether imported by a
//! `use`, with its braces and renamings, or written out where it is needed.

/// The code without comments, texts and characters; lines stay lines.
pub(super) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest).filter(|_| !ends_in_name(&code)) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        code.push(' ');
        rest = &rest[skipped..];
    }
    code
}

/// Every text of the code, with where it begins and its escapes as what they stand for; comments hold none.
pub(super) fn texts_of(code: &str) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    let mut at = 0;
    while let Some(first) = code[at..].chars().next() {
        let rest = &code[at..];
        let raw = raw_text(rest).filter(|_| !ends_in_name(&code[..at]));
        at += if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw {
            let inside = rest[..length].trim_start_matches(|c| c != '"').trim_end_matches('#');
            texts.push((at, inside.trim_matches('"').to_owned()));
            length
        } else if first == '"' {
            let length = quoted(rest, '"');
            let inside = rest[..length].get(1..length - 1).unwrap_or_default();
            texts.push((at, unescaped(inside)));
            length
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            first.len_utf8()
        };
    }
    texts
}

/// The code before its module of tests, which ends a file.
pub(super) fn before_tests(code: &str) -> &str {
    code.split_once("\nmod tests {").map_or(code, |(before, _)| before)
}

/// Every path of more than one part in `code`, resolved from `module` on: `crate`, `self` and `super` are
/// replaced, and a `use` with braces is one path for each of its leaves. Globs end in `*`.
pub(super) fn paths_of(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens_of(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let follows_path = at > 0 && tokens[at - 1] == "::" && at > 1 && is_name(tokens[at - 2]);
        let starts = is_name(tokens[at]) || (tokens[at] == "::" && !follows_path);
        if tokens[at] == "use" {
            at = tree(&tokens, at + 1, &[], &mut paths);
        } else if starts {
            at = tree(&tokens, at, &[], &mut paths).max(at + 1);
        } else {
            at += 1;
        }
    }
    paths.into_iter().filter_map(|path| resolved(path, module)).collect()
}

/// The words and signs of the code; `::` is one sign.
pub(super) fn tokens_of(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Reads one path at `at`, and in braces several; answers where it ends.
fn tree(tokens: &[&str], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens.get(at).copied() {
            Some("::") => at += 1,
            Some("{") if !before.is_empty() || at > 0 && ["::", "use"].contains(&tokens[at - 1]) => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    let end = tree(tokens, at, &path, paths);
                    at = if tokens.get(end) == Some(&",") {
                        end + 1
                    } else {
                        end.max(at + 1)
                    };
                }
                return at + 1;
            }
            Some("*") if at > 0 && ["::", "{", ","].contains(&tokens[at - 1]) && !path.is_empty() => {
                path.push("*".into());
                paths.push(path);
                return at + 1;
            }
            Some(name) if is_name(name) => {
                path.push(name.to_owned());
                at += 1;
                if tokens.get(at) == Some(&"as") {
                    paths.push(path);
                    return at + 2;
                }
                if tokens.get(at) != Some(&"::") {
                    paths.push(path);
                    return at;
                }
            }
            _ => {
                paths.push(path);
                return at;
            }
        }
    }
}

/// A path from its crate's root on; none for a single name, which is no path.
fn resolved(path: Vec<String>, module: &[String]) -> Option<Vec<String>> {
    let path: Vec<String> = path.into_iter().filter(|part| !part.is_empty()).collect();
    if path.len() < 2 {
        return None;
    }
    let mut base: Vec<String> = match path[0].as_str() {
        "crate" => module[..1].to_vec(),
        "self" | "super" => module.to_vec(),
        _ => return Some(path),
    };
    for part in path {
        match part.as_str() {
            "super" if base.len() > 1 => drop(base.pop()),
            "crate" | "self" | "super" => {}
            _ => base.push(part),
        }
    }
    Some(base)
}

fn is_name(token: &str) -> bool {
    const KEYWORDS: [&str; 12] = [
        "use", "as", "where", "for", "in", "impl", "fn", "let", "match", "return", "mut", "dyn",
    ];
    token.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_') && !KEYWORDS.contains(&token)
}

fn ends_in_name(code: &str) -> bool {
    code.chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a raw text at the beginning: `r"…"`, `r#"…"#`, `br"…"`.
fn raw_text(text: &str) -> Option<usize> {
    let rest = text
        .strip_prefix("br")
        .or_else(|| text.strip_prefix("cr"))
        .or_else(|| text.strip_prefix('r'))?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let inside = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    Some(inside.find(&end).map_or(text.len(), |found| start + found + end.len()))
}

/// The length of a text or character with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A text's escapes as what they stand for, a line that goes on as one line.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        rest = match after.chars().next() {
            Some('\n') => after.trim_start(),
            Some('n') => {
                plain.push('\n');
                &after[1..]
            }
            Some(other) => {
                plain.push(other);
                &after[other.len_utf8()..]
            }
            None => "",
        };
    }
    plain + rest
}

/// Whether a `'` begins a character and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut after = text.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) => true,
        (Some(_), Some(second)) => second == '\'',
        _ => false,
    }
}

mod tests {
    use super::{code_of, paths_of};

    #[test]
    fn comments_texts_and_characters_are_no_code() {
        let text = "a /* b /* c */ d */ e // f\n'g' \"h \\\" i\" r#\"j \" k\"# &'l b'm' br\"n\" other\"o\"";
        let words: Vec<_> = code_of(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["a", "e", "&'l", "b", "other"]);
    }

    #[test]
    fn paths_are_found_however_they_are_written() {
        let code = "use crate::{a, b::{self, c as d}, e::*}; use super::f; fn x() -> self::g::H { ::i::j(k::<l::M>::n()) }\
                    pub(crate) use super::super::o; impl P for Q {} $crate::r!(); use s::{t}; type U = Vec<crate::v::W>;";
        let module: Vec<String> = ["root", "one", "two"].map(str::to_owned).to_vec();
        let found: Vec<_> = paths_of(&code_of(code), &module)
            .iter()
            .map(|path| path.join("::"))
            .collect();
        for expected in [
            "root::a",
            "root::b",
            "root::b::c",
            "root::e::*",
            "root::one::f",
            "root::one::two::g::H",
            "i::j",
            "l::M",
            "root::o",
            "root::r",
            "s::t",
            "root::v::W",
        ] {
            assert!(found.iter().any(|path| path == expected), "{expected} in {found:?}");
        }
    }
}
