//! Removing the records of a port lock.

use once_cell::race::OnceBox;

use super::file;
use crate::sys::process::effective_uid;

/// Removes the records of `name` that this user may remove: its own, and root those of all users. The
/// caller holds the lock.
pub(crate) fn remove(name: &str) {
    let this = effective_uid();
    let others: &[u32] = if this == 0 { users() } else { &[] };
    for uid in others.iter().copied().chain([this]) {
        file::remove(name, uid);
    }
}

/// The users that have a record of any lock, as one look at the folder has found them: a look for each of many
/// locks would take its time.
fn users() -> &'static [u32] {
    static USERS: OnceBox<Vec<u32>> = OnceBox::new();

    USERS.get_or_init(|| {
        let entries = file::all().into_iter().flatten();
        let mut users: Vec<_> =
            entries.filter_map(|entry| Some(file::parts(&entry.ok()?.file_name())?.0)).collect();
        users.sort_unstable();
        users.dedup();
        Box::new(users)
    })
}
