//! The annotated function as rustc gets to see it.
//!
//! ```text
//! // Input:
//! #[interprocess_lock("i2c-1", timeout = "2s")]
//! fn read(&mut self, register: u8, (low, _): (u8, u8)) -> Result<f32, E> { BODY }
//!
//! // Output:
//! #[track_caller]
//! fn read(&mut self, register: u8, __arg2: (u8, u8)) -> Result<f32, E> {
//!     match {
//!         use ::lockattr::__private as __lockattr;
//!         static __LOCKATTR: __lockattr::Lock = __lockattr::Lock::port("i2c-1");
//!         __lockattr::enter([__lockattr::fixed(&__LOCKATTR)], OPTIONS, "crate::module::read")
//!     } {
//!         ::core::result::Result::Ok(__guard) => {
//!             let register = register;
//!             let __arg2 = __arg2;
//!             let (low, _) = __arg2;
//!             match () {
//!                 () => { BODY }
//!             }
//!         }
//!         ::core::result::Result::Err(__error) => {
//!             use ::lockattr::__private as __lockattr;
//!             __lockattr::fail(__error)
//!         }
//!     }
//! }
//! ```
//!
//! - The body is an arm of a `match`, never a closure: `return`, `?`, borrows and inference are as
//!   without the attribute. An arm is a scope of its own for temporaries (Rust reference,
//!   "Temporary scopes"), so the body's last expression drops its own before `__guard`, and before the
//!   arguments, in every edition. That is all that `match ()` is for.
//! - Arguments are moved into the arm, so they drop before `__guard`.
//! - Items are not hygienic: the static stands in the inner block, where the body does not see it, and
//!   has a name that no path in the attribute has. Local variables are `Span::mixed_site`; their names
//!   are odd too, because a const of the same name would make a pattern of the binding.
//! - The facade is imported, twice, and not written out in each path: if there is none, rustc says it
//!   once.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::ext::IdentExt;
use syn::{ExprPath, LitStr, ReturnType};

use crate::arguments;
use crate::function::Function;
use crate::name::NameArg;
use crate::timeout::Timeout;
use crate::validate::{Info, Name, Plan};

/// Writes the function out again, its body under the lock.
pub(crate) fn expand(plan: Plan) -> TokenStream {
    let import = import(&plan);
    let lock = lock(&plan);
    let enter = enter(&plan);
    let track_caller = track_caller(&plan.info);
    let fail = fail(&plan.function);

    let Function { attrs, vis, mut sig, braces, body } = plan.function;
    let moves = arguments::take(&mut sig.inputs);
    let in_braces = |tokens: TokenStream| {
        let mut block = TokenStream::new();
        braces.surround(&mut block, |inside| inside.extend(tokens));
        block
    };

    let site = Span::mixed_site();
    let body = in_braces(body);
    let under_lock = if moves.is_empty() {
        body
    } else {
        quote_spanned! {site=> {
            #(#moves)*
            match () {
                () => #body
            }
        }}
    };
    // The new body has the old one's braces: with others, the function would be another crate's to
    // rustc, which holds back warnings about it (`dead_code`).
    let body = in_braces(quote_spanned! {site=>
        match {
            #import
            #lock
            #enter
        } {
            ::core::result::Result::Ok(__guard) => #under_lock
            ::core::result::Result::Err(__error) => {
                #import
                #fail
            }
        }
    });
    quote_spanned! {site=>
        #(#attrs)*
        #track_caller
        #vis #sig #body
    }
}

fn import(plan: &Plan) -> TokenStream {
    let site = Span::mixed_site();
    let default = || quote_spanned!(site=> ::lockattr);
    let facade = plan.krate.as_ref().map_or_else(default, ToTokens::to_token_stream);
    quote_spanned!(site=> use #facade::__private as __lockattr;)
}

/// The lock is a static, and `Lock::port` a `const fn`: a bad name ends the compilation, and rustc
/// points at the name.
fn lock(plan: &Plan) -> TokenStream {
    let (span, name) = match &plan.name {
        Name::Given(NameArg::Literal(literal)) => (literal.span(), literal.to_token_stream()),
        Name::Given(NameArg::Const(path)) => (last_span(path), path.to_token_stream()),
        Name::Derived => (Span::call_site(), function_path(&plan.function)),
    };
    let site = Span::mixed_site();
    let open = quote_spanned!(site.located_at(span)=> __lockattr::Lock::port(#name));
    quote_spanned!(site=> static __LOCKATTR: __lockattr::Lock = #open;)
}

fn last_span(path: &ExprPath) -> Span {
    path.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span())
}

fn enter(plan: &Plan) -> TokenStream {
    let timeout = timeout(plan.timeout);
    let site = Span::mixed_site();
    let locks = quote_spanned!(site=> [__lockattr::fixed(&__LOCKATTR)]);
    let options = quote_spanned! {site=>
        __lockattr::Options { timeout: #timeout, reentrant: false }
    };
    match &plan.info {
        Info::Text(text) => quote_spanned! {site=>
            __lockattr::enter_with(#locks, #options, __lockattr::format_args!("{}", #text))
        },
        Info::CallSite { .. } => {
            let function = function_path(&plan.function);
            quote_spanned!(site=> __lockattr::enter(#locks, #options, #function))
        }
    }
}

fn timeout(timeout: Timeout) -> TokenStream {
    let site = Span::mixed_site();
    match timeout {
        Timeout::Finite(duration) => {
            let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
            quote_spanned!(site=> __lockattr::Duration::new(#seconds, #nanoseconds))
        }
        Timeout::Forever => quote_spanned!(site=> __lockattr::Duration::MAX),
    }
}

/// `crate::module::function`, as a constant expression.
fn function_path(function: &Function) -> TokenStream {
    let site = Span::mixed_site();
    let name = LitStr::new(&format!("::{}", function.sig.ident.unraw()), site);
    quote_spanned!(site=> __lockattr::concat!(__lockattr::module_path!(), #name))
}

fn track_caller(info: &Info) -> Option<TokenStream> {
    let Info::CallSite { add_track_caller: true } = info else {
        return None;
    };
    Some(quote_spanned!(Span::mixed_site()=> #[track_caller]))
}

/// rustc's message about a function that returns no `Result` points at these tokens: so they pretend
/// to stand where the return type does, or the function's name if it has none.
fn fail(function: &Function) -> TokenStream {
    let output = match &function.sig.output {
        ReturnType::Type(_, output) => output.to_token_stream(),
        ReturnType::Default => function.sig.ident.to_token_stream(),
    };
    let mut spans = output.into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let site = Span::mixed_site();
    let start = quote_spanned!(site.located_at(first)=> __lockattr::);
    let end = quote_spanned!(site.located_at(last)=> fail(__error));
    quote!(#start #end)
}
