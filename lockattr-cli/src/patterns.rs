//! Which locks are meant by patterns of their names.

use glob::Pattern;

use crate::exit::Stop;
use crate::text::Escaped;

/// What matches any of them; everything, if there are none.
pub(crate) struct Patterns(Vec<Pattern>);

impl Patterns {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, Stop> {
        let compiled = patterns.iter().map(|pattern| {
            Pattern::new(pattern).map_err(|error| {
                let pattern = Escaped(pattern);
                Stop::usage(format!("the pattern \"{pattern}\": {error}; write it as `i2c-*`"))
            })
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn include(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.matches(name))
    }
}
