//! The locks behind [lockattr](https://docs.rs/lockattr).

mod attribute;
mod backend;
mod deadline;
mod error;
mod guard;
mod hold;
mod holder;
mod info;
mod kind;
mod lock;
mod log;
mod name;
mod record;
mod registry;
mod remove;
mod several;
mod standing;
mod state;
mod sys;
mod text;

pub use backend::free_port_locks;
pub use error::LockError;
pub use guard::LockGuard;
pub use holder::{Holder, KnownBy, Tenure};
pub use kind::Backend;
pub use lock::Lock;
pub use name::NameError;
pub use several::acquire_all;
#[cfg(feature = "async")]
pub use several::acquire_all_async;
pub use standing::Standing;

/// What the expansion of the attribute calls; no part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::attribute::*;
}
