//! System calls: the only place with `unsafe`.
//!
//! Everything here is Linux's. Another system gets its own modules beside these.

#![allow(unsafe_code)] // the one exception to the workspace's rule; each block says why it holds

pub(crate) mod clock;
pub(crate) mod closer;
pub(crate) mod descriptors;
pub(crate) mod diag;
pub(crate) mod file;
pub(crate) mod flock;
pub(crate) mod fork;
pub(crate) mod generation;
pub(crate) mod mapping;
pub(crate) mod namespace;
pub(crate) mod owners;
pub(crate) mod pidfd;
pub(crate) mod poll;
pub(crate) mod process;
pub(crate) mod procfs;
pub(crate) mod semaphore;
pub(crate) mod shelf;
pub(crate) mod socket;
pub(crate) mod spent;
pub(crate) mod tcp;
pub(crate) mod thread;
pub(crate) mod whole_file;

#[cfg(not(target_os = "linux"))]
compile_error!("lockattr runs on Linux so far: its locks are abstract unix sockets");
