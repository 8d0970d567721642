use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", timeout = Duration::from_secs(2))]
fn call(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-1", timeout = "1,5s")]
fn comma() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "")]
fn empty() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = 2 * SECOND)]
fn expression() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "forever")]
fn forever() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "2sec")]
fn long_unit() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "-1s")]
fn negative() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = None)]
fn none() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = 2)]
fn number() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "1s2h")]
fn order() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "99999999999999999999h")]
fn overflow() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = patience)]
fn part((patience, _): (std::time::Duration, String)) -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "2 s")]
fn spaced() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "0.0000000001s")]
fn too_fine() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "2 sekunden")]
fn unknown_unit() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = 2s)]
fn without_quotes() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "2")]
fn without_unit() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
