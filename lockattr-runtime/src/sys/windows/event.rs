//! What wakes those who poll: nothing does here, so they look now and then.

use std::io;
use std::time::Duration;

use super::poll::{AsDescriptor, Descriptor};

pub(crate) enum Event {}

impl Event {
    pub(crate) fn new() -> Option<Self> {
        None
    }

    pub(crate) fn set(&self) {
        match *self {}
    }

    pub(crate) fn wait_readable(
        &self,
        _: &impl AsDescriptor,
        _: Option<Duration>,
    ) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn wait_any<'a>(
        &'a self,
        _: impl Iterator<Item = Descriptor<'a>>,
        _: Option<Duration>,
    ) -> io::Result<()> {
        match *self {}
    }

    #[cfg(feature = "async")]
    pub(crate) async fn is_set(&self) -> bool {
        match *self {}
    }
}
