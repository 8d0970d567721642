use lockattr::interprocess_lock;

#[interprocess_lock]
fn read_and_read_again_and_read_again_and_read_again_and_read_again_and_read_again_and_read_again_once_more() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    read_and_read_again_and_read_again_and_read_again_and_read_again_and_read_again_and_read_again_once_more().unwrap();
}
