//! How `watch` draws.

use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Row, Table};
use ratatui::Frame;

use super::view::View;
use crate::report::{self, wants_colour};

pub(super) fn draw(frame: &mut Frame, view: &mut View) {
    let [body, foot] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    let shown = view.rows();
    let count = shown.len();
    let widths = report::widths(shown.iter().copied());
    let constraints = widths.into_iter().enumerate().map(|(column, width)| {
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        if column == report::WHERE {
            Constraint::Fill(1)
        } else {
            Constraint::Length(width)
        }
    });
    let rows: Vec<_> =
        shown.into_iter().map(|cells| Row::new(cells.iter().enumerate().map(cell))).collect();
    let table = Table::new(rows, constraints)
        .header(Row::new(report::HEAD).bold())
        .column_spacing(2)
        .row_highlight_style(Style::new().reversed());
    frame.render_stateful_widget(table, body, &mut view.table);
    frame.render_widget(Line::from(keys(view, count)).dim(), foot);
}

fn cell((column, text): (usize, &String)) -> Cell<'static> {
    let line = Line::from(text.clone());
    let line = if report::RIGHT.contains(&column) { line.right_aligned() } else { line };
    let cell = Cell::from(line);
    if column != report::STATE || !wants_colour() {
        return cell;
    }
    cell.fg(match &**text {
        "free" => Color::Green,
        "held" => Color::Yellow,
        _ => Color::Red,
    })
}

fn keys(view: &View, count: usize) -> String {
    if view.is_typing {
        return format!("filter: {}▏  Enter keeps it, Esc clears it", view.filter);
    }
    let filter =
        if view.filter.is_empty() { String::new() } else { format!(" with \"{}\"", view.filter) };
    format!(
        "{count} locks{filter} by {}   q quit  s sort  / filter  h held  a all  ↑↓ scroll",
        view.order.word()
    )
}
