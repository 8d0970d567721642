use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1")]
fn read() -> impl std::future::Future<Output = std::io::Result<()>> {
    println!("reads");
    async { Ok(()) }
}

fn main() {
    let _ = read();
}
