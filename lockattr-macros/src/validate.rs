//! What fits together: after this, nothing illegal can be written down.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Error, Expr, GenericParam, Generics, Path, Result};

use crate::args::{self, Args};
use crate::backend::{Backend, Kind};
use crate::block::{Block, Member};
use crate::captures::{self, words};
use crate::device::Device;
use crate::errors::Errors;
use crate::function::Function;
use crate::future::{self, AsyncBlock};
use crate::item::Item;
use crate::later;
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
        captured.extend(self.timeout.argument().map(|argument| argument.unraw().to_string()));
        if let Some(handler) = &self.or_else {
            words(handler.to_token_stream(), &mut captured);
        }
        if let Locks::Device(device) = &self.locks {
            device.joins.iter().for_each(|join| join.words(&mut captured));
        }
        captured
    }

    /// The texts that may capture arguments.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        let (names, device) = match &self.locks {
            Locks::Given(names) => (names.as_slice(), None),
            Locks::Derived(_) => (&[][..], None),
            Locks::Device(device) => (&[][..], Some(&device.path)),
        };
        args::texts(names, device, self.info.as_ref())
    }
}

/// Where the locks' names come from.
pub(crate) enum Locks {
    Given(Vec<Name>),
    /// The module's path, and this behind it.
    Derived(String),
    Device(Device),
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
    /// Its type parameters and its block's: what no static can name.
    pub(crate) generics: Vec<String>,
    /// The arguments that are paths to files, by their types.
    pub(crate) file_paths: Vec<String>,
    /// Whether the attribute stands on the block around it.
    pub(crate) is_in_block: bool,
}

/// Who waits for the lock.
pub(crate) enum Waiter {
    Thread { reentrant: bool },
    Task(Task),
}

/// What makes the future in which the body runs.
pub(crate) enum Task {
    AsyncFn,
    Block(AsyncBlock),
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
             `#[interprocess_lock(…)]` as a whole; here is nothing to leave out. If there is such a block, \
             give the attribute its own name here, by which the block knows it",
        ));
    }
    let mut errors = Errors::default();
    let kind = errors.keep(kind(&args)).unwrap_or_default();
    let (item, derived) = match item {
        Item::Function(function) => {
            let derived = format!("::{}", function.sig.ident.unraw());
            let locked = errors.keep(locked(function, &args, derived.clone(), None));
            (locked.map(PlannedItem::Function), derived)
        }
        Item::Block(mut block) => {
            let derived = errors.keep(derive_from_type(&block, &args)).unwrap_or_default();
            let members = std::mem::take(&mut block.members);
            let members = members.into_iter().filter_map(|member| match member {
                Member::Other(tokens) => Some(PlannedMember::Other(tokens)),
                Member::Method(method) if later::is_decided_later(&method) => {
                    let method = later::with_own_attribute(*method, &args, &derived);
                    Some(PlannedMember::Other(method))
                }
                Member::Method(method) => {
                    let path = format!("{derived}::{}", method.sig.ident.unraw());
                    let locked = locked(*method, &args, path, Some(&block.generics));
                    errors.keep(locked).map(PlannedMember::Method)
                }
            });
            let members = members.collect();
            (Some(PlannedItem::Block(Box::new(block), members)), derived)
        }
    };
    errors.keep(reject_name_and_device(&args));
    let Args { names, timeout, info, or_else, on_recover, krate, device, joins, .. } = args;
    let locks = match device {
        Some(path) => {
            let joins = joins.map_or_else(Vec::new, |(_, joins)| joins);
            Locks::Device(Device { path, joins })
        }
        None if names.is_empty() => Locks::Derived(derived),
        None => Locks::Given(names),
    };
    let timeout = timeout.unwrap_or_default();
    let options = Options { krate, locks, kind, timeout, info, or_else, on_recover };
    errors.finish(item).and_then(|item| {
        // Without an error there is an item.
        let item = item.ok_or_else(|| Error::new(Span::call_site(), "nothing to lock"))?;
        Ok(Plan { options, item })
    })
}

/// A device's lock has the name that the device gives it, and only a device's lock can join others.
fn reject_name_and_device(args: &Args) -> Result<()> {
    match (&args.device, args.names.first(), &args.joins) {
        (Some(device), Some(_), _) => Err(Error::new(
            device.literal.span(),
            "a device stands in the place of a lock's name; keep one of the two, or lock an outer function by \
             the other one",
        )),
        (None, _, Some((span, _))) => Err(Error::new(
            *span,
            "`join` takes that by which other programs lock a device, and there is none here; say which: \
             `device = \"/dev/ttyUSB0\"`",
        )),
        _ => Ok(()),
    }
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

/// One function, on its own or in a block with these generics.
fn locked(
    function: Function,
    args: &Args,
    path: String,
    block: Option<&Generics>,
) -> Result<Box<Locked>> {
    captures::reject(&function, args)?;
    let waiter = waiter(&function, args, block.is_some())?;
    let generics = [Some(&function.sig.generics), block];
    let generics = generics.into_iter().flatten().flat_map(|generics| &generics.params);
    let generics = generics.filter_map(|param| match param {
        GenericParam::Type(param) => Some(param.ident.to_string()),
        GenericParam::Const(param) => Some(param.ident.to_string()),
        GenericParam::Lifetime(_) => None,
    });
    let generics = generics.collect();
    let file_paths = captures::file_paths(&function);
    Ok(Box::new(Locked {
        function,
        path,
        waiter,
        generics,
        file_paths,
        is_in_block: block.is_some(),
    }))
}

fn waiter(function: &Function, args: &Args, is_in_block: bool) -> Result<Waiter> {
    let (asyncness, task) = match (function.sig.asyncness, args.eager) {
        (Some(_), Some(eager)) if !is_in_block => {
            return Err(Error::new(
                eager,
                "an `async fn` does nothing before its future runs, so it cannot take the lock before; \
                 remove `eager`",
            ))
        }
        (Some(asyncness), _) => (asyncness.span, Task::AsyncFn),
        (None, Some(eager)) => {
            return if is_in_block || future::may_be_returned_by(function) {
                Ok(thread(args))
            } else {
                Err(Error::new(eager, "this function returns no future; remove `eager`"))
            };
        }
        (None, None) => match AsyncBlock::of(function) {
            Some(block) => (block.asyncness.span, Task::Block(block)),
            None => return reject_future(function, is_in_block).map(|()| thread(args)),
        },
    };
    require_feature(asyncness, cfg!(feature = "async"))?;
    if let Some(span) = args.reentrant {
        // In a block, at the method: the option is right for the others.
        let span = if is_in_block { function.sig.ident.span() } else { span };
        let what = match task {
            Task::AsyncFn => "an `async fn`",
            Task::Block(_) => "a function whose body is an `async` block",
        };
        return Err(Error::new(
            span,
            format!(
                "{what} cannot be `reentrant`: its task moves between threads, and others run on the same \
                 thread, so the thread does not tell who holds the lock; lock an outer function, and let \
                 it call one that has no attribute",
            ),
        ));
    }
    Ok(Waiter::Task(task))
}

fn thread(args: &Args) -> Waiter {
    Waiter::Thread { reentrant: args.reentrant.is_some() }
}

/// A future that something is done before: the lock would be given back before it runs.
fn reject_future(function: &Function, is_in_block: bool) -> Result<()> {
    let Some(output) = future::returned_by(function) else {
        return Ok(());
    };
    let or_skip = if is_in_block {
        ", or leave this method out with `#[interprocess_lock(skip)]`"
    } else {
        ""
    };
    Err(Error::new_spanned(
        output,
        format!(
            "the lock would be given back before this future runs; make it an `async fn`, or let the body \
             be one `async` block, which takes the lock when it runs; to hold the lock while the future is \
             made, write `eager`{or_skip}",
        ),
    ))
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
        None if !args.derives_name() => Ok(String::new()),
        None => Err(Error::new_spanned(
            &block.self_ty,
            "this type has no name that the lock could have; give one, \
             as in `#[interprocess_lock(\"i2c-1\")]`",
        )),
    }
}

#[cfg(test)]
mod tests;
