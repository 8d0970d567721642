//! Whom a semaphore is shared with, as it is written on the command line.

use lockattr_runtime::{Lock, LockError};

/// `660` for a group, `666` for everybody, as chmod(1) has it.
pub(crate) fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok();
    mode.filter(|mode| mode & 0o600 == 0o600 && mode & !0o666 == 0)
        .ok_or_else(|| "write it as `600`, `660` for its group, or `666` for everybody".to_owned())
}

/// The lock, with `mode` if there is one.
pub(crate) fn with(lock: Lock, mode: Option<u32>) -> Result<Lock, LockError> {
    match mode {
        Some(mode) => lock.try_mode(mode),
        None => Ok(lock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_octal_and_lets_in_its_user() {
        assert_eq!(mode("660"), Ok(0o660));
        assert_eq!(mode("0666"), Ok(0o666));
        for wrong in ["", "6", "0o660", "066", "770", "1660", "rw", "-660"] {
            assert!(mode(wrong).is_err(), "{wrong}");
        }
    }
}
