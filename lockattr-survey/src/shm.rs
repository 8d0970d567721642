//! `/dev/shm`, where semaphores and records are (`sem_overview(7)`, `shm_overview(7)`).

use std::collections::BTreeSet;
use std::fs;
use std::io;

use lockattr_runtime::Lock;

use crate::SurveyError;

pub(crate) const FOLDER: &str = "/dev/shm";

const SEMAPHORE: &str = "sem.";

/// The names of the files there.
#[derive(Debug)]
pub(crate) struct Folder(BTreeSet<String>);

impl Folder {
    pub(crate) fn read() -> Result<Self, SurveyError> {
        let entries = match fs::read_dir(FOLDER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self(BTreeSet::new()))
            }
            entries => entries.map_err(SurveyError::reading(FOLDER))?,
        };
        // A lock's name is text.
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(Self(names.collect()))
    }

    /// The semaphores that are locks: those with a shared-memory object of the same name beside them,
    /// as lockattr's and resourcelock's have. Others serve other purposes.
    pub(crate) fn semaphores(&self) -> impl Iterator<Item = &str> {
        let names = self.0.iter().filter_map(|file| file.strip_prefix(SEMAPHORE));
        names.filter(|name| self.0.contains(*name))
    }
}

/// Whether a user has left a record of the port or TCP lock.
pub(crate) fn has_record(lock: &Lock) -> bool {
    lock.last_holder().is_ok_and(|last| last.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> Folder {
        Folder(files.iter().map(|file| (*file).to_owned()).collect())
    }

    #[test]
    fn a_semaphore_is_a_lock_if_its_record_is_there() {
        let folder = folder(&["sem.bus", "bus", "sem.alone", "psm", "lockattr.0.x"]);
        assert_eq!(folder.semaphores().collect::<Vec<_>>(), ["bus"]);
    }
}
