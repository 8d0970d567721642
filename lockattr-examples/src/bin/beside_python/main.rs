//! A Rust program and a Python program on one lock, with each of the Python packages.
//!
//! ```text
//! pip install k3portlock cjnfuncs posix-ipc
//! cargo run -p lockattr-examples --bin beside_python          # PYTHON=… says which python
//! ```

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use lockattr::interprocess_lock;
use lockattr_examples::Fragile;

const TURNS: u32 = 50;

/// `Portlock("example-python-port")` in Python.
#[interprocess_lock("example-python-port", timeout = "30s")]
fn beside_k3portlock(device: &Fragile) -> io::Result<()> {
    use_it(device)
}

/// `resource_lock("example-python-semaphore")` in Python.
#[interprocess_lock("example-python-semaphore", backend = "semaphore", timeout = "30s")]
fn beside_resourcelock(device: &Fragile) -> io::Result<()> {
    use_it(device)
}

fn use_it(device: &Fragile) -> io::Result<()> {
    let _inside = device.enter()?;
    sleep(Duration::from_millis(1));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = Fragile::new(&format!("python-{}", std::process::id()));
    for (package, use_device) in [
        ("k3portlock", beside_k3portlock as fn(&Fragile) -> io::Result<()>),
        ("resourcelock", beside_resourcelock),
    ] {
        let mut python = start(package, device.file())?;
        for _ in 0..TURNS {
            use_device(&device)?;
            sleep(Duration::from_millis(1));
        }
        if !python.wait()?.success() {
            return Err(format!("the Python program with {package} failed").into());
        }
        println!("{TURNS} turns of Rust and {TURNS} of {package} never met");
    }
    Ok(())
}

fn start(package: &str, inside: &Path) -> io::Result<Child> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| OsString::from("python3"));
    Command::new(python)
        .args(["-c", include_str!("neighbour.py"), package])
        .arg(inside)
        .arg(TURNS.to_string())
        .spawn()
}
