//! Devices, where they are not locked: what a path leads to, and who has it, is found by what Linux tells.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::path::Path;

use crate::deadline::Deadline;
use crate::error::LockError;
use crate::holder::Holder;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Never {}

/// A device: there is none.
#[derive(Debug)]
pub(crate) struct Device(Never);

/// What a path leads to: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node(Never);

/// What has been taken beside a device's lock: nothing ever is.
#[derive(Debug)]
pub(crate) struct Joined(Never);

/// What an acquire is to take beside a device's lock: nothing, as there is none.
#[derive(Debug, Clone, Copy)]
pub struct Joins<'a>(PhantomData<&'a ()>);

/// Why a device is not to be had.
#[derive(Debug)]
pub(crate) enum Refusal {
    Held(Box<Holder>),
    Gone(io::Error),
    Failed(&'static str, io::Error),
}

impl Device {
    /// An error that says so.
    pub(crate) fn at(path: &Path) -> Result<Self, LockError> {
        let reason = "devices are locked on Linux only; give the lock a name instead";
        Err(LockError::NoDevice {
            lock: path.to_string_lossy().into(),
            path: path.into(),
            source: io::Error::new(io::ErrorKind::Unsupported, reason).into(),
        })
    }

    pub(crate) fn gone(&self, _: io::Error) -> LockError {
        match self.0 {}
    }

    pub(crate) fn path(&self) -> &Path {
        match self.0 {}
    }

    pub(crate) fn node(&self) -> Node {
        match self.0 {}
    }

    pub(crate) fn join(&mut self, _: Joins<'_>) -> io::Result<bool> {
        match self.0 {}
    }

    pub(crate) fn joins(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn holders(&self) -> Vec<Holder> {
        match self.0 {}
    }
}

impl fmt::Display for Node {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl<'a> Joins<'a> {
    /// Nothing.
    pub const NONE: Self = Self(PhantomData);

    /// The attribute's option. The device is refused before anything would be joined.
    #[must_use]
    pub fn descriptor<T>(self, _: &'a T) -> Self {
        self
    }

    /// As [`descriptor`](Self::descriptor).
    #[must_use]
    pub const fn lock_file(self) -> Self {
        self
    }

    #[allow(clippy::unused_self)] // as on Linux
    pub(crate) const fn is_none(self) -> bool {
        true
    }
}

/// The wait for a device: there is none.
pub(crate) struct Wait<'a>(&'a Device);

impl<'a> Wait<'a> {
    pub(crate) fn new(device: &'a Device, _: &'a str, _: Deadline<'a>) -> Self {
        Self(device)
    }

    pub(crate) fn run(self) -> Result<Option<Joined>, Refusal> {
        match self.0 .0 {}
    }

    #[cfg(feature = "async")]
    pub(crate) async fn run_async(self) -> Result<Option<Joined>, Refusal> {
        match self.0 .0 {}
    }
}
