use lockattr::interprocess_lock;

#[interprocess_lock(timeout = "2s", "i2c-1")]
fn after_option() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(bus)]
fn argument(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock(b"i2c-1")]
fn byte_string() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(name_of_bus())]
fn call() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("")]
fn empty() -> std::io::Result<()> {
    Ok(())
}

mod field {
    use super::interprocess_lock;

    struct Driver {
        bus: u8,
    }

    impl Driver {
        #[interprocess_lock(self.bus)]
        fn read(&self) -> std::io::Result<u8> {
            Ok(self.bus)
        }
    }
}

#[interprocess_lock(format!("i2c-{}", bus))]
fn format(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("i2c-}")]
fn lone_brace() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c\0")]
fn nul() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(17)]
fn number() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(&["i2c-1", "gpio-17"])]
fn reference() -> std::io::Result<()> {
    Ok(())
}

mod name_self {
    use super::interprocess_lock;

    struct Driver {
        bus: u8,
    }

    impl Driver {
        #[interprocess_lock(self)]
        fn read(&self) -> std::io::Result<u8> {
            Ok(self.bus)
        }
    }
}

#[interprocess_lock("i2c-" + bus)]
fn sum(bus: u8) -> std::io::Result<u8> {
    Ok(bus)
}

#[interprocess_lock("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn")]
fn too_long() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(("i2c-1", "gpio-17"))]
fn tuple() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1", "gpio-17")]
fn twice() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock("i2c-1",, timeout = "2s")]
fn two_commas() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(i2c-1)]
fn unquoted() -> std::io::Result<()> {
    Ok(())
}

#[interprocess_lock(vec!["i2c-1", "gpio-17"])]
fn name_vec() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
