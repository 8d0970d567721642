//! System calls: the only place with `unsafe`, and the only one that knows of systems.
//!
//! What is the same everywhere lies here; what all unixes have, in `unix`; what Linux (and Android) alone has,
//! in `linux`, and what stands there elsewhere, in `elsewhere`; Windows' own in `windows`. The rest of the crate
//! names modules of `sys` and does not see which of these they come from.

#![allow(unsafe_code)] // the one exception to the workspace's rule; each block says why it holds

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod elsewhere;
pub(crate) mod limit;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
pub(crate) mod process;
pub(crate) mod tcp;
pub(crate) mod thread;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use elsewhere::*;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::*;
#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// The bytes of a semaphore's file: those of glibc's `sem_t`.
pub(crate) const SEMAPHORE_BYTES: usize = 4 * std::mem::size_of::<usize>();

/// Whether there are abstract unix sockets, of which ports are made.
pub(crate) const HAS_PORTS: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Whether a child can have a copy of what its parent has open.
pub(crate) const HAS_FORK: bool = cfg!(unix);

/// Whether there are semaphores of glibc's layout, which all who share one must agree on. (musl keeps its waiters in
/// the sign of the value: glibc takes that for 2 billions of units, and lets everybody in.)
pub(crate) const HAS_SEMAPHORES: bool = cfg!(all(target_os = "linux", target_env = "gnu"));
