//! Waiting without blocking a thread.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};

use futures_lite::future::{block_on, poll_once};
use lockattr::{interprocess_lock, LockError};

use super::actor::{listen, say, Actor, LONG};
use super::name::unique_tcp;
use super::{holder, on_each_backend, open};

/// A role: a task that waits, and holds until its input ends.
pub(crate) fn wait(which: &str) {
    let lock = open(which);
    say("waiting");
    let guard = block_on(lock.acquire_async(LONG)).unwrap();
    say("acquired");
    listen();
    drop(guard);
}

#[test]
fn a_task_gets_a_lock_that_is_released_or_whose_holder_is_killed() {
    on_each_backend("task", |which, _| {
        for is_killed in [false, true] {
            let holder = holder(which);
            let mut task = Actor::start("await", which);
            task.expect("waiting");
            if is_killed {
                holder.kill();
            } else {
                holder.end();
            }
            task.expect("acquired");
            task.end();
        }
    });
}

#[test]
fn a_wait_that_is_dropped_is_in_nobodys_way() {
    on_each_backend("dropped", |which, lock| {
        let mut holder = holder(which);
        {
            let mut wait = pin!(lock.acquire_async(LONG));
            assert!(block_on(poll_once(wait.as_mut())).is_none(), "{which}");
        }
        holder.tell("release");
        holder.expect("released");
        drop(block_on(lock.acquire_async(LONG)).unwrap());
        holder.end();
    });
}

#[interprocess_lock("{name}", backend = "tcp", timeout = "60s")]
async fn locked(name: &str) -> Result<bool, LockError> {
    // Another task runs here.
    futures_lite::future::yield_now().await;
    Ok(open(&format!("tcp {name}")).is_held_by_process())
}

#[test]
fn an_async_fn_holds_until_its_end() {
    let name = unique_tcp("async-fn");
    let lock = open(&format!("tcp {name}"));
    {
        let mut future = pin!(locked(&name));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    // Dropped in the middle.
    assert!(!lock.is_held_by_process());
    assert!(block_on(locked(&name)).unwrap());
    assert!(!lock.is_held_by_process());
}
