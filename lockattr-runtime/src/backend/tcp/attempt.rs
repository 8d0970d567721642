//! One acquire from its beginning to its end: when to try, when to sleep, and when to stop. It never blocks
//! by itself: [`Tcp::wait`] and its async counterpart sleep between its steps.

use std::time::{Duration, Instant};

use super::chance::Chance;
use super::ports::COUNT;
use super::race::Race;
use super::taken::{other_use, Taken};
use super::turn::{May, Turn};
use super::{Failure, Tcp};
use crate::backend::ghost::{PATIENCE, SLICE};
use crate::backend::RawLock as _;
use crate::backoff::Backoff;
use crate::deadline::{Deadline, GRACE};
use crate::sys::poll::Descriptor;
use crate::sys::socket::ForkSocket;
use crate::sys::tcp::{connected_to, Link};
use crate::tell::Waiting;

/// The longest pause between two looks at ports that do not tell when they become free, in the mean: twice as often
/// as k3portlock looks, whose programs mostly have taken the lock again before anybody has seen it free.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// How long two connections are trusted to tell. Where a listener's backlog is full, as k3portlock's is with one
/// waiter, the system drops the last step of a connection: it stands at this end and not at the other, and its
/// listener's end resets nothing.
const TRUST: Duration = Duration::from_millis(25);

pub(super) struct Attempt<'a> {
    tcp: &'a Tcp,
    deadline: Deadline<'a>,
    /// To ports that were found taken.
    connections: [Option<ForkSocket>; COUNT],
    /// Two connections stand: until then the end of one is the next news, see [`TRUST`].
    trusted_until: Option<Instant>,
    /// How often others were faster after such news.
    lost: u32,
    backoff: Backoff,
    chance: Chance,
    begin: Begin,
    turn: Turn<'a>,
}

/// What an attempt has done so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    Nothing,
    /// It has let others go first, or has tried.
    Tried,
    /// It only tries, and found what may be no holder, until then.
    Doubted(Instant),
}

/// What is next in an [`Attempt`].
pub(super) enum Next {
    /// Nothing: this process holds the lock.
    Acquired(Taken),
    /// Nothing: these ports were taken until the deadline.
    Refused([bool; COUNT]),
    /// To sleep until one of [`Attempt::connections`] can be read, for so long at most, and to look again.
    Sleep(Option<Duration>),
}

impl<'a> Attempt<'a> {
    pub(super) fn new(tcp: &'a Tcp, deadline: Deadline<'a>) -> Self {
        Self {
            tcp,
            deadline,
            connections: [None, None, None],
            trusted_until: None,
            lost: 0,
            backoff: Backoff::up_to(LONGEST_PAUSE),
            chance: Chance::new(),
            begin: Begin::Nothing,
            turn: Turn::new(tcp),
        }
    }

    /// Goes as far as is possible without waiting.
    pub(super) fn next(&mut self) -> Result<Next, Failure> {
        if self.begin == Begin::Nothing && !self.deadline.is_now() {
            self.begin = Begin::Tried;
            if let Some(pause) = self.tcp.makes_way() {
                return if self.turn.join(None, self.deadline, &mut self.chance) {
                    self.next()
                } else {
                    Ok(self.sleep(pause))
                };
            }
        } else if self.begin == Begin::Tried {
            if let Some(next) = self.take_turn()? {
                return Ok(next);
            }
            let has_news = self.look();
            // A process that was stopped meanwhile may come back hours later.
            if self.deadline.has_long_passed(GRACE) {
                return Ok(Next::Refused([true; COUNT]));
            }
            match self.trusted_until {
                Some(trusted_until) if !has_news => return self.try_again(trusted_until),
                _ => {}
            }
            if self.trusted_until.take().is_some() {
                self.lost += 1;
                self.backoff = Backoff::up_to(LONGEST_PAUSE);
                if let Some(pause) = self.courtesy() {
                    // The others end in this very moment, and would end the pause.
                    self.connections = [None, None, None];
                    return Ok(self.sleep(pause));
                }
            }
        }
        match self.tcp.race(|index| self.connections[index].is_some())? {
            Race::Won(taken) => Ok(Next::Acquired(taken)),
            Race::Lost(refused) => self.lose(refused),
        }
    }

    /// What one does that is in the queue; none if it is at the ports.
    fn take_turn(&mut self) -> Result<Option<Next>, Failure> {
        match self.turn.advance(self.deadline, &mut self.chance) {
            May::Try => return Ok(None),
            May::Queue(pause) => return Ok(Some(self.sleep(pause))),
            May::TryOnce => {}
        }
        Ok(Some(match self.tcp.race(|_| false)? {
            // Whoever is at the head does not see to it.
            Race::Won(taken) if !self.deadline.has_long_passed(GRACE) => {
                self.turn.forget_order();
                Next::Acquired(taken)
            }
            Race::Won(_) => Next::Refused([true; COUNT]),
            Race::Lost(refused) => {
                self.check_shared(refused)?;
                if !self.deadline.has_passed() {
                    self.turn.note(self.tcp.is_listened_at(refused));
                    return self.take_turn();
                }
                Next::Refused(refused)
            }
        }))
    }

    /// The connections tell that the lock is taken. They are kept: each that is made anew stays in a backlog.
    fn try_again(&mut self, trusted_until: Instant) -> Result<Next, Failure> {
        let has_passed = self.deadline.has_passed();
        let left = trusted_until.saturating_duration_since(Instant::now());
        if !has_passed && !left.is_zero() {
            return Ok(self.sleep(left));
        }
        Ok(match self.tcp.race(|_| false)? {
            Race::Won(taken) => Next::Acquired(taken),
            Race::Lost(refused) if has_passed => Next::Refused(refused),
            Race::Lost(_) => {
                self.trust();
                self.sleep(TRUST)
            }
        })
    }

    fn trust(&mut self) {
        self.trusted_until = Some(Instant::now() + TRUST);
    }

    fn lose(&mut self, refused: [bool; COUNT]) -> Result<Next, Failure> {
        self.check_shared(refused)?;
        if self.deadline.is_now() {
            return Ok(self.doubt(refused));
        }
        if self.deadline.has_passed() {
            return Ok(Next::Refused(refused));
        }
        let known = Some(refused);
        if !self.turn.is_head() && self.turn.join(known, self.deadline, &mut self.chance) {
            if let Some(next) = self.take_turn()? {
                return Ok(next);
            }
        }
        self.connect(refused);
        if self.established() >= 2 {
            self.turn.note(true);
            self.trust();
            return Ok(self.sleep(TRUST));
        }
        self.turn.note(false);
        let pause = self.backoff.next();
        // Half of it at least, and some chance, so that two that were in each other's way part.
        let pause = pause / 2 + self.chance.up_to(pause);
        Ok(self.sleep(pause))
    }

    /// None of these ports is taken by this very process, for another lock.
    fn check_shared(&self, refused: [bool; COUNT]) -> Result<(), Failure> {
        let ports = self.tcp.ports.all().into_iter().zip(refused);
        let ports = ports.filter_map(|(port, refused)| refused.then_some(port));
        match other_use(&self.tcp.name, ports) {
            Some((port, other)) => Err(Failure::SharedPort { port, other }),
            None => Ok(()),
        }
    }

    fn sleep(&self, pause: Duration) -> Next {
        Next::Sleep(Some(self.deadline.at_most(pause)))
    }

    /// One that only tries waits for no holder. But two ports can be taken for a moment where nobody holds
    /// the lock: see [`Tcp::may_be_free`].
    fn doubt(&mut self, refused: [bool; COUNT]) -> Next {
        /// How long those take that bind a port and let go of it, generously.
        const MOMENT: Duration = Duration::from_millis(5);

        if !self.tcp.may_be_free() {
            return Next::Refused(refused);
        }
        let now = Instant::now();
        let until = match self.begin {
            Begin::Doubted(until) => until,
            _ if self.tcp.is_haunted(refused) => now + PATIENCE,
            _ => now + MOMENT,
        };
        self.begin = Begin::Doubted(until);
        if now >= until {
            return Next::Refused(refused);
        }
        Next::Sleep(Some(self.backoff.next().min(SLICE)))
    }

    /// Looks at the connections, and drops those that have ended; whether there was one. One that was copied
    /// by a fork is the parent's.
    fn look(&mut self) -> bool {
        let mut has_news = false;
        for place in &mut self.connections {
            let link = |it: &ForkSocket| {
                if it.is_an_ancestors() {
                    Link::Ended
                } else {
                    Link::of(it)
                }
            };
            let link = place.as_ref().map(link);
            if matches!(link, Some(Link::Ended)) {
                *place = None;
                has_news = true;
            }
        }
        if self.trusted_until.is_none() && !has_news && self.established() >= 2 {
            self.trust(); // they took a moment
        }
        if self.trusted_until.is_none() {
            // What did not answer meanwhile does not show that its port is taken.
            for place in &mut self.connections {
                if place.as_ref().is_some_and(|it| Link::of(it) != Link::Established) {
                    *place = None;
                }
            }
        }
        has_news
    }

    /// Connects to the ports that were refused. Nobody has to answer, so no failure is one of the acquire.
    fn connect(&mut self, refused: [bool; COUNT]) {
        for ((place, port), refused) in
            self.connections.iter_mut().zip(self.tcp.ports.all()).zip(refused)
        {
            if refused && place.is_none() {
                let connection = connected_to(port).ok();
                *place = connection.filter(|connection| Link::of(connection) != Link::Ended);
            }
        }
    }

    fn established(&self) -> usize {
        let connections = self.connections.iter().flatten();
        connections.filter(|it| Link::of(it) == Link::Established).count()
    }

    /// How long to let others go first that have waited longer, after the news that the lock may be free.
    fn courtesy(&mut self) -> Option<Duration> {
        /// The first time at most. Each time that others were faster halves it.
        const MOST: Duration = Duration::from_micros(100);
        /// After so many times no pause is left; and after so many without the lock, whatever listens there is
        /// perhaps none, and hangs up on everybody.
        const NONE: u32 = 1;
        const ODD: u32 = 64;

        match self.lost {
            lost if lost > ODD => Some(self.chance.up_to(LONGEST_PAUSE)),
            _ if self.turn.is_head() => None,
            lost if lost <= NONE => Some(self.chance.up_to(MOST / (1 << lost))),
            _ => None,
        }
    }

    /// What to wait for: the ends of these, or the turn.
    pub(super) fn connections(&self) -> impl Iterator<Item = Descriptor<'_>> {
        let turn = self.turn.connection();
        let ports = self.connections.iter().flatten().filter(move |_| turn.is_none());
        turn.into_iter().chain(ports).map(ForkSocket::descriptor)
    }
}

impl Tcp {
    /// Waits for the lock until `deadline`.
    pub(super) fn wait(
        &self,
        deadline: Deadline<'_>,
    ) -> Result<Result<Taken, [bool; COUNT]>, Failure> {
        let mut attempt = Attempt::new(self, deadline);
        let mut waiting = Waiting::new(&self.name, deadline);
        loop {
            match attempt.next()? {
                Next::Acquired(taken) => return Ok(Ok(taken)),
                Next::Refused(ports) => return Ok(Err(ports)),
                Next::Sleep(timeout) => deadline
                    .wait_any(attempt.connections(), waiting.at_most(timeout))
                    .map_err(Failure::io("wait for the lock's ports"))?,
            }
            waiting.tell(|| self.holder().ok().flatten());
        }
    }
}
