//! The annotated function as rustc gets to see it.
//!
//! ```text
//! // Input:
//! #[interprocess_lock("i2c-1", timeout = "2s")]
//! fn read(&mut self, register: u8, name: String, (low, _): (T, T)) -> Result<f32, E> { BODY }
//!
//! // Output:
//! fn read(&mut self, register: u8, name: String, __arg3: (T, T)) -> Result<f32, E> {
//!     match {
//!         use ::lockattr::__private as __lockattr;
//!         static __LOCKATTR: __lockattr::Lock = __lockattr::Lock::port("i2c-1");
//!         __lockattr::enter([__lockattr::fixed(&__LOCKATTR)], OPTIONS, "crate::module::read")
//!     } {
//!         ::core::result::Result::Ok(__guard) => {
//!             let name = name;
//!             let __arg3 = __arg3;
//!             let (low, _) = __arg3;
//!             match () {
//!                 () => { BODY }
//!             }
//!         }
//!         ::core::result::Result::Err(__error) => {
//!             use ::lockattr::__private as __lockattr;
//!             return __lockattr::fail(__error)
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
//! - `on_recover` runs after the arguments are moved, and before the body: so it sees them as the body does,
//!   and they drop before `__guard` if it fails, too.
//! - An `async fn` awaits `enter_async`, whose arguments are bound by `let` first: `format_args!` makes
//!   temporaries that are not `Send`, and must not live across the `await`.
//! - The call of `enter` has the span of the function's name, so that the place which others are told is the
//!   function's own. To make the function `#[track_caller]` would tell the caller's, but panics in the body too
//!   would be reported there, and the function would have a hidden argument.
//! - Nothing is moved that cannot drop: of a reference in an `async fn`, a second copy would only make the
//!   future larger.
//! - rustdoc gets the function as it was written, where its patterns have to be taken out of the parameters.
//! - The facade is imported, in each block, and not written out in each path: if there is none, rustc says it
//!   once.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::{token, Expr, ReturnType, Signature};

use crate::arguments;
use crate::enter::{enter, import};
use crate::function::Function;
use crate::validate::{Locked, Options, Plan, PlannedItem, PlannedMember, Task, Waiter};

/// What the guard is called in the methods of a block: by it, an attribute of the method's own finds that
/// the block did not know it. Elsewhere it is `__guard`.
pub(crate) const BLOCK_GUARD: &str = "__block_guard";

/// Writes the item out again, each body under the lock.
pub(crate) fn expand(Plan { options, item }: Plan) -> TokenStream {
    match item {
        PlannedItem::Function(locked) => function(&options, *locked),
        PlannedItem::Block(block, members) => {
            block.with(members.into_iter().map(|member| match member {
                PlannedMember::Method(locked) => function(&options, *locked),
                PlannedMember::Other(tokens) => tokens,
            }))
        }
    }
}

fn function(options: &Options, locked: Locked) -> TokenStream {
    let enter = enter(options, &locked);
    let Locked { function, waiter, is_in_block, .. } = locked;
    let guard = Ident::new(if is_in_block { BLOCK_GUARD } else { "__guard" }, Span::mixed_site());
    let fail = fail(options, &function.sig);
    let documented = documented(&function, &waiter);
    let Function { attrs, vis, mut sig, braces, body } = function;
    let captured = options.captured();
    let under_lock = |body_braces, body, moves: &[TokenStream]| {
        let (pattern, body) = run(options, &guard, in_braces(body_braces, body), moves);
        let site = Span::mixed_site();
        // The new body has the old one's braces: with others, the function would be another crate's
        // to rustc, which holds back warnings about it (`dead_code`).
        let locked = quote_spanned! {site=>
            match #enter {
                ::core::result::Result::Ok(#pattern) => #body
                ::core::result::Result::Err(__error) => #fail
            }
        };
        in_braces(body_braces, locked)
    };
    let body = if let Waiter::Task(Task::Block(block)) = waiter {
        // The parameters are moved into the future already.
        let (future_braces, body) = (block.braces, block.body.clone());
        in_braces(braces, block.with_block(&under_lock(future_braces, body, &[])))
    } else {
        let moves = arguments::take(&mut sig.inputs, &captured);
        under_lock(braces, body, &moves)
    };
    let site = Span::mixed_site();
    let not_documented = documented.is_some().then(|| quote_spanned!(site=> #[cfg(not(doc))]));
    quote_spanned! {site=>
        #documented
        #not_documented
        #(#attrs)*
        #vis #sig #body
    }
}

/// The function as it was written, for rustdoc, where its patterns would show otherwise.
fn documented(function: &Function, waiter: &Waiter) -> Option<TokenStream> {
    let takes_patterns = !matches!(waiter, Waiter::Task(Task::Block(_)))
        && function.sig.inputs.iter().any(arguments::hides_pattern);
    takes_patterns.then(|| quote_spanned!(Span::mixed_site()=> #[cfg(doc)] #function))
}

fn in_braces(braces: token::Brace, tokens: TokenStream) -> TokenStream {
    let mut block = TokenStream::new();
    braces.surround(&mut block, |inside| inside.extend(tokens));
    block
}

/// The pattern of the guard, and what runs while it holds: the arguments' moves, the hook, the body.
fn run(
    options: &Options,
    guard: &Ident,
    body: TokenStream,
    moves: &[TokenStream],
) -> (TokenStream, TokenStream) {
    let site = Span::mixed_site();
    let guarded = match &options.on_recover {
        Some(hook) => {
            let recover = recover(options, guard, hook);
            let outcome = quote_spanned!(ends(hook, site).0=> __outcome);
            quote_spanned! {site=>
                match #recover {
                    ::core::result::Result::Ok(()) => #body
                    ::core::result::Result::Err(__outcome) => return #outcome,
                }
            }
        }
        None if moves.is_empty() => return (guard.to_token_stream(), body),
        None => quote_spanned! {site=>
            match () {
                () => #body
            }
        },
    };
    let mutability = options.on_recover.as_ref().map(|_| quote_spanned!(site=> mut));
    (quote_spanned!(site=> #mutability #guard), quote_spanned!(site=> { #(#moves)* #guarded }))
}

/// The block that runs the user's hook. Types that do not match are the hook's fault, to rustc too.
fn recover(options: &Options, guard: &Ident, hook: &Expr) -> TokenStream {
    let site = Span::mixed_site();
    let import = import(options);
    let (start, end) = ends(hook, site);
    let start = quote_spanned!(start=> __lockattr::);
    let end = quote_spanned!(end=> recover(&mut #guard, #hook));
    quote_spanned!(site=> { #import #start #end })
}

/// The block that makes what the function returns when the lock was not acquired.
///
/// rustc's message about a function that returns no `Result` points at these tokens: so they pretend
/// to stand where the return type does, or the function's name if it has none.
fn fail(options: &Options, sig: &Signature) -> TokenStream {
    let site = Span::mixed_site();
    let import = import(options);
    let call = if let Some(handler) = &options.or_else {
        let (start, end) = ends(handler, site);
        let start = quote_spanned!(start=> return __lockattr::);
        let end = quote_spanned!(end=> or_else(#handler, __error));
        quote!(#start #end)
    } else {
        let (start, end) = match &sig.output {
            ReturnType::Type(_, output) => ends(output, site),
            ReturnType::Default => ends(&sig.ident, site),
        };
        let start = quote_spanned!(start=> return __lockattr::);
        let end = quote_spanned!(end=> fail(__error));
        quote!(#start #end)
    };
    quote_spanned!(site=> { #import #call })
}

/// `site`, to be shown where `tokens` start, and where they end.
fn ends(tokens: &impl ToTokens, site: Span) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    (site.located_at(first), site.located_at(last))
}
