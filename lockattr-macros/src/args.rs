//! What stands in the attribute's parentheses.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{token, Error, Expr, ExprLit, Lit, LitStr, Macro, Path, Result, Stmt, Token};

use crate::backend::Backend;
use crate::device::{self, Join};
use crate::errors::Errors;
use crate::instead;
use crate::mode::Mode;
use crate::name::{self, Name};
use crate::option::Keyword;
use crate::peel::peeled;
use crate::text::Text;
use crate::timeout::Timeout;

/// The attribute's arguments: each one right by itself. What fits together is up to `validate`.
#[derive(Default)]
pub(crate) struct Args {
    /// Empty only where no name stands.
    pub(crate) names: Vec<Name>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) backend: Option<Backend>,
    /// Behind the word's span.
    pub(crate) mode: Option<(Span, Mode)>,
    pub(crate) info: Option<Text>,
    pub(crate) reentrant: Option<Span>,
    /// A closure, or what can be called as one.
    pub(crate) or_else: Option<Expr>,
    pub(crate) on_recover: Option<Expr>,
    /// The path of a device, in the place of a name.
    pub(crate) device: Option<Text>,
    /// Behind the word's span.
    pub(crate) joins: Option<(Span, Vec<Join>)>,
    pub(crate) eager: Option<Span>,
    /// The path of the facade.
    pub(crate) krate: Option<Path>,
    pub(crate) skip: Option<Span>,
    /// All of it, as it stands there.
    pub(crate) written: TokenStream,
}

impl Args {
    /// Reads all arguments, and reports all that is wrong with them.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let args = Self::parse_list.parse2(tokens.clone())?;
        Ok(Self { written: tokens, ..args })
    }

    /// Whether the lock is called as what it stands on: neither a name nor a device is given.
    pub(crate) fn derives_name(&self) -> bool {
        self.names.is_empty() && self.device.is_none()
    }

    /// The texts that may capture arguments.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        texts(&self.names, self.device.as_ref(), self.info.as_ref())
    }

    fn parse_list(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        let mut seen = Vec::new();
        let mut errors = Errors::default();
        let mut is_first = true;
        while !input.is_empty() {
            if let Some(error) = name::comma_too_many(input)? {
                errors.push(error);
                continue;
            }
            let read = if is_first && !starts_option(input) {
                name::parse(input, &mut args.names)
            } else {
                args.parse_option(input, &mut seen)
            };
            // After a mistake the next comma is the place to read on. Without one, a word that does
            // not belong here is the mistake.
            errors.keep(read.and_then(|()| expect_end_or_comma(input)));
            name::skip_past_comma(input)?;
            is_first = false;
        }
        // Each backend has rules of its own, and stands behind the names. Of one that nobody knows,
        // nobody knows the rules.
        let mut of_all = Errors::default();
        if args.backend.is_some() || !seen.contains(&Keyword::Backend) {
            of_all.keep(name::check_all(&args.names, args.backend.unwrap_or_default()));
        }
        of_all.keep(errors.finish(()));
        of_all.finish(args)
    }

    fn parse_option(&mut self, input: ParseStream<'_>, seen: &mut Vec<Keyword>) -> Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(Error::new(
                input.span(),
                "expected an option; the lock's name stands first, and several in a list, \
                 [\"i2c-1\", \"gpio-17\"]",
            ));
        }
        let ident = input.call(Ident::parse_any)?;
        let keyword = Keyword::of(&ident)?;
        if seen.contains(&keyword) {
            return Err(keyword.given_twice(&ident));
        }
        seen.push(keyword);
        let span = input.span();
        let has_value = input.parse::<Option<Token![=]>>()?.is_some();
        if keyword.is_flag() {
            if has_value {
                return Err(keyword.with_value(span));
            }
        } else if !has_value || input.is_empty() || input.peek(Token![,]) {
            return Err(keyword.without_value(&ident));
        }
        match keyword {
            Keyword::Timeout => self.timeout = Some(Timeout::parse(input)?),
            Keyword::Backend => {
                let literal = parse_string(input, Backend::ACCEPTED)?;
                self.backend = Some(Backend::from_literal(&literal)?);
            }
            Keyword::Mode => self.mode = Some((ident.span(), parse_mode(input)?)),
            Keyword::Info => {
                self.info = Some(parse_info(input)?);
            }
            Keyword::Reentrant => self.reentrant = Some(ident.span()),
            Keyword::OrElse => self.or_else = Some(parse_handler(input, "error")?),
            Keyword::OnRecover => self.on_recover = Some(parse_handler(input, "holder")?),
            Keyword::Device => self.device = Some(device::parse_path(input)?),
            Keyword::Join => self.joins = Some((ident.span(), device::parse_joins(input)?)),
            Keyword::Eager => self.eager = Some(ident.span()),
            Keyword::Crate => self.krate = Some(parse_path(input)?),
            Keyword::Skip => self.skip = Some(ident.span()),
        }
        Ok(())
    }
}

/// Those of the names, then the device's path and the info.
pub(crate) fn texts<'a>(
    names: &'a [Name],
    device: Option<&'a Text>,
    info: Option<&'a Text>,
) -> impl Iterator<Item = &'a Text> {
    let of_names = names.iter().filter_map(|name| match name {
        Name::Text(text) => Some(text),
        Name::Const(_) | Name::Macro(_) => None,
    });
    of_names.chain(device).chain(info)
}

/// Whether an option comes next, and not a name: `word =`, or an option's word, bare or as `word(`.
fn starts_option(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    let Ok(ident) = fork.call(Ident::parse_any) else {
        return false;
    };
    let is_bare = fork.is_empty() || fork.peek(Token![,]);
    let is_call = fork.peek(token::Paren);
    fork.peek(Token![=])
        || is_call && Keyword::is_likely(&ident)
        || is_bare && Keyword::find(&ident).is_some()
}

fn parse_mode(input: ParseStream<'_>) -> Result<Mode> {
    let span = input.span();
    let literal = input.parse().map_err(|_| Mode::expected(span, None))?;
    Mode::from_literal(&literal)
}

fn parse_info(input: ParseStream<'_>) -> Result<Text> {
    let value = peeled(input.parse()?);
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Text::parse(literal),
        value => Err(Error::new_spanned(&value, instead::of_info(&value))),
    }
}

fn parse_string(input: ParseStream<'_>, accepted: &str) -> Result<LitStr> {
    let span = input.span();
    match input.parse::<Lit>() {
        Ok(Lit::Str(literal)) => Ok(literal),
        _ => Err(Error::new(span, format!("expected a string literal; {accepted}"))),
    }
}

/// A closure, or what can be called as one. What certainly cannot is the closure's value.
fn parse_handler(input: ParseStream<'_>, argument: &str) -> Result<Expr> {
    let handler: Expr = input.parse()?;
    if is_value(&handler) {
        let value = instead::written(&handler);
        let message = format!(
            "expected a closure or a function, which is called then; write `|{argument}| {value}`"
        );
        return Err(Error::new_spanned(handler, message));
    }
    Ok(handler)
}

/// Whether it certainly cannot be called.
fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_)
        | Expr::Tuple(_)
        | Expr::Array(_)
        | Expr::Struct(_)
        | Expr::Unary(_)
        | Expr::Return(_) => true,
        Expr::Path(path) => path.path.is_ident("None"),
        // `Err(…)`, `Default::default()`.
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) => function.path.segments.last().is_some_and(|last| {
                last.ident == "default" || last.ident.to_string().starts_with(char::is_uppercase)
            }),
            _ => false,
        },
        Expr::Macro(call) => never_returns(&call.mac),
        Expr::Group(group) => is_value(&group.expr),
        Expr::Paren(paren) => is_value(&paren.expr),
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Expr(last, None)) => is_value(last),
            Some(Stmt::Macro(last)) => last.semi_token.is_some() || never_returns(&last.mac),
            _ => true,
        },
        _ => false,
    }
}

/// `panic!()` and its like.
fn never_returns(mac: &Macro) -> bool {
    let names = ["panic", "unreachable", "todo", "unimplemented"];
    mac.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}

/// A path, or one in a string, as in other crates' `crate = "…"`.
fn parse_path(input: ParseStream<'_>) -> Result<Path> {
    let span = input.span();
    let path = if input.peek(LitStr) {
        input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)
    } else {
        input.call(Path::parse_mod_style)
    };
    let path = path.map_err(|_| {
        Error::new(
            span,
            "expected the path of lockattr, such as `crate::lockattr` or \"::hal::lockattr\"",
        )
    })?;
    if path.is_ident("crate") {
        return Err(Error::new(
            span,
            "that is the crate in which this stands; leave the option out, or write by which path lockattr \
             is found, such as `crate::lockattr` or `hal::lockattr`",
        ));
    }
    Ok(path)
}

fn expect_end_or_comma(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(Error::new(input.span(), "expected `,` between the attribute's arguments"))
    }
}
