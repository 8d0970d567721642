//! What one look at a lock finds.

use crate::holder::{Holder, KnownBy, Tenure};

/// Whether a lock is taken, by which process, and how that is known:
/// [`Lock::standing`](crate::Lock::standing).
///
/// ```
/// # use lockattr::{Lock, LockError, Standing};
/// static RIG: Lock = Lock::semaphore("doc-standing-rig");
///
/// match RIG.standing()? {
///     Standing::Free { last: Some(last), .. } => println!("free; {last}"),
///     Standing::Free { .. } => println!("free"),
///     Standing::Held { holder, .. } => println!("{holder}"),
///     Standing::Left { .. } => println!("free for the next acquire, which inherits it"),
///     Standing::Orphaned { .. } => println!("free it by `lockattr unget`"),
///     _ => println!("?"),
/// }
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The lock is free.
    #[non_exhaustive]
    Free {
        /// The last holder, as far as is known.
        last: Option<Box<Holder>>,
    },
    /// A process holds the lock, or left it taken on purpose ([`Tenure::Detached`]).
    #[non_exhaustive]
    Held {
        /// The holder.
        holder: Box<Holder>,
    },
    /// A process of lockattr died while it held a semaphore. To lockattr the lock is free: the next acquire
    /// inherits it. To resourcelock it is taken until then, or until a
    /// [forced release](crate::Lock::force_release).
    #[non_exhaustive]
    Left {
        /// The process that died, as far as the record tells.
        last: Option<Box<Holder>>,
    },
    /// A semaphore is taken, and neither a record nor a text says by whom: an acquire of it fails with
    /// [`LockError::Orphaned`](crate::LockError::Orphaned).
    #[non_exhaustive]
    Orphaned {
        /// The holder before, as far as is known.
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
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-standing-is-locked");
    ///
    /// let guard = BUS.try_acquire()?;
    /// assert!(BUS.standing()?.is_locked());
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::Orphaned { .. })
    }

    /// The present holder: see [`Lock::holder`](crate::Lock::holder).
    ///
    /// ```
    /// # use lockattr::{Lock, LockError};
    /// static BUS: Lock = Lock::port("doc-standing-into-holder");
    ///
    /// let guard = BUS.try_acquire()?;
    /// let holder = BUS.standing()?.into_holder().expect("it is this process");
    /// assert_eq!(holder.pid, Some(std::process::id()));
    /// # drop(guard);
    /// # Ok::<_, LockError>(())
    /// ```
    #[must_use]
    pub fn into_holder(self) -> Option<Holder> {
        match self {
            Self::Held { holder } => Some(*holder),
            Self::Orphaned { .. } => Some(Holder::unknown(Tenure::Holds, KnownBy::Nothing)),
            Self::Free { .. } | Self::Left { .. } => None,
        }
    }

    /// The present or the last holder: see [`Lock::last_holder`](crate::Lock::last_holder).
    ///
    /// ```
    /// # use lockattr::{Lock, LockError, Tenure};
    /// static BUS: Lock = Lock::port("doc-standing-into-last");
    ///
    /// drop(BUS.try_acquire()?);
    /// let standing = BUS.standing()?;
    /// assert!(!standing.is_locked());
    /// assert_eq!(standing.into_last_holder().map(|last| last.tenure), Some(Tenure::Released));
    /// # Ok::<_, LockError>(())
    /// ```
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
