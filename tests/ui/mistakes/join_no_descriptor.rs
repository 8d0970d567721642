use lockattr::interprocess_lock;

#[interprocess_lock(device = "/dev/ttyUSB0", join = bus)]
fn read(bus: u8, port: &std::fs::File) -> std::io::Result<u8> {
    port.sync_all().map(|()| bus)
}

fn main() {
    read(1, &std::fs::File::open("/dev/null").unwrap()).unwrap();
}
