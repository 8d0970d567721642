//! All that a run has measured; none of a part that was left out.

use std::time::Duration;

use crate::bench::Row;
use crate::machine::Machine;
use crate::recovery::Recovery;
use crate::stats::Spread;
use crate::wake::Wake;
use crate::{compile, contention, growth};

pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) quick: bool,
    pub(crate) took: Duration,
    pub(crate) uncontended: Option<Vec<Row<Spread>>>,
    pub(crate) wake: Option<Vec<Row<Wake>>>,
    pub(crate) contention: Option<contention::Measured>,
    pub(crate) recovery: Option<Vec<Row<Recovery>>>,
    pub(crate) growth: Option<growth::Measured>,
    pub(crate) compile: Option<Vec<compile::Row>>,
}
