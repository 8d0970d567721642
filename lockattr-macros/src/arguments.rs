//! Arguments taken by value, moved into the block where the lock is held.
//!
//! A parameter of the function itself would drop after the lock was given back. Where nothing drops, as of a
//! reference, the parameter stays as it is.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, FieldPat, FnArg, Pat, PatIdent, PatType, Token, Type};

use crate::peel::peeled_type;

/// Takes the patterns out of the parameters, and returns the `let` statements that bind them, in such
/// an order that they drop as parameters do: the last first, and each one's parts before its rest.
///
/// ```text
/// // Input:
/// (&mut self, register: u8, mut file: File, (low, _): (File, File), _unused: T)
///
/// // Output:
/// (&mut self, register: u8, file: File, __arg3: (File, File), _unused: T)
/// let mut file = file;
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
        FnArg::Typed(argument) if !never_drops(&argument.ty) => Some((index, argument)),
        _ => None,
    });
    arguments.map(|(index, argument)| move_in(index, argument, captured)).collect()
}

/// Whether a parameter's pattern is taken out of the signature, where its readers would miss it.
pub(crate) fn hides_pattern(input: &FnArg) -> bool {
    match input {
        FnArg::Typed(argument) => {
            let is_name =
                matches!(&*argument.pat, Pat::Ident(PatIdent { by_ref: None, subpat: None, .. }));
            !is_name && !never_drops(&argument.ty)
        }
        FnArg::Receiver(_) => false,
    }
}

fn move_in(index: usize, argument: &mut PatType, captured: &[String]) -> TokenStream {
    let PatType { attrs, pat: pattern, ty, .. } = argument;
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
                // To clippy, a binding with a pattern behind it shadows nothing (`shadow_same`).
                return quote_spanned! {site=>
                    #(#on_parts)* let #bound @ _ = #ident;
                    #(#on_whole)* let _ = &#ident;
                };
            }
            // The parameter is a variable of ours that looks the same: to clippy, the user's is the one in
            // the body, which shadows nothing (`shadow_same`), and is the only one that is used
            // (`used_underscore_binding`).
            ident.set_span(site.located_at(ident.span()));
            if name.starts_with('_') {
                // To a mere name, it would have no effect (`no_effect_underscore_binding`).
                return quote_spanned!(site=> #(#on_parts)* let (#bound,) = (#ident,););
            }
            quote_spanned!(site=> #(#on_parts)* let #bound = #ident;)
        }
        pattern => {
            let whole = format_ident!("__arg{index}", span = site);
            let pattern = std::mem::replace(pattern, Pat::Verbatim(quote_spanned!(site=> #whole)));
            // What is borrowed of a reference is another's, whatever the pattern says.
            let is_owned = !matches!(peeled_type(ty), Type::Reference(_));
            let mutability =
                (is_owned && borrows_mutably(&pattern)).then(|| quote_spanned!(site=> mut));
            let parts = match pattern {
                Pat::Wild(_) => None,
                pattern => Some(quote_spanned!(site=> #(#on_parts)* let #pattern = #whole;)),
            };
            quote_spanned! {site=>
                #(#on_whole)* let #mutability #whole = #whole;
                #parts
            }
        }
    }
}

/// Whether nothing happens when a value of this type is dropped: a reference, a primitive, or an array or
/// a tuple of these.
pub(crate) fn never_drops(ty: &Type) -> bool {
    match peeled_type(ty) {
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => true,
        Type::Array(array) => never_drops(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().all(never_drops),
        Type::Path(path) => PRIMITIVES.iter().any(|primitive| path.path.is_ident(primitive)),
        _ => false,
    }
}

const PRIMITIVES: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// Whether there is a `ref mut` of what the pattern owns.
fn borrows_mutably(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(PatIdent { by_ref: Some(_), mutability: Some(_), .. }) => true,
        Pat::Ident(PatIdent { subpat: Some((_, pattern)), .. }) => borrows_mutably(pattern),
        Pat::Paren(paren) => borrows_mutably(&paren.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().any(borrows_mutably),
        Pat::TupleStruct(tuple) => tuple.elems.iter().any(borrows_mutably),
        Pat::Slice(slice) => slice.elems.iter().any(borrows_mutably),
        Pat::Or(or) => or.cases.iter().any(borrows_mutably),
        Pat::Struct(pattern) => {
            pattern.fields.iter().any(|FieldPat { pat, .. }| borrows_mutably(pat))
        }
        _ => false,
    }
}

/// A parameter's attributes that its `let` has too. Others, of other macros, mean something on a
/// parameter only.
const ON_LET: &[&str] = &["cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid"];

fn is_any(attr: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attr.path().is_ident(name))
}
