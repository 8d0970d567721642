//! What fits together: after this, nothing illegal can be written down.

use syn::ext::IdentExt;
use syn::{Attribute, Error, GenericParam, LitStr, Path, Result, Signature};

use crate::args::Args;
use crate::errors::Errors;
use crate::function::Function;
use crate::name::NameArg;
use crate::timeout::Timeout;

/// Everything the expansion needs, checked.
pub(crate) struct Plan {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Name,
    pub(crate) timeout: Timeout,
    pub(crate) info: Info,
    pub(crate) function: Function,
}

/// Where the lock's name comes from.
pub(crate) enum Name {
    Given(NameArg),
    /// The module's path and the function's name.
    Derived,
}

/// What others are told about the holder.
pub(crate) enum Info {
    Text(LitStr),
    /// Where the function was called from, or its own place where rustc does not permit to know.
    CallSite {
        add_track_caller: bool,
    },
}

/// Whether the attribute may stand on this function, whatever its arguments are.
pub(crate) fn function(function: Function) -> Result<Function> {
    let mut errors = Errors::default();
    if let Some(constness) = &function.sig.constness {
        errors.push(Error::new(
            constness.span,
            "a `const fn` cannot take a lock: it may run in the compiler; remove `const`",
        ));
    }
    if let Some(asyncness) = &function.sig.asyncness {
        errors.push(Error::new(
            asyncness.span,
            "`async fn` is not supported yet; \
             put the attribute on a function that is not `async`, and call that one",
        ));
    }
    errors.finish(function)
}

/// Brings the arguments and the function together.
pub(crate) fn plan((args, function): (Args, Function)) -> Result<Plan> {
    let name = match args.name {
        Some(name) => {
            reject_generic(&name, &function.sig)?;
            Name::Given(name)
        }
        None => Name::Derived,
    };
    let info = match args.info {
        Some(text) => Info::Text(text),
        None => Info::CallSite { add_track_caller: permits_track_caller(&function) },
    };
    let timeout = args.timeout.unwrap_or_default();
    Ok(Plan { krate: args.krate, name, timeout, info, function })
}

/// `T::BUS`: the static would be one for all `T`, so rustc has none of it, and says it less clearly.
fn reject_generic(name: &NameArg, sig: &Signature) -> Result<()> {
    let NameArg::Const(path) = name else {
        return Ok(());
    };
    let Some(first) = path.path.segments.first().filter(|_| path.path.leading_colon.is_none())
    else {
        return Ok(());
    };
    let is_generic = sig.generics.params.iter().any(|param| match param {
        GenericParam::Type(param) => param.ident == first.ident,
        GenericParam::Const(param) => param.ident == first.ident,
        GenericParam::Lifetime(_) => false,
    });
    if is_generic && path.qself.is_none() {
        return Err(Error::new(
            first.ident.span(),
            format!(
                "the lock is a static, one for every `{0}`, so its name cannot depend on `{0}`; \
                 name a type or a const that is not generic",
                first.ident,
            ),
        ));
    }
    Ok(())
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
