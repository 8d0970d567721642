//! Whatever names a user's crate has, the attribute means its own.

// Each name is taken from the attribute on purpose, whether or not the test uses it.
#![allow(dead_code, unused_macros, non_snake_case, clippy::all, clippy::pedantic)]
#![allow(unsafe_code)] // atexit

#[path = "support/leftovers.rs"]
mod leftovers;

mod core {}
mod std {}
mod alloc {}
mod lockattr {}
mod __lockattr {}

enum Result {}
enum Option {}
enum String {}
struct Duration;
struct Lock;
fn Ok() {}
fn Err() {}
fn Some() {}
fn drop() {}
fn enter() {}
fn fail() {}
fn fixed() {}
fn named() {}
fn or_else() {}
fn recover() {}
struct Backend;
struct Options;
struct Future;

macro_rules! concat {
    ($($tokens:tt)*) => {
        compile_error!("the user's `concat!`")
    };
}
macro_rules! module_path {
    ($($tokens:tt)*) => {
        compile_error!("the user's `module_path!`")
    };
}
macro_rules! format_args {
    ($($tokens:tt)*) => {
        compile_error!("the user's `format_args!`")
    };
}

const LOCK: &str = "hygiene-test/LOCK";

type Outcome<T> = ::std::result::Result<T, ::lockattr::LockError>;

#[::lockattr::interprocess_lock]
fn derived() -> Outcome<u32> {
    Outcome::Ok(1)
}

#[::lockattr::interprocess_lock(LOCK, timeout = "none", info = "{{}}")]
fn of_a_const_that_is_named_as_a_static_could_be() -> Outcome<&'static str> {
    Outcome::Ok(LOCK)
}

/// Locals, arguments and patterns that are named as the expansion's could be.
#[::lockattr::interprocess_lock("hygiene-test/locals")]
fn locals(
    guard: u32,
    _guard: u32,
    error: u32,
    __arg0: u32,
    (__arg5, _): (u32, u32),
    _: u32,
) -> Outcome<u32> {
    let sum = guard + _guard + error + __arg0 + __arg5;
    let guard = 1;
    let error = 1;
    Outcome::Ok(sum + guard + error)
}

/// A const of the same name would turn a binding into a pattern.
mod consts {
    #![allow(non_upper_case_globals)]
    const error: u32 = 1;
    const _guard: u32 = 2;

    #[::lockattr::interprocess_lock("hygiene-test/consts")]
    pub(super) fn read() -> super::Outcome<u32> {
        super::Outcome::Ok(error + _guard)
    }
}

/// A type parameter and a lifetime.
#[::lockattr::interprocess_lock("hygiene-test/generics")]
fn generics<'lock, Lock, R>(lock: &'lock Lock, _r: R) -> Outcome<&'lock Lock> {
    Outcome::Ok(lock)
}

/// Captures, and arguments that are named as the rewritten literal's could be.
#[::lockattr::interprocess_lock(
    ["hygiene-test/{__field0}-{__guard}", "hygiene-test/{pair.1}", LOCK],
    info = "{pair.0} {__target}",
    or_else = |__error| Outcome::Err(__error),
    on_recover = |_| (),
    reentrant,
)]
fn captures(__field0: u32, __guard: u32, __target: u32, pair: (u32, u32)) -> Outcome<u32> {
    Outcome::Ok(__field0 + __guard + __target + pair.0 + pair.1)
}

struct Driver(u32);

#[::lockattr::interprocess_lock]
impl Driver {
    fn read(&self) -> Outcome<u32> {
        Outcome::Ok(self.0)
    }
}

#[cfg(feature = "async")]
#[::lockattr::interprocess_lock("hygiene-test/{__target}", info = "{__entering}")]
async fn task(__target: u32, __entering: u32) -> Outcome<u32> {
    Outcome::Ok(__target + __entering)
}

/// The facade under another path, as a crate that re-exports it has it.
mod hal {
    pub(crate) mod reexport {
        pub(crate) use ::lockattr::{self, interprocess_lock};
    }
}

mod user_of_hal {
    use super::hal::reexport;

    #[reexport::interprocess_lock("hygiene-test/crate", crate = crate::hal::reexport::lockattr)]
    pub(super) fn path() -> super::Outcome<u32> {
        super::Outcome::Ok(1)
    }

    #[reexport::interprocess_lock(
        "hygiene-test/crate",
        crate = "reexport::lockattr",
        info = "text"
    )]
    pub(super) fn text() -> super::Outcome<u32> {
        super::Outcome::Ok(2)
    }

    #[reexport::interprocess_lock(crate = super::hal::reexport::lockattr)]
    pub(super) fn derived() -> super::Outcome<u32> {
        super::Outcome::Ok(3)
    }
}

#[test]
fn the_attribute_means_its_own_names() {
    leftovers::remove_at_exit("hygiene", &["hygiene-test", "hygiene%3a%3a"]);
    assert_eq!(derived().unwrap(), 1);
    assert_eq!(of_a_const_that_is_named_as_a_static_could_be().unwrap(), LOCK);
    assert_eq!(locals(1, 2, 3, 4, (5, 0), 0).unwrap(), 17);
    assert_eq!(consts::read().unwrap(), 3);
    assert_eq!(*generics(&7, ()).unwrap(), 7);
    assert_eq!(captures(1, 2, 3, (4, 5)).unwrap(), 15);
    assert_eq!(Driver(6).read().unwrap(), 6);
    #[cfg(feature = "async")]
    assert_eq!(::futures_lite::future::block_on(task(1, 2)).unwrap(), 3);
    assert_eq!(user_of_hal::path().unwrap(), 1);
    assert_eq!(user_of_hal::text().unwrap(), 2);
    assert_eq!(user_of_hal::derived().unwrap(), 3);
}
