//! An `async fn` that `#[async_trait]` has rewritten already: a function whose whole body is
//! `Box::pin(async move { … })`.
//!
//! Outer attributes are expanded first, so in a trait or an `impl` under `#[async_trait]` this is what
//! stands under ours. To run the function is to make the future: the lock belongs inside of it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{braced, parenthesized, token, Path, Result, ReturnType, Token, Type};

use crate::function::Function;

/// `Box::pin(async move { BODY })`.
pub(crate) struct Boxed {
    pin: Path,
    parentheses: token::Paren,
    pub(crate) asyncness: Token![async],
    capture: Option<Token![move]>,
    pub(crate) braces: token::Brace,
    pub(crate) body: TokenStream,
}

impl Boxed {
    /// The future that `function` boxes, if that is all it does.
    pub(crate) fn of(function: &Function) -> Option<Self> {
        let ReturnType::Type(_, output) = &function.sig.output else {
            return None;
        };
        let Type::Path(output) = &**output else {
            return None;
        };
        let is_pin = output.path.segments.last().is_some_and(|last| last.ident == "Pin");
        is_pin.then(|| syn::parse2(function.body.clone()).ok()).flatten()
    }

    /// The same, with another block in the place of the future's.
    pub(crate) fn with_block(self, block: &TokenStream) -> TokenStream {
        let Self { pin, parentheses, asyncness, capture, .. } = self;
        let mut tokens = pin.into_token_stream();
        parentheses.surround(&mut tokens, |inside| {
            asyncness.to_tokens(inside);
            capture.to_tokens(inside);
            block.to_tokens(inside);
        });
        tokens
    }
}

impl Parse for Boxed {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pin = input.call(Path::parse_mod_style)?;
        let mut names = pin.segments.iter().rev().map(|segment| &segment.ident);
        if !(names.next().is_some_and(|last| last == "pin")
            && names.next().is_some_and(|type_name| type_name == "Box"))
        {
            return Err(input.error("no `Box::pin`"));
        }
        let (future, block);
        let parentheses = parenthesized!(future in input);
        let asyncness = future.parse()?;
        let capture = future.parse()?;
        let braces = braced!(block in future);
        future.parse::<Option<Token![,]>>()?;
        if !(future.is_empty() && input.is_empty()) {
            return Err(input.error("more than a boxed future"));
        }
        Ok(Self { pin, parentheses, asyncness, capture, braces, body: block.parse()? })
    }
}
