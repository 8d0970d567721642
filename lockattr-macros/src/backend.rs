//! The option `backend`.

use proc_macro2::{Ident, Span};
use syn::{Error, LitStr, Result};

use crate::suggest;

/// What the lock is made of. Another one slots in here, and into `name::check` with its rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Backend {
    #[default]
    Port,
}

impl Backend {
    pub(crate) const ACCEPTED: &'static str = "backends are \"port\"";
    /// Those that are planned, and no typing mistakes.
    const NOT_YET: [&'static str; 2] = ["semaphore", "tcp"];

    pub(crate) fn from_literal(literal: &LitStr) -> Result<Self> {
        let text = literal.value();
        if text == "port" {
            return Ok(Self::Port);
        }
        let reason = if Self::NOT_YET.contains(&text.as_str()) {
            format!("the backend \"{text}\" is not supported yet; the")
        } else {
            let meant = suggest::nearest(&text, ["port"].into_iter().chain(Self::NOT_YET));
            let hint =
                meant.map_or("the".to_owned(), |meant| format!("did you mean \"{meant}\"? The"));
            format!("there is no backend \"{text}\"; {hint}")
        };
        Err(Error::new(literal.span(), format!("{reason} {}", Self::ACCEPTED)))
    }

    /// The `const fn` of `Lock` that makes one.
    pub(crate) fn constructor(self) -> Ident {
        Ident::new(
            match self {
                Self::Port => "port",
            },
            Span::mixed_site(),
        )
    }

    /// The variant of the runtime's `Backend`.
    pub(crate) fn variant(self) -> Ident {
        Ident::new(
            match self {
                Self::Port => "Port",
            },
            Span::mixed_site(),
        )
    }

    /// How many bytes a name has at most.
    pub(crate) fn limit(self) -> usize {
        match self {
            // `sun_path`'s 108 bytes, less NUL and `/portlock/`.
            Self::Port => 97,
        }
    }
}
