use lockattr::interprocess_lock;

fn main() {
    let read = #[interprocess_lock("i2c-1")]
    || std::io::Result::Ok(());
    read().unwrap();
}
