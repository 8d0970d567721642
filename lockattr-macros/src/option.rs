//! The attribute's options by name. How their values are read is in `args`.

use proc_macro2::Ident;
use syn::{Error, Result};

use crate::suggest;

/// A word that may stand left of `=` in the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Timeout,
    Info,
    Crate,
}

impl Keyword {
    const ALL: [Self; 3] = [Self::Timeout, Self::Info, Self::Crate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Info => "info",
            Self::Crate => "crate",
        }
    }

    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Timeout => "timeout = \"2s\"",
            Self::Info => "info = \"reads the sensor\"",
            Self::Crate => "crate = path::to::lockattr",
        }
    }

    pub(crate) fn find(ident: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|keyword| ident == keyword.name())
    }

    /// # Errors
    /// Lists the options, and the nearest of them, if `ident` is none.
    pub(crate) fn of(ident: &Ident) -> Result<Self> {
        Self::find(ident).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = if ident == "name" {
                "the name stands first, without `name =`. The".to_owned()
            } else {
                suggest::nearest(&ident.to_string(), names).map_or_else(
                    || "the".to_owned(),
                    |meant| format!("did you mean `{meant}`? The"),
                )
            };
            let examples = Self::ALL.map(|option| format!("`{}`", option.example())).join(", ");
            let message = format!("unknown option `{ident}`; {hint} options are {examples}");
            Error::new(ident.span(), message)
        })
    }

    /// `timeout` without a value.
    pub(crate) fn without_value(self, ident: &Ident) -> Error {
        Error::new(ident.span(), format!("`{}` takes a value: `{}`", self.name(), self.example()))
    }

    /// The second `timeout` in one attribute.
    pub(crate) fn given_twice(self, ident: &Ident) -> Error {
        Error::new(ident.span(), format!("`{}` is given twice; keep one of the two", self.name()))
    }
}
