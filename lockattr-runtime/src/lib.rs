//! The locks behind [lockattr](https://docs.rs/lockattr).

#![cfg_attr(docsrs, feature(doc_cfg))]
// Elsewhere some backends are left out, and with them the only users of what they share with the rest.
#![cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code, unused_imports))]

/// Items where the condition holds, and others elsewhere. (The name is one into which rustfmt looks for modules.)
macro_rules! cfg_if {
    (if #[cfg($condition:meta)] { $($items:item)* } else { $($instead:item)* }) => {
        $(#[cfg($condition)] $items)*
        $(#[cfg(not($condition))] $instead)*
    };
}

// Where lockattr cannot run there is nothing of it, as each of its parts would say so in an error of its own.
cfg_if! {
if #[cfg(all(target_has_atomic = "64", any(unix, windows)))] {
    mod acquire;
    mod attribute;
    mod backend;
    mod backoff;
    mod calendar;
    mod cancel;
    mod deadline;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    mod device;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[path = "device/absent.rs"]
    mod device;
    mod error;
    #[cfg(feature = "tracing")]
    pub mod events;
    mod guard;
    mod hold;
    mod holder;
    mod info;
    mod kind;
    mod lock;
    mod locks;
    mod name;
    mod record;
    mod registry;
    mod remove;
    mod request;
    mod several;
    mod standing;
    mod state;
    mod sys;
    mod tell;
    mod text;

    #[cfg(feature = "async")]
    pub use acquire::acquire_all_async;
    pub use acquire::{acquire_all, all, Acquire};
    // For `lockattr-survey`, which lists them with all others.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[doc(hidden)]
    pub use backend::free_port_locks;
    #[doc(hidden)]
    pub use backend::remembered_tcp_locks;
    pub use cancel::Cancel;
    pub use error::{HeldHere, LockError, SystemError};
    pub use guard::LockGuard;
    pub use holder::{Holder, KnownBy, Tenure};
    pub use kind::Backend;
    pub use lock::Lock;
    pub use locks::Locks;
    pub use name::NameError;
    pub use standing::Standing;

    /// What the expansion of the attribute calls; no part of the public interface.
    #[doc(hidden)]
    pub mod __private {
        pub use crate::attribute::*;
    }
} else {
    #[cfg(not(any(unix, windows)))]
    compile_error!("lockattr runs on unixes and on Windows: its locks are sockets");
    // The words of a record are swapped by several processes: a lock of one process cannot stand in for that.
    #[cfg(not(target_has_atomic = "64"))]
    compile_error!(
        "lockattr needs atomics of 64 bits, which this target does not have: a lock's record is shared memory of them"
    );
}
}
