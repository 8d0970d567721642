//! Files that anybody can have written in the place of a record. The first byte says of what: a port lock, or a
//! semaphore, whose value it also tells. Whatever is in them, looks show no control characters, and an acquire neither
//! crashes nor waits (libFuzzer has a limit).

#![no_main]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use libfuzzer_sys::fuzz_target;
use lockattr_runtime::{Backend, Holder, Lock};

fn show(holder: Option<Holder>) {
    if let Some(holder) = holder {
        let shown = holder.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, page)) = bytes.split_first() else { return };
    // As in the seeds: a record tells of which lock it is.
    let name = "fuzz-record";
    let (backend, files) = if first % 2 == 0 {
        let uid = fs::metadata("/proc/self").unwrap().uid();
        (Backend::Port, vec![(format!("/dev/shm/lockattr.{uid}.{name}"), page.to_vec())])
    } else {
        let mut semaphore = [0; 32];
        semaphore[0] = first >> 1;
        let files = vec![
            (format!("/dev/shm/sem.{name}"), semaphore.to_vec()),
            (format!("/dev/shm/{name}"), page.to_vec()),
        ];
        (Backend::Semaphore, files)
    };
    for (path, content) in &files {
        fs::write(path, content).unwrap();
        make_private(path);
    }
    let lock = Lock::open(backend, name).unwrap();
    for holder in [lock.last_holder(), lock.holder()] {
        show(holder.ok().flatten());
    }
    if let Err(error) = lock.standing() {
        let _ = error.to_string();
    }
    match lock.try_acquire() {
        Ok(guard) => show(guard.recovered_from().cloned()),
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
    drop(lock);
    for (path, _) in files {
        let _ = fs::remove_file(path);
    }
});

/// As the runtime makes its own: others' writing is not believed.
fn make_private(path: &str) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
