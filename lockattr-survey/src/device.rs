//! What the kernel calls a device, by its lock's name.

use std::fs;

/// `ttyUSB0` for `dev:c188:0`; none if the lock is no device's, or the device is not there.
pub(crate) fn kernel_name(lock: &str) -> Option<String> {
    let rest = lock.strip_prefix("dev:")?;
    let character = rest.strip_prefix('c').map(|numbers| ("char", numbers));
    let (kind, numbers) = character.or(rest.strip_prefix('b').map(|numbers| ("block", numbers)))?;
    let (major, minor) = numbers.split_once(':')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let event = fs::read_to_string(format!("/sys/dev/{kind}/{major}:{minor}/uevent"));
    let name = event.ok().as_deref().and_then(|event| {
        event.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(str::to_owned)
    });
    name.or_else(|| pseudo_terminal(kind, major, minor))
}

/// Those of devpts are not in `/sys` (the kernel's `devices.txt`: 136 to 143, 256 of each).
fn pseudo_terminal(kind: &str, major: u32, minor: u32) -> Option<String> {
    let is_one = kind == "char" && (136..=143).contains(&major);
    is_one.then(|| format!("pts/{}", (major - 136) * 256 + minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_the_kernels_name() {
        assert_eq!(kernel_name("dev:c1:3").as_deref(), Some("null"));
        assert_eq!(kernel_name("dev:c136:7").as_deref(), Some("pts/7"));
        assert_eq!(kernel_name("dev:c137:7").as_deref(), Some("pts/263"));
        for none in ["i2c-1", "dev:", "dev:c", "dev:ü1:3", "dev:c1", "dev:c../..:3", "dev:x1:3"] {
            assert_eq!(kernel_name(none), None, "{none}");
        }
    }
}
