use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1" timeout = "2s")]
fn after_no_comma() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", semaphore)]
fn backend() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", urgent)]
fn flag() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(timeout("2s"))]
fn in_parentheses() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(lock = "i2c-1")]
fn lock() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(name = "i2c-1")]
fn name() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timout = "2s")]
fn near_miss() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", = "2s")]
fn no_word() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", on_error = |_| Ok(()))]
fn on_error() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout = "2s", info = "reads", timeout = "3s")]
fn twice() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", colour = "red")]
fn unknown() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(timeout)]
fn without_value() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", timeout =, info = "reads")]
fn without_value_after_equals() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
