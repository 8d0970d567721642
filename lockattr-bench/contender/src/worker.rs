//! The process that obeys.

use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::contention::TIMEOUT;
use crate::{clock, crowd, threads, Contender, Order, Result};

/// Opens the lock `name` and obeys what its standard input says, until that ends.
#[must_use]
pub fn serve<C: Contender>(name: &str) -> ExitCode {
    let mut contender = match C::open(name) {
        Ok(contender) => contender,
        Err(error) => {
            println!("error {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut orders = io::stdin().lines();
    if say("ready").is_err() {
        return ExitCode::FAILURE;
    }
    while let Some(Ok(line)) = orders.next() {
        let answer = line
            .parse()
            .and_then(|order| obey(&mut contender, name, order, &mut orders))
            .map_or_else(
                |error| format!("error {error}").replace('\n', " "),
                |it| format!("ok {it}"),
            );
        if writeln!(io::stdout(), "{answer}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn obey<C: Contender>(
    contender: &mut C,
    name: &str,
    order: Order,
    orders: &mut impl Iterator<Item = io::Result<String>>,
) -> Result<String> {
    match order {
        Order::Pairs(count) => pairs(contender, count).map(|time| time.as_nanos().to_string()),
        Order::Hold => {
            let mut said = Ok(());
            let mut begun = 0;
            let held = contender.hold(TIMEOUT, || {
                said = say("holding");
                orders.next();
                begun = clock::now();
            })?;
            let ended = clock::now();
            said?;
            if held {
                Ok(format!("{begun} {ended}"))
            } else {
                Err("the lock is not free".into())
            }
        }
        Order::Wait(timeout) => {
            let mut entered = 0;
            let held = contender.hold(timeout, || entered = clock::now())?;
            Ok(if held { entered.to_string() } else { "timeout".into() })
        }
        Order::Contend(contention) => Ok(contention.run(contender)?.to_string()),
        Order::Crowd(waiters) => {
            crowd::wait::<C>(name, waiters, || say("waiting")).map(|last| last.to_string())
        }
        Order::Threads(count, length) => {
            let (pairs, time) = threads::run::<C>(name, count, length)?;
            Ok(format!("{pairs} {time}"))
        }
    }
}

fn pairs(contender: &mut impl Contender, count: u64) -> Result<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        if !contender.hold(TIMEOUT, || black_box(()))? {
            return Err("a lock that no other process uses timed out".into());
        }
    }
    Ok(start.elapsed())
}

fn say(what: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "ok {what}")?)
}
