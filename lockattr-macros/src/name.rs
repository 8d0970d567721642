//! What a lock may be called, and how its name is written in the attribute.

use std::fmt;

use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{bracketed, token, Error, ExprPath, Lit, Result, Token};

use crate::backend::Backend;
use crate::errors::Errors;
use crate::text::Text;

/// A lock's name, as the attribute gives it.
pub(crate) enum Name {
    Text(Text),
    /// The path of a const, which rustc checks: what makes a `Lock` is a `const fn`.
    Const(ExprPath),
}

const ACCEPTED: &str = "a lock's name is a string literal such as \"i2c-1\" or \"i2c-{bus}\", \
     or the path of a `const` of type `&str`; several stand in a list, [\"i2c-1\", \"gpio-17\"]";

/// One name, or several in brackets. In `names` are also those that stand beside a mistake.
pub(crate) fn parse(input: ParseStream<'_>, names: &mut Vec<Name>) -> Result<()> {
    if !input.peek(token::Bracket) {
        names.push(Name::parse(input)?);
        return Ok(());
    }
    let content;
    let brackets = bracketed!(content in input);
    if content.is_empty() {
        return Err(Error::new(
            brackets.span.join(),
            "a list of no locks excludes nobody; name one, as in [\"i2c-1\", \"gpio-17\"]",
        ));
    }
    let mut errors = Errors::default();
    while !content.is_empty() {
        let read = Name::parse(&content);
        let is_at_end = content.is_empty() || content.peek(Token![,]);
        let has_failed = read.is_err();
        names.extend(errors.keep(read));
        if !is_at_end && !has_failed {
            errors.push(Error::new(content.span(), "expected `,` between the locks' names"));
        }
        skip_past_comma(&content)?;
    }
    errors.finish(())
}

/// # Errors
/// If one of the names can be none of `backend`, or two are one lock, whatever they capture.
pub(crate) fn check_all(names: &[Name], backend: Backend) -> Result<()> {
    let mut errors = Errors::default();
    for (index, name) in names.iter().enumerate() {
        errors.keep(name.check(backend));
        if names[..index].iter().any(|other| other.key(backend) == name.key(backend)) {
            let message = "this lock is in the list already; keep one of the two";
            errors.push(Error::new_spanned(name, message));
        }
    }
    errors.finish(())
}

/// After a mistake, the next comma is the place to read on.
pub(crate) fn skip_past_comma(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() {
        if input.parse::<Option<Token![,]>>()?.is_some() {
            break;
        }
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

impl Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Lit) {
            let literal: Lit = input.parse()?;
            let Lit::Str(literal) = literal else {
                return Err(Error::new(literal.span(), ACCEPTED));
            };
            return Text::parse(literal).map(Self::Text);
        }
        let path: ExprPath = input.parse().map_err(|error| {
            Error::new(error.span(), format!("no name and no option; {ACCEPTED}"))
        })?;
        let first = path.path.segments.first();
        if let Some(first) = first.filter(|first| first.ident == "Self" && path.qself.is_none()) {
            return Err(Error::new(
                first.ident.span(),
                "the lock is a static, and in a static there is no `Self`; \
                 write the type's own name, as in `Driver::BUS`",
            ));
        }
        if !(input.is_empty() || input.peek(Token![,])) {
            return Err(Error::new(
                input.span(),
                format!("expected `,` or nothing after the name; {ACCEPTED}"),
            ));
        }
        Ok(Self::Const(path))
    }

    /// Equal keys are one lock for certain. Different ones may be: what a const or an argument says is
    /// not known here.
    fn key(&self, backend: Backend) -> (bool, String) {
        match self {
            Self::Text(text) => {
                let fixed = text.without_captures();
                let is_fixed = fixed.is_some();
                let key = fixed.unwrap_or_else(|| text.literal.value());
                (is_fixed, without_slash(&key, backend).to_owned())
            }
            Self::Const(path) => (false, format!("{{}}{}", path.to_token_stream())),
        }
    }

    fn check(&self, backend: Backend) -> Result<()> {
        let Self::Text(text) = self else {
            return Ok(());
        };
        let checked = match text.without_captures() {
            Some(name) => check(&name, backend),
            None => check_parts(text.start(), &text.fixed(), backend),
        };
        checked.map_err(|error| {
            Error::new(text.literal.span(), format!("{error}; {}", rules(backend)))
        })
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Self::Text(text) => text.literal.to_tokens(tokens),
            Self::Const(path) => path.to_tokens(tokens),
        }
    }
}

/// The rule that a lock's name breaks.
#[derive(Debug, PartialEq, Eq)]
enum NameError {
    Empty,
    TooLong { bytes: usize },
    Nul,
    Slash,
    Dots { name: String },
    Reserved { prefix: &'static str },
}

/// The same rules as in lockattr-runtime's `name.rs`, which this crate cannot depend on: the runtime
/// checks every name again. They stand here only to put the message on the literal.
fn check(name: &str, backend: Backend) -> std::result::Result<(), NameError> {
    match (backend, without_slash(name, backend)) {
        (_, "") => Err(NameError::Empty),
        (Backend::Semaphore, name @ ("." | "..")) => Err(NameError::Dots { name: name.to_owned() }),
        _ => check_parts(name, name, backend),
    }
}

/// What is wrong for certain with a name that begins with `start`, and has `fixed` in it, with
/// anything between its bytes, or nothing. So a `/` in front of `fixed` may be the leading one, but
/// none behind it can.
fn check_parts(start: &str, fixed: &str, backend: Backend) -> std::result::Result<(), NameError> {
    let fixed = without_slash(fixed, backend);
    if fixed.len() > backend.limit() {
        return Err(NameError::TooLong { bytes: fixed.len() });
    }
    if fixed.contains('\0') {
        return Err(NameError::Nul);
    }
    if backend == Backend::Semaphore {
        if fixed.contains('/') {
            return Err(NameError::Slash);
        }
        let start = without_slash(start, backend);
        if let Some(prefix) = RESERVED.into_iter().find(|prefix| start.starts_with(prefix)) {
            return Err(NameError::Reserved { prefix });
        }
    }
    Ok(())
}

const RESERVED: [&str; 2] = ["sem.", "lockattr."];

/// A semaphore's name may be written with the `/` that POSIX wants.
fn without_slash(name: &str, backend: Backend) -> &str {
    match backend {
        Backend::Port | Backend::Tcp => name,
        Backend::Semaphore => name.strip_prefix('/').unwrap_or(name),
    }
}

/// What every message about a name ends with.
fn rules(backend: Backend) -> String {
    let limit = backend.limit();
    match backend {
        Backend::Port | Backend::Tcp => format!("a name has 1 to {limit} bytes, and no NUL among them"),
        Backend::Semaphore => format!(
            "a semaphore's name has 1 to {limit} bytes, no NUL, no `/` but a leading one (which does \
             not count), is not `.` or `..`, and does not begin with `{}` or `{}`",
            RESERVED[0], RESERVED[1],
        ),
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the lock's name is empty"),
            Self::TooLong { bytes } => write!(f, "the lock's name has {bytes} bytes"),
            Self::Nul => f.write_str("the lock's name has a NUL byte"),
            Self::Slash => f.write_str("the lock's name has a `/` that is not its first byte"),
            Self::Dots { name } => write!(f, "the lock's name is `{name}`, which is a directory's"),
            Self::Reserved { prefix } => {
                write!(f, "the lock's name begins with `{prefix}`, as files of other locks do")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lockattr::{Lock, LockError};
    use proc_macro2::Span;
    use syn::LitStr;

    use super::*;

    #[test]
    fn a_port_name_has_1_to_97_bytes_without_nul() {
        let check = |name: &str| check(name, Backend::Port);
        for name in ["i", "bus/1 ä\n", "/", "..", "sem.i2c", &"n".repeat(97)] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check(&"n".repeat(98)), Err(NameError::TooLong { bytes: 98 }));
        // 49 characters, 98 bytes.
        assert_eq!(check(&"ä".repeat(49)), Err(NameError::TooLong { bytes: 98 }));
        assert_eq!(check("i2c\0"), Err(NameError::Nul));
    }

    #[test]
    fn a_semaphores_name_is_a_files_name_and_no_other_locks() {
        let check = |name: &str| check(name, Backend::Semaphore);
        let longest = "n".repeat(250);
        for name in ["i", "/i", "...", "sem", "x.sem.", "semi", &longest, &format!("/{longest}")] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        for name in ["", "/"] {
            assert_eq!(check(name), Err(NameError::Empty), "{name:?}");
        }
        for name in ["//", "//i", "bus/1", "/bus/1", "bus/"] {
            assert_eq!(check(name), Err(NameError::Slash), "{name:?}");
        }
        for (name, bare) in [(".", "."), ("..", ".."), ("/.", "."), ("/..", "..")] {
            assert_eq!(check(name), Err(NameError::Dots { name: bare.to_owned() }), "{name:?}");
        }
        for (name, prefix) in [("sem.", "sem."), ("/sem.x", "sem."), ("lockattr.0", "lockattr.")] {
            assert_eq!(check(name), Err(NameError::Reserved { prefix }), "{name:?}");
        }
        assert_eq!(check(&format!("{longest}n")), Err(NameError::TooLong { bytes: 251 }));
        assert_eq!(check("/i2c\0"), Err(NameError::Nul));
    }

    /// Every rule is broken by some pair of them.
    fn pieces() -> Vec<String> {
        let short =
            ["", "/", ".", "sem", "sem.", "lockattr", "lockattr.", "s", "em.x", "\0", "ä/", "97"];
        let long = [97, 125, 247].map(|length| "n".repeat(length));
        short.map(str::to_owned).into_iter().chain(long).collect()
    }

    fn pairs() -> impl Iterator<Item = (String, String)> {
        pieces().into_iter().flat_map(|a| pieces().into_iter().map(move |b| (a.clone(), b)))
    }

    #[test]
    fn the_runtime_has_the_same_rules() {
        let port = (Backend::Port, lockattr::Backend::Port, Lock::port as fn(&'static str) -> _);
        let semaphore = (Backend::Semaphore, lockattr::Backend::Semaphore, Lock::semaphore as _);
        let tcp = (Backend::Tcp, lockattr::Backend::Tcp, Lock::tcp as _);
        for (backend, of_the_runtime, constructor) in [port, semaphore, tcp] {
            for name in pairs().map(|(a, b)| a + &b) {
                if check(&name, backend).is_ok() {
                    // It panics where the runtime has another opinion.
                    let _: Lock = constructor(name.leak());
                } else {
                    let opened = Lock::open(of_the_runtime, &name);
                    let is_refused = matches!(opened, Err(LockError::InvalidName { .. }));
                    assert!(is_refused, "{backend:?} {name:?}");
                }
            }
        }
    }

    fn text(written: &str) -> Name {
        Name::Text(Text::parse(LitStr::new(written, Span::call_site())).unwrap())
    }

    #[test]
    fn what_is_wrong_beside_captures_is_wrong_with_every_value() {
        for backend in [Backend::Port, Backend::Semaphore, Backend::Tcp] {
            for (a, b) in pairs() {
                let Err(error) = text(&format!("{a}{{x}}{b}")).check(backend) else {
                    continue;
                };
                for value in pieces() {
                    let name = format!("{a}{value}{b}");
                    assert!(check(&name, backend).is_err(), "{name:?} is none: {error}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_certain_is_wrong_beside_captures() {
        for (written, is_right) in [
            ("{a}", true),
            ("/{a}", true),
            ("{a}/", true),
            ("{a}/{b}", true),
            (".{a}", true),
            ("sem{a}", true),
            ("{a}sem.", true),
            ("//{a}", false),
            ("bus/{a}", false),
            ("/{a}/", false),
            ("{a}-/{b}", false),
            ("sem.{a}", false),
            ("/lockattr.{a}", false),
            ("{a}\0", false),
        ] {
            assert_eq!(text(written).check(Backend::Semaphore).is_ok(), is_right, "{written:?}");
        }
    }

    #[test]
    fn a_leading_slash_makes_no_other_semaphore() {
        for names in [["/i2c-1", "i2c-1"], ["i2c-{bus}", "/i2c-{bus}"]] {
            let names = names.map(text);
            assert!(check_all(&names, Backend::Port).is_ok());
            assert!(check_all(&names, Backend::Semaphore).is_err());
        }
    }
}
