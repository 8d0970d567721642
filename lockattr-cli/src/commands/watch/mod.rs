//! `lockattr watch`.

mod screen;
mod view;

use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use lockattr_runtime::{Backend, Lock};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use ratatui::backend::Backend as _;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::DefaultTerminal;

use super::list;
use crate::cli::Watch;
use crate::exit::{Exit, Stop};
use crate::patterns::Patterns;
use crate::report::Users;
use crate::signals;
use lockattr_survey::{survey, Status};
use view::{Answer, View};

pub(super) fn watch(watch: &Watch, backend: Option<Backend>) -> Result<Exit, Stop> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return list::print(&watch.scope, &watch.patterns, false, backend);
    }
    let end = signals::ending()?;
    let mut terminal = ratatui::try_init()?; // a panic restores it
    let watched = refresh(&mut terminal, watch, backend, &end);
    ratatui::try_restore()?;
    watched.map(|()| Exit::Done)
}

/// Shows the locks anew every now and then, until somebody wants to quit.
fn refresh(
    terminal: &mut DefaultTerminal,
    watch: &Watch,
    backend: Option<Backend>,
    end: &UnixStream,
) -> Result<(), Stop> {
    let patterns = Patterns::new(&watch.patterns)?;
    let mut view = View::new(watch.scope.scope());
    let mut users = Users::default();
    let mut kept = Kept::default();
    loop {
        let mut locks = survey(view.scope, backend)?;
        locks.retain(|status| patterns.include(&status.name));
        kept.keep(&locks);
        view.show(locks, &mut users);
        let next = Instant::now() + watch.update;
        loop {
            terminal.draw(|frame| screen::draw(frame, &mut view))?;
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match wait(end, left)? {
                Happened::Nothing => break,
                Happened::End => return Ok(()),
                Happened::Input => {}
            }
            match answer(&mut view)? {
                Answer::Draw => {}
                Answer::Redraw => forget(terminal)?,
                Answer::Survey => break,
                Answer::Quit => return Ok(()),
            }
        }
    }
}

/// Clears the screen, and takes nothing for drawn any more. (`Terminal::clear` would ask the terminal
/// where its cursor is, and not every one answers.)
fn forget(terminal: &mut DefaultTerminal) -> Result<(), Stop> {
    terminal.backend_mut().clear()?;
    terminal.swap_buffers();
    Ok(())
}

enum Happened {
    Nothing,
    Input,
    End,
}

/// Until there is input, a signal to end, or no time `left`.
fn wait(end: &UnixStream, left: Duration) -> Result<Happened, Stop> {
    // What has been read from the terminal and not been asked for is not seen by `poll`.
    if event::poll(Duration::ZERO)? {
        return Ok(Happened::Input);
    }
    let stdin = io::stdin();
    let mut awaited = [end.as_fd(), stdin.as_fd()].map(|one| PollFd::new(one, PollFlags::POLLIN));
    let left = i32::try_from(left.as_millis()).unwrap_or(i32::MAX).max(1);
    match poll(&mut awaited, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
        Ok(0) => Ok(Happened::Nothing),
        // As when the window changes its size.
        Err(nix::Error::EINTR) => Ok(Happened::Input),
        Err(error) => Err(error.into()),
        Ok(_) if awaited[0].any().unwrap_or(false) => Ok(Happened::End),
        Ok(_) => Ok(Happened::Input),
    }
}

/// Takes the input that there is.
fn answer(view: &mut View) -> Result<Answer, Stop> {
    let mut answer = Answer::Draw;
    while event::poll(Duration::ZERO)? {
        if let Event::Key(key) = event::read()? {
            if key.kind == KeyEventKind::Press {
                answer = answer.max(view.press(key));
            }
        }
    }
    Ok(answer)
}

/// Keeps the connections to the holders of port locks, by which they are looked at, from one survey to
/// the next: each new one would leave an entry in a holder's queue until the release.
#[derive(Default)]
struct Kept(Vec<Lock>);

impl Kept {
    fn keep(&mut self, locks: &[Status]) {
        let is_another = |name: &str| {
            locks.iter().any(|lock| lock.backend != Backend::Port && lock.name == name)
        };
        let ports =
            locks.iter().filter(|lock| lock.backend == Backend::Port && lock.holder().is_some());
        // A process uses one name under one backend at a time.
        let ports = ports.filter(|lock| !is_another(&lock.name));
        let ports = ports.filter_map(|lock| Lock::open(Backend::Port, &lock.name).ok());
        // Those from before are let go of after these are there, so that what is in both lives on.
        self.0 = ports.filter(|lock| lock.is_locked().is_ok()).collect();
    }
}
