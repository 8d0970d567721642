// `main` may not be `#[track_caller]`.
use lockattr::interprocess_lock;

#[interprocess_lock("ui-test/main")]
fn main() -> std::io::Result<()> {
    Ok(())
}
