//! A lock in a holder's hand: two listening sockets. And which ports this process holds for which lock.

use crate::sys::fork::{self, Gated};
use crate::sys::generation::generation;
use crate::sys::poll;
use crate::sys::socket::ForkSocket;

/// What this process holds.
static HELD: Gated<Vec<Entry>> = Gated::new(Vec::new());

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    ports: [u16; 2],
    /// A forked child holds nothing of what its parent holds.
    generation: u32,
}

/// Two ports of a lock, which are the lock.
#[derive(Debug)]
pub(super) struct Taken {
    name: Box<str>,
    listeners: [ForkSocket; 2],
}

impl Taken {
    /// The lock `name` by two sockets that are bound at two of its ports.
    pub(super) fn new(name: &str, ports: [u16; 2], listeners: [ForkSocket; 2]) -> Self {
        let entry = Entry { name: name.into(), ports, generation: generation() };
        // Fails in a signal handler only. Then another lock that meets these ports waits, and is told less.
        if let Ok(mut gate) = fork::gate() {
            HELD.get(&mut gate).push(entry);
        }
        Self { name: name.into(), listeners }
    }

    pub(super) fn listeners(&self) -> &[ForkSocket; 2] {
        &self.listeners
    }

    /// Whether anybody waits, or has waited and given up, or has looked.
    pub(super) fn is_waited_for(&self) -> bool {
        self.listeners.iter().any(poll::is_readable)
    }
}

impl Drop for Taken {
    /// Before the sockets are closed: nobody is told of a port that this process does not hold.
    fn drop(&mut self) {
        if self.listeners[0].is_an_ancestors() {
            return;
        }
        let Ok(mut gate) = fork::gate() else { return };
        let generation = generation();
        HELD.get(&mut gate)
            .retain(|entry| entry.generation == generation && *entry.name != *self.name);
    }
}

/// The first of `ports` that this process holds for another lock than `name`, and for which.
pub(super) fn other_use(name: &str, ports: impl Iterator<Item = u16>) -> Option<(u16, Box<str>)> {
    let mut gate = fork::gate().ok()?;
    let generation = generation();
    let held = HELD.get(&mut gate);
    ports.into_iter().find_map(|port| {
        let others = held.iter().filter(|it| it.generation == generation && *it.name != *name);
        let mut users = others.filter(|it| it.ports.contains(&port));
        users.next().map(|entry| (port, entry.name.clone()))
    })
}

/// Whether this process holds the lock `name`.
pub(super) fn is_held_here(name: &str) -> bool {
    let Ok(mut gate) = fork::gate() else { return false };
    let generation = generation();
    HELD.get(&mut gate).iter().any(|it| it.generation == generation && *it.name == *name)
}
