//! Taking two of three ports, in one try.

use std::ffi::c_int;
use std::io;

use super::ports::COUNT;
use super::taken::Taken;
use super::{Failure, Tcp};
use crate::sys::{errno, tcp};

/// How many connections wait at a port until its listener goes; the system caps it at
/// `net.core.somaxconn`. Not more than can be closed in a moment: that is done under the gate.
const BACKLOG: c_int = 1024;

/// What became of a try.
pub(super) enum Race {
    Won(Taken),
    /// Which ports were refused: two at least.
    Lost([bool; COUNT]),
}

impl Tcp {
    /// Binds ports until two are had, or two are refused; then those that were had are free again. A port of
    /// which it `is_known` that it is taken counts as refused.
    pub(super) fn race(&self, is_known: impl Fn(usize) -> bool) -> Result<Race, Failure> {
        let mut had = Vec::with_capacity(2);
        let mut refused = [false; COUNT];
        for (index, port) in self.ports.all().into_iter().enumerate() {
            let bound = if is_known(index) { None } else { bind(port)? };
            match bound {
                Some(socket) => had.push((port, socket)),
                None => refused[index] = true,
            }
            // Before another port is bound, that another process may need for its second.
            if had.len() == 2 || refused.iter().filter(|refused| **refused).count() == 2 {
                break;
            }
        }
        let Ok([one, other]) = <[_; 2]>::try_from(had) else { return Ok(Race::Lost(refused)) };
        for (port, socket) in [&one, &other] {
            socket
                .listen(BACKLOG)
                .map_err(|error| of_port("listen at one of its ports", *port, error))?;
        }
        Ok(Race::Won(Taken::new(&self.name, [one.0, other.0], [one.1, other.1])))
    }

    /// Whether two ports are taken, by whatever. Binds one after the other, for a moment each.
    pub(super) fn are_taken(&self) -> Result<bool, Failure> {
        let (mut free, mut taken) = (0, 0);
        for port in self.ports.all() {
            match bind(port)? {
                Some(socket) => {
                    drop(socket);
                    free += 1;
                }
                None => taken += 1,
            }
            if free == 2 || taken == 2 {
                break;
            }
        }
        Ok(taken == 2)
    }
}

/// A socket that is bound at `port`, unless that is taken.
pub(super) fn bind(port: u16) -> Result<Option<crate::sys::socket::ForkSocket>, Failure> {
    match tcp::bound_at(port) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if error.raw_os_error() == Some(errno::EADDRINUSE) => Ok(None),
        Err(error) => Err(of_port("bind one of its ports", port, error)),
    }
}

/// An error that says which port it is about.
fn of_port(operation: &'static str, port: u16, error: io::Error) -> Failure {
    let hint = match error.raw_os_error() {
        // Not about this port.
        Some(errno::EMFILE | errno::ENFILE | errno::ENOMEM | errno::ENOBUFS | errno::EDEADLK) => {
            return Failure::Io { operation, source: error };
        }
        Some(errno::EACCES | errno::EPERM) if cfg!(windows) => {
            "; Windows keeps it for Hyper-V or others: netsh interface ipv4 show excludedportrange protocol=tcp"
        }
        Some(errno::EACCES | errno::EPERM) => "; a firewall or a security module refuses it",
        Some(errno::EADDRNOTAVAIL) => "; is the loopback interface up, with 127.0.0.1?",
        Some(errno::EAFNOSUPPORT) => "; IPv4 is switched off",
        _ => "",
    };
    let kind = error.kind();
    Failure::Io {
        operation,
        source: io::Error::new(kind, format!("{}:{port}: {error}{hint}", tcp::ADDRESS)),
    }
}
