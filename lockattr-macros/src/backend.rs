//! The option `backend`.

use proc_macro2::{Ident, Span};
use syn::{Error, LitStr, Result};

use crate::mode::Mode;
use crate::suggest;

/// What the lock is made of. Another one slots in here, and into `name` with its rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Backend {
    #[default]
    Port,
    Semaphore,
    Tcp,
}

impl Backend {
    pub(crate) const ACCEPTED: &'static str = "backends are \"port\", \"semaphore\" and \"tcp\"";
    const ALL: [Self; 3] = [Self::Port, Self::Semaphore, Self::Tcp];

    fn name(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Semaphore => "semaphore",
            Self::Tcp => "tcp",
        }
    }

    pub(crate) fn from_literal(literal: &LitStr) -> Result<Self> {
        let text = literal.value();
        if let Some(backend) = Self::ALL.into_iter().find(|backend| backend.name() == text) {
            return Ok(backend);
        }
        let meant = suggest::nearest(&text, Self::ALL.into_iter().map(Self::name));
        let hint = meant.map_or("the".to_owned(), |meant| format!("did you mean \"{meant}\"? The"));
        let reason = format!("there is no backend \"{text}\"; {hint}");
        Err(Error::new(literal.span(), format!("{reason} {}", Self::ACCEPTED)))
    }

    /// How many bytes a name has at most.
    pub(crate) fn limit(self) -> usize {
        match self {
            // `sun_path`'s 108 bytes, less NUL and `/portlock/`.
            Self::Port => 97,
            // `NAME_MAX`'s 255, less `sem.` and the leading `/` that some count; what a record holds.
            Self::Semaphore | Self::Tcp => 250,
        }
    }
}

/// A backend, and how it makes what is not there yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Kind {
    #[default]
    Port,
    Semaphore {
        /// Without it, for this user alone.
        mode: Option<Mode>,
    },
    Tcp,
}

impl Kind {
    /// The `const fn` of `Lock` that makes one.
    pub(crate) fn constructor(self) -> Ident {
        Ident::new(
            match self {
                Self::Port => "port",
                Self::Semaphore { .. } => "semaphore",
                Self::Tcp => "tcp",
            },
            Span::mixed_site(),
        )
    }

    /// The variant of the runtime's `Backend`.
    pub(crate) fn variant(self) -> Ident {
        Ident::new(
            match self {
                Self::Port => "Port",
                Self::Semaphore { .. } => "Semaphore",
                Self::Tcp => "Tcp",
            },
            Span::mixed_site(),
        )
    }

    pub(crate) fn mode(self) -> Option<Mode> {
        match self {
            Self::Port | Self::Tcp => None,
            Self::Semaphore { mode } => mode,
        }
    }
}
