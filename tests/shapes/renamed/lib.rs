//! A dependency that Cargo.toml calls otherwise.

use hal_lock::interprocess_lock;

#[cfg(feature = "as_if_not")]
#[interprocess_lock("shapes-renamed")]
pub fn read() -> std::io::Result<u8> {
    Ok(7)
}

#[cfg(not(feature = "as_if_not"))]
#[interprocess_lock("shapes-renamed", crate = hal_lock)]
pub fn read() -> std::io::Result<u8> {
    Ok(7)
}
