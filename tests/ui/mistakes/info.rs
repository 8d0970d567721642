use lockattr::interprocess_lock;

mod info_const {
    use super::interprocess_lock;

    #[interprocess_lock("i2c-1", info = names::WHAT)]
    fn read() -> std::io::Result<()> {
        Ok(())
    }


    mod names {
        pub const WHAT: &str = "reads";
    }
}

#[interprocess_lock("i2c-1", info = 5)]
fn number() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", info = "reads {}")]
fn positional(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

fn main() {}
