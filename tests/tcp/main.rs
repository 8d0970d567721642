//! Locks by TCP ports: what is true of no other backend.

mod names;
mod order;
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
        ("be refused", refusals::be_refused),
        ("be told nothing", refusals::be_told_nothing),
        ("wait untold", refusals::wait_untold),
        ("be alone", refusals::be_alone),
    ]);
}
