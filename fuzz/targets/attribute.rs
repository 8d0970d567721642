//! The attribute, with arguments and an item of any tokens: the text before and after the first empty line. What comes
//! out must be Rust.

#![no_main]
#![allow(dead_code)] // the entry points are the compiler's

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

/// The attribute's own files: a crate of macros lends nothing.
macro_rules! files {
    ($($path:literal $name:ident)*) => {
        $(#[path = $path] mod $name;)*
    };
}

files! {
    "../../lockattr-macros/src/annotate.rs" annotate
    "../../lockattr-macros/src/args.rs" args
    "../../lockattr-macros/src/arguments.rs" arguments
    "../../lockattr-macros/src/backend.rs" backend
    "../../lockattr-macros/src/block.rs" block
    "../../lockattr-macros/src/captures.rs" captures
    "../../lockattr-macros/src/cfg_attr.rs" cfg_attr
    "../../lockattr-macros/src/device.rs" device
    "../../lockattr-macros/src/duration.rs" duration
    "../../lockattr-macros/src/enter.rs" enter
    "../../lockattr-macros/src/errors.rs" errors
    "../../lockattr-macros/src/expand.rs" expand
    "../../lockattr-macros/src/function.rs" function
    "../../lockattr-macros/src/future.rs" future
    "../../lockattr-macros/src/instead.rs" instead
    "../../lockattr-macros/src/item.rs" item
    "../../lockattr-macros/src/later.rs" later
    "../../lockattr-macros/src/mode.rs" mode
    "../../lockattr-macros/src/name.rs" name
    "../../lockattr-macros/src/option.rs" option
    "../../lockattr-macros/src/peel.rs" peel
    "../../lockattr-macros/src/renamed.rs" renamed
    "../../lockattr-macros/src/rules.rs" rules
    "../../lockattr-macros/src/suggest.rs" suggest
    "../../lockattr-macros/src/text.rs" text
    "../../lockattr-macros/src/timeout.rs" timeout
    "../../lockattr-macros/src/twice.rs" twice
    "../../lockattr-macros/src/validate.rs" validate
}

fuzz_target!(|text: &str| {
    let Some((args, item)) = text.split_once("\n\n") else { return };
    let (Ok(args), Ok(item)) = (args.parse::<TokenStream>(), item.parse::<TokenStream>()) else { return };
    let is_item = syn::parse2::<syn::Item>(item.clone()).is_ok();
    let expanded = annotate::annotate(args, item);
    // What is no item comes out as it was, beside the messages.
    if is_item {
        syn::parse2::<syn::File>(expanded.clone()).unwrap_or_else(|error| panic!("{error}: {expanded}"));
    }
});
