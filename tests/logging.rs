//! The same events as records of the crate `log`, where no subscriber of `tracing` listens.

mod support;

use std::sync::Mutex;
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};
use nix::libc;
use support::seccomp::{refuse, start_refused};
use support::{hold, on_each_backend, open, say, Actor};

#[test]
fn role() {
    support::play(&[("hold", hold), ("log", log), ("refuse", refuse)]);
}

static LOGGER: Logger = Logger(Mutex::new(Vec::new()));

/// Keeps each record as a line.
struct Logger(Mutex<Vec<String>>);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "lockattr"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }
    }

    fn flush(&self) {}
}

impl Logger {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Says how many records each of an acquire, an acquire that is too late, and what is below the level gave.
fn log(name: &str) {
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(LevelFilter::Debug);
    let lock = open(name);
    let mut holder = Actor::start("hold", name);
    holder.expect("holding");
    lock.acquire(Duration::from_millis(10)).unwrap_err();
    say(&LOGGER.take().join("|"));
    holder.tell("release");
    holder.expect("released");
    drop(lock.try_acquire().unwrap());
    say(&LOGGER.take().join("|"));
    log::set_max_level(Level::Info.to_level_filter());
    drop(lock.try_acquire().unwrap());
    assert!(LOGGER.take().is_empty());
    say("quiet");
}

#[test]
fn records_reach_the_logger_with_their_fields() {
    on_each_backend("log", |name| {
        let mut actor = Actor::start("log", name);
        let late = actor.hear();
        for part in ["INFO timed out", &format!("lock=\"{name}\""), "waited_ms=", "holder=held"] {
            assert!(late.contains(part), "no {part} in: {late}");
        }
        let used = actor.hear();
        assert!(used.contains("DEBUG acquired the lock"), "{used}");
        assert!(used.contains("DEBUG gave the lock back"), "{used}");
        assert!(used.contains("how=\"released\""), "{used}");
        actor.expect("quiet");
        actor.end();
    });
}

#[test]
fn that_each_use_asks_for_the_pid_is_told_once() {
    on_each_backend("slow-pid", |name| {
        let mut actor = start_refused(libc::SYS_madvise, "log", name);
        let late = actor.hear();
        assert_eq!(late.matches("WARN the kernel wipes no page at a fork").count(), 1, "{late}");
        assert!(!actor.hear().contains("wipes no page"));
        actor.expect("quiet");
        actor.end();
    });
}
