//! What a worker is told to do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{Contention, Error};

/// A line to a worker. Times are whole nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Acquires and releases this many times: answers how long all of them took.
    Pairs(u64),
    /// Acquires, and answers that it holds. At the next line, whatever that says, it releases, and answers when
    /// the release began and ended.
    Hold,
    /// Acquires within this time, and releases at once: answers when it had the lock, or `timeout`.
    Wait(Duration),
    /// Takes the lock over and over: answers a [`Contended`](crate::Contended).
    Contend(Contention),
    /// As many threads wait for the lock, which another process holds. Answers when all of them sleep; and then,
    /// when the last of them had it.
    Crowd(u64),
    /// As many threads, each with a lock of its own, acquire and release for this long: answers how many pairs
    /// there were and how long that took.
    Threads(u64, Duration),
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pairs(count) => write!(f, "pairs {count}"),
            Self::Hold => write!(f, "hold"),
            Self::Wait(timeout) => write!(f, "wait {}", timeout.as_nanos()),
            Self::Contend(Contention { start, settling, length, hold, pause }) => {
                let [settling, length, hold, pause] =
                    [settling, length, hold, pause].map(Duration::as_nanos);
                write!(f, "contend {start} {settling} {length} {hold} {pause}")
            }
            Self::Crowd(threads) => write!(f, "crowd {threads}"),
            Self::Threads(threads, length) => write!(f, "threads {threads} {}", length.as_nanos()),
        }
    }
}

impl FromStr for Order {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let mut words = line.split_whitespace();
        let order = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.map(str::parse).collect::<Result<_, _>>()?;
        let time = Duration::from_nanos;
        Ok(match (order, &numbers[..]) {
            ("pairs", [count]) => Self::Pairs(*count),
            ("hold", []) => Self::Hold,
            ("wait", [timeout]) => Self::Wait(time(*timeout)),
            ("contend", [start, settling, length, hold, pause]) => Self::Contend(Contention {
                start: *start,
                settling: time(*settling),
                length: time(*length),
                hold: time(*hold),
                pause: time(*pause),
            }),
            ("crowd", [threads]) => Self::Crowd(*threads),
            ("threads", [threads, length]) => Self::Threads(*threads, time(*length)),
            _ => return Err(format!("no order is {line:?}").into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_understood_as_it_was_given() {
        let ms = Duration::from_millis;
        let (settling, length) = (ms(100), ms(500));
        let contention = Contention { start: 7, settling, length, hold: ms(1), pause: ms(3) };
        for order in [
            Order::Pairs(3),
            Order::Hold,
            Order::Wait(ms(9)),
            Order::Contend(contention),
            Order::Crowd(4),
            Order::Threads(16, ms(1)),
        ] {
            assert_eq!(order.to_string().parse::<Order>().unwrap(), order);
        }
        assert!("pairs".parse::<Order>().is_err());
        assert!("pairs many".parse::<Order>().is_err());
    }
}
