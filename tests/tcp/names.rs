//! Names that share ports.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use lockattr::LockError;

use super::support::{eventually, is_timeout, open, unique_tcp, Actor, LONG};

/// The first of a name's three ports, as k3portlock computes it.
pub(crate) fn first_port(name: &str) -> u16 {
    let digest = sha1_smol::Sha1::from(name).digest().bytes();
    let rest = digest.iter().fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % 20_000);
    u16::try_from(40_000 + rest).unwrap()
}

/// Two names with the same ports. Both are beginnings of what `name` cleans up.
fn twins(name: &str) -> [String; 2] {
    let stem = name.strip_suffix(".tcp").unwrap();
    let mut known = HashMap::new();
    for number in 0.. {
        let one = format!("{stem}.tcp-{number}.tcp");
        if let Some(other) = known.insert(first_port(&one), one.clone()) {
            return [one, other];
        }
    }
    unreachable!()
}

#[test]
fn two_names_that_share_ports_are_an_error_at_once_in_one_process() {
    let name = unique_tcp("twins");
    let [one, other] = twins(&name);
    let guard = open(&one).acquire(LONG).unwrap();
    let start = Instant::now();
    for timeout in [LONG, Duration::ZERO] {
        let error = open(&other).acquire(timeout).unwrap_err();
        assert!(matches!(error, LockError::SharedPort { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains(&one) && said.contains(&other), "{said}");
        assert!(said.contains(&first_port(&one).to_string()), "{said}");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::AddrInUse);
    }
    assert!(start.elapsed() < LONG / 2);
    drop(guard);
    drop(open(&other).acquire(LONG).unwrap());
}

#[test]
fn between_processes_names_that_share_ports_wait_for_each_other_and_say_for_whom() {
    let name = unique_tcp("other-twin");
    let [one, other] = twins(&name);
    let mut holder = Actor::start("hold", &one);
    holder.expect("holding");
    // On a busy machine a search of 5 ms may be over before it has found anybody.
    eventually("the holder is found", || {
        let error = open(&other).acquire(Duration::from_millis(50)).unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        error.to_string().contains(&format!("pid {}", holder.pid()))
    });
    assert!(is_timeout(&open(&one).try_acquire()));
    holder.tell("release");
    holder.expect("released");
    drop(open(&other).acquire(LONG).unwrap());
    holder.end();
}
