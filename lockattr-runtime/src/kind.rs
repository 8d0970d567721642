//! Which ways there are to exclude other processes.

use std::fmt;

/// How a lock excludes other processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// A listening unix socket at the abstract address `\0/portlock/NAME`: fair, freed by the kernel
    /// when its holder dies, and shared with k3portlock. Linux only.
    Port,
    /// The POSIX semaphore `/NAME`, with the shared-memory object `/NAME` beside it: no system call
    /// where nobody else wants it, freed by a waiter within 60 ms when its holder dies, and shared
    /// with resourcelock. Linux only.
    Semaphore,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "port",
            Self::Semaphore => "semaphore",
        })
    }
}

/// A backend, and how it makes what is not there yet.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub(crate) backend: Backend,
    /// Who may use the semaphore (`chmod(2)`). A port lock has none: anybody may.
    pub(crate) mode: u32,
}

impl Kind {
    /// As resourcelock makes its semaphores: for this user alone.
    const PRIVATE: u32 = 0o600;

    /// As its backend makes it without being told otherwise.
    #[must_use]
    pub const fn new(backend: Backend) -> Self {
        Self { backend, mode: Self::PRIVATE }
    }

    /// With `mode` for what it makes.
    ///
    /// # Panics
    /// If `mode` is none of a semaphore that its owner can use, or the backend has none.
    #[must_use]
    pub const fn mode(self, mode: u32) -> Self {
        assert!(
            matches!(self.backend, Backend::Semaphore),
            "only a semaphore has a mode; anybody can use a port lock"
        );
        match self.try_mode(mode) {
            Some(kind) => kind,
            None => panic!(
                "a semaphore's mode is 0o600, with 0o060 for its group, and 0o006 for all others"
            ),
        }
    }

    /// As [`mode`](Self::mode), if it can have that one.
    pub(crate) const fn try_mode(self, mode: u32) -> Option<Self> {
        let is_semaphore = matches!(self.backend, Backend::Semaphore);
        if is_semaphore && mode & 0o600 == 0o600 && mode & !0o666 == 0 {
            Some(Self { mode, ..self })
        } else {
            None
        }
    }
}
