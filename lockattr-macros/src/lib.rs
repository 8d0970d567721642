//! The attribute of [lockattr](https://docs.rs/lockattr): use it from there.

mod annotate;
mod args;
mod arguments;
mod backend;
mod block;
mod captures;
mod cfg_attr;
mod device;
mod duration;
mod enter;
mod errors;
mod expand;
mod function;
mod future;
mod instead;
mod item;
mod later;
mod mode;
mod name;
mod option;
mod peel;
mod renamed;
mod rules;
mod suggest;
mod text;
mod timeout;
mod twice;
mod validate;

#[cfg(test)]
mod tests;

use annotate::annotate;

#[doc = include_str!("attribute.md")]
#[proc_macro_attribute]
pub fn interprocess_lock(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    annotate(args.into(), item.into()).into()
}
