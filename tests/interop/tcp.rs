//! `k3portlock` where it has no abstract unix sockets, on the locks of the TCP backend.

use std::time::{Duration, Instant};

use lockattr::{Backend, Lock, LockError};

use super::python::Script;
use super::support::ledger::Ledger;
