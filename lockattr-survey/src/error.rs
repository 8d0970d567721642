//! Why there is no survey.

use std::error::Error;
use std::fmt;
use std::io;

/// What a survey needs to read could not be read.
///
/// ```
/// use lockattr_survey::{survey, Scope};
///
/// match survey(Scope::Held, None) {
///     Ok(held) => println!("{} locks are held", held.len()),
///     Err(error) => eprintln!("{error}"), // cannot read /proc/net/unix: …
/// }
/// ```
#[derive(Debug)]
pub struct SurveyError {
    path: &'static str,
    source: io::Error,
}

impl SurveyError {
    /// For `map_err`.
    pub(crate) fn reading(path: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { path, source }
    }
}

impl fmt::Display for SurveyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, source } = self;
        write!(f, "cannot read {path}: {source}")?;
        if path.starts_with("/proc") && source.kind() == io::ErrorKind::NotFound {
            f.write_str(
                "; it lists the port locks, and takes a mounted /proc (`mount -t proc proc /proc`)",
            )?;
        }
        Ok(())
    }
}

impl Error for SurveyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The message ends with the system's own words, so a chain would say them twice.
        self.source.source()
    }
}
