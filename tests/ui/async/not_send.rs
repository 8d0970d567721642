use lockattr::interprocess_lock;

fn send(_: impl Send) {}

#[interprocess_lock("i2c-1")]
async fn read() -> std::io::Result<()> {
    let shared = std::rc::Rc::new(1);
    std::future::pending::<()>().await;
    drop(shared);
    Ok(())
}

fn main() {
    send(read());
}
