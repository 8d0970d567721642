//! What a lock may be called, and how its name is written in the attribute.

use std::fmt;

use syn::parse::ParseStream;
use syn::{token, Error, ExprPath, Lit, LitStr, Result, Token};

use crate::text;

/// The lock's name, as the attribute gives it.
pub(crate) enum NameArg {
    /// Checked, and without its escapes.
    Literal(LitStr),
    /// The path of a const, which rustc checks: `Lock::port` is a `const fn`.
    Const(ExprPath),
}

const ACCEPTED: &str =
    "a lock's name is a string literal such as \"i2c-1\", or the path of a `const` of type `&str`";

impl NameArg {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Lit) {
            return Self::from_literal(&input.parse()?);
        }
        if input.peek(token::Bracket) {
            return Err(Error::new(
                input.span(),
                format!("several names in one attribute are not supported yet; {ACCEPTED}"),
            ));
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

    fn from_literal(literal: &Lit) -> Result<Self> {
        let Lit::Str(written) = literal else {
            return Err(Error::new(literal.span(), ACCEPTED));
        };
        let name = text::without_captures(written)?;
        check(&name).map_err(|error| Error::new(written.span(), error))?;
        Ok(Self::Literal(LitStr::new(&name, written.span())))
    }
}

/// The rule that a lock's name breaks.
#[derive(Debug, PartialEq, Eq)]
enum NameError {
    Empty,
    TooLong { bytes: usize },
    Nul,
}

/// The same rules as in lockattr-runtime's `name.rs`, which this crate cannot depend on: the runtime
/// checks every name again. They stand here only to put the message on the literal.
/// (`tests/attribute.rs` of the facade shows that both agree.)
fn check(name: &str) -> std::result::Result<(), NameError> {
    if name.is_empty() {
        Err(NameError::Empty)
    } else if name.len() > LIMIT {
        Err(NameError::TooLong { bytes: name.len() })
    } else if name.contains('\0') {
        Err(NameError::Nul)
    } else {
        Ok(())
    }
}

/// `sun_path`'s 108 bytes, less NUL and `/portlock/`.
const LIMIT: usize = 97;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the lock's name is empty")?,
            Self::TooLong { bytes } => write!(f, "the lock's name has {bytes} bytes")?,
            Self::Nul => f.write_str("the lock's name has a NUL byte")?,
        }
        write!(f, "; a name has 1 to {LIMIT} bytes, and no NUL among them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_97_bytes_without_nul() {
        for name in ["i", "bus/1 ä\n", &"n".repeat(97)] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check(&"n".repeat(98)), Err(NameError::TooLong { bytes: 98 }));
        // 49 characters, 98 bytes.
        assert_eq!(check(&"ä".repeat(49)), Err(NameError::TooLong { bytes: 98 }));
        assert_eq!(check("i2c\0"), Err(NameError::Nul));
    }
}
