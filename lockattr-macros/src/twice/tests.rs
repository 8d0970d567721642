//! What is seen of an earlier expansion. (How it reads at a user's is in `tests/ui` of the whole.)

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::annotate;

const TWICE: &str = "the attribute stands on it twice";
const OF_BLOCK: &str = "this method takes the lock of its block already";
const OF_FIXTURE: &str = "`#[fixture]` has copied this attribute";

/// What the attribute says is wrong; nothing if it accepts the item.
fn says(args: TokenStream, item: TokenStream) -> String {
    let expanded = annotate(args, item).to_string();
    expanded.split_once("compile_error !").map_or_else(String::new, |(_, said)| said.to_owned())
}

/// The function's body, in braces.
fn body(function: TokenStream) -> TokenStream {
    function.into_iter().last().map(TokenStream::from).expect("a body")
}

/// Once for each backend, and for a name with arguments.
#[test]
fn the_same_lock_is_found_and_another_is_not() {
    let item = quote! { fn read(n: u8) -> io::Result<u8> { Ok(n) } };
    let ways = [
        quote!("one"),
        quote!("other"),
        quote!("one", backend = "semaphore"),
        quote!("one-{n}"),
        quote!("other-{n}"),
        quote!(device = "/dev/one"),
        quote!(device = "/dev/other"),
        quote!(),
    ];
    for (number, inner) in ways.iter().enumerate() {
        let once = annotate(inner.clone(), item.clone());
        for (other, outer) in ways.iter().enumerate() {
            let said = says(outer.clone(), once.clone());
            if number == other {
                assert!(said.contains(TWICE), "{inner}: {said}");
            } else {
                assert_eq!(said, "", "{inner}, and {outer}");
            }
        }
    }
}

#[test]
fn an_expansion_is_found_within_what_others_have_written_around_it() {
    let once = annotate(quote!("n"), quote! { fn read() -> io::Result<u8> { Ok(1) } });
    let inner = body(once);
    let around = quote! { fn read() -> io::Result<u8> { let a = 1; loop { break (#inner) } } };
    assert!(says(quote!("n"), around.clone()).contains(TWICE));
    assert_eq!(says(quote!("m"), around), "");
    // A call that only looks like one of the runtime's, and an import that is no expansion's.
    for body in [quote! { { port("n"); 1 } }, quote! { { use a::b; Lock::port("n"); 1 } }] {
        let function = quote! { fn read() -> io::Result<u8> { #body } };
        assert_eq!(says(quote!("n"), function), "", "{body}");
    }
}

#[cfg(feature = "async")]
#[test]
fn an_expansion_is_found_in_a_future() {
    let item =
        quote! { fn read() -> impl Future<Output = io::Result<u8>> { async move { Ok(1) } } };
    let once = annotate(quote!("n"), item);
    assert!(says(quote!("n"), once).contains(TWICE));
}

#[test]
fn a_method_of_a_block_has_the_blocks_lock_or_its_own() {
    let method = quote! { pub fn read(&self) -> io::Result<u8> { Ok(1) } };
    let expanded = annotate(quote!("n"), quote! { impl Bus { #method } });
    let TokenTree::Group(members) = expanded.into_iter().last().expect("braces") else {
        panic!("no members");
    };
    let members = members.stream();
    // By another name than the one that a block knows it by.
    assert!(says(quote!("m"), members).contains(OF_BLOCK));
    let once = annotate(quote!("n"), method);
    assert!(says(quote!("n"), quote! { impl Bus { #once } }).contains(TWICE));
    assert_eq!(says(quote!("m"), quote! { impl Bus { #once } }), "");
}

#[test]
fn what_a_fixture_makes_is_told_from_what_looks_like_it() {
    let fixture = quote! {
        #[doc(hidden)]
        #[allow(unused_mut)]
        pub fn get(n: u8) -> io::Result<u8> { read(n) }
    };
    assert!(says(quote!("n"), fixture).contains(OF_FIXTURE));
    for other in [
        quote! { #[doc(hidden)] #[allow(unused_mut)] pub fn got(n: u8) -> io::Result<u8> { read(n) } },
        quote! { #[doc(hidden)] pub fn get(n: u8) -> io::Result<u8> { read(n) } },
        quote! { #[allow(unused_mut)] pub fn get(n: u8) -> io::Result<u8> { read(n) } },
        quote! { #[doc(hidden)] #[allow(unused_mut)] pub fn get(n: u8) -> io::Result<u8> { Ok { n } } },
    ] {
        assert_eq!(says(quote!("n"), other.clone()), "", "{other}");
    }
}
