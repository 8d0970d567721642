//! The record of a lock: who took it last, from where and when, and whether it was given back.
//!
//! One page of 4096 bytes that every process can read. At its start stands text in resourcelock's
//! form; at its end the fields of [`layout`]. Both stay after the release: a lock's history is its
//! last grant. Nothing here decides who holds a lock.

mod file;
mod layout;
mod snapshot;
mod text;

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;

use once_cell::race::OnceBox;

use crate::sys::clock;
use crate::sys::page::{SharedPage, Words, PAGE_WORDS};
use crate::sys::process::{self, Process};
use crate::sys::thread;
use layout::Field;

pub(crate) use snapshot::{latest, read, Snapshot};

/// The record that this process's user writes for one lock. Only the lock's holder writes, so
/// writers never meet.
#[derive(Debug)]
pub(crate) struct Record {
    name: Box<str>,
    shared: OnceBox<SharedPage>,
    /// Stands in where the shared page cannot be had. It tells nobody else, but this process still
    /// knows what it did itself.
    private: OnceBox<Box<Words>>,
}

impl Record {
    /// Opens nothing yet: that happens at the first grant.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            shared: OnceBox::new(),
            private: OnceBox::new(),
        }
    }

    fn words(&self) -> &Words {
        let shared = self.shared.get_or_try_init(|| -> io::Result<_> {
            Ok(Box::new(SharedPage::map(&file::open_own(&self.name)?)?))
        });
        match shared {
            Ok(page) => page.words(),
            // Tried again at the next grant: descriptors may have been short.
            Err(error) => self.private.get_or_init(|| {
                crate::log::record_unavailable(&self.name, &error);
                Box::new(Box::new([(); PAGE_WORDS].map(|()| 0.into())))
            }),
        }
    }

    /// Writes that the caller, who holds the lock, has just been granted it.
    pub(crate) fn write_grant(&self, process: &Process, info: &dyn fmt::Display) {
        let words = self.words();
        let wall = clock::wall();
        let _writing = layout::Writing::begin(words);
        text::write(words, wall, info);
        layout::write_name(words, &self.name);
        layout::write_bytes(words, Field::Command, &process.command);
        for (field, value) in [
            (Field::Pid, u64::from(process.pid)),
            (Field::StartTime, process.start_time),
            (Field::PidNamespace, process.pid_namespace),
            (Field::NetworkNamespace, process.network_namespace),
            (Field::Thread, u64::from(thread::current().tid)),
            (Field::GrantedMonotonic, clock::monotonic()),
            (Field::GrantedWall, wall),
            (Field::ReleasedMonotonic, 0),
        ] {
            field.of(words).store(value, Ordering::Relaxed);
        }
    }

    /// Writes that the caller, who holds the lock still, gives it back.
    pub(crate) fn write_release(&self) {
        Field::ReleasedMonotonic
            .of(self.words())
            .store(clock::monotonic(), Ordering::Relaxed);
    }

    /// The last grant as far as this page tells, for decisions that harm nobody when it lies.
    pub(crate) fn last_grant(&self) -> Grant {
        Grant::read(self.words())
    }

    /// As [`last_grant`](Self::last_grant), for looks, which must not make a record where there is
    /// none: what is known if this process has opened the record before.
    pub(crate) fn known_last_grant(&self) -> Option<Grant> {
        let shared = self.shared.get().map(SharedPage::words);
        shared
            .or_else(|| self.private.get().map(|words| &**words))
            .map(Grant::read)
    }
}

/// What the record says about the last grant, without its texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// 0 in a record that nobody has written yet.
    pub(crate) pid: u32,
    start_time: u64,
    pid_namespace: u64,
    network_namespace: u64,
    /// Monotonic nanoseconds, 0 while it is held.
    pub(crate) released: u64,
}

impl Grant {
    fn read(words: &Words) -> Self {
        let get = |field: Field| field.of(words).load(Ordering::Relaxed);
        Self {
            pid: u32::try_from(get(Field::Pid)).unwrap_or(0),
            start_time: get(Field::StartTime),
            pid_namespace: get(Field::PidNamespace),
            network_namespace: get(Field::NetworkNamespace),
            released: get(Field::ReleasedMonotonic),
        }
    }
    /// Whether the process it was made to runs and has not given the lock back.
    pub(crate) fn stands(&self, this: &Process) -> bool {
        self.pid != 0
            && self.released == 0
            && self.pid_namespace == this.pid_namespace
            && process::is_alive(self.pid, self.start_time)
    }

    /// Whether it was made in another network namespace than the one of `this`.
    pub(crate) fn is_elsewhere(&self, this: &Process) -> bool {
        self.network_namespace != this.network_namespace
    }
}
