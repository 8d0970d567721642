//! The call into the runtime that takes the locks.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned, ToTokens};
use syn::{ExprPath, LitStr};

use crate::name::Name;
use crate::text::Text;
use crate::timeout::Timeout;
use crate::validate::{Locks, Options, Waiter};

pub(crate) fn import(options: &Options) -> TokenStream {
    let site = Span::mixed_site();
    let default = || quote_spanned!(site=> ::lockattr);
    let facade = options.krate.as_ref().map_or_else(default, ToTokens::to_token_stream);
    quote_spanned!(site=> use #facade::__private as __lockattr;)
}

/// The block that takes the locks, with its static items, and says what came of it.
pub(crate) fn enter(options: &Options, path: &str, waiter: &Waiter) -> TokenStream {
    let site = Span::mixed_site();
    let import = import(options);
    let (statics, locks) = locks(options);
    let timeout = timeout(&options.timeout);
    let recovers = options.on_recover.is_some();
    let info = match &options.info {
        Some(info) => {
            let format = info.format();
            quote_spanned!(site=> __lockattr::format_args!(#format))
        }
        None => module_path(path),
    };
    let with = if options.info.is_some() { "_with" } else { "" };
    match waiter {
        Waiter::Thread { reentrant, .. } => {
            let enter = format_ident!("enter{with}", span = site);
            quote_spanned! {site=> {
                #import
                #(#statics)*
                __lockattr::#enter(
                    [#(#locks),*],
                    __lockattr::Options { timeout: #timeout, reentrant: #reentrant, recovers: #recovers },
                    #info
                )
            }}
        }
        Waiter::Task(_) => {
            let enter = format_ident!("enter_async{with}", span = site);
            quote_spanned! {site=> {
                #import
                #(#statics)*
                let __locks = [#(#locks),*];
                let __options = __lockattr::Options { timeout: #timeout, reentrant: false, recovers: #recovers };
                let __entering = __lockattr::#enter(__locks, __options, #info);
                __entering.await
            }}
        }
    }
}

/// The statics of the locks whose names are known now, and the handles of all.
fn locks(options: &Options) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let names = match &options.locks {
        Locks::Derived(path) => {
            let (lock, handle) = fixed(options, "", Span::call_site(), &module_path(path));
            return (vec![lock], vec![handle]);
        }
        Locks::Given(names) => names,
    };
    let mut statics = Vec::new();
    let handles = names.iter().enumerate().map(|(index, name)| {
        let number = if names.len() > 1 { index.to_string() } else { String::new() };
        let (span, name) = match name {
            Name::Const(path) => (last_span(path), path.to_token_stream()),
            Name::Text(text) => {
                let span = text.literal.span();
                let Some(name) = text.without_captures() else {
                    return named(options, text);
                };
                (span, LitStr::new(&name, span).to_token_stream())
            }
        };
        let (lock, handle) = fixed(options, &number, span, &name);
        statics.push(lock);
        handle
    });
    let handles = handles.collect();
    (statics, handles)
}

/// What makes a `Lock` is a `const fn`, called by a static: a bad name ends the compilation, and rustc
/// points at the name.
fn fixed(
    options: &Options,
    number: &str,
    span: Span,
    name: &TokenStream,
) -> (TokenStream, TokenStream) {
    let site = Span::mixed_site();
    let mut constructor = options.kind.constructor();
    constructor.set_span(site.located_at(span));
    let mode = mode(options);
    let lock = format_ident!("__LOCKATTR{number}", span = site);
    let open = quote_spanned!(site.located_at(span)=> __lockattr::Lock::#constructor(#name) #mode);
    (
        quote_spanned!(site=> static #lock: __lockattr::Lock = #open;),
        quote_spanned!(site=> __lockattr::fixed(&#lock)),
    )
}

fn named(options: &Options, text: &Text) -> TokenStream {
    let backend = options.kind.variant();
    let mode = mode(options);
    let format = text.format();
    quote_spanned! {Span::mixed_site()=>
        __lockattr::named(
            __lockattr::Kind::new(__lockattr::Backend::#backend) #mode,
            __lockattr::format_args!(#format)
        )
    }
}

/// The call that gives a lock, or the kind of one, its mode.
fn mode(options: &Options) -> Option<TokenStream> {
    options.kind.mode().map(|mode| quote_spanned!(Span::mixed_site()=> .mode(#mode)))
}

fn last_span(path: &ExprPath) -> Span {
    path.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span())
}

fn timeout(timeout: &Timeout) -> TokenStream {
    let site = Span::mixed_site();
    match timeout {
        Timeout::Finite(duration) => {
            let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
            quote_spanned!(site=> __lockattr::Duration::new(#seconds, #nanoseconds))
        }
        Timeout::Forever => quote_spanned!(site=> __lockattr::Duration::MAX),
        Timeout::Const(path) => path.to_token_stream(),
    }
}

/// `crate::module` with `path` behind it, as a constant expression.
fn module_path(path: &str) -> TokenStream {
    let site = Span::mixed_site();
    let path = LitStr::new(path, site);
    quote_spanned!(site=> __lockattr::concat!(__lockattr::module_path!(), #path))
}
