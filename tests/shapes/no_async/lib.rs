//! A task, in a package that asks for no feature. Built with those that do, it has it.

use lockattr::interprocess_lock;

#[interprocess_lock("shapes-no-async")]
pub async fn read() -> std::io::Result<u8> {
    Ok(7)
}
