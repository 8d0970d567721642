use lockattr::interprocess_lock;

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

fn make() -> BoxFuture<'static, std::io::Result<()>> {
    Box::pin(async { Ok(()) })
}

#[interprocess_lock("i2c-1")]
fn read() -> BoxFuture<'static, std::io::Result<()>> {
    make()
}

fn main() {
    let _ = read();
}
