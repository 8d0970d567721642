//! Which ways there are to exclude other processes.

use std::fmt;

/// How a lock excludes other processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// A listening unix socket at the abstract address `\0/portlock/NAME`: fair, freed by the kernel
    /// when its holder dies, and shared with k3portlock. Linux only.
    Port,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "port",
        })
    }
}
