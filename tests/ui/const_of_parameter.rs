use lockattr::interprocess_lock;

trait Bus {
    const NAME: &'static str;
}

#[interprocess_lock(B::NAME)]
fn read<B: Bus>(_bus: B) -> std::io::Result<()> {
    Ok(())
}

struct I2c;

impl Bus for I2c {
    const NAME: &'static str = "i2c-1";
}

fn main() {
    read(I2c).unwrap();
}
