//! What is accepted, and what is said of the rest. (How it reads at a user's is in `tests/ui` of the whole.)

use proc_macro2::{Span, TokenStream};
use quote::quote;

use super::require_feature;
use crate::annotate;

/// What the attribute says is wrong; nothing if it accepts the item.
fn says(args: TokenStream, item: TokenStream) -> String {
    let expanded = annotate(args, item).to_string();
    let errors = expanded.split("compile_error !").skip(1);
    errors.map(|error| error.split('}').next().unwrap_or_default().trim()).collect()
}

macro_rules! accepted {
    ($(#[interprocess_lock($($args:tt)*)] { $($item:tt)* })*) => {
        $(assert_eq!(says(quote!($($args)*), quote!($($item)*)), "", "{}", stringify!($($item)*));)*
    };
}

macro_rules! refused {
    ($($said:literal: #[interprocess_lock($($args:tt)*)] { $($item:tt)* })*) => {
        $(
            let said = says(quote!($($args)*), quote!($($item)*));
            assert!(said.contains($said), "{}: {said:?}", stringify!($($item)*));
        )*
    };
}

#[test]
fn functions_of_all_forms_are_accepted() {
    accepted! {
        #[interprocess_lock(NAME)] { fn read<'a>(&'a self) -> Result<&'a u8> { Ok(&self.0) } }
        #[interprocess_lock("n")] { fn read<'a, T: 'a, const N: usize>(x: [&'a T; N]) -> Result<()> { x } }
        #[interprocess_lock("{a}")] { fn read(ref a: u8, b @ _: u8, mut c: u8) -> Result<()> { c } }
        #[interprocess_lock("n")] { fn read(whole @ Pair { .. }: Pair) -> Result<()> { whole } }
        #[interprocess_lock("n")] { unsafe extern "C" fn read(r#type: u8) -> Result<()> { r#type } }
        #[interprocess_lock("{type}")] { fn read(r#type: u8) -> Result<()> { r#type } }
        #[interprocess_lock(device = "/dev/i2c-1")] { fn read() -> Result<()> { Ok(()) } }
        #[interprocess_lock(device = "/dev/i2c-1", join = self.port)] { fn read(&self) -> Result<()> { x } }
        #[interprocess_lock("n", eager)] { fn read() -> impl Future<Output = u8> { x } }
        #[interprocess_lock("n", eager)] { fn read() -> Pin<Box<dyn Future<Output = u8>>> { x } }
        #[interprocess_lock("n", reentrant)] { fn read() -> Result<()> { Ok(()) } }
    }
}

#[test]
fn blocks_of_all_forms_are_accepted() {
    accepted! {
        #[interprocess_lock("n")] { impl Bus for [u8; 4] { fn read(&self) -> Result<()> { x } } }
        #[interprocess_lock("n")] { impl<T, const N: usize> Bus for Wire<'_, T, N> { fn read(&self) -> Result<()> { x } } }
        #[interprocess_lock("n")] { unsafe impl Bus for hal::Driver { #![allow(unused)] fn read(&self) -> Result<()> { x } } }
        #[interprocess_lock()] { impl hal::r#Driver<'_> { const N: u8 = 1; fn read(&self) -> Result<()> { x } } }
        #[interprocess_lock("n")] { impl Wire<{ 1 + 1 }> { fn read(&self) -> Result<()> { x } } }
        #[interprocess_lock("n", eager)] { impl Bus { fn now(&self) -> Result<()> { x } } }
    }
    #[cfg(feature = "async")]
    accepted! {
        #[interprocess_lock("n")] { async fn read() -> Result<()> { Ok(()) } }
        #[interprocess_lock("n")] { fn read() -> impl Future<Output = Result<()>> { async move { Ok(()) } } }
        // What is eager in a block is for those of its methods that can be.
        #[interprocess_lock("n", eager)] { impl Bus { async fn read(&self) -> Result<()> { x } } }
    }
}

#[test]
fn a_block_is_named_by_the_last_segment_of_its_type() {
    let named = |item: TokenStream| annotate(quote!(), item).to_string();
    let driver = named(quote! { impl hal::Driver<u8> { fn read(&self) -> Result<()> { x } } });
    assert!(driver.contains("::Driver\""), "{driver}");
    let raw = named(quote! { impl r#Driver { fn read(&self) -> Result<()> { x } } });
    assert!(raw.contains("::Driver\""), "{raw}");
    refused! {
        "this type has no name that the lock could have":
            #[interprocess_lock()] { impl Bus for [u8; 4] { fn read(&self) -> Result<()> { x } } }
    }
}

#[test]
fn combinations_that_make_no_sense_are_refused() {
    refused! {
        "a device stands in the place of a lock's name":
            #[interprocess_lock("n", device = "/dev/i2c-1")] { fn read() -> Result<()> { Ok(()) } }
        "`join` takes that by which other programs lock a device":
            #[interprocess_lock("n", join = port)] { fn read(port: u8) -> Result<()> { Ok(()) } }
        "only a semaphore has a `mode`":
            #[interprocess_lock("n", mode = 0o660)] { fn read() -> Result<()> { Ok(()) } }
        "this function returns no future; remove `eager`":
            #[interprocess_lock("n", eager)] { fn read() -> Result<()> { Ok(()) } }
        "an `async fn` does nothing before its future runs":
            #[interprocess_lock("n", eager)] { async fn read() -> Result<()> { Ok(()) } }
        "the lock would be given back before this future runs":
            #[interprocess_lock("n")] { fn read() -> impl Future<Output = u8> { x } }
        "or leave this method out":
            #[interprocess_lock("n")] { impl Bus { fn read(&self) -> impl Future<Output = u8> { x } } }
    }
    #[cfg(feature = "async")]
    refused! {
        "an `async fn` cannot be `reentrant`":
            #[interprocess_lock("n", reentrant)] { async fn read() -> Result<()> { Ok(()) } }
        "a function whose body is an `async` block cannot be `reentrant`":
            #[interprocess_lock("n", reentrant)] {
                fn read() -> impl Future<Output = Result<()>> { async { Ok(()) } }
            }
    }
}

#[test]
fn a_name_takes_whole_arguments_and_no_parts_of_patterns() {
    refused! {
        "this is an argument, which a name captures":
            #[interprocess_lock(bus)] { fn read(bus: &str) -> Result<()> { x } }
        "`low` is a part of a pattern":
            #[interprocess_lock("n-{low}")] { fn read((low, high): (String, String)) -> Result<()> { x } }
        "`whole` is a part of a pattern":
            #[interprocess_lock("n-{whole}")] { fn read(whole @ (_, _): (String, String)) -> Result<()> { x } }
        "`wait` is a part of a pattern":
            #[interprocess_lock("n", timeout = wait)] { fn read((wait, _): (String, String)) -> Result<()> { x } }
    }
    accepted! {
        #[interprocess_lock("n-{low}")] { fn read(low: u8, (_, high): (String, String)) -> Result<()> { x } }
        #[interprocess_lock(NAME)] { fn read(name: &str) -> Result<()> { x } }
    }
}

/// Both are moved under the lock; the one that was used before is not said to be unused.
#[test]
fn what_is_joined_is_captured() {
    let expanded = annotate(
        quote!(device = "/dev/i2c-1", join = file),
        quote! { fn read(file: File, other: File) -> Result<()> { x } },
    )
    .to_string();
    assert!(expanded.contains("descriptor (& file)"), "{expanded}");
    assert!(expanded.contains("let file @ _ = file ; let _ = & file ;"), "{expanded}");
    assert!(expanded.contains("let other = other ;"), "{expanded}");
}

#[test]
fn an_inner_attribute_of_a_block_stays() {
    let block = quote! { impl Bus { #![allow(dead_code)] fn read(&self) -> Result<()> { x } } };
    let expanded = annotate(quote!("n"), block).to_string();
    assert!(expanded.contains("# ! [allow (dead_code)]"), "{expanded}");
}

#[test]
fn async_needs_a_feature_that_the_message_names() {
    assert!(require_feature(Span::call_site(), true).is_ok());
    let error = require_feature(Span::call_site(), false).unwrap_err();
    assert!(error.to_string().contains("needs the feature `async` of lockattr"), "{error}");
}
