use lockattr::interprocess_lock;

use std::future::Future;
use std::io;
use std::pin::Pin;

struct Driver;

#[interprocess_lock("i2c-1")]
impl Driver {
    fn read<'a>(&'a self, channel: u8) -> Pin<Box<dyn Future<Output = io::Result<u8>> + Send + 'a>> {
        let twice = channel * 2;
        Box::pin(async move { Ok(twice) })
    }
}

fn main() {
    let _ = Driver.read(1);
}
