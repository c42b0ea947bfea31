//! A text as a literal of each language: headers, URLs and paths. What is not printable ASCII is written as an escape
//! where the language has one that nothing can follow wrongly.

use std::fmt::Write as _;

/// `'…'` of a POSIX shell, in which nothing has a meaning but the quote.
pub(crate) fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `"…"` of C#. Not `\x`, which takes as many digits as follow.
pub(super) fn csharp(text: &str) -> String {
    quoted(text, &['"', '\\'], utf16)
}

/// `"…"` of Go, which has no surrogates.
pub(super) fn go(text: &str) -> String {
    quoted(text, &['"', '\\'], code_point)
}

/// `"…"` of Java. Controls are octal: `\u000a` would be a line's end before there is a literal.
pub(super) fn java(text: &str) -> String {
    quoted(text, &['"', '\\'], |out, c| {
        if c.is_ascii() { octal(out, c) } else { utf16(out, c) }
    })
}

/// `"…"` of Kotlin, where `$` begins a template.
pub(super) fn kotlin(text: &str) -> String {
    quoted(text, &['"', '\\', '$'], utf16)
}

/// `"…"` of JavaScript, also inside a page: `<` could end the script.
pub(super) fn javascript(text: &str) -> String {
    let mut out = String::new();
    super::body::string(&mut out, text, &['<']);
    out
}

/// `@"…"` of Objective-C, in UTF-8; `??` could begin a trigraph.
pub(super) fn objc(text: &str) -> String {
    let literal = quoted(text, &['"', '\\'], |out, c| {
        if c.is_ascii() { octal(out, c) } else { out.push(c) }
    });
    // Twice, since of three in a row the first pass leaves two.
    format!("@{}", literal.replace("??", r"?\?").replace("??", r"?\?"))
}

/// `'…'` of PHP. Only the text of a path can hold more than ASCII, and no path holds controls.
pub(super) fn php(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// `"…"` of Python.
pub(super) fn python(text: &str) -> String {
    quoted(text, &['"', '\\'], code_point)
}

/// `"…"` of Ruby, where `#` before `{`, `$` or `@` begins an expression.
pub(super) fn ruby(text: &str) -> String {
    quoted(text, &['"', '\\', '#'], braced)
}

/// `"…"` of Swift and of Rust.
pub(super) fn swift_or_rust(text: &str) -> String {
    quoted(text, &['"', '\\'], braced)
}

/// Double quotes, with a backslash before each of `signs`, and `escape` for all that is not printable ASCII.
fn quoted(text: &str, signs: &[char], escape: impl Fn(&mut String, char)) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => {
                if signs.contains(&c) {
                    out.push('\\');
                }
                out.push(c);
            }
            _ => escape(&mut out, c),
        }
    }
    out.push('"');
    out
}

// Writing to a String cannot fail.

fn utf16(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

fn code_point(out: &mut String, c: char) {
    let code = u32::from(c);
    let _ = if code > 0xffff {
        write!(out, "\\U{code:08x}")
    } else {
        write!(out, "\\u{code:04x}")
    };
}

fn braced(out: &mut String, c: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

fn octal(out: &mut String, c: char) {
    let _ = write!(out, "\\{:03o}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_escapes_what_means_something_to_it() {
        assert_eq!(shell("it's $(id) `x`"), r"'it'\''s $(id) `x`'");
        assert_eq!(csharp("\"\\é\u{1}2😀"), "\"\\\"\\\\\\u00e9\\u00012\\ud83d\\ude00\"");
        assert_eq!(go("`\"\u{1}😀"), "\"`\\\"\\u0001\\U0001f600\"");
        assert_eq!(java("\u{1}2\n\"é"), "\"\\0012\\n\\\"\\u00e9\"");
        assert_eq!(kotlin("$x ${y}"), "\"\\$x \\${y}\"");
        assert_eq!(javascript("</script>\u{2028}"), "\"\\u003c/script>\\u2028\"");
        assert_eq!(objc("???/\u{1}2é%@"), "@\"?\\?\\?/\\0012é%@\"");
        assert_eq!(php("it's \\ $x"), "'it\\'s \\\\ $x'");
        assert_eq!(python("'\"{x}😀"), "\"'\\\"{x}\\U0001f600\"");
        assert_eq!(ruby("#{1+1} #$0 #@x"), "\"\\#{1+1} \\#$0 \\#@x\"");
        assert_eq!(swift_or_rust("\\(1+1)\u{7f}f"), "\"\\\\(1+1)\\u{7f}f\"");
    }
}
