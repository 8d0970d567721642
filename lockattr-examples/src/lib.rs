//! What the whole programs in `src/bin/` share. It also has the code blocks of the READMEs, the guide and the
//! attribute's docs run as tests.

mod code_blocks;
mod fragile;

pub use fragile::{Fragile, Inside};
