//! Locks as JSON. Scripts rely on the names: see [`JSON_HELP`](super::JSON_HELP).

use lockattr_runtime::{Holder, KnownBy, Tenure};
use serde::Serialize;

use super::Users;
use lockattr_survey::Status;

/// A lock.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    name: String,
    backend: String,
    locked: Option<bool>,
    holder: Option<Person>,
    last: Option<Person>,
    waiters: Option<u32>,
    device: Option<String>,
    /// Those that lock a device in other ways. Only where a device was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<Vec<Person>>,
}

/// Who holds a lock, or did.
#[derive(Debug, Serialize)]
pub(crate) struct Person {
    pid: Option<u32>,
    uid: Option<u32>,
    user: Option<String>,
    command: Option<String>,
    info: Option<String>,
    since: Option<String>,
    held_seconds: Option<f64>,
    tenure: Option<&'static str>,
    stopped: bool,
    known_by: Option<&'static str>,
}

impl View {
    pub(crate) fn new(status: &Status, users: &mut Users) -> Self {
        Self {
            name: status.name.clone(),
            backend: status.backend.to_string(),
            locked: status.is_locked(),
            holder: status.holder().map(|holder| Person::new(holder, users)),
            last: status.last.as_ref().map(|last| Person::new(last, users)),
            waiters: status.waiters,
            device: status.device.clone(),
            others: None,
        }
    }

    /// With those that lock the device in other ways.
    pub(crate) fn with_others(self, others: &[Holder], users: &mut Users) -> Self {
        let others = others.iter().map(|other| Person::new(other, users)).collect();
        Self { others: Some(others), ..self }
    }
}

impl Person {
    pub(crate) fn new(holder: &Holder, users: &mut Users) -> Self {
        Self {
            pid: holder.pid,
            uid: holder.uid,
            user: holder.uid.and_then(|uid| users.name(uid)).map(str::to_owned),
            command: holder.command.clone(),
            info: holder.info.clone(),
            since: holder.since.map(|since| humantime::format_rfc3339_micros(since).to_string()),
            held_seconds: holder.held_for.map(|held| held.as_secs_f64()),
            tenure: match holder.tenure {
                Tenure::Holds => Some("holds"),
                Tenure::Detached => Some("detached"),
                Tenure::Released => Some("released"),
                Tenure::Died => Some("died"),
                Tenure::Abandoned => Some("abandoned"),
                Tenure::OnItsWay => Some("on its way"),
                Tenure::Copied => Some("copied"),
                Tenure::Kept => Some("kept"),
                _ => None,
            },
            stopped: holder.stopped,
            known_by: match holder.known_by {
                KnownBy::Kernel => Some("kernel"),
                KnownBy::Proc => Some("proc"),
                KnownBy::Record => Some("record"),
                KnownBy::Text => Some("text"),
                KnownBy::Flock => Some("flock"),
                KnownBy::LockFile => Some("lock file"),
                _ => None,
            },
        }
    }
}
