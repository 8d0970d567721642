//! Which ways there are to exclude other processes.

use std::fmt;

use crate::sys::{HAS_PORTS, HAS_SEMAPHORES};

/// How a lock excludes other processes.
///
/// ```
/// use lockattr::{Backend, Lock, LockError};
///
/// /// One setting for all programs of the bench: they share no lock under different backends.
/// const BACKEND: Backend = Backend::Port;
///
/// let supply = Lock::open(BACKEND, "doc-backend-supply")?;
/// assert_eq!(supply.backend().to_string(), "port");
/// # Ok::<_, LockError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// A listening unix socket at the abstract address `\0/portlock/NAME`: fair, freed by the kernel
    /// when its holder dies, and shared with k3portlock. Other systems than Linux have no abstract addresses: there
    /// it is [`Tcp`](Self::Tcp), as k3portlock's locks are.
    Port,
    /// The POSIX semaphore `/NAME`, with the shared-memory object `/NAME` beside it: no system call
    /// where no other process wants it, inherited by a waiter within 30 ms when its holder dies, and shared
    /// with resourcelock. It takes Linux and glibc, whose semaphores these are: elsewhere a static of one does not
    /// compile, and [`Lock::open`](crate::Lock::open) fails. (musl keeps a semaphore's waiters where glibc has its
    /// units: programs of both on one semaphore would be two holders.)
    Semaphore,
    /// Two of three TCP ports at 127.0.0.1, which the name's SHA-1 tells, from 40000 to 60001: freed by the
    /// kernel when its holder dies, and shared with k3portlock where that has no abstract unix sockets. Waiters
    /// are woken. On Linux they queue, and mostly are served in the order they came; elsewhere, and beside programs of
    /// k3portlock, all that wait are woken and race. No order is promised.
    ///
    /// For what must work the same on every system. On Linux, [`Port`](Self::Port) is the better one:
    /// - Other programs can have the ports: they lie in the range from which Linux takes those of outgoing
    ///   connections. One port of three may be gone. If two are, an acquire fails after its timeout with
    ///   [`LockError::PortTaken`](crate::LockError::PortTaken), which names the program.
    /// - Two names can share ports. They never exclude too little, but one may have to wait for the
    ///   other; within a process that is [`LockError::SharedPort`](crate::LockError::SharedPort).
    /// - Any user of the machine can take the ports, as with a port lock its address.
    /// - A look ([`Lock::is_locked`](crate::Lock::is_locked)) takes a port for a moment. A program of k3portlock
    ///   that tries in this very moment, when another one looks too, tries again 10 ms later.
    /// - Left to a descriptor ([`LockGuard::into_descriptor`](crate::LockGuard::into_descriptor)), it is shown without
    ///   a process once the one that left it has ended.
    /// - A holder that is none of lockattr's is not named: the kernel does not say who has bound a port.
    Tcp,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "port",
            Self::Semaphore => "semaphore",
            Self::Tcp => "tcp",
        })
    }
}

/// Why there are none.
pub(crate) const NO_SEMAPHORES: &str =
    "the semaphore backend takes Linux and glibc, whose semaphores it shares with other programs; \
     leave `semaphore` out, and the lock is a port lock";

/// A backend, and how it makes what is not there yet.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub(crate) backend: Backend,
    /// The one that was asked for. Names follow its rules, so that they are the same on every system.
    pub(crate) rules: Backend,
    /// Who may use the semaphore (`chmod(2)`). Other locks have none: anybody may.
    pub(crate) mode: u32,
}

impl Kind {
    /// As resourcelock makes its semaphores: for this user alone.
    const PRIVATE: u32 = 0o600;

    /// As its backend makes it without being told otherwise.
    ///
    /// # Panics
    /// If this system does not have the backend.
    #[must_use]
    pub const fn new(backend: Backend) -> Self {
        match Self::try_new(backend) {
            Some(kind) => kind,
            None => panic!("{}", NO_SEMAPHORES),
        }
    }

    /// As [`new`](Self::new), if this system has the backend.
    pub(crate) const fn try_new(backend: Backend) -> Option<Self> {
        let rules = backend;
        let backend = match backend {
            Backend::Port if !HAS_PORTS => Backend::Tcp,
            Backend::Semaphore if !HAS_SEMAPHORES => return None,
            backend => backend,
        };
        Some(Self { backend, rules, mode: Self::PRIVATE })
    }

    /// With `mode` for what it makes.
    ///
    /// # Panics
    /// If `mode` is none of a semaphore that its owner can use, or the backend has none.
    #[must_use]
    pub const fn mode(self, mode: u32) -> Self {
        assert!(
            matches!(self.backend, Backend::Semaphore),
            "only a semaphore has a mode; anybody can use another lock"
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
