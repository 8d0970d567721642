//! lockattr by the attribute: names are in the source, so these are measured without contention only.

use std::time::Duration;

use futures_lite::future;
use lockattr::{interprocess_lock, LockError};
use lockattr_bench_contender::{Contender, Result};

type Held = std::result::Result<(), LockError>;

#[interprocess_lock("lockattr-bench-attribute")]
fn port(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-info", info = "measures itself")]
fn port_with_info(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-captured-{bus}")]
fn port_captured(bus: u32, body: impl FnOnce()) -> Held {
    let _ = bus;
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-async")]
async fn port_async(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-s-attribute", backend = "semaphore")]
fn semaphore(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-s-info", backend = "semaphore", info = "measures itself")]
fn semaphore_with_info(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-s-captured-{bus}", backend = "semaphore")]
fn semaphore_captured(bus: u32, body: impl FnOnce()) -> Held {
    let _ = bus;
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-s-async", backend = "semaphore")]
async fn semaphore_async(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

#[interprocess_lock("lockattr-bench-attribute", backend = "tcp")]
fn tcp(body: impl FnOnce()) -> Held {
    body();
    Ok(())
}

/// A contender that calls one of the functions.
macro_rules! annotated {
    ($name:ident, $body:ident => $call:expr) => {
        pub(super) struct $name;

        impl Contender for $name {
            fn open(_: &str) -> Result<Self> {
                Ok(Self)
            }

            fn hold(&mut self, _: Duration, $body: impl FnOnce()) -> Result<bool> {
                match $call {
                    Ok(()) => Ok(true),
                    Err(error) if error.is_timeout() => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        }
    };
}

annotated!(Port, body => port(body));
annotated!(PortWithInfo, body => port_with_info(body));
annotated!(PortCaptured, body => port_captured(1, body));
annotated!(PortAsync, body => future::block_on(port_async(body)));
annotated!(Semaphore, body => semaphore(body));
annotated!(SemaphoreWithInfo, body => semaphore_with_info(body));
annotated!(SemaphoreCaptured, body => semaphore_captured(1, body));
annotated!(SemaphoreAsync, body => future::block_on(semaphore_async(body)));
annotated!(Tcp, body => tcp(body));
