//! Devices: one lock for each, whatever path leads to it, and the conventions by which other programs lock them.

mod conventions;
mod node;
mod wait;

use std::io;
use std::path::Path;

use crate::error::LockError;
use crate::holder::Holder;

pub(crate) use node::Node;
pub(crate) use wait::{Refusal, Wait};

/// A device, as one use of its lock finds it.
#[derive(Debug)]
pub(crate) struct Device {
    path: Box<Path>,
    node: Node,
}

impl Device {
    /// The device that `path` leads to now.
    pub(crate) fn at(path: &Path) -> Result<Self, LockError> {
        match Node::at(path) {
            Ok(node) => Ok(Self { path: path.into(), node }),
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

    /// Which other processes lock it by conventions of their own.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        conventions::holders(&self.path, &self.node)
    }
}

fn gone(path: &Path, source: io::Error) -> LockError {
    let lock = path.to_string_lossy().into();
    LockError::NoDevice { lock, path: path.into(), source: source.into() }
}
