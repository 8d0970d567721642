//! The kernel's part of the model: who has which port.

use super::process::Pid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Port {
    Free,
    Bound { by: Pid, listens: bool },
}

/// Those of one lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ports(pub(super) [Port; 3]);

impl Default for Ports {
    fn default() -> Self {
        Self([Port::Free; 3])
    }
}

impl Ports {
    /// Those that a process has.
    pub(super) fn of(&self, pid: Pid) -> impl Iterator<Item = usize> + '_ {
        (0..3).filter(move |port| matches!(self.0[*port], Port::Bound { by, .. } if by == pid))
    }

    pub(super) fn is_free(&self, port: usize) -> bool {
        self.0[port] == Port::Free
    }

    pub(super) fn listens(&self, port: usize) -> bool {
        matches!(self.0[port], Port::Bound { listens: true, .. })
    }
}
