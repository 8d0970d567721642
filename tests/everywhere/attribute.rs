//! The attribute: each way out of a body releases the lock.

use std::panic;

use lockattr::{interprocess_lock, LockError};

use super::actor::{listen, say, Actor};
use super::is_timeout;
use super::name::unique_tcp;

/// What a driver has for errors.
#[derive(Debug)]
enum Error {
    Busy(LockError),
    Device,
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        Self::Busy(error)
    }
}

struct Driver {
    name: String,
}

impl Driver {
    #[interprocess_lock("{self.name}", timeout = "60s")]
    fn by_port(&self, body: impl FnOnce() -> Result<u32, Error>) -> Result<u32, Error> {
        assert!(self.is_held("port"));
        Ok(body()? + 1)
    }

    #[interprocess_lock("{self.name}", backend = "tcp", timeout = "60s")]
    fn by_tcp(&self, body: impl FnOnce() -> Result<u32, Error>) -> Result<u32, Error> {
        assert!(self.is_held("tcp"));
        Ok(body()? + 1)
    }

    #[interprocess_lock("{self.name}", backend = "tcp", timeout = "0s")]
    fn at_once(&self) -> Result<(), Error> {
        Ok(())
    }

    #[interprocess_lock("{self.name}", backend = "tcp", timeout = "0s", or_else = instead)]
    fn or_instead(&self) -> u32 {
        1
    }

    fn is_held(&self, backend: &str) -> bool {
        super::open(&format!("{backend} {}", self.name)).is_held_by_thread()
    }
}

fn instead(_: LockError) -> u32 {
    2
}

#[test]
fn each_way_out_of_a_body_releases_the_lock() {
    let ways: [Way; 2] = [
        ("port", |driver, body| driver.by_port(body)),
        ("tcp", |driver, body| driver.by_tcp(body)),
    ];
    for (backend, call) in ways {
        let name = unique_tcp(&format!("ways-out-{backend}"));
        let driver = Driver { name: name.to_string() };
        assert!(matches!(call(&driver, || Ok(6)), Ok(7)));
        assert!(!driver.is_held(backend));
        assert!(matches!(call(&driver, || Err(Error::Device)), Err(Error::Device)));
        assert!(!driver.is_held(backend));
        let silent = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let outcome = panic::catch_unwind(|| call(&driver, || panic!("the device is on fire")));
        panic::set_hook(silent);
        assert!(outcome.is_err());
        assert!(!driver.is_held(backend));
        assert!(matches!(call(&driver, || Ok(6)), Ok(7)));
    }
}

type Body = fn() -> Result<u32, Error>;

/// A backend, and the call of a body under a lock of it.
type Way = (&'static str, fn(&Driver, Body) -> Result<u32, Error>);

#[test]
fn a_function_is_not_entered_while_another_process_holds() {
    let name = unique_tcp("entered");
    let driver = Driver { name: name.to_string() };
    let mut holder = super::holder(&format!("tcp {name}"));
    let Err(Error::Busy(error)) = driver.at_once() else { panic!("it was entered") };
    assert!(is_timeout(&Err::<(), _>(error)));
    assert_eq!(driver.or_instead(), 2);
    let mut caller = Actor::start("call", &name);
    caller.expect("calling");
    holder.tell("release");
    holder.expect("released");
    caller.expect("inside");
    assert!(driver.at_once().is_err());
    caller.end();
    assert_eq!(driver.or_instead(), 1);
    holder.end();
}

/// A role: calls an annotated function that is inside until its input ends.
pub(crate) fn call(name: &str) {
    say("calling");
    let driver = Driver { name: name.to_owned() };
    let inside = || {
        say("inside");
        listen();
        Ok(0)
    };
    driver.by_tcp(inside).unwrap();
}
