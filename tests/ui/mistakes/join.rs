use lockattr::interprocess_lock;

#[interprocess_lock(device = "/dev/ttyUSB0", join = [port, "uucp", port])]
fn double(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = "/dev/ttyUSB0", join = [])]
fn empty(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock(device = "/dev/ttyUSB0", join = "flock")]
fn unknown(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

#[interprocess_lock("i2c-1", join = port)]
fn without_device(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

fn main() {}
