//! How a lock's name is written in the attribute.

use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{bracketed, token, Error, Expr, ExprPath, Lit, Macro, Result, Token};

use crate::backend::Backend;
use crate::errors::Errors;
use crate::instead;
use crate::peel::peeled;
use crate::rules::{check, check_parts, rules, without_slash};
use crate::text::Text;

/// A lock's name, as the attribute gives it.
pub(crate) enum Name {
    Text(Text),
    /// The path of a const, which rustc checks: what makes a `Lock` is a `const fn`.
    Const(ExprPath),
    /// `concat!(…)`, `env!(…)`, or any other that a static takes.
    Macro(Macro),
}

pub(crate) const ACCEPTED: &str =
    "a lock's name is a string literal such as \"i2c-1\" or \"i2c-{bus}\", \
     or the path of a `const` of type `&str`; several stand in a list, [\"i2c-1\", \"gpio-17\"]";

/// One name, or several in brackets. In `names` are also those that stand beside a mistake.
pub(crate) fn parse(input: ParseStream<'_>, names: &mut Vec<Name>) -> Result<()> {
    if !input.peek(token::Bracket) {
        names.push(Name::parse(input)?);
        return Ok(());
    }
    let content;
    let brackets = bracketed!(content in input);
    if content.is_empty() {
        return Err(Error::new(
            brackets.span.join(),
            "a list of no locks excludes nobody; name one, as in [\"i2c-1\", \"gpio-17\"]",
        ));
    }
    let mut errors = Errors::default();
    while !content.is_empty() {
        if let Some(error) = comma_too_many(&content)? {
            errors.push(error);
            continue;
        }
        let read = Name::parse(&content);
        let is_at_end = content.is_empty() || content.peek(Token![,]);
        let has_failed = read.is_err();
        names.extend(errors.keep(read));
        if !is_at_end && !has_failed {
            errors.push(Error::new(content.span(), "expected `,` between the locks' names"));
        }
        skip_past_comma(&content)?;
    }
    errors.finish(())
}

/// # Errors
/// If one of the names can be none of `backend`, or two are one lock, whatever they capture.
pub(crate) fn check_all(names: &[Name], backend: Backend) -> Result<()> {
    let mut errors = Errors::default();
    for (index, name) in names.iter().enumerate() {
        errors.keep(name.check(backend));
        if names[..index].iter().any(|other| other.key(backend) == name.key(backend)) {
            let message = "this lock is in the list already; keep one of the two";
            errors.push(Error::new_spanned(name, message));
        }
    }
    errors.finish(())
}

/// The second comma of `a,, b`, read.
pub(crate) fn comma_too_many(input: ParseStream<'_>) -> Result<Option<Error>> {
    let comma = input.parse::<Option<Token![,]>>()?;
    Ok(comma.map(|comma| Error::new(comma.span, "a comma too many; remove it")))
}

/// After a mistake, the next comma is the place to read on.
pub(crate) fn skip_past_comma(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() {
        if input.parse::<Option<Token![,]>>()?.is_some() {
            break;
        }
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

impl Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Expr = input.parse().map_err(|error| {
            Error::new(error.span(), format!("no name and no option; {ACCEPTED}"))
        })?;
        match peeled(name) {
            Expr::Lit(literal) => match literal.lit {
                Lit::Str(literal) => Text::parse(literal).map(Self::Text),
                literal => Err(Error::new(literal.span(), ACCEPTED)),
            },
            Expr::Path(path) => Ok(Self::Const(path)),
            Expr::Macro(name) if !instead::is_format(&name.mac) && !instead::is_vec(&name.mac) => {
                Ok(Self::Macro(name.mac))
            }
            other => Err(instead::of(&other)),
        }
    }

    /// Equal keys are one lock for certain. Different ones may be: what a const or an argument says is
    /// not known here.
    fn key(&self, backend: Backend) -> (bool, String) {
        match self {
            Self::Text(text) => {
                let fixed = text.without_captures();
                let is_fixed = fixed.is_some();
                let key = fixed.unwrap_or_else(|| text.literal.value());
                (is_fixed, without_slash(&key, backend).to_owned())
            }
            Self::Const(_) | Self::Macro(_) => (false, format!("{{}}{}", self.to_token_stream())),
        }
    }

    fn check(&self, backend: Backend) -> Result<()> {
        let Self::Text(text) = self else {
            return Ok(());
        };
        let checked = match text.without_captures() {
            Some(name) => check(&name, backend),
            None => check_parts(text.start(), &text.fixed(), backend),
        };
        checked.map_err(|error| {
            Error::new(text.literal.span(), format!("{error}; {}", rules(backend)))
        })
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Self::Text(text) => text.literal.to_tokens(tokens),
            Self::Const(path) => path.to_tokens(tokens),
            Self::Macro(name) => name.to_tokens(tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::LitStr;

    use super::*;
    use crate::rules::tests::{pairs, pieces};

    fn text(written: &str) -> Name {
        Name::Text(Text::parse(LitStr::new(written, Span::call_site())).unwrap())
    }

    #[test]
    fn what_is_wrong_beside_captures_is_wrong_with_every_value() {
        for backend in [Backend::Port, Backend::Semaphore, Backend::Tcp] {
            for (a, b) in pairs() {
                let Err(error) = text(&format!("{a}{{x}}{b}")).check(backend) else {
                    continue;
                };
                for value in pieces() {
                    let name = format!("{a}{value}{b}");
                    assert!(check(&name, backend).is_err(), "{name:?} is none: {error}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_certain_is_wrong_beside_captures() {
        for (written, is_right) in [
            ("{a}", true),
            ("/{a}", true),
            ("{a}/", true),
            ("{a}/{b}", true),
            (".{a}", true),
            ("sem{a}", true),
            ("{a}sem.", true),
            ("//{a}", false),
            ("bus/{a}", false),
            ("/{a}/", false),
            ("{a}-/{b}", false),
            ("sem.{a}", false),
            ("/lockattr.{a}", false),
            ("{a}\0", false),
        ] {
            assert_eq!(text(written).check(Backend::Semaphore).is_ok(), is_right, "{written:?}");
        }
    }

    #[test]
    fn a_leading_slash_makes_no_other_semaphore() {
        for names in [["/i2c-1", "i2c-1"], ["i2c-{bus}", "/i2c-{bus}"]] {
            let names = names.map(text);
            assert!(check_all(&names, Backend::Port).is_ok());
            assert!(check_all(&names, Backend::Semaphore).is_err());
        }
    }
}
