use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", reentrant)]
async fn read() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    drop(read());
}
