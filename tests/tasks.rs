//! Tasks that share locks: the feature `async`.

mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures_lite::future::poll_once;
use lockattr::{Lock, LockError};
use support::{eventually, hold, listen, on_each_backend, open, processor_time, queued, say};
use support::{unique_name, unique_semaphore, waits_in_queue, Actor, LONG};

#[test]
fn role() {
    support::play(&[
        ("hold", hold),
        ("wait async", wait_async),
        ("count threads", count_threads),
        ("wait with many tasks", wait_with_many_tasks),
    ]);
}

/// The smallest executor there is.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn it_works_on_a_bare_block_on() {
    on_each_backend("bare", |name| {
        const SHORT: Duration = Duration::from_millis(40);
        let lock = open(name);
        let guard = block_on(lock.acquire_async(LONG)).unwrap();
        let start = Instant::now();
        let refused = block_on(lock.acquire_async(SHORT));
        assert!(matches!(&refused, Err(LockError::Timeout { waited, .. }) if *waited >= SHORT));
        assert!(start.elapsed() >= SHORT);
        assert!(block_on(lock.acquire_async(Duration::ZERO)).unwrap_err().is_timeout());
        drop(guard);
        drop(block_on(lock.acquire_async(Duration::MAX)).unwrap());
    });
}

#[test]
fn a_task_that_takes_one_lock_twice_at_once_is_told() {
    let name = unique_name("async-twice");
    let lock = open(&name);
    let error = block_on(lockattr::acquire_all_async([&lock, &lock], LONG)).unwrap_err();
    assert!(matches!(error, LockError::WouldDeadlock { .. }), "{error:?}");
    let other = unique_name("async-other");
    let other = open(&other);
    let guards = block_on(lockattr::acquire_all_async([&lock, &other], LONG)).unwrap();
    assert!(lock.is_locked().unwrap() && other.is_locked().unwrap());
    drop(guards);
}

/// Says how many microseconds of a processor a hundred waiting tasks use in a second.
fn wait_with_many_tasks(name: &str) {
    const TASKS: usize = 100;

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let lock = Arc::new(open(name));
    let wait = |lock: Arc<Lock>| async move { drop(lock.acquire_async(LONG).await.unwrap()) };
    let tasks: Vec<_> = (0..TASKS).map(|_| runtime.spawn(wait(Arc::clone(&lock)))).collect();
    eventually("all but one queue", || queued(name, std::process::id()) >= TASKS - 1);
    let before = processor_time();
    thread::sleep(Duration::from_secs(1));
    say(&processor_time().saturating_sub(before).as_micros().to_string());
    listen();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
}

#[test]
fn a_hundred_tasks_that_wait_for_a_semaphore_leave_the_processor_alone() {
    let name = unique_semaphore("idle-tasks");
    let guard = open(&name).acquire(LONG).unwrap();
    let mut actor = Actor::start("wait with many tasks", &name);
    let micros: u64 = actor.hear().parse().unwrap();
    println!("a hundred waiting tasks use a core for {micros} us of a second");
    // One of them looks every 10 ms. If all did, they would use a whole core.
    assert!(micros < 200_000, "{micros} us of a second");
    drop(guard);
    actor.tell("the lock is free");
    actor.end();
}

#[test]
fn tasks_and_processes_are_served_in_the_order_they_came_to_a_semaphore() {
    let name = unique_semaphore("tasks-in-order");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let mut first = pin!(lock.acquire_async(LONG));
    assert!(block_on(poll_once(first.as_mut())).is_none(), "it is in turn");
    let mut second = Actor::start("wait async", &name);
    second.expect("waiting");
    eventually("the second queues", || queued(&name, second.pid()) == 1);
    let mut third = pin!(lock.acquire_async(LONG));
    assert!(block_on(poll_once(third.as_mut())).is_none());
    assert_eq!(queued(&name, std::process::id()), 1);
    drop(guard);
    let guard = block_on(first).unwrap();
    assert!(block_on(poll_once(third.as_mut())).is_none());
    drop(guard);
    second.expect("acquired");
    assert!(block_on(poll_once(third.as_mut())).is_none(), "the second has it");
    second.tell("go on");
    drop(block_on(third).unwrap());
    second.end();
}

#[test]
fn the_call_site_is_the_callers() {
    on_each_backend("async-site", |name| {
        let lock = open(name);
        let guard = block_on(lock.acquire_async(LONG)).unwrap();
        let info = lock.holder().unwrap().unwrap().info.unwrap();
        assert!(info.starts_with("tasks-") && info.contains(" (tests/tasks.rs:"), "{info}");
        drop(guard);
    });
}

/// A hundred tasks want one lock on two threads, and a timer goes on ticking.
#[test]
fn waiting_tasks_do_not_block_the_executor() {
    on_each_backend("hundred", hundred_tasks);
}

fn hundred_tasks(name: &str) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let lock = Arc::new(open(name));
    let inside = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicBool::new(false));
    let mut lateness = runtime.block_on(async {
        let ticking = tokio::spawn({
            let done = Arc::clone(&done);
            async move {
                let mut lateness = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    lateness.push(start.elapsed().saturating_sub(Duration::from_millis(5)));
                }
                lateness
            }
        });
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (lock, inside) = (Arc::clone(&lock), Arc::clone(&inside));
                tokio::spawn(async move {
                    for _ in 0..3 {
                        let guard = lock.acquire_async(LONG).await.unwrap();
                        assert!(!inside.swap(true, Ordering::Relaxed));
                        tokio::time::sleep(Duration::from_micros(500)).await;
                        inside.store(false, Ordering::Relaxed);
                        drop(guard);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        ticking.await.unwrap()
    });
    lateness.sort_unstable();
    // A thread blocked in the queue would be late by hundreds of milliseconds at each tick.
    let (median, longest) = (lateness[lateness.len() / 2], lateness[lateness.len() - 1]);
    println!("a tick was late by {median:?} in the median, {longest:?} at most");
    assert!(median < Duration::from_millis(20), "{median:?}");
}

fn wait_async(name: &str) {
    let lock = open(name);
    block_on(async {
        say("waiting");
        let guard = lock.acquire_async(LONG).await.unwrap();
        say("acquired");
        listen();
        drop(guard);
    });
}

#[test]
fn a_future_dropped_while_it_waits_leaves_the_queue() {
    let name = unique_name("dropped");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    {
        let mut first = pin!(lock.acquire_async(LONG));
        assert!(block_on(poll_once(first.as_mut())).is_none());
        assert!(waits_in_queue(std::process::id()));
    }
    let mut second = Actor::start("wait async", &name);
    second.expect("waiting");
    eventually("the second waits", || waits_in_queue(second.pid()));
    drop(guard);
    second.expect("acquired");
    second.end();
}

/// The lock has been handed to a future that nobody polls any more.
#[test]
fn a_future_dropped_with_the_lock_on_its_way_passes_it_on() {
    let name = unique_name("passed-on");
    let lock = open(&name);
    let guard = lock.acquire(LONG).unwrap();
    let mut second;
    {
        let mut first = pin!(lock.acquire_async(LONG));
        assert!(block_on(poll_once(first.as_mut())).is_none());
        second = Actor::start("wait async", &name);
        second.expect("waiting");
        eventually("the second waits", || waits_in_queue(second.pid()));
        drop(guard);
        assert!(lock.is_locked().unwrap(), "it is on its way to the first");
    }
    second.expect("acquired");
    second.end();
}

/// Of two that wait, the later one alone is polled for a while: it must not get the lock.
#[test]
fn a_waiter_that_goes_before_or_after_the_lock_is_sent_to_it_costs_nobody_the_order() {
    #[derive(Debug, PartialEq)]
    enum Goes {
        Before,
        After,
        /// It is polled once its time has long been over.
        Late,
    }

    let name = unique_name("next");
    let lock = open(&name);
    for goes in [Goes::Before, Goes::After, Goes::Late] {
        let guard = lock.acquire(LONG).unwrap();
        let time = if goes == Goes::Late { Duration::from_millis(300) } else { LONG };
        let times = [time, LONG, LONG];
        let mut waiters: Vec<_> =
            times.map(|time| Box::pin(lock.acquire_async(time))).into_iter().collect();
        for waiter in &mut waiters {
            assert!(block_on(poll_once(waiter.as_mut())).is_none());
        }
        let mut first = waiters.remove(0);
        match goes {
            Goes::Before => {
                drop(first);
                drop(guard);
            }
            Goes::After => {
                drop(guard);
                drop(first);
            }
            Goes::Late => {
                drop(guard);
                thread::sleep(time + Duration::from_millis(20));
                assert!(block_on(first.as_mut()).is_err());
            }
        }
        let (next, mut last) = (waiters.remove(0), waiters.remove(0));
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(2));
            let polled = block_on(poll_once(last.as_mut()));
            assert!(polled.is_none(), "overtaken by one that came later, {goes:?}");
        }
        drop(block_on(next).unwrap());
        drop(block_on(last).unwrap());
    }
}

#[test]
fn a_future_dropped_while_it_waits_for_a_semaphore_leaves_nothing() {
    let name = unique_semaphore("dropped");
    let lock = open(&name);
    for dies in [false, true] {
        let mut holder = Actor::start("hold", &name);
        holder.expect("holding");
        let mut waiting = pin!(lock.acquire_async(LONG));
        assert!(block_on(poll_once(waiting.as_mut())).is_none());
        if dies {
            holder.kill();
            // Some of these polls find that the holder has died, and claim what it left; the next
            // step would be to inherit it.
            for _ in 0..4 {
                thread::sleep(Duration::from_millis(2));
                if block_on(poll_once(waiting.as_mut())).is_some() {
                    break;
                }
            }
        } else {
            holder.end();
        }
    }
    drop(block_on(lock.acquire_async(LONG)).unwrap());
}

/// Says how many threads fifty waiters cost.
fn count_threads(name: &str) {
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let lock = open(name);
    let before = threads();
    let mut waiters: Vec<_> = (0..50).map(|_| Box::pin(lock.acquire_async(LONG))).collect();
    for waiter in &mut waiters {
        assert!(block_on(poll_once(waiter.as_mut())).is_none());
    }
    say(&format!("{}", threads() - before));
}

#[test]
fn fifty_waiters_cost_one_thread() {
    let name = unique_name("reactor");
    let guard = open(&name).acquire(LONG).unwrap();
    let mut actor = Actor::start("count threads", &name);
    actor.expect("1");
    drop(guard);
    actor.end();
}
