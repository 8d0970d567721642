//! What Linux alone has, and Android.

pub(crate) mod closer;
pub(crate) mod diag;
pub(crate) mod flock;
pub(crate) mod namespace;
pub(crate) mod owners;
pub(crate) mod pidfd;
pub(crate) mod procfs;
#[cfg(target_env = "gnu")]
pub(crate) mod semaphore;
#[cfg(target_env = "gnu")]
pub(crate) mod shelf;
pub(crate) mod socket;
pub(crate) mod spent;
pub(crate) mod whole_file;
