use lockattr::interprocess_lock;

trait Bus {
    const BUS: &'static str;
}

struct Driver<T>(T);

#[interprocess_lock(T::BUS)]
impl<T: Bus> Driver<T> {
    fn read(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    
}
