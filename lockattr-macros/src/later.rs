//! Methods of a block of which another macro says later whether they are `async`: those under `#[maybe_async]`.
//!
//! A block is expanded before the attributes in it, and `#[maybe_async]` would take `async` from the method and
//! `.await` from all that the block has put there. So the block takes no lock for such a method, but gives it an
//! attribute of its own, last of all, which is expanded when that is decided.

use proc_macro2::{Span, TokenStream};
use quote::{quote_spanned, ToTokens};
use syn::{parse_quote, Attribute, LitStr};

use crate::args::Args;
use crate::enter::facade;
use crate::function::Function;

pub(crate) fn is_decided_later(method: &Function) -> bool {
    let is_maybe = |attr: &Attribute| {
        attr.path().segments.last().is_some_and(|last| last.ident == "maybe_async")
    };
    method.sig.asyncness.is_some() && method.attrs.iter().any(is_maybe)
}

/// The method under the block's attribute, where `derived` is the block's name behind its module's path.
pub(crate) fn with_own_attribute(mut method: Function, args: &Args, derived: &str) -> TokenStream {
    let site = Span::mixed_site();
    let facade = facade(args.krate.as_ref());
    let name = args.derives_name().then(|| {
        let derived = LitStr::new(derived, site);
        quote_spanned!(site=> ::core::concat!(::core::module_path!(), #derived),)
    });
    let written = &args.written;
    method.attrs.push(parse_quote!(#[#facade::interprocess_lock(#name #written)]));
    method.into_token_stream()
}
