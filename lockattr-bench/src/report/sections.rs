//! A section for each part of the bench.

use std::fmt::Write as _;

use crate::bench::Row;
use crate::compile::{self, FUNCTIONS};
use crate::contention::{self, Cell, Contest, Visit, ALL_TAKE_PART, AWAY, GREEDY};
use crate::field::{FLOCK_ID, PIPE_ID};
use crate::growth::{self, Column};
use crate::recovery::{Recovery, PATIENCE};
use crate::stats::Spread;
use crate::wake::Wake;

use super::table::{bytes, length, middle_half, number, ratio, time, Table};

/// What was measured of the entry of that id.
fn measured<'a, T>(rows: &'a [Row<T>], id: &str) -> Option<&'a T> {
    rows.iter().find(|(entry, _)| entry.id == id).and_then(|(_, measured)| measured.as_ref().ok())
}

/// A table of a row for each entry.
fn table<T>(
    headers: &[&str],
    rows: &[Row<T>],
    cells: impl Fn(&Row<T>, &T) -> Vec<String>,
) -> String {
    let mut table = Table::new(headers);
    for row in rows {
        match &row.1 {
            Ok(measured) => table.row(row.0.label, cells(row, measured)),
            Err(why) => table.missing(row.0.label, why),
        }
    }
    table.text()
}

pub(super) fn uncontended(rows: &[Row<Spread>]) -> String {
    let of = |id: &str| measured(rows, id).map(|spread| spread.median);
    let headers = ["acquire and release", "time", "middle half", "to `flock`", "to its bare calls"];
    let table = table(&headers, rows, |(entry, _), spread| {
        vec![
            time(spread.median),
            middle_half(*spread),
            ratio(spread.median, of(FLOCK_ID)),
            ratio(spread.median, of(entry.floor)),
        ]
    });
    format!(
        "## No other process wants the lock\n\n![A bar for each lock](uncontended.svg)\n\n{table}\n\
         The bare calls of a lock are the system or library calls without which there is no lock of its kind: a semaphore's, a bound \
         socket's, or `flock` on a file that is open already.\n"
    )
}

pub(super) fn wake(rows: &[Row<Wake>]) -> String {
    let pipe = measured(rows, PIPE_ID).map(|wake| wake.latency.median);
    let headers =
        ["", "waits", "from release to acquired", "middle half", "to a pipe", "the release alone"];
    let table = table(&headers, rows, |(entry, _), wake| {
        vec![
            entry.waits.to_owned(),
            time(wake.latency.median),
            middle_half(wake.latency),
            ratio(wake.latency.median, pipe),
            time(wake.release.median),
        ]
    });
    format!(
        "## A sleeping waiter gets the lock\n\n![A bar for each lock](wake.svg)\n\n{table}\n\
         From the moment at which the release began in one process until the acquire returned in another, which had waited for 5 to 55 ms. \
         A lock that polls is met at any point of its sleep. The floor is a process that is woken by a byte in a pipe.\n"
    )
}

pub(super) fn contention(measured: &contention::Measured) -> String {
    let mut text = format!(
        "## Many processes want the lock\n\n![Throughput and longest wait](contention.svg)\n\n\
         Each process acquires, holds, releases and asks again at once. {} processes with holds of {} are measured of \
         all locks, the other numbers of one for each way to wait. CPU is what all processes spend for an acquisition, \
         without what the holder spins.\n",
        ALL_TAKE_PART.0,
        length(ALL_TAKE_PART.1),
    );
    let mut last = 0;
    for cell in &measured.grid {
        if cell.processes != last {
            let _ = writeln!(text, "\n### {} processes", cell.processes);
            last = cell.processes;
        }
        text += &contest(cell);
    }
    text += &visits(&measured.visits);
    text
}

fn contest(cell: &Cell) -> String {
    let flock = measured(&cell.rows, FLOCK_ID).map(|contest| contest.throughput.median);
    let hold = if cell.hold.is_zero() { "no time".to_owned() } else { length(cell.hold) };
    let first = format!("held for {hold}");
    let headers = [
        first.as_str(),
        "acquired per s",
        "middle half",
        "to `flock`",
        "p99 wait",
        "longest wait",
        "timeouts",
        "Jain's index",
        "CPU each",
    ];
    let table = table(&headers, &cell.rows, |_, contest: &Contest| {
        let Spread { lower, median, upper } = contest.throughput;
        vec![
            number(median),
            format!("{}–{}", number(lower), number(upper)),
            ratio(median, flock),
            time(contest.p99),
            time(contest.longest),
            contest.timeouts.to_string(),
            contest.jain.map_or_else(String::new, |jain| format!("{jain:.3}")),
            contest.processor.map_or_else(String::new, time),
        ]
    });
    format!("\n{table}")
}

fn visits(rows: &[Row<Visit>]) -> String {
    let headers = ["", "p90 of the visitor's waits", "the longest", "visits per s"];
    let table = table(&headers, rows, |_, visit| {
        vec![time(visit.p90), time(visit.longest), number(visit.rate)]
    });
    format!(
        "\n### A visitor beside a greedy holder\n\nOne process holds for {}, releases, and asks again at once. Another takes the lock, gives \
         it back, and is away for {}. First come, first served, it waits for one hold at most.\n\n{table}",
        length(GREEDY),
        length(AWAY),
    )
}

pub(super) fn recovery(rows: &[Row<Recovery>]) -> String {
    let headers = ["", "from the kill to acquired", "middle half", "lost"];
    let table = table(&headers, rows, |_, recovery| {
        let Recovery { latency, lost, kills } = recovery;
        let lost = format!("{lost} of {kills}");
        match latency {
            Some(latency) => vec![time(latency.median), middle_half(*latency), lost],
            None => vec!["never".to_owned(), String::new(), lost],
        }
    });
    format!(
        "## A holder dies\n\nFrom the SIGKILL of the holder until a sleeping waiter has the lock. A lock that it has not got \
         within {} is lost.\n\n{table}",
        length(PATIENCE),
    )
}

pub(super) fn growth(measured: &growth::Measured) -> String {
    let locks = columns("locks held", &measured.locks, |held, _| {
        format!("{}, {}, {:.0} fd", time(held.time), bytes(held.memory), held.descriptors)
    });
    let waiters = columns("waiters", &measured.waiters, |turn, _| time(turn.median));
    let threads = columns("threads", &measured.threads, |rate, one| {
        let times = one.map(|one| format!(", {}", ratio(rate.median, Some(one.median))));
        number(rate.median) + times.as_deref().unwrap_or_default()
    });
    format!(
        "## Growth\n\nMany locks in one process: what it takes to open and acquire each, the memory that it keeps resident, and descriptors.\n\n\
         {locks}\nMany waiters on one lock, in 4 processes, all asleep when it is released: from a turn to the next.\n\n\
         {waiters}\nMany threads in one process, each with a lock of its own: pairs of acquire and release in a second by all of them together, \
         and how many times that of one thread.\n\n{threads}"
    )
}

/// A row for each number, a column for each entry. `cell` also gets what the first number had.
fn columns<T>(
    what: &str,
    columns: &[Column<T>],
    cell: impl Fn(&T, Option<&T>) -> String,
) -> String {
    let first = columns.first();
    let labels = first.iter().flat_map(|column| &column.rows).map(|(entry, _)| entry.label);
    let mut table = Table::new(&[what].into_iter().chain(labels).collect::<Vec<_>>());
    for Column { number, rows } in columns {
        let cells = rows.iter().map(|(entry, measured)| {
            let one = first.and_then(|it| self::measured(&it.rows, entry.id));
            match measured {
                Ok(measured) => cell(measured, one),
                Err(why) => format!("not measured: {}", why.replace('|', "\\|")),
            }
        });
        table.row(&number_of(*number), cells);
    }
    table.text()
}

fn number_of(number: usize) -> String {
    super::table::number(number as f64).trim_end_matches(".00").trim_end_matches(".0").to_owned()
}

pub(super) fn compile(rows: &[compile::Row]) -> String {
    let bare = rows.first().and_then(|(_, cost)| cost.as_ref().ok());
    let headers = [
        "on each function",
        "`cargo check`",
        "middle half",
        "more for each",
        "`.text`, one function",
        "each further one",
    ];
    let mut table = Table::new(&headers);
    for (label, cost) in rows {
        let cost = match cost {
            Ok(cost) => cost,
            Err(why) => {
                table.missing(label, why);
                continue;
            }
        };
        let more = bare.map(|bare| (cost.check.median - bare.check.median) / FUNCTIONS as f64);
        let Spread { lower, median, upper } = cost.check;
        table.row(
            label,
            [
                format!("{median:.0} ms"),
                format!("{lower:.0}–{upper:.0} ms"),
                more.map_or_else(String::new, |more| format!("{more:.2} ms")),
                bytes(cost.first),
                bytes(cost.each),
            ],
        );
    }
    format!(
        "## The compiler, and the program\n\nA program of {FUNCTIONS} functions of one line, and what stands on each: a `cargo check` of it \
         when its dependencies are checked, and how much more that is for each function than with nothing on it. Then \
         the machine code of a release build with one function, which is that of the libraries too, and of each further one.\n\n{}",
        table.text()
    )
}
