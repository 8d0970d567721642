//! lockattr without the attribute.

use std::time::Duration;

use lockattr::{Backend, Lock};
use lockattr_bench_contender::{Contender, Result};

macro_rules! by_hand {
    ($backend:ident) => {
        pub(super) struct $backend(Lock);

        impl Contender for $backend {
            fn open(name: &str) -> Result<Self> {
                Ok(Self(Lock::open(Backend::$backend, name)?))
            }

            fn hold(&mut self, timeout: Duration, body: impl FnOnce()) -> Result<bool> {
                match self.0.acquire(timeout) {
                    Ok(_guard) => {
                        body();
                        Ok(true)
                    }
                    Err(error) if error.is_timeout() => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        }
    };
}

by_hand!(Port);
by_hand!(Semaphore);
by_hand!(Tcp);
