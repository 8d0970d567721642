use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", or_else = { 1 })]
fn block() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", or_else = Err("busy"))]
fn error() -> Result<u8, &'static str> {
    Ok(1)
}

#[interprocess_lock("i2c-1", or_else =)]
fn missing(bus: u8) -> Option<u8> {
    Some(bus)
}

#[interprocess_lock("i2c-1", or_else = "none")]
fn no_closure(bus: u8) -> Option<u8> {
    Some(bus)
}

#[interprocess_lock("i2c-1", or_else = panic!("busy"))]
fn panic() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", or_else = Default::default())]
fn value() -> u8 {
    1
}

fn main() {}
