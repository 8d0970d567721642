//! What the records tell a backend whose locks are sockets: about the holder before, and about holders in
//! other network namespaces; and what is written into them but grants. `name` is the one that the record goes by.

use std::sync::Arc;

use super::look::LOOKS;
use super::Failure;
use crate::holder::{Holder, KnownBy};
use crate::info::Info;
use crate::record::{self, Page, Record};
use crate::sys::fork;
use crate::sys::namespace::Network;
use crate::sys::process::effective_uid;
use crate::sys::socket;

const ROOT: u32 = 0;

/// The network namespace of the calling thread.
fn network_here() -> Result<Network, Failure> {
    socket::network_here().map_err(Failure::io("open a socket"))
}

/// What this user's record tells of a present hold of this process. (Not asked over the lock's socket, nor looked
/// for among others' records.)
pub(super) fn own_hold(name: &str) -> Option<Holder> {
    let record = record::read(name, effective_uid())?;
    let is_own = record.state_of(std::process::id()) == record::PeerState::Holds;
    is_own.then(|| record.present_holder(KnownBy::Record))
}

/// The last holder by any user's record.
pub(super) fn last_holder(
    name: &str,
    is_bound: impl Fn() -> Result<bool, Failure>,
) -> Result<Option<Holder>, Failure> {
    let latest = || record::latest(name, None).map_err(Failure::io("look who held it last"));
    let mut looks = 0;
    let Some(mut record) = latest()? else { return Ok(None) };
    // A process that lives on but has lost the lock, as by `exec`, does not hold it.
    while !record.has_ended() && !is_bound()? {
        looks += 1;
        // One that gave it back after the record was read wrote so before.
        let before = (record.uid(), record.grant());
        let Some(now) = latest()? else { return Ok(None) };
        record = now;
        if !record.has_ended() && before == (record.uid(), record.grant()) || looks == LOOKS {
            return Ok(Some(record.past_holder(network_here()?)));
        }
    }
    Ok(Some(record.last_holder()))
}

/// Says of a name that is free here what an acquire would: see [`take_over`].
pub(super) fn check_elsewhere(
    name: &str,
    is_bound_at: impl FnOnce(u32) -> bool,
) -> Result<(), Failure> {
    refuse_holder_elsewhere(name, effective_uid(), network_here()?, is_bound_at)
}

/// By the record of the user `uid`. A lock that was left to a descriptor stands while `is_bound_at` the process
/// that left it: what became of the descriptor, no record says.
#[cold]
fn refuse_holder_elsewhere(
    name: &str,
    uid: u32,
    network: Network,
    is_bound_at: impl FnOnce(u32) -> bool,
) -> Result<(), Failure> {
    let record = record::read(name, uid);
    match record.and_then(|record| record.holder_elsewhere(network, is_bound_at)) {
        Some(holder) => Err(Failure::OtherNamespace(holder)),
        None => Ok(()),
    }
}

/// Who left the lock taken before the new holder, whose socket belongs to `network`, by the record of
/// its user.
///
/// # Errors
/// If it must not hold although the socket is its own: processes of two network namespaces can
/// bind one address twice, while they see each other's records. Such a lock would exclude nobody,
/// and says so.
#[inline]
pub(super) fn take_over(
    name: &str,
    page: &Page,
    network: Network,
    is_bound_at: impl FnOnce(u32) -> bool,
) -> Result<Option<Box<Holder>>, Failure> {
    if page.was_given_back() {
        return Ok(None);
    }
    take_over_from_last(name, page, network, is_bound_at)
}

/// As [`take_over`], where the last grant was not given back, as far as one word tells.
#[cold]
fn take_over_from_last(
    name: &str,
    page: &Page,
    network: Network,
    is_bound_at: impl FnOnce(u32) -> bool,
) -> Result<Option<Box<Holder>>, Failure> {
    let last = page.last_grant();
    // Without a shared record nobody else can have written one.
    let Some(uid) = page.uid() else { return Ok(None) };
    if last.is_in_order() {
        if last.is_kept() && last.network().differs_from(network) {
            refuse_holder_elsewhere(name, uid, network, is_bound_at)?;
        }
        return Ok(None);
    }
    let Some(record) = record::read(name, uid) else {
        // It died while it wrote its own.
        return Ok(Some(Box::new(last.dead_holder())));
    };
    if last.network().differs_from(network) && page.last_grant_stands() {
        return Err(Failure::OtherNamespace(record.last_holder()));
    }
    // Root may have come between, and found all in order: only its record is believed beside the own.
    let roots = record::read(name, ROOT).filter(|roots| roots.is_later_than(&record));
    let record = roots.unwrap_or(record);
    // A process that may live and hold elsewhere, as far as can be told from here, has not died.
    let holder = record.past_holder(network);
    Ok(holder.tenure.is_out_of_order().then(|| Box::new(holder)))
}

/// Whether others will hear of it if the holder that writes to `page` dies.
pub(super) fn check_record(record: &Record, page: &Page) -> Result<(), Failure> {
    if page.uid().is_some() {
        return Ok(());
    }
    let operation = "write the lock's record, by which `on_recover` hears of a death";
    Err(Failure::io(operation)(record.trouble()))
}

/// Writes another text for the caller, who holds the lock, and wrote its grant to `page` if it has that in hand.
pub(super) fn set_info(
    record: &Record,
    page: Option<&Arc<Page>>,
    info: Info<'_>,
) -> Result<(), Failure> {
    let page = page.map_or_else(|| record.page(), Arc::clone);
    let gate = fork::gate().map_err(Failure::io("enter the library"))?;
    let is_seen = page.write_info(info);
    drop(gate);
    if is_seen {
        return Ok(());
    }
    Err(Failure::io("write the text")(record.trouble()))
}
