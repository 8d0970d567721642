use lockattr::interprocess_lock;

mod mode_const {
    use super::interprocess_lock;

    const MODE: u32 = 0o660;

    #[interprocess_lock("i2c-1", backend = "semaphore", mode = MODE)]
    fn read(bus: u8) -> std::io::Result<u8> {
        Ok(bus)
    }
}

#[interprocess_lock("i2c-1", backend = "semaphore", mode = 660)]
fn decimal(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", backend = "semaphore", mode = 0o755)]
fn executable(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", backend = "semaphore", mode = 0x1b0)]
fn hexadecimal(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", backend = "port", mode = 0o660)]
fn of_port(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", backend = "semaphore", mode = "0640")]
fn text(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", mode = 0o660)]
fn without_backend(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", backend = "semaphore", mode)]
fn without_value(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {}
