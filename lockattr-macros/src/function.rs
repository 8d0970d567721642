//! The annotated function: its signature parsed, its body left as it was written.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{braced, token, AttrStyle, Attribute, Error, Lit, Result, Signature, Token, Visibility};

/// A function or method with a body.
///
/// The body stays raw tokens, so that rustc itself reads it and reports its mistakes, and so that an
/// editor completes in it as if the attribute were not there.
#[derive(Clone)]
pub(crate) struct Function {
    /// Those above the function, then those inside of its body, all as outer attributes.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) braces: token::Brace,
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !starts_function(input) {
            return Err(not_a_function(input));
        }
        let sig = input.parse()?;
        if input.peek(Token![;]) {
            return Err(Error::new(
                input.span(),
                "`#[interprocess_lock]` needs a body to run under the lock; put it on the function that has \
                 one, such as the method in the trait's `impl`; if another macro has made this copy, put \
                 `#[interprocess_lock]` last, directly above `fn`",
            ));
        }
        let content;
        let braces = braced!(content in input);
        // `#![…]` may stand at the start of a function's body, but not of the block it becomes.
        attrs.extend(
            content
                .call(Attribute::parse_inner)?
                .into_iter()
                .map(|attr| Attribute { style: AttrStyle::Outer, ..attr }),
        );
        let body = content.parse()?;
        Ok(Self { attrs, vis, sig, braces, body })
    }
}

pub(crate) fn starts_function(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    let skip_qualifiers = || -> Result<()> {
        fork.parse::<Option<Token![const]>>()?;
        fork.parse::<Option<Token![async]>>()?;
        fork.parse::<Option<Token![unsafe]>>()?;
        if fork.peek(Token![safe]) {
            fork.parse::<Token![safe]>()?;
        }
        if fork.parse::<Option<Token![extern]>>()?.is_some() && fork.peek(Lit) {
            fork.parse::<Lit>()?;
        }
        Ok(())
    };
    skip_qualifiers().is_ok() && fork.peek(Token![fn])
}

fn not_a_function(input: ParseStream<'_>) -> Error {
    let hint = if starts_expression(input) {
        "; make this a function, or take the lock by hand: `let _guard = BUS.acquire(timeout)?;`"
    } else if starts_trait(input) {
        "; put it on the trait's `impl`, or on a method here that has a body"
    } else {
        "; if another macro has copied it here, see \"Beside other attributes\" in its docs"
    };
    input.error(format!(
        "`#[interprocess_lock]` stands on functions and methods that have a body, \
         and on whole `impl` blocks{hint}",
    ))
}

/// A closure or a block.
pub(crate) fn is_expression(item: &TokenStream) -> bool {
    let parser = |input: ParseStream<'_>| {
        let starts_one = starts_expression(input);
        input.parse::<TokenStream>()?;
        Ok(starts_one)
    };
    parser.parse2(item.clone()).unwrap_or(false)
}

/// Behind its attributes and its visibility, which are read.
fn starts_trait(input: ParseStream<'_>) -> bool {
    input.peek(Token![trait]) || input.peek(Token![unsafe]) && input.peek2(Token![trait])
}

fn starts_expression(input: ParseStream<'_>) -> bool {
    input.peek(token::Brace)
        || input.peek(Token![|])
        || input.peek(Token![||])
        || input.peek(Token![move])
}

/// As it was written, but for `#![…]`.
impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, braces, body } = self;
        for attr in attrs {
            attr.to_tokens(tokens);
        }
        vis.to_tokens(tokens);
        sig.to_tokens(tokens);
        braces.surround(tokens, |inside| body.to_tokens(inside));
    }
}
