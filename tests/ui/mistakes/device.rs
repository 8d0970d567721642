use lockattr::interprocess_lock;

#[interprocess_lock("i2c-1", device = "/dev/i2c-1")]
fn and_name(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = bus)]
fn argument(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = "dev/{bus}")]
fn capture_relative(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = "")]
fn empty(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = "/dev/tty\0")]
fn nul(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = 7)]
fn number(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = "ttyUSB0")]
fn relative(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

fn main() {}
