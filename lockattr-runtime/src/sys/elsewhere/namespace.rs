//! Namespaces, which these systems do not have.

/// Where pids mean something, and where start times do. A unix has one space of pids: processes in different jails of
/// FreeBSD, which do not see each other, have different folders of records as well. Start times are not known.
pub(crate) fn of_pids_and_time(_proc_is_own: bool) -> (u64, u64) {
    if cfg!(unix) {
        (1, 0)
    } else {
        (0, 0)
    }
}

/// Which network namespace a socket belongs to: that is not known, and neither the same nor another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(u64);

impl Network {
    pub(crate) const UNKNOWN: Self = Self(0);

    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// Whether both are known, and are two namespaces.
    #[allow(clippy::unused_self)] // as on Linux
    pub(crate) fn differs_from(self, _: Self) -> bool {
        false
    }

    /// Whether both are known, and are one namespace.
    #[allow(clippy::unused_self)] // as on Linux
    pub(crate) fn is(self, _: Self) -> bool {
        false
    }
}
