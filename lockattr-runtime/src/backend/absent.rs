//! A backend that this system does not have: nobody can have a lock of it, so nothing is to be done with one.

#[cfg(feature = "async")]
use std::future::{pending, Future};

use super::{Failure, RawLock};
use crate::deadline::Deadline;
use crate::holder::Holder;
use crate::info::Info;
use crate::sys::socket::Owned;

/// There is no value of it.
#[derive(Debug)]
pub(crate) enum Absent {}

impl RawLock for Absent {
    type Held = Self;

    fn acquire(&self, _: Deadline<'_>, _: Info<'_>) -> Result<Self, Box<Failure>> {
        match *self {}
    }

    #[cfg(feature = "async")]
    #[allow(unreachable_code)] // what stands behind gives the future a type
    fn acquire_async(
        &self,
        _: Deadline<'_>,
        _: Info<'_>,
    ) -> impl Future<Output = Result<Self, Box<Failure>>> + Send {
        match *self {}
        pending()
    }

    fn release(&self, _: &mut Self) {
        match *self {}
    }

    fn abandon(&self, _: &mut Self) {
        match *self {}
    }

    fn check_detach(&self) -> Result<(), Failure> {
        match *self {}
    }

    fn detach(&self, _: &mut Self) {
        match *self {}
    }

    fn granted(held: &Self) -> u64 {
        match *held {}
    }

    fn descriptor(held: &Self) -> Result<Owned, Failure> {
        match *held {}
    }

    fn keep(&self, _: &mut Self) {
        match *self {}
    }

    fn remove(&self, _: &mut Self) {
        match *self {}
    }

    fn recovered_from(held: &Self) -> Option<&Holder> {
        match *held {}
    }

    fn set_info(&self, _: Option<&Self>, _: Info<'_>) -> Result<(), Failure> {
        match *self {}
    }

    fn check_record(&self, _: &Self) -> Result<(), Failure> {
        match *self {}
    }

    fn own_hold(&self) -> Option<Holder> {
        match *self {}
    }

    fn is_locked(&self) -> Result<bool, Failure> {
        match *self {}
    }

    fn holder(&self) -> Result<Option<Holder>, Failure> {
        match *self {}
    }

    fn last_holder(&self) -> Result<Option<Holder>, Failure> {
        match *self {}
    }

    fn force_release(&self) -> Result<bool, Failure> {
        match *self {}
    }
}
