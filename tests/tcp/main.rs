//! Locks by TCP ports: what is true of no other backend.

#![allow(unsafe_code)] // seccomp

mod descriptor;
mod names;
mod ports;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

#[test]
fn role() {
    support::play(&[
        ("hold", support::hold),
        ("wait", support::wait),
        ("alone", ports::alone),
        ("leave it to a child", descriptor::leave_it_to_a_child),
        ("be refused", refusals::be_refused),
        ("be alone", refusals::be_alone),
    ]);
}
