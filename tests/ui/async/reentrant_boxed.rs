use lockattr::interprocess_lock;

use std::future::Future;
use std::pin::Pin;

#[interprocess_lock("i2c-1", reentrant)]
fn read() -> Pin<Box<dyn Future<Output = std::io::Result<()>>>> {
    Box::pin(async { Ok(()) })
}

fn main() {
    let _ = read();
}
