//! Arguments taken by value, moved into the block where the lock is held.
//!
//! A parameter of the function itself would drop after the lock was given back.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, Token};

/// Takes the patterns out of the parameters, and returns the `let` statements that bind them, in such
/// an order that they drop as parameters do: the last first, and each one's parts before its rest.
///
/// ```text
/// // Input:
/// (&mut self, register: u8, mut count: u8, (low, _): (u8, u8), _unused: u8)
///
/// // Output:
/// (&mut self, register: u8, count: u8, __arg3: (u8, u8), _unused: u8)
/// let register = register;
/// let mut count = count;
/// let __arg3 = __arg3;
/// let (low, _) = __arg3;
/// let (_unused,) = (_unused,);
/// ```
///
/// `self` can be bound by no `let`, and stays where it is. A parameter that is in `captured` is named by
/// the attribute's arguments, and so keeps its own name, and is used already.
pub(crate) fn take(
    inputs: &mut Punctuated<FnArg, Token![,]>,
    captured: &[String],
) -> Vec<TokenStream> {
    let arguments = inputs.iter_mut().enumerate().filter_map(|(index, input)| match input {
        FnArg::Typed(argument) => Some((index, argument)),
        FnArg::Receiver(_) => None,
    });
    arguments.map(|(index, argument)| move_in(index, argument, captured)).collect()
}

fn move_in(index: usize, argument: &mut PatType, captured: &[String]) -> TokenStream {
    let PatType { attrs, pat: pattern, .. } = argument;
    let on_whole: Vec<_> = attrs.iter().filter(|attr| is_any(attr, &["cfg"])).cloned().collect();
    let on_parts: Vec<_> = attrs.iter().filter(|attr| is_any(attr, ON_LET)).cloned().collect();
    // What it expects of the pattern comes true, or not, at the `let`.
    attrs.retain(|attr| !is_any(attr, &["expect"]));

    // Of the user's own names nothing is seen here but the tokens themselves, so that rustc and
    // clippy say what they have to say at the user's place, and once. All around them is ours.
    let site = Span::mixed_site();
    match &mut **pattern {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability, ident, .. }) => {
            let bound = quote_spanned!(site=> #mutability #ident);
            *mutability = None;
            let name = ident.unraw().to_string();
            if captured.contains(&name) {
                // That is a use of it, so the body need not have another (`unused_variables`).
                return quote_spanned! {site=>
                    #(#on_parts)* let #bound = #ident;
                    #(#on_whole)* let _ = &#ident;
                };
            }
            if !name.starts_with('_') {
                return quote_spanned!(site=> #(#on_parts)* let #bound = #ident;);
            }
            // To use `_name`, or to bind it to a mere name, is worth a warning to clippy
            // (`used_underscore_binding`, `no_effect_underscore_binding`): so what is used is a
            // variable of ours that looks the same in the docs, and what is bound is in a tuple.
            ident.set_span(site.located_at(ident.span()));
            quote_spanned!(site=> #(#on_parts)* let (#bound,) = (#ident,);)
        }
        pattern => {
            let whole = format_ident!("__arg{index}", span = site);
            let pattern = std::mem::replace(pattern, Pat::Verbatim(quote_spanned!(site=> #whole)));
            let parts = match pattern {
                Pat::Wild(_) => None,
                pattern => Some(quote_spanned!(site=> #(#on_parts)* let #pattern = #whole;)),
            };
            quote_spanned! {site=>
                #(#on_whole)* let #whole = #whole;
                #parts
            }
        }
    }
}

/// A parameter's attributes that its `let` has too. Others, of other macros, mean something on a
/// parameter only.
const ON_LET: &[&str] = &["cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid"];

fn is_any(attr: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attr.path().is_ident(name))
}
