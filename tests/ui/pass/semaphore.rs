// Compiled only: the semaphores would stay on the machine.
#![allow(dead_code)]

use lockattr::interprocess_lock;

mod names {
    pub(crate) const BUS: &str = "/ui-test-const";
}

#[interprocess_lock(backend = "semaphore")]
fn derived() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("ui-test", backend = "semaphore")]
fn literal() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("/ui-test", mode = 0o640, backend = "semaphore")]
fn literal_with_mode() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(names::BUS, backend = "semaphore", mode = 0o666)]
fn of_a_const() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("/ui-test-{bus}", backend = "semaphore")]
fn from_arguments(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(["ui-test", names::BUS, "{bus}"], backend = "semaphore", mode = 0o660)]
fn several(bus: String) -> std::io::Result<String> {
    Ok(bus)
}

struct Driver(u8);

#[interprocess_lock("ui-test-{self.0}", backend = "semaphore", mode = 0o600)]
impl Driver {
    fn read(&mut self) -> std::io::Result<u8> {
        Ok(self.0)
    }

    fn reset(&self) -> std::io::Result<()> {
        Ok(())
    }
}

#[interprocess_lock(backend = "semaphore", mode = 0o660)]
impl std::str::FromStr for Driver {
    type Err = std::io::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(std::io::Error::other)
    }
}

fn main() {}
