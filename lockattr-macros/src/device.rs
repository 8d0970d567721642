//! The options `device` and `join`.

use proc_macro2::{Span, TokenStream};
use quote::{quote_spanned, ToTokens};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, Expr, Lit, LitStr, Result};

use crate::captures::words;
use crate::errors::Errors;
use crate::instead;
use crate::peel::peeled;
use crate::text::Text;

/// A device, in the place of a lock's name, and what is to be taken beside its lock.
pub(crate) struct Device {
    pub(crate) path: Text,
    pub(crate) joins: Vec<Join>,
}

/// By what others lock the device, too.
pub(crate) enum Join {
    /// A flock on this descriptor.
    Descriptor(Expr),
    LockFile,
}

const PATH: &str =
    "a device's path is a string literal that begins with `/`, such as \"/dev/ttyUSB0\" or \
     \"/dev/serial/by-id/…\"; what is not known before captures an argument, as in \"{self.path}\"";

const JOINS: &str =
    "accepted are a descriptor of the opened device (anything `AsFd`), as in `join = self.port`, \
     \"uucp\" for its lock file, and both in a list: `join = [self.port, \"uucp\"]`";

/// The value of `device`.
pub(crate) fn parse_path(input: ParseStream<'_>) -> Result<Text> {
    let span = input.span();
    let value: Expr = input.parse().map_err(|_| Error::new(span, PATH))?;
    match peeled(value) {
        Expr::Lit(literal) => match literal.lit {
            Lit::Str(literal) => Text::parse(literal).and_then(check),
            literal => Err(Error::new(literal.span(), PATH)),
        },
        value @ (Expr::Field(_) | Expr::Path(_)) => {
            let written = instead::written(&value);
            let message =
                format!("a device's path captures what it is made of: write \"{{{written}}}\"");
            Err(Error::new_spanned(value, message))
        }
        value => Err(Error::new_spanned(value, PATH)),
    }
}

/// As far as it is known now.
fn check(path: Text) -> Result<Text> {
    let literal = &path.literal;
    let wrong = |what: &str| Err(Error::new(literal.span(), format!("{what}; {PATH}")));
    let (start, whole) = (path.start(), path.without_captures());
    if whole.as_deref() == Some("") {
        return wrong("the device's path is empty");
    }
    if path.fixed().contains('\0') {
        return wrong("the device's path has a NUL byte");
    }
    if !start.is_empty() && !start.starts_with('/') {
        return match whole {
            Some(name) if !name.contains('/') => {
                let message =
                    format!("the device's path is relative; did you mean \"/dev/{name}\"?");
                Err(Error::new(literal.span(), message))
            }
            _ => wrong("the device's path is relative"),
        };
    }
    Ok(path)
}

/// The value of `join`: one of them, or several in brackets.
pub(crate) fn parse_joins(input: ParseStream<'_>) -> Result<Vec<Join>> {
    let span = input.span();
    let value: Expr = input.parse().map_err(|_| Error::new(span, JOINS))?;
    let values = match value {
        Expr::Array(list) if list.elems.is_empty() => return Err(Error::new_spanned(list, JOINS)),
        Expr::Array(list) => list.elems.into_iter().collect(),
        value => vec![value],
    };
    let mut errors = Errors::default();
    let mut joins = Vec::new();
    for value in values {
        let tokens = value.to_token_stream();
        let Some(join) = errors.keep(Join::of(value)) else { continue };
        let is_second =
            |other: &Join| std::mem::discriminant(other) == std::mem::discriminant(&join);
        if joins.iter().any(is_second) {
            let message = format!("one of each kind is enough: a device has one lock; {JOINS}");
            errors.push(Error::new_spanned(tokens, message));
        }
        joins.push(join);
    }
    errors.finish(joins)
}

impl Join {
    fn of(value: Expr) -> Result<Self> {
        match peeled(value) {
            Expr::Lit(literal) => match literal.lit {
                Lit::Str(text) if text.value() == "uucp" => Ok(Self::LockFile),
                Lit::Str(text) => Err(unknown(&text)),
                literal => Err(Error::new(literal.span(), JOINS)),
            },
            descriptor => Ok(Self::Descriptor(descriptor)),
        }
    }

    /// The words that may be arguments.
    pub(crate) fn words(&self, into: &mut Vec<String>) {
        if let Self::Descriptor(descriptor) = self {
            words(descriptor.to_token_stream(), into);
        }
    }

    /// The call that adds it to the runtime's `Joins`.
    pub(crate) fn call(&self) -> TokenStream {
        let site = Span::mixed_site();
        match self {
            // At the descriptor's place, where rustc then says that it is none.
            Self::Descriptor(descriptor) => {
                let span = site.located_at(descriptor.span());
                quote_spanned!(span=> .descriptor(&#descriptor))
            }
            Self::LockFile => quote_spanned!(site=> .lock_file()),
        }
    }
}

fn unknown(text: &LitStr) -> Error {
    Error::new(text.span(), format!("there is no \"{}\" to join; {JOINS}", text.value()))
}
