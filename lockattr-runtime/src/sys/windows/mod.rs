//! What Windows has: no fork, no files that are mapped to be read by others, and no users by number.

pub(crate) mod clock;
pub(crate) mod errno;
pub(crate) mod event;
pub(super) mod exclusive;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod generation;
pub(crate) mod ids;
pub(crate) mod mapping;
pub(crate) mod poll;
