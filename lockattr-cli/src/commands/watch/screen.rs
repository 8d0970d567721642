//! How `watch` draws.

use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Row, Table};
use ratatui::Frame;

use super::view::View;
use crate::report::{self, wants_colour, Cells, Widths};

pub(super) fn draw(frame: &mut Frame, view: &mut View) {
    let [body, foot] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    let room = usize::from(body.width);
    let shown = view.rows();
    let count = shown.len();
    let natural = report::widths(shown.iter().copied());
    // Scrolled to the side, all of the lines can be seen; else as much as fits.
    let whole = natural.iter().sum::<usize>() + report::SPACE * report::WHERE;
    let offset = view.offset.min(whole.saturating_sub(room));
    let widths = if offset > 0 { natural } else { report::fitted(natural, room) };
    let head = report::HEAD.map(str::to_owned);
    let rows: Vec<_> =
        shown.into_iter().map(|cells| Row::new([line(cells, &widths, offset)])).collect();
    let table = Table::new(rows, [Constraint::Fill(1)])
        .header(Row::new([line(&head, &widths, offset)]).bold())
        .row_highlight_style(Style::new().reversed());
    view.offset = offset;
    frame.render_stateful_widget(table, body, &mut view.table);
    frame.render_widget(Line::from(keys(view, count)).dim(), foot);
}

/// A row as a line, from its character at `offset` on.
fn line(cells: &Cells, widths: &Widths, offset: usize) -> Line<'static> {
    let mut hidden = offset;
    let mut spans = Vec::new();
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let cell = report::cut(cell, width);
        let space = if column == report::WHERE { 0 } else { report::SPACE };
        let padded = if report::RIGHT.contains(&column) {
            format!("{cell:>width$}{:space$}", "")
        } else {
            format!("{cell:<width$}{:space$}", "")
        };
        let seen: String = padded.chars().skip(hidden).collect();
        hidden = hidden.saturating_sub(padded.chars().count());
        spans.push(coloured(column, &cell, seen));
    }
    Line::from(spans)
}

fn coloured(column: usize, cell: &str, seen: String) -> Span<'static> {
    let span = Span::from(seen);
    if column != report::STATE || cell == report::HEAD[report::STATE] || !wants_colour() {
        return span;
    }
    span.fg(match cell {
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
        "{count} locks{filter} by {}   q quit  s sort  / filter  h held  a all  ↑↓←→ scroll",
        view.order.word()
    )
}
