//! Plots: bars, one for each lock.

use std::path::Path;

use lockattr_bench_contender::Result;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::bench::Row;
use crate::contention::{Cell, ALL_TAKE_PART};
use crate::field::{Entry, Kind};
use crate::figures::Figures;
use crate::report::table::{number, time};

/// The background is drawn too, so that the text can be read on a dark page.
const BACKGROUND: RGBColor = RGBColor(252, 252, 250);
const INK: RGBColor = RGBColor(40, 44, 52);
const GRID: RGBColor = RGBColor(222, 222, 218);

const FONT: &str = "sans-serif";
const ROW: u32 = 22;
const LABELS: i32 = 310;
const WIDTH: u32 = 900;
const HEAD: u32 = 40;
const FOOT: u32 = 34;
const LEGEND: u32 = 30;

/// Writes each plot for which there are figures.
pub(crate) fn draw_all(figures: &Figures, folder: &Path) -> Result<()> {
    if let Some(rows) = &figures.uncontended {
        let bars = Panel {
            title:
                "Acquire and release, no other process wants the lock (less is better, logarithmic)",
            format: time,
            scale: Scale::Logarithmic,
            bars: bars(rows, |spread| spread.median),
        };
        draw(&folder.join("uncontended.svg"), &[bars])?;
    }
    if let Some(rows) = &figures.wake {
        let bars = Panel {
            title: "From a release to a sleeping waiter (less is better, logarithmic)",
            format: time,
            scale: Scale::Logarithmic,
            bars: bars(rows, |wake| wake.latency.median),
        };
        draw(&folder.join("wake.svg"), &[bars])?;
    }
    let all = figures
        .contention
        .as_ref()
        .and_then(|it| it.grid.iter().find(|cell| (cell.processes, cell.hold) == ALL_TAKE_PART));
    if let Some(Cell { rows, .. }) = all {
        let longest = Panel {
            title: "8 processes, holds of 1 ms: longest wait (less is better, logarithmic)",
            format: time,
            scale: Scale::Logarithmic,
            bars: bars(rows, |contest| contest.longest),
        };
        let throughput = Panel {
            title: "8 processes, holds of 1 ms: acquisitions in a second (more is better)",
            format: number,
            scale: Scale::Linear,
            bars: bars(rows, |contest| contest.throughput.median),
        };
        draw(&folder.join("contention.svg"), &[longest, throughput])?;
    }
    Ok(())
}

struct Bar {
    label: String,
    kind: Kind,
    value: f64,
}

#[derive(Clone, Copy)]
enum Scale {
    /// From nothing.
    Linear,
    /// From the power of ten under the least value.
    Logarithmic,
}

struct Panel {
    title: &'static str,
    format: fn(f64) -> String,
    scale: Scale,
    bars: Vec<Bar>,
}

/// A bar for each entry that was measured, in the order of the report.
fn bars<T>(rows: &[Row<T>], value: impl Fn(&T) -> f64) -> Vec<Bar> {
    let bar = |(entry, measured): &Row<T>| {
        let value = value(measured.as_ref().ok()?);
        let Entry { label, kind, .. } = *entry;
        // A bar on a logarithmic scale needs a length.
        (value > 0.0).then(|| Bar { label: label.replace('`', ""), kind: *kind, value })
    };
    rows.iter().filter_map(bar).collect()
}

fn draw(path: &Path, panels: &[Panel]) -> Result<()> {
    let height = |panel: &Panel| HEAD + FOOT + ROW * u32::try_from(panel.bars.len()).unwrap_or(0);
    let total: u32 = panels.iter().map(height).sum();
    let root = SVGBackend::new(path, (WIDTH, total + LEGEND)).into_drawing_area();
    root.fill(&BACKGROUND)?;
    let (legend, mut rest) = root.split_vertically(LEGEND);
    draw_legend(&legend)?;
    for panel in panels {
        let (this, below) = rest.split_vertically(height(panel));
        draw_panel(&this, panel)?;
        rest = below;
    }
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn style(size: f64) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

fn draw_legend(area: &Area<'_>) -> Result<()> {
    let kinds = [
        ("lockattr", Kind::Lockattr),
        ("other crates", Kind::Rust),
        ("Python", Kind::Python("")),
        ("bare calls and the standard library", Kind::Floor),
    ];
    let mut left = 150;
    for (label, kind) in kinds {
        area.draw(&Rectangle::new([(left, 11), (left + 12, 23)], colour(kind).filled()))?;
        let beside = style(13.0).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(label, &beside, (left + 18, 17))?;
        left += 150;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, panel: &Panel) -> Result<()> {
    let values = || panel.bars.iter().map(|bar| bar.value);
    let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max));
    // There is room for the number beside the longest bar.
    match panel.scale {
        _ if panel.bars.is_empty() => Ok(()),
        Scale::Linear => draw_bars(area, panel, 0.0, 0.0..most * 1.2),
        Scale::Logarithmic => {
            let least = 10_f64.powf(least.log10().floor());
            let most = most * (most / least).powf(0.16).max(1.5);
            draw_bars(area, panel, least, (least..most).log_scale())
        }
    }
}

fn draw_bars<X>(area: &Area<'_>, panel: &Panel, least: f64, range: X) -> Result<()>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let rows = panel.bars.len() as f64;
    let title = style(16.0).pos(Pos::new(HPos::Center, VPos::Center));
    area.draw_text(panel.title, &title, (WIDTH.cast_signed() / 2, 24))?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(HEAD)
        .margin_right(12)
        .x_label_area_size(FOOT - 6)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(range, 0.0..rows)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_labels(8)
        .x_label_formatter(&|value| (panel.format)(*value).replace(".00", "").replace(".0", ""))
        .label_style(style(12.0))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .draw()?;
    for (at, bar) in panel.bars.iter().enumerate() {
        let top = rows - at as f64;
        let fill = colour(bar.kind).filled();
        chart
            .draw_series([Rectangle::new([(least, top - 0.16), (bar.value, top - 0.84)], fill)])?;
        let beside = |x: f64, shift: i32, text: &str, horizontal: HPos| {
            let (x, y) = chart.backend_coord(&(x, top - 0.5));
            let style = style(13.0).pos(Pos::new(horizontal, VPos::Center));
            let (left, above) = area.get_base_pixel();
            area.draw_text(text, &style, (x - left + shift, y - above))
        };
        beside(bar.value, 5, &(panel.format)(bar.value), HPos::Left)?;
        beside(least, -8, &bar.label, HPos::Right)?;
    }
    Ok(())
}

fn colour(kind: Kind) -> RGBColor {
    match kind {
        Kind::Lockattr => RGBColor(198, 84, 24),
        Kind::Rust => RGBColor(70, 116, 166),
        Kind::Python(_) => RGBColor(122, 153, 84),
        Kind::Floor => RGBColor(170, 170, 170),
    }
}
