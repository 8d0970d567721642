//! The shapes of functions that the test suites of tracing-attributes, async-trait and others have: with the
//! attribute each does what it does without, and holds its lock meanwhile.

mod futures;
mod generics;
mod other_macros;
mod patterns;
mod receivers;

/// Each edition's own, as their tests may run at the same time.
macro_rules! name {
    ($name:literal) => {
        concat!(module_path!(), " ", $name)
    };
}
pub(crate) use name;
