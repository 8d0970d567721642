//! What the report says around its tables.

use crate::figures::Figures;
use crate::machine::Machine;

pub(super) fn head(figures: &Figures) -> String {
    let Figures { machine, quick, took, .. } = figures;
    let Machine { date, processor, memory, kernel, load, rustc, python, lockattr } = machine;
    let command = if *quick { "-- --quick" } else { "" };
    let command = format!("cargo run --release -p lockattr-bench {command}");
    let warning = if *quick {
        "\nA quick run: few rounds, and figures that only say that all of it runs.\n"
    } else {
        ""
    };
    format!(
        "\
# Benchmarks

Made by `{}` in {:.1} minutes. Read the ratios: times are this machine's.
{warning}
| | |
| --- | --- |
| date | {date} |
| machine | {processor}, {memory}, {kernel}; load average {load} before |
| lockattr | {lockattr} |
| compiler | {rustc} |
| Python | {python} |

## How it is measured

Each lock is used by processes of its own, which are started once and told over pipes what to do. All locks are measured in
turns, round by round, in one run, so that whatever else the machine does hurts them alike. A figure is the median of its
rounds; the *middle half* is the range from the lower to the upper quartile. Times that two processes
tell are `CLOCK_MONOTONIC`, which they share. A holder spins for as long as it is to hold: a sleep would add what
the timer adds, and one holder at a time takes one core, whichever lock it is. Every crate is built
alone, with its default features and the optimiser on. Where a lock's own interface has a timeout, that is 1 s.
Locks that cannot time out block, and their waits over 1 s count as timeouts. single-instance can only try, so the bench polls it.
",
        command.trim_end(),
        took.as_secs_f64() / 60.0,
    )
}

pub(super) const NOT_SAID: &str = "\
## What the figures do not say

- A cheaper lock can be one that does less. lockattr's figures contain a record of who holds, since when and from where; a
  deadline; a queue; and the recovery from a holder's death. Bare calls and most peers have one of these, or none.
- A benchmark asks again at once. A program that works on a bus for milliseconds and
  takes the lock a hundred times a second spends less than a thousandth of its time in any of these locks.
- Throughput without holds rewards unfairness: a process that takes the lock again and again, while the others sleep, wakes
  nobody. Read it together with the longest wait and with Jain's index (1 if all get the same, 1/n if one of n gets
  all).
- Few cores, one machine, one kernel. With more cores a hand-off may meet a waiter's core in a deeper sleep.
- Locks of Python also pay for Python.
- That a lock excludes is not measured here. That is what the tests are for.
";
