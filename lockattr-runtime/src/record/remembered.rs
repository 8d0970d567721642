//! The records of all port locks, at one go.

use std::collections::BTreeMap;
use std::io;

use super::file;
use super::layout::Field;
use super::snapshot::Snapshot;

/// The latest grant of each port lock that any user's record tells of, by the lock's name. The folder is
/// read once.
///
/// # Errors
/// If the folder of the records cannot be read.
pub(crate) fn remembered() -> io::Result<BTreeMap<String, Snapshot>> {
    let mut latest = BTreeMap::<String, Snapshot>::new();
    let folder = match file::all() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(latest),
        folder => folder?,
    };
    for entry in folder {
        let Some((name, record)) = read(&entry?.file_name()) else { continue };
        match latest.get(&name) {
            Some(other) if granted(other) >= granted(&record) => {}
            _ => drop(latest.insert(name, record)),
        }
    }
    Ok(latest)
}

fn granted(record: &Snapshot) -> u64 {
    record.word(Field::GrantedMonotonic)
}

/// The record in a file of this name, and the name of the lock that it is about.
fn read(file_name: &std::ffi::OsStr) -> Option<(String, Snapshot)> {
    let (uid, encoded) = file::parts(file_name)?;
    let record = Snapshot::take(&file::open_named(file_name, uid).ok()?, uid)?;
    let name = record.name()?.to_owned();
    (file::encoded(&name) == encoded && record.word(Field::Pid) != 0).then_some((name, record))
}
