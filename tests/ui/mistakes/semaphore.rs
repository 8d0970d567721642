use lockattr::interprocess_lock;

#[interprocess_lock("lockattr.{bus}", backend = "semaphore")]
fn capture_reserved(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("bus/{bus}", backend = "semaphore")]
fn capture_slash(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(["i2c-1", "/i2c-1"], backend = "semaphore")]
fn list_double(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("/..", backend = "semaphore")]
fn name_dots(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("/", backend = "semaphore")]
fn name_empty(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c\0", backend = "semaphore")]
fn name_nul(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("sem.i2c-1", backend = "semaphore")]
fn name_reserved(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("bus/1", backend = "semaphore")]
fn name_slash(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", backend = "semaphore")]
fn name_too_long(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {}
