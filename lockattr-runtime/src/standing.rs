//! What one look at a lock finds.

use crate::holder::{Holder, KnownBy, Tenure};

/// Whether somebody has a lock, who that is, and how it is known: [`Lock::standing`](crate::Lock::standing).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Nobody has it.
    #[non_exhaustive]
    Free {
        /// Who had it last, as far as is known.
        last: Option<Box<Holder>>,
    },
    /// Somebody has it, or left it taken on purpose ([`Tenure::Detached`]).
    #[non_exhaustive]
    Held {
        /// Who that is.
        holder: Box<Holder>,
    },
    /// A process of lockattr died with a semaphore, or is just inheriting it. To lockattr it is free: the
    /// next acquire inherits it. To resourcelock it is taken until then, or until a
    /// [forced release](crate::Lock::force_release).
    #[non_exhaustive]
    Left {
        /// Who died, as far as the record tells.
        last: Option<Box<Holder>>,
    },
    /// A semaphore is taken, and nobody says by whom: an acquire of it is
    /// [`LockError::Orphaned`](crate::LockError::Orphaned).
    #[non_exhaustive]
    Orphaned {
        /// Who had it before, as far as is known.
        last: Option<Box<Holder>>,
    },
}

impl Standing {
    pub(crate) fn free(last: Option<Holder>) -> Self {
        Self::Free { last: last.map(Box::new) }
    }

    pub(crate) fn held(holder: Holder) -> Self {
        Self::Held { holder: Box::new(holder) }
    }

    /// Whether an acquire would have to wait.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::Orphaned { .. })
    }

    /// Who has it, if anybody has: see [`Lock::holder`](crate::Lock::holder).
    #[must_use]
    pub fn into_holder(self) -> Option<Holder> {
        match self {
            Self::Held { holder } => Some(*holder),
            Self::Orphaned { .. } => Some(Holder::unknown(Tenure::Holds, KnownBy::Nothing)),
            Self::Free { .. } | Self::Left { .. } => None,
        }
    }

    /// Who took it last: see [`Lock::last_holder`](crate::Lock::last_holder).
    #[must_use]
    pub fn into_last_holder(self) -> Option<Holder> {
        match self {
            Self::Held { holder } => Some(*holder),
            Self::Free { last } | Self::Left { last } | Self::Orphaned { last } => {
                last.map(|last| *last)
            }
        }
    }
}
