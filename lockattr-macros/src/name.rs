//! What a lock may be called, and how its name is written in the attribute.

use std::fmt;

use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{bracketed, token, Error, ExprPath, Lit, Result, Token};

use crate::backend::Backend;
use crate::errors::Errors;
use crate::text::Text;

/// A lock's name, as the attribute gives it.
pub(crate) enum Name {
    Text(Text),
    /// The path of a const, which rustc checks: `Lock::port` is a `const fn`.
    Const(ExprPath),
}

const ACCEPTED: &str = "a lock's name is a string literal such as \"i2c-1\" or \"i2c-{bus}\", \
     or the path of a `const` of type `&str`; several stand in a list, [\"i2c-1\", \"gpio-17\"]";

/// One name, or several in brackets.
pub(crate) fn parse(input: ParseStream<'_>) -> Result<Vec<Name>> {
    if !input.peek(token::Bracket) {
        return Ok(vec![Name::parse(input)?]);
    }
    let content;
    let brackets = bracketed!(content in input);
    if content.is_empty() {
        return Err(Error::new(
            brackets.span.join(),
            "a list of no locks excludes nobody; name one, as in [\"i2c-1\", \"gpio-17\"]",
        ));
    }
    let mut names: Vec<Name> = Vec::new();
    let mut errors = Errors::default();
    while !content.is_empty() {
        let read = Name::parse(&content);
        let is_at_end = content.is_empty() || content.peek(Token![,]);
        let has_failed = read.is_err();
        if let Some(name) = errors.keep(read) {
            if names.iter().any(|other| other.key() == name.key()) {
                errors.push(Error::new_spanned(
                    &name,
                    "this lock is in the list already; keep one of the two",
                ));
            }
            names.push(name);
        }
        if !is_at_end && !has_failed {
            errors.push(Error::new(content.span(), "expected `,` between the locks' names"));
        }
        skip_past_comma(&content)?;
    }
    errors.finish(names)
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
        if input.peek(Lit) {
            let literal: Lit = input.parse()?;
            let Lit::Str(literal) = literal else {
                return Err(Error::new(literal.span(), ACCEPTED));
            };
            return Text::parse(literal).map(Self::Text);
        }
        let path: ExprPath = input.parse().map_err(|error| {
            Error::new(error.span(), format!("no name and no option; {ACCEPTED}"))
        })?;
        let first = path.path.segments.first();
        if let Some(first) = first.filter(|first| first.ident == "Self" && path.qself.is_none()) {
            return Err(Error::new(
                first.ident.span(),
                "the lock is a static, and in a static there is no `Self`; \
                 write the type's own name, as in `Driver::BUS`",
            ));
        }
        if !(input.is_empty() || input.peek(Token![,])) {
            return Err(Error::new(
                input.span(),
                format!("expected `,` or nothing after the name; {ACCEPTED}"),
            ));
        }
        Ok(Self::Const(path))
    }

    /// Equal keys are one lock for certain. Different ones may be: what a const or an argument says is
    /// not known here.
    fn key(&self) -> (bool, String) {
        match self {
            Self::Text(text) => match text.without_captures() {
                Some(fixed) => (true, fixed),
                None => (false, text.literal.value()),
            },
            Self::Const(path) => (false, format!("{{}}{}", path.to_token_stream())),
        }
    }

    /// # Errors
    /// If it can be no name, whatever it captures.
    pub(crate) fn check(&self, backend: Backend) -> Result<()> {
        let Self::Text(text) = self else {
            return Ok(());
        };
        let checked = match text.without_captures() {
            Some(name) => check(&name, backend),
            None => check_part(&text.fixed(), backend),
        };
        checked.map_err(|error| Error::new(text.literal.span(), error))
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Self::Text(text) => text.literal.to_tokens(tokens),
            Self::Const(path) => path.to_tokens(tokens),
        }
    }
}

/// The rule that a lock's name breaks.
#[derive(Debug, PartialEq, Eq)]
enum NameError {
    Empty { limit: usize },
    TooLong { bytes: usize, limit: usize },
    Nul { limit: usize },
}

/// The same rules as in lockattr-runtime's `name.rs`, which this crate cannot depend on: the runtime
/// checks every name again. They stand here only to put the message on the literal.
/// (`tests/attribute.rs` of the facade shows that both agree.)
fn check(name: &str, backend: Backend) -> std::result::Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { limit: backend.limit() });
    }
    check_part(name, backend)
}

fn check_part(part: &str, backend: Backend) -> std::result::Result<(), NameError> {
    let limit = backend.limit();
    if part.len() > limit {
        Err(NameError::TooLong { bytes: part.len(), limit })
    } else if part.contains('\0') {
        Err(NameError::Nul { limit })
    } else {
        Ok(())
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = match self {
            Self::Empty { limit } => {
                f.write_str("the lock's name is empty")?;
                limit
            }
            Self::TooLong { bytes, limit } => {
                write!(f, "the lock's name has {bytes} bytes")?;
                limit
            }
            Self::Nul { limit } => {
                f.write_str("the lock's name has a NUL byte")?;
                limit
            }
        };
        write!(f, "; a name has 1 to {limit} bytes, and no NUL among them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_97_bytes_without_nul() {
        let check = |name: &str| check(name, Backend::Port);
        for name in ["i", "bus/1 ä\n", &"n".repeat(97)] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(check(""), Err(NameError::Empty { limit: 97 }));
        assert_eq!(check(&"n".repeat(98)), Err(NameError::TooLong { bytes: 98, limit: 97 }));
        // 49 characters, 98 bytes.
        assert_eq!(check(&"ä".repeat(49)), Err(NameError::TooLong { bytes: 98, limit: 97 }));
        assert_eq!(check("i2c\0"), Err(NameError::Nul { limit: 97 }));
    }
}
