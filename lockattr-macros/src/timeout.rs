//! The option `timeout`.

use std::time::Duration;

use syn::{Error, ExprPath, LitStr, Result};

use crate::duration;

/// How long an annotated function waits for its lock.
pub(crate) enum Timeout {
    /// Zero tries once.
    Finite(Duration),
    Forever,
    /// The path of a `const Duration`, which rustc checks.
    Const(ExprPath),
}

impl Timeout {
    pub(crate) const ACCEPTED: &'static str =
        "accepted are whole numbers with the units h, m, s, ms, us, the largest first, such as \
         \"2s\", \"1m30s\" or \"250ms\"; \"0s\" tries once, and \"none\" waits for ever; \
         or the path of a `const` of type `Duration`";

    pub(crate) fn from_literal(literal: &LitStr) -> Result<Self> {
        let text = literal.value();
        if text == "none" {
            return Ok(Self::Forever);
        }
        duration::parse(&text).map(Self::Finite).map_err(|error| {
            Error::new(literal.span(), format!("not a timeout: {error}; {}", Self::ACCEPTED))
        })
    }
}

/// One second, as both of lockattr's predecessors have it.
impl Default for Timeout {
    fn default() -> Self {
        Self::Finite(Duration::from_secs(1))
    }
}
