//! A process that changes its user, and one that may not see another user's.

use lockattr::{Backend, Lock};
use nix::mount::{mount, MsFlags};

use crate::support::{eventually, hold, listen, on_each_backend, open};
use crate::support::{remove_semaphore, say, unique_name, unique_semaphore, waits, Actor, LONG};
use crate::{be_refused_and_wait, become_another, is_root, leave_mounts, may, ANOTHER};

pub(super) fn hold_as_another(name: &str) {
    become_another();
    hold(name);
}

/// Uses a lock as root, and another one as another user.
pub(super) fn change_user(name: &str) {
    let lock = open(name);
    let other = open(&format!("{}-other", lock.name()));
    drop(other.acquire(LONG).unwrap());
    if lock.backend() == Backend::Port {
        drop(lock.acquire(LONG).unwrap()); // root's record of it is open
    }
    say("ready");
    listen();
    become_another();
    let guard = lock.acquire(LONG).unwrap();
    match guard.recovered_from() {
        Some(dead) => say(&format!("recovered from {:?} in {:?}", dead.pid, dead.info)),
        None => say("nobody died"),
    }
    let holder = lock.holder().unwrap().unwrap();
    say(&format!("held by user {}, info: {}", holder.uid.unwrap(), holder.info.is_some()));
}

#[test]
fn a_process_that_changes_its_user_is_told_of_that_users_dead() {
    if !is_root() {
        return;
    }
    on_each_backend("change-user", |name| {
        let mut actor = Actor::start("change user", name);
        actor.expect("ready");
        let mut holder = Actor::start("hold as another", name);
        holder.expect("holding");
        let dead = holder.pid();
        holder.kill();
        actor.tell("go");
        actor.expect(&format!(
            "recovered from {:?} in {:?}",
            Some(dead),
            Some("the test's holder")
        ));
        actor.expect(&format!("held by user {ANOTHER}, info: true"));
        actor.end();
        remove_semaphore(&format!("{name}-other"));
    });
}

pub(super) fn wait_with_hidden_proc(name: &str) {
    leave_mounts();
    let hidden = Some("hidepid=2");
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), hidden).unwrap();
    become_another();
    be_refused_and_wait(name);
}

#[test]
fn a_waiter_that_may_not_see_the_holder_robs_nobody_and_replaces_the_dead() {
    if !is_root() || !may(&["unshare", "--mount"]) {
        return;
    }
    let shared = unique_semaphore("hidden");
    let everybodys = Lock::open(Backend::Semaphore, &shared).unwrap().mode(0o666);
    drop(everybodys.acquire(LONG).unwrap());
    for name in [&shared, &unique_name("hidden")] {
        let mut holder = Actor::start("hold", name);
        holder.expect("holding");
        let mut waiter = Actor::start("wait with hidden proc", name);
        waiter.expect("timeout: true");
        eventually("the waiter waits", || waits(name, waiter.pid()));
        holder.kill();
        waiter.expect("acquired");
        waiter.end();
    }
    remove_semaphore(&shared);
}

/// Takes the lock as another user, and says of whose death it is told.
pub(super) fn take_as_another(name: &str) {
    become_another();
    let guard = open(name).acquire(LONG).unwrap();
    say(&format!("recovered from {:?}", guard.recovered_from().and_then(|dead| dead.pid)));
}

#[test]
fn a_death_is_not_told_late_where_root_came_between() {
    if !is_root() {
        return;
    }
    let name = unique_name("late");
    for root_comes_between in [false, true] {
        let mut holder = Actor::start("hold as another", &name);
        holder.expect("holding");
        let dead = holder.pid();
        holder.kill();
        if root_comes_between {
            drop(open(&name).acquire(LONG).unwrap());
        }
        let told = if root_comes_between { None } else { Some(dead) };
        let mut next = Actor::start("take as another", &name);
        next.expect(&format!("recovered from {told:?}"));
        next.end();
    }
}
