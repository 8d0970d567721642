//! What the attribute's arguments take from the function's.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Error, FnArg, Pat, Result};

use crate::args::Args;
use crate::arguments::hides_pattern;
use crate::errors::Errors;
use crate::function::Function;
use crate::name::Name;

/// # Errors
/// If an argument stands where a name should, or a part of a pattern is captured: `low` of an argument
/// `(low, high): (u8, u8)`. The pattern is taken apart under the lock, and rustc would find no `low`.
pub(crate) fn reject(function: &Function, args: &Args) -> Result<()> {
    let mut parts = Vec::new();
    let mut whole = Vec::new();
    for input in &function.sig.inputs {
        match input {
            FnArg::Typed(argument) => match &*argument.pat {
                Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
                    whole.push(ident.ident.unraw().to_string());
                }
                pattern if hides_pattern(input) => words(pattern.to_token_stream(), &mut parts),
                _ => {}
            },
            FnArg::Receiver(_) => whole.push("self".to_owned()),
        }
    }
    let mut errors = Errors::default();
    for name in &args.names {
        if let Name::Const(path) = name {
            let argument = path.path.get_ident().map(|ident| ident.unraw().to_string());
            if let Some(argument) = argument.filter(|name| whole.contains(name)) {
                let message =
                    format!("this is an argument, which a name captures: write \"{{{argument}}}\"");
                errors.push(Error::new_spanned(path, message));
            }
        }
    }
    let of_texts = args.texts().flat_map(|text| {
        text.arguments().map(|name| (name.to_owned(), text.literal.span())).collect::<Vec<_>>()
    });
    let of_timeout = args.timeout.as_ref().and_then(|timeout| timeout.argument());
    let of_timeout = of_timeout.map(|name| (name.unraw().to_string(), name.span()));
    for (name, span) in of_texts.chain(of_timeout) {
        if parts.contains(&name) {
            errors.push(Error::new(
                span,
                format!(
                    "`{name}` is a part of a pattern, which is taken apart only under the lock; \
                     take the argument whole, and write `let` in the body",
                ),
            ));
        }
    }
    errors.finish(())
}

/// The arguments whose types are paths to files, which have no `Display`.
pub(crate) fn file_paths(function: &Function) -> Vec<String> {
    let arguments = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    let of_paths = arguments.filter_map(|argument| {
        let Pat::Ident(pattern) = &*argument.pat else {
            return None;
        };
        let mut types = Vec::new();
        words(argument.ty.to_token_stream(), &mut types);
        let is_path = types.iter().any(|word| FILE_PATHS.contains(&word.as_str()));
        is_path.then(|| pattern.ident.unraw().to_string())
    });
    of_paths.collect()
}

const FILE_PATHS: [&str; 4] = ["Path", "PathBuf", "OsStr", "OsString"];

/// Every word in `tokens`: more than the variables.
pub(crate) fn words(tokens: TokenStream, into: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => into.push(word.unraw().to_string()),
            TokenTree::Group(group) => words(group.stream(), into),
            _ => {}
        }
    }
}
