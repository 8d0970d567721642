//! What stands elsewhere for what Linux alone has. Where nothing tells, this says so: no answer is made up.

pub(crate) mod diag;
pub(crate) mod namespace;
pub(crate) mod owners;
pub(crate) mod procfs;
pub(crate) mod socket;
