//! All that the attribute does.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::{errors, expand, function, item, peel, renamed, twice, validate};

/// Parse, validate, expand. After a mistake the item comes out as it was, beside the messages, so that
/// its callers still find it.
pub(crate) fn annotate(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = Args::parse(args).and_then(renamed::reject);
    let item = peel::peeled_item(item);
    let item_read = syn::parse2::<item::Item>(item.clone());
    let stub = item_read.as_ref().map_or_else(|_| item.clone(), item::Item::stub);
    let item_read = item_read.and_then(validate::item);
    match errors::both(args, item_read).and_then(validate::plan).and_then(twice::reject) {
        Ok(plan) => expand::expand(plan),
        Err(error) => {
            let messages = error.into_compile_error();
            // Two things in a row are items, and no expression.
            let stub = if function::is_expression(&stub) { TokenStream::new() } else { stub };
            quote::quote!(#stub #messages)
        }
    }
}
