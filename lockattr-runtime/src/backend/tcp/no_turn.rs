//! In place of `turn.rs`, where there are no abstract addresses to queue at: all try when the lock becomes free.

use std::marker::PhantomData;
use std::time::Duration;

use super::chance::Chance;
use super::ports::COUNT;
use super::Tcp;
use crate::deadline::Deadline;
use crate::sys::socket::ForkSocket;

#[derive(Debug)]
pub(super) struct Turn<'a>(PhantomData<&'a Tcp>);

/// What an attempt may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code)] // the others come of a queue
pub(super) enum May {
    Try,
    TryOnce,
    Queue(Duration),
}

#[allow(clippy::unused_self)] // as the other one
impl<'a> Turn<'a> {
    pub(super) fn new(_: &'a Tcp) -> Self {
        Self(PhantomData)
    }

    pub(super) fn join(
        &mut self,
        _: Option<[bool; COUNT]>,
        _: Deadline<'_>,
        _: &mut Chance,
    ) -> bool {
        false
    }

    pub(super) fn advance(&mut self, _: Deadline<'_>, _: &mut Chance) -> May {
        May::Try
    }

    pub(super) fn forget_order(&self) {}

    pub(super) fn note(&mut self, _: bool) {}

    pub(super) fn is_head(&self) -> bool {
        false
    }

    pub(super) fn connection(&self) -> Option<&ForkSocket> {
        None
    }
}
