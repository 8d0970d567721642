//! What `watch` shows, and how the keys change it.

use std::cmp::Reverse;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;

use crate::report::{self, Users};
use lockattr_survey::{Scope, Status};

/// What a key asks for; the later ones outweigh those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    Draw,
    /// All of the screen, as somebody else has written on it.
    Redraw,
    Survey,
    Quit,
}

/// How far a key scrolls to the side.
const SIDEWAYS: usize = 20;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// What is taken, and then by name.
    State,
    Name,
    /// Who has had a lock for the longest time.
    Held,
    /// Where the most wait.
    Waiters,
}

impl Order {
    fn next(self) -> Self {
        match self {
            Self::State => Self::Name,
            Self::Name => Self::Held,
            Self::Held => Self::Waiters,
            Self::Waiters => Self::State,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Name => "name",
            Self::Held => "held",
            Self::Waiters => "wait",
        }
    }
}

#[derive(Debug)]
pub(super) struct View {
    pub(super) scope: Scope,
    pub(super) order: Order,
    pub(super) filter: String,
    /// Keys go into the filter.
    pub(super) is_typing: bool,
    pub(super) table: TableState,
    /// How many characters at the lines' beginnings are not shown.
    pub(super) offset: usize,
    /// In the order in which the survey found them.
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: report::Cells,
    held: Option<Duration>,
    waiters: Option<u32>,
}

impl View {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            order: Order::State,
            filter: String::new(),
            is_typing: false,
            table: TableState::default(),
            offset: 0,
            rows: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, locks: Vec<Status>, users: &mut Users) {
        let row = |status: &Status| Row {
            cells: report::row(status, users),
            held: status.holder().and_then(report::held_for),
            waiters: status.waiters,
        };
        self.rows = locks.iter().map(row).collect();
        drop(locks);
    }

    /// The rows to be shown, in their order.
    pub(super) fn rows(&self) -> Vec<&report::Cells> {
        let wanted = self.filter.to_lowercase();
        let is_wanted =
            |row: &&Row| row.cells.iter().any(|cell| cell.to_lowercase().contains(&wanted));
        let mut rows: Vec<_> = self.rows.iter().filter(is_wanted).collect();
        match self.order {
            Order::State => {}
            Order::Name => rows.sort_by(|one, other| one.cells[0].cmp(&other.cells[0])),
            Order::Held => rows.sort_by_key(|row| Reverse(row.held)),
            Order::Waiters => rows.sort_by_key(|row| Reverse(row.waiters)),
        }
        rows.into_iter().map(|row| &row.cells).collect()
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Answer {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Answer::Quit,
                KeyCode::Char('l') => Answer::Redraw,
                _ => Answer::Draw,
            };
        }
        if self.is_typing {
            self.type_into_filter(key.code);
            return Answer::Draw;
        }
        match key.code {
            KeyCode::Char('q') => return Answer::Quit,
            KeyCode::Esc if self.filter.is_empty() => return Answer::Quit,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('s') => self.order = self.order.next(),
            KeyCode::Char('a') => return self.toggle(Scope::Remembered),
            KeyCode::Char('h') => return self.toggle(Scope::Held),
            KeyCode::Char(' ') => return Answer::Survey,
            KeyCode::Up | KeyCode::Char('k') => self.table.scroll_up_by(1),
            KeyCode::Down | KeyCode::Char('j') => self.table.scroll_down_by(1),
            KeyCode::PageUp => self.table.scroll_up_by(10),
            KeyCode::PageDown => self.table.scroll_down_by(10),
            KeyCode::Left => self.offset = self.offset.saturating_sub(SIDEWAYS),
            KeyCode::Right => self.offset += SIDEWAYS,
            KeyCode::Home => self.table.select_first(),
            KeyCode::End => self.table.select_last(),
            _ => {}
        }
        Answer::Draw
    }

    fn type_into_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) => self.filter.push(c),
            _ => {}
        }
    }

    fn toggle(&mut self, scope: Scope) -> Answer {
        self.scope = if self.scope == scope { Scope::Present } else { scope };
        Answer::Survey
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(names: &[(&str, u64, u32)]) -> View {
        let mut view = View::new(Scope::Present);
        view.rows = names
            .iter()
            .map(|(name, held, waiters)| {
                let mut cells = report::Cells::default();
                (*name).clone_into(&mut cells[0]);
                Row { cells, held: Some(Duration::from_secs(*held)), waiters: Some(*waiters) }
            })
            .collect();
        view
    }

    fn press(view: &mut View, keys: &str) {
        for key in keys.chars() {
            let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
            view.press(KeyEvent::from(code));
        }
    }

    fn shown(view: &View) -> Vec<&str> {
        view.rows().into_iter().map(|cells| &*cells[0]).collect()
    }

    #[test]
    fn a_key_sorts() {
        let mut view = view(&[("b", 1, 9), ("a", 3, 0), ("c", 2, 4)]);
        assert_eq!(shown(&view), ["b", "a", "c"]);
        press(&mut view, "s");
        assert_eq!(shown(&view), ["a", "b", "c"]);
        press(&mut view, "s");
        assert_eq!(shown(&view), ["a", "c", "b"]);
        press(&mut view, "s");
        assert_eq!(shown(&view), ["b", "c", "a"]);
        press(&mut view, "s");
        assert_eq!(shown(&view), ["b", "a", "c"]);
    }

    #[test]
    fn what_is_typed_filters() {
        let mut view = view(&[("i2c-1", 0, 0), ("spi-q", 0, 0), ("I2C-2", 0, 0)]);
        press(&mut view, "/i2c");
        assert_eq!(shown(&view), ["i2c-1", "I2C-2"]);
        press(&mut view, "-2\n");
        assert_eq!(shown(&view), ["I2C-2"]);
        assert_eq!(view.press(KeyEvent::from(KeyCode::Esc)), Answer::Draw);
        assert_eq!(shown(&view).len(), 3);
        press(&mut view, "/q\n");
        assert_eq!(shown(&view), ["spi-q"]);
        assert_eq!(view.press(KeyEvent::from(KeyCode::Char('q'))), Answer::Quit);
    }
}
