//! A function that has the attribute twice, seen by the marks that each expansion leaves in its body.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, Result};

use crate::enter::enter;
use crate::errors::Errors;
use crate::expand::BLOCK_GUARD;
use crate::function::Function;
use crate::validate::{Locked, Locks, Options, Plan, PlannedItem, PlannedMember, Task, Waiter};

/// # Errors
/// If a function takes one of the locks already, or the lock of a block that did not know this attribute
/// by its name.
pub(crate) fn reject(plan: Plan) -> Result<Plan> {
    let mut errors = Errors::default();
    match &plan.item {
        PlannedItem::Function(locked) => {
            errors.keep(check(&plan.options, locked, true));
        }
        PlannedItem::Block(_, members) => {
            for member in members {
                if let PlannedMember::Method(locked) = member {
                    errors.keep(check(&plan.options, locked, false));
                }
            }
        }
    }
    errors.finish(plan)
}

fn check(options: &Options, locked: &Locked, is_methods_own: bool) -> Result<()> {
    if is_of_fixture(&locked.function) {
        return Err(Error::new(
            span(options),
            "`#[fixture]` has copied this attribute onto a function that calls yours, and both would take the \
             lock; put `#[interprocess_lock]` first, above `#[fixture]`",
        ));
    }
    let body = match &locked.waiter {
        Waiter::Task(Task::Block(block)) => &block.body,
        _ => &locked.function.body,
    };
    let mut taken = Taken::default();
    taken.find(body.clone());
    if is_methods_own && taken.is_of_block {
        return Err(Error::new(
            span(options),
            "this method takes the lock of its block already, and would take two; give the attribute its \
             own name here, `interprocess_lock`, by which the block knows it: then the method has this \
             lock alone, or with `skip` none",
        ));
    }
    if taken.locks.is_empty() {
        return Ok(());
    }
    let mut wanted = Taken::default();
    wanted.collect(enter(options, locked));
    if wanted.locks.iter().any(|lock| taken.locks.contains(lock)) {
        return Err(Error::new(
            span(options),
            "this function takes this lock already: the attribute stands on it twice; remove one, or, if \
             another macro has copied it, put `#[interprocess_lock]` last, directly above `fn`",
        ));
    }
    Ok(())
}

/// `#[doc(hidden)] #[allow(unused_mut)] pub fn get(…) { the_fixture(…) }`, which rstest 0.26 writes beside
/// the function itself, each with the attributes that stand below `#[fixture]`.
fn is_of_fixture(function: &Function) -> bool {
    let has = |attribute: &str| {
        let mut attrs = function.attrs.iter();
        attrs.any(|attr| attr.to_token_stream().to_string().replace(' ', "") == attribute)
    };
    let body: Vec<_> = function.body.clone().into_iter().collect();
    function.sig.ident == "get"
        && has("#[doc(hidden)]")
        && has("#[allow(unused_mut)]")
        && matches!(body.last(), Some(TokenTree::Group(arguments)) if arguments.delimiter() == Delimiter::Parenthesis)
        && matches!(body.first(), Some(TokenTree::Ident(_)))
}

fn span(options: &Options) -> Span {
    match &options.locks {
        Locks::Given(names) => names.first().map_or_else(Span::call_site, Spanned::span),
        Locks::Device(device) => device.path.literal.span(),
        Locks::Derived(_) => Span::call_site(),
    }
}

/// What another expansion in a body takes.
#[derive(Default)]
struct Taken {
    /// What stands in the parentheses of the runtime's `port`, `semaphore`, `named` or `device`.
    locks: Vec<String>,
    is_of_block: bool,
}

impl Taken {
    /// Looks for the blocks in which an expansion imports the facade.
    fn find(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => self.is_of_block |= ident == BLOCK_GUARD,
                TokenTree::Group(group) => {
                    let inside = group.stream();
                    if group.delimiter() == Delimiter::Brace && imports_facade(&inside) {
                        self.collect(inside);
                    } else {
                        self.find(inside);
                    }
                }
                _ => {}
            }
        }
    }

    fn collect(&mut self, tokens: TokenStream) {
        let mut last = String::new();
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    if ["port", "semaphore", "named", "named_by", "device"].contains(&last.as_str())
                    {
                        self.locks.push(format!("{last}{}", group.stream()));
                    } else {
                        self.collect(group.stream());
                    }
                    last.clear();
                }
                token => last = token.to_string(),
            }
        }
    }
}

/// `use ::lockattr::__private as __lockattr; …`
fn imports_facade(block: &TokenStream) -> bool {
    let mut tokens = block.clone().into_iter();
    matches!(tokens.next(), Some(TokenTree::Ident(first)) if first == "use")
        && tokens
            .take_while(|token| !matches!(token, TokenTree::Punct(end) if end.as_char() == ';'))
            .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "__lockattr"))
}

#[cfg(test)]
mod tests;
