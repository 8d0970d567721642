//! The report: tables in Markdown, and plots.

mod sections;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod words;

use std::fs;
use std::path::Path;

use lockattr_bench_contender::Result;

use crate::figures::Figures;
use crate::plot;

/// Writes `README.md` and the plots into `folder`, and says where.
pub(crate) fn write(figures: &Figures, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    plot::draw_all(figures, folder)?;
    let report = folder.join("README.md");
    fs::write(&report, text(figures))?;
    println!("{}", report.canonicalize()?.display());
    Ok(())
}

fn text(figures: &Figures) -> String {
    let parts = [
        Some(words::head(figures)),
        figures.uncontended.as_deref().map(sections::uncontended),
        figures.wake.as_deref().map(sections::wake),
        figures.contention.as_ref().map(sections::contention),
        figures.recovery.as_deref().map(sections::recovery),
        figures.growth.as_ref().map(sections::growth),
        figures.compile.as_deref().map(sections::compile),
        Some(words::NOT_SAID.to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
