//! Devices: one lock for each, whatever path leads to it, and the conventions by which other programs lock them.

mod conventions;
mod join;
mod node;
mod wait;

use std::io;
use std::path::Path;

use self::join::Wanted;
use crate::error::LockError;
use crate::holder::Holder;

pub use join::Joins;

pub(crate) use join::Joined;
pub(crate) use node::Node;
pub(crate) use wait::{Refusal, Wait};

/// A device, as one use of its lock finds it.
#[derive(Debug)]
pub(crate) struct Device {
    path: Box<Path>,
    node: Node,
    /// What is to be taken beside the lock.
    joins: Wanted,
}

impl Device {
    /// The device that `path` leads to now.
    pub(crate) fn at(path: &Path) -> Result<Self, LockError> {
        match Node::at(path) {
            Ok(node) => Ok(Self { path: path.into(), node, joins: Wanted::default() }),
            Err(source) => Err(gone(path, source)),
        }
    }

    /// The error where the path does not lead to it any more.
    pub(crate) fn gone(&self, source: io::Error) -> LockError {
        gone(&self.path, source)
    }

    /// The path that it was asked for by.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// It displays as the lock's name.
    pub(crate) fn node(&self) -> Node {
        self.node
    }

    /// Wants `joins` taken beside the lock: whether its descriptor, if there is one, is of this device.
    pub(crate) fn join(&mut self, joins: Joins<'_>) -> io::Result<bool> {
        self.joins.lock_file |= joins.lock_file;
        let Some(descriptor) = joins.descriptor else { return Ok(true) };
        let Some(copy) = join::copy_of(descriptor, &self.node)? else { return Ok(false) };
        self.joins.descriptor = Some(copy);
        Ok(true)
    }

    /// Whether anything is to be taken beside the lock.
    pub(crate) fn joins(&self) -> bool {
        !self.joins.is_none()
    }

    /// Which other processes lock it by conventions of their own.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        conventions::holders(&self.path, &self.node)
    }
}

fn gone(path: &Path, source: io::Error) -> LockError {
    let lock = path.to_string_lossy().into();
    LockError::NoDevice { lock, path: path.into(), source: source.into() }
}
