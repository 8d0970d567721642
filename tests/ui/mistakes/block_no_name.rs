use lockattr::interprocess_lock;

trait Read {
    fn read(&self) -> std::io::Result<()>;
}

#[interprocess_lock()]
impl Read for [u8] {
    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    [1_u8][..].read().unwrap();
}
