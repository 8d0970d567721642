//! Another name that Cargo.toml gives the facade.
//!
//! An attribute macro is not told by what name it was found. It runs inside of rustc, whose command line says what
//! other crates are called: `--extern hal_lock=/…/liblockattr-0123.rlib`. That only words a message. Where the
//! command line is another program's (an editor's), nothing is found, and rustc says what it says.

use std::env;
use std::sync::OnceLock;

use proc_macro2::Span;
use syn::{Error, Result};

use crate::args::Args;

/// # Errors
/// If the attribute names no facade, and there is one, which is not called `lockattr`.
pub(crate) fn reject(args: Args) -> Result<Args> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();

    if args.krate.is_some() {
        return Ok(args);
    }
    match NAME.get_or_init(|| other_name(env::args_os().filter_map(|word| word.into_string().ok()))) {
        Some(name) => Err(Error::new(
            Span::call_site(),
            format!("Cargo.toml calls lockattr `{name}`; write `#[interprocess_lock(…, crate = {name})]`"),
        )),
        None => Ok(args),
    }
}

/// What the only lockattr among the crates of this command line is called, if it has another name.
fn other_name(command_line: impl Iterator<Item = String>) -> Option<String> {
    let mut others = Vec::new();
    let mut is_extern = false;
    for word in command_line {
        let inline = word.strip_prefix("--extern=");
        if let Some(known) = inline.or_else(|| is_extern.then_some(word.as_str())) {
            let (name, path) = known.split_once('=').unwrap_or((known, ""));
            // In front of the name may stand options: `priv,noprelude:name`.
            let name = name.rsplit(':').next().unwrap_or(name);
            if name == "lockattr" {
                return None;
            }
            if is_facade(path) {
                others.push(name.to_owned());
            }
        }
        is_extern = word == "--extern";
    }
    // Cargo names a library twice where it has two files (`.rlib`, `.rmeta`).
    others.dedup();
    if others.len() == 1 {
        others.pop()
    } else {
        None
    }
}

fn is_facade(path: &str) -> bool {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.strip_prefix("liblockattr").is_some_and(|rest| rest.starts_with(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(command_line: &str) -> Option<String> {
        other_name(command_line.split(' ').map(str::to_owned))
    }

    #[test]
    fn another_name_of_the_facade_is_found_on_the_command_line() {
        for (command_line, name) in [
            ("rustc --extern hal=/t/liblockattr-01.rmeta", Some("hal")),
            ("rustc --extern=hal=/t/liblockattr.rlib --extern log=/t/liblog-1.rlib", Some("hal")),
            ("rustc --extern priv:hal=/t/liblockattr-01.rlib", Some("hal")),
            ("rustc --extern hal=/t/liblockattr-01.rlib --extern hal=/t/liblockattr-01.rmeta", Some("hal")),
            ("rustc --extern hal=/t/liblockattr-01.rlib --extern lockattr=/t/liblockattr-02.rlib", None),
            ("rustc --extern a=/t/liblockattr-01.rlib --extern b=/t/liblockattr-02.rlib", None),
            ("rustc --extern lockattr_runtime=/t/liblockattr_runtime-01.rlib", None),
            ("rustc --extern lockattr", None),
            ("rustc hal=/t/liblockattr-01.rlib", None),
            ("rust-analyzer-proc-macro-srv", None),
        ] {
            assert_eq!(found(command_line).as_deref(), name, "{command_line}");
        }
    }
}
