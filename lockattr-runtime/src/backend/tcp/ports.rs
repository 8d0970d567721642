//! The three ports of a lock, as k3portlock 0.1.11 computes them.

use super::sha1;
use crate::sys::tcp::PORTS;

/// Two of three are the lock.
pub(super) const COUNT: usize = 3;

/// The ports of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports {
    first: u16,
}

impl Ports {
    /// The digest of the name, as a number, modulo 20,000.
    pub(super) fn of(name: &str) -> Self {
        const RANGE: u32 = 20_000;

        let digest = sha1::digest(name.as_bytes()).into_iter().flat_map(u32::to_be_bytes);
        let rest = digest.fold(0, |rest, byte| (rest << 8 | u32::from(byte)) % RANGE);
        #[allow(clippy::cast_possible_truncation)] // below 20,000
        Self { first: PORTS.start() + rest as u16 }
    }

    pub(super) fn all(self) -> [u16; COUNT] {
        [0, 1, 2].map(|index| self.first + index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_a_name_are_k3portlocks() {
        // int(hashlib.sha1(name.encode()).hexdigest(), 16) % 20000 + 40000
        for (name, first) in [("i2c-1", I2C_1), ("", EMPTY), ("büs/1\n", ODD)] {
            assert_eq!(Ports::of(name).all(), [first, first + 1, first + 2], "{name:?}");
        }
    }

    const I2C_1: u16 = 44_874;
    const EMPTY: u16 = 51_305;
    const ODD: u16 = 41_619;
}
