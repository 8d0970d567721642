//! Functions that are no `async fn` and return a future: to run one is to make the future, so the lock
//! belongs inside of it.
//!
//! Where the body is one `async` block, boxed or not, the block's body takes the lock. That is what
//! `#[async_trait]` leaves of an `async fn`: outer attributes are expanded first. Where other things happen
//! before, nobody can tell which of them the lock is for.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{
    braced, parenthesized, token, GenericArgument, Ident, Path, PathArguments, Result, ReturnType,
    Token, Type, TypeParamBound,
};

use crate::arguments::never_drops;
use crate::function::Function;
use crate::peel::peeled_type;

/// `Box::pin(async move { BODY })`, `async move { BODY }` or `async move { BODY }.boxed()`.
pub(crate) struct AsyncBlock {
    /// `Box::pin` with its parentheses.
    pin: Option<(Path, token::Paren)>,
    pub(crate) asyncness: Token![async],
    capture: Option<Token![move]>,
    pub(crate) braces: token::Brace,
    pub(crate) body: TokenStream,
    /// `.boxed()`.
    boxed: TokenStream,
}

impl AsyncBlock {
    /// The future that `function` makes, if that is all it does.
    pub(crate) fn of(function: &Function) -> Option<Self> {
        syn::parse2(function.body.clone()).ok()
    }

    /// The same, with another block in the place of the future's.
    pub(crate) fn with_block(self, block: &TokenStream) -> TokenStream {
        let Self { pin, asyncness, capture, boxed, .. } = self;
        let mut tokens = TokenStream::new();
        let future = |inside: &mut TokenStream| {
            asyncness.to_tokens(inside);
            capture.to_tokens(inside);
            block.to_tokens(inside);
        };
        if let Some((pin, parentheses)) = pin {
            pin.to_tokens(&mut tokens);
            parentheses.surround(&mut tokens, future);
        } else {
            future(&mut tokens);
        }
        tokens.extend(boxed);
        tokens
    }

    fn parse_block(input: ParseStream<'_>, pin: Option<(Path, token::Paren)>) -> Result<Self> {
        let asyncness = input.parse()?;
        let capture = input.parse()?;
        let block;
        let braces = braced!(block in input);
        let body = block.parse()?;
        Ok(Self { pin, asyncness, capture, braces, body, boxed: TokenStream::new() })
    }
}

impl Parse for AsyncBlock {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let future = if input.peek(Token![async]) {
            let mut future = Self::parse_block(input, None)?;
            if input.peek(Token![.]) {
                future.boxed = boxed(input)?;
            }
            future
        } else {
            let pin = input.call(Path::parse_mod_style)?;
            let mut names = pin.segments.iter().rev().map(|segment| &segment.ident);
            if !(names.next().is_some_and(|last| last == "pin")
                && names.next().is_some_and(|type_name| type_name == "Box"))
            {
                return Err(input.error("no `Box::pin`"));
            }
            let inside;
            let parentheses = parenthesized!(inside in input);
            let future = Self::parse_block(&inside, Some((pin, parentheses)))?;
            inside.parse::<Option<Token![,]>>()?;
            if !inside.is_empty() {
                return Err(inside.error("more than a future"));
            }
            future
        };
        if !input.is_empty() {
            return Err(input.error("more than a future"));
        }
        Ok(future)
    }
}

/// `.boxed()` and `.boxed_local()` of the crate futures.
fn boxed(input: ParseStream<'_>) -> Result<TokenStream> {
    let dot: Token![.] = input.parse()?;
    let method: Ident = input.parse()?;
    if method != "boxed" && method != "boxed_local" {
        return Err(input.error("another method"));
    }
    let arguments;
    let parentheses = parenthesized!(arguments in input);
    if !arguments.is_empty() {
        return Err(arguments.error("another method"));
    }
    let mut tokens = dot.into_token_stream();
    method.to_tokens(&mut tokens);
    parentheses.surround(&mut tokens, |_| {});
    Ok(tokens)
}

/// The type that `function` returns, if it is a future whatever it is imported as.
pub(crate) fn returned_by(function: &Function) -> Option<&Type> {
    let ReturnType::Type(_, output) = &function.sig.output else {
        return None;
    };
    is_future(output).then_some(&**output)
}

/// Whether `function` may return a future: what other types are aliases of, nobody knows here.
pub(crate) fn may_be_returned_by(function: &Function) -> bool {
    match &function.sig.output {
        ReturnType::Default => false,
        ReturnType::Type(_, output) => may_be_future(output),
    }
}

fn may_be_future(ty: &Type) -> bool {
    if let Type::Path(path) = peeled_type(ty) {
        if let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") {
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return true;
            };
            return !matches!(arguments.args.first(), Some(GenericArgument::Type(ok)) if never_drops(ok));
        }
    }
    !never_drops(ty)
}

fn is_future(ty: &Type) -> bool {
    match peeled_type(ty) {
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(is_future_trait),
        Type::TraitObject(object) => object.bounds.iter().any(is_future_trait),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                return true;
            }
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return false;
            };
            let holds_one = last.ident == "Pin" || last.ident == "Box";
            holds_one
                && arguments.args.iter().any(|argument| match argument {
                    GenericArgument::Type(ty) => is_future(ty),
                    _ => false,
                })
        }),
        _ => false,
    }
}

fn is_future_trait(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == "Future")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_are_told_by_their_types() {
        for (ty, is_one) in [
            ("impl Future<Output = u8>", true),
            ("impl Send + std::future::Future<Output = u8> + '_", true),
            ("Pin<Box<dyn Future<Output = u8> + Send>>", true),
            ("::core::pin::Pin<Box<dyn core::future::Future<Output = u8>>>", true),
            ("Box<dyn Future<Output = u8> + Unpin>", true),
            ("Pin<Box<impl Future>>", true),
            ("BoxFuture<'static, u8>", true),
            ("futures::future::LocalBoxFuture<'_, io::Result<u8>>", true),
            ("(impl Future)", true),
            ("io::Result<u8>", false),
            ("Pin<Box<dyn Stream<Item = u8>>>", false),
            ("impl Iterator<Item = u8>", false),
            ("Pin<&mut Self>", false),
            ("Result<BoxFuture<'static, u8>, LockError>", false),
            ("!", false),
        ] {
            assert_eq!(is_future(&syn::parse_str(ty).unwrap()), is_one, "{ty}");
        }
    }

    #[test]
    fn a_body_is_one_async_block_or_is_none() {
        for (body, is_one) in [
            ("async {}", true),
            ("async move { 1 }", true),
            ("Box::pin(async move { 1 })", true),
            ("::std::boxed::Box::pin(async {},)", true),
            ("async move { 1 }.boxed()", true),
            ("async { 1 }.boxed_local()", true),
            ("async { 1 }.map(f)", false),
            ("async { 1 }.await", false),
            ("let x = 1; async { 1 }", false),
            ("Box::pin(async { 1 }.map(f))", false),
            ("Box::pin(make())", false),
            ("Rc::pin(async {})", false),
            ("async || 1", false),
        ] {
            let tokens: TokenStream = body.parse().unwrap();
            let read = syn::parse2::<AsyncBlock>(tokens.clone());
            assert_eq!(read.is_ok(), is_one, "{body}");
            if let Ok(read) = read {
                let inside = read.body.clone();
                let block = quote::quote!({ #inside });
                let again = read.with_block(&block).to_string();
                assert_eq!(again.replace(" ,", ""), tokens.to_string().replace(" ,", ""));
            }
        }
    }
}
