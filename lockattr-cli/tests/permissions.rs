//! Locks of other users.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{chown, PermissionsExt as _};

use support::{json, lockattr, make_foreign_semaphore, refused, said, Name, PROGRAM};

/// The program, run by a user who may not use what nobody else may.
fn as_another(arguments: &[&str]) -> assert_cmd::Command {
    if !nix::unistd::geteuid().is_root() {
        return lockattr(arguments);
    }
    // Root may do anything, and others cannot look into root's folders.
    let copy = std::env::temp_dir().join(format!("lockattr-test-{}", std::process::id()));
    if !copy.exists() {
        fs::copy(PROGRAM, &copy).unwrap();
    }
    let mut command = assert_cmd::Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy).args(arguments);
    command
}

/// Both in one test, which removes the copy.
#[test]
fn what_is_not_permitted_ends_with_3_and_says_why() {
    let name = Name::new("denied");
    make_foreign_semaphore(&name, "");
    let file = format!("/dev/shm/sem.{}", &*name);
    fs::set_permissions(file, Permissions::from_mode(0o000)).unwrap();
    for command in ["state", "get", "unget"] {
        let refused = as_another(&[command, "-b", "semaphore", &name]).assert().code(3);
        let complaint = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(complaint.contains("has mode 0000"), "{complaint}");
    }
    let listed = as_another(&["list", "--json"]).assert().success();
    let all: serde_json::Value = serde_json::from_slice(&listed.get_output().stdout).unwrap();
    let found = all.as_array().unwrap().iter().find(|lock| lock["name"] == *name).unwrap();
    assert_eq!(found["locked"], serde_json::Value::Null);
    let table = as_another(&["list", &name]).assert().success();
    let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
    let row = table.lines().last().unwrap();
    assert!(row.contains(" ? ") && row.ends_with("no permission: user 0's, mode 0000"), "{row}");

    // A private semaphore of another user that only a text explains: `--force` would not help root.
    if nix::unistd::geteuid().is_root() {
        let name = Name::new("private");
        make_foreign_semaphore(&name, "2024-10-20 16:00:51.864484 - theirs");
        for file in [format!("/dev/shm/sem.{}", &*name), format!("/dev/shm/{}", &*name)] {
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            chown(&file, Some(65534), Some(65534)).unwrap();
        }
        let refusal = refused(&["unget", &name], 3);
        let advice = format!("`sudo -u nobody lockattr unget --force {}`", &*name);
        assert!(refusal.contains(&advice), "{refusal}");
        let table = said(&["list", &name]);
        assert!(table.contains("theirs"), "{table}");
    }

    // A private lock of another user, which root could open, and one that is shared.
    if nix::unistd::geteuid().is_root() {
        for (mode, taken) in [(0o600, false), (0o666, true)] {
            let name = Name::new("shared");
            said(&["run", "-b", "semaphore", &name, "--", "true"]);
            for file in [format!("/dev/shm/sem.{}", &*name), format!("/dev/shm/{}", &*name)] {
                fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
                chown(&file, Some(65534), Some(65534)).unwrap();
            }
            assert!(said(&["state", &name]).contains("free"));
            let shared: [&[&str]; 3] = [
                &["run", "-b", "semaphore", &name, "--mode", "666", "--", "true"],
                &["get", "-b", "semaphore", &name, "--mode", "666", "-a", "1h"],
                &["unget", &name, "--mode", "666"],
            ];
            for command in shared {
                let alone: Vec<&str> = command
                    .iter()
                    .filter(|argument| !["--mode", "666"].contains(argument))
                    .copied()
                    .collect();
                if command[0] != "unget" {
                    let complaint = refused(&alone, 3);
                    assert!(complaint.contains("belongs to user 65534"), "{complaint}");
                    assert!(complaint.contains("run as that user"), "{complaint}");
                }
                if taken {
                    said(command);
                }
            }
        }
    }
    let complaint = refused(&["run", "-b", "port", "x", "--mode", "666", "--", "true"], 2);
    assert!(complaint.contains("a port lock has no mode"), "{complaint}");

    // A keeper of this user.
    let name = Name::new("denied-port");
    said(&["get", &name]);
    if nix::unistd::geteuid().is_root() {
        let refused = as_another(&["unget", &name]).assert().code(3);
        let complaint = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(complaint.contains("cannot be sent SIGTERM"), "{complaint}");
        assert_eq!(json(&["state", "--json", &name])["locked"], true);
    }
    said(&["unget", &name]);
    let _ =
        fs::remove_file(std::env::temp_dir().join(format!("lockattr-test-{}", std::process::id())));
}
