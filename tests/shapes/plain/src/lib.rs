//! The attribute as if it were not there.

use proc_macro::TokenStream;

#[proc_macro_attribute]
pub fn interprocess_lock(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}
