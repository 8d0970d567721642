//! A device that breaks when two processes use it at the same time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A simulated device: a process is [`Inside`] while a file exists, and to enter while another one is fails. That is what
/// a lock has to prevent.
#[derive(Debug, Clone)]
pub struct Fragile {
    file: Arc<Path>,
}

impl Fragile {
    /// The device of this name. Programs that give the same name have the same device.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let file: PathBuf = std::env::temp_dir().join(format!("lockattr-example-{name}"));
        Self { file: file.into() }
    }

    /// The file that exists while a process is inside.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Begins to use the device, until the value is dropped.
    ///
    /// # Errors
    /// If another process is inside: on real hardware, one of them now reads what the other asked for.
    pub fn enter(&self) -> io::Result<Inside> {
        File::create_new(&self.file).map_err(|error| {
            io::Error::new(error.kind(), "COLLISION: another process is inside")
        })?;
        Ok(Inside(Arc::clone(&self.file)))
    }
}

/// The use of a [`Fragile`] device, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Inside(Arc<Path>);

impl Drop for Inside {
    fn drop(&mut self) {
        // It can only be gone if a person has removed it.
        let _ = fs::remove_file(&self.0);
    }
}
