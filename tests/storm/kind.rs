//! What a storm is of: all that its processes have to know.

use std::fmt;
use std::path::{Path, PathBuf};

use lockattr::{Backend, Lock};

use crate::support;

/// What comes down on the lock beside kills, stops and what its processes do to themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strain {
    None,
    /// Forced releases, and locks that are left taken (semaphores).
    Forced,
    /// Files of the lock are removed: a semaphore, or the records that tell who held.
    Removed,
    /// Programs of the Python predecessor.
    Python,
}

impl Strain {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Forced, Self::Removed, Self::Python];

    fn named(name: &str) -> Self {
        *Self::ALL.iter().find(|strain| format!("{strain:?}") == name).unwrap()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) strain: Strain,
    pub(crate) seed: u64,
}

impl Kind {
    pub(crate) fn lock(&self) -> Lock {
        support::open(&self.name)
    }

    pub(crate) fn is_semaphore(&self) -> bool {
        support::backend(&self.name) == Backend::Semaphore
    }

    /// Where the processes write down what they do.
    pub(crate) fn log(&self) -> PathBuf {
        std::env::temp_dir().join(&self.name)
    }

    /// The file that is removed where files are: a semaphore whose record stays, or the record of a lock that has no
    /// other file. (A semaphore that loses its record may lose its holder.)
    pub(crate) fn removable(&self) -> PathBuf {
        let user = nix::unistd::geteuid();
        let file = match support::backend(&self.name) {
            Backend::Semaphore => format!("sem.{}", self.name),
            Backend::Tcp => format!("lockattr.{user}.{}%00tcp", self.name),
            _ => format!("lockattr.{user}.{}", self.name),
        };
        Path::new("/dev/shm").join(file)
    }

    /// As the argument of a role.
    pub(crate) fn argument(&self) -> String {
        format!("{} {:?} {}", self.name, self.strain, self.seed)
    }

    pub(crate) fn parse(argument: &str) -> Self {
        let [name, strain, seed] = argument.split(' ').collect::<Vec<_>>().try_into().unwrap();
        Self { name: name.into(), strain: Strain::named(strain), seed: seed.parse().unwrap() }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {:?}, seed {}", support::backend(&self.name), self.strain, self.seed)
    }
}
