//! `/dev/shm`, where semaphores and records are (`sem_overview(7)`, `shm_overview(7)`).

use std::collections::BTreeSet;
use std::fs;
use std::io;

pub(crate) const FOLDER: &str = "/dev/shm";

const SEMAPHORE: &str = "sem.";
/// The records of port locks: `lockattr.UID.NAME`.
const RECORD: &str = "lockattr.";

/// What follows the name in the record of a TCP lock.
const TCP: &str = "\0tcp";

/// The names of the files there.
#[derive(Debug)]
pub(crate) struct Folder(BTreeSet<String>);

impl Folder {
    pub(crate) fn read() -> io::Result<Self> {
        let entries = match fs::read_dir(FOLDER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self(BTreeSet::new()))
            }
            entries => entries?,
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

    /// The port locks that have left a record.
    pub(crate) fn remembered_ports(&self) -> impl Iterator<Item = String> {
        self.remembered().filter(|name| !name.ends_with(TCP))
    }

    /// The TCP locks that have left a record.
    pub(crate) fn remembered_tcp(&self) -> impl Iterator<Item = String> {
        self.remembered().filter_map(|name| name.strip_suffix(TCP).map(str::to_owned))
    }

    fn remembered(&self) -> impl Iterator<Item = String> {
        let records = self.0.iter().filter_map(|file| {
            let (uid, name) = file.strip_prefix(RECORD)?.split_once('.')?;
            uid.parse::<u32>().ok()?;
            decoded(name)
        });
        records.collect::<BTreeSet<_>>().into_iter() // each user has a record of its own
    }
}

/// A name out of a file's name, where `%` and two digits stand for a byte. None if it is no name, or
/// one that was cut.
fn decoded(name: &str) -> Option<String> {
    /// Longer ones are cut.
    const LIMIT: usize = 200;

    if name.len() > LIMIT {
        return None;
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        bytes.push(match (first, others) {
            (b'%', [high, low, others @ ..]) => {
                rest = others;
                u8::from_str_radix(std::str::from_utf8(&[*high, *low]).ok()?, 16).ok()?
            }
            (b'%', _) => return None,
            _ => *first,
        });
    }
    String::from_utf8(bytes).ok()
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

    #[test]
    fn records_of_port_locks_tell_their_names() {
        let folder = folder(&[
            "lockattr.0.i2c-1",
            "lockattr.1000.i2c-1",
            "lockattr.0.a%2fb%0a",
            "lockattr.0.psu%00tcp",
            "lockattr.x.y",
            "lockattr.0.bad%g0",
            "lockattr.0.bad%",
            "lockattr.0.bad%ff",
        ]);
        assert_eq!(folder.remembered_ports().collect::<Vec<_>>(), ["a/b\n", "i2c-1"]);
        assert_eq!(folder.remembered_tcp().collect::<Vec<_>>(), ["psu"]);
    }
}
