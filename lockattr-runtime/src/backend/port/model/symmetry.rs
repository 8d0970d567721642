//! Processes of one program are alike. States that differ in their numbers only have the same hash,
//! and by its hash the checker tells whether it has been in a state before.

use std::hash::{Hash, Hasher};

use super::kernel::{Peer, State};
use super::process::Pid;

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let mut order: Vec<Pid> = self.pids().collect();
        // Which processes are still alike after this are counted twice, and so are their states: that
        // costs time, and is right.
        order.sort_by_cached_key(|&pid| {
            let process = &self.processes[usize::from(pid)];
            let files = &process.files;
            (
                (process.program, process.step, process.acquires_left),
                (files.listener, files.connection, files.accepted.is_some()),
                (self.place(pid), self.named_holder() == Some(pid)),
                (self.record.about == Some(pid), self.record.handed.map(|(by, _)| by == pid)),
                self.record.handed.is_some_and(|(_, to)| to == Some(pid)),
            )
        });
        let number = |pid: Pid| order.iter().position(|&it| it == pid);
        let waiter = |peer: &Peer| match peer {
            Peer::Waiter(pid) => number(*pid),
            Peer::Gone => None,
        };
        self.faults_left.hash(hasher);
        self.record.has_ended.hash(hasher);
        self.record.about.map(number).hash(hasher);
        self.record.handed.map(|(by, to)| (number(by), to.map(number))).hash(hasher);
        for &pid in &order {
            let process = &self.processes[usize::from(pid)];
            let files = &process.files;
            (process.program, process.step, process.acquires_left).hash(hasher);
            (files.listener, files.connection).hash(hasher);
            files.accepted.as_ref().map(waiter).hash(hasher);
        }
        if let Some(socket) = &self.socket {
            socket.listening.map(number).hash(hasher);
            socket.queue.iter().for_each(|peer| waiter(peer).hash(hasher));
        }
    }
}
