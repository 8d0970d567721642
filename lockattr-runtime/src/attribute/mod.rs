//! What the attribute's expansion calls. Hidden from the docs: no promise is made about it, and the
//! facade pins the macro crate and this one to one version.

mod enter;
mod names;
mod outcome;
mod recover;
pub mod shown;

pub use std::time::Duration;
pub use std::{concat, format_args, module_path};

pub use enter::{enter, enter_with, Options, Target};
#[cfg(feature = "async")]
pub use enter::{enter_async, enter_async_with};
pub use names::{device, fixed, named, named_by};
pub use outcome::{fail, or_else, Fallible, FromLockError};
pub use recover::{recover, Guards, RecoveryOutcome};
pub use shown::Shown;

pub use crate::device::Joins;
pub use crate::kind::{Backend, Kind};
pub use crate::lock::Lock;
pub use crate::several::Handle;
