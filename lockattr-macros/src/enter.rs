//! The call into the runtime that takes the locks.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{format_ident, quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::{ExprPath, LitStr, Path};

use crate::backend::Kind;
use crate::captures::words;
use crate::device::{Device, Join};
use crate::name::Name;
use crate::text::Text;
use crate::timeout::Timeout;
use crate::validate::{Locked, Locks, Options, Waiter};

pub(crate) fn import(options: &Options) -> TokenStream {
    let facade = facade(options.krate.as_ref());
    quote_spanned!(Span::mixed_site()=> use #facade::__private as __lockattr;)
}

/// The path of lockattr, which the option `crate` may say.
pub(crate) fn facade(krate: Option<&Path>) -> TokenStream {
    let default = || quote_spanned!(Span::mixed_site()=> ::lockattr);
    krate.map_or_else(default, ToTokens::to_token_stream)
}

/// The block that takes the locks, with its static items, and says what came of it.
pub(crate) fn enter(options: &Options, locked: &Locked) -> TokenStream {
    let site = Span::mixed_site();
    let import = import(options);
    let shows_paths = options.texts().any(|text| text.may_show_paths(&locked.file_paths));
    let import_shown = shows_paths.then(|| quote_spanned!(site=> use __lockattr::shown::*;));
    let (statics, target) = target(options, locked);
    let timeout = timeout(&options.timeout);
    let recovers = options.on_recover.is_some();
    let info = match &options.info {
        Some(info) => {
            let format = info.format(&locked.file_paths);
            quote_spanned!(site=> __lockattr::format_args!(#format))
        }
        None => module_path(&locked.path),
    };
    let with = if options.info.is_some() { "_with" } else { "" };
    let call = |function: &str, arguments: TokenStream| {
        // Where rustc finds the place of a call, that is where the function's name stands. With a span of our
        // own it would be the attribute's, for all methods of a block.
        let span = if options.info.is_some() { site } else { locked.function.sig.ident.span() };
        let name = format_ident!("{function}{with}", span = span);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(span);
        quote_spanned!(span=> __lockattr::#name #arguments)
    };
    match &locked.waiter {
        Waiter::Thread { reentrant } => {
            let enter = call(
                "enter",
                quote_spanned! {site=>
                    #target,
                    __lockattr::Options { timeout: #timeout, reentrant: #reentrant, recovers: #recovers },
                    #info
                },
            );
            quote_spanned! {site=> {
                #import
                #import_shown
                #(#statics)*
                #enter
            }}
        }
        Waiter::Task(_) => {
            let enter = call("enter_async", quote_spanned!(site=> __target, __options, #info));
            // The outcome is bound: at the end of a block, temporaries of an `await` drop at another time in
            // each edition (`tail_expr_drop_order`).
            quote_spanned! {site=> {
                #import
                #import_shown
                #(#statics)*
                let __target = #target;
                let __options = __lockattr::Options { timeout: #timeout, reentrant: false, recovers: #recovers };
                let __entering = #enter;
                let __entered = __entering.await;
                __entered
            }}
        }
    }
}

/// The statics of the locks whose names are known now, and what is to be taken: one lock as it is, several as
/// an array of handles. (An array of one guard would cost instructions, and gdb 13 dies of printing it.)
fn target(options: &Options, locked: &Locked) -> (Vec<TokenStream>, TokenStream) {
    let site = Span::mixed_site();
    let names = match &options.locks {
        Locks::Derived(path) => {
            let (lock, target) = fixed(options, "", Span::call_site(), &module_path(path));
            return (vec![lock], quote_spanned!(site=> &#target));
        }
        Locks::Device(device) => {
            return (Vec::new(), self::device(options, device, &locked.file_paths))
        }
        Locks::Given(names) => names,
    };
    let mut statics = Vec::new();
    let targets = names.iter().enumerate().map(|(index, name)| {
        let is_alone = names.len() == 1;
        let number = if is_alone { String::new() } else { index.to_string() };
        let (span, name) = match name {
            Name::Const(path) if depends_on_generics(path, &locked.generics) => {
                return named_by(options, path);
            }
            Name::Const(path) => (last_span(path), path.to_token_stream()),
            Name::Macro(name) => (name.path.span(), name.to_token_stream()),
            Name::Text(text) => {
                let span = text.literal.span();
                let Some(name) = text.without_captures() else {
                    return named(options, text, &locked.file_paths);
                };
                (span, LitStr::new(&name, span).to_token_stream())
            }
        };
        let (lock, target) = fixed(options, &number, span, &name);
        statics.push(lock);
        if is_alone {
            quote_spanned!(site=> &#target)
        } else {
            quote_spanned!(site=> __lockattr::fixed(&#target))
        }
    });
    let targets: Vec<_> = targets.collect();
    let target = match targets.as_slice() {
        [target] => target.clone(),
        targets => quote_spanned!(site=> [#(#targets),*]),
    };
    (statics, target)
}

/// A static, and its name. What makes a `Lock` is a `const fn`, called by a static: a bad name ends the
/// compilation, and rustc points at the name.
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
    (quote_spanned!(site=> static #lock: __lockattr::Lock = #open;), lock.to_token_stream())
}

fn named(options: &Options, text: &Text, file_paths: &[String]) -> TokenStream {
    let kind = kind(options);
    let format = text.format(file_paths);
    quote_spanned! {Span::mixed_site()=>
        __lockattr::named(#kind, __lockattr::format_args!(#format))
    }
}

/// The lock of the device that a path leads to when the function is called.
fn device(options: &Options, device: &Device, file_paths: &[String]) -> TokenStream {
    let kind = kind(options);
    let path = device.path.format(file_paths);
    let joins = device.joins.iter().map(Join::call);
    quote_spanned! {Span::mixed_site()=>
        __lockattr::device(#kind, __lockattr::format_args!(#path), __lockattr::Joins::NONE #(#joins)*)
    }
}

/// The lock that a const of a generic type names, which no static can have.
fn named_by(options: &Options, path: &ExprPath) -> TokenStream {
    let kind = kind(options);
    quote_spanned!(Span::mixed_site()=> __lockattr::named_by(#kind, #path))
}

/// What a lock is made as whose name is found at run time.
fn kind(options: &Options) -> TokenStream {
    let site = Span::mixed_site();
    let (backend, mode) = (options.kind.variant(), mode(options));
    let kind = quote_spanned!(site=> __lockattr::Kind::new(__lockattr::Backend::#backend) #mode);
    match options.kind {
        // Not every system has it. A const ends the compilation then, as a static lock does.
        Kind::Semaphore { .. } => quote_spanned! {site=> {
            const __LOCKATTR_KIND: __lockattr::Kind = #kind;
            __LOCKATTR_KIND
        }},
        Kind::Port | Kind::Tcp => kind,
    }
}

/// `Self::NAME`, `T::NAME`. The parameters of an `impl` block around a method with an attribute of its own
/// are not to be seen here: a type without a lower-case letter may be one, such as `T` and `I2C`.
fn depends_on_generics(path: &ExprPath, generics: &[String]) -> bool {
    let mut all = Vec::new();
    words(path.to_token_stream(), &mut all);
    let may_be_one = |word: &str| !word.contains(char::is_lowercase);
    let is_of_type = path.qself.is_some() || path.path.segments.len() > 1;
    let first = path.path.segments.first().filter(|_| is_of_type && path.qself.is_none());
    all.iter().any(|word| word == "Self" || generics.contains(word))
        || first.is_some_and(|first| may_be_one(&first.ident.to_string()))
        || path.qself.as_ref().is_some_and(|qself| {
            let mut words_of_type = Vec::new();
            words(qself.ty.to_token_stream(), &mut words_of_type);
            words_of_type.iter().any(|word| may_be_one(word))
        })
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
        Timeout::Value(value) => value.to_token_stream(),
    }
}

/// `crate::module` with `path` behind it, as a constant expression.
fn module_path(path: &str) -> TokenStream {
    let site = Span::mixed_site();
    let path = LitStr::new(path, site);
    quote_spanned!(site=> __lockattr::concat!(__lockattr::module_path!(), #path))
}
