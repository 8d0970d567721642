//! `lockattr clean`. (Each with a pattern: the other tests' locks are not to be touched.)

mod support;

use lockattr_runtime::Backend;
use support::{lockattr, on_each_backend, refused, said, Name, Running};

#[test]
fn clean_removes_what_free_locks_have_left_and_leaves_what_is_in_use() {
    on_each_backend("clean", |name, backend| {
        let holder = Running::holder(name, backend);
        let refusal = refused(&["clean", name], 3);
        assert!(refusal.contains("1 in use"), "{refusal}");
        lockattr(&["state", "-q", name]).assert().code(0);
        assert!(holder.end().success());
        assert!(name.has_files());
        let dry = said(&["clean", "--dry-run", name]);
        assert!(dry.contains("1 free lock would be removed") && dry.contains("KiB"), "{dry}");
        assert!(name.has_files());
        assert!(said(&["clean", name]).contains("1 free lock removed"));
        assert!(!name.has_files());
        assert!(said(&["clean", name]).contains("0 free locks removed"));
        lockattr(&["run", "-b", backend, name, "-t", "5", "--", "true"]).assert().success();
    });
}

#[test]
fn clean_spares_what_was_used_lately_if_told_so() {
    on_each_backend("older", |name, backend| {
        said(&["run", "-b", backend, name, "--", "true"]);
        said(&["clean", "--older", "1h", name]);
        assert!(name.has_files());
        std::thread::sleep(std::time::Duration::from_millis(60)); // past the tick of the coarse clock
        said(&["clean", "--older", "10ms", name]);
        assert!(!name.has_files());
        refused(&["clean", "--older", "long", name], 2);
    });
}

#[test]
fn clean_keeps_what_tells_of_a_death_unless_told_otherwise() {
    on_each_backend("died", |name, backend| {
        let mut holder = Running::holder(name, backend);
        holder.process.kill().unwrap();
        holder.process.wait().unwrap();
        let kept = said(&["clean", name]);
        assert!(kept.contains("1 kept") && kept.contains("--died"), "{kept}");
        assert!(name.has_files());
        said(&["clean", "--died", name]);
        assert!(!name.has_files());
    });
}

#[test]
fn patterns_say_what_is_cleaned_and_a_wrong_one_is_told() {
    let names = [Name::new("pattern-a"), Name::new("pattern-b")];
    for name in &names {
        drop(name.lock(Backend::Port).try_acquire().unwrap());
    }
    let pattern = format!("cli-pattern-a-{}-*", std::process::id());
    assert!(said(&["clean", &pattern]).contains("1 free lock removed"));
    assert!(!names[0].has_files() && names[1].has_files());
    let refusal = refused(&["clean", "a[b"], 2);
    assert!(refusal.contains("write it as `i2c-*`"), "{refusal}");
}

#[test]
fn list_all_says_how_much_memory_free_locks_take() {
    let name = Name::new("memory");
    drop(name.lock(Backend::Port).try_acquire().unwrap());
    let listed = lockattr(&["list", "--all", &name]).assert().success();
    let said = String::from_utf8_lossy(&listed.get_output().stderr).into_owned();
    assert_eq!(
        said,
        "lockattr: free locks: 1, 4 KiB of memory; `lockattr clean` removes what they have left\n"
    );
    lockattr(&["list", &name]).assert().success().stderr("");
}
