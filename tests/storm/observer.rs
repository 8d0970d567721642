//! One that asks for the lock again and again, and compares what it is told with what the log says.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use lockattr::{Holder, Lock, LockError, Tenure};

use crate::actor;
use crate::crew::Crew;
use crate::kind::{Kind, Strain};
use crate::log::{now, Entry, Log};
use crate::random::Random;

/// So many looks of 20 ms: a busy machine may leave a process alone for a while.
const PATIENCE: u32 = 10;

/// The lock is stuck if nobody has had it for so long. A storm stops one process for half a second at most.
const STUCK: Duration = Duration::from_secs(20);

/// What stands in the log, and does not change while nothing happens.
type Moment = [u64; 3];

fn moment(log: &Log) -> Moment {
    [Entry::Acquisitions, Entry::Python, Entry::Inside].map(|entry| log.get(entry))
}

pub(crate) struct Observer {
    kind: Kind,
    lock: Lock,
    looks: u32,
    judged: u32,
    named: u32,
    wrong: Vec<String>,
    /// Whom looks before named while nobody was inside, and how many of them.
    suspect: Option<(Moment, u32)>,
    suspicions: u32,
    /// How much had been done when, and the longest time without anything.
    progress: (u64, Instant),
    longest: Duration,
}

impl Observer {
    pub(crate) fn new(kind: &Kind) -> Self {
        Self {
            lock: kind.lock(),
            kind: kind.clone(),
            looks: 0,
            judged: 0,
            named: 0,
            wrong: Vec::new(),
            suspect: None,
            suspicions: 0,
            progress: (0, Instant::now()),
            longest: Duration::ZERO,
        }
    }

    pub(crate) fn look(&mut self, log: &Log, crew: &Crew, random: &mut Random) {
        let before = moment(log);
        let since = now();
        let timeout = [0, 5, 20][random.index(3)];
        let result = self.lock.acquire(Duration::from_millis(timeout));
        let may_be_unrecorded = log.may_be_unrecorded();
        let after = moment(log);
        self.looks += 1;
        match result {
            Ok(guard) => log.body(&guard, since, Duration::ZERO),
            Err(error) if actor::is_left_taken(&error) => actor::heal(log, &self.lock),
            Err(LockError::Timeout { holder: Some(holder), .. }) if before == after => {
                // A record that was removed tells nobody any more.
                if !may_be_unrecorded {
                    self.judge(before, &holder, crew, timeout == 20);
                }
            }
            Err(LockError::PortTaken { .. }) => log.count(Entry::Accused),
            Err(error) if actor::is_refused(&error) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    fn judge(&mut self, moment: Moment, holder: &Holder, crew: &Crew, is_long: bool) {
        self.judged += 1;
        self.named += u32::from(holder.pid.is_some());
        if let Some(what) = self.is_wrong(moment, holder, crew) {
            self.wrong.push(format!("{what}: {moment:?}, {holder:?}"));
        }
        // One that runs and does not come into the body for long has let go of the lock.
        let holds =
            holder.pid.filter(|pid| holder.tenure == Tenure::Holds && !crew.is_stopped(*pid));
        let is_nobody_inside = moment[2] == 0 && self.kind.strain != Strain::Python;
        let now = holds.filter(|_| is_nobody_inside && is_long).map(|pid| (moment, pid));
        self.suspicions =
            if now.is_some() && now == self.suspect { self.suspicions + 1 } else { 0 };
        self.suspect = now;
        if self.suspicions == PATIENCE {
            self.wrong.push(format!("it has let go: {moment:?}, {holder:?}"));
        }
    }

    /// What is wrong with what was told while the log did not change.
    fn is_wrong(&self, [.., inside]: Moment, holder: &Holder, crew: &Crew) -> Option<&'static str> {
        // Who has a copy is a child that is about to execute a program, and its pid soon another one's.
        let is_copy = holder.tenure == Tenure::Copied;
        if !is_copy && holder.pid.is_some_and(|pid| crew.is_none(pid)) {
            return Some("no process of the storm");
        }
        // Where nobody is inside, or one that was killed there, another one is on the way.
        let inside = u32::try_from(inside).ok().filter(|inside| *inside != 0 && runs(*inside))?;
        let is_named = (holder.pid, holder.tenure) == (Some(inside), Tenure::Holds);
        let may_be_unknown = holder.pid.is_none() && self.kind.strain != Strain::None;
        if !is_named && !may_be_unknown {
            return Some("another one is inside");
        }
        let says = holder.info.as_deref().and_then(|info| info.strip_prefix("of "))?;
        let is_its_own = says.split(' ').next() == Some(&inside.to_string());
        (!is_its_own).then_some("the text of another one")
    }

    /// Fails if nobody has had the lock for long.
    pub(crate) fn check_progress(&mut self, log: &Log, crew: &Crew) {
        let done = log.get(Entry::Acquisitions) + log.get(Entry::Python);
        let (last, since) = self.progress;
        self.longest = self.longest.max(since.elapsed());
        if done != last {
            self.progress = (done, Instant::now());
        } else if since.elapsed() > STUCK {
            let standing = self.lock.standing();
            panic!("stuck: {:?}, {standing:?}\n{}", moment(log), crew.describe());
        }
    }

    /// All others have ended: the lock is to be had, and the last death is told.
    pub(crate) fn finish(&self, log: &Log) {
        loop {
            let since = now();
            match self.lock.acquire(Duration::from_secs(2)) {
                Ok(guard) => return log.body(&guard, since, Duration::ZERO),
                Err(error) if actor::is_left_taken(&error) => actor::heal(log, &self.lock),
                // A program of Python that is killed while it holds a semaphore leaves it taken.
                Err(LockError::Timeout { .. })
                    if self.kind.is_semaphore() && self.kind.strain == Strain::Python =>
                {
                    self.lock.force_release().unwrap();
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    pub(crate) fn assert_all_true(&self) {
        assert!(self.wrong.is_empty(), "{} untruths: {:#?}", self.wrong.len(), self.wrong);
        assert!(self.looks > 0);
    }
}

impl fmt::Display for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looks, judged, named, wrong, longest, .. } = self;
        let wrong = wrong.len();
        write!(
            f,
            "{looks} looks, {judged} of them judged, {named} with a process, {wrong} wrong; "
        )?;
        write!(f, "at most {} ms without a holder", longest.as_millis())
    }
}

/// Whether a process runs, or is stopped.
fn runs(pid: u32) -> bool {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = line.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !"ZXx".contains(state))
}
