//! A whole `impl` block, every method of which takes the lock.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{braced, token, Attribute, Generics, ImplItem, ItemImpl, Result, Token, Type};

use crate::cfg_attr;
use crate::function::{starts_function, Function};
use crate::peel::peeled_type;

/// An `impl` block, of a type or of a trait for a type.
pub(crate) struct Block {
    /// All that stands before the braces.
    header: TokenStream,
    braces: token::Brace,
    inner_attrs: Vec<Attribute>,
    pub(crate) generics: Generics,
    pub(crate) self_ty: Type,
    pub(crate) members: Vec<Member>,
}

/// What stands in an `impl` block.
pub(crate) enum Member {
    /// A method that takes the block's lock.
    Method(Box<Function>),
    /// What takes none, or its own: consts, types, methods that are skipped or have an attribute.
    Other(TokenStream),
}

/// Whether an `impl` block comes, behind its attributes.
pub(crate) fn starts_impl(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    fork.call(Attribute::parse_outer).is_ok()
        && fork.parse::<Option<Token![unsafe]>>().is_ok()
        && fork.peek(Token![impl])
}

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        // The braces come last; those of a const generic argument, `Bus<{ 1 }>`, come before.
        let mut header = TokenStream::new();
        while !(input.peek(token::Brace) && is_last(input)) {
            header.extend([input.parse::<TokenTree>()?]);
        }
        let ItemImpl { generics, self_ty, .. } = syn::parse2(quote!(#header {}))?;
        let content;
        let braces = braced!(content in input);
        let inner_attrs = content.call(Attribute::parse_inner)?;
        let mut members = Vec::new();
        while !content.is_empty() {
            members.extend(Member::parse(&content)?);
        }
        Ok(Self { header, braces, inner_attrs, generics, self_ty: *self_ty, members })
    }
}

fn is_last(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    fork.parse::<TokenTree>().is_ok() && fork.is_empty()
}

impl Block {
    /// The type's own name: what `Driver<'a, T>` or `hal::Driver` is called without the rest.
    pub(crate) fn type_name(&self) -> Option<String> {
        match peeled_type(&self.self_ty) {
            Type::Path(path) => {
                path.path.segments.last().map(|last| last.ident.unraw().to_string())
            }
            _ => None,
        }
    }

    /// The block with other members in it.
    pub(crate) fn with(&self, members: impl IntoIterator<Item = TokenStream>) -> TokenStream {
        let mut tokens = self.header.clone();
        self.braces.surround(&mut tokens, |inside| {
            for attr in &self.inner_attrs {
                attr.to_tokens(inside);
            }
            inside.extend(members);
        });
        tokens
    }

    /// The block as if it had no attribute.
    pub(crate) fn stub(&self) -> TokenStream {
        self.with(self.members.iter().map(|member| match member {
            Member::Method(method) => method.to_token_stream(),
            Member::Other(other) => other.clone(),
        }))
    }
}

impl Member {
    /// The next member, in each of the cases that a `cfg_attr` makes of it.
    fn parse(input: ParseStream<'_>) -> Result<Vec<Self>> {
        let fork = input.fork();
        fork.call(Attribute::parse_outer)?;
        fork.parse::<syn::Visibility>()?;
        if !starts_function(&fork) {
            return Ok(vec![Self::Other(input.parse::<ImplItem>()?.into_token_stream())]);
        }
        let fork = input.fork();
        let Ok(method) = fork.parse::<Function>() else {
            // Without a body, or no method after all: rustc says so.
            return Ok(vec![Self::Other(input.parse::<ImplItem>()?.into_token_stream())]);
        };
        input.advance_to(&fork);
        let cases = cfg_attr::cases(method.attrs.clone()).into_iter();
        Ok(cases.map(|attrs| Self::of(Function { attrs, ..method.clone() })).collect())
    }

    fn of(mut method: Function) -> Self {
        if method.attrs.iter().any(is_skip) {
            method.attrs.retain(|attr| !is_skip(attr));
            return Self::Other(method.into_token_stream());
        }
        if method.attrs.iter().any(is_ours) {
            return Self::Other(method.into_token_stream());
        }
        Self::Method(Box::new(method))
    }
}

/// Whatever path it was imported by. Renamed, it cannot be known, and is found by its marks (`twice`).
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "interprocess_lock")
}

fn is_skip(attr: &Attribute) -> bool {
    is_ours(attr) && attr.parse_args::<Ident>().is_ok_and(|word| word == "skip")
}
