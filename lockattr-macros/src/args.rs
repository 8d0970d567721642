//! What stands in the attribute's parentheses.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{token, Error, Lit, LitStr, Path, Result, Token};

use crate::duration;
use crate::errors::Errors;
use crate::name::NameArg;
use crate::option::Keyword;
use crate::text;
use crate::timeout::Timeout;

/// The attribute's arguments: each one right by itself. What fits together is up to `validate`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<NameArg>,
    pub(crate) timeout: Option<Timeout>,
    /// Checked, and without its escapes.
    pub(crate) info: Option<LitStr>,
    /// The path of the facade.
    pub(crate) krate: Option<Path>,
}

impl Args {
    /// Reads all arguments, and reports all that is wrong with them.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        Self::parse_list.parse2(tokens)
    }

    fn parse_list(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        let mut seen = Vec::new();
        let mut errors = Errors::default();
        let mut is_first = true;
        while !input.is_empty() {
            let read = if is_first && !starts_option(input) {
                NameArg::parse(input).map(|name| args.name = Some(name))
            } else {
                args.parse_option(input, &mut seen)
            };
            // After a mistake the next comma is the place to read on. Without one, a word that does
            // not belong here is the mistake.
            errors.keep(read.and_then(|()| expect_end_or_comma(input)));
            skip_past_comma(input)?;
            is_first = false;
        }
        errors.finish(args)
    }

    fn parse_option(&mut self, input: ParseStream<'_>, seen: &mut Vec<Keyword>) -> Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(Error::new(
                input.span(),
                "expected an option; the lock's name stands first, and once",
            ));
        }
        let ident = input.call(Ident::parse_any)?;
        let keyword = Keyword::of(&ident)?;
        if seen.contains(&keyword) {
            return Err(keyword.given_twice(&ident));
        }
        seen.push(keyword);
        if input.parse::<Option<Token![=]>>()?.is_none()
            || input.is_empty()
            || input.peek(Token![,])
        {
            return Err(keyword.without_value(&ident));
        }
        match keyword {
            Keyword::Timeout => {
                let literal = parse_string(input, Timeout::ACCEPTED)?;
                self.timeout = Some(Timeout::from_literal(&literal)?);
            }
            Keyword::Info => {
                let literal = parse_string(input, "those who wait for the lock are told it")?;
                let text = text::without_captures(&literal)?;
                self.info = Some(LitStr::new(&text, literal.span()));
            }
            Keyword::Crate => self.krate = Some(parse_path(input)?),
        }
        Ok(())
    }
}

/// Whether an option comes next, and not a name: `word =`, `word(`, or an option's bare word.
fn starts_option(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    let Ok(ident) = fork.call(Ident::parse_any) else {
        return false;
    };
    let is_bare = fork.is_empty() || fork.peek(Token![,]);
    fork.peek(Token![=]) || fork.peek(token::Paren) || is_bare && Keyword::find(&ident).is_some()
}

fn parse_string(input: ParseStream<'_>, accepted: &str) -> Result<LitStr> {
    let span = input.span();
    let written = match input.parse::<Lit>() {
        Ok(Lit::Str(literal)) => return Ok(literal),
        Ok(Lit::Int(number)) => number.to_string(),
        _ => String::new(),
    };
    let quotes =
        if duration::parse(&written).is_ok() { format!(": \"{written}\"") } else { String::new() };
    Err(Error::new(span, format!("expected a string literal{quotes}; {accepted}")))
}

/// A path, or one in a string, as in other crates' `crate = "…"`.
fn parse_path(input: ParseStream<'_>) -> Result<Path> {
    let span = input.span();
    let path = if input.peek(LitStr) {
        input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)
    } else {
        input.call(Path::parse_mod_style)
    };
    path.map_err(|_| {
        Error::new(
            span,
            "expected the path of lockattr, such as `crate::lockattr` or \"::hal::lockattr\"",
        )
    })
}

fn expect_end_or_comma(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(Error::new(input.span(), "expected `,` between the attribute's arguments"))
    }
}

fn skip_past_comma(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() {
        if input.parse::<Option<Token![,]>>()?.is_some() {
            break;
        }
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
