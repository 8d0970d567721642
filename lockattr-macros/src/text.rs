//! Texts with `format!`'s braces, in names and `info`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned, ToTokens};
use syn::{Error, Index, LitStr, Member, Result};

/// A literal that may capture arguments, `"i2c-{bus}"` or `"{self.port:03}"`.
pub(crate) struct Text {
    pub(crate) literal: LitStr,
    pieces: Vec<Piece>,
}

enum Piece {
    /// As it is to be read: `{{` is `{` here.
    Fixed(String),
    Captured(Capture),
}

/// `{argument:spec}`, `{argument.field.field:spec}`, or `{Self::NAME:spec}`.
struct Capture {
    /// A word, or several with `::` between them: then it is no argument.
    argument: String,
    fields: Vec<Member>,
    /// With its colon, or empty.
    spec: String,
}

impl Text {
    pub(crate) fn parse(literal: LitStr) -> Result<Self> {
        let pieces =
            pieces(&literal.value()).map_err(|message| Error::new(literal.span(), message))?;
        Ok(Self { literal, pieces })
    }

    /// The whole text, if it captures nothing.
    pub(crate) fn without_captures(&self) -> Option<String> {
        let fixed = self.pieces.iter().map(|piece| match piece {
            Piece::Fixed(text) => Some(text.as_str()),
            Piece::Captured(_) => None,
        });
        fixed.collect()
    }

    /// How the text begins, whatever is captured.
    pub(crate) fn start(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Fixed(text)) => text,
            _ => "",
        }
    }

    /// What is certain to be in the text, whatever is captured.
    pub(crate) fn fixed(&self) -> String {
        let fixed = self.pieces.iter().map(|piece| match piece {
            Piece::Fixed(text) => text.as_str(),
            Piece::Captured(_) => "",
        });
        fixed.collect()
    }

    /// The names that are captured, for a value or for a width.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &str> {
        let captures = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Fixed(_) => None,
            Piece::Captured(capture) => Some(capture),
        });
        captures.flat_map(|Capture { argument, spec, .. }| {
            let widths = spec.match_indices('$').map(|(end, _)| last_word(&spec[..end]));
            widths.chain(Some(argument.as_str()).filter(|argument| !argument.contains("::")))
        })
    }

    /// Whether a value may be a path to a file, for which the expansion imports how it is shown.
    pub(crate) fn may_show_paths(&self, paths: &[String]) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Fixed(_) => false,
            Piece::Captured(capture) => capture.may_be_path(paths),
        })
    }

    /// What stands in the parentheses of `format_args!`, where the arguments in `paths` are paths to files.
    ///
    /// That is the user's own literal, in which rustc can point at a name, but where fields, paths of consts
    /// or paths to files are captured, which `format!` cannot:
    ///
    /// ```text
    /// // Input:
    /// "{self.bus.number:02}-{self.port}-{channel}"
    ///
    /// // Output:
    /// "{__field0:02}-{__field1}-{channel}",
    /// __field0 = self.bus.number,
    /// __field1 = (&&__lockattr::Shown(&self.port)).shown()
    /// ```
    pub(crate) fn format(&self, paths: &[String]) -> TokenStream {
        let span = self.literal.span();
        let site = Span::mixed_site().located_at(span);
        let mut format = String::new();
        let mut values = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(text) => {
                    format.push_str(&text.replace('{', "{{").replace('}', "}}"));
                }
                Piece::Captured(capture) => {
                    let name = if capture.is_plain(paths) {
                        capture.argument.clone()
                    } else {
                        let name = format_ident!("__field{}", values.len(), span = span);
                        let mut value = capture.value(span);
                        if capture.may_be_path(paths) {
                            let place = quote_spanned!(span=> &#value);
                            value = quote_spanned!(site=> (&&__lockattr::Shown(#place)).shown());
                        }
                        values.push(quote_spanned!(span=> #name = #value));
                        name.to_string()
                    };
                    format.extend(["{", &name, &capture.spec, "}"]);
                }
            }
        }
        if values.is_empty() {
            return self.literal.to_token_stream();
        }
        let format = LitStr::new(&format, span);
        quote!(#format, #(#values),*)
    }
}

/// What `format!` calls by its plain name, keywords too.
fn ident(name: &str, span: Span) -> Ident {
    let is_raw = syn::parse_str::<Ident>(name).is_err() && !IN_PATHS.contains(&name);
    if is_raw {
        Ident::new_raw(name, span)
    } else {
        Ident::new(name, span)
    }
}

/// Keywords that begin a path, and are never raw.
const IN_PATHS: [&str; 4] = ["self", "Self", "crate", "super"];

fn pieces(text: &str) -> std::result::Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if matches!(c, '{' | '}') && after.starts_with(c) {
            fixed.push(c);
            rest = &after[1..];
            continue;
        }
        match c {
            '}' => {
                return Err("a `}` that closes nothing; write `}}` for the character `}`".to_owned())
            }
            '{' => {
                let end = after.find('}').ok_or(
                    "a `{` that nothing closes; capture an argument as in \"i2c-{bus}\", \
                     or write `{{` for the character `{`",
                )?;
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
                pieces.push(Piece::Captured(Capture::parse(&after[..end])?));
                rest = &after[end + 1..];
            }
            c => {
                fixed.push(c);
                rest = after;
            }
        }
    }
    pieces.push(Piece::Fixed(fixed));
    Ok(pieces)
}

impl Capture {
    fn parse(written: &str) -> std::result::Result<Self, String> {
        let (path, spec) = written.split_at(start_of_spec(written));
        let path = path.trim();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if digits(path) {
            return Err(format!(
                "`{{{written}}}` names no argument, and there is no list of them here; \
                 name one of the function's, as in \"i2c-{{bus}}\" or \"{{self.port}}\", \
                 or write `{{{{` for the character `{{`",
            ));
        }
        let is_positional = spec.contains(".*")
            || spec.match_indices('$').any(|(end, _)| digits(last_word(&spec[..end])));
        if is_positional {
            return Err(format!(
                "`{spec}` takes a width or a precision from a list, and there is none here; \
                 name the argument, as in `{{value:width$}}`",
            ));
        }
        let no_path = || {
            format!(
                "`{path}` is no argument, nor a field of one; in the braces stands a name and what \
                 `format!` knows, as in \"i2c-{{bus}}\", \"{{self.port}}\", \"{{config.bus:02}}\"; \
                 `{{{{` is the character `{{`",
            )
        };
        let mut names = path.split('.').map(str::trim);
        let argument =
            names.next().filter(|name| is_name(name) || is_path(name)).ok_or_else(no_path)?;
        let fields = names.map(|name| {
            if digits(name) {
                let index = name.parse().ok();
                index.map(|index| Member::Unnamed(Index { index, span: Span::call_site() }))
            } else {
                let field = is_name(name) && name != "self";
                field.then(|| Member::Named(ident(name, Span::call_site())))
            }
        });
        let fields = fields.collect::<Option<_>>().ok_or_else(no_path)?;
        Ok(Self { argument: argument.to_owned(), fields, spec: spec.to_owned() })
    }

    /// Whether `format!` captures it as it is written.
    fn is_plain(&self, paths: &[String]) -> bool {
        self.fields.is_empty() && !self.argument.contains("::") && !self.may_be_path(paths)
    }

    /// What a field is, only rustc knows.
    fn may_be_path(&self, paths: &[String]) -> bool {
        self.spec.is_empty() && (!self.fields.is_empty() || paths.contains(&self.argument))
    }

    /// `self.a.0`, or `Self::NAME`.
    fn value(&self, span: Span) -> TokenStream {
        let names = self.argument.split("::").map(|name| ident(name.trim(), span));
        let fields = self.fields.iter().map(|field| {
            let mut field = field.clone();
            match &mut field {
                Member::Named(name) => name.set_span(span),
                Member::Unnamed(index) => index.span = span,
            }
            quote_spanned!(span=> .#field)
        });
        quote_spanned!(span=> #(#names)::* #(#fields)*)
    }
}

/// Where the format begins: at the first `:` that is no part of a `::` with a name behind it.
fn start_of_spec(written: &str) -> usize {
    let mut from = 0;
    while let Some(colon) = written[from..].find(':').map(|colon| from + colon) {
        let behind = written[colon..].strip_prefix("::").map(str::trim_start);
        if !behind.is_some_and(|behind| behind.starts_with(|c: char| c == '_' || c.is_alphabetic()))
        {
            return colon;
        }
        from = colon + 2;
    }
    written.len()
}

/// `Self::NAME`, `names::BUS`.
fn is_path(written: &str) -> bool {
    let mut names = written.split("::").map(str::trim);
    let first = names.next().is_some_and(|name| IN_PATHS.contains(&name) || is_name(name));
    let mut rest = names.peekable();
    first && rest.peek().is_some() && rest.all(|name| is_name(name) || name == "super")
}

/// The word that `text` ends with.
fn last_word(text: &str) -> &str {
    &text[text.trim_end_matches(is_word).len()..]
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether it is an identifier, or a keyword that can be one as `r#keyword`, or `self`.
fn is_name(name: &str) -> bool {
    let is_ident = |name: &str| syn::parse_str::<Ident>(name).is_ok();
    !name.starts_with("r#") && (name == "self" || is_ident(name) || is_ident(&format!("r#{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Text> {
        Text::parse(LitStr::new(text, Span::call_site()))
    }

    #[test]
    fn double_braces_are_braces_and_single_ones_are_errors() {
        for (written, text) in [
            ("", Some("")),
            ("i2c-1", Some("i2c-1")),
            ("{{", Some("{")),
            ("}}", Some("}")),
            ("a{{b}}c", Some("a{b}c")),
            ("{{{{}}}}", Some("{{}}")),
            ("{", None),
            ("}", None),
            ("{{bus}", None),
            ("}{", None),
        ] {
            assert_eq!(
                read(written).ok().and_then(|text| text.without_captures()).as_deref(),
                text
            );
        }
    }

    #[test]
    fn only_captured_fields_change_the_literal() {
        for (written, format) in [
            ("i2c-{bus}", "\"i2c-{bus}\""),
            ("{self}", "\"{self}\""),
            ("{type:>4}{{", "\"{type:>4}{{\""),
            ("{value:width$.precision$}", "\"{value:width$.precision$}\""),
            ("{a:x1$}", "\"{a:x1$}\""),
            ("{self.port:?}", "\"{__field0:?}\" , __field0 = self . port"),
            (
                "{self.port}{path:?}{path}",
                "\"{__field0}{path:?}{__field1}\" , \
                 __field0 = (&& __lockattr :: Shown (& self . port)) . shown () , \
                 __field1 = (&& __lockattr :: Shown (& path)) . shown ()",
            ),
            (
                "{Self::NAME}-{crate::names::BUS:>5}{x::>5}",
                "\"{__field0}-{__field1:>5}{x::>5}\" , \
                 __field0 = Self :: NAME , __field1 = crate :: names :: BUS",
            ),
            (
                "{{{self.0.type:02}-{bus}/{bus.name:>4}}}",
                "\"{{{__field0:02}-{bus}/{__field1:>4}}}\" , \
                 __field0 = self . 0 . r#type , __field1 = bus . name",
            ),
        ] {
            let text = read(written).unwrap();
            assert_eq!(text.format(&["path".to_owned()]).to_string(), format);
        }
    }

    #[test]
    fn captures_name_an_argument() {
        for written in [
            "{}",
            "{0}",
            "{:?}",
            "{ }",
            "{a b}",
            "{a()}",
            "{a[0]}",
            "{a.}",
            "{.a}",
            "{a..b}",
            "{_}",
            "{a+1}",
            "{r#type}",
            "{self.self}",
            "{a:.*}",
            "{a:0$}",
            "{a:>1$}",
            "{crate}",
            "{Self}",
            "{Self::}",
            "{::a}",
            "{a::b()}",
            "{1.a}",
            "{a.99999999999}",
            "{ä b}",
        ] {
            assert!(read(written).is_err(), "{written}");
        }
    }
}
