//! The Python predecessors on the same locks: `k3portlock`, and `resourcelock` of `cjnfuncs`. The real
//! packages.
//!
//! They are installed from PyPI into a virtual environment under `target/`. Where that cannot be, these
//! tests fail and say what is missing; `LOCKATTR_SKIP_PYTHON=1` skips them, and says so.

mod portlock;
mod python;
mod resourcelock;
#[path = "../support/mod.rs"]
mod support;
mod tcp;

#[test]
fn role() {
    support::play(&[
        ("contend", portlock::contend),
        ("hold", resourcelock::hold),
        ("try", resourcelock::try_once),
        ("hammer", resourcelock::hammer),
        ("tell ports", tcp::tell_ports),
        ("take turns", tcp::take_turns),
        ("wait for tcp", tcp::wait),
    ]);
}
