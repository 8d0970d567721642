// `main` too.
use lockattr::interprocess_lock;

#[interprocess_lock("ui-test/main")]
fn main() -> std::io::Result<()> {
    Ok(())
}
