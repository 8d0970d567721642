//! The option `timeout`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprCall, Lit, LitStr, Result};

use crate::duration;
use crate::peel::peeled;

/// How long an annotated function waits for its lock.
pub(crate) enum Timeout {
    /// Zero tries once.
    Finite(Duration),
    Forever,
    /// A const, an argument, or a field of one: a `Duration`, which rustc checks.
    Value(Expr),
}

const ACCEPTED: &str = "accepted are numbers with the units h, m, s, ms, us, the largest first, such as \
     \"2s\", \"1m30s\" or \"1.5s\"; \"0s\" tries once, and \"none\" waits for ever; or a `Duration`: a \
     const, an argument or a field, as in `timeout = self.timeout`";

const WRITE_NONE: &str = "to wait for ever, write `timeout = \"none\"`";

/// What others call it to wait for ever.
const FOR_EVER: [&str; 6] = ["none", "forever", "never", "infinite", "infinity", "inf"];

impl Timeout {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let span = input.span();
        let value: Expr = input.parse().map_err(|_| no_timeout(span, ""))?;
        match peeled(value) {
            Expr::Lit(literal) => match literal.lit {
                Lit::Str(text) => Self::from_literal(&text),
                Lit::Int(_) | Lit::Float(_) => {
                    Err(no_timeout(span, &in_quotes(&literal.lit.to_token_stream())))
                }
                _ => Err(no_timeout(span, "")),
            },
            Expr::Path(path) if path.path.is_ident("None") => Err(Error::new(span, WRITE_NONE)),
            Expr::Call(call) => Err(Error::new_spanned(&call, of_call(&call))),
            value if is_place(&value) => Ok(Self::Value(value)),
            value => Err(Error::new_spanned(value, format!("not a timeout; {ACCEPTED}"))),
        }
    }

    fn from_literal(literal: &LitStr) -> Result<Self> {
        let text = literal.value();
        if text == "none" {
            return Ok(Self::Forever);
        }
        if FOR_EVER.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Err(Error::new(literal.span(), WRITE_NONE));
        }
        duration::parse(&text).map(Self::Finite).map_err(|error| {
            let hint = match duration::meant(&text) {
                Some(meant) if !meant.is_empty() => format!("did you mean \"{meant}\"? "),
                _ => String::new(),
            };
            Error::new(literal.span(), format!("not a timeout: {error}; {hint}{ACCEPTED}"))
        })
    }

    /// The words that may be arguments: those with which a value begins.
    pub(crate) fn argument(&self) -> Option<&Ident> {
        match self {
            Self::Value(value) => first(value),
            Self::Finite(_) | Self::Forever => None,
        }
    }
}

/// The variable, or the const, that a place begins with.
fn first(place: &Expr) -> Option<&Ident> {
    match place {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Field(field) => first(&field.base),
        Expr::Group(group) => first(&group.expr),
        Expr::Paren(paren) => first(&paren.expr),
        _ => None,
    }
}

/// `a::B`, `argument`, `self.a.0`.
fn is_place(value: &Expr) -> bool {
    match value {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Group(group) => is_place(&group.expr),
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

fn no_timeout(span: Span, hint: &str) -> Error {
    Error::new(span, format!("expected a timeout{hint}; {ACCEPTED}"))
}

fn in_quotes(written: &TokenStream) -> String {
    let written = written.to_string();
    if duration::parse(&written).is_ok() {
        format!(" in quotes: \"{written}\"")
    } else if duration::parse(&format!("{written}s")).is_ok() {
        format!(": seconds are \"{written}s\"")
    } else {
        String::new()
    }
}

/// `Duration::from_secs(2)`.
fn of_call(call: &ExprCall) -> String {
    let unit = match &*call.func {
        Expr::Path(path) => path.path.segments.last().and_then(|last| {
            let units = [("from_secs", "s"), ("from_millis", "ms"), ("from_micros", "us")];
            units.into_iter().find(|(name, _)| last.ident.unraw() == name).map(|(_, unit)| unit)
        }),
        _ => None,
    };
    let number = match call.args.first() {
        Some(Expr::Lit(literal)) => match &literal.lit {
            Lit::Int(number) => Some(number.base10_digits().to_owned()),
            _ => None,
        },
        _ => None,
    };
    match (unit, number) {
        (Some(unit), Some(number)) => format!("nothing is called here; write \"{number}{unit}\""),
        _ => format!("nothing is called here; {ACCEPTED}"),
    }
}

/// One second, as both of lockattr's predecessors have it.
impl Default for Timeout {
    fn default() -> Self {
        Self::Finite(Duration::from_secs(1))
    }
}
