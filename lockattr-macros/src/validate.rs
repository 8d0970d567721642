//! What fits together: after this, nothing illegal can be written down.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Error, Expr, FnArg, GenericParam, Generics, Pat, Path, Result};

use crate::args::{self, Args};
use crate::backend::{Backend, Kind};
use crate::block::{Block, Member};
use crate::boxed::Boxed;
use crate::errors::Errors;
use crate::function::Function;
use crate::item::Item;
use crate::name::Name;
use crate::text::Text;
use crate::timeout::Timeout;

/// Everything the expansion needs, checked.
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) item: PlannedItem,
}

/// What all methods of a block have in common.
pub(crate) struct Options {
    pub(crate) krate: Option<Path>,
    pub(crate) locks: Locks,
    pub(crate) kind: Kind,
    pub(crate) timeout: Timeout,
    /// What others are told about the holder. Without it, where it was called from.
    pub(crate) info: Option<Text>,
    pub(crate) or_else: Option<Expr>,
    pub(crate) on_recover: Option<Expr>,
}

impl Options {
    /// The names that are used before the arguments are moved: all words, some of them arguments.
    pub(crate) fn captured(&self) -> Vec<String> {
        let mut captured: Vec<_> =
            self.texts().flat_map(Text::arguments).map(str::to_owned).collect();
        if let Some(handler) = &self.or_else {
            words(handler.to_token_stream(), &mut captured);
        }
        captured
    }

    /// The texts that may capture arguments.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        let names = match &self.locks {
            Locks::Given(names) => names.as_slice(),
            Locks::Derived(_) => &[],
        };
        args::texts(names, self.info.as_ref())
    }
}

/// Where the locks' names come from.
pub(crate) enum Locks {
    Given(Vec<Name>),
    /// The module's path, and this behind it.
    Derived(String),
}

pub(crate) enum PlannedItem {
    Function(Box<Locked>),
    /// The methods in their order, and what stands between them.
    Block(Box<Block>, Vec<PlannedMember>),
}

pub(crate) enum PlannedMember {
    Method(Box<Locked>),
    Other(TokenStream),
}

/// A function that takes the lock.
pub(crate) struct Locked {
    pub(crate) function: Function,
    /// What it is called behind its module's path.
    pub(crate) path: String,
    pub(crate) waiter: Waiter,
}

/// Who waits for the lock.
pub(crate) enum Waiter {
    Thread { reentrant: bool, add_track_caller: bool },
    Task(Task),
}

/// What makes the future in which the body runs.
pub(crate) enum Task {
    AsyncFn,
    Boxed(Boxed),
}

/// Whether the attribute may stand on this item, whatever its arguments are.
pub(crate) fn item(item: Item) -> Result<Item> {
    let mut errors = Errors::default();
    match &item {
        Item::Function(function) => reject_const(function, "", &mut errors),
        Item::Block(block) => {
            for member in &block.members {
                if let Member::Method(method) = member {
                    let or_skip = ", or leave this method out with `#[interprocess_lock(skip)]`";
                    reject_const(method, or_skip, &mut errors);
                }
            }
        }
    }
    errors.finish(item)
}

fn reject_const(function: &Function, or: &str, errors: &mut Errors) {
    if let Some(constness) = &function.sig.constness {
        let message = "a `const fn` cannot take a lock: it may run in the compiler; remove `const`";
        errors.push(Error::new(constness.span, format!("{message}{or}")));
    }
}

/// Brings the arguments and the item together.
pub(crate) fn plan((args, item): (Args, Item)) -> Result<Plan> {
    if let Some(span) = args.skip {
        return Err(Error::new(
            span,
            "`skip` stands alone, on a method in an `impl` block that has \
             `#[interprocess_lock(…)]` as a whole; here is nothing to leave out",
        ));
    }
    let mut errors = Errors::default();
    let kind = errors.keep(kind(&args)).unwrap_or_default();
    let reentrant = args.reentrant;
    let (item, derived) = match item {
        Item::Function(function) => {
            let derived = format!("::{}", function.sig.ident.unraw());
            let generics = [&function.sig.generics];
            errors.keep(reject_generic(&args.names, &generics));
            let locked = errors.keep(locked(function, &args, derived.clone(), reentrant));
            (locked.map(PlannedItem::Function), derived)
        }
        Item::Block(mut block) => {
            errors.keep(reject_generic(&args.names, &[&block.generics]));
            let derived = errors.keep(derive_from_type(&block, &args)).unwrap_or_default();
            let members = std::mem::take(&mut block.members);
            let members = members.into_iter().filter_map(|member| match member {
                Member::Other(tokens) => Some(PlannedMember::Other(tokens)),
                Member::Method(method) => {
                    let path = format!("{derived}::{}", method.sig.ident.unraw());
                    // At the method: the option is right for the others.
                    let reentrant = reentrant.map(|_| method.sig.ident.span());
                    errors.keep(reject_generic(&args.names, &[&method.sig.generics]));
                    let locked = locked(*method, &args, path, reentrant);
                    errors.keep(locked).map(PlannedMember::Method)
                }
            });
            let members = members.collect();
            (Some(PlannedItem::Block(Box::new(block), members)), derived)
        }
    };
    let Args { names, timeout, info, or_else, on_recover, krate, .. } = args;
    let locks = if names.is_empty() { Locks::Derived(derived) } else { Locks::Given(names) };
    let timeout = timeout.unwrap_or_default();
    let options = Options { krate, locks, kind, timeout, info, or_else, on_recover };
    errors.finish(item).and_then(|item| {
        // Without an error there is an item.
        let item = item.ok_or_else(|| Error::new(Span::call_site(), "nothing to lock"))?;
        Ok(Plan { options, item })
    })
}

fn kind(args: &Args) -> Result<Kind> {
    match (args.backend.unwrap_or_default(), args.mode) {
        (Backend::Port, None) => Ok(Kind::Port),
        (Backend::Tcp, None) => Ok(Kind::Tcp),
        (Backend::Port | Backend::Tcp, Some((span, _))) => Err(Error::new(
            span,
            "only a semaphore has a `mode`, and this is a port lock, which anybody can use; \
             write `backend = \"semaphore\"`, or leave `mode` out",
        )),
        (Backend::Semaphore, mode) => Ok(Kind::Semaphore { mode: mode.map(|(_, mode)| mode) }),
    }
}

fn locked(
    function: Function,
    args: &Args,
    path: String,
    reentrant: Option<Span>,
) -> Result<Box<Locked>> {
    reject_captures_of_parts(&function, args)?;
    let task = match function.sig.asyncness {
        Some(asyncness) => Some((asyncness.span, Task::AsyncFn)),
        None => Boxed::of(&function).map(|boxed| (boxed.asyncness.span, Task::Boxed(boxed))),
    };
    let waiter = match task {
        None => Waiter::Thread {
            reentrant: reentrant.is_some(),
            add_track_caller: args.info.is_none() && permits_track_caller(&function),
        },
        Some((asyncness, task)) => {
            require_feature(asyncness, cfg!(feature = "async"))?;
            if let Some(span) = reentrant {
                return Err(Error::new(
                    span,
                    "an `async fn` cannot be `reentrant`: its task moves between threads, and others \
                     run on the same thread, so the thread does not tell who holds the lock; \
                     lock an outer function, and let it call one that has no attribute",
                ));
            }
            Waiter::Task(task)
        }
    };
    Ok(Box::new(Locked { function, path, waiter }))
}

fn require_feature(asyncness: Span, is_on: bool) -> Result<()> {
    if is_on {
        return Ok(());
    }
    Err(Error::new(
        asyncness,
        "the attribute on an `async fn` needs the feature `async` of lockattr; \
         write `lockattr = { version = \"…\", features = [\"async\"] }` in Cargo.toml",
    ))
}

/// The type's name stands for the whole block.
fn derive_from_type(block: &Block, args: &Args) -> Result<String> {
    match block.type_name() {
        Some(name) => Ok(format!("::{name}")),
        None if !args.names.is_empty() => Ok(String::new()),
        None => Err(Error::new_spanned(
            &block.self_ty,
            "this type has no name that the lock could have; give one, \
             as in `#[interprocess_lock(\"i2c-1\")]`",
        )),
    }
}

/// `T::BUS`: the static would be one for all `T`, so rustc has none of it, and says it less clearly.
fn reject_generic(names: &[Name], generics: &[&Generics]) -> Result<()> {
    let mut errors = Errors::default();
    let params = || generics.iter().flat_map(|generics| &generics.params);
    for name in names {
        let Name::Const(path) = name else {
            continue;
        };
        let is_relative = path.path.leading_colon.is_none() && path.qself.is_none();
        let Some(first) = path.path.segments.first().filter(|_| is_relative) else {
            continue;
        };
        let is_generic = params().any(|param| match param {
            GenericParam::Type(param) => param.ident == first.ident,
            GenericParam::Const(param) => param.ident == first.ident,
            GenericParam::Lifetime(_) => false,
        });
        if is_generic {
            errors.push(Error::new(
                first.ident.span(),
                format!(
                    "the lock is a static, one for every `{0}`, so its name cannot depend on `{0}`; \
                     name a type or a const that is not generic",
                    first.ident,
                ),
            ));
        }
    }
    errors.finish(())
}

/// `{low}` with an argument `(low, high): (u8, u8)`: the pattern is taken apart under the lock, and
/// rustc would find no `low`.
fn reject_captures_of_parts(function: &Function, args: &Args) -> Result<()> {
    let mut parts = Vec::new();
    for input in &function.sig.inputs {
        if let FnArg::Typed(argument) = input {
            match &*argument.pat {
                Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {}
                pattern => words(pattern.to_token_stream(), &mut parts),
            }
        }
    }
    let mut errors = Errors::default();
    for text in args.texts() {
        let part = text.arguments().find(|name| parts.iter().any(|part| part == name));
        if let Some(part) = part {
            errors.push(Error::new(
                text.literal.span(),
                format!(
                    "`{part}` is a part of a pattern, which is taken apart only under the lock; \
                     take the argument whole, and write `let` in the body",
                ),
            ));
        }
    }
    errors.finish(())
}

/// Every word in `tokens`: more than the variables.
fn words(tokens: TokenStream, into: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => into.push(word.unraw().to_string()),
            TokenTree::Group(group) => words(group.stream(), into),
            _ => {}
        }
    }
}

/// rustc refuses `#[track_caller]` on other ABIs than Rust's (E0737), on naked functions (E0736) and
/// on `main`; a second one is an unused attribute.
fn permits_track_caller(function: &Function) -> bool {
    let is_rust_abi = function
        .sig
        .abi
        .as_ref()
        .map_or(true, |abi| abi.name.as_ref().is_some_and(|name| name.value() == "Rust"));
    let has = |name: &str| function.attrs.iter().any(|attr| mentions(attr, name));
    is_rust_abi && function.sig.ident.unraw() != "main" && !has("track_caller") && !has("naked")
}

/// Whether `attr` is `#[name]`, `#[unsafe(name)]` or a `#[cfg_attr(…, name)]`.
fn mentions(attr: &Attribute, name: &str) -> bool {
    let wraps = ["unsafe", "cfg_attr"].iter().any(|wrapper| attr.path().is_ident(wrapper));
    attr.path().is_ident(name)
        || wraps
            && attr.meta.require_list().is_ok_and(|list| {
                list.tokens.clone().into_iter().any(|token| token.to_string() == name)
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn async_needs_a_feature_that_the_message_names() {
        assert!(require_feature(Span::call_site(), true).is_ok());
        let error = require_feature(Span::call_site(), false).unwrap_err();
        assert!(error.to_string().contains("needs the feature `async` of lockattr"), "{error}");
    }
}
