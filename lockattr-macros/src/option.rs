//! The attribute's options by name. How their values are read is in `args`.

use proc_macro2::{Ident, Span};
use syn::{Error, Result};

use crate::suggest;

/// A word that may stand in the attribute, most of them left of `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Timeout,
    Backend,
    Mode,
    Info,
    Reentrant,
    OrElse,
    OnRecover,
    Device,
    Join,
    Eager,
    Crate,
    /// No option: it stands alone, in an `impl` block.
    Skip,
}

impl Keyword {
    const ALL: [Self; 12] = [
        Self::Timeout,
        Self::Backend,
        Self::Mode,
        Self::Info,
        Self::Reentrant,
        Self::OrElse,
        Self::OnRecover,
        Self::Device,
        Self::Join,
        Self::Eager,
        Self::Crate,
        Self::Skip,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Backend => "backend",
            Self::Mode => "mode",
            Self::Info => "info",
            Self::Reentrant => "reentrant",
            Self::OrElse => "or_else",
            Self::OnRecover => "on_recover",
            Self::Device => "device",
            Self::Join => "join",
            Self::Eager => "eager",
            Self::Crate => "crate",
            Self::Skip => "skip",
        }
    }

    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Timeout => "timeout = \"2s\"",
            Self::Backend => "backend = \"semaphore\"",
            Self::Mode => "mode = 0o660",
            Self::Info => "info = \"reads {channel}\"",
            Self::Reentrant => "reentrant",
            Self::OrElse => "or_else = |error| None",
            Self::OnRecover => "on_recover = |holder| reset_bus()",
            Self::Device => "device = \"/dev/ttyUSB0\"",
            Self::Join => "join = self.port",
            Self::Eager => "eager",
            Self::Crate => "crate = path::to::lockattr",
            Self::Skip => "skip",
        }
    }

    /// Whether it stands without a value.
    pub(crate) fn is_flag(self) -> bool {
        matches!(self, Self::Reentrant | Self::Eager | Self::Skip)
    }

    pub(crate) fn find(ident: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|keyword| ident == keyword.name())
    }

    /// Whether it is an option, or nearly one.
    pub(crate) fn is_likely(ident: &Ident) -> bool {
        suggest::nearest(&ident.to_string(), Self::ALL.map(Self::name)).is_some()
    }

    /// # Errors
    /// Lists the options, and the nearest of them, if `ident` is none.
    pub(crate) fn of(ident: &Ident) -> Result<Self> {
        Self::find(ident).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = if ident == "name" || ident == "lock" {
                format!("the name stands first, without `{ident} =`. The")
            } else if ident == "port" || ident == "semaphore" {
                format!("write `backend = \"{ident}\"`. The")
            } else if ident == "on_error" || ident == "default" {
                "what is returned for a lock that is not free says `or_else`. The".to_owned()
            } else {
                suggest::nearest(&ident.to_string(), names).map_or_else(
                    || "the".to_owned(),
                    |meant| format!("did you mean `{meant}`? The"),
                )
            };
            let options = Self::ALL.iter().filter(|keyword| **keyword != Self::Skip);
            let examples: Vec<_> =
                options.map(|option| format!("`{}`", option.example())).collect();
            let examples = examples.join(", ");
            let message = format!("unknown option `{ident}`; {hint} options are {examples}");
            Error::new(ident.span(), message)
        })
    }

    /// `timeout` without a value.
    pub(crate) fn without_value(self, ident: &Ident) -> Error {
        Error::new(ident.span(), format!("`{}` takes a value: `{}`", self.name(), self.example()))
    }

    /// `reentrant = true`.
    pub(crate) fn with_value(self, span: Span) -> Error {
        Error::new(span, format!("`{0}` takes no value: write `{0}` alone", self.name()))
    }

    /// The second `timeout` in one attribute.
    pub(crate) fn given_twice(self, ident: &Ident) -> Error {
        Error::new(ident.span(), format!("`{}` is given twice; keep one of the two", self.name()))
    }
}
