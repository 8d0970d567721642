//! Texts with `format!`'s braces, in names and `info`.

use syn::{Error, LitStr, Result};

/// The text of a literal that captures no arguments, its `{{` and `}}` replaced by the braces that
/// they stand for.
pub(crate) fn without_captures(literal: &LitStr) -> Result<String> {
    let written = literal.value();
    let mut text = String::with_capacity(written.len());
    let mut rest = written.chars().peekable();
    while let Some(c) = rest.next() {
        if matches!(c, '{' | '}') && rest.next_if_eq(&c).is_none() {
            return Err(Error::new(
                literal.span(),
                format!(
                    "captures of arguments, as in \"i2c-{{bus}}\", are not supported yet; \
                     write `{c}{c}` for the character `{c}`",
                ),
            ));
        }
        text.push(c);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn double_braces_are_braces_and_single_ones_are_errors() {
        let read = |text: &str| without_captures(&LitStr::new(text, Span::call_site())).ok();
        for (written, text) in [
            ("", Some("")),
            ("i2c-1", Some("i2c-1")),
            ("{{", Some("{")),
            ("}}", Some("}")),
            ("a{{b}}c", Some("a{b}c")),
            ("{{{{}}}}", Some("{{}}")),
            ("{", None),
            ("}", None),
            ("{bus}", None),
            ("{{bus}", None),
            ("{{{bus}}}", None),
            ("}{", None),
        ] {
            assert_eq!(read(written).as_deref(), text, "{written}");
        }
    }
}
