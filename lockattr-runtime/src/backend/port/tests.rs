//! Holds that end while others wait, in one process.

use std::time::Duration;

use super::super::queue::{Acquisition, Bound, Step};
use super::*;

/// A lock that is let go of instead is free for a moment: who comes just then has it before those that wait.
#[test]
fn a_hold_goes_to_the_first_that_waits_however_it_ends() {
    type End = fn(&Port, &mut Held);
    let ends: [(&str, End); 3] =
        [("release", Port::release), ("abandonment", Port::abandon), ("removal", Port::remove)];
    for (what, end) in ends {
        let name = format!("unit-{what}-{}", std::process::id());
        let [holds, waits, comes] = [(); 3].map(|()| Port::new(&name));
        let long = Deadline::after(Duration::from_secs(600));
        let mut held = holds.acquire(long, Info::Text("here")).map_err(|_| what).unwrap();
        let mut waiter = Acquisition::new(&waits);
        assert!(matches!(waiter.advance(), Ok(Step::Queued)), "{what}");
        end(&holds, &mut held);
        drop(held);
        assert!(matches!(comes.queue.bind(), Ok(Bound::Taken(_))), "{what}: it is overtaken");
        let step = waiter.advance();
        assert!(matches!(step, Ok(Step::Acquired(_))), "{what}");
        record::remove(&name);
    }
}
