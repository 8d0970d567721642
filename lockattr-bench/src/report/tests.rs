//! The report of a fixed set of figures.

use std::time::Duration;

use super::text;
use crate::bench::Row;
use crate::compile::Cost;
use crate::contention::{Cell, Contest, Visit, ALL_TAKE_PART};
use crate::field::{Entry, FIELD};
use crate::figures::Figures;
use crate::growth::{Column, Held};
use crate::machine::Machine;
use crate::recovery::Recovery;
use crate::stats::Spread;
use crate::wake::Wake;
use crate::{contention, growth, plot};

#[test]
fn each_part_has_its_section_and_what_was_not_measured_says_why() {
    insta::assert_snapshot!("report", text(&figures()));
}

#[test]
fn a_part_that_was_left_out_is_not_in_the_report() {
    let figures = Figures { quick: true, wake: None, growth: None, ..figures() };
    let text = text(&figures);
    assert!(!text.contains("A sleeping waiter") && !text.contains("## Growth"));
    assert!(text.contains("A quick run"));
}

#[test]
fn plots_show_what_was_measured_on_a_background_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    plot::draw_all(&figures(), folder.path()).unwrap();
    let plot = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();

    let uncontended = plot("uncontended.svg");
    assert!(uncontended.contains("lockattr semaphore") && uncontended.contains("170 ns"));
    assert!(!uncontended.contains("k3portlock"), "it was not measured");
    assert!(plot("contention.svg").contains("8.20 ms"));
    assert!(plot("wake.svg").contains("28.0 µs"));
    // The first thing that is drawn covers all of it.
    let first = uncontended.find("<rect").unwrap();
    assert!(uncontended[first..].starts_with("<rect x=\"0\" y=\"0\" width=\"900\""));
}

#[test]
fn a_run_of_which_nothing_was_measured_draws_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let none = |(entry, _): Row<Spread>| (entry, Err("it does not build".to_owned()));
    let uncontended = figures().uncontended.map(|rows| rows.into_iter().map(none).collect());
    plot::draw_all(&Figures { uncontended, ..figures() }, folder.path()).unwrap();
}

fn figures() -> Figures {
    Figures {
        machine: Machine {
            date: "2026-11-28T12:00:00Z".into(),
            processor: "2 cores of a processor".into(),
            memory: "24 GiB".into(),
            kernel: "Linux 6.18".into(),
            load: "0.10".into(),
            rustc: "rustc 1.95.0".into(),
            python: "unknown".into(),
            lockattr: "0.1.0 (abcdef)".into(),
        },
        quick: false,
        took: Duration::from_secs(315),
        uncontended: Some(rows(&[170.0, 5_600.0, 930.0, 7.0], spread)),
        wake: Some(rows(&[9_000.0, 28_000.0, 8_000.0, 7_500.0], |time| Wake {
            latency: spread(time),
            release: spread(time / 4.0),
        })),
        contention: Some(contention()),
        recovery: Some(recovery()),
        growth: Some(growth()),
        compile: Some(vec![
            ("nothing", Ok(cost(250.0, 300_000.0, 40.0))),
            ("`#[interprocess_lock]`", Ok(cost(750.0, 500_000.0, 920.0))),
            ("`#[tracing::instrument]`", Err("no network".into())),
        ]),
    }
}

fn entry(id: &str) -> &'static Entry {
    FIELD.iter().find(|entry| entry.id == id).unwrap()
}

/// The semaphore, the port, `flock` and its floor; and one that is missing.
fn rows<T>(values: &[f64; 4], measured: impl Fn(f64) -> T) -> Vec<Row<T>> {
    let ids = ["semaphore", "port", "raw-flock", "raw-semaphore"];
    let mut rows: Vec<Row<T>> =
        ids.iter().zip(values).map(|(id, value)| (entry(id), Ok(measured(*value)))).collect();
    rows.insert(2, (entry("k3portlock"), Err("python3: No such file or directory".into())));
    rows.push((entry("raw-pipe"), Ok(measured(7_000.0))));
    rows
}

fn spread(median: f64) -> Spread {
    Spread { lower: median * 0.9, median, upper: median * 1.2 }
}

fn cost(check: f64, first: f64, each: f64) -> Cost {
    Cost { check: spread(check), first, each }
}

fn contention() -> contention::Measured {
    let contest = |throughput: f64| Contest {
        throughput: spread(throughput),
        longest: 8.2e6,
        p99: 7.9e6,
        timeouts: 3,
        jain: Some(0.98765),
        processor: Some(12_345.0),
    };
    let (processes, hold) = ALL_TAKE_PART;
    let cells = [(2, Duration::ZERO), (2, Duration::from_micros(100)), (processes, hold)];
    let cell = |(processes, hold)| Cell {
        processes,
        hold,
        rows: rows(&[990.0, 970.0, 980.0, 975.0], contest),
    };
    let visit = |longest| Visit { p90: longest / 2.0, longest, rate: 150.0 };
    contention::Measured {
        grid: cells.into_iter().map(cell).collect(),
        visits: rows(&[5e6, 5.1e6, 90e6, 40e6], visit),
    }
}

fn recovery() -> Vec<Row<Recovery>> {
    let recovered = |time| Recovery { latency: Some(spread(time)), lost: 0, kills: 11 };
    let mut rows = rows(&[9e6, 120e3, 100e3, 1e6], recovered);
    rows[4].1 = Ok(Recovery { latency: None, lost: 2, kills: 2 });
    rows
}

fn growth() -> growth::Measured {
    fn of<T: Clone>(number: usize, value: T) -> Column<T> {
        let rows = ["semaphore", "port"].map(|id| (entry(id), Ok(value.clone())));
        let mut rows = Vec::from(rows);
        rows[1].1 = (number > 1).then_some(value).ok_or_else(|| "too many open files".to_owned());
        Column { number, rows }
    }
    let held = Held { time: 30_000.0, memory: 4_300.0, descriptors: 1.0 };
    growth::Measured {
        locks: vec![of(1, held), of(10_000, held)],
        waiters: vec![of(1, spread(30_000.0)), of(1_000, spread(40_000.0))],
        threads: vec![of(1, spread(5e6)), of(16, spread(9e6))],
    }
}
