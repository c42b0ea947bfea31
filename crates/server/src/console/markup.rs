//! Sentences that hold markup, as pages write them: a link or an identifier in their midst. What is put into one is
//! escaped, so that nothing that anybody typed is ever markup.

use std::borrow::Cow;
use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};

/// A text in HTML. It is one of [`words`](super::words), or made of one by [`markup!`]: there is no other way to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Markup(Cow<'static, str>);

/// A value on its way into a sentence. Braces are escaped too, since `{}` is where a page puts an element.
pub(crate) struct Escaped<T>(pub(crate) T);

/// A [`Markup`] of a text with `{name}` in it, and these names: each value is escaped. What the text names must be listed,
/// since the compiler reads no other names out of a `concat!`.
macro_rules! markup {
    ($text:literal, $($name:ident),+ $(,)?) => {
        $crate::console::markup::Markup::of(format_args!(
            concat!($text),
            $($name = $crate::console::markup::Escaped(&$name)),+
        ))
    };
}
pub(crate) use markup;

impl Markup {
    /// A sentence of our own.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// What [`markup!`] has put together, every value escaped.
    pub(crate) fn of(text: fmt::Arguments<'_>) -> Self {
        Self(Cow::Owned(text.to_string()))
    }

    /// What comes before `{}`, and what comes after it.
    pub(crate) fn halves(&self) -> (Self, Self) {
        let (before, after) = self.0.split_once("{}").unwrap_or((&self.0, ""));
        let owned = |half: &str| Self(Cow::Owned(half.to_owned()));
        (owned(before), owned(after))
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Templates write it as it is.
impl HtmlSafe for Markup {}

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        for (place, part) in text.split('{').enumerate() {
            if place > 0 {
                f.write_str("&#123;")?;
            }
            Html.write_escaped_str(&mut *f, part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_sentence_is_never_markup() {
        let hostile = "<b title=\"a\" id='b'>&{}";
        let sentence = markup!("Of <code>{hostile}</code>, issuer {{}}.", hostile);
        assert_eq!(
            sentence.to_string(),
            "Of <code>&#60;b title=&#34;a&#34; id=&#39;b&#39;&#62;&#38;&#123;}</code>, issuer {}."
        );
        let (before, after) = sentence.halves();
        assert!(before.to_string().ends_with(", issuer "), "{before}");
        assert_eq!(after.to_string(), ".");
    }

    #[test]
    fn a_sentence_without_a_place_is_whole_before_it() {
        let (before, after) = Markup::new("All of it").halves();
        assert_eq!(
            (before.to_string().as_str(), after.to_string().as_str()),
            ("All of it", "")
        );
    }
}
