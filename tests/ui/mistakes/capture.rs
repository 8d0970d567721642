use lockattr::interprocess_lock;

#[interprocess_lock("i2c-{bus:wide}")]
fn bad_format(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-{bus + 1}")]
fn expression(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-}{bus}")]
fn lone_brace(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-{bus.get()}")]
fn method(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c\0{bus}")]
fn nul(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-{0}")]
fn number(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-{low}")]
fn part((low, high): (String, String)) -> std::io::Result<String> {
    Ok(low + &high)
}

#[interprocess_lock("i2c-{}")]
fn positional(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-{bus:.*}")]
fn positional_width(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn{bus}")]
fn too_long(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {}
